//! The progress bar. The only file that names indicatif.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::args::{Talk, When};

/// Work that takes less shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Where standard error is no terminal, it may be a log.
const FRAMES_PER_SECOND: u8 = 2;
/// Columns of the bar where there is no terminal that has some.
const COLUMNS: u16 = 80;

/// The progress of one file.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When the payload's turn came; unset while keys are asked for and tried.
    start: OnceLock<Instant>,
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
        Self { bar, start: OnceLock::new(), patience, settled: AtomicBool::new(!shown) }
    }

    /// From now on, time counts: what is read is payload, and nobody is asked anything.
    pub(crate) fn begin(&self) {
        self.start.get_or_init(|| {
            self.bar.reset_elapsed();
            Instant::now()
        });
    }

    /// Counts bytes that were read.
    pub(crate) fn add(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
        if !self.settled.load(Ordering::Relaxed)
            && self.start.get().is_some_and(|start| start.elapsed() >= self.patience)
            && !self.settled.swap(true, Ordering::Relaxed)
        {
            self.bar.set_draw_target(if io::stderr().is_terminal() {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::term_like_with_hz(Box::new(NoTerminal), FRAMES_PER_SECOND)
            });
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

/// Standard error that is a pipe or a file, for `--progress always`: the bar is one line that is written over, as `pv -f` does.
#[derive(Debug)]
struct NoTerminal;

impl TermLike for NoTerminal {
    fn width(&self) -> u16 {
        COLUMNS
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        writeln!(io::stderr(), "{text}")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        io::stderr().write_all(text.as_bytes())
    }

    fn clear_line(&self) -> io::Result<()> {
        write!(io::stderr(), "\r{:width$}\r", "", width = usize::from(COLUMNS))
    }

    fn flush(&self) -> io::Result<()> {
        io::stderr().flush()
    }
}
