//! Deadlocks must fail a test, not stop it.

use std::{sync::mpsc, thread, time::Duration};

/// Runs `work` in a thread, and fails if it does not end.
pub(crate) fn within_two_minutes(work: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let worker = thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    if ended.recv_timeout(Duration::from_secs(120)) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("deadlock");
    }
    worker.join().expect("the work does not panic");
}
