//! Messages on standard error: errors, hints, warnings, and what `--verbose` reports.

pub(crate) mod color;
pub(crate) mod similar;
mod usage;

use std::{
    collections::BTreeSet,
    ffi::OsString,
    io::{self, IsTerminal, Write},
    path::Path,
    sync::{Mutex, Once, PoisonError},
};

use crate::{
    cli::{
        args, platform,
        terminal::{
            advice,
            escape::quoted,
            exit_status::ExitStatus,
            key_material::{Suspicion, redacted},
            messages::color::{Stream, Tone},
            persona, progress,
        },
    },
    crypto::Recipient,
};

/// Prints messages, as many as the command line asks for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Messages {
    quiet: bool,
    verbose: bool,
}

impl Messages {
    pub(crate) fn new(args: &args::MessageArgs) -> Self {
        Self { quiet: args.quiet, verbose: args.verbose }
    }

    /// Reports a failure, and what to do about it.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let text = one_line(error);
        let words = persona::current().and_then(|persona| (persona.words_for)(error));
        match words.map(|words| redacted(&words, Suspicion::Fragment).into_owned()) {
            Some(words) if text.starts_with(&words) => print(Kind::Error, &text),
            Some(words) => {
                let more = texts(error).into_iter().filter(|text| !repeats(&words, text));
                print(Kind::Error, &[words.clone()].into_iter().chain(more).collect::<Vec<_>>().join(": "));
            }
            None => print(Kind::Error, &text),
        }
        self.hints(error);
    }

    /// Reports a fault of another tool's command line. The hints are about that tool's options.
    pub(crate) fn translation_error(&self, error: &anyhow::Error) {
        print(Kind::Error, &one_line(error));
        advice::hints(error).for_each(|hint| print(Kind::Hint, hint));
    }

    /// Reports a failure if there was one, and returns its status.
    pub(crate) fn failure(&self, result: anyhow::Result<()>) -> Option<ExitStatus> {
        let error = result.err()?;
        self.error(&error);
        Some(ExitStatus::of(&error))
    }

    /// Prints the hints for an error. Each hint is printed once in a run: many files may fail alike.
    pub(crate) fn hints(&self, error: &anyhow::Error) {
        static PRINTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        if self.quiet {
            return;
        }
        // Another tool does not have our long options.
        let applies = |hint: &&str| !persona::is_drop_in() || !hint.contains("--");
        let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
        for hint in advice::hints(error).filter(applies) {
            if printed.insert(hint.to_owned()) {
                print(Kind::Hint, hint);
            }
        }
    }

    /// Prints a next step that no error asks for, to somebody who watches.
    pub(crate) fn hint_on_terminal(&self, text: &str) {
        if !self.quiet && io::stderr().is_terminal() {
            print(Kind::Hint, text);
        }
    }

    pub(crate) fn warning(&self, text: &str) {
        if !self.quiet {
            print(Kind::Warning, &without_error_numbers(text));
        }
    }

    /// Prints a warning, once in a run: many files may be affected.
    pub(crate) fn warning_once(&self, text: &str) {
        static PRINTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        if PRINTED.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned()) {
            self.warning(text);
        }
    }

    /// Says, once in a run, that standard input is read from the terminal. Not in the place of another tool, which does not.
    pub(crate) fn reading_terminal(&self) {
        static ONCE: Once = Once::new();
        if !self.quiet && !persona::is_drop_in() {
            ONCE.call_once(|| {
                print(Kind::Note, &format!("reading from standard input; press {} to end", platform::END_OF_INPUT));
            });
        }
    }

    /// Reports progress for `--verbose`.
    pub(crate) fn verbose(&self, text: &str) {
        if self.verbose {
            print(Kind::Note, text);
        }
    }

    /// A text for [`verbose`](Self::verbose), made only if that prints it.
    pub(crate) fn if_verbose(&self, text: impl FnOnce() -> String) -> Option<String> {
        self.verbose.then(text)
    }

    /// Tells a result.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            print(Kind::Note, text);
        }
    }

    /// Reports for `--verbose` what the system turned out to lack.
    pub(crate) fn say_what_lacks(&self) {
        LACKS.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|text| self.verbose(text));
    }

    /// Prints a new public key in age-keygen's words.
    #[allow(clippy::unused_self, reason = "whatever is printed is printed by a `Messages`")]
    pub(crate) fn public_key(&self, recipient: &Recipient) {
        write(&format!("Public key: {recipient}\n"));
    }

    /// Passes on another program's words, which may be instructions for the user; so `--quiet` does not silence them.
    #[allow(clippy::unused_self, reason = "whatever is printed is printed by a `Messages`")]
    pub(crate) fn relay(&self, text: &str) {
        print(Kind::Note, text);
    }
}

