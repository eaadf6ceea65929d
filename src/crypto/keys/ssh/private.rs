//! SSH private keys: OpenSSH's own format, PKCS #1 and PKCS #8, encrypted or not.

use age::{
    DecryptError, Identity as _,
    ssh::{Identity, Recipient},
};
use age_core::{
    format::{FileKey, Stanza},
    secrecy::{ExposeSecret, SecretString},
};
use pkcs8::{
    EncryptedPrivateKeyInfo, ObjectIdentifier, PrivateKeyInfo,
    pkcs5::{EncryptionScheme, pbes2::Kdf},
};
use rsa::pkcs1::RsaPrivateKey;

use crate::crypto::{
    error::Error,
    keys::ssh::{
        ed25519,
        openssh::{self, Envelope, Private, PrivatePart, Sealed},
        pem::{Block, Encryption},
        public::{self, SshPublicKeyError},
        wire::{write_integer, write_string},
    },
    primitives::ed25519_public_key,
};

const OPENSSH: &str = "OPENSSH PRIVATE KEY";
const PKCS1: &str = "RSA PRIVATE KEY";
const PKCS8: &str = "PRIVATE KEY";
const PKCS8_ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Iterations of PBKDF2 that are done for a passphrase: a few seconds. OpenSSL does 2048 unless told otherwise.
const ITERATIONS_LIMIT: u32 = 10_000_000;
/// Rounds of bcrypt that are done for a passphrase: some twenty seconds. ssh-keygen does 24 unless told otherwise.
const ROUNDS_LIMIT: u32 = 4096;
/// Bytes of memory that scrypt may use for a passphrase: 1 GiB, as for a file with a work factor of 20.
const SCRYPT_LIMIT: u64 = 1 << 30;

/// Why a text is not an SSH private key that can be used. Never carries the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshPrivateKeyError {
    /// An encrypted key in a format that does not contain the public key, so that it takes the passphrase to know which files the
    /// key opens.
    #[error("an SSH key encrypted in this format needs its public key beside it")]
    NeedsPublicKey,
    /// A key that only signs: its secret is in hardware.
    #[error("SSH keys in hardware can sign, but not decrypt")]
    Hardware,
    /// A private key encrypted with an unsupported cipher, which is named.
    #[error("SSH keys encrypted with {0} are not supported")]
    Cipher(String),
    /// A private key of an unsupported type.
    #[error("SSH private keys of this type are not supported; ssh-ed25519 and ssh-rsa are")]
    Unsupported,
    /// A private key with an unusable public key.
    #[error(transparent)]
    Public(SshPublicKeyError),
    /// A malformed or truncated private key.
    #[error("not a valid SSH private key")]
    Malformed,
}

/// Why a key is still locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnlockError {
    WrongPassphrase,
    /// The private key is not that of the given public key.
    Mismatch,
}

use SshPrivateKeyError::{Cipher, Hardware, Malformed, NeedsPublicKey, Public, Unsupported};

/// An SSH private key. Wiped when dropped.
pub struct PrivateKey {
    state: State,
    recipient: Recipient,
}

enum State {
    Ed25519(ed25519::Identity),
    Rsa(Identity),
    /// Encrypted in OpenSSH's format.
    Locked(Sealed),
    /// Encrypted in an older format.
    LockedPem(Block),
}

