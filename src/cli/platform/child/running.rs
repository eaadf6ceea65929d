//! The programs that run. A signal that ends this process ends them first.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::cli::platform::child::program::Program;

/// A program that another thread may end.
pub(super) type Shared = Arc<Mutex<Program>>;

static RUNNING: Mutex<Vec<Shared>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<Shared>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program, for this thread alone.
pub(super) fn lock(program: &Shared) -> MutexGuard<'_, Program> {
    program.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a program, and returns it with what `start` gives besides. No signal is handled between starting and registering it.
pub(super) fn start<T>(start: impl FnOnce() -> io::Result<(Program, T)>) -> io::Result<(Shared, T)> {
    let mut running = running();
    let (program, pipes) = start()?;
    let program = Arc::new(Mutex::new(program));
    running.push(program.clone());
    Ok((program, pipes))
}

/// Ends a program and unregisters it. Once a signal has begun to end this process, this never returns, so that the end of the
/// program is not reported as its failure.
pub(super) fn finish(program: &Shared) {
    lock(program).end();
    running().retain(|other| !Arc::ptr_eq(other, program));
}

/// Ends all programs. As long as the result lives, none is started and none is finished.
pub(in crate::cli::platform) fn end_all() -> impl Sized {
    let running = running();
    for program in &*running {
        lock(program).end();
    }
    running
}
