//! Recipients: public keys, and passphrases, that a file key is wrapped to.

use std::{collections::HashSet, fmt, str::FromStr};

use age::{
    EncryptError, Recipient as _, plugin,
    ssh::{self, ParseRecipientKeyError},
    tag, tagpq, x25519,
};
use age_core::{
    format::{FileKey, Stanza},
    secrecy::SecretString,
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};

use super::{error::Error, hybrid, primitives::sha256};

/// The scrypt work factor of the files that are written, as a logarithm to base 2: about a second.
pub const WORK_FACTOR: u8 = 18;

/// Somebody who will be able to open a file.
pub enum Recipient {
    /// An `age1…` public key.
    X25519(x25519::Recipient),
    /// An `age1pq1…` public key, safe from quantum computers.
    Hybrid(Box<hybrid::Recipient>),
    /// An `age1tag1…` public key, whose secret key lives in hardware.
    Tag(Box<tag::Recipient>),
    /// An `age1tagpq1…` public key, the same but safe from quantum computers.
    TagPq(Box<tagpq::Recipient>),
    /// An `ssh-ed25519` or `ssh-rsa` public key.
    Ssh(Box<ssh::Recipient>),
    /// Whoever knows a passphrase. It is a file's only recipient.
    Passphrase(Box<age::scrypt::Recipient>),
    /// Somebody to whom another program wraps the file key.
    External {
        /// The public key, or what else tells this recipient from all others.
        name: String,
        /// Does the wrapping.
        wrapper: Box<dyn age::Recipient + Send + Sync>,
        /// Whether the other program may write any number of stanzas, not just one.
        many_stanzas: bool,
    },
}

/// Why a text is not a recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseRecipientError {
    /// It looks like a secret key. The text must not be echoed.
    #[error("not a recipient (it looks like a secret key)")]
    SecretKey,
    /// An `age1…` key with a typing error, or cut off.
    #[error("not a valid age recipient (mistyped or cut off)")]
    Mistyped,
    /// A key to which the named plugin encrypts.
    #[error("a key of age-plugin-{0}")]
    Plugin(String),
    /// An SSH key of a type that cannot encrypt.
    #[error("SSH keys of type {0} cannot be encrypted to; ssh-ed25519 and ssh-rsa can")]
    UnsupportedSsh(String),
    /// An RSA key that is too weak.
    #[error("this RSA key is shorter than 2048 bits, which is too weak")]
    RsaTooSmall,
    /// An RSA key that is too long to be reasonable.
    #[error("this RSA key is longer than 4096 bits, which is not supported")]
    RsaTooLarge,
    /// Nothing that is known.
    #[error("not a recipient")]
    Unknown,
}

impl Recipient {
    /// Whoever knows `passphrase`.
    #[must_use]
    pub fn passphrase(passphrase: SecretString) -> Self {
        let mut recipient = age::scrypt::Recipient::new(passphrase);
        recipient.set_work_factor(WORK_FACTOR);
        Self::Passphrase(Box::new(recipient))
    }

    /// Wraps the file key: stanzas, and the labels that all recipients of a file must agree on.
    fn wrap(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), Error> {
        let wrapped = match self {
            Self::X25519(recipient) => recipient.wrap_file_key(file_key),
            Self::Hybrid(recipient) => {
                return Ok((vec![recipient.wrap(file_key)?], HashSet::from([hybrid::LABEL.to_owned()])));
            }
            Self::Tag(recipient) => recipient.wrap_file_key(file_key),
            Self::TagPq(recipient) => recipient.wrap_file_key(file_key),
            Self::Ssh(recipient) => recipient.wrap_file_key(file_key),
            Self::Passphrase(recipient) => recipient.wrap_file_key(file_key),
            Self::External { wrapper, .. } => wrapper.wrap_file_key(file_key),
        };
        wrapped.map_err(|error| match error {
            EncryptError::Io(error) => Error::External(error),
            other => Error::Wrap(other.to_string()),
        })
    }

    /// Whether a stanza is for this recipient. None if that cannot be told, as for most types.
    #[must_use]
    pub fn matches(&self, stanza: &Stanza) -> Option<bool> {
        let Self::Ssh(recipient) = self else { return None };
        let text = recipient.to_string();
        let mut words = text.split(' ');
        if words.next() != Some(&stanza.tag) {
            return Some(false);
        }
        // https://c2sp.org/age#ssh: the first four bytes of the SHA-256 of the public key.
        let key = BASE64_STANDARD.decode(words.next()?).ok()?;
        Some(stanza.args.first() == Some(&BASE64_STANDARD_NO_PAD.encode(&sha256(&key)[..4])))
    }
}

