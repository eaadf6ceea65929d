//! Many segments at once, in bounded memory. No cryptography: what happens to a segment is the caller's `step`.
//!
//! Every worker owns one buffer for input and one for output, and does the same three things in turn: claim the next
//! segment and read it, run the step, deliver what came out. The number of workers is therefore the bound on memory, and
//! a worker that waits to deliver is the backpressure.
//!
//! An end that can be addressed at offsets is used by all workers at once, since every segment has a known place there.
//! An end that cannot (a pipe) is used in turn: reading under a lock, writing in input order.
//!
//! Errors are decided by position, not by time: what is delivered ends exactly where the first failure stands, and that
//! failure is the one returned, whatever the number of workers.

use std::{
    io::{self, Write},
    num::NonZeroUsize,
    ops::ControlFlow,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use crate::crypto::{
    error::Error,
    parallel::{
        endpoints::{Sink, Source, WriteAt, fill, fill_at, size},
        page_buffer::Buffer,
        sequencer::Sequencer,
    },
};

/// How many bytes every segment but the last has, coming in and going out.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) input: usize,
    pub(crate) output: usize,
}

/// One segment before its step.
pub(crate) struct Segment<'a> {
    /// Its number, from 0.
    pub(crate) index: u64,
    /// Whether nothing follows it.
    pub(crate) last: bool,
    /// What was read: a full segment, or less if it is the last.
    pub(crate) input: &'a [u8],
    /// Where the result goes: room for a full segment.
    pub(crate) output: &'a mut [u8],
}

/// What came of a segment.
pub(crate) struct Step {
    /// How many bytes of the output are to be delivered.
    pub(crate) length: usize,
    /// What is wrong right after those bytes, if anything is.
    pub(crate) failure: Option<Error>,
}

impl Step {
    pub(crate) fn done(length: usize) -> Self {
        Self { length, failure: None }
    }

    fn failed(error: Error) -> Self {
        Self { length: 0, failure: Some(error) }
    }
}

/// Moves all of `source` through `step` into `sink`, and returns how many bytes were delivered.
///
/// One thread means the calling thread and no other; so does a source of one segment.
///
/// # Errors
///
/// The first by position of: the source's, the step's, the sink's.
pub(crate) fn run(
    source: Source<'_>,
    sink: Sink<'_>,
    shape: Shape,
    threads: NonZeroUsize,
    step: &(dyn Fn(Segment<'_>) -> Step + Sync),
) -> Result<u64, Error> {
    let workers = workers(&source, &sink, shape, threads);
    let length = match source {
        Source::Sequential(_) => None,
        Source::AtOffsets { length, .. } => Some(length),
    };
    let flow = Flow::new(source, sink, shape, step);

    let mut worker = Worker::new(shape, length);
    if flow.pass_one(&mut worker) {
        thread::scope(|scope| {
            for _ in 1..workers {
                let pass_all = || flow.pass_all(&mut Worker::new(shape, length));
                // Where the system gives no more threads, those that there are do the work.
                if thread::Builder::new().spawn_scoped(scope, pass_all).is_err() {
                    break;
                }
            }
            flow.pass_all(&mut worker);
        });
    }
    flow.outcome()
}

/// How many workers keep `threads` cores busy, of which no more than there are segments.
fn workers(source: &Source<'_>, sink: &Sink<'_>, shape: Shape, threads: NonZeroUsize) -> usize {
    let threads = threads.get();
    // A worker that waits for a pipe or its turn uses no core.
    let waits = matches!(source, Source::Sequential(_)) || matches!(sink, Sink::Sequential(_));
    let workers = if threads > 1 && waits { threads.saturating_add(2) } else { threads };
    match source {
        Source::Sequential(_) => workers,
        Source::AtOffsets { length, .. } => {
            let segments = length.div_ceil(shape.input as u64);
            workers.min(size(segments))
        }
    }
}

/// A worker's buffers. One byte more of input than a segment has, to learn whether another follows.
struct Worker {
    input: Buffer,
    output: Buffer,
}

impl Worker {
    /// Room for a segment of that shape, or for all of a source that is shorter: of many small files, each would otherwise cost
    /// the clearing of megabytes.
    fn new(shape: Shape, source: Option<u64>) -> Self {
        let input = source.map_or(shape.input, |length| size(length).min(shape.input));
        // What comes out is longer than what goes in by no more than it is for a full segment.
        let output = shape.output.min(input + shape.output.saturating_sub(shape.input));
        Self { input: Buffer::new(input + 1), output: Buffer::new(output) }
    }
}

/// What the workers share.
struct Flow<'i, 'o, 's> {
    shape: Shape,
    step: &'s (dyn Fn(Segment<'_>) -> Step + Sync),
    source: Mutex<Claims<'i>>,
    sink: Deliveries<'o>,
    /// Set with the first failure: nothing more is claimed.
    stopped: AtomicBool,
    /// The failure with the lowest segment number.
    failure: Mutex<Option<(u64, Error)>>,
    delivered: AtomicU64,
}

