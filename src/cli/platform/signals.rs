//! Signals: a program that is told to end first removes its half-made files, where these have names (see
//! [`super::pending`]), and lets a terminal echo again that is asking a question. The only file that names signal-hook, and
//! ctrlc, which does it on Windows.

#[cfg(unix)]
use std::sync::Arc;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, MutexGuard, Once},
};

#[cfg(unix)]
use crate::cli::platform::TerminalState;

static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn files() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING.lock().expect("nothing panics while it holds this lock")
}

/// Makes a file that is removed should a signal end the program. No signal comes between the making and the noting.
pub(crate) fn making<T>(path: &Path, make: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let mut files = files();
    let made = make(path)?;
    files.insert(path.to_owned());
    Ok(made)
}

/// Notes that a file is to stay.
pub(crate) fn settled(path: &Path) {
    files().remove(path);
}

/// From now on, signals that end the program first remove what is in the [`making`] and restore the [`Echo`].
#[cfg(unix)]
pub(crate) fn tidy_up_on_signals() -> io::Result<()> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };

    static ONCE: Once = Once::new();
    let mut made = Ok(());
    ONCE.call_once(|| {
        // Who started the program may have wanted it to live through some of them, as nohup does.
        let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
        made = Signals::new(wanted).map(|mut signals| {
            std::thread::spawn(move || {
                signals.forever().for_each(end);
            });
        });
    });
    made
}

fn remove(pending: &BTreeSet<PathBuf>) {
    for path in pending {
        let _ = fs::remove_file(path);
    }
}

/// Ends the program with that status, and leaves nothing behind.
pub(crate) fn exit(status: i32) -> ! {
    // Held to the end, so that no file comes into being that nobody removes.
    let pending = files();
    remove(&pending);
    process::exit(status)
}

/// Ends the program as the signal would, and leaves nothing behind.
#[cfg(unix)]
fn end(signal: i32) {
    // Held to the end, so that no file comes into being that nobody removes.
    let pending = files();
    remove(&pending);
    restore_echo();
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// Ends the program for a Ctrl-C that was read as a character, unless who started it wanted it to live through those, as far
/// as the system tells.
#[cfg(unix)]
pub(crate) fn interrupted() {
    use signal_hook::consts::SIGINT;
    if !is_ignored(SIGINT) {
        end(SIGINT);
    }
}

#[cfg(not(unix))]
pub(crate) fn interrupted() {}

/// The terminal as it was before a question turned its echo off.
#[cfg(unix)]
static ECHO: Mutex<Option<TerminalState>> = Mutex::new(None);

#[cfg(unix)]
fn restore_echo() {
    if let Some(echoing) = ECHO.lock().expect("nothing panics while it holds this lock").as_ref() {
        echoing.restore();
    }
}

/// While it lives, a signal that ends the program leaves the terminal as it was.
pub(crate) struct Echo;

impl Echo {
    /// Notes how the terminal is, if there is one.
    pub(crate) fn guard() -> io::Result<Self> {
        tidy_up_on_signals()?;
        #[cfg(unix)]
        {
            *ECHO.lock().expect("nothing panics while it holds this lock") = TerminalState::now();
        }
        Ok(Self)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        #[cfg(unix)]
        ECHO.lock().expect("nothing panics while it holds this lock").take();
    }
}

/// From now on, a write beyond the limit on the size of files fails, instead of ending the program without a word.
#[cfg(unix)]
pub(crate) fn report_files_that_are_too_large() {
    // Any handler does: the write that raised the signal then fails, and that is reported. Without one, it kills.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

#[cfg(not(unix))]
pub(crate) fn report_files_that_are_too_large() {}

#[cfg(windows)]
pub(crate) fn tidy_up_on_signals() -> io::Result<()> {
    /// What a program's status is that Ctrl-C ended: STATUS_CONTROL_C_EXIT.
    const ENDED: i32 = 0xc000_013a_u32.cast_signed();

    static ONCE: Once = Once::new();
    let mut made = Ok(());
    ONCE.call_once(|| {
        made = ctrlc::set_handler(|| exit(ENDED));
    });
    made.map_err(io::Error::other)
}

/// Whether the signal was ignored when the program started, where the system says so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}
