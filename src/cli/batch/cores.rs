//! Limits how many threads each file may use.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{cli::args::InputArgs, crypto::SEGMENT};

/// The cores of a run. Each small file uses one thread; one large file at a time uses all threads.
pub(crate) struct Cores {
    threads: NonZeroUsize,
    /// Whether there is only one file, which may use all cores whatever its length.
    is_single: bool,
    large: Mutex<()>,
}

/// The right to use a number of threads for a file, until it is dropped.
pub(crate) struct Permit<'a> {
    pub(crate) threads: NonZeroUsize,
    _large: Option<MutexGuard<'a, ()>>,
}

impl Cores {
    pub(crate) fn new(inputs: &InputArgs) -> Self {
        Self { threads: inputs.threads(), is_single: inputs.is_single(), large: Mutex::new(()) }
    }

    /// Waits until a file of `length` bytes may be processed. In a run of several files, a file of unknown length counts as small:
    /// most are empty, and the others must not wait for a pipe.
    pub(crate) fn acquire(&self, length: Option<u64>) -> Permit<'_> {
        // A single segment keeps one thread busy.
        if length.map_or(!self.is_single, |length| length <= SEGMENT as u64) {
            return Permit { threads: NonZeroUsize::MIN, _large: None };
        }
        let large = self.large.lock().unwrap_or_else(PoisonError::into_inner);
        Permit { threads: self.threads, _large: Some(large) }
    }
}
