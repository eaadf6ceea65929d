//! Decryption of private keys in OpenSSH's format: bcrypt makes a key from the passphrase, and AES decrypts.
//!
//! Source: OpenSSH's `sshkey.c` and `cipher.c`.

use aws_lc_rs::{
    aead::{self, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_128, AES_192, AES_256, Algorithm, DecryptingKey, DecryptionContext, UnboundCipherKey},
    iv::FixedLength,
};

use crate::crypto::secrecy::Zeroizing;

/// The most that any cipher takes of what is derived: a key of 32 bytes and an IV of 16.
const DERIVED_LIMIT: usize = 48;

/// A cipher that OpenSSH encrypts private keys with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128Ctr,
    Aes192Ctr,
    Aes256Ctr,
    Aes256Cbc,
    Aes256Gcm,
}

impl Cipher {
    /// The cipher that a key file names.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"aes128-ctr" => Self::Aes128Ctr,
            b"aes192-ctr" => Self::Aes192Ctr,
            b"aes256-ctr" => Self::Aes256Ctr,
            b"aes256-cbc" => Self::Aes256Cbc,
            b"aes256-gcm@openssh.com" => Self::Aes256Gcm,
            _ => return None,
        })
    }

    /// Bytes of the tag, which follows the ciphertext.
    pub(crate) fn tag(self) -> usize {
        match self {
            Self::Aes256Gcm => 16,
            Self::Aes128Ctr | Self::Aes192Ctr | Self::Aes256Ctr | Self::Aes256Cbc => 0,
        }
    }

    /// Bytes of the key, and of the IV.
    fn lengths(self) -> (usize, usize) {
        match self {
            Self::Aes128Ctr => (16, 16),
            Self::Aes192Ctr => (24, 16),
            Self::Aes256Ctr | Self::Aes256Cbc => (32, 16),
            Self::Aes256Gcm => (32, 12),
        }
    }
}

/// Decrypts `sealed`, which is ciphertext then tag. A wrong passphrase is noticed here only by a cipher that has a tag.
///
/// Returns `None` if the tag does not verify, the ciphertext is not of whole blocks, the passphrase or the salt is empty, or
/// `rounds` is 0.
pub(crate) fn decrypt(
    cipher: Cipher,
    passphrase: &[u8],
    salt: &[u8],
    rounds: u32,
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (key, iv) = cipher.lengths();
    let mut derived = Zeroizing::new([0; DERIVED_LIMIT]);
    let derived = &mut derived[..key + iv];
    bcrypt_pbkdf::bcrypt_pbkdf(passphrase, salt, rounds, derived).ok()?;
    let (key, iv) = derived.split_at(key);

    let mut buffer = Zeroizing::new(sealed.to_vec());
    let length = match cipher {
        Cipher::Aes128Ctr => block_cipher(&AES_128, DecryptingKey::ctr, key, iv, &mut buffer),
        Cipher::Aes192Ctr => block_cipher(&AES_192, DecryptingKey::ctr, key, iv, &mut buffer),
        Cipher::Aes256Ctr => block_cipher(&AES_256, DecryptingKey::ctr, key, iv, &mut buffer),
        Cipher::Aes256Cbc => block_cipher(&AES_256, DecryptingKey::cbc, key, iv, &mut buffer),
        Cipher::Aes256Gcm => {
            let key = UnboundKey::new(&aead::AES_256_GCM, key).expect("an AES-256 key has 32 bytes");
            let nonce = Nonce::try_assume_unique_for_key(iv).expect("a nonce has 12 bytes");
            LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut buffer).ok().map(|plaintext| plaintext.len())
        }
    }?;
    buffer.truncate(length);
    Some(buffer)
}

/// Decrypts `buffer` in place, and returns how long the plaintext is.
fn block_cipher(
    algorithm: &'static Algorithm,
    mode: impl FnOnce(UnboundCipherKey) -> Result<DecryptingKey, aws_lc_rs::error::Unspecified>,
    key: &[u8],
    iv: &[u8],
    buffer: &mut [u8],
) -> Option<usize> {
    let key = UnboundCipherKey::new(algorithm, key).and_then(mode).expect("the key has the length of this cipher");
    let iv = FixedLength::try_from(iv).expect("a block has 16 bytes");
    key.decrypt(buffer, DecryptionContext::Iv128(iv)).ok().map(|plaintext| plaintext.len())
}
