//! Identities: secret keys, and passphrases, that unwrap a file key.

use std::{io, slice, str::FromStr};

use age::{DecryptError, Identity as _};
use age_core::{
    format::{FileKey, Stanza},
    secrecy::SecretString,
};

use crate::crypto::{
    error::Error,
    format::stanza_type::SCRYPT,
    keys::{
        external::ExternalIdentity,
        hybrid, plugin_key,
        recipient::Recipient,
        scrypt,
        ssh::private::{PrivateKey, SshPrivateKeyError, UnlockError},
        x25519,
    },
    primitives::stack::wipe_stack_after,
};

/// The default limit on scrypt work for opening a file, as a logarithm to base 2.
pub const WORK_FACTOR_LIMIT: u8 = 22;

/// A secret key or passphrase that unwraps file keys.
///
/// Has no `Debug`, and wipes its key when dropped. All keys are boxed, so that moving an identity leaves no copy of its key on the
/// stack.
pub enum Identity {
    /// An `AGE-SECRET-KEY-1…`.
    X25519(Box<x25519::Identity>),
    /// An `AGE-SECRET-KEY-PQ-1…`.
    Hybrid(Box<hybrid::Identity>),
    /// An SSH private key. A locked one opens nothing; see [`Identity::unlock`].
    Ssh(Box<PrivateKey>),
    /// A passphrase.
    Passphrase {
        /// The passphrase with its limit on work.
        identity: Box<age::scrypt::Identity>,
        /// That limit, as a logarithm to base 2.
        work_factor_limit: u8,
    },
    /// A plugin that unwraps file keys.
    External(Box<dyn ExternalIdentity>),
}

/// Why a text is not an identity. Never carries the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdentityError {
    /// A public key, which cannot open anything.
    #[error("not an identity (it looks like a public key)")]
    PublicKey,
    /// A secret key that was mistyped or cut off.
    #[error("not a valid age secret key (mistyped or cut off)")]
    Mistyped,
    /// A key of the named plugin.
    #[error("a key of age-plugin-{0}")]
    Plugin(String),
    /// An SSH private key that cannot be used.
    #[error(transparent)]
    Ssh(#[from] SshPrivateKeyError),
    /// Anything else.
    #[error("not an identity")]
    Unknown,
}

impl Identity {
    /// Generates an X25519 identity.
    #[must_use]
    pub fn generate() -> Self {
        wipe_stack_after(|| Self::X25519(Box::new(x25519::Identity::generate())))
    }

    /// Generates a post-quantum hybrid identity.
    #[must_use]
    pub fn generate_hybrid() -> Self {
        wipe_stack_after(|| Self::Hybrid(Box::new(hybrid::Identity::generate())))
    }

    /// An identity from a passphrase. It does at most `2^work_factor_limit` scrypt work for a file.
    #[must_use]
    pub fn passphrase(passphrase: SecretString, work_factor_limit: u8) -> Self {
        let mut identity = age::scrypt::Identity::new(passphrase);
        identity.set_max_work_factor(work_factor_limit);
        Self::Passphrase { identity: Box::new(identity), work_factor_limit }
    }

    /// Parses an SSH private key file: OpenSSH's format, PKCS #1 or PKCS #8.
    ///
    /// # Errors
    ///
    /// [`SshPrivateKeyError`]: [`NeedsPublicKey`](SshPrivateKeyError::NeedsPublicKey) for an encrypted key that is to be parsed with
    /// [`from_locked_ssh`](Self::from_locked_ssh).
    pub fn from_ssh(text: &[u8]) -> Result<Self, SshPrivateKeyError> {
        wipe_stack_after(|| PrivateKey::parse(text).map(Box::new).map(Self::Ssh))
    }

    /// Parses an encrypted SSH private key file that does not contain its public key. `public` says which files the key opens. When
    /// it is unlocked, the private key must be that of `public`.
    ///
    /// # Errors
    ///
    /// [`SshPrivateKeyError`].
    pub fn from_locked_ssh(text: &[u8], public: Recipient) -> Result<Self, SshPrivateKeyError> {
        let Recipient::Ssh(public) = public else { return Err(SshPrivateKeyError::NeedsPublicKey) };
        wipe_stack_after(|| PrivateKey::locked(text, *public).map(Box::new).map(Self::Ssh))
    }

