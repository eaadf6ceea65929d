//! The operating system's side: arguments, files, terminal, exit status.

mod args;
mod batch;
mod decrypt;
mod defaults;
mod encrypt;
mod identities;
mod input;
mod inspect;
mod interrupt;
mod json;
mod keygen;
mod keys;
mod output;
mod pending;
mod plugins;
mod progress;
mod prompt;
mod receipt;
mod recipients;
mod report;
mod system;

use std::{env, process::ExitCode};

use clap::{FromArgMatches, error::ErrorKind};

pub use args::command;

use args::{Arguments, Verb};
use report::{Report, Status};

/// Does what the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let report = Report::new(&arguments.talk);
    interrupt::report_files_that_are_too_large();
    // The plugin library's switch: with it, that library prints what it sends, file keys among it.
    if env::var_os("AGEDEBUG").is_some_and(|value| value == "plugin") {
        report.warning("AGEDEBUG=plugin prints the file keys that go to and from plugins; unset it");
    }
    let talk = &arguments.talk;
    let ended = match &arguments.verb {
        Verb::Encrypt(what) => encrypt::encrypt(what, talk, &report),
        Verb::Decrypt(what) => decrypt::decrypt(what, talk, &report),
        Verb::Keygen(what) => keygen::keygen(what, &report),
        Verb::Inspect(what) => inspect::inspect(what, talk, &report),
    };
    let failed = ended.unwrap_or_else(|error| {
        report.error(&error);
        Some(report::status(&error))
    });
    failed.map_or(ExitCode::SUCCESS, |status| ExitCode::from(status as u8))
}

fn parse() -> Result<Arguments, ExitCode> {
    // Before clap, whose messages quote what they do not understand.
    if env::args_os().any(|argument| looks_secret(argument.as_encoded_bytes())) {
        report::secret_argument();
        return Err(ExitCode::from(Status::Misuse as u8));
    }
    let parsed = command().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches));
    parsed.map_err(|error| {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            // Help that nobody reads is no failure.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        report::usage(&error);
        ExitCode::from(Status::Misuse as u8)
    })
}

fn looks_secret(argument: &[u8]) -> bool {
    const PREFIX: &[u8] = b"AGE-SECRET-KEY-";
    argument.windows(PREFIX.len()).any(|part| part.eq_ignore_ascii_case(PREFIX))
}