/// Wraps the file key to all recipients: one stanza for each, in order. They must get along with each other, and with those
/// whose stanzas they will stand `beside`.
///
/// # Errors
///
/// [`Error::NoRecipients`], [`Error::Incompatible`], [`Error::StanzaCount`], [`Error::Wrap`].
pub(super) fn wrap_all<'r>(
    recipients: impl IntoIterator<Item = &'r Recipient>,
    file_key: &FileKey,
    beside: &[Stanza],
) -> Result<Vec<Stanza>, Error> {
    let mut stanzas = Vec::new();
    let mut agreed = beside.first().map(labels_of);
    for recipient in recipients {
        let (wrapped, labels) = recipient.wrap(file_key)?;
        // Counted one by one: no stanza that is missing here makes room for one too many there.
        let many = matches!(recipient, Recipient::External { many_stanzas: true, .. });
        if wrapped.is_empty() || (wrapped.len() > 1 && !many) {
            return Err(Error::StanzaCount { recipient: recipient.to_string(), stanzas: wrapped.len() });
        }
        stanzas.extend(wrapped);
        let agreed = agreed.get_or_insert_with(|| labels.clone());
        if *agreed != labels {
            let postquantum = agreed.contains(hybrid::LABEL) != labels.contains(hybrid::LABEL);
            return Err(if postquantum { Error::MixedQuantumSafety } else { Error::Incompatible });
        }
    }
    if stanzas.is_empty() && beside.is_empty() {
        return Err(Error::NoRecipients);
    }
    Ok(stanzas)
}

/// The labels that the recipient of a stanza had, by the stanza's type.
fn labels_of(stanza: &Stanza) -> HashSet<String> {
    match stanza.tag.as_str() {
        hybrid::STANZA_TYPE | "mlkem768p256tag" => HashSet::from([hybrid::LABEL.to_owned()]),
        // A passphrase stands alone: this is nobody else's label.
        "scrypt" => HashSet::from(["scrypt".to_owned()]),
        _ => HashSet::new(),
    }
}

impl FromStr for Recipient {
    type Err = ParseRecipientError;

    /// Parses an `age1…` key, or a line of an SSH public key file.
    fn from_str(text: &str) -> Result<Self, ParseRecipientError> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("age-secret-key-") || lower.starts_with("age-plugin-") || text.starts_with("-----BEGIN") {
            return Err(ParseRecipientError::SecretKey);
        }
        if lower.starts_with("age1") {
            return parse_age(text);
        }
        if text.contains(' ') {
            return parse_ssh(text);
        }
        Err(ParseRecipientError::Unknown)
    }
}

fn parse_age(text: &str) -> Result<Recipient, ParseRecipientError> {
    if let Ok(recipient) = text.parse() {
        return Ok(Recipient::X25519(recipient));
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
    match text.parse::<plugin::Recipient>() {
        // These prefixes are the format's own.
        Ok(recipient) if !["pq", "tag", "tagpq"].contains(&recipient.plugin()) => {
            Err(ParseRecipientError::Plugin(recipient.plugin().to_owned()))
        }
        _ => Err(ParseRecipientError::Mistyped),
    }
}

fn parse_ssh(text: &str) -> Result<Recipient, ParseRecipientError> {
    match text.parse::<ssh::Recipient>() {
        Ok(recipient) => Ok(Recipient::Ssh(Box::new(recipient))),
        Err(ParseRecipientKeyError::Unsupported(kind)) => {
            Err(ParseRecipientError::UnsupportedSsh(kind.escape_default().to_string()))
        }
        Err(ParseRecipientKeyError::RsaModulusTooSmall) => Err(ParseRecipientError::RsaTooSmall),
        Err(ParseRecipientKeyError::RsaModulusTooLarge) => Err(ParseRecipientError::RsaTooLarge),
        Err(_) => Err(ParseRecipientError::Unknown),
    }
}

/// The canonical text of a public key, without comment: equal for equal keys. For a passphrase, a word that says so.
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