    /// Whether this is an SSH key that is still encrypted with a passphrase, so that it opens nothing.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Ssh(key) if key.is_locked())
    }

    /// Decrypts a [locked](Self::is_locked) SSH key.
    ///
    /// # Errors
    ///
    /// [`Error::WrongPassphrase`], [`Error::SshKeyMismatch`].
    ///
    /// # Panics
    ///
    /// If the identity is not locked.
    pub fn unlock(&self, passphrase: SecretString) -> Result<Self, Error> {
        let Self::Ssh(key) = self else { panic!("only a locked key can be unlocked") };
        let unlocked = wipe_stack_after(|| key.unlock(passphrase).map(Box::new));
        unlocked.map(Self::Ssh).map_err(|error| match error {
            UnlockError::WrongPassphrase => Error::WrongPassphrase,
            UnlockError::Mismatch => Error::SshKeyMismatch,
        })
    }

    /// The text of an `AGE-SECRET-KEY-…` key, as in an identity file. `None` for all other kinds.
    #[must_use]
    pub fn to_text(&self) -> Option<SecretString> {
        wipe_stack_after(|| match self {
            Self::X25519(identity) => Some(identity.to_text()),
            Self::Hybrid(identity) => Some(identity.to_text()),
            Self::Ssh(_) | Self::Passphrase { .. } | Self::External(_) => None,
        })
    }

    /// The public key. `None` for a passphrase and for a plugin.
    #[must_use]
    pub fn to_recipient(&self) -> Option<Recipient> {
        wipe_stack_after(|| match self {
            Self::X25519(identity) => Some(Recipient::X25519(identity.to_public())),
            Self::Hybrid(identity) => Some(Recipient::Hybrid(Box::new(identity.to_recipient()))),
            Self::Ssh(key) => Some(Recipient::Ssh(Box::new(key.recipient().clone()))),
            Self::Passphrase { .. } | Self::External(_) => None,
        })
    }

    /// Unwraps the file key. `None` if no stanza is for this identity.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`], [`Error::WrongPassphrase`], [`Error::WorkFactor`], [`Error::Memory`], [`Error::Unwrap`], [`Error::External`].
    pub(crate) fn unwrap(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, Error>> {
        let unwrapped = match self {
            Self::X25519(identity) => return identity.unwrap(stanzas),
            Self::Hybrid(identity) => return identity.unwrap(stanzas),
            Self::Ssh(key) => return key.unwrap(stanzas),
            Self::Passphrase { identity, work_factor_limit } => {
                // The format allows one such stanza. A damaged header may seem to have more, and each costs a second.
                let stanza = stanzas.iter().find(|stanza| stanza.tag == SCRYPT)?;
                if let Err(error) = scrypt::check(stanza, *work_factor_limit) {
                    return Some(Err(error));
                }
                identity.unwrap_stanza(stanza)?
            }
            Self::External(identity) => {
                let unwrapped = unwrap_externally(identity.as_ref(), slice::from_ref(&stanzas));
                return unwrapped.map_or_else(|error| Some(Err(error)), |mut only| only.pop().flatten());
            }
        };
        Some(unwrapped.map_err(|error| match (error, self) {
            (DecryptError::DecryptionFailed, Self::Passphrase { .. }) => Error::WrongPassphrase,
            (DecryptError::InvalidHeader, _) => Error::Stanza,
            _ => Error::Unwrap,
        }))
    }

    /// Unwraps the file keys of several headers, or lists of stanzas, and returns one result for each, in order. A plugin is asked
    /// for all of them at once.
    ///
    /// # Errors
    ///
    /// [`Error::External`] if a plugin fails for all of them.
    pub(crate) fn unwrap_many(&self, headers: &[&[Stanza]]) -> Result<Vec<Option<Result<FileKey, Error>>>, Error> {
        match self {
            Self::External(identity) => unwrap_externally(identity.as_ref(), headers),
            _ => Ok(headers.iter().map(|stanzas| self.unwrap(stanzas)).collect()),
        }
    }

    /// Asks a plugin for the file keys of headers that will be unwrapped one after the other. Returns for each whether there will be
    /// a result: a file key or an error. Does nothing for identities of other kinds.
    pub(crate) fn unwrap_ahead(&self, headers: &[&[Stanza]]) -> Vec<bool> {
        match self {
            Self::External(identity) => identity.unwrap_ahead(headers),
            _ => vec![false; headers.len()],
        }
    }
}

/// Unwraps the file keys of several headers with a plugin, and checks that it gives one result for each.
fn unwrap_externally(
    identity: &dyn ExternalIdentity,
    headers: &[&[Stanza]],
) -> Result<Vec<Option<Result<FileKey, Error>>>, Error> {
    let unwrapped = identity.unwrap(headers).map_err(Error::External)?;
    if unwrapped.len() != headers.len() {
        return Err(Error::External(io::Error::other("it does not give one result for each file")));
    }
    Ok(unwrapped.into_iter().map(|result| result.map(|file_key| file_key.map_err(Error::External))).collect())
}

impl FromStr for Identity {
    type Err = ParseIdentityError;

    /// Parses one line of an identity file.
    fn from_str(text: &str) -> Result<Self, ParseIdentityError> {
        if let Ok(identity) = wipe_stack_after(|| text.parse().map(Box::new)) {
            return Ok(Self::X25519(identity));
        }
        if let Ok(identity) = wipe_stack_after(|| text.parse().map(Box::new)) {
            return Ok(Self::Hybrid(identity));
        }
        let begins = |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        Err(if let Some(plugin) = plugin_key::identity_plugin(text) {
            ParseIdentityError::Plugin(plugin)
        } else if begins("AGE-SECRET-KEY-") || begins("AGE-PLUGIN-") {
            ParseIdentityError::Mistyped
        } else if begins("age1") || begins("ssh-") || begins("ecdsa-") || begins("sk-ssh-") {
            ParseIdentityError::PublicKey
        } else {
            ParseIdentityError::Unknown
        })
    }
}
