//! The parallel core: moves bytes from a source to a sink through a step, on many threads. No cryptography.

pub(crate) mod endpoints;
mod page_buffer;
pub(crate) mod pipeline;
pub(crate) mod sequencer;

/// The locks of [`sequencer`]. Its model has others under this name.
mod sync {
    pub(super) use std::sync::{Condvar, Mutex};
}