impl PrivateKey {
    /// Parses a private key file.
    ///
    /// # Errors
    ///
    /// [`SshPrivateKeyError::NeedsPublicKey`] if [`locked`](Self::locked) is to be called.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, SshPrivateKeyError> {
        let block = Block::parse(text).ok_or(Malformed)?;
        match (block.label.as_str(), &block.encryption) {
            (OPENSSH, _) => Self::from_openssh(&block.contents),
            (PKCS1 | PKCS8, Encryption::None) => Self::from_der(&block.label, &block.contents),
            (PKCS1, Encryption::Legacy { .. }) => Err(NeedsPublicKey),
            (PKCS1, Encryption::Unknown(cipher)) => Err(Cipher(cipher.clone())),
            (PKCS8_ENCRYPTED, _) => Err(if is_acceptable(&block.contents) {
                NeedsPublicKey
            } else {
                Cipher("this PKCS #8 scheme".to_owned())
            }),
            _ => Err(Unsupported),
        }
    }

    /// An encrypted key that does not contain its public key.
    ///
    /// # Errors
    ///
    /// Those of [`parse`](Self::parse) if it is another kind of key.
    pub(crate) fn locked(text: &[u8], public: Recipient) -> Result<Self, SshPrivateKeyError> {
        match Self::parse(text) {
            Err(NeedsPublicKey) => {
                let block = Block::parse(text).ok_or(Malformed)?;
                Ok(Self { state: State::LockedPem(block), recipient: public })
            }
            parsed => parsed,
        }
    }

    /// The public key.
    pub(crate) fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// Whether the key is still encrypted, so that it opens nothing.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self.state, State::Locked(_) | State::LockedPem(_))
    }

    /// Unwraps the file key. `None` if no stanza is for this key, or it is locked.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`] if a stanza for this key is malformed, and [`Error::Unwrap`] if it does not open.
    pub(crate) fn unwrap(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, Error>> {
        match &self.state {
            State::Ed25519(identity) => identity.unwrap(stanzas),
            State::Rsa(identity) => Some(identity.unwrap_stanzas(stanzas)?.map_err(|error| match error {
                DecryptError::InvalidHeader => Error::Stanza,
                _ => Error::Unwrap,
            })),
            State::Locked(_) | State::LockedPem(_) => None,
        }
    }

    /// Decrypts a locked key.
    ///
    /// # Errors
    ///
    /// [`UnlockError`].
    ///
    /// # Panics
    ///
    /// If the key is not locked.
    pub(crate) fn unlock(&self, passphrase: SecretString) -> Result<Self, UnlockError> {
        match &self.state {
            State::Locked(sealed) => {
                let private = sealed.open(passphrase.expose_secret().as_bytes()).ok_or(UnlockError::WrongPassphrase)?;
                let private = PrivatePart::parse(&private).ok_or(UnlockError::WrongPassphrase)?;
                Self::from_private(&sealed.public, &private, self.recipient.clone())
                    .map_err(|_| UnlockError::WrongPassphrase)
            }
            State::LockedPem(block) => {
                let key = decrypt(block, passphrase.expose_secret()).ok_or(UnlockError::WrongPassphrase)?;
                if key.recipient.to_string() == self.recipient.to_string() {
                    Ok(key)
                } else {
                    Err(UnlockError::Mismatch)
                }
            }
            State::Ed25519(_) | State::Rsa(_) => panic!("only a locked key can be unlocked"),
        }
    }

    fn from_openssh(key: &[u8]) -> Result<Self, SshPrivateKeyError> {
        let envelope = Envelope::parse(key).ok_or(Malformed)?;
        let recipient = Self::recipient_of(envelope.public)?;
        match envelope.private().ok_or(Malformed)? {
            Private::Open(private) => Self::from_private(envelope.public, &private, recipient),
            Private::Sealed(sealed) if sealed.rounds > ROUNDS_LIMIT => {
                Err(Cipher(format!("{} rounds of bcrypt", sealed.rounds)))
            }
            Private::Sealed(sealed) => Ok(Self { state: State::Locked(sealed), recipient }),
            Private::Unsupported(cipher) => Err(Cipher(cipher)),
        }
    }

    /// Parses PKCS #1 or PKCS #8. Spec: RFC 8017, appendix A.1.2, and RFC 5958.
    fn from_der(label: &str, key: &[u8]) -> Result<Self, SshPrivateKeyError> {
        if label == PKCS1 {
            return Self::from_pkcs1(key);
        }
        let info = PrivateKeyInfo::try_from(key).map_err(|_| Malformed)?;
        match info.algorithm.oid {
            RSA => Self::from_pkcs1(info.private_key),
            // RFC 8410, section 7: an octet string in an octet string.
            ED25519 => match info.private_key.split_first_chunk() {
                Some(([4, 32], private)) => Self::from_ed25519(private.try_into().map_err(|_| Malformed)?),
                _ => Err(Malformed),
            },
            _ => Err(Unsupported),
        }
    }

    fn from_ed25519(private: &[u8; 32]) -> Result<Self, SshPrivateKeyError> {
        let mut public = Vec::new();
        write_string(&mut public, b"ssh-ed25519");
        write_string(&mut public, &ed25519_public_key(private));
        Self::from_private(&public, &PrivatePart::Ed25519(private), Self::recipient_of(&public)?)
    }

    fn from_pkcs1(key: &[u8]) -> Result<Self, SshPrivateKeyError> {
        let key = RsaPrivateKey::try_from(key).map_err(|_| Malformed)?;
        if key.other_prime_infos.is_some() {
            return Err(Unsupported);
        }
        let (exponent, modulus) = (key.public_exponent.as_bytes(), key.modulus.as_bytes());
        let mut public = Vec::new();
        write_string(&mut public, b"ssh-rsa");
        write_integer(&mut public, exponent);
        write_integer(&mut public, modulus);
        let recipient = Self::recipient_of(&public)?;
        let private = openssh::assemble(&public, |text| {
            for number in
                [key.modulus, key.public_exponent, key.private_exponent, key.coefficient, key.prime1, key.prime2]
            {
                write_integer(text, number.as_bytes());
            }
        });
        Self::from_private(&public, &PrivatePart::parse(&private).ok_or(Malformed)?, recipient)
    }

    /// The public key of a private one.
    fn recipient_of(public: &[u8]) -> Result<Recipient, SshPrivateKeyError> {
        public::parse(public).map_err(|error| match error {
            SshPublicKeyError::Unsupported(kind) if kind.starts_with("sk-") => Hardware,
            SshPublicKeyError::Unsupported(_) => Unsupported,
            SshPublicKeyError::Malformed(_) => Malformed,
            weak => Public(weak),
        })
    }

    /// Makes a key of its parts. `public` is the public key in binary, and `recipient` the same.
    fn from_private(
        public: &[u8],
        private: &PrivatePart<'_>,
        recipient: Recipient,
    ) -> Result<Self, SshPrivateKeyError> {
        let state = match (private, &recipient) {
            (PrivatePart::Ed25519(seed), Recipient::SshEd25519(..)) => {
                State::Ed25519(ed25519::Identity::new(public, seed))
            }
            (PrivatePart::Rsa(private), Recipient::SshRsa(..)) => {
                match Identity::from_buffer(openssh::enclose(public, private).as_bytes(), None) {
                    Ok(identity @ Identity::Unencrypted(_)) => State::Rsa(identity),
                    Ok(Identity::Encrypted(_) | Identity::Unsupported(_)) | Err(_) => return Err(Malformed),
                }
            }
            _ => return Err(Malformed),
        };
        Ok(Self { state, recipient })
    }
}

