//! Gives up rights, so that not even a fault in the program can send a key anywhere: network sockets before it reads a key,
//! and all other files once those that it works on are open. The owner of seccompiler, landlock and libc.
//!
//! Nothing here is needed for correct work: where the system lacks it, the program runs without.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Result, bail};

#[cfg(target_os = "linux")]
use crate::cli::platform::signals;

/// Refuses network sockets from now on, in this process and in its children.
///
/// A refused call fails with `EPERM`. Unix sockets stay: they reach no other machine, and plugins find agents and card
/// readers through them.
///
/// The filter cannot be removed, and the system demands that the process renounces new privileges first, so set-user-ID
/// plugins run without theirs. A plugin for another architecture, such as a 32-bit one, is killed at its first system call.
///
/// # Errors
///
/// If the system has no such filter.
#[cfg(target_os = "linux")]
#[allow(clippy::useless_conversion, reason = "the numbers have other widths elsewhere")]
pub(crate) fn refuse_network_sockets() -> Result<()> {
    use libc::{AF_UNIX, EPERM, SYS_io_uring_setup, SYS_socket, SYS_socketpair};
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
        TargetArch, apply_filter_all_threads,
    };

    /// On x86-64, each call has a second number.
    const X32: i64 = 0x4000_0000;

    let processor = if cfg!(target_arch = "x86_64") {
        TargetArch::x86_64
    } else if cfg!(target_arch = "aarch64") {
        TargetArch::aarch64
    } else {
        bail!("there is no filter for this processor architecture");
    };
    let family = u64::from(AF_UNIX.unsigned_abs());
    let not_unix = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)?;
    let not_unix = vec![SeccompRule::new(vec![not_unix])?];
    // An io_uring opens sockets without calling socket(2). No rules means always refused.
    let refused = [(SYS_socket, not_unix.clone()), (SYS_socketpair, not_unix), (SYS_io_uring_setup, Vec::new())];
    let rules = refused.into_iter().flat_map(|(call, rules)| {
        let call = i64::from(call);
        [(call, rules.clone()), (call | X32, rules)]
    });
    let refuse = SeccompAction::Errno(EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules.collect(), SeccompAction::Allow, refuse, processor)?;
    apply_filter_all_threads(&BpfProgram::try_from(filter)?)?;
    NETWORK_IS_REFUSED.store(true, Ordering::Relaxed);
    Ok(())
}

static NETWORK_IS_REFUSED: AtomicBool = AtomicBool::new(false);

/// Whether this process has no network sockets, so that the programs that it starts have none either.
pub(crate) fn network_is_refused() -> bool {
    NETWORK_IS_REFUSED.load(Ordering::Relaxed)
}

/// Does nothing.
///
/// # Errors
///
/// Always.
#[cfg(not(target_os = "linux"))]
pub(crate) fn refuse_network_sockets() -> Result<()> {
    bail!("this system has no filter for system calls")
}

/// From now on, this thread, those that it starts and the one that handles signals can open and create no file and run no program. What is open stays
/// open. In `folders`, files can still be linked, renamed and removed, and the folders synced.
///
/// # Errors
///
/// If the system cannot enforce that; then nothing has changed.
#[cfg(target_os = "linux")]
pub(crate) fn refuse_other_files(folders: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<()> {
    use landlock::{
        ABI, Access, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
    };

    // Older kernels know fewer access rights, and enforce those that they know.
    let mut rules = Ruleset::default().handle_access(AccessFs::from_all(ABI::V5))?.create()?;
    // `Refer`: linking a file without a name counts as moving it between folders on some file systems.
    let commit = AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Refer | AccessFs::ReadDir;
    for folder in folders {
        rules = rules.add_rule(PathBeneath::new(PathFd::new(folder)?, commit))?;
    }
    if rules.restrict_self()?.ruleset == RulesetStatus::NotEnforced {
        bail!("this system has no Landlock");
    }
    signals::watch_confined();
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn refuse_other_files(_: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<()> {
    bail!("this system has no Landlock");
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{
        fs::{self, File},
        io::{ErrorKind, Read, Write},
        process::Command,
        thread,
    };

    use super::*;
    use crate::{cli::platform, requirements::skip};

    #[test]
    fn nothing_else_can_be_opened_once_other_files_are_refused() {
        let (ours, other) =
            (tempfile::tempdir().expect("it can be made"), tempfile::tempdir().expect("it can be made"));
        let place = |name| ours.path().join(name);
        fs::write(place("input"), "input").expect("the folder takes it");
        fs::write(other.path().join("key"), "secret").expect("the folder takes it");
        let mut input = File::open(place("input")).expect("it is there");
        let mut output = platform::create_unnamed(ours.path()).expect("this file system can");

        // The ruleset binds a thread, and this one has no other purpose.
        let closed = || {
            let refused =
                |result: std::io::Result<()>| result.map_err(|error| error.kind()) == Err(ErrorKind::PermissionDenied);
            if let Err(missing) = refuse_other_files([ours.path()]) {
                return skip(&missing.to_string());
            }
            for path in [other.path().join("key"), place("input"), "/proc/self/environ".into(), "/dev/tty".into()] {
                assert!(refused(File::open(&path).map(drop)), "{}", path.display());
            }
            assert!(refused(fs::read_dir(other.path()).map(drop)));
            assert!(refused(File::create(other.path().join("new")).map(drop)));
            assert!(refused(File::create(place("new")).map(drop)));
            assert!(refused(fs::write(place("input"), "other")));
            assert!(refused(fs::remove_file(other.path().join("key"))));
            assert!(refused(platform::link(&output, &other.path().join("linked"))));
            assert!(refused(Command::new("true").status().map(drop)));

            // What the work needs.
            let mut text = String::new();
            input.read_to_string(&mut text).expect("it was open");
            output.write_all(text.as_bytes()).expect("it was open");
            platform::link(&output, &place("linked")).expect("its folder may");
            fs::rename(place("linked"), place("input")).expect("its folder may");
            File::open(ours.path()).and_then(|folder| folder.sync_all()).expect("its folder may");
        };
        thread::scope(|scope| scope.spawn(closed).join().expect("all is as it should be"));
    }
}