/// Which segment is next to be read.
struct Claims<'a> {
    next: u64,
    ended: bool,
    source: Source<'a>,
    /// In turn only: the byte that was read to learn whether a segment follows.
    ahead: Option<u8>,
}

/// A segment as its worker got it.
struct Claim {
    index: u64,
    /// Where it stands in the source; 0 if that is read in turn.
    offset: u64,
    last: bool,
    read: Result<usize, Error>,
}

enum Deliveries<'a> {
    Sequential(Sequencer<&'a mut (dyn Write + Send)>),
    AtOffsets { file: &'a dyn WriteAt, start: u64 },
}

impl<'i, 'o, 's> Flow<'i, 'o, 's> {
    fn new(source: Source<'i>, sink: Sink<'o>, shape: Shape, step: &'s (dyn Fn(Segment<'_>) -> Step + Sync)) -> Self {
        let sink = match sink {
            Sink::Sequential(writer) => Deliveries::Sequential(Sequencer::new(writer)),
            Sink::AtOffsets { file, start } => Deliveries::AtOffsets { file, start },
        };
        Self {
            shape,
            step,
            source: Mutex::new(Claims { next: 0, ended: false, source, ahead: None }),
            sink,
            stopped: AtomicBool::new(false),
            failure: Mutex::new(None),
            delivered: AtomicU64::new(0),
        }
    }

    fn pass_all(&self, worker: &mut Worker) {
        while self.pass_one(worker) {}
    }

    /// Takes one segment through. False when there is no more to do.
    fn pass_one(&self, worker: &mut Worker) -> bool {
        let Some(claim) = self.claim(&mut worker.input) else { return false };
        let output = worker.output.at(self.offset(claim.index));
        let step = match claim.read {
            Ok(length) => (self.step)(Segment {
                index: claim.index,
                last: claim.last,
                input: &worker.input.at(claim.offset)[..length],
                output: &mut *output,
            }),
            Err(error) => Step::failed(error),
        };
        self.deliver(claim.index, &output[..step.length], step.failure);
        !claim.last
    }

    /// Claims the next segment and reads it into `buffer`. None if there is none, or after a failure.
    fn claim(&self, buffer: &mut Buffer) -> Option<Claim> {
        let mut claims = lock(&self.source);
        if claims.ended || self.stopped.load(Ordering::Relaxed) {
            return None;
        }
        let Claims { next, ended, source, ahead } = &mut *claims;
        let index = *next;
        *next += 1;
        match source {
            Source::Sequential(reader) => {
                let buffer = &mut buffer.at(0)[..=self.shape.input];
                let carried = usize::from(ahead.is_some());
                buffer[..carried].fill(ahead.take().unwrap_or_default());
                let read = fill(&mut buffer[carried..], |rest| reader.read(rest)).map(|read| carried + read);
                let more = matches!(read, Ok(length) if length > self.shape.input);
                *ended = !more;
                *ahead = more.then(|| buffer[self.shape.input]);
                Some(Claim { index, offset: 0, last: !more, read: read.map(|length| length.min(self.shape.input)) })
            }
            Source::AtOffsets { file, start, length } => {
                let before = index * self.shape.input as u64;
                let left = *length - before;
                let last = left <= self.shape.input as u64;
                let wanted = size(left).min(self.shape.input);
                *ended = last;
                let (file, offset) = (*file, *start + before);
                drop(claims);
                let read = fill_at(file, &mut buffer.at(offset)[..wanted], offset)
                    .and_then(|read| if read == wanted { Ok(read) } else { Err(Error::Read(became_shorter())) });
                Some(Claim { index, offset, last, read })
            }
        }
    }

    /// Where a segment's output goes in the sink; 0 if that is written in turn.
    fn offset(&self, index: u64) -> u64 {
        match &self.sink {
            Deliveries::AtOffsets { start, .. } => start + index * self.shape.output as u64,
            Deliveries::Sequential(_) => 0,
        }
    }

    /// Delivers a segment's output at its place, then records its failure.
    fn deliver(&self, index: u64, output: &[u8], failure: Option<Error>) {
        match &self.sink {
            Deliveries::AtOffsets { file, .. } => {
                let written = file.write_all_at(output, self.offset(index)).map_err(Error::Write);
                let _ = self.settle(index, output.len(), written.err().or(failure));
            }
            // A segment after a failure gets no turn.
            Deliveries::Sequential(turns) => turns.run(index, |writer| {
                let written = writer.write_all(output).map_err(Error::Write);
                self.settle(index, output.len(), written.err().or(failure))
            }),
        }
    }

    /// Books what became of a segment. False if it failed.
    fn settle(&self, index: u64, length: usize, failure: Option<Error>) -> ControlFlow<()> {
        let Some(error) = failure else {
            self.delivered.fetch_add(length as u64, Ordering::Relaxed);
            return ControlFlow::Continue(());
        };
        self.stopped.store(true, Ordering::Relaxed);
        let mut first = lock(&self.failure);
        if first.as_ref().is_none_or(|(at, _)| index < *at) {
            *first = Some((index, error));
        }
        ControlFlow::Break(())
    }

    fn outcome(self) -> Result<u64, Error> {
        match self.failure.into_inner().expect("no worker panics while it books a failure") {
            Some((_, error)) => Err(error),
            None => Ok(self.delivered.into_inner()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no worker panics while it holds a lock")
}

fn became_shorter() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was being read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{error::PayloadFault, parallel::endpoints::ReadAt};

    const SHAPE: Shape = Shape { input: 5, output: 6 };

    struct Bytes<'a>(&'a [u8]);

    impl ReadAt for Bytes<'_> {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let rest = &self.0[size(offset)..];
            let count = rest.len().min(buffer.len()).min(3);
            buffer[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }
    }

    #[derive(Default)]
    struct Written(Mutex<Vec<u8>>);

    impl WriteAt for Written {
        fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            if bytes.is_empty() {
                return Ok(()); // As a file, which does not grow by nothing.
            }
            let (start, end) = (size(offset), size(offset) + bytes.len());
            let mut written = lock(&self.0);
            let length = written.len().max(end);
            written.resize(length, b'?');
            written[start..end].copy_from_slice(bytes);
            Ok(())
        }
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum End {
        Sequential,
        AtOffsets,
    }

    const ENDS: [End; 2] = [End::Sequential, End::AtOffsets];

    fn threads(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).expect("it is not 0")
    }

    /// Puts a segment's number before it, or a full stop before the last. From number `failing` on, all fail.
    fn pass(bytes: &[u8], source: End, sink: End, number: usize, failing: u64) -> (Result<u64, Error>, Vec<u8>) {
        let step = |segment: Segment<'_>| {
            if segment.index >= failing {
                return Step::failed(Error::Payload { chunk: segment.index, fault: PayloadFault::Corrupted });
            }
            let mark = u8::try_from(segment.index).expect("there are few");
            segment.output[0] = if segment.last { b'.' } else { b'0' + mark };
            segment.output[1..=segment.input.len()].copy_from_slice(segment.input);
            Step::done(segment.input.len() + 1)
        };
        let (mut reader, file, length) = (bytes, Bytes(bytes), bytes.len() as u64);
        let source = match source {
            End::Sequential => Source::Sequential(&mut reader),
            End::AtOffsets => Source::AtOffsets { file: &file, start: 0, length },
        };
        let (mut writer, written) = (Vec::new(), Written::default());
        let outcome = match sink {
            End::Sequential => run(source, Sink::Sequential(&mut writer), SHAPE, threads(number), &step),
            End::AtOffsets => run(source, Sink::AtOffsets { file: &written, start: 0 }, SHAPE, threads(number), &step),
        };
        writer.extend(written.0.into_inner().expect("no test panics while it writes"));
        (outcome, writer)
    }

    fn ways() -> impl Iterator<Item = (End, End, usize)> {
        let ends = ENDS.into_iter().flat_map(|source| ENDS.map(|sink| (source, sink)));
        ends.flat_map(|(source, sink)| [1, 2, 3].map(|number| (source, sink, number)))
    }

    #[test]
    fn every_segment_is_delivered_at_its_place_and_the_last_one_is_known() {
        for (bytes, expected) in [
            ("", "."),
            ("a", ".a"),
            ("abcde", ".abcde"),
            ("abcdef", "0abcde.f"),
            ("abcdefghij", "0abcde.fghij"),
            ("abcdefghijklm", "0abcde1fghij.klm"),
        ] {
            for (source, sink, number) in ways() {
                let (outcome, written) = pass(bytes.as_bytes(), source, sink, number, u64::MAX);
                assert_eq!(String::from_utf8_lossy(&written), expected, "{source:?} to {sink:?}, {number} threads");
                assert_eq!(outcome.expect("nothing fails"), expected.len() as u64);
            }
        }
    }

    #[test]
    fn the_first_failure_by_position_decides_what_is_delivered() {
        let bytes = b"abcdefghijklmnopqrstuvwxyz";
        for ((source, sink, number), failing) in ways().flat_map(|way| (0..6).map(move |failing| (way, failing))) {
            let (outcome, mut written) = pass(bytes, source, sink, number, failing);
            assert!(matches!(outcome, Err(Error::Payload { chunk, .. }) if chunk == failing), "{failing}: {outcome:?}");
            assert_eq!(written.len() as u64, failing * 6, "{source:?} to {sink:?}, {number} threads");
            written.truncate(12);
            assert!(b"0abcde1fghij".starts_with(&written));
        }
    }

    #[test]
    fn the_failure_that_is_returned_is_the_first_by_position_in_whatever_order_they_come() {
        let (file, written) = (Bytes(b""), Written::default());
        let source = Source::AtOffsets { file: &file, start: 0, length: 0 };
        let step = |_: Segment<'_>| Step::done(0);
        let flow = Flow::new(source, Sink::AtOffsets { file: &written, start: 0 }, SHAPE, &step);
        for chunk in [5, 3, 4] {
            assert!(flow.settle(chunk, 0, Some(Error::Payload { chunk, fault: PayloadFault::Corrupted })).is_break());
        }
        assert!(matches!(flow.outcome(), Err(Error::Payload { chunk: 3, .. })));
    }

    #[test]
    fn a_source_that_became_shorter_is_an_error_and_not_an_end() {
        let (file, mut writer) = (Bytes(b"abcdefg"), Vec::new());
        let source = Source::AtOffsets { file: &file, start: 0, length: 8 };
        let outcome = run(source, Sink::Sequential(&mut writer), SHAPE, threads(2), &|_| Step::done(1));
        assert!(matches!(outcome, Err(Error::Read(error)) if error.kind() == io::ErrorKind::UnexpectedEof));
        assert_eq!(writer.len(), 1);
    }

    #[test]
    fn there_is_a_worker_for_each_core_and_two_more_where_some_wait_but_none_without_a_segment() {
        let (mut reader, file, mut writer, written) = (&b""[..], Bytes(b""), Vec::new(), Written::default());
        let in_turn = Source::Sequential(&mut reader);
        let at_offsets = |length| Source::AtOffsets { file: &file, start: 0, length };
        let sinks = [Sink::Sequential(&mut writer), Sink::AtOffsets { file: &written, start: 0 }];
        let count = |source: &Source<'_>, sink: usize, number| workers(source, &sinks[sink], SHAPE, threads(number));
        assert_eq!([0, 1].map(|sink| count(&in_turn, sink, 1)), [1, 1]);
        assert_eq!([0, 1].map(|sink| count(&in_turn, sink, 3)), [5, 5]);
        assert_eq!([0, 1].map(|sink| count(&at_offsets(100), sink, 3)), [5, 3]);
        assert_eq!([10, 11, 15, 16].map(|length| count(&at_offsets(length), 1, 8)), [2, 3, 3, 4]);
        assert_eq!(count(&in_turn, 1, usize::MAX), usize::MAX);
    }
}
