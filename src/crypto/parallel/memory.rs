//! Asking for memory before it is used: small allocations are not checked, and a failed one ends the program.

use std::{
    hint::black_box,
    io,
    thread::{Builder, JoinHandle, Scope, ScopedJoinHandle},
};

/// Bytes that are left for small allocations.
const SPARED: usize = 1 << 20;

/// Bytes of stack of a thread, and of what the system allocates for it.
const THREAD: usize = 3 << 20;

/// Whether the system grants `bytes` of memory and a mebibyte more. Keeps nothing allocated.
#[must_use]
pub(crate) fn has_room(bytes: usize) -> bool {
    let mut memory = Vec::<u8>::new();
    let is_granted = memory.try_reserve_exact(bytes + SPARED).is_ok();
    // The compiler removes allocations that nothing uses.
    black_box(&memory);
    is_granted
}

/// Starts a thread.
///
/// # Errors
///
/// [`io::ErrorKind::OutOfMemory`] if the system does not grant its memory; those of [`Builder::spawn`].
pub(crate) fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    check_thread(0)?;
    Builder::new().spawn(work)
}

/// Starts a thread in a scope, which will allocate `bytes`.
///
/// # Errors
///
/// Those of [`spawn`].
pub(crate) fn spawn_scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    bytes: usize,
    work: impl FnOnce() + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, ()>> {
    check_thread(bytes)?;
    Builder::new().spawn_scoped(scope, work)
}

/// A thread that has started without room for its memory would end the program.
fn check_thread(bytes: usize) -> io::Result<()> {
    if has_room(THREAD + bytes) { Ok(()) } else { Err(io::ErrorKind::OutOfMemory.into()) }
}
