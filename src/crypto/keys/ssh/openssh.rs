//! OpenSSH's own format of private keys.
//!
//! Spec: <https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key>.

use crate::crypto::{
    format::base64,
    keys::ssh::wire::{Reader, write_number, write_string},
    primitives::openssh_cipher::{Cipher, decrypt},
    secrecy::Zeroizing,
};

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// A private key file, taken apart. Nothing in it has been checked against anything else.
pub(super) struct Envelope<'a> {
    cipher: &'a [u8],
    derivation: &'a [u8],
    options: &'a [u8],
    pub(super) public: &'a [u8],
    private: &'a [u8],
    rest: &'a [u8],
}

/// The private part of a key file, if it can be used.
pub(super) enum Private<'a> {
    /// Not encrypted.
    Open(PrivatePart<'a>),
    Sealed(Sealed),
    /// Encrypted with a cipher that is not supported, which is named.
    Unsupported(String),
}

/// A private part, decrypted.
pub(super) enum PrivatePart<'a> {
    /// The private key of Ed25519.
    Ed25519(&'a [u8; 32]),
    /// Safe to hand to the library.
    Rsa(&'a [u8]),
}

/// A private part that takes a passphrase.
pub(super) struct Sealed {
    cipher: Cipher,
    salt: Vec<u8>,
    /// Rounds of bcrypt, which are the work that a passphrase takes.
    pub(super) rounds: u32,
    pub(super) public: Vec<u8>,
    /// The ciphertext, then its tag if the cipher has one.
    ciphertext: Vec<u8>,
}

impl<'a> Envelope<'a> {
    /// `None` if the key is malformed, or there are several.
    pub(super) fn parse(key: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(key.strip_prefix(MAGIC)?);
        let (cipher, derivation, options) = (reader.string()?, reader.string()?, reader.string()?);
        let count = reader.number()?;
        let (public, private) = (reader.string()?, reader.string()?);
        (count == 1).then_some(Self { cipher, derivation, options, public, private, rest: reader.0 })
    }

    /// `None` if the private part is malformed.
    pub(super) fn private(&self) -> Option<Private<'a>> {
        if self.cipher == b"none" {
            return PrivatePart::parse(self.private).map(Private::Open);
        }
        let mut options = Reader(self.options);
        let (salt, rounds) = (options.string()?, options.number()?);
        if self.derivation != b"bcrypt" || salt.is_empty() || rounds == 0 {
            return None;
        }
        let Some(cipher) = Cipher::named(self.cipher) else {
            return Some(Private::Unsupported(self.cipher.escape_ascii().to_string()));
        };
        let (salt, public) = (salt.to_vec(), self.public.to_vec());
        let ciphertext = [self.private, self.rest.get(..cipher.tag())?].concat();
        Some(Private::Sealed(Sealed { cipher, salt, rounds, public, ciphertext }))
    }
}

impl Sealed {
    /// Decrypts the private part. `None` if that cannot be one, which is how a wrong passphrase may show.
    pub(super) fn open(&self, passphrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        decrypt(self.cipher, passphrase, &self.salt, self.rounds, &self.ciphertext)
    }
}

impl<'a> PrivatePart<'a> {
    /// `None` if it is malformed, or of another type.
    ///
    /// Version 0.12 of the library panics at a number of zeros in an RSA key, so its numbers must be positive and in their shortest
    /// form.
    pub(super) fn parse(private: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(private);
        // Two equal numbers, by which it is seen that the passphrase was right.
        let (one, two) = (reader.number()?, reader.number()?);
        let kind = reader.string()?;
        let part = match kind {
            b"ssh-ed25519" => {
                let (public, pair) = (reader.string()?, reader.string()?);
                let (seed, rest) = pair.split_first_chunk()?;
                (rest == public).then_some(Self::Ed25519(seed))
            }
            b"ssh-rsa" => (0..6).all(|_| reader.integer().is_some()).then_some(Self::Rsa(private)),
            _ => None,
        };
        // The comment, then padding.
        let _ = reader.string()?;
        let is_padding = reader.0.iter().zip(1..).all(|(byte, expected)| *byte == expected);
        part.filter(|_| one == two && is_padding)
    }
}

