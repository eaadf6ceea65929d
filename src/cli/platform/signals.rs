//! Signals: before one ends the program, plugins are ended, half-made files with names are removed, and the terminal gets its
//! echo back. The owner of signal-hook, and of ctrlc, which does the same on Windows.

#[cfg(unix)]
use std::sync::Arc;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, MutexGuard, Once},
};

use crate::cli::platform::child::running;
#[cfg(unix)]
use crate::cli::platform::unix::TerminalState;

/// Files to remove if the program ends early.
static TEMPORARY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn temporary() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    TEMPORARY.lock().expect("nothing panics while it holds this lock")
}

/// Creates a file that is removed if a signal ends the program. No signal is handled between creating and registering it.
///
/// # Errors
///
/// Those of `create`.
pub(crate) fn create_temporary<T>(path: &Path, create: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let mut temporary = temporary();
    let created = create(path)?;
    temporary.insert(path.to_owned());
    Ok(created)
}

/// Unregisters a file that [`create_temporary`] created: it was renamed, and stays.
pub(crate) fn keep(path: &Path) {
    temporary().remove(path);
}

/// From now on, signals that end the program first end its plugins, remove [temporary](create_temporary) files and restore the
/// terminal's [`Echo`]. Calls after the first do nothing.
///
/// # Errors
///
/// If the handlers cannot be installed.
#[cfg(unix)]
pub(crate) fn clean_up_on_signals() -> io::Result<()> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };

    static ONCE: Once = Once::new();
    let mut installed = Ok(());
    ONCE.call_once(|| {
        // The parent may have wanted the program to survive some of them, as nohup does.
        let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
        installed = Signals::new(wanted).map(|mut signals| {
            std::thread::spawn(move || {
                signals.forever().for_each(end);
            });
        });
    });
    installed
}

fn remove_all(temporary: &BTreeSet<PathBuf>) {
    for path in temporary {
        let _ = fs::remove_file(path);
    }
}

/// Ends plugins, removes temporary files and exits with `status`.
pub(crate) fn exit(status: i32) -> ! {
    // Held to the end, so that no file is created that nobody removes.
    let temporary = temporary();
    remove_all(&temporary);
    let _running = running::end_all();
    process::exit(status)
}

/// Ends plugins, removes temporary files, restores the terminal, and ends the program as the signal would have.
#[cfg(unix)]
fn end(signal: i32) {
    // Held to the end, so that no file is created that nobody removes.
    let temporary = temporary();
    remove_all(&temporary);
    let _running = running::end_all();
    restore_echo();
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// Ends the program because Ctrl-C was read as a character, unless the parent wanted interrupts to be ignored.
#[cfg(unix)]
pub(crate) fn end_by_interrupt() {
    use signal_hook::consts::SIGINT;
    if !is_ignored(SIGINT) {
        end(SIGINT);
    }
}

/// Does nothing: Ctrl-C is never read as a character here.
#[cfg(not(unix))]
pub(crate) fn end_by_interrupt() {}

/// The terminal's settings before a prompt turned its echo off.
#[cfg(unix)]
static BEFORE_PROMPT: Mutex<Option<TerminalState>> = Mutex::new(None);

#[cfg(unix)]
fn restore_echo() {
    if let Some(state) = BEFORE_PROMPT.lock().expect("nothing panics while it holds this lock").as_ref() {
        state.restore();
    }
}

/// While it lives, a signal that ends the program restores the terminal's settings.
pub(crate) struct Echo;

impl Echo {
    /// Remembers the settings of the terminal, if there is one.
    ///
    /// # Errors
    ///
    /// Those of [`clean_up_on_signals`].
    pub(crate) fn guard() -> io::Result<Self> {
        clean_up_on_signals()?;
        #[cfg(unix)]
        {
            *BEFORE_PROMPT.lock().expect("nothing panics while it holds this lock") = TerminalState::now();
        }
        Ok(Self)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        #[cfg(unix)]
        BEFORE_PROMPT.lock().expect("nothing panics while it holds this lock").take();
    }
}

/// From now on, a write beyond the limit on file sizes fails, instead of killing the program silently.
#[cfg(unix)]
pub(crate) fn fail_on_file_size_limit() {
    // Any handler will do: the write that raised SIGXFSZ then fails with EFBIG, which is reported.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Does nothing: there is no such signal here.
#[cfg(not(unix))]
pub(crate) fn fail_on_file_size_limit() {}

/// From now on, Ctrl-C first ends plugins and removes [temporary](create_temporary) files. Calls after the first do nothing.
///
/// # Errors
///
/// If the handler cannot be installed.
#[cfg(windows)]
pub(crate) fn clean_up_on_signals() -> io::Result<()> {
    /// `STATUS_CONTROL_C_EXIT`, the status of a program that Ctrl-C ended.
    const ENDED: i32 = 0xc000_013a_u32.cast_signed();

    static ONCE: Once = Once::new();
    let mut installed = Ok(());
    ONCE.call_once(|| {
        installed = ctrlc::set_handler(|| exit(ENDED));
    });
    installed.map_err(io::Error::other)
}

/// Whether the signal was ignored when the program started. False where the system does not say.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}
