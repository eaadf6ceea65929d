//! The progress bar. The owner of indicatif.

mod label;
mod look;

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, TermLike};

use crate::{
    cli::{
        args::{self, When},
        platform,
        terminal::progress::{
            label::label,
            look::{Counts, show},
        },
    },
    crypto::spawn,
};

/// Work that takes less time shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// Frames per second where standard error is not a terminal: it may be a log.
const FRAMES_PER_SECOND: u8 = 2;
/// Width of the bar, in columns, where standard error is not a terminal or does not tell its width.
const COLUMNS: u16 = 80;
/// Time between two frames on a terminal.
const FRAME: Duration = Duration::from_millis(100);

/// The bar that may be on the screen. Whoever prints a message hides it first.
static ON_SCREEN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Calls `write`, which prints to the terminal, while the bar is hidden.
pub(crate) fn hidden_while<T>(write: impl FnOnce() -> T) -> T {
    match &*lock(&ON_SCREEN) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// A number of bytes as a person reads it: `1.20 GiB`.
pub(crate) fn human_bytes(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

/// A time as a person reads it: `4.1 s`, `2 minutes`.
pub(crate) fn human_time(time: Duration) -> String {
    if time.as_secs() < 60 { format!("{:.1} s", time.as_secs_f64()) } else { HumanDuration(time).to_string() }
}

/// Number of files to read, and of bytes in them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Total {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// Totals the inputs, which may take a walk through a large folder. `None` if the total cannot be known.
type Measure = Box<dyn FnOnce() -> Option<Total> + Send>;

/// Bytes that a file of many counts for in addition to its own: opening it and committing its output take time too.
const PER_FILE: u64 = 64 << 10;

/// The progress of a run, of one file or of many.
pub(crate) struct Progress {
    /// Counts bytes, and [`PER_FILE`] for each file done once the total of several files is known.
    bar: ProgressBar,
    counts: Arc<Counts>,
    /// When the first payload was begun; unset while keys are asked for and tried.
    start: OnceLock<Instant>,
    patience: Duration,
    /// Whether it is decided if the bar is drawn.
    settled: AtomicBool,
    opened: AtomicU64,
    done: Arc<AtomicU64>,
    /// Whether the bar counts files too.
    counts_files: Arc<AtomicBool>,
    /// Taken when the bar is first drawn.
    measure: Mutex<Option<Measure>>,
    /// The total of several files, once it is known.
    total: Arc<Mutex<Option<Total>>>,
    /// The name of the file opened last.
    latest: Arc<Mutex<String>>,
}

impl Progress {
    /// The progress of one file.
    pub(crate) fn new(args: &args::MessageArgs) -> Self {
        Self::of_many(args, || None)
    }

    /// The progress of many files. `measure` runs beside the work, and only once the bar is drawn.
    pub(crate) fn of_many(args: &args::MessageArgs, measure: impl FnOnce() -> Option<Total> + Send + 'static) -> Self {
        let shown = match args.progress {
            When::Auto => !args.quiet && io::stderr().is_terminal(),
            When::Always => true,
            When::Never => false,
        };
        let patience = if args.progress == When::Always { Duration::ZERO } else { PATIENCE };
        Self::with(patience, !shown, Some(Box::new(measure)))
    }

    /// The progress of a run that writes to the terminal, where a bar would mix with the output: shown on demand only.
    pub(crate) fn beside_output(args: &args::MessageArgs) -> Self {
        if args.progress == When::Always { Self::new(args) } else { Self::none() }
    }

    /// Progress that is never shown.
    pub(crate) fn none() -> Self {
        Self::with(PATIENCE, true, None)
    }

    fn with(patience: Duration, settled: bool, measure: Option<Measure>) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            counts: Arc::default(),
            start: OnceLock::new(),
            patience,
            settled: AtomicBool::new(settled),
            opened: AtomicU64::new(0),
            done: Arc::default(),
            counts_files: Arc::default(),
            measure: Mutex::new(measure),
            total: Arc::default(),
            latest: Arc::default(),
        }
    }

    /// Announces the next file, of `length` bytes if that is known. For a single file the bar shows the time left; for several, once
    /// they have been measured.
    pub(crate) fn open(&self, name: &str, length: Option<u64>) {
        name.clone_into(&mut lock(&self.latest));
        let is_first = self.opened.fetch_add(1, Ordering::Relaxed) == 0;
        if is_first && let Some(length) = length {
            self.bar.set_length(length);
        }
        let is_of_one = !is_first && lock(&self.total).is_none() && self.bar.length().is_some();
        if is_of_one {
            self.bar.unset_length();
        }
        if !self.bar.is_hidden() {
            if is_of_one {
                show(&self.bar, &self.counts, None, 0, columns());
            }
            self.name_latest();
        }
    }

    /// Labels the bar with the file opened last and the number of files done.
    fn name_latest(&self) {
        let before = match (*lock(&self.total), self.done.load(Ordering::Relaxed)) {
            (Some(Total { files: files @ 2.., .. }), done) => format!("{done}/{files} "),
            (_, 0) => String::new(),
            (_, 1) => "1 file done, ".to_owned(),
            (_, done) => format!("{done} files done, "),
        };
        self.bar.set_message(label(&before, &lock(&self.latest), columns()));
    }

    /// Counts a file as done.
    pub(crate) fn done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        if self.counts_files.load(Ordering::Relaxed) {
            self.bar.inc(PER_FILE);
        }
    }

    /// Counts a file of `bytes` bytes as done that is not read.
    pub(crate) fn skipped(&self, bytes: u64) {
        let per_file = if self.counts_files.load(Ordering::Relaxed) { PER_FILE } else { 0 };
        self.counts.skipped.fetch_add(bytes + per_file, Ordering::Relaxed);
        self.counts.skipped_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bar.inc(bytes);
        self.done();
    }

    /// Announces that an output is read back. The bar does not count that.
    pub(crate) fn read_back(&self, name: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_message(label("reading back ", name, columns()));
        }
    }

    /// Announces that a single file is read twice.
    pub(crate) fn expect_second_pass(&self) {
        if let (Some(length), None) = (self.bar.length(), *lock(&self.total)) {
            self.bar.set_length(length * 2);
        }
    }

    /// Starts the clock: from now on payload is read, and nobody is asked anything.
    pub(crate) fn begin(&self) {
        self.start.get_or_init(|| {
            self.bar.reset_elapsed();
            Instant::now()
        });
    }

    /// Counts bytes read.
    pub(crate) fn add(&self, bytes: usize) {
        self.counts.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.bar.inc(bytes as u64);
        if !self.settled.load(Ordering::Relaxed)
            && self.start.get().is_some_and(|start| start.elapsed() >= self.patience)
            && !self.settled.swap(true, Ordering::Relaxed)
        {
            // Waits for a prompt to end.
            let mut on_screen = lock(&ON_SCREEN);
            show(&self.bar, &self.counts, self.bar.length(), 0, columns());
            self.bar.set_draw_target(if io::stderr().is_terminal() {
                ProgressDrawTarget::stderr_with_hz(10)
            } else {
                ProgressDrawTarget::term_like_with_hz(Box::new(NoTerminal), FRAMES_PER_SECOND)
            });
            *on_screen = Some(self.bar.clone());
            self.name_latest();
            self.start_measuring();
            // Redraws on a timer, so that a stalled pipe still shows the time elapsed.
            self.bar.enable_steady_tick(FRAME);
        }
    }

    /// Measures in a thread of its own. The program may end before it does.
    fn start_measuring(&self) {
        let Some(measure) = lock(&self.measure).take() else { return };
        let (bar, total, latest) = (self.bar.clone(), self.total.clone(), self.latest.clone());
        let (counts, done, counts_files) = (self.counts.clone(), self.done.clone(), self.counts_files.clone());
        let measure = move || {
            if let Some(measured) = measure() {
                *lock(&total) = Some(measured);
                let is_many = measured.files > 1;
                let for_files = if is_many { measured.files * PER_FILE } else { 0 };
                show(&bar, &counts, Some(measured.bytes + for_files), for_files, columns());
                if is_many {
                    counts_files.store(true, Ordering::Relaxed);
                    let done = done.load(Ordering::Relaxed);
                    bar.inc(done * PER_FILE);
                    counts.skipped.fetch_add(done * PER_FILE, Ordering::Relaxed);
                    bar.set_message(label(&format!("{done}/{} ", measured.files), &lock(&latest), columns()));
                }
            }
        };
        // Without another thread there is no total.
        let _ = spawn(measure);
    }
}

/// Width of the terminal.
fn columns() -> u16 {
    platform::columns().unwrap_or(COLUMNS)
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

/// Standard error that is a pipe or a file, for `--progress always`: the bar is one line that is overwritten, as with `pv -f`.
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
