//! One chunk of the payload: its position, its nonce, sealing and opening it. No I/O.
//!
//! Spec: <https://c2sp.org/age#payload>.

use age_core::{format::FileKey, secrecy::ExposeSecret};

use crate::crypto::primitives::{ChaCha20Poly1305, TAG, Unauthentic, hkdf_sha256, random, stack::wiped};

/// Bytes of plaintext in every chunk but the last, which has 0 to this many.
pub const CHUNK: usize = 64 * 1024;
/// Bytes of a sealed chunk: its ciphertext, then its tag.
pub const SEALED_CHUNK: usize = CHUNK + TAG;
/// Bytes of a sealed chunk that are not plaintext.
pub const CHUNK_OVERHEAD: usize = TAG;
/// Bytes of the nonce between header and chunks, from which the payload key is derived.
pub const PAYLOAD_NONCE: usize = 16;

/// How many bytes of plaintext are in a payload of `sealed` bytes, its nonce among them. None if no payload is that long:
/// then it was cut off.
#[must_use]
pub fn plaintext_length(sealed: u64) -> Option<u64> {
    let chunks = sealed.checked_sub(PAYLOAD_NONCE as u64)?;
    let (full, rest) = (chunks / SEALED_CHUNK as u64, chunks % SEALED_CHUNK as u64);
    match rest.checked_sub(CHUNK_OVERHEAD as u64) {
        _ if rest == 0 && full > 0 => Some(full * CHUNK as u64),
        Some(0) if full > 0 => None,
        rest => Some(full * CHUNK as u64 + rest?),
    }
}

/// Where a chunk stands in its payload.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    pub(crate) index: u64,
    pub(crate) last: bool,
}

impl Position {
    /// An 11-byte big-endian counter, then 1 for the last chunk and 0 for any other.
    fn nonce(self) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.index.to_be_bytes());
        nonce[11] = u8::from(self.last);
        nonce
    }
}

/// A fresh payload nonce.
pub(crate) fn payload_nonce() -> [u8; PAYLOAD_NONCE] {
    let mut nonce = [0; PAYLOAD_NONCE];
    random(&mut nonce);
    nonce
}

/// The key that seals one payload.
///
/// Boxed, so that moving it leaves no copy behind.
pub(crate) struct PayloadKey(Box<ChaCha20Poly1305>);

impl PayloadKey {
    /// `payload key = HKDF-SHA-256(ikm = file key, salt = nonce, info = "payload")`.
    pub(crate) fn derive(file_key: &FileKey, nonce: &[u8; PAYLOAD_NONCE]) -> Self {
        wiped(|| Self(Box::new(ChaCha20Poly1305::new(&hkdf_sha256(file_key.expose_secret(), nonce, b"payload")))))
    }

    /// Seals one chunk into `sealed`, which is [`CHUNK_OVERHEAD`] bytes longer than `plaintext`.
    pub(crate) fn seal(&self, position: Position, plaintext: &[u8], sealed: &mut [u8]) {
        self.0.seal(position.nonce(), plaintext, sealed);
    }

    /// Checks one chunk's tag and puts its plaintext into `plaintext`, which is [`CHUNK_OVERHEAD`] bytes shorter than
    /// `sealed`.
    ///
    /// # Errors
    ///
    /// If the tag does not verify at this position. Then `plaintext` holds nothing to be used, and `sealed` is as it was.
    pub(crate) fn open(&self, position: Position, sealed: &[u8], plaintext: &mut [u8]) -> Result<(), Unauthentic> {
        self.0.open(position.nonce(), sealed, plaintext)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_beyond_the_reach_of_32_bits_have_nonces_of_their_own() {
        let key = PayloadKey::derive(&FileKey::new(Box::new([7; 16])), &[8; PAYLOAD_NONCE]);
        let far = (1 << 32) + 5;
        assert_eq!(Position { index: far, last: true }.nonce(), [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 1]);
        let mut sealed = [0; 4 + TAG];
        key.seal(Position { index: far, last: false }, b"text", &mut sealed);
        let mut opened = [0; 4];
        for (index, last) in [(5, false), (far, true), (far - 1, false)] {
            assert!(key.open(Position { index, last }, &sealed, &mut opened).is_err(), "{index} {last}");
        }
        assert!(key.open(Position { index: far, last: false }, &sealed, &mut opened).is_ok());
        assert_eq!(&opened, b"text");
    }

    #[test]
    fn every_payload_has_a_nonce_of_its_own() {
        assert_ne!(payload_nonce(), payload_nonce());
    }

    #[test]
    fn lengths_of_plaintext_and_payload_agree() {
        let sealed = |plaintext: u64| {
            let chunks = plaintext.div_ceil(CHUNK as u64).max(1);
            PAYLOAD_NONCE as u64 + plaintext + chunks * CHUNK_OVERHEAD as u64
        };
        let chunk = CHUNK as u64;
        for length in [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 1, 16 * chunk, 8 << 40, (8 << 40) + 1]
        {
            assert_eq!(plaintext_length(sealed(length)), Some(length));
        }
        // A nonce cut off, a tag cut off, an empty chunk behind a full one.
        for cut in [0, 15, 16, 31, sealed(chunk) + 1, sealed(chunk) + 16] {
            assert_eq!(plaintext_length(cut), None, "{cut}");
        }
    }
}
