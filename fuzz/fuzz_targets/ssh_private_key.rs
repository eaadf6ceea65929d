//! SSH private keys in every format: nothing panics, and a key that is read opens what is encrypted to its public key.
//!
//! The first byte of the input chooses the format, and the rest is the key in binary, so that base64 is not in the way.

#![no_main]

use std::{num::NonZeroUsize, sync::LazyLock};

use aes::{
    Aes256,
    cipher::{KeyIvInit, StreamCipher},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use libfuzzer_sys::fuzz_target;
use solekey::crypto::{Decryptor, Encryptor, Error, Identity, Sink, Source};

const PASSPHRASE: &str = "pass";
/// A public key, for private keys that need one beside them.
const PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEiGW3NN32ZXUliT4MQAO6TRgdmQ+I8mjyaDFNgJAy0P";
const SALT: &[u8; 16] = b"0123456789abcdef";

/// What AES-256-CTR adds to a private part under the passphrase, with one round of bcrypt.
static KEYSTREAM: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut key_and_iv = [0; 48];
    bcrypt_pbkdf::bcrypt_pbkdf(PASSPHRASE, SALT, 1, &mut key_and_iv).expect("the parameters are good");
    let (key, iv) = key_and_iv.split_at(32);
    let mut stream = vec![0; 1 << 16];
    ctr::Ctr128BE::<Aes256>::new(key.into(), iv.into()).apply_keystream(&mut stream);
    stream
});

fuzz_target!(|input: &[u8]| {
    let Some((format, body)) = input.split_first() else { return };
    let text = match format % 8 {
        0 => body.to_vec(),
        1 => pem("OPENSSH PRIVATE KEY", "", body),
        2 => pem("PRIVATE KEY", "", body),
        3 => pem("RSA PRIVATE KEY", "", body),
        4 => pem("ENCRYPTED PRIVATE KEY", "", body),
        5 => {
            let (cipher, block) = [("AES-128-CBC", 16), ("AES-256-CBC", 16), ("DES-EDE3-CBC", 8), ("DES-CBC", 8)]
                [usize::from(format / 8 % 4)];
            let headers = format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: {cipher},{}\n\n", "07".repeat(block));
            pem("RSA PRIVATE KEY", &headers, body)
        }
        // The public key, its length first, and the private part.
        kind => {
            let Some((length, rest)) = body.split_first_chunk() else { return };
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((public, private)) = rest.split_at_checked(length) else { return };
            pem("OPENSSH PRIVATE KEY", "", &openssh(kind == 7, public, private))
        }
    };
    check(Identity::from_ssh(&text).ok());
    check(Identity::from_locked_ssh(&text, PUBLIC.parse().expect("it is a public key")).ok());
});

fn check(identity: Option<Identity>) {
    let Some(identity) = identity else { return };
    let opened = if identity.is_locked() {
        match identity.unlock(PASSPHRASE.to_owned().into()) {
            Ok(opened) => opened,
            Err(_) => return,
        }
    } else {
        identity
    };
    let recipient = opened.to_recipient().expect("an SSH key has a public key");
    let Ok(encryptor) = Encryptor::new([&recipient]) else { return };
    let mut file = Vec::new();
    encryptor
        .encrypt(Source::Sequential(&mut &b"x"[..]), Sink::Sequential(&mut file), NonZeroUsize::MIN)
        .expect("memory does not fail");
    let decryptor = Decryptor::read(&mut &file[..]).expect("it was just written");
    // The numbers of a private key need not be those of its public key: then it opens nothing.
    match decryptor.unlock(&[opened]) {
        Ok(_) | Err(Error::Unwrap | Error::NoMatch(_) | Error::HeaderMac | Error::SshKeyMismatch | Error::Stanza) => {}
        Err(error) => panic!("{error}"),
    }
}

fn pem(label: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let body = STANDARD.encode(body);
    format!("-----BEGIN {label}-----\n{headers}{body}\n-----END {label}-----\n").into_bytes()
}

fn openssh(is_encrypted: bool, public: &[u8], private: &[u8]) -> Vec<u8> {
    let mut key = b"openssh-key-v1\0".to_vec();
    let mut add = |part: &[u8]| {
        key.extend_from_slice(&u32::try_from(part.len()).expect("inputs are short").to_be_bytes());
        key.extend_from_slice(part);
    };
    if is_encrypted {
        let options = [&16_u32.to_be_bytes()[..], SALT, &1_u32.to_be_bytes()].concat();
        [&b"aes256-ctr"[..], b"bcrypt", &options].into_iter().for_each(&mut add);
    } else {
        [&b"none"[..], b"none", b""].into_iter().for_each(&mut add);
    }
    key.extend_from_slice(&1_u32.to_be_bytes());
    let private: Vec<u8> = if is_encrypted {
        private.iter().zip(&*KEYSTREAM).map(|(byte, with)| byte ^ with).collect()
    } else {
        private.to_vec()
    };
    for part in [public, &private] {
        key.extend_from_slice(&u32::try_from(part.len()).expect("inputs are short").to_be_bytes());
        key.extend_from_slice(part);
    }
    key
}