/// Puts the private part of an RSA key together. `write_numbers` appends its numbers.
pub(super) fn assemble(public: &[u8], write_numbers: impl FnOnce(&mut Vec<u8>)) -> Zeroizing<Vec<u8>> {
    // Room for everything, since growing would leave copies in memory. No number is longer than the modulus.
    let mut private = Zeroizing::new(Vec::with_capacity(8 * public.len() + 256));
    // There was no passphrase to be right.
    private.extend_from_slice(&[0; 8]);
    write_string(&mut private, b"ssh-rsa");
    write_numbers(&mut private);
    // The comment.
    write_string(&mut private, b"");
    let padding = private.len().next_multiple_of(8) - private.len();
    private.extend((1..).take(padding));
    private
}

/// A key file with this private part, as the library reads it.
pub(super) fn enclose(public: &[u8], private: &[u8]) -> Zeroizing<String> {
    let mut key = Zeroizing::new(Vec::with_capacity(private.len() + public.len() + 64));
    key.extend_from_slice(MAGIC);
    for part in [&b"none"[..], b"none", b""] {
        write_string(&mut key, part);
    }
    write_number(&mut key, 1);
    write_string(&mut key, public);
    write_string(&mut key, private);
    text(&key)
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

    /// An RSA key in OpenSSH's format that is not encrypted, with a private part of this type, and a first number of
    /// these bytes.
    fn rsa_with(kind: &[u8], number: &[u8]) -> Vec<u8> {
        let mut public = Vec::new();
        write_string(&mut public, b"ssh-rsa");
        write_integer(&mut public, &[1, 0, 1]);
        write_integer(&mut public, &[0xff; 256]);
        let mut private = vec![0; 8];
        write_string(&mut private, kind);
        write_string(&mut private, number);
        for _ in 0..5 {
            write_integer(&mut private, &[3]);
        }
        write_string(&mut private, b"");
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
        let malformed = [&[][..], &[0], &[0, 0], &[0; 300], &[0xff], &[0, 1]].map(|number| (&b"ssh-rsa"[..], number));
        for (kind, number) in malformed.into_iter().chain([(&b"ssh-rsa2"[..], &[0][..]), (b"", &[5])]) {
            let key = rsa_with(kind, number);
            let envelope = Envelope::parse(&key).expect("it is well formed up to its private part");
            assert!(envelope.private().is_none(), "{kind:?} {number:?}");
            let opened = sealed(&envelope).open(b"pass").expect("it has no tag");
            assert!(PrivatePart::parse(&opened).is_none(), "{kind:?} {number:?}");
        }
        let key = rsa_with(b"ssh-rsa", &[5]);
        let envelope = Envelope::parse(&key).expect("it is well formed");
        assert!(matches!(envelope.private(), Some(Private::Open(PrivatePart::Rsa(_)))));
        for (passphrase, is_right) in [(b"pass", true), (b"pasS", false)] {
            let opened = sealed(&envelope).open(passphrase).expect("it has no tag");
            assert_eq!(PrivatePart::parse(&opened).is_some(), is_right);
        }
    }

    /// The same key, encrypted under `pass`.
    fn sealed(envelope: &Envelope<'_>) -> Sealed {
        let (cipher, salt, rounds) = (Cipher::Aes256Ctr, vec![7; 16], 1);
        // In counter mode decrypting is encrypting.
        let ciphertext = decrypt(cipher, b"pass", &salt, rounds, envelope.private).expect("it has no tag");
        Sealed { cipher, salt, rounds, public: envelope.public.to_vec(), ciphertext: ciphertext.to_vec() }
    }
}
