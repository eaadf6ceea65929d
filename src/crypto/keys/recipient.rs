//! Recipients: public keys and passphrases that a file key is wrapped to.

use std::{collections::HashSet, fmt, io, str::FromStr};

use age::{Recipient as _, tag, tagpq};
use age_core::{
    format::{FileKey, Stanza},
    primitives::bech32_decode,
    secrecy::SecretString,
};

use crate::crypto::{
    error::Error,
    format::base64,
    format::stanza_type::{MLKEM768P256TAG, MLKEM768X25519, P256TAG, SCRYPT, X25519},
    keys::{
        external::{ExternalRecipient, WrappedKeys},
        hybrid, plugin_key, scrypt,
        ssh::{self, public::SshPublicKeyError},
        x25519,
    },
    primitives::{hmac_sha256, sha256},
};

/// Scrypt work factor of new files, as a logarithm to base 2: about a second.
pub const WORK_FACTOR: u8 = 18;

const P256TAG_SALT: &[u8] = b"age-encryption.org/p256tag";
const MLKEM768P256TAG_SALT: &[u8] = b"age-encryption.org/mlkem768p256tag";
/// Bytes in an ML-KEM-768 encapsulation key.
const MLKEM768_KEY: usize = 1184;

/// A public key or passphrase that will open a file.
pub enum Recipient {
    /// An `age1…` public key.
    X25519(x25519::Recipient),
    /// An `age1pq1…` public key, post-quantum.
    Hybrid(Box<hybrid::Recipient>),
    /// An `age1tag1…` public key. Its secret key is in hardware.
    Tag(Box<tag::Recipient>),
    /// An `age1tagpq1…` public key: in hardware, and post-quantum.
    TagPq(Box<tagpq::Recipient>),
    /// An `ssh-ed25519` or `ssh-rsa` public key.
    Ssh(Box<age::ssh::Recipient>),
    /// A passphrase. It must be the only recipient of a file.
    Passphrase(Box<age::scrypt::Recipient>),
    /// A key to which a plugin wraps the file key.
    External {
        /// The public key, or another name that is unique to this recipient.
        name: String,
        /// Does the wrapping.
        wrapper: Box<dyn ExternalRecipient>,
        /// Whether the plugin may make any number of stanzas, not just one.
        many_stanzas: bool,
    },
}

/// Whether a stanza is for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// It names this recipient's key.
    Yes,
    /// Its type is another, or it names another key.
    No,
    /// Stanzas of its type do not name their keys.
    Unknown,
}

/// Why a text is not a recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseRecipientError {
    /// It looks like a secret key. The text must not be echoed.
    #[error("not a recipient (it looks like a secret key)")]
    SecretKey,
    /// An `age1…` key that was mistyped or cut off.
    #[error("the key's checksum is wrong; it was mistyped or cut off")]
    Mistyped,
    /// An `age1…` key that opens nothing safely: it is a point of low order, so the shared secret is known to everybody.
    #[error("not a safe key: anybody could open what is encrypted to it")]
    LowOrder,
    /// A key of the named plugin.
    #[error("a key of age-plugin-{0}")]
    Plugin(String),
    /// An SSH public key that cannot be encrypted to.
    #[error(transparent)]
    Ssh(#[from] SshPublicKeyError),
    /// A well-formed `age1…` key with other text after it, such as another key.
    #[error("text follows the key")]
    TextAfterKey,
    /// Anything else.
    #[error("not a recipient")]
    Unknown,
}

impl Recipient {
    /// A recipient from a passphrase.
    #[must_use]
    pub fn passphrase(passphrase: SecretString) -> Self {
        let mut recipient = age::scrypt::Recipient::new(passphrase);
        recipient.set_work_factor(WORK_FACTOR);
        Self::Passphrase(Box::new(recipient))
    }

    /// Wraps file keys, one after the other, or a plugin all of them in one session.
    pub(crate) fn wrap(&self, file_keys: &[FileKey]) -> Result<WrappedKeys, Error> {
        if let Self::External { wrapper, .. } = self {
            let wrapped = wrapper.wrap(file_keys).map_err(Error::External)?;
            if wrapped.stanzas.len() != file_keys.len() {
                return Err(Error::External(io::Error::other("it does not give one result for each file key")));
            }
            return Ok(wrapped);
        }
        let mut wrapped = WrappedKeys { stanzas: Vec::with_capacity(file_keys.len()), labels: HashSet::new() };
        for file_key in file_keys {
            let (stanzas, labels) = self.wrap_one(file_key)?;
            wrapped.stanzas.push(stanzas);
            // The same for each: those of a passphrase, a random one, stand alone anyway.
            wrapped.labels = labels;
        }
        Ok(wrapped)
    }

    fn wrap_one(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), Error> {
        let wrapped = match self {
            Self::X25519(recipient) => return Ok((vec![recipient.wrap(file_key)?], HashSet::new())),
            Self::Hybrid(recipient) => {
                return Ok((vec![recipient.wrap(file_key)?], HashSet::from([hybrid::LABEL.to_owned()])));
            }
            Self::Tag(recipient) => recipient.wrap_file_key(file_key),
            Self::TagPq(recipient) => recipient.wrap_file_key(file_key),
            Self::Ssh(recipient) => recipient.wrap_file_key(file_key),
            Self::Passphrase(recipient) => {
                scrypt::check_memory(WORK_FACTOR)?;
                recipient.wrap_file_key(file_key)
            }
            Self::External { .. } => unreachable!("plugins wrap all file keys at once"),
        };
        wrapped.map_err(|error| Error::Wrap(error.to_string()))
    }

    /// Whether a plugin wraps file keys to this recipient.
    #[must_use]
    pub fn is_external(&self) -> bool {
        matches!(self, Self::External { .. })
    }

