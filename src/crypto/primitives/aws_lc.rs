//! Primitives from AWS-LC.

use std::io;

use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    digest, hkdf, hmac,
};

use crate::crypto::secrecy::Zeroizing;
use crate::crypto::primitives::{TAG, Unauthentic};

/// ChaCha20-Poly1305 (RFC 8439) under one key, with no associated data.
pub(crate) struct ChaCha20Poly1305(LessSafeKey);

impl ChaCha20Poly1305 {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has the algorithm's length");
        Self(LessSafeKey::new(key))
    }

    /// `sealed = ciphertext || tag`; it is [`TAG`] bytes longer than `plaintext`.
    pub(crate) fn seal(&self, nonce: [u8; 12], plaintext: &[u8], sealed: &mut [u8]) {
        let (ciphertext, tag) = sealed.split_at_mut(plaintext.len());
        self.0
            .seal_out_of_place_scatter(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                plaintext,
                ciphertext,
                &[],
                tag,
            )
            .expect("the lengths agree, and are far below the algorithm's limit");
    }

    /// The inverse of [`seal`](Self::seal). `sealed` is at least [`TAG`] bytes, and stays as it is.
    pub(crate) fn open(&self, nonce: [u8; 12], sealed: &[u8], plaintext: &mut [u8]) -> Result<(), Unauthentic> {
        let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG);
        self.0
            .open_separate_gather(Nonce::assume_unique_for_key(nonce), Aad::empty(), ciphertext, tag, plaintext)
            .map_err(|_| Unauthentic)
    }
}

/// `HKDF-SHA-256(ikm, salt, info)`, 32 bytes (RFC 5869).
pub(crate) fn hkdf_sha256(ikm: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(ikm)
        .expand(&[info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut()))
        .expect("32 bytes is within what HKDF may expand to");
    key
}

/// `HMAC-SHA-256(key, message)` (RFC 2104).
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// Whether `tag` is `HMAC-SHA-256(key, message)`, in constant time.
pub(crate) fn hmac_sha256_verifies(key: &[u8; 32], message: &[u8], tag: &[u8; 32]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, tag).is_ok()
}

/// `SHA-256(message)` (FIPS 180-4).
pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, message).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// `SHA-256` of a message that comes in parts.
pub struct Sha256(digest::Context);

impl Sha256 {
    /// Of nothing yet.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a hash has no default")]
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Adds a part.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The hash of all parts.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")
    }
}

impl io::Write for Sha256 {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.update(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
