//! What the program says: errors, hints and warnings on standard error, and the exit status that goes with an error.

use std::{
    collections::BTreeSet,
    fmt,
    io::{self, Write},
    path::Path,
    process::ExitCode,
    sync::{Mutex, OnceLock, PoisonError},
};

use crate::{
    cli::{
        args::Talk,
        terminal::{advice, progress},
    },
    crypto::{Error as CryptoError, Recipient},
};

/// The exit statuses. Stable and documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    Failure = 1,
    Misuse = 2,
    NoMatch = 3,
    Damaged = 4,
    Unanswered = 5,
    SomeFailed = 6,
    /// What a shell reports of a program that died of SIGPIPE.
    ClosedPipe = 141,
}

impl Status {
    /// What the program that started this one is told. Tools of other names know one status of failure.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(if speaks_as_another() { 1 } else { self as u8 })
    }
}

/// A tool in whose place the program speaks.
pub(crate) struct Persona {
    pub(crate) name: &'static str,
    /// Words of this program, and what the tool says in their place.
    pub(crate) words: &'static [(&'static str, &'static str)],
}

static PERSONA: OnceLock<Persona> = OnceLock::new();

/// From now on, messages are those of another tool.
pub(crate) fn speak_as(persona: Persona) {
    // Said once, before anything else is.
    let _ = PERSONA.set(persona);
}

/// Whether messages and questions are those of another tool.
pub(crate) fn speaks_as_another() -> bool {
    PERSONA.get().is_some()
}

/// The command line asks for something that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misuse(pub(crate) String);

/// A question was to be asked, and nobody could answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unanswered(pub(crate) String);

/// What was read is damaged, beyond what the format's own errors say.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Damaged(pub(crate) String);

/// An error with advice on what to do about it. Says nothing itself: its source does.
#[derive(Debug)]
struct Advised {
    hint: String,
    source: anyhow::Error,
}

impl fmt::Display for Advised {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Advised {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// Adds advice to an error.
pub(crate) trait Advise<T> {
    /// Adds a next step, or a fact that reassures.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> Advise<T> for Result<T, E> {
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| advised(error, hint))
    }
}