/// Decrypts a PEM block. Returns `None` if the passphrase is wrong, because the result is then not a key.
fn decrypt(block: &Block, passphrase: &str) -> Option<PrivateKey> {
    if block.label == PKCS8_ENCRYPTED {
        let key = EncryptedPrivateKeyInfo::try_from(block.contents.as_slice()).ok()?.decrypt(passphrase).ok()?;
        return PrivateKey::from_der(PKCS8, key.as_bytes()).ok();
    }
    PrivateKey::from_der(&block.label, &block.decrypt(passphrase.as_bytes())?).ok()
}

/// Whether an encrypted PKCS #8 key can be decrypted, with a bounded amount of work.
fn is_acceptable(key: &[u8]) -> bool {
    let Ok(EncryptedPrivateKeyInfo { encryption_algorithm: EncryptionScheme::Pbes2(scheme), .. }) = key.try_into()
    else {
        return false;
    };
    match scheme.kdf {
        Kdf::Pbkdf2(kdf) => kdf.iteration_count <= ITERATIONS_LIMIT,
        Kdf::Scrypt(kdf) => {
            let block = 128 * u64::from(kdf.block_size) * u64::from(kdf.parallelization);
            block.checked_mul(kdf.cost_parameter).is_some_and(|bytes| bytes <= SCRYPT_LIMIT)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keys::ssh::wire::write_number;

    /// A PKCS #1 key with a modulus of 2048 bits and this private exponent; its other numbers are 3.
    fn pkcs1(private_exponent: &[u8]) -> Vec<u8> {
        let number = |digits: &[u8]| {
            let length = u16::try_from(digits.len()).expect("it is short").to_be_bytes();
            [&[2, 0x82][..], &length, digits].concat()
        };
        let short = |digit: u8| vec![2, 1, digit];
        let modulus = number(&[&[0][..], &[0xff; 256]].concat());
        let mut numbers = [short(0), modulus, vec![2, 3, 1, 0, 1], [&[2, 1], private_exponent].concat()].concat();
        numbers.extend((0..5).flat_map(|_| short(3)));
        let length = u16::try_from(numbers.len()).expect("it is short").to_be_bytes();
        [&[0x30, 0x82][..], &length, &numbers].concat()
    }

    #[test]
    fn a_malformed_rsa_key_is_refused_without_a_panic() {
        for digit in [0, 3] {
            assert!(RsaPrivateKey::try_from(pkcs1(&[digit]).as_slice()).is_ok(), "the DER is well formed");
            assert_eq!(PrivateKey::from_der(PKCS1, &pkcs1(&[digit])).err(), Some(Malformed), "{digit}");
        }
    }

    #[test]
    fn a_key_whose_passphrase_takes_too_much_work_is_refused() {
        let key = |rounds: u32| {
            let mut key = b"openssh-key-v1\0".to_vec();
            let options = [&[0, 0, 0, 1, 7][..], &rounds.to_be_bytes()].concat();
            for part in [&b"aes256-ctr"[..], b"bcrypt", &options] {
                write_string(&mut key, part);
            }
            write_number(&mut key, 1);
            let mut public = Vec::new();
            write_string(&mut public, b"ssh-ed25519");
            write_string(&mut public, &ed25519_public_key(&[7; 32]));
            write_string(&mut key, &public);
            write_string(&mut key, &[0; 64]);
            PrivateKey::parse(openssh::text(&key).as_bytes()).err()
        };
        assert_eq!(key(ROUNDS_LIMIT), None);
        assert_eq!(key(ROUNDS_LIMIT + 1), Some(Cipher("4097 rounds of bcrypt".to_owned())));
        assert_eq!(key(u32::MAX), Some(Cipher("4294967295 rounds of bcrypt".to_owned())));
    }
}
