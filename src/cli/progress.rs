//! The progress bar. The only file that names indicatif.

use std::{
    io::{self, IsTerminal},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{Talk, When};

/// Work that takes less shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// The progress of one file.
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Instant,
    patience: Duration,
    /// Whether nothing is left to decide: the bar is drawn, or never will be.
    settled: AtomicBool,
}

impl Progress {
    /// Progress through `length` bytes, or through an unknown number of them, of the file called `name`.
    pub(crate) fn new(talk: &Talk, name: &str, length: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        let shown = match talk.progress {
            When::Auto => !talk.quiet && io::stderr().is_terminal(),
            When::Always => true,
            When::Never => false,
        };
        if shown {
            let template = if length.is_some() {
                "{wide_msg} {percent:>3}% {bar:20} {bytes}/{total_bytes} {bytes_per_sec} {eta} left"
            } else {
                "{wide_msg} {bytes} {bytes_per_sec} {elapsed}"
            };
            bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
            bar.set_message(name.to_owned());
        }
        let patience = if talk.progress == When::Always { Duration::ZERO } else { PATIENCE };
        Self { bar, start: Instant::now(), patience, settled: AtomicBool::new(!shown) }
    }

    /// Counts bytes that were read.
    pub(crate) fn add(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
        if !self.settled.load(Ordering::Relaxed)
            && self.start.elapsed() >= self.patience
            && !self.settled.swap(true, Ordering::Relaxed)
        {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            // Draws on its own, so that a stalled pipe still shows its elapsed time.
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
    }
}

impl Drop for Progress {
    /// Clears the bar, so that messages stand alone.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
