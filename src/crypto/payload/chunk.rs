//! One chunk of a payload: its position, its nonce, and how it is sealed and opened.
//!
//! Spec: <https://c2sp.org/age#payload>.

use age_core::{format::FileKey, secrecy::ExposeSecret};

use crate::crypto::{
    error::Error,
    primitives::{ChaCha20Poly1305, TAG, Unauthentic, hkdf_sha256, random, stack::wipe_stack_after},
};

/// Bytes of plaintext in every chunk but the final one, which has 0 to this many.
pub const CHUNK: usize = 64 * 1024;
/// Bytes of a full sealed chunk: its ciphertext, then its tag.
pub const SEALED_CHUNK: usize = CHUNK + TAG;
/// Bytes by which a sealed chunk is longer than its plaintext.
pub const CHUNK_OVERHEAD: usize = TAG;
/// Bytes of the nonce between the header and the first chunk. The payload key is derived from it.
pub const PAYLOAD_NONCE: usize = 16;

/// Returns the length of the plaintext in a payload of `sealed` bytes, including the payload nonce.
///
/// Returns `None` if no complete payload has that length. Nothing is authenticated: a truncated payload can have a valid
/// length.
#[must_use]
pub fn plaintext_length(sealed: u64) -> Option<u64> {
    let chunks = sealed.checked_sub(PAYLOAD_NONCE as u64)?;
    let (full, rest) = (chunks / SEALED_CHUNK as u64, chunks % SEALED_CHUNK as u64);
    match rest.checked_sub(CHUNK_OVERHEAD as u64) {
        _ if rest == 0 && full > 0 => Some(full * CHUNK as u64),
        // Only the first chunk of a payload may be empty.
        Some(0) if full > 0 => None,
        rest => Some(full * CHUNK as u64 + rest?),
    }
}

/// Returns the length of the payload, including its nonce, of a plaintext of `plaintext` bytes; `None` if no file can be that long.
#[must_use]
pub fn payload_length(plaintext: u64) -> Option<u64> {
    let chunks = plaintext.div_ceil(CHUNK as u64).max(1);
    (chunks * CHUNK_OVERHEAD as u64 + PAYLOAD_NONCE as u64).checked_add(plaintext)
}

impl Error {
    /// Returns how many bytes of plaintext come before the fault, if the payload is at fault.
    ///
    /// A sequential sink has received exactly these bytes.
    #[must_use]
    pub fn released(&self) -> Option<u64> {
        match self {
            Self::Payload { chunk, .. } => Some(chunk * CHUNK as u64),
            _ => None,
        }
    }
}

/// The position of a chunk in its payload.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    /// Number of the chunk, from 0.
    pub(crate) index: u64,
    /// Whether the payload ends with this chunk.
    pub(crate) last: bool,
}

impl Position {
    /// Returns the chunk's nonce: an 11-byte big-endian counter, then 1 for the final chunk and 0 for any other.
    fn nonce(self) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.index.to_be_bytes());
        nonce[11] = u8::from(self.last);
        nonce
    }
}

/// Returns a fresh random payload nonce.
pub(crate) fn payload_nonce() -> [u8; PAYLOAD_NONCE] {
    let mut nonce = [0; PAYLOAD_NONCE];
    random(&mut nonce);
    nonce
}

/// The payload key, which seals the chunks of one payload.
///
/// Boxed, so that moving it leaves no copy of the key on the stack.
pub(crate) struct PayloadKey(Box<ChaCha20Poly1305>);

impl PayloadKey {
    /// Derives the key: `HKDF-SHA-256(ikm = file key, salt = nonce, info = "payload")`.
    pub(crate) fn derive(file_key: &FileKey, nonce: &[u8; PAYLOAD_NONCE]) -> Self {
        wipe_stack_after(|| {
            Self(Box::new(ChaCha20Poly1305::new(&hkdf_sha256(file_key.expose_secret(), nonce, b"payload"))))
        })
    }

    /// Seals one chunk into `sealed`, which is [`CHUNK_OVERHEAD`] bytes longer than `plaintext`.
    pub(crate) fn seal(&self, position: Position, plaintext: &[u8], sealed: &mut [u8]) {
        self.0.seal(position.nonce(), plaintext, sealed);
    }

    /// Opens one chunk: checks its tag and writes its plaintext to `plaintext`.
    ///
    /// `sealed` is ciphertext then tag, 16 to 65,552 bytes. `plaintext` is [`CHUNK_OVERHEAD`] bytes shorter.
    ///
    /// # Errors
    ///
    /// [`Unauthentic`] if the tag does not verify at this position. `plaintext` then holds zeros.
    pub(crate) fn open(&self, position: Position, sealed: &[u8], plaintext: &mut [u8]) -> Result<(), Unauthentic> {
        self.0.open(position.nonce(), sealed, plaintext)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_numbers_beyond_32_bits_give_distinct_nonces() {
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
    fn payload_nonces_differ() {
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
        // A truncated nonce, a truncated tag, an empty chunk after a full one.
        for cut in [0, 15, 16, 31, sealed(chunk) + 1, sealed(chunk) + 16] {
            assert_eq!(plaintext_length(cut), None, "{cut}");
        }
    }
}
