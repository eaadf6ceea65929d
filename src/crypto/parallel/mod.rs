//! Moves bytes from a source to a sink and processes them on several threads. Contains no cryptography.

pub(crate) mod endpoints;
mod input;
pub(crate) mod memory;
pub(crate) mod page_buffer;
pub(crate) mod pipeline;
pub(crate) mod sequencer;
pub(crate) mod wanted;

/// The locks that [`sequencer`] uses. Its model test provides loom's under this name.
mod sync {
    pub(super) use std::sync::{Condvar, Mutex};
}
