//! The processes that a program started, directly or not.

use std::{fs, os::fd::OwnedFd, process::Child, time::Instant};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, getpgid, pidfd_open, pidfd_send_signal},
};

/// The most that are looked for.
const MOST: usize = 1000;

/// The processes that ran when they were looked for. Held by descriptors, since a number may soon be that of another process.
pub(super) struct Descendants(Vec<OwnedFd>);

impl Descendants {
    /// Those in the program's process group: others are daemons, which are to outlive it.
    pub(super) fn of(program: &Child) -> Self {
        let program = Pid::from_child(program);
        let group = getpgid(Some(program)).ok();
        let (mut found, mut held) = (vec![program], Vec::new());
        let mut next = 0;
        while let Some(pid) = found.get(next)
            && found.len() < MOST
        {
            let threads = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero()));
            next += 1;
            for thread in threads.into_iter().flatten().flatten() {
                let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
                let children = children.split_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?));
                for child in children.filter(|child| getpgid(Some(*child)).ok() == group) {
                    found.push(child);
                    held.extend(pidfd_open(child, PidfdFlags::empty()));
                }
            }
        }
        Self(held)
    }

    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Kills those that have not ended by then.
    pub(super) fn kill_at(&self, end: Instant) {
        for process in &self.0 {
            // The descriptor of a process becomes readable when that ends.
            let left = end.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).expect("it is short");
            let _ = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&left));
        }
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        for process in &self.0 {
            let _ = pidfd_send_signal(process, signal);
        }
    }
}
