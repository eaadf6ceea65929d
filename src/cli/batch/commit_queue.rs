//! Commit groups: written files wait for each other, so that they become durable together.

use std::{
    sync::{Condvar, Mutex, MutexGuard},
    time::Duration,
};

use crate::cli::platform;

/// Maximum number of descriptors that uncommitted files may hold; also limited to half of the system's limit.
const DESCRIPTORS: usize = 512;
/// How long the first file of a group waits for others.
const PATIENCE: Duration = Duration::from_millis(10);
/// The reason that the lock cannot be poisoned.
const NO_PANIC: &str = "nothing panics while it holds this lock";

/// Written files, by the number of their input, until they are committed.
pub(super) struct CommitQueue<W> {
    /// Maximum number of files that are written but not yet committed.
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
    /// Each file holds this many `descriptors`.
    pub(super) fn new(descriptors: usize) -> Self {
        let allowed = platform::open_files_limit().and_then(|limit| usize::try_from(limit / 2).ok());
        let most = (allowed.map_or(DESCRIPTORS, |allowed| allowed.min(DESCRIPTORS)) / descriptors).max(2);
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

    /// Returns the next group. A group closes when it has half of the files that may be open, has waited for a moment, or is the
    /// last. The group before it is committed. Returns `None` after the last one.
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

    /// Announces that no more files will be added.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.grown.notify_one();
    }

    fn is_complete(&self, state: &State<W>) -> bool {
        state.is_closed || state.waiting.len() >= self.most / 2
    }
}
