//! What the program gives up before it reads a key, so that not even a fault in it could send one anywhere. The only file
//! that names seccompiler and libc.
//!
//! Nothing here is needed for correct work: where the system lacks it, the program does without.

use anyhow::{Result, bail};

use super::system;

/// Keeps the memory private, and refuses network sockets from now on, here and in the plugins that are started.
///
/// # Errors
///
/// If the system has no way to refuse them.
pub(super) fn before_keys() -> Result<()> {
    system::keep_memory_private();
    refuse_network_sockets()
}

/// What is refused fails with `EPERM`; everything else goes on. Unix sockets stay, for they reach no other machine, and
/// plugins find agents and card readers through them.
///
/// The filter cannot be taken off, and the system grants it only to who also forgoes new privileges: a plugin that is
/// set-user-ID runs without that. A plugin for another kind of processor, such as a 32-bit one, is killed at its first
/// call, since its calls have other numbers.
#[cfg(target_os = "linux")]
#[allow(clippy::useless_conversion, reason = "the numbers have other widths elsewhere")]
fn refuse_network_sockets() -> Result<()> {
    use libc::{AF_UNIX, EPERM, SYS_io_uring_setup, SYS_socket, SYS_socketpair};
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
        TargetArch, apply_filter_all_threads,
    };

    /// On x86-64, the same calls have a second number each.
    const X32: i64 = 0x4000_0000;

    let processor = if cfg!(target_arch = "x86_64") {
        TargetArch::x86_64
    } else if cfg!(target_arch = "aarch64") {
        TargetArch::aarch64
    } else {
        bail!("there is no filter for this kind of processor");
    };
    let family = u64::from(AF_UNIX.unsigned_abs());
    let not_unix = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)?;
    let not_unix = vec![SeccompRule::new(vec![not_unix])?];
    // A ring opens sockets without calling socket(2). No rules: always refused.
    let refused = [(SYS_socket, not_unix.clone()), (SYS_socketpair, not_unix), (SYS_io_uring_setup, Vec::new())];
    let rules = refused.into_iter().flat_map(|(call, rules)| {
        let call = i64::from(call);
        [(call, rules.clone()), (call | X32, rules)]
    });
    let refuse = SeccompAction::Errno(EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules.collect(), SeccompAction::Allow, refuse, processor)?;
    Ok(apply_filter_all_threads(&BpfProgram::try_from(filter)?)?)
}

#[cfg(not(target_os = "linux"))]
fn refuse_network_sockets() -> Result<()> {
    bail!("this system has no filter for system calls")
}