    /// Whether a plugin may make any number of stanzas for this recipient.
    pub(crate) fn may_have_many_stanzas(&self) -> bool {
        matches!(self, Self::External { many_stanzas: true, .. })
    }

    /// Whether a stanza is for this recipient, as far as a public key can tell. [`Match::Yes`] rests on the four bytes with which
    /// a stanza names its key.
    #[must_use]
    pub fn matches(&self, stanza: &Stanza) -> Match {
        let untold = |kind| if stanza.tag == kind { Match::Unknown } else { Match::No };
        let named = |kind, tag: Option<[u8; 4]>| {
            let tag = tag.map(base64::encode);
            let names = stanza.tag == kind && tag.is_some() && stanza.args.first() == tag.as_ref();
            if names { Match::Yes } else { Match::No }
        };
        match self {
            Self::X25519(_) => untold(X25519),
            Self::Hybrid(_) => untold(MLKEM768X25519),
            Self::Passphrase(_) => untold(SCRYPT),
            Self::External { .. } => Match::Unknown,
            Self::Tag(recipient) => named(P256TAG, tag_of(recipient, 0, P256TAG_SALT, stanza)),
            // https://c2sp.org/age: in the hybrid type, the P-256 part alone names the key.
            Self::TagPq(recipient) => {
                named(MLKEM768P256TAG, tag_of(recipient, MLKEM768_KEY, MLKEM768P256TAG_SALT, stanza))
            }
            Self::Ssh(recipient) => {
                let text = recipient.to_string();
                let (kind, key) = text.split_once(' ').expect("an SSH key is a type and base64");
                let key = base64::decode_padded(key).expect("it was just encoded");
                // https://c2sp.org/age#ssh: the first four bytes of the SHA-256 of the public key.
                named(kind, Some(short(sha256(&key))))
            }
        }
    }
}

/// The four bytes with which a tag stanza names its key: `HKDF-Extract(salt, enc || SHA-256(key)[:4])[:4]`.
///
/// The P-256 key begins after `skipped` bytes of the recipient. `None` if the stanza has no `enc`.
fn tag_of(recipient: &impl fmt::Display, skipped: usize, salt: &[u8], stanza: &Stanza) -> Option<[u8; 4]> {
    let key = bech32_decode(
        &recipient.to_string(),
        |_| (),
        |_| Ok(()),
        |_, bytes| Ok(bytes.skip(skipped).collect::<Vec<u8>>()),
    );
    let key = key.expect("it was just encoded");
    let mut material = base64::decode(stanza.args.get(1)?)?;
    material.extend(short(sha256(&key)));
    // https://datatracker.ietf.org/doc/html/rfc5869#section-2.2: HKDF-Extract is HMAC with the salt as its key.
    Some(short(hmac_sha256(salt, &material)))
}

fn short(hash: [u8; 32]) -> [u8; 4] {
    [hash[0], hash[1], hash[2], hash[3]]
}

impl FromStr for Recipient {
    type Err = ParseRecipientError;

    /// Parses an `age1…` key, which a comment after `#` may follow, or a line of an SSH public key file.
    fn from_str(text: &str) -> Result<Self, ParseRecipientError> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("age-secret-key-") || lower.starts_with("age-plugin-") || text.starts_with("-----BEGIN") {
            return Err(ParseRecipientError::SecretKey);
        }
        if lower.starts_with("age1") {
            return match text.split_once(|character: char| character.is_whitespace() || ",;".contains(character)) {
                None => parse_age(text),
                Some((key, comment)) if comment.trim_start().starts_with('#') => parse_age(key),
                Some((key, _)) => parse_age(key).and(Err(ParseRecipientError::TextAfterKey)),
            };
        }
        match ssh::public::parse_line(text) {
            Some(parsed) => Ok(Self::Ssh(Box::new(parsed?))),
            None => Err(ParseRecipientError::Unknown),
        }
    }
}

fn parse_age(text: &str) -> Result<Recipient, ParseRecipientError> {
    match text.parse() {
        Ok(recipient) => return Ok(Recipient::X25519(recipient)),
        Err(x25519::ParseError::LowOrder) => return Err(ParseRecipientError::LowOrder),
        Err(x25519::ParseError::Malformed) => {}
    }
    if let Ok(recipient) = text.parse() {
        return Ok(Recipient::Hybrid(Box::new(recipient)));
    }
    if let Ok(recipient) = text.parse() {
        return Ok(Recipient::Tag(Box::new(recipient)));
    }
    if let Ok(recipient) = text.parse() {
        return Ok(Recipient::TagPq(Box::new(recipient)));
    }
    // Bech32 in upper case is the same key, and mixed case is a typing error.
    let is_upper = text == text.to_ascii_uppercase();
    let key = if is_upper { text.to_ascii_lowercase() } else { text.to_owned() };
    match plugin_key::recipient_plugin(&key) {
        // These prefixes are the format's own.
        Some(plugin) if !["pq", "tag", "tagpq"].contains(&plugin.as_str()) => Err(ParseRecipientError::Plugin(plugin)),
        _ => Err(ParseRecipientError::Mistyped),
    }
}

/// The canonical text of a public key, without a comment: equal for equal keys. The word `passphrase` for a passphrase.
impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X25519(recipient) => recipient.fmt(f),
            Self::Hybrid(recipient) => recipient.fmt(f),
            Self::Tag(recipient) => recipient.fmt(f),
            Self::TagPq(recipient) => recipient.fmt(f),
            Self::Ssh(recipient) => recipient.fmt(f),
            Self::Passphrase(_) => f.write_str("passphrase"),
            Self::External { name, .. } => f.write_str(name),
        }
    }
}
