//! The operating system's side: arguments, files, terminal, exit status.

mod args;
mod batch;
mod commands;
mod drop_in;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod keys;
mod platform;
mod terminal;
mod version;

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{self, Write},
    process::ExitCode,
};

use clap::{FromArgMatches, error::ErrorKind};

pub use args::command;

use args::{Arguments, Verb};
use commands::{
    decrypt::decrypt, encrypt::encrypt, inspect::inspect, keygen::keygen, rekey::rekey, salvage::salvage,
    verify::verify,
};
use drop_in::{Meaning, Tool};
use platform::{sandbox, signals};
use terminal::messages::{self, Report, Status};

/// Does what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    // First of all: no key has been read, and no other thread runs.
    let guarded = sandbox::before_keys();
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let report = Report::new(&arguments.talk);
    if let Err(missing) = guarded {
        report.done(&format!("network sockets cannot be refused here: {missing}"));
    }
    // Learned while there is but one thread.
    #[cfg(unix)]
    platform::umask();
    signals::report_files_that_are_too_large();
    // The plugin library's switch: with it, that library prints what it sends, file keys among it.
    if env::var_os("AGEDEBUG").is_some_and(|value| value == "plugin") {
        report.warning("AGEDEBUG=plugin prints the file keys that go to and from plugins; unset it");
    }
    let talk = &arguments.talk;
    let ended = match &arguments.verb {
        Verb::Encrypt(what) => encrypt(what, talk, &report),
        Verb::Decrypt(what) => decrypt(what, talk, &report),
        Verb::Keygen(what) => keygen(what, &report),
        Verb::Inspect(what) => inspect(what, talk, &report),
        Verb::Verify(what) => verify(what, talk, &report),
        Verb::Rekey(what) => rekey(what, talk, &report),
        Verb::Salvage(what) => salvage(what, talk, &report),
    };
    let failed = ended.unwrap_or_else(|error| {
        report.error(&error);
        Some(messages::status(&error))
    });
    failed.map_or(ExitCode::SUCCESS, Status::code)
}

fn parse() -> Result<Arguments, ExitCode> {
    let typed: Vec<_> = env::args_os().collect();
    let called = Tool::called(&typed);
    if let Some((tool, _)) = called {
        messages::speak_as(tool.persona());
    }
    // Before clap, whose messages quote what they do not understand.
    if typed.iter().any(|argument| looks_secret(argument.as_encoded_bytes())) {
        messages::secret_argument();
        return Err(Status::Misuse.code());
    }
    let words = match called {
        Some((tool, words)) => translate(tool, words)?,
        None => typed,
    };
    let parsed = command().try_get_matches_from(words).and_then(|matches| Arguments::from_arg_matches(&matches));
    parsed.map_err(|error| {
        if error.kind() == ErrorKind::DisplayVersion && env::args_os().any(|argument| asks_for_more(&argument)) {
            let _ = io::stdout().lock().write_all(version::DETAILS.as_bytes());
            return ExitCode::SUCCESS;
        }
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            // Help that nobody reads is no failure.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        messages::usage(&error);
        Status::Misuse.code()
    })
}

/// Clap stops at `--version`, and so does not say whether `--verbose` follows.
fn asks_for_more(argument: &OsStr) -> bool {
    ["-v", "--verbose", "-vV", "-Vv"].iter().any(|verbose| argument == *verbose)
}

/// The command line of another tool as one of this program.
fn translate(tool: &Tool, words: &[OsString]) -> Result<Vec<OsString>, ExitCode> {
    match tool.read(words) {
        Ok(Meaning::Words(words)) => Ok([OsString::from("solekey")].into_iter().chain(words).collect()),
        Ok(Meaning::Version(version)) => {
            // A version that nobody reads is no failure.
            let _ = writeln!(io::stdout(), "{version}");
            Err(ExitCode::SUCCESS)
        }
        Ok(Meaning::Usage { fault, usage, status }) => {
            messages::usage_of(fault.as_deref(), usage);
            Err(ExitCode::from(status))
        }
        Err(error) => {
            Report::default().error(&error);
            Err(messages::status(&error).code())
        }
    }
}

fn looks_secret(argument: &[u8]) -> bool {
    const PREFIX: &[u8] = b"AGE-SECRET-KEY-";
    argument.windows(PREFIX.len()).any(|part| part.eq_ignore_ascii_case(PREFIX))
}
