//! Runs closures from many threads one at a time, in the order of their numbers.
//!
//! `tests/library/sequencer_model.rs` includes this file with other locks and tries every order in which threads can run.

use std::ops::ControlFlow;

use super::sync::{Condvar, Mutex};

/// The reason that the lock cannot be poisoned.
const NO_PANIC: &str = "no action panics";

/// A value that threads use one after another: first the thread with number 0, then the one with number 1, and so on.
pub(crate) struct Sequencer<T> {
    state: Mutex<State<T>>,
    /// Notified when `next` or `stopped` changes.
    changed: Condvar,
}

struct State<T> {
    /// The number that may run now.
    next: u64,
    /// Whether a closure has returned [`ControlFlow::Break`].
    stopped: bool,
    shared: T,
}

impl<T> Sequencer<T> {
    /// Shares `shared`, starting with number 0.
    pub(crate) fn new(shared: T) -> Self {
        Self { state: Mutex::new(State { next: 0, stopped: false, shared }), changed: Condvar::new() }
    }

    /// Returns the shared value.
    #[allow(dead_code, reason = "tests/library/sequencer_model.rs does not call it")]
    pub(crate) fn into_inner(self) -> T {
        self.state.into_inner().expect(NO_PANIC).shared
    }

    /// Waits until every lower number has run, then runs `action`.
    ///
    /// If `action` returns [`ControlFlow::Break`], the actions of all higher numbers are skipped.
    ///
    /// Each number must be passed exactly once, by any thread. If one is left out, all higher numbers wait forever.
    pub(crate) fn run(&self, number: u64, action: impl FnOnce(&mut T) -> ControlFlow<()>) {
        let mut state = self.state.lock().expect(NO_PANIC);
        while !state.stopped && state.next != number {
            state = self.changed.wait(state).expect(NO_PANIC);
        }
        if state.stopped {
            return;
        }
        state.stopped = action(&mut state.shared).is_break();
        state.next += 1;
        self.changed.notify_all();
    }
}
