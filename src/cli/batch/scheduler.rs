//! Processes many files in parallel, and reports them in order.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Condvar, Mutex},
    thread,
};

use anyhow::Result;

use crate::{
    cli::{
        batch::{commit_queue::CommitQueue, tally::Tally},
        files::{naming::InputPath, walk},
        terminal::{exit_status::ExitStatus, messages::Messages},
    },
    crypto::{SEGMENT, spawn_scoped},
};

/// Maximum number of files that may be done before the oldest unfinished one. A slow file blocks no other until then; the limit
/// bounds the memory for reports.
const AHEAD: u64 = 1024;

/// Why a lock cannot be poisoned.
const NO_PANIC: &str = "a panic ends the program";

/// Calls `work` for each input on up to `threads` threads, and `report` for each result in the order of the inputs.
/// `report` returns the status of a failure.
pub(crate) fn run<T: Send>(
    inputs: impl Iterator<Item = Result<InputPath>> + Send,
    threads: NonZeroUsize,
    work: impl Fn(Result<InputPath>) -> T + Sync,
    report: impl FnMut(T) -> Option<ExitStatus> + Send,
) -> Tally {
    let done = |input| Err::<(), T>(work(input));
    run_in_groups(inputs, threads, 1, done, |_| Vec::new(), report)
}

/// Calls `write` for each input on up to `threads` threads, `commit` for groups of what it has written, and `report` for each
/// result in the order of the inputs.
///
/// `write` returns `Err` with the result of an input that needs no commit, `commit` returns one result per item, and `report`
/// returns the status of a failure. Each file holds up to `descriptors` descriptors until it is committed. A single input is
/// committed on the thread that wrote it.
pub(crate) fn run_in_groups<W: Send, T: Send>(
    inputs: impl Iterator<Item = Result<InputPath>> + Send,
    threads: NonZeroUsize,
    descriptors: usize,
    write: impl Fn(Result<InputPath>) -> Result<W, T> + Sync,
    commit: impl Fn(Vec<W>) -> Vec<T> + Sync,
    report: impl FnMut(T) -> Option<ExitStatus> + Send,
) -> Tally {
    let is_single = walk::yields_one(&inputs);
    let workers = if is_single { 1 } else { threads.get() };
    // Fused: a terminal or a pipe that has ended might deliver more if it is read again, and numbers would be skipped.
    let inputs = Mutex::new((0..).zip(inputs.fuse()));
    let reports = Reports::new(report);
    let queue = CommitQueue::new(descriptors);
    let commit_group = |group: Vec<(u64, W)>| {
        let (numbers, written): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        reports.add(numbers.into_iter().zip(commit(written)));
    };
    let next = || inputs.lock().expect(NO_PANIC).next();
    let work_on_all = |is_alone: bool| {
        while let Some((number, input)) = next() {
            reports.wait_for_room(number);
            match write(input) {
                Ok(written) if is_alone => commit_group(vec![(number, written)]),
                Ok(written) => queue.add(number, written),
                Err(result) => reports.add([(number, result)]),
            }
        }
    };
    let commit_all = || {
        while let Some(group) = queue.next() {
            commit_group(group);
        }
    };
    thread::scope(|scope| {
        // If the system refuses more threads, the existing ones do the work.
        let is_alone = is_single || spawn_scoped(scope, 0, commit_all).is_err();
        let work_on_all = &work_on_all;
        let work_on_all = move || work_on_all(is_alone);
        let others: Vec<_> = (1..workers).map_while(|_| spawn_scoped(scope, 2 * SEGMENT, work_on_all).ok()).collect();
        work_on_all();
        for other in others {
            other.join().expect(NO_PANIC);
        }
        queue.close();
    });
    reports.into_tally()
}

/// Calls `work` for each input, one at a time, and reports failures.
pub(crate) fn run_in_sequence(
    inputs: impl IntoIterator<Item = Result<InputPath>>,
    messages: &Messages,
    mut work: impl FnMut(Result<InputPath>) -> Result<()>,
) -> Tally {
    let mut tally = Tally::default();
    for input in inputs {
        tally.count(messages.failure(work(input)));
    }
    tally
}

/// Reports results in the order of the inputs, whatever order they arrive in.
struct Reports<T, R> {
    state: Mutex<State<T, R>>,
    /// Notified when results have been reported.
    reported: Condvar,
}

struct State<T, R> {
    /// The number of the next result to report.
    next: u64,
    /// Number of threads in [`wait_for_room`](Reports::wait_for_room). Even waking nobody costs a system call.
    waiting: usize,
    /// Results that came before their turn.
    early: BTreeMap<u64, T>,
    tally: Tally,
    report: R,
}

impl<T, R: FnMut(T) -> Option<ExitStatus>> Reports<T, R> {
    fn new(report: R) -> Self {
        let state = State { next: 0, waiting: 0, early: BTreeMap::new(), tally: Tally::default(), report };
        Self { state: Mutex::new(state), reported: Condvar::new() }
    }

    /// Waits until the file with this number is not too far ahead of the oldest unfinished one.
    fn wait_for_room(&self, number: u64) {
        let mut state = self.state.lock().expect(NO_PANIC);
        state.waiting += 1;
        let is_far = |state: &mut State<T, R>| number >= state.next + AHEAD;
        self.reported.wait_while(state, is_far).expect(NO_PANIC).waiting -= 1;
    }

    /// Adds results, and reports those whose turn has come.
    fn add(&self, results: impl IntoIterator<Item = (u64, T)>) {
        let mut state = self.state.lock().expect(NO_PANIC);
        let State { next, early, tally, report, .. } = &mut *state;
        early.extend(results);
        while let Some(result) = early.remove(next) {
            tally.count(report(result));
            *next += 1;
        }
        if state.waiting > 0 {
            self.reported.notify_all();
        }
    }

    fn into_tally(self) -> Tally {
        self.state.into_inner().expect(NO_PANIC).tally
    }
}
