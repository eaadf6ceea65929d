//! What keys leave on the stack.
//!
//! A key that is returned, moved or worked on leaves copies on the stack, where no destructor reaches them: libraries' as
//! well as ours. There they stay until another call happens to go as deep. So one does, on purpose, as libgcrypt does it.

use std::hint::black_box;


/// Bytes. Nothing that works on keys goes deeper; the tests of what memory forgets would find what it left.
const DEPTH: usize = 48 << 10;

/// Does some work with keys, then overwrites the stack that it used. What it returns is returned by value, and so should
/// hold keys behind a pointer.
pub(crate) fn wiped<T>(work: impl FnOnce() -> T) -> T {
    let result = apart(work);
    overwrite();
    result
}

/// Never inlined: then its frame, and all below it, begin where those of [`overwrite`] do.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn overwrite() {
    let mut stack = [0_u8; DEPTH];
    stack.zeroize();
    black_box(&stack);
}