/// An error with a next step, or a fact that reassures.
pub(crate) fn advised(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> anyhow::Error {
    Advised { hint: hint.into(), source: error.into() }.into()
}

/// A misuse with its remedy.
pub(crate) fn misuse<T>(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T> {
    Err(advised(Misuse(what.into()), hint))
}

/// The exit status of an error: that of the innermost cause that has one.
pub(crate) fn status(error: &anyhow::Error) -> Status {
    let of_cause = |cause: &(dyn std::error::Error + 'static)| {
        if cause.is::<Misuse>() {
            return Some(Status::Misuse);
        }
        if cause.is::<Unanswered>() {
            return Some(Status::Unanswered);
        }
        if cause.is::<Damaged>() {
            return Some(Status::Damaged);
        }
        Some(match cause.downcast_ref::<CryptoError>()? {
            CryptoError::External(error) if error.get_ref().is_some_and(|inner| inner.is::<Unanswered>()) => {
                Status::Unanswered
            }
            CryptoError::NoMatch(_) | CryptoError::WrongPassphrase => Status::NoMatch,
            CryptoError::NotAge
            | CryptoError::Recoded(_)
            | CryptoError::Empty
            | CryptoError::Version(_)
            | CryptoError::Header { .. }
            | CryptoError::NoNonce
            | CryptoError::Stanza
            | CryptoError::HeaderMac
            | CryptoError::Armor { .. }
            | CryptoError::Payload { .. }
            | CryptoError::Unwrap => Status::Damaged,
            _ => Status::Failure,
        })
    };
    error.chain().filter_map(of_cause).last().unwrap_or(Status::Failure)
}

/// An error and its causes in one line.
pub(crate) fn in_words(error: &anyhow::Error) -> String {
    let said: Vec<_> = error.chain().map(ToString::to_string).filter(|text| !text.is_empty()).collect();
    said.join(": ")
}

/// How much is said.
#[derive(Clone, Copy, Default)]
pub(crate) struct Report {
    quiet: bool,
    verbose: bool,
}

impl Report {
    pub(crate) fn new(talk: &Talk) -> Self {
        Self { quiet: talk.quiet, verbose: talk.verbose }
    }

    /// Says what failed and what to do about it.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        say_error(&in_words(error));
        self.hints(error);
    }

    /// Says what to do about what failed; each advice once in a run, for many files may fail alike.
    pub(crate) fn hints(&self, error: &anyhow::Error) {
        static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        if self.quiet {
            return;
        }
        let advised =
            error.chain().filter_map(|cause| cause.downcast_ref::<Advised>()).map(|cause| cause.hint.as_str());
        // Another tool does not know the long options of this one.
        let known = |hint: &&str| !speaks_as_another() || !hint.contains("--");
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        for hint in advised.chain(advice::on(error)).filter(known) {
            if said.insert(hint.to_owned()) {
                say("hint: ", hint);
            }
        }
    }

    pub(crate) fn warning(&self, text: &str) {
        if !self.quiet {
            say("warning: ", text);
        }
    }

    /// Tells a new public key to people, in age-keygen's words.
    #[allow(clippy::unused_self, reason = "all that is said is said by a report")]
    pub(crate) fn public_key(&self, recipient: &Recipient) {
        let _ = writeln!(io::stderr().lock(), "Public key: {recipient}");
    }

    /// Passes on what another program says, which may be what the user is to do.
    #[allow(clippy::unused_self, reason = "all that is said is said by a report")]
    pub(crate) fn relay(&self, text: &str) {
        say("", text);
    }

    /// Says what was done, for `--verbose`.
    pub(crate) fn done(&self, text: &str) {
        if self.verbose {
            say("", text);
        }
    }
}

/// The one place that writes to standard error. If that fails, there is nobody left to tell.
fn say(kind: &str, text: &str) {
    let name = PERSONA.get().map_or("solekey", |persona| persona.name);
    let _ = progress::aside(|| writeln!(io::stderr().lock(), "{name}: {kind}{text}"));
}

/// Says an error; in another tool's place, in its words first.
fn say_error(text: &str) {
    let words = PERSONA.get().map_or(&[][..], |persona| persona.words);
    match words.iter().find(|(ours, _)| text.contains(ours)) {
        Some((_, theirs)) => say("error: ", &format!("{theirs}: {text}")),
        None => say("error: ", text),
    }
}

/// How another tool is used, and what is wrong with how it was.
pub(crate) fn usage_of(fault: Option<&str>, usage: &str) {
    let fault = fault.map(|fault| format!("{fault}\n")).unwrap_or_default();
    let _ = writeln!(io::stderr().lock(), "{fault}{usage}");
}

/// A usage error in clap's words.
pub(crate) fn usage(error: &clap::Error) {
    let text = error.render().to_string();
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = write!(io::stderr().lock(), "{text}");
    } else {
        say("", text.trim_end());
    }
}

/// A secret key among the arguments. It is not echoed.
pub(crate) fn secret_argument() {
    say("error: ", "a secret key is on the command line, where other users and logs can see it");
    say("hint: ", "put it into a file and name that with -i; treat this key as disclosed");
}

/// A path in quotes, safe to print: control characters and what is not UTF-8 are escaped.
pub(crate) fn quoted(path: &Path) -> String {
    format!("'{}'", escaped(path))
}

/// The same without the quotes.
pub(crate) fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for part in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for character in part.valid().chars() {
            match character {
                // On Windows, a part of most paths and of no name.
                '\\' if cfg!(windows) => text.push(character),
                '\'' | '\\' => text.extend(['\\', character]),
                _ if character.is_control() || is_invisible(character) => text.extend(character.escape_default()),
                _ => text.push(character),
            }
        }
        text.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// Another program's words, safe to print: in one line, without what would control the terminal.
pub(crate) fn plain(text: &str) -> String {
    let visible = text.trim_end().chars().filter(|c| !is_invisible(*c));
    visible.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Characters that print nothing, or turn the direction of what follows, and so make one name look like another.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printed_safely() {
        assert_eq!(quoted(Path::new("a b")), "'a b'");
        assert_eq!(quoted(Path::new("é\n\u{1b}[2J")), r"'é\n\u{1b}[2J'");
        assert_eq!(quoted(Path::new("it's \u{202e}gpj.exe")), r"'it\'s \u{202e}gpj.exe'");
    }

    #[test]
    fn the_innermost_cause_decides_the_status() {
        let error = anyhow::Error::new(CryptoError::WrongPassphrase).context("cannot decrypt 'x'");
        assert_eq!(status(&error), Status::NoMatch);
        let advised = Err::<(), _>(error).hint("think").expect_err("it is an error");
        assert_eq!(status(&advised), Status::NoMatch);
        assert_eq!(status(&anyhow::anyhow!("other")), Status::Failure);
        assert_eq!(status(&misuse::<()>("a", "b").expect_err("it is an error")), Status::Misuse);
    }
}
