//! What a run says of each of its files, and of all of them at its end.

use std::{
    io::{self, IsTerminal, Write as _},
    path::PathBuf,
    time::Instant,
};

use anyhow::{Context, Error, Result};
use serde::Serialize;

use crate::cli::{
    args::FileArgs,
    files::{
        output::Output,
        target::{OnTerminal, Target},
    },
    terminal::{
        exit_status::ExitStatus,
        json::{self, Failure},
        messages::Messages,
        persona,
        progress::{hidden_while, human_bytes, human_time},
    },
};

/// What became of an input.
pub(crate) struct Outcome {
    /// `None` if the input has no name, because the list or the folder that would give it cannot be read.
    pub(crate) input: Option<PathBuf>,
    pub(crate) result: Result<Done>,
}

/// An input that did not fail.
pub(crate) enum Done {
    Written {
        /// The output, or `None` for standard output.
        output: Option<PathBuf>,
        /// Bytes of plaintext.
        bytes: u64,
        /// For `--verbose`.
        summary: String,
    },
    /// It was left aside, since its output is there.
    LeftAside,
}

impl Outcome {
    pub(crate) fn failed(input: Option<PathBuf>, error: Error) -> Self {
        Self { input, result: Err(error) }
    }
}

/// Reports the files of `encrypt` or `decrypt`.
pub(crate) struct Reports<'a> {
    verb: &'static str,
    args: &'a FileArgs,
    messages: Messages,
    /// With `--json`: standard output.
    json: Option<Output>,
    start: Instant,
    written: u64,
    left_aside: u64,
    failed: u64,
    bytes: u64,
}

/// The object for a file.
#[derive(Serialize)]
struct Record {
    file: Option<String>,
    ok: bool,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(flatten)]
    failure: Option<Failure>,
}

impl<'a> Reports<'a> {
    /// `verb` is `encrypted` or `decrypted`.
    ///
    /// # Errors
    ///
    /// Those of standard output.
    pub(crate) fn new(verb: &'static str, args: &'a FileArgs, messages: &Messages) -> Result<Self> {
        let json = args.json.then(|| Target::stdout(OnTerminal::Anything)?.open()).transpose()?;
        let (written, left_aside, failed, bytes) = (0, 0, 0, 0);
        Ok(Self { verb, args, messages: *messages, json, start: Instant::now(), written, left_aside, failed, bytes })
    }

    /// Reports a file, and returns the status of a failure.
    pub(crate) fn add(&mut self, outcome: Outcome) -> Option<ExitStatus> {
        match &outcome.result {
            Ok(Done::Written { bytes, summary, .. }) => {
                self.written += 1;
                self.bytes += bytes;
                self.messages.verbose(summary);
            }
            Ok(Done::LeftAside) => self.left_aside += 1,
            Err(_) => self.failed += 1,
        }
        let printed = match &mut self.json {
            Some(stdout) => {
                let line = json::line(&Record::new(self.verb, self.args, &outcome));
                hidden_while(|| stdout.write_all(line.as_bytes())).context("cannot write to standard output")
            }
            None => Ok(()),
        };
        let failure = self.messages.failure(outcome.result.map(drop));
        self.messages.failure(printed).or(failure)
    }

    /// Prints the line about all files, if somebody watches.
    pub(crate) fn finish(self) {
        if self.args.inputs.is_single() || persona::is_drop_in() || !io::stderr().is_terminal() {
            return;
        }
        let Self { verb, written, left_aside, failed, .. } = self;
        let left_aside = match () {
            () if self.args.update => format!("{} unchanged, ", grouped(left_aside)),
            () if self.args.skip_existing => format!("{} existed, ", grouped(left_aside)),
            () => String::new(),
        };
        self.messages.note(&format!(
            "{} {verb}, {left_aside}{} failed; {} in {}",
            grouped(written),
            grouped(failed),
            human_bytes(self.bytes),
            human_time(self.start.elapsed()),
        ));
    }

    /// Number of inputs that were left aside.
    pub(crate) fn left_aside(&self) -> u64 {
        self.left_aside
    }
}

impl Record {
    fn new(verb: &'static str, args: &FileArgs, outcome: &Outcome) -> Self {
        let (result, output, bytes) = match &outcome.result {
            Ok(Done::Written { output, bytes, .. }) => (verb, output.as_deref().map(json::path), Some(*bytes)),
            Ok(Done::LeftAside) if args.update => ("unchanged", None, None),
            Ok(Done::LeftAside) => ("existed", None, None),
            Err(_) => ("failed", None, None),
        };
        let failure = outcome.result.as_ref().err().map(Failure::of);
        Self { file: outcome.input.as_deref().map(json::path), ok: failure.is_none(), result, output, bytes, failure }
    }
}

/// A number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (19_688, "19,688"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
