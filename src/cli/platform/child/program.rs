//! A program that was started by this process or by its launcher.

use std::{
    ffi::OsStr,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

#[cfg(target_os = "linux")]
use crate::cli::platform::child::{descendants::Descendants, launcher::Launcher};

/// Time for a program to end after it was told to.
const GRACE: Duration = Duration::from_millis(500);
/// The longest pause between two looks at whether a program has ended.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// A program that has been started.
pub(super) enum Program {
    Own(Child),
    #[cfg(target_os = "linux")]
    Launched(&'static Launcher),
}

/// The command for the program at `path`: with pipes, in the root folder, where other users cannot leave files for it to find.
pub(super) fn command(path: &OsStr, argument: &OsStr) -> Command {
    let mut command = Command::new(path);
    command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if cfg!(unix) {
        command.current_dir("/");
    }
    command
}

impl Program {
    /// How the program ended, if it did.
    pub(super) fn exit(&mut self) -> Option<ExitStatus> {
        match self {
            Self::Own(child) => child.try_wait().ok().flatten(),
            #[cfg(target_os = "linux")]
            Self::Launched(launcher) => launcher.exit(),
        }
    }

    /// Ends the program if it still runs, and its children.
    pub(super) fn end(&mut self) {
        match self {
            Self::Own(child) => end(child),
            #[cfg(target_os = "linux")]
            Self::Launched(launcher) => launcher.end(),
        }
    }
}

fn end(child: &mut Child) {
    if !has_ended(child) {
        // Looked for first: once their parent has ended, they cannot be found.
        #[cfg(target_os = "linux")]
        let descendants = Descendants::of(child);
        let end = Instant::now() + GRACE;
        terminate(child);
        #[cfg(target_os = "linux")]
        descendants.terminate();
        while !has_ended(child) && Instant::now() < end {
            thread::sleep(PAUSE);
        }
        // Fails if it has ended.
        let _ = child.kill();
        #[cfg(target_os = "linux")]
        descendants.kill_at(end);
    }
    // No zombie is left.
    let _ = child.wait();
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().is_ok_and(|ended| ended.is_some())
}

/// Asks the program to end.
#[cfg(unix)]
fn terminate(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
}

/// Does nothing: there is no such request here.
#[cfg(windows)]
fn terminate(_: &Child) {}
