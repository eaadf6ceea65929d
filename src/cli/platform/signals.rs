//! Signals: before one ends the program, plugins are ended, half-made files with names are removed, and the terminal gets its
//! echo back. The owner of signal-hook, and of ctrlc, which does the same on Windows.

#[cfg(windows)]
use std::sync::Once;
#[cfg(unix)]
use std::sync::{Arc, OnceLock, mpsc};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, MutexGuard},
};

use crate::cli::platform::child::running;
#[cfg(unix)]
use crate::{cli::platform::hidden_input, crypto::spawn};

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
/// terminal. One that suspends it restores the terminal until the program is continued. Calls after the first do nothing.
///
/// # Errors
///
/// If the handlers cannot be installed.
#[cfg(unix)]
pub(crate) fn clean_up_on_signals() -> io::Result<()> {
    let watcher = WATCHER.lock().expect("nothing panics while it holds this lock");
    if watcher.is_some() { Ok(()) } else { watch(watcher) }
}

/// The thread that handles signals, while there is one.
#[cfg(unix)]
static WATCHER: Mutex<Option<signal_hook::iterator::Handle>> = Mutex::new(None);

/// Starts a thread that handles signals, and ends the one before, if there is one.
#[cfg(unix)]
fn watch(mut watcher: MutexGuard<'_, Option<signal_hook::iterator::Handle>>) -> io::Result<()> {
    use signal_hook::{
        consts::{
            SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
        },
        iterator::Signals,
    };

    /// Those that end a program unless it handles them, and that say nothing bad of it, then those that stop and continue it.
    const ALL: [i32; 12] =
        [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGTSTP, SIGCONT];

    /// The signals to handle, found while the system still lets the program look.
    static WANTED: OnceLock<Vec<i32>> = OnceLock::new();

    // The thread comes first: without one, signals would be caught and nobody would act on them.
    let (sender, receiver) = mpsc::channel::<Signals>();
    spawn(move || {
        let Ok(mut signals) = receiver.recv() else { return };
        signals.forever().for_each(|signal| match signal {
            SIGTSTP => suspend(),
            SIGCONT => hidden_input::resume(),
            _ => end(signal),
        });
    })?;
    // The parent may have wanted the program to survive some of them, as nohup does.
    let wanted = WANTED.get_or_init(|| {
        let ignored = ignored();
        ALL.into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0).collect()
    });
    let signals = Signals::new(wanted)?;
    let before = watcher.replace(signals.handle());
    let _ = sender.send(signals);
    before.iter().for_each(signal_hook::iterator::Handle::close);
    Ok(())
}

/// Has signals handled by a thread with the rights that the calling thread has now, if a thread handles them already.
#[cfg(target_os = "linux")]
pub(super) fn watch_confined() {
    let watcher = WATCHER.lock().expect("nothing panics while it holds this lock");
    if watcher.is_some() {
        // Without another thread, the one before stays.
        let _ = watch(watcher);
    }
}

fn remove_all(temporary: &BTreeSet<PathBuf>) {
    for path in temporary {
        let _ = fs::remove_file(path);
    }
}

/// Ends plugins, removes temporary files, restores the terminal, and exits with `status`.
pub(crate) fn exit(status: i32) -> ! {
    // Held to the end, so that no file is created that nobody removes.
    let temporary = temporary();
    remove_all(&temporary);
    #[cfg(unix)]
    hidden_input::restore();
    let _running = running::end_all();
    process::exit(status)
}

/// Restores the terminal while the program is suspended.
#[cfg(unix)]
fn suspend() {
    hidden_input::restore();
    // Unlike SIGSTOP, this signal suspends nothing that no shell would continue. Sent to this thread, it takes effect here.
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGTTIN);
    hidden_input::resume();
}

/// Ends plugins, removes temporary files, restores the terminal, and ends the program as the signal would have.
#[cfg(unix)]
fn end(signal: i32) {
    // Held to the end, so that no file is created that nobody removes.
    let temporary = temporary();
    remove_all(&temporary);
    hidden_input::restore();
    let _running = running::end_all();
    let _ = signal_hook::low_level::emulate_default_handler(signal);
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

/// Returns a bit for each signal that was ignored when the program started, the lowest for signal 1. None where the system does not
/// say.
#[cfg(target_os = "linux")]
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| mask(line.strip_prefix("SigIgn:")?)).unwrap_or(0)
}

/// The same where there is no `/proc`, as on macOS. `sigaction` would tell, but no crate offers a safe way to call it, so this asks
/// `ps`, which takes some milliseconds.
#[cfg(all(unix, any(test, not(target_os = "linux"))))]
fn ignored_according_to_ps() -> u64 {
    let mut ps = process::Command::new("/bin/ps");
    ps.args(["-o", "ignored=", "-p", &process::id().to_string()]).env_clear();
    ps.stdin(process::Stdio::null()).stderr(process::Stdio::null());
    let said = ps.output().map(|output| output.stdout).unwrap_or_default();
    str::from_utf8(&said).ok().and_then(mask).unwrap_or(0)
}

#[cfg(all(unix, not(target_os = "linux")))]
use ignored_according_to_ps as ignored;

#[cfg(unix)]
fn mask(hexadecimal: &str) -> Option<u64> {
    u64::from_str_radix(hexadecimal.trim(), 16).ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn ps_says_the_same_as_proc() {
        if Path::new("/bin/ps").exists() {
            // The standard library has every program ignore SIGPIPE, so that there is something to find.
            assert_ne!(ignored(), 0);
            assert_eq!(ignored_according_to_ps(), ignored());
        }
    }
}
