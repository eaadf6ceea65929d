//! The progress bar. The only file that names indicatif.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::cli::{
    args::{Talk, When},
    platform,
};

/// Work that takes less shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Where standard error is no terminal, it may be a log.
const FRAMES_PER_SECOND: u8 = 2;
/// Columns of the bar where there is no terminal that has some.
const COLUMNS: u16 = 80;
/// In fewer columns, there is no room for all of it.
const NARROW: u16 = 72;

/// The bar that may be on the screen, for whoever has something to say beside it.
static ON_SCREEN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Does what writes to the terminal while the bar is out of the way.
pub(crate) fn aside<T>(write: impl FnOnce() -> T) -> T {
    match &*lock(&ON_SCREEN) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// How many files there are to read, and how many bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Total {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// What adds up a total, which may take a walk through a large folder.
type Measure = Box<dyn FnOnce() -> Option<Total> + Send>;

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
    /// Not needed before the bar is drawn.
    measure: Mutex<Option<Measure>>,
    /// Of several files, once it is known.
    total: Arc<Mutex<Option<Total>>>,
}

impl Progress {
    /// The progress of one file.
    pub(crate) fn new(talk: &Talk) -> Self {
        Self::of_many(talk, || None)
    }

    /// The progress of as many files as `measure` finds, which is asked beside the work, and only if somebody sees the bar.
    pub(crate) fn of_many(talk: &Talk, measure: impl FnOnce() -> Option<Total> + Send + 'static) -> Self {
        let shown = match talk.progress {
            When::Auto => !talk.quiet && io::stderr().is_terminal(),
            When::Always => true,
            When::Never => false,
        };
        let patience = if talk.progress == When::Always { Duration::ZERO } else { PATIENCE };
        Self::with(patience, !shown, Some(Box::new(measure)))
    }

    /// Progress that is shown only on demand, since what is written goes to the terminal, and a bar would stand in it.
    pub(crate) fn beside_output(talk: &Talk) -> Self {
        if talk.progress == When::Always { Self::new(talk) } else { Self::none() }
    }

    /// Progress that is never shown.
    pub(crate) fn none() -> Self {
        Self::with(PATIENCE, true, None)
    }

    fn with(patience: Duration, settled: bool, measure: Option<Measure>) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            start: OnceLock::new(),
            patience,
            settled: AtomicBool::new(settled),
            opened: AtomicU64::new(0),
            done: AtomicU64::new(0),
            measure: Mutex::new(measure),
            total: Arc::default(),
        }
    }

    /// A file called `name` comes next, of `length` bytes or of an unknown number of them. Of one file it is known how much is
    /// left; of several, once they have been measured.
    pub(crate) fn open(&self, name: &str, length: Option<u64>) {
        if self.opened.fetch_add(1, Ordering::Relaxed) == 0 {
            show(&self.bar, length);
            self.bar.set_message(name.to_owned());
            return;
        }
        let total = *lock(&self.total);
        if total.is_none() && self.bar.length().is_some() {
            show(&self.bar, None);
        }
        let done = self.done.load(Ordering::Relaxed);
        self.bar.set_message(match total {
            Some(Total { files, .. }) => format!("{done}/{files} {name}"),
            None => format!("{done} {} done, {name}", if done == 1 { "file" } else { "files" }),
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

    /// The only file is read once more than was thought.
    pub(crate) fn again(&self) {
        if let (Some(length), None) = (self.bar.length(), *lock(&self.total)) {
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
            // Nothing is drawn while somebody is asked something.
            let mut on_screen = lock(&ON_SCREEN);
            self.bar.set_draw_target(if io::stderr().is_terminal() {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::term_like_with_hz(Box::new(NoTerminal), FRAMES_PER_SECOND)
            });
            *on_screen = Some(self.bar.clone());
            self.begin_to_measure();
            // Draws on its own, so that a stalled pipe still shows its elapsed time.
            self.bar.enable_steady_tick(Duration::from_millis(200));
        }
    }

    /// Adds up what there is to do. If the work ends before that does, so does the program.
    fn begin_to_measure(&self) {
        let Some(measure) = lock(&self.measure).take() else { return };
        let (bar, total) = (self.bar.clone(), self.total.clone());
        let measure = move || {
            if let Some(measured) = measure() {
                *lock(&total) = Some(measured);
                show(&bar, Some(measured.bytes));
            }
        };
        // Where the system gives no more threads, there is no total.
        let _ = thread::Builder::new().spawn(measure);
    }
}

/// Shows how much is left of what has a length; else how much is done.
fn show(bar: &ProgressBar, length: Option<u64>) {
    let narrow = platform::columns().unwrap_or(COLUMNS) < NARROW;
    let template = match (length, narrow) {
        (Some(_), false) => "{wide_msg} {percent:>3}% {bar:12} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        (Some(_), true) => "{wide_msg} {percent:>3}% {eta} left",
        (None, false) => "{wide_msg} {bytes} {bytes_per_sec} {elapsed}",
        (None, true) => "{wide_msg} {bytes} {elapsed}",
    };
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    match length {
        Some(length) => bar.set_length(length),
        None => bar.unset_length(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Progress {
    /// Clears the bar, so that messages stand alone.
    fn drop(&mut self) {
        lock(&ON_SCREEN).take_if(|shown| !self.bar.is_hidden() && !shown.is_hidden());
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
