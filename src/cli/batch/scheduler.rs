//! Working on many files in parallel, and reporting them in order.

use std::{
    num::NonZeroUsize,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::Result;

use crate::{
    cli::{
        args::DASH,
        batch::tally::Tally,
        files::{naming::InputPath, walk},
        terminal::{exit_status::ExitStatus, messages::Messages},
    },
    crypto::parallel::sequencer::Sequencer,
};

/// Calls `work` for each input on up to `threads` threads, and `report` for each result in the order of the inputs.
/// `report` returns the status of a failure.
pub(crate) fn run<T>(
    inputs: impl Iterator<Item = Result<InputPath>> + Send,
    threads: NonZeroUsize,
    work: impl Fn(&InputPath) -> Result<T> + Sync,
    report: impl FnMut(Result<T>) -> Option<ExitStatus> + Send,
) -> Tally {
    let workers = if walk::yields_one(&inputs) { 1 } else { threads.get() };
    // Fused: a terminal or a pipe that has ended might go on if it is read again, and numbers would be left out.
    let inputs = Mutex::new((0..).zip(inputs.fuse()));
    let reports = Sequencer::new((Tally::default(), report));
    let next = || inputs.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work_on_all = || {
        while let Some((number, input)) = next() {
            let result = input.and_then(|input| work(&input));
            reports.run(number, |(tally, report)| {
                tally.count(report(result));
                ControlFlow::Continue(())
            });
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            // If the system gives no more threads, the ones that exist do the work.
            if thread::Builder::new().spawn_scoped(scope, work_on_all).is_err() {
                break;
            }
        }
        work_on_all();
    });
    reports.into_inner().0
}

/// Calls `work` for each file, one after the other, and reports failures. Without files, standard input is the only one.
pub(crate) fn run_in_sequence(
    files: &[PathBuf],
    messages: &Messages,
    mut work: impl FnMut(&Path) -> Result<()>,
) -> Tally {
    let stdin = [PathBuf::from(DASH)];
    let mut tally = Tally::default();
    for file in if files.is_empty() { &stdin } else { files } {
        tally.count(messages.failure(work(file)));
    }
    tally
}
