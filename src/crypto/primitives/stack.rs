//! Clears the copies of keys that function calls leave on the stack.
//!
//! Returning, moving or computing with a key copies parts of it to the stack, in libraries' code as well as ours. No
//! destructor reaches these copies, and they stay until a later call happens to use the same memory. So the stack is
//! overwritten on purpose after every operation on keys, as libgcrypt does.

use std::hint::black_box;

use crate::crypto::secrecy::Zeroize;

/// Bytes of stack that are overwritten.
///
/// No operation on keys uses more. `tests/cli/memory_forgets.rs` finds what is left if one does.
const DEPTH: usize = 48 << 10;

/// Runs `work`, then overwrites the stack it used.
///
/// The result is returned by value and may be copied on the way. A type that holds a key must therefore keep it in a
/// heap allocation.
pub(crate) fn wipe_stack_after<T>(work: impl FnOnce() -> T) -> T {
    let result = call(work);
    overwrite();
    result
}

/// Calls `work` in a frame of its own.
///
/// Never inlined, so that this frame starts where the frame of [`overwrite`] starts.
#[inline(never)]
fn call<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Overwrites [`DEPTH`] bytes of stack with zeros.
#[inline(never)]
fn overwrite() {
    // Zeroized one word at a time: by bytes it would take as long as a key agreement.
    let mut stack = [0_u64; DEPTH / size_of::<u64>()];
    stack.zeroize();
    black_box(&stack);
}
