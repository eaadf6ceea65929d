//! The programs that run. A signal that ends this program ends them first.

use std::{
    io,
    process::{Child, Command},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

#[cfg(target_os = "linux")]
use crate::cli::platform::child::descendants::Descendants;

/// Time for a program to end after it was told to.
const GRACE: Duration = Duration::from_millis(500);
/// The longest pause between two looks at whether it has ended.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// A program that another thread may end.
pub(super) type Shared = Arc<Mutex<Child>>;

static RUNNING: Mutex<Vec<Shared>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<Shared>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The program, for this thread alone.
pub(super) fn lock(program: &Shared) -> MutexGuard<'_, Child> {
    program.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a program. No signal is handled between starting and registering it.
pub(super) fn start(command: &mut Command) -> io::Result<Shared> {
    let mut running = running();
    let program = Arc::new(Mutex::new(command.spawn()?));
    running.push(program.clone());
    Ok(program)
}

/// Ends a program and unregisters it. Once a signal has begun to end this program, this never returns: nobody should report
/// that a program ended which was told to.
pub(super) fn finish(program: &Shared) {
    end(&mut lock(program));
    running().retain(|other| !Arc::ptr_eq(other, program));
}

/// Ends all programs. As long as the result lives, none is started and none is finished.
pub(in crate::cli::platform) fn end_all() -> impl Sized {
    let running = running();
    for program in &*running {
        end(&mut lock(program));
    }
    running
}

/// Ends a program that still runs, and its children.
fn end(program: &mut Child) {
    if !has_ended(program) {
        // Looked for first: once their parent has ended, they are nobody's.
        #[cfg(target_os = "linux")]
        let descendants = Descendants::of(program);
        let end = Instant::now() + GRACE;
        terminate(program);
        #[cfg(target_os = "linux")]
        descendants.terminate();
        while !has_ended(program) && Instant::now() < end {
            thread::sleep(PAUSE);
        }
        // Fails if it has ended.
        let _ = program.kill();
        #[cfg(target_os = "linux")]
        descendants.kill_at(end);
    }
    // No zombie is left.
    let _ = program.wait();
}

fn has_ended(program: &mut Child) -> bool {
    program.try_wait().is_ok_and(|ended| ended.is_some())
}

/// Asks the program to end.
#[cfg(unix)]
fn terminate(program: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let _ = kill_process(Pid::from_child(program), Signal::TERM);
}

/// Does nothing: there is no such request here.
#[cfg(windows)]
fn terminate(_: &Child) {}
