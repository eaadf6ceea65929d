//! Reports of a run: one for each file, and a summary at the end.

use std::{io::Write as _, path::PathBuf};

use anyhow::{Context, Error, Result, anyhow};
use serde::Serialize;

use crate::cli::{
    args::FileArgs,
    batch::summary::Summary,
    files::{
        naming::display_name,
        output::Output,
        target::{OnTerminal, Target},
    },
    terminal::{
        escape::quoted,
        exit_status::ExitStatus,
        json::{self, Failure},
        messages::Messages,
        progress::hidden_while,
    },
};

/// The outcome for an input.
pub(crate) struct Outcome {
    /// `None` if the input has no name, because the list or the folder that would give it cannot be read.
    pub(crate) input: Option<PathBuf>,
    pub(crate) result: Result<Done>,
    /// Whether the input changed while it was being read. A warning has reported that; the data read and the input are kept.
    pub(crate) source_changed: bool,
}

/// An input that did not fail.
pub(crate) enum Done {
    Written {
        /// The output, or `None` for standard output.
        output: Option<PathBuf>,
        /// Bytes of plaintext.
        bytes: u64,
        /// With `--verbose`.
        summary: Option<String>,
    },
    /// With `--dry-run`: it would be written.
    Planned { output: Option<PathBuf>, replaces: bool },
    /// It was skipped, because its output exists.
    Skipped,
}

impl Done {
    pub(crate) fn planned(target: &Target) -> Self {
        Self::Planned { output: target.typed().map(PathBuf::from), replaces: target.replaces().is_some() }
    }
}

impl Outcome {
    pub(crate) fn failed(input: Option<PathBuf>, error: Error) -> Self {
        Self { input, result: Err(error), source_changed: false }
    }

    pub(crate) fn done(input: Option<PathBuf>, done: Done) -> Self {
        Self { input, result: Ok(done), source_changed: false }
    }
}

/// Reports the files of `encrypt` or `decrypt`.
pub(crate) struct Reports<'a> {
    verb: &'static str,
    args: &'a FileArgs,
    messages: Messages,
    /// Standard output, if `--json` or `--dry-run` prints there.
    stdout: Option<Output>,
    summary: Summary<'a>,
    written: u64,
    skipped: u64,
    failed: u64,
    bytes: u64,
}

/// The object for a file.
#[derive(Serialize)]
struct Record {
    file: Option<String>,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletes: Option<bool>,
    #[serde(flatten)]
    failure: Option<Failure>,
}

impl<'a> Reports<'a> {
    /// `verb` is `encrypted` or `decrypted`.
    ///
    /// # Errors
    ///
    /// Errors writing to standard output.
    pub(crate) fn new(verb: &'static str, args: &'a FileArgs, messages: &Messages) -> Result<Self> {
        let prints = args.json || args.dry_run;
        let stdout = prints.then(|| Target::stdout(OnTerminal::Anything)?.open()).transpose()?;
        let (written, skipped, failed, bytes) = (0, 0, 0, 0);
        let summary = Summary::new(&args.inputs, args.dry_run, messages);
        Ok(Self { verb, args, messages: *messages, stdout, summary, written, skipped, failed, bytes })
    }

    /// Reports a file, and returns the status of a failure.
    pub(crate) fn add(&mut self, outcome: Outcome) -> Option<ExitStatus> {
        match &outcome.result {
            Ok(Done::Written { bytes, summary, .. }) => {
                self.written += 1;
                self.bytes += bytes;
                summary.iter().for_each(|summary| self.messages.verbose(summary));
            }
            Ok(Done::Planned { .. }) => self.written += 1,
            Ok(Done::Skipped) => {
                self.skipped += 1;
                let why = if self.args.update { "it is unchanged" } else { "its output exists" };
                let skipped = outcome
                    .input
                    .as_deref()
                    .and_then(|input| self.messages.if_verbose(|| format!("skipped {}: {why}", display_name(input))));
                skipped.iter().for_each(|skipped| self.messages.verbose(skipped));
            }
            Err(_) => self.failed += 1,
        }
        let printed = match &mut self.stdout {
            Some(stdout) => {
                let line = if self.args.json {
                    json::line(&Record::new(self.verb, self.args, &outcome))
                } else {
                    plan(self.verb, self.args, &outcome)
                };
                hidden_while(|| stdout.write_all(line.as_bytes())).context("cannot write to standard output")
            }
            None => Ok(()),
        };
        let changed = outcome.source_changed.then_some(ExitStatus::Failure);
        let failure = match outcome.result {
            // The JSON object contains it.
            Err(error) if self.args.json => Some(ExitStatus::of(&error)),
            result => self.messages.failure(result.map(drop)),
        };
        self.messages.failure(printed).or(failure).or(changed)
    }

    /// Prints the summary line, if somebody is watching.
    pub(crate) fn finish(self) {
        let skipped = match () {
            () if self.args.update => Some((self.skipped, "unchanged")),
            () if self.args.skip_existing => Some((self.skipped, "existed")),
            () => None,
        };
        let mut outcomes = vec![(self.written, self.verb)];
        outcomes.extend(skipped);
        outcomes.push((self.failed, "failed"));
        self.summary.print(&outcomes, Some(self.bytes));
    }

    /// Number of skipped inputs.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }
}

impl Record {
    fn new(verb: &'static str, args: &FileArgs, outcome: &Outcome) -> Self {
        let changed = || outcome.source_changed.then(|| Failure::of(&anyhow!("it changed while it was being read")));
        let failure = outcome.result.as_ref().err().map(Failure::of).or_else(changed);
        let mut record = Self {
            file: outcome.input.as_deref().map(json::path),
            ok: failure.is_none(),
            result: None,
            output: None,
            bytes: None,
            replaces: None,
            deletes: None,
            failure,
        };
        match &outcome.result {
            Ok(Done::Written { output, bytes, .. }) => {
                record.result = Some(verb);
                record.output = output.as_deref().map(json::path);
                record.bytes = Some(*bytes);
            }
            Ok(Done::Planned { output, replaces }) => {
                record.result = Some("planned");
                record.output = output.as_deref().map(json::path);
                record.replaces = Some(*replaces);
                record.deletes = Some(args.rm);
            }
            Ok(Done::Skipped) => record.result = Some(if args.update { "unchanged" } else { "existed" }),
            Err(_) => {}
        }
        record
    }
}

/// The line of `--dry-run` for a file: empty if nothing would be done.
fn plan(verb: &str, args: &FileArgs, outcome: &Outcome) -> String {
    let (Some(input), Ok(Done::Planned { output: Some(output), replaces })) = (&outcome.input, &outcome.result) else {
        return String::new();
    };
    let name = display_name(input);
    let replaces = if *replaces { ", which would be replaced" } else { "" };
    let deletes = if args.rm { format!("; {name} would be deleted") } else { String::new() };
    format!("{name} would be {verb} to {}{replaces}{deletes}\n", quoted(output))
}
