//! The exit status of a run over many files.

use crate::cli::terminal::exit_status::ExitStatus;

/// Counts files and failures.
#[derive(Default)]
pub(crate) struct Tally {
    files: u64,
    failed: u64,
    /// The status of the first failure.
    first: Option<ExitStatus>,
    /// Whether another failure had another status.
    statuses_differ: bool,
}

impl Tally {
    /// Counts a file, with its status if it failed.
    pub(crate) fn count(&mut self, failure: Option<ExitStatus>) {
        self.files += 1;
        if let Some(status) = failure {
            self.failed += 1;
            self.statuses_differ |= *self.first.get_or_insert(status) != status;
        }
    }

    /// Whether there was no file.
    pub(crate) fn is_empty(&self) -> bool {
        self.files == 0
    }

    /// The status of the run: `None` if nothing failed, the common status if all files failed alike, or else
    /// [`ExitStatus::SomeFailed`].
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        let first = self.first?;
        Some(if self.failed == self.files && !self.statuses_differ { first } else { ExitStatus::SomeFailed })
    }
}
