//! Room in memory for what is allocated without asking.

/// Bytes that are left for everything that is small.
const SPARED: usize = 1 << 20;

/// Bytes of stack of a thread, and of what the system allocates for it.
const THREAD: usize = 3 << 20;

/// Whether the system grants `bytes` more, and a little besides. Nothing is kept of it.
#[must_use]
pub(crate) fn is_granted(bytes: usize) -> bool {
    Vec::<u8>::new().try_reserve_exact(bytes + SPARED).is_ok()
}

/// Whether the system grants another thread and `bytes` for it. Without them the thread could start, and the program be aborted.
#[must_use]
pub(crate) fn has_room_for_thread(bytes: usize) -> bool {
    is_granted(THREAD + bytes)
}
