//! Room in memory for what is allocated without asking.

use std::hint::black_box;

/// Bytes that are left for everything that is small.
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

/// Whether the system grants another thread and `bytes` for it. Without them the thread could start, and the program be aborted.
#[must_use]
pub(crate) fn has_room_for_thread(bytes: usize) -> bool {
    has_room(THREAD + bytes)
}
