//! Everything that can go wrong with a plugin, in words for the user.

use std::{borrow::Cow, io, path::PathBuf, process::ExitStatus, sync::Arc};

use crate::cli::terminal::{
    errors::{PluginFailed, PluginNotFound, Unanswered},
    escape::quoted,
    persona::{self, Family},
};

/// The most errors that are kept.
const ERRORS_KEPT: usize = 8;

/// Why a plugin could not be started.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StartError {
    /// No folder of the PATH has a file of its name.
    #[error(transparent)]
    NotFound(PluginNotFound),
    /// The file of its name does not run.
    #[error("{program} cannot be started: {} {reason}", quoted(path))]
    Unusable {
        /// The name of the file.
        program: String,
        /// The whole path.
        path: PathBuf,
        /// What is wrong with the file.
        reason: Reason,
    },
}

/// Why a file does not run. Each follows the name of the file.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Reason {
    /// It is a folder, a pipe or a device.
    #[error("is not a regular file; remove it from the PATH")]
    NotRegular,
    /// It has no execute bit.
    #[error("is not executable; fix it with chmod +x")]
    NotExecutable,
    /// It has no contents.
    #[error("is empty; install the plugin again")]
    Empty,
    /// A script that an editor or a transfer changed.
    #[error("has Windows line endings (CR LF) in its first line; convert them")]
    CarriageReturn,
    /// A script for a program that is not there.
    #[error("is a script for {}, which does not exist; install that, or correct the first line", quoted(.0))]
    Interpreter(PathBuf),
    /// A binary that needs another C library or another system.
    #[error("needs a program loader that this system does not have; install a build for this system")]
    Loader,
    /// A binary that this processor or system cannot run.
    #[error("is a program for another processor or system; install a build for this one")]
    OtherProcessor,
    /// Neither a binary nor a script.
    #[error("is neither a program nor a script that begins with #!; install the plugin again")]
    NotProgram,
    /// The operating system has another reason.
    #[error("does not run: {0}")]
    Other(Arc<io::Error>),
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        Self::Other(Arc::new(error))
    }
}

/// A plugin's fault in a session, or the error that it reported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Its output ended before its last message was complete.
    #[error("it exited before it had finished")]
    Ended,
    /// It broke this rule of the protocol.
    #[error("it violates the plugin protocol ({0})")]
    Protocol(&'static str),
    /// It sent more than is read. The text says in which unit.
    #[error("it sent too much {0}")]
    TooMuch(&'static str),
    /// It reported these errors, which are fit to be shown.
    #[error("{}", .0.join("; "))]
    Reported(Vec<String>),
    /// A file key does not have 16 bytes.
    #[error("it gave a file key of the wrong length")]
    KeyLength,
    /// It ended the session without a stanza for every file key, and without an error.
    #[error("it gave neither a stanza nor an error")]
    NoStanza,
    /// The operating system could not pass on messages.
    #[error("cannot exchange messages with it: {0}")]
    Io(io::Error),
}

/// The errors that a plugin reports about the same thing.
#[derive(Default)]
pub(super) struct Errors {
    first: Vec<String>,
    more: usize,
}

impl Errors {
    pub(super) fn add(&mut self, error: String) {
        if self.first.len() < ERRORS_KEPT {
            self.first.push(error);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        let all: Vec<_> = self.first.iter().cloned().chain(more).collect();
        (!all.is_empty()).then_some(Fault::Reported(all))
    }
}

/// The end of a session, successful or not.
pub(super) struct Ended {
    pub(super) program: String,
    /// How the program ended, if it did so by itself.
    pub(super) exit: Option<ExitStatus>,
    /// The last lines of its standard error, which are fit to be shown.
    pub(super) stderr: Vec<String>,
    /// Whether there was a question.
    pub(super) asked: bool,
    /// Whether a question got no answer.
    pub(super) unanswered: bool,
    /// Whether network sockets were refused to it.
    pub(super) lacked_network: bool,
}

impl Ended {
    /// The failure that a fault comes to, in a session that ended like this.
    pub(super) fn failure(&self, fault: Fault) -> Arc<Failure> {
        let mut text = format!("{}: {fault}", named(&self.program));
        if let (Fault::Ended, Some(exit)) = (&fault, self.exit) {
            text += &format!(" ({exit})");
        }
        if !self.stderr.is_empty() {
            text += &format!("; its standard error ends with: {}", self.stderr.join("; "));
        }
        if self.unanswered {
            return Arc::new(Failure::Unanswered(text));
        }
        let lacked_network = self.lacked_network && matches!(fault, Fault::Ended | Fault::Reported(_));
        let failed = PluginFailed { text, lacked_network };
        let refused = self.asked && matches!(fault, Fault::Reported(_));
        Arc::new(if refused { Failure::Refused(failed) } else { Failure::Session(failed) })
    }
}

/// A plugin's name before an error: age says `NAME plugin`.
pub(super) fn named(program: &str) -> Cow<'_, str> {
    match (persona::family(), program.strip_prefix("age-plugin-")) {
        (Some(Family::Age), Some(name)) => format!("{name} plugin").into(),
        _ => program.into(),
    }
}

/// Why a plugin failed, for all files of a session or for one.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It could not be started.
    #[error(transparent)]
    Start(StartError),
    /// Something went wrong, after a question that got no answer.
    #[error("{0}")]
    Unanswered(String),
    /// It reported an error after a question, which may be about the answer.
    #[error(transparent)]
    Refused(PluginFailed),
    /// Something else went wrong.
    #[error(transparent)]
    Session(PluginFailed),
}

impl Failure {
    pub(super) fn start(error: StartError) -> Arc<Self> {
        Arc::new(Self::Start(error))
    }

    /// A fault that appears between sessions.
    pub(super) fn of(program: &str, fault: &Fault) -> Arc<Self> {
        Arc::new(Self::Session(PluginFailed { text: format!("{}: {fault}", named(program)), lacked_network: false }))
    }

    /// Whether asking again would fail again, or would put the same question to the user.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Start(_) | Self::Unanswered(_) | Self::Refused(_))
    }
}

/// The error that an exit status, and the words of other tools, are derived from.
pub(super) fn into_io(failure: Arc<Failure>) -> io::Error {
    match &*failure {
        Failure::Start(StartError::NotFound(error)) => io::Error::other(error.clone()),
        Failure::Start(error) => io::Error::other(error.clone()),
        Failure::Unanswered(text) => io::Error::other(Unanswered(text.clone())),
        Failure::Refused(failed) | Failure::Session(failed) => io::Error::other(failed.clone()),
    }
}

/// The same for a plugin that is looked for before any file is touched.
pub(super) fn into_anyhow(error: StartError) -> anyhow::Error {
    match error {
        StartError::NotFound(error) => error.into(),
        error => error.into(),
    }
}
