//! Decryption of private keys in the old PEM format. It protects a key weakly, and is here so that such keys can be read.
//!
//! The key is one round of MD5 over the passphrase and the IV. Nothing is authenticated. Source: OpenSSL's `EVP_BytesToKey` and
//! `PEM_do_header`.

use aes::{Aes128, Aes192, Aes256};
use cbc::{
    Decryptor,
    cipher::{BlockCipher, BlockDecryptMut, KeyInit, KeyIvInit, block_padding::Pkcs7},
};
use des::{Des, TdesEde3};
use md5::{Digest, Md5};

use crate::crypto::secrecy::{Zeroize, Zeroizing};

/// A block cipher, in CBC mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    Des,
}

impl Cipher {
    /// The cipher that a PEM header names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "AES-128-CBC" => Self::Aes128,
            "AES-192-CBC" => Self::Aes192,
            "AES-256-CBC" => Self::Aes256,
            "DES-EDE3-CBC" => Self::TripleDes,
            "DES-CBC" => Self::Des,
            _ => return None,
        })
    }

    /// Bytes in a block, and in an IV.
    pub(crate) fn block(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::TripleDes | Self::Des => 8,
        }
    }

    /// Bytes in a key.
    fn key(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Des => 8,
        }
    }
}

/// Decrypts `ciphertext`. `iv` has the length of a block. `None` if the padding is wrong, as it is for most wrong passphrases.
pub(crate) fn decrypt(cipher: Cipher, passphrase: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = derive(passphrase, &iv[..8], cipher.key());
    match cipher {
        Cipher::Aes128 => decrypt_with::<Aes128>(&key, iv, ciphertext),
        Cipher::Aes192 => decrypt_with::<Aes192>(&key, iv, ciphertext),
        Cipher::Aes256 => decrypt_with::<Aes256>(&key, iv, ciphertext),
        Cipher::TripleDes => decrypt_with::<TdesEde3>(&key, iv, ciphertext),
        Cipher::Des => decrypt_with::<Des>(&key, iv, ciphertext),
    }
}

fn decrypt_with<C: BlockDecryptMut + BlockCipher + KeyInit>(
    key: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let cipher = Decryptor::<C>::new_from_slices(key, iv).expect("key and IV have the lengths of this cipher");
    let length = cipher.decrypt_padded_mut::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// Derives a key: `MD5(passphrase, salt)`, followed by `MD5(that, passphrase, salt)` and so on.
fn derive(passphrase: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    // Room for the last hash, which may be longer than what is left, since growing would leave copies in memory.
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    while key.len() < length {
        let last = key.len().saturating_sub(16);
        let mut hash = Md5::new().chain_update(&key[last..]).chain_update(passphrase).chain_update(salt).finalize();
        key.extend_from_slice(&hash);
        hash.as_mut_slice().zeroize();
    }
    key.truncate(length);
    key
}
