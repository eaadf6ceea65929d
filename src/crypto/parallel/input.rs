//! The source of a pipeline: workers claim its segments and read them.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::crypto::{
    error::Error,
    parallel::{
        endpoints::{ReadAt, Source, fill, fill_at, saturating_usize},
        page_buffer::PageBuffer,
        wanted::while_wanted,
    },
};

/// A source that is shared by workers and handed out in segments.
pub(super) struct Input<'a> {
    /// Length of every segment but the last, in bytes.
    segment: usize,
    state: Mutex<State<'a>>,
    stopped: Arc<AtomicBool>,
}

struct State<'a> {
    source: Source<'a>,
    /// Number of the next segment.
    next: u64,
    /// Whether the last segment has been claimed.
    ended: bool,
    /// Sequential sources only: the first byte of the next segment, already read.
    lookahead: Option<u8>,
}

/// A segment that a worker has claimed and read.
pub(super) struct Claim {
    /// Number of the segment, from 0.
    pub(super) index: u64,
    /// Offset of the segment in the source; 0 if the source is sequential.
    pub(super) offset: u64,
    /// Whether the source ends with this segment.
    pub(super) last: bool,
    /// Number of bytes read into the buffer.
    pub(super) read: Result<usize, Error>,
}

impl<'a> Input<'a> {
    /// Divides `source` into segments of `segment` bytes.
    pub(super) fn new(source: Source<'a>, segment: usize) -> Self {
        let state = State { source, next: 0, ended: false, lookahead: None };
        Self { segment, state: Mutex::new(state), stopped: Arc::default() }
    }

    /// Makes every later [`claim`](Self::claim) return `None`.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether [`stop`](Self::stop) was called.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Calls `write`, in which [`is_wanted`](super::wanted::is_wanted) is true until [`stop`](Self::stop) is called.
    pub(super) fn while_not_stopped<T>(&self, write: impl FnOnce() -> T) -> T {
        while_wanted(&self.stopped, write)
    }

    /// Claims the next segment and reads it into `buffer`, which has room for a segment and one byte more, or for all of a source that is
    /// shorter. It gets more if the source turns out to be longer.
    ///
    /// Returns `None` if no segment is left, or after [`stop`](Self::stop).
    pub(super) fn claim(&self, buffer: &mut PageBuffer) -> Option<Claim> {
        let segment = self.segment;
        let mut state = self.state.lock().expect("no worker panics while it claims a segment");
        if state.ended || self.is_stopped() {
            return None;
        }
        let State { source, next, ended, lookahead } = &mut *state;
        let index = *next;
        *next += 1;
        match source {
            Source::Sequential(reader) => {
                // One byte more than a segment, to learn whether another follows.
                let buffer = &mut buffer.at(0)[..=segment];
                let carried = usize::from(lookahead.is_some());
                buffer[..carried].fill(lookahead.take().unwrap_or_default());
                let read = while_wanted(&self.stopped, || fill(&mut buffer[carried..], |rest| reader.read(rest)));
                let read = read.map(|read| carried + read);
                let more = matches!(read, Ok(length) if length > segment);
                *ended = !more;
                *lookahead = more.then(|| buffer[segment]);
                Some(Claim { index, offset: 0, last: !more, read: read.map(|length| length.min(segment)) })
            }
            Source::AtOffsets { file, start, length } => {
                let before = index * segment as u64;
                let left = length.saturating_sub(before);
                let (file, offset) = (*file, *start + before);
                if left > segment as u64 {
                    // Other workers may claim while this one reads.
                    drop(state);
                    let read = fill_at(file, &mut buffer.at(offset)[..segment], offset)
                        .and_then(|read| if read == segment { Ok(read) } else { Err(Error::Read(became_shorter())) });
                    return Some(Claim { index, offset, last: false, read });
                }
                let read = read_end(file, offset, saturating_usize(left), segment, buffer);
                let last = !matches!(read, Ok(length) if length > segment);
                *ended = last;
                Some(Claim { index, offset, last, read: read.map(|length| length.min(segment)) })
            }
        }
    }
}

/// Reads the segment at `offset`, which should have `left` bytes and then end. If it goes on, reads all of it and one byte more.
/// Returns how many bytes were read.
///
/// Some file systems say that a file is shorter than it is, and some files grow.
fn read_end(
    file: &dyn ReadAt,
    offset: u64,
    left: usize,
    segment: usize,
    buffer: &mut PageBuffer,
) -> Result<usize, Error> {
    let read = fill_at(file, &mut buffer.at(offset)[..=left], offset)?;
    if read < left {
        return Err(Error::Read(became_shorter()));
    }
    if read == left || read > segment {
        return Ok(read);
    }
    buffer.make_room(segment + 1)?;
    fill_at(file, &mut buffer.at(offset)[..=segment], offset)
}

fn became_shorter() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was being read")
}
