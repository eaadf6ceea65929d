//! Commit groups: written files wait for each other, so that they become durable together.

use std::{
    sync::{Condvar, Mutex, MutexGuard},
    time::Duration,
};

use crate::cli::platform;

/// Files that may be written but not committed at a time. Each is open, and with `--rm` and `-f` so are its source and the file
/// that it replaces.
const MOST: usize = 128;
/// Descriptors that a file needs until it is committed, at most.
const DESCRIPTORS: u64 = 4;
/// Descriptors for everything else.
const RESERVED: u64 = 64;
/// How long the first file of a group waits for others.
const PATIENCE: Duration = Duration::from_millis(10);
/// Why the lock cannot be poisoned.
const NO_PANIC: &str = "nothing panics while it holds this lock";

/// Written files, by the number of their input, until they are committed.
pub(super) struct CommitQueue<W> {
    most: usize,
    state: Mutex<State<W>>,
    /// Notified when a group may be complete.
    grown: Condvar,
    /// Notified when a group is committed.
    committed: Condvar,
}

struct State<W> {
    waiting: Vec<(u64, W)>,
    /// Files of the group that is being committed.
    committing: usize,
    is_closed: bool,
}

impl<W> CommitQueue<W> {
    pub(super) fn new() -> Self {
        let descriptors = platform::open_files_limit().map_or(u64::MAX, |limit| limit.saturating_sub(RESERVED));
        let most = usize::try_from(descriptors / DESCRIPTORS).unwrap_or(MOST).clamp(2, MOST);
        let state = State { waiting: Vec::new(), committing: 0, is_closed: false };
        Self { most, state: Mutex::new(state), grown: Condvar::new(), committed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().expect(NO_PANIC)
    }

    /// Adds a file to the next group. Waits while too many files are open.
    pub(super) fn add(&self, number: u64, written: W) {
        let is_full = |state: &mut State<W>| state.waiting.len() + state.committing >= self.most;
        let mut state = self.committed.wait_while(self.lock(), is_full).expect(NO_PANIC);
        state.waiting.push((number, written));
        if state.waiting.len() == 1 || self.is_complete(&state) {
            self.grown.notify_one();
        }
    }

    /// Returns the next group, which closes when it is half of what may be open, has waited for a moment, or is the last one.
    /// The group before it is committed. Returns `None` after the last one.
    pub(super) fn next(&self) -> Option<Vec<(u64, W)>> {
        let mut state = self.lock();
        state.committing = 0;
        self.committed.notify_all();
        let is_empty = |state: &mut State<W>| state.waiting.is_empty() && !state.is_closed;
        let state = self.grown.wait_while(state, is_empty).expect(NO_PANIC);
        let is_growing = |state: &mut State<W>| !self.is_complete(state);
        let (mut state, _) = self.grown.wait_timeout_while(state, PATIENCE, is_growing).expect(NO_PANIC);
        state.committing = state.waiting.len();
        let group = std::mem::take(&mut state.waiting);
        (!group.is_empty()).then_some(group)
    }

    /// Says that no file will be added any more.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.grown.notify_one();
    }

    fn is_complete(&self, state: &State<W>) -> bool {
        state.is_closed || state.waiting.len() >= self.most / 2
    }
}
