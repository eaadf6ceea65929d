//! Tells a reader that waits for its source that nobody wants the bytes any more.
//!
//! When one worker fails, another may be waiting for a pipe that stays silent. A reader that asks [`is_wanted`] now and then can
//! give up, so that the error is not kept back.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

thread_local! {
    /// The flag that stops the pipeline for which this thread reads.
    static STOPPED: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Whether the bytes that this thread reads are still wanted, or `None` if it does not read for a pipeline. Once they are not,
/// any error may be returned in their place: an earlier one is reported.
#[must_use]
pub fn is_wanted() -> Option<bool> {
    STOPPED.with_borrow(|stopped| stopped.as_ref().map(|stopped| !stopped.load(Ordering::Relaxed)))
}

/// Calls `read`, in which [`is_wanted`] is true until `stopped` is set.
pub(super) fn while_wanted<T>(stopped: &Arc<AtomicBool>, read: impl FnOnce() -> T) -> T {
    STOPPED.set(Some(stopped.clone()));
    let read = read();
    STOPPED.set(None);
    read
}
