//! ChaCha20-Poly1305, HKDF, HMAC, SHA-256, SHA-512 and Ed25519's public keys from AWS-LC.

use std::io;

use aws_lc_rs::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, PrivateKey, UnparsedPublicKey},
    digest, hkdf, hmac,
    signature::{Ed25519KeyPair, KeyPair},
};

use crate::crypto::{
    primitives::aead::{TAG, Unauthentic},
    secrecy::Zeroizing,
};

/// ChaCha20-Poly1305 under one key, without associated data.
///
/// Spec: <https://www.rfc-editor.org/rfc/rfc8439#section-2.8>.
pub(crate) struct ChaCha20Poly1305(LessSafeKey);

impl ChaCha20Poly1305 {
    /// Prepares the cipher for `key`.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("a ChaCha20-Poly1305 key has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Encrypts `plaintext` and writes ciphertext then tag to `sealed`.
    ///
    /// `sealed` is [`TAG`] bytes longer than `plaintext`. A nonce must not be used twice under one key.
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
            .expect("sealed is exactly one tag longer than plaintext, and both are far below the cipher's limit");
    }

    /// Checks the tag of `sealed` and decrypts it to `plaintext`.
    ///
    /// `sealed` is ciphertext then tag, at least [`TAG`] bytes. `plaintext` is [`TAG`] bytes shorter.
    ///
    /// # Errors
    ///
    /// [`Unauthentic`] if the tag does not verify. `plaintext` then holds zeros.
    pub(crate) fn open(&self, nonce: [u8; 12], sealed: &[u8], plaintext: &mut [u8]) -> Result<(), Unauthentic> {
        let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG);
        self.0
            .open_separate_gather(Nonce::assume_unique_for_key(nonce), Aad::empty(), ciphertext, tag, plaintext)
            .map_err(|_| Unauthentic)
    }
}

/// A secret key of X25519.
///
/// Spec: <https://www.rfc-editor.org/rfc/rfc7748>.
pub(crate) struct X25519Key(PrivateKey);

impl X25519Key {
    /// Prepares `secret` for [`agree`](Self::agree).
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self(PrivateKey::from_private_key(&agreement::X25519, secret).expect("any 32 bytes are a key"))
    }

    /// The public key.
    pub(crate) fn public(&self) -> [u8; 32] {
        let public = self.0.compute_public_key().expect("every secret key has one");
        public.as_ref().try_into().expect("an X25519 public key has 32 bytes")
    }

    /// Computes the secret shared with the owner of `public`, or `None` if it is all zeros.
    pub(crate) fn agree(&self, public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
        let mut shared = Zeroizing::new([0; 32]);
        let public = UnparsedPublicKey::new(&agreement::X25519, public);
        agreement::agree(&self.0, public, (), |secret| {
            shared.copy_from_slice(secret);
            Ok(())
        })
        .ok()?;
        Some(shared)
    }
}

/// Derives a 32-byte key: `HKDF-SHA-256(ikm, salt, info)`.
///
/// Spec: <https://www.rfc-editor.org/rfc/rfc5869>.
pub(crate) fn hkdf_sha256(ikm: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(ikm)
        .expand(&[info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut()))
        .expect("HKDF-SHA-256 can output up to 8160 bytes");
    key
}

/// Computes the public key of an Ed25519 private key.
///
/// Spec: <https://www.rfc-editor.org/rfc/rfc8032#section-5.1.5>.
pub(crate) fn ed25519_public_key(private: &[u8; 32]) -> [u8; 32] {
    let pair = Ed25519KeyPair::from_seed_unchecked(private).expect("every 32 bytes are an Ed25519 private key");
    pair.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes")
}

/// Computes `HMAC-SHA-256(key, message)`.
///
/// Spec: <https://www.rfc-editor.org/rfc/rfc2104>.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().try_into().expect("SHA-256 outputs 32 bytes")
}

/// Returns whether `tag` is `HMAC-SHA-256(key, message)`, comparing in constant time.
pub(crate) fn hmac_sha256_verifies(key: &[u8; 32], message: &[u8], tag: &[u8; 32]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, tag).is_ok()
}

/// Computes `SHA-256(message)`.
pub(crate) fn sha256(message: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, message).as_ref().try_into().expect("SHA-256 outputs 32 bytes")
}

/// Computes `SHA-512(message)`.
pub(crate) fn sha512(message: &[u8]) -> Zeroizing<[u8; 64]> {
    let mut hash = Zeroizing::new([0; 64]);
    hash.copy_from_slice(digest::digest(&digest::SHA512, message).as_ref());
    hash
}

/// Computes the SHA-256 hash of a message given in parts.
pub struct Sha256(digest::Context);

impl Sha256 {
    /// Starts with the empty message.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "`Sha256::default()` would read like a hash value")]
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// Appends `part` to the message.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// Returns the hash of the whole message.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finish().as_ref().try_into().expect("SHA-256 outputs 32 bytes")
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
