//! The look of the progress bar.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressState, ProgressStyle};

/// Below this width, in columns, the bar shows less.
const NARROW: u16 = 72;

/// What the bar shows besides its position.
#[derive(Default)]
pub(super) struct Counts {
    /// Bytes of all files so far.
    pub(super) bytes: AtomicU64,
    /// Bytes among them that were not read.
    pub(super) skipped_bytes: AtomicU64,
    /// The part of the bar's position that took no time.
    pub(super) skipped: AtomicU64,
}

/// Shows how much is left if there is a length, else how much is done. The length includes `for_files`, for the time that files take
/// beyond that of their bytes.
/// The terminal has `columns` columns.
pub(super) fn show(bar: &ProgressBar, counts: &Arc<Counts>, length: Option<u64>, for_files: u64, columns: u16) {
    let narrow = columns < NARROW;
    let template = match (length, narrow) {
        (Some(_), false) => "{msg} {percent:>3}% {wide_bar} {read}/{all} {bytes_per_sec} {eta} left",
        (Some(_), true) => "{msg} {percent:>3}% {wide_bar} {eta} left",
        (None, false) => "{msg} {read} {bytes_per_sec} {elapsed}",
        (None, true) => "{msg} {read} {elapsed}",
    };
    // Files of many sizes come in bursts, so that only the averages since the start say something about the rest.
    let template = match for_files {
        0 => template.to_owned(),
        _ => template.replace("{bytes_per_sec}", "{rate}").replace("{eta}", "{left}"),
    };
    let style = ProgressStyle::with_template(&template).expect("the template is well formed");
    let all = move |state: &ProgressState| state.len().map_or(u64::MAX, |length| length - for_files.min(length));
    // Some bytes are read twice, such as the last chunk.
    let counter = counts.clone();
    let read = move |state: &ProgressState| counter.bytes.load(Ordering::Relaxed).min(all(state));
    // What was skipped says nothing about the speed.
    let counter = counts.clone();
    let worked =
        move || counter.bytes.load(Ordering::Relaxed).saturating_sub(counter.skipped_bytes.load(Ordering::Relaxed));
    let counter = counts.clone();
    let rate = move |state: &ProgressState| {
        let milliseconds = state.elapsed().as_millis().max(1);
        u64::try_from(u128::from(worked()) * 1000 / milliseconds).unwrap_or(u64::MAX)
    };
    let left = move |state: &ProgressState| {
        let rest = state.len().map_or(0, |length| length.saturating_sub(state.pos()));
        let worked = state.pos().saturating_sub(counter.skipped.load(Ordering::Relaxed));
        let seconds = state.elapsed().as_secs_f64() * rest as f64 / worked.max(1) as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    };
    let style = style
        .with_key("all", move |state: &ProgressState, shown: &mut dyn Write| {
            let _ = write!(shown, "{}", HumanBytes(all(state)));
        })
        .with_key("read", move |state: &ProgressState, shown: &mut dyn Write| {
            let _ = write!(shown, "{}", HumanBytes(read(state)));
        })
        .with_key("rate", move |state: &ProgressState, shown: &mut dyn Write| {
            let _ = write!(shown, "{}/s", HumanBytes(rate(state)));
        })
        .with_key("left", move |state: &ProgressState, shown: &mut dyn Write| {
            let _ = write!(shown, "{:#}", HumanDuration(left(state)));
        });
    // In eighths of a column, so that it moves smoothly.
    bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    match length {
        Some(length) => bar.set_length(length),
        None => bar.unset_length(),
    }
}
