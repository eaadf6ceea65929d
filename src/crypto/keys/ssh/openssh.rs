//! OpenSSH's own format of private keys.
//!
//! Spec: <https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key>.

use crate::crypto::{
    format::base64,
    keys::ssh::wire::{Reader, write_number, write_string},
    secrecy::Zeroizing,
};

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// The number of rounds of bcrypt that a passphrase takes. `None` if the key is not encrypted, or not like this.
pub(super) fn rounds(key: &[u8]) -> Option<u32> {
    let mut reader = Reader(key.strip_prefix(MAGIC)?);
    let (_, derivation, options) = (reader.string()?, reader.string()?, reader.string()?);
    let mut options = Reader(options);
    let (_, rounds) = (options.string()?, options.number()?);
    (derivation == b"bcrypt").then_some(rounds)
}

/// The public key in a private key. `None` if the key is malformed, or would not be safe to hand to the library.
pub(super) fn public_part(key: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(key.strip_prefix(MAGIC)?);
    let cipher = reader.string()?;
    // Key derivation and its options.
    let (_, _) = (reader.string()?, reader.string()?);
    let count = reader.number()?;
    let (public, private) = (reader.string()?, reader.string()?);
    (count == 1 && (cipher != b"none" || has_proper_numbers(private))).then_some(public)
}

/// Whether the numbers of a private key that is not encrypted are positive and in their shortest form, if it is an RSA key.
///
/// Version 0.12 of the library panics at a number of zeros.
fn has_proper_numbers(private: &[u8]) -> bool {
    // Two check numbers come first.
    let mut reader = Reader(private.get(8..).unwrap_or_default());
    reader.string() != Some(b"ssh-rsa") || (0..6).all(|_| reader.integer().is_some())
}

/// Puts a key together. The private part begins with `start`, and `write_rest` appends the rest. `None` if a number of it is zero.
pub(super) fn assemble(
    public: &[u8],
    start: &[u8],
    write_rest: impl FnOnce(&mut Vec<u8>),
) -> Option<Zeroizing<String>> {
    // Room for everything, since growing would leave copies in memory. No part is longer than the modulus.
    let mut private = Zeroizing::new(Vec::with_capacity(8 * public.len() + 256));
    // Two equal numbers, by which it is seen that the passphrase was right. There is none.
    private.extend_from_slice(&[0; 8]);
    private.extend_from_slice(start);
    write_rest(&mut private);
    // The comment.
    write_string(&mut private, b"");
    let padding = private.len().next_multiple_of(8) - private.len();
    private.extend((1..).take(padding));
    if !has_proper_numbers(&private) {
        return None;
    }

    let mut key = Zeroizing::new(Vec::with_capacity(private.len() + public.len() + 64));
    key.extend_from_slice(MAGIC);
    for part in [&b"none"[..], b"none", b""] {
        write_string(&mut key, part);
    }
    write_number(&mut key, 1);
    write_string(&mut key, public);
    write_string(&mut key, &private);
    Some(text(&key))
}

/// A key in OpenSSH's format as the library reads it.
pub(super) fn text(key: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(base64::encode_padded(key));
    let mut text = Zeroizing::new(String::with_capacity(base64.len() + 80));
    for part in ["-----BEGIN OPENSSH PRIVATE KEY-----\n", &base64, "\n-----END OPENSSH PRIVATE KEY-----\n"] {
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keys::ssh::wire::write_integer;

    /// An RSA key in OpenSSH's format that is not encrypted, with a first number of these bytes.
    fn rsa_with(number: &[u8]) -> Vec<u8> {
        let mut public = Vec::new();
        write_string(&mut public, b"ssh-rsa");
        write_integer(&mut public, &[1, 0, 1]);
        write_integer(&mut public, &[0xff; 256]);
        let mut private = vec![0; 8];
        write_string(&mut private, b"ssh-rsa");
        write_string(&mut private, number);
        for _ in 0..5 {
            write_integer(&mut private, &[3]);
        }
        let mut key = MAGIC.to_vec();
        for part in [&b"none"[..], b"none", b""] {
            write_string(&mut key, part);
        }
        write_number(&mut key, 1);
        write_string(&mut key, &public);
        write_string(&mut key, &private);
        key
    }

    #[test]
    fn a_private_key_with_a_number_of_zeros_is_malformed() {
        for number in [&[][..], &[0], &[0, 0], &[0; 300], &[0xff], &[0, 1]] {
            assert!(public_part(&rsa_with(number)).is_none(), "{number:?}");
        }
        assert!(public_part(&rsa_with(&[5])).is_some());
    }
}
