//! Signals: a program that is told to end removes its half-made files first. The only file that names signal-hook.
//!
//! Needed only where half-made files have names; see [`super::pending`].

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, Once},
};

static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn files() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING.lock().expect("nothing panics while it holds this lock")
}

/// Notes a file to be removed should a signal end the program.
pub(super) fn pending(path: &Path) {
    files().insert(path.to_owned());
}

/// Notes that a file is to stay, or is gone.
pub(super) fn settled(path: &Path) {
    files().remove(path);
}

/// From now on, signals that end the program first remove what is [`pending`].
#[cfg(unix)]
pub(super) fn remove_pending_files_on_signals() -> io::Result<()> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };

    static ONCE: Once = Once::new();
    let mut made = Ok(());
    ONCE.call_once(|| {
        // Who started the program may have wanted it to live through some of them, as nohup does.
        let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| !is_ignored(*signal));
        made = Signals::new(wanted).map(|mut signals| {
            std::thread::spawn(move || {
                for signal in signals.forever() {
                    for path in files().iter() {
                        let _ = fs::remove_file(path);
                    }
                    let _ = emulate_default_handler(signal);
                }
            });
        });
    });
    made
}

/// From now on, a write beyond the limit on the size of files fails, instead of ending the program without a word.
#[cfg(unix)]
pub(super) fn report_files_that_are_too_large() {
    // Any handler does: the write that raised the signal then fails, and that is reported. Without one, it kills.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

#[cfg(not(unix))]
pub(super) fn report_files_that_are_too_large() {}

#[cfg(not(unix))]
pub(super) fn remove_pending_files_on_signals() -> io::Result<()> {
    Ok(())
}

/// Whether the signal was ignored when the program started, where the system says so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}
