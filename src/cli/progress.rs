//! The progress bar. The only file that names indicatif.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
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

/// The bar that may be on the screen, for whoever has something to say beside it.
static ON_SCREEN: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn on_screen() -> MutexGuard<'static, Option<ProgressBar>> {
    ON_SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does what writes to the terminal while the bar is out of the way.
pub(crate) fn aside<T>(write: impl FnOnce() -> T) -> T {
    match &*on_screen() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// The progress of a run, of one file or of many.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When the first payload's turn came; unset while keys are asked for and tried.
    start: OnceLock<Instant>,
    patience: Duration,
    /// Whether nothing is left to decide: the bar is drawn, or never will be.
    settled: AtomicBool,
    opened: AtomicU64,
    done: AtomicU64,
}

impl Progress {
    /// No file yet.
    pub(crate) fn new(talk: &Talk) -> Self {
        let shown = match talk.progress {
            When::Auto => !talk.quiet && io::stderr().is_terminal(),
            When::Always => true,
            When::Never => false,
        };
        let patience = if talk.progress == When::Always { Duration::ZERO } else { PATIENCE };
        Self::with(patience, !shown)
    }

    /// Progress that is never shown.
    pub(crate) fn none() -> Self {
        Self::with(PATIENCE, true)
    }

    fn with(patience: Duration, settled: bool) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            start: OnceLock::new(),
            patience,
            settled: AtomicBool::new(settled),
            opened: AtomicU64::new(0),
            done: AtomicU64::new(0),
        }
    }

    /// A file called `name` comes next, of `length` bytes or of an unknown number of them. Of one file it is known how much is
    /// left, of several how many are done.
    pub(crate) fn open(&self, name: &str, length: Option<u64>) {
        let several = self.opened.fetch_add(1, Ordering::Relaxed) > 0;
        let (length, template) = match length {
            Some(length) if !several => {
                (Some(length), "{wide_msg} {percent:>3}% {bar:20} {bytes}/{total_bytes} {bytes_per_sec} {eta} left")
            }
            _ => (None, "{wide_msg} {bytes} {bytes_per_sec} {elapsed}"),
        };
        if !several || self.opened.load(Ordering::Relaxed) == 2 {
            self.bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
            match length {
                Some(length) => self.bar.set_length(length),
                None => self.bar.unset_length(),
            }
        }
        self.bar.set_message(if several {
            let done = self.done.load(Ordering::Relaxed);
            format!("{done} {} done, {name}", if done == 1 { "file" } else { "files" })
        } else {
            name.to_owned()
        });
    }

    /// A file is done.
    pub(crate) fn done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// What was written is read back now, which has no measure of its own.
    pub(crate) fn read_back(&self, name: &str) {
        self.bar.set_message(format!("reading back {name}"));
    }

    /// The file is read once more than was thought.
    pub(crate) fn again(&self) {
        if let Some(length) = self.bar.length() {
            self.bar.set_length(length * 2);
        }
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
            *on_screen() = Some(self.bar.clone());
            // Draws on its own, so that a stalled pipe still shows its elapsed time.
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
    }
}

impl Drop for Progress {
    /// Clears the bar, so that messages stand alone.
    fn drop(&mut self) {
        on_screen().take_if(|shown| !self.bar.is_hidden() && !shown.is_hidden());
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
