//! Errors of the command line: those that have an exit status of their own, or that the drop-in mode must recognise.

use std::{error::Error, fmt, io, path::PathBuf, sync::Arc};

use crate::{
    cli::terminal::key_material::{Suspicion, redacted},
    crypto::{Error as CryptoError, ParseRecipientError},
};

/// The command line asks for something that makes no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misuse {
    /// One file would be both read and written. The text names it.
    #[error("{0}")]
    InputIsOutput(String),
    /// An input is a directory. The text names it.
    #[error("{0} is a directory")]
    Directory(String),
    /// Ciphertext would go to a terminal.
    #[error("refusing to output binary to the terminal")]
    BinaryToTerminal,
    /// No key is named, and the file needs one. Carries the types of its stanzas.
    #[error("missing identities: the file is for {0}")]
    MissingIdentities(String),
    /// The file needs a passphrase, and `--identities-only` forbids asking for it.
    #[error("it is encrypted with a passphrase, but only identities may be used")]
    IdentitiesOnly,
    /// A key on the command line cannot be parsed. The whole key is not repeated: it may be secret.
    #[error("{named}: {fault}")]
    NotARecipient {
        /// Which one it is.
        named: String,
        fault: ParseRecipientError,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What a run was doing when an error arose: a context that prints as nothing, for the words of other tools.
#[derive(Debug)]
pub(crate) enum During {
    OpeningInput(PathBuf),
    OpeningOutput(PathBuf),
    ReadingRecipients(PathBuf),
    ReadingIdentities(PathBuf),
}

/// The line of a key file that an error is about, from 1: a context that prints as nothing.
#[derive(Debug)]
pub(crate) struct Line(pub(crate) usize);

impl fmt::Display for During {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// An answer was needed, and nobody could give it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unanswered(pub(crate) String);

/// The input is damaged in a way that the format's own errors do not cover.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Damaged(pub(crate) String);

/// A plugin is not installed. Travels inside an [`io::Error`](std::io::Error) if it was needed for opening a file.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} is not on the PATH; install that plugin to use its keys", redacted(.0, Suspicion::Fragment))]
pub(crate) struct PluginNotFound(pub(crate) String);

/// Whether the cause of an error is that a plugin is not installed.
pub(crate) fn is_plugin_not_found(cause: &(dyn Error + 'static)) -> bool {
    let inner = match cause.downcast_ref() {
        Some(CryptoError::External(error)) => error.get_ref(),
        _ => cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref),
    };
    cause.is::<PluginNotFound>() || inner.is_some_and(|inner| inner.is::<PluginNotFound>())
}

/// A plugin failed. Travels inside an [`io::Error`](std::io::Error).
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(crate) struct PluginFailed {
    /// What it says, or what is wrong with it.
    pub(crate) text: String,
    /// Whether it may have failed because it had no network.
    pub(crate) lacked_network: bool,
}

/// A new passphrase was not confirmed.
#[derive(Debug, thiserror::Error)]
#[error("the two passphrases differ")]
pub(crate) struct PassphrasesDiffer;

/// Decrypted bytes that are not text would go to a terminal. Found while writing, so it travels inside an
/// [`io::Error`](std::io::Error).
#[derive(Debug, thiserror::Error)]
#[error("refusing to output binary to the terminal; insist with -o -")]
pub(crate) struct BinaryOutput;

/// An error that several files have in common. Prints as nothing itself: its source says what happened.
#[derive(Debug)]
pub(crate) struct Shared(pub(crate) Arc<CryptoError>);

impl fmt::Display for Shared {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Error for Shared {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
