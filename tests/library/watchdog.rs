//! A time limit, so that a deadlock fails a test instead of hanging it.

use std::{sync::mpsc, thread, time::Duration};

/// Runs `work` in a thread, and panics if it takes longer than two minutes.
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
