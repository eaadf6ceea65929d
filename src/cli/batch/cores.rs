//! Which file may use how many threads.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::crypto::SEGMENT;

/// The cores of a run: each small file uses one thread, and beside them one large file at a time uses all.
pub(crate) struct Cores {
    threads: NonZeroUsize,
    large: Mutex<()>,
}

/// The right to use a number of threads for a file, until it is dropped.
pub(crate) struct Permit<'a> {
    pub(crate) threads: NonZeroUsize,
    _large: Option<MutexGuard<'a, ()>>,
}

impl Cores {
    pub(crate) fn new(threads: NonZeroUsize) -> Self {
        Self { threads, large: Mutex::new(()) }
    }

    /// Waits until a file of `length` bytes may be worked on. A file of unknown length counts as large.
    pub(crate) fn acquire(&self, length: Option<u64>) -> Permit<'_> {
        // A single segment keeps one thread busy.
        if length.is_some_and(|length| length <= SEGMENT as u64) {
            return Permit { threads: NonZeroUsize::MIN, _large: None };
        }
        let large = self.large.lock().unwrap_or_else(PoisonError::into_inner);
        Permit { threads: self.threads, _large: Some(large) }
    }
}
