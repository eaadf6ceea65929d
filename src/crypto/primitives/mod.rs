//! The primitives that the format names, each as one call. Nothing outside this folder names their libraries.

mod aws_lc;
#[cfg(feature = "openssl")]
mod libcrypto;
pub(crate) mod stack;

use rand_core::{OsRng, RngCore};

#[cfg(not(feature = "openssl"))]
pub(crate) use crate::crypto::primitives::aws_lc::ChaCha20Poly1305;
pub use crate::crypto::primitives::aws_lc::Sha256;
pub(crate) use crate::crypto::primitives::aws_lc::{hkdf_sha256, hmac_sha256, hmac_sha256_verifies, sha256};
#[cfg(feature = "openssl")]
pub(crate) use crate::crypto::primitives::libcrypto::ChaCha20Poly1305;

/// Bytes that a sealed message is longer than its plaintext.
pub(crate) const TAG: usize = 16;

/// A message does not authenticate under this key and nonce.
pub(crate) struct Unauthentic;

/// Fills `bytes` from the operating system's generator. Not from AWS-LC's own, which gathers entropy for 35 ms first.
pub fn random(bytes: &mut [u8]) {
    OsRng.try_fill_bytes(bytes).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_authentic_is_not_given_out_and_stays_as_it_is() {
        let aead = ChaCha20Poly1305::new(&[7; 32]);
        // A short one, and one as long as a chunk.
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
    fn an_empty_message_has_a_tag_too() {
        let aead = ChaCha20Poly1305::new(&[7; 32]);
        let mut sealed = [0; TAG];
        aead.seal([9; 12], &[], &mut sealed);
        assert_ne!(sealed, [0; TAG]);
        assert!(aead.open([9; 12], &sealed, &mut []).is_ok());
        assert!(aead.open([8; 12], &sealed, &mut []).is_err());
    }
}
