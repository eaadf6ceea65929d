//! The symmetric primitives that the format uses, each as one call: AEAD, HKDF, HMAC, SHA-256 and random bytes.
//!
//! Only this folder names the libraries that implement them. [`legacy_pem`] and [`openssh_cipher`] are not of the format: they read
//! SSH keys.

mod aead;
mod aws_lc;
pub(crate) mod legacy_pem;
#[cfg(feature = "openssl")]
mod libcrypto;
pub(crate) mod openssh_cipher;
pub(crate) mod stack;

use rand_core::{OsRng, RngCore};

pub(crate) use crate::crypto::primitives::aead::{TAG, Unauthentic};
#[cfg(not(feature = "openssl"))]
pub(crate) use crate::crypto::primitives::aws_lc::ChaCha20Poly1305;
pub use crate::crypto::primitives::aws_lc::Sha256;
pub(crate) use crate::crypto::primitives::aws_lc::{
    X25519Key, ed25519_public_key, hkdf_sha256, hmac_sha256, hmac_sha256_verifies, sha256, sha512,
};
#[cfg(feature = "openssl")]
pub(crate) use crate::crypto::primitives::libcrypto::ChaCha20Poly1305;

/// Fills `bytes` with random bytes from the operating system.
///
/// AWS-LC's own generator is not used, because it spends 35 ms on gathering entropy at its first use.
///
/// # Panics
///
/// If the operating system provides no random bytes.
pub fn random(bytes: &mut [u8]) {
    OsRng.try_fill_bytes(bytes).expect("the operating system provides random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_a_forged_message_gives_zeros_and_leaves_the_message_unchanged() {
        let aead = ChaCha20Poly1305::new(&[7; 32]);
        // A short message, and one as long as a chunk.
        for message in [vec![5; 1000], vec![5; 64 * 1024]] {
            let mut sealed = vec![0; message.len() + TAG];
            aead.seal([9; 12], &message, &mut sealed);

            for bad in [0, message.len() - 1, message.len(), sealed.len() - 1] {
                sealed[bad] ^= 1;
                let before = sealed.clone();
                let mut plaintext = vec![1; message.len()];
                assert!(aead.open([9; 12], &sealed, &mut plaintext).is_err(), "byte {bad}");
                assert!(plaintext.iter().all(|&byte| byte == 0), "byte {bad}");
                assert_eq!(sealed, before, "byte {bad}");
                sealed[bad] ^= 1;
            }

            let mut plaintext = vec![1; message.len()];
            assert!(aead.open([9; 12], &sealed, &mut plaintext).is_ok());
            assert_eq!(plaintext, message);
        }
    }

    #[test]
    fn an_empty_message_is_authenticated_too() {
        let aead = ChaCha20Poly1305::new(&[7; 32]);
        let mut sealed = [0; TAG];
        aead.seal([9; 12], &[], &mut sealed);
        assert_ne!(sealed, [0; TAG]);
        assert!(aead.open([9; 12], &sealed, &mut []).is_ok());
        assert!(aead.open([8; 12], &sealed, &mut []).is_err());
    }
}
