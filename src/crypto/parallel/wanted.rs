//! Tells readers and writers that wait for a pipe that the pipeline has failed elsewhere.
//!
//! When one worker fails, another may be waiting for a pipe that stays silent, or that nobody empties. A reader that asks
//! [`is_wanted`] now and then can give up at once, and a writer after some patience, so that the error is not kept back.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

thread_local! {
    /// The flag that stops the pipeline for which this thread reads or writes.
    static STOPPED: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Whether the pipeline for which this thread reads or writes goes on, or `None` if there is none. Once it does not, an error is
/// to be reported, and waits for this thread.
///
/// A reader may then return any error: its bytes are not wanted any more. A writer's bytes are, since they come before the
/// error; if it cannot get rid of them, [`io::ErrorKind::TimedOut`](std::io::ErrorKind::TimedOut) has the other error reported.
#[must_use]
pub fn is_wanted() -> Option<bool> {
    STOPPED.with_borrow(|stopped| stopped.as_ref().map(|stopped| !stopped.load(Ordering::Relaxed)))
}

/// Calls `move_bytes`, in which [`is_wanted`] is true until `stopped` is set.
pub(super) fn while_wanted<T>(stopped: &Arc<AtomicBool>, move_bytes: impl FnOnce() -> T) -> T {
    STOPPED.set(Some(stopped.clone()));
    let moved = move_bytes();
    STOPPED.set(None);
    moved
}
