//! The state that every command sets up: messages, prompt, plugins, key files, progress.
//!
//! A session reads key files, but holds no keyring: `encrypt` must not be able to reach one.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;

use crate::cli::{
    args::{self, FileArgs, InputArgs, Passphrases, PluginRules},
    batch::tally::Tally,
    files::{
        output::Output,
        outputs::Outputs,
        target::Target,
        walk::{Selection, Skipped, total::measure},
    },
    keys::{key_file::KeyFiles, plugins::Plugins},
    platform::{Links, sandbox},
    terminal::{
        exit_status::ExitStatus,
        messages::Messages,
        progress::{Progress, Total},
        prompt::Prompt,
    },
};

/// The state of a command that does not depend on its verb.
pub(super) struct Session<'a> {
    args: &'a args::MessageArgs,
    pub(super) messages: Messages,
    pub(super) key_files: KeyFiles,
}

impl<'a> Session<'a> {
    /// `stdin_is_taken` if standard input carries data or names of files, so that no key or passphrase is read from it.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse) if a passphrase would be read from it.
    pub(super) fn new(
        args: &'a args::MessageArgs,
        passphrases: &Passphrases,
        plugins: impl Into<PluginRules>,
        stdin_is_taken: bool,
    ) -> Result<Self> {
        let messages = Messages::new(args);
        let prompt = Arc::new(Prompt::new(passphrases, stdin_is_taken)?);
        let plugins = Plugins::new(plugins.into(), prompt.clone(), &messages);
        let key_files = KeyFiles::new(prompt, &messages, plugins, stdin_is_taken);
        Ok(Self { args, messages, key_files })
    }

    /// Whether `--quiet` was given.
    pub(super) fn is_quiet(&self) -> bool {
        self.args.quiet
    }

    /// The progress of a single file.
    pub(super) fn progress(&self) -> Arc<Progress> {
        Arc::new(Progress::new(self.args))
    }

    /// The progress of all inputs, each read `passes` times. With `once`, an input that is named twice is read once.
    pub(super) fn progress_of_inputs(
        &self,
        inputs: &InputArgs,
        selection: Selection,
        once: Option<Links>,
        passes: u64,
    ) -> Arc<Progress> {
        let measure = measure(inputs, selection, once);
        let total = move || measure().map(|total| Total { bytes: total.bytes * passes, ..total });
        Arc::new(Progress::of_many(self.args, total))
    }

    /// The same, for a command that writes outputs: if they go to the terminal, a bar is shown on demand only.
    pub(super) fn progress_beside(
        &self,
        outputs: &Outputs<'_>,
        inputs: &InputArgs,
        selection: Selection,
        passes: u64,
    ) -> Arc<Progress> {
        if outputs.go_to_terminal() {
            return Arc::new(Progress::beside_output(self.args));
        }
        self.progress_of_inputs(inputs, selection, Some(Links::Hold), passes)
    }

    /// Gives up the right to open files, once the only input and its output are open and the keys are read. In `folders`,
    /// outputs can still get their names.
    ///
    /// Does nothing for several inputs, because the others still have to be opened, or for an input that will be deleted.
    pub(super) fn confine(&self, folders: impl IntoIterator<Item = PathBuf>) {
        if let Err(missing) = sandbox::refuse_other_files(folders) {
            self.messages.verbose(&format!("solekey cannot deny itself access to other files: {missing}"));
        }
    }

    /// If the output is a block device, reports how many of its bytes belong to the output: data after them stays there.
    pub(super) fn note_device(&self, target: &Target, output: &Output) {
        if let Some(bytes) = output.written_to_device() {
            let name = target.name();
            self.messages
                .note(&format!("the first {bytes} bytes of {name} were written; read them with head -c {bytes}"));
        }
    }

    /// Completes a copy of folders, unless nothing is to be written, and reports what the copy lacks. Returns the status of a
    /// failure.
    pub(super) fn complete_copy(&self, skipped: &Skipped, args: &FileArgs) -> Option<ExitStatus> {
        skipped.warn();
        let made = if args.dry_run { Ok(()) } else { skipped.make_folders() };
        self.messages.failure(made)
    }

    /// Warns if a walk through folders found nothing.
    pub(super) fn warn_if_nothing_found(&self, tally: &Tally, inputs: &InputArgs, selection: Selection) {
        if tally.is_empty() && inputs.recursive {
            self.messages.warning(selection.nothing_found());
        }
    }
}