/// What the system turned out to lack, for `--verbose`.
static LACKS: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// Notes that the system lacks something, for [`Messages::say_what_lacks`].
pub(crate) fn lacks(text: &'static str) {
    LACKS.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
}

/// Warns of a hidden file that could not be deleted. It holds a part of an output, so `--quiet` does not silence this.
pub(crate) fn left_behind(path: &Path, error: &io::Error) {
    let reason = without_error_numbers(&error.to_string());
    print(Kind::Warning, &format!("{} cannot be deleted: {reason}; it holds a part of the output", quoted(path)));
}

/// An error and its causes in one line.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    redacted(&texts(error).join(": "), Suspicion::Key).into_owned()
}

/// The texts of an error and its causes, outermost first.
fn texts(error: &anyhow::Error) -> Vec<String> {
    let texts = error.chain().map(|cause| without_error_numbers(&cause.to_string()));
    texts.filter(|text| !text.is_empty()).collect()
}

/// Whether a text of ours adds nothing to another tool's `words`: the same words, or that a file could not be opened, created or
/// read, which they say by name.
fn repeats(words: &str, text: &str) -> bool {
    let of_file = ["cannot open ", "cannot create ", "cannot read "].iter().find_map(|start| text.strip_prefix(start));
    words == text || of_file.is_some_and(|name| words.contains(name))
}

/// The cause of an error alone, where it is clear what failed.
pub(crate) fn one_cause(error: &anyhow::Error) -> String {
    redacted(&without_error_numbers(&error.root_cause().to_string()), Suspicion::Key).into_owned()
}

/// A text without the numbers of system errors, ` (os error 2)`: the words before them say the same.
fn without_error_numbers(text: &str) -> String {
    const NUMBER: &str = " (os error ";
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(NUMBER) {
        shown.push_str(before);
        let is_number = |(number, _): &(&str, &str)| number.bytes().all(|byte| byte.is_ascii_digit());
        rest = match after.split_once(')').filter(is_number) {
            Some((_, after)) => after,
            None => {
                shown.push_str(NUMBER);
                after
            }
        };
    }
    shown + rest
}

/// Kinds of messages.
#[derive(Clone, Copy)]
enum Kind {
    Error,
    Warning,
    Hint,
    Note,
}

impl Kind {
    /// How a message of this kind begins.
    fn label(self) -> String {
        let (word, tone) = match self {
            Self::Error => ("error:", Tone::Bad),
            Self::Warning => ("warning:", Tone::Warning),
            Self::Hint => ("hint:", Tone::Hint),
            Self::Note => return String::new(),
        };
        Stream::Stderr.painted(word, tone) + " "
    }
}

/// The one place that writes messages to standard error. If that fails, there is nobody left to tell.
fn print(kind: Kind, text: &str) {
    let name = persona::current().map_or("solekey", |persona| persona.name);
    let message = format!("{name}: {}{}\n", kind.label(), redacted(text, Suspicion::Key));
    progress::hidden_while(|| write(&message));
}

/// Writes text to standard error at once, so that it does not mix with that of other programs.
fn write(text: &str) {
    let Ok(mut stderr) = platform::stderr() else { return };
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match stderr.write(rest) {
            Ok(count) if count > 0 => rest = &rest[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && platform::wait_to_write(&stderr).is_ok() => {}
            _ => return,
        }
    }
}

/// Prints the usage of another tool, after what is wrong with its command line.
pub(crate) fn foreign_usage(fault: Option<&str>, usage: &str) {
    let fault = fault.map(|fault| format!("{}\n", redacted(fault, Suspicion::Fragment))).unwrap_or_default();
    write(&format!("{fault}{usage}\n"));
}

/// Prints what is wrong with the form of the command line, which was `typed`.
pub(crate) fn usage(error: &clap::Error, typed: &[OsString]) {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return write(&redacted(&Stream::Stderr.styled(&error.render()), Suspicion::Fragment));
    }
    print(Kind::Error, &redacted(&usage::message(error), Suspicion::Fragment));
    if !persona::is_drop_in() {
        print(Kind::Hint, &redacted(&usage::hint(error, typed.get(1..).unwrap_or_default()), Suspicion::Fragment));
    }
}

/// Reports a secret key among the arguments, without repeating it.
pub(crate) fn secret_argument() {
    print(Kind::Error, "a secret key is on the command line, where other users and logs can see it");
    print(Kind::Hint, "put it into a file and name that with -i; treat this key as disclosed");
}
