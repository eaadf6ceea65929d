//! Recipients: public keys, and passphrases, that a file key is wrapped to.

use std::{collections::HashSet, fmt, str::FromStr};

use age::{
    Recipient as _,
    ssh::{self, ParseRecipientKeyError},
    x25519,
};
use age_core::{
    format::{FileKey, Stanza},
    secrecy::SecretString,
};

use super::error::Error;

/// The scrypt work factor of the files that are written, as a logarithm to base 2: about a second.
pub const WORK_FACTOR: u8 = 18;

/// Somebody who will be able to open a file.
pub enum Recipient {
    /// An `age1…` public key.
    X25519(x25519::Recipient),
    /// An `ssh-ed25519` or `ssh-rsa` public key.
    Ssh(Box<ssh::Recipient>),
    /// Whoever knows a passphrase. It is a file's only recipient.
    Passphrase(Box<age::scrypt::Recipient>),
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
    /// An `age1…` key of a type that is not supported.
    #[error("recipients of this type ({0}…) are not supported")]
    UnsupportedType(String),
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
            Self::Ssh(recipient) => recipient.wrap_file_key(file_key),
            Self::Passphrase(recipient) => recipient.wrap_file_key(file_key),
        };
        wrapped.map_err(|error| Error::Wrap(error.to_string()))
    }
}

/// Wraps the file key to all recipients: one stanza for each, in order.
///
/// # Errors
///
/// [`Error::NoRecipients`], [`Error::Incompatible`], [`Error::StanzaCount`], [`Error::Wrap`].
pub(super) fn wrap_all(recipients: &[Recipient], file_key: &FileKey) -> Result<Vec<Stanza>, Error> {
    let mut stanzas = Vec::with_capacity(recipients.len());
    let mut agreed = None;
    for recipient in recipients {
        let (wrapped, labels) = recipient.wrap(file_key)?;
        stanzas.extend(wrapped);
        if *agreed.get_or_insert_with(|| labels.clone()) != labels {
            return Err(Error::Incompatible);
        }
    }
    if stanzas.is_empty() {
        return Err(Error::NoRecipients);
    }
    if stanzas.len() != recipients.len() {
        return Err(Error::StanzaCount { recipients: recipients.len(), stanzas: stanzas.len() });
    }
    Ok(stanzas)
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
            return parse_age(text, &lower);
        }
        if text.contains(' ') {
            return parse_ssh(text);
        }
        Err(ParseRecipientError::Unknown)
    }
}

fn parse_age(text: &str, lower: &str) -> Result<Recipient, ParseRecipientError> {
    if let Ok(recipient) = text.parse() {
        return Ok(Recipient::X25519(recipient));
    }
    // Bech32: the last '1' ends the human-readable part, which names the type.
    let (kind, _) = lower.rsplit_once('1').expect("it begins with age1");
    if kind == "age" {
        return Err(ParseRecipientError::Mistyped);
    }
    Err(ParseRecipientError::UnsupportedType(format!("{kind}1").escape_default().to_string()))
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
            Self::Ssh(recipient) => recipient.fmt(f),
            Self::Passphrase(_) => f.write_str("passphrase"),
        }
    }
}
