//! Taking turns: what workers finish in any order happens in the order of its numbers. No I/O and no cryptography.
//!
//! `tests/library/sequencer_model.rs` includes this file with other locks, which try every order in which threads can run.

use std::ops::ControlFlow;

use super::sync::{Condvar, Mutex};

/// Something that is used by one worker at a time: first by the one with number 0, then by the one with number 1.
pub(crate) struct Sequencer<T> {
    state: Mutex<State<T>>,
    /// The turn has passed on, or there will be none any more.
    moved: Condvar,
}

struct State<T> {
    next: u64,
    closed: bool,
    shared: T,
}

impl<T> Sequencer<T> {
    pub(crate) fn new(shared: T) -> Self {
        Self { state: Mutex::new(State { next: 0, closed: false, shared }), moved: Condvar::new() }
    }

    /// What was shared, when all turns are over.
    #[allow(dead_code, reason = "the model has no use for it")]
    pub(crate) fn into_inner(self) -> T {
        self.state.into_inner().expect("no worker panics in its turn").shared
    }

    /// Waits for the turn of `number`, which nobody else may have, and does `act`. If that returns false, nobody with a higher
    /// number gets a turn: their `act` is not done.
    ///
    /// Every number must be taken, or all higher ones wait forever.
    pub(crate) fn run(&self, number: u64, act: impl FnOnce(&mut T) -> ControlFlow<()>) {
        let mut state = self.state.lock().expect("no worker panics in its turn");
        while !state.closed && state.next != number {
            state = self.moved.wait(state).expect("no worker panics in its turn");
        }
        if state.closed {
            return;
        }
        state.closed = act(&mut state.shared).is_break();
        state.next += 1;
        self.moved.notify_all();
    }
}
