//! Moves segments from a source through a function to a sink, on several threads and in bounded memory.
//!
//! Each worker owns one input buffer and one output buffer. It claims and reads the next segment, processes it, delivers
//! the result, and starts again. The number of workers therefore bounds the memory, and a worker that waits to deliver
//! reads nothing: that is the backpressure.
//!
//! All workers use a source or sink with offsets at once, because every segment has a known place in it. A sequential
//! source is read under a lock; a sequential sink is written in input order.
//!
//! Errors are decided by position, not by time. [`run`] returns the first error by position, and a sequential sink gets
//! exactly the output before it, whatever the number of threads; less only if the sink gives up, because nobody takes it.
//! A single worker reads the next segment only once the one before has been taken, so an error there waits as long as that takes.

use std::{
    io::{self, Write},
    num::NonZeroUsize,
    ops::ControlFlow,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::crypto::{
    error::Error,
    parallel::{
        endpoints::{Sink, Source, WriteAt, saturating_usize},
        input::Input,
        memory::spawn_scoped,
        page_buffer::PageBuffer,
        sequencer::Sequencer,
    },
};

/// Length of a segment before and after processing, in bytes. The last segment may be shorter.
#[derive(Clone, Copy)]
pub(crate) struct SegmentSize {
    pub(crate) input: usize,
    pub(crate) output: usize,
}

impl SegmentSize {
    /// Returns the most bytes that a segment of `input` bytes gives: a short one gets longer by no more than a full one does.
    fn output_of(self, input: usize) -> usize {
        self.output.min(input + self.output.saturating_sub(self.input))
    }
}

/// One segment to process.
pub(crate) struct Segment<'a> {
    /// Number of the segment, from 0.
    pub(crate) index: u64,
    /// Whether the source ends with this segment.
    pub(crate) last: bool,
    /// The bytes that were read: a full segment, or less if it is the last.
    pub(crate) input: &'a [u8],
    /// Room for the result of a full segment.
    pub(crate) output: &'a mut [u8],
}

/// The result of processing a segment.
pub(crate) struct Processed {
    /// Number of bytes to deliver, from the beginning of the output.
    pub(crate) length: usize,
    /// The error that follows those bytes, if any.
    pub(crate) error: Option<Error>,
}

impl Processed {
    /// A segment with `length` bytes of output and no error.
    pub(crate) fn complete(length: usize) -> Self {
        Self { length, error: None }
    }

    /// A segment with an error and no output.
    pub(crate) fn failed(error: Error) -> Self {
        Self { length: 0, error: Some(error) }
    }
}

/// Passes all of `source` through `process` into `sink`, and returns how many bytes were delivered.
///
/// With one thread, or a source of one segment, everything happens on the calling thread.
///
/// # Errors
///
/// The first error by position, from the source, from `process` or from the sink; [`Error::NoBuffer`].
pub(crate) fn run(
    source: Source<'_>,
    sink: Sink<'_>,
    size: SegmentSize,
    threads: NonZeroUsize,
    process: &(dyn Fn(Segment<'_>) -> Processed + Sync),
) -> Result<u64, Error> {
    let workers = worker_count(&source, &sink, size, threads);
    let length = match source {
        Source::Sequential(_) => None,
        Source::AtOffsets { length, .. } => Some(length),
    };
    let pipeline = Pipeline::new(source, sink, size, process);

    // The first segment is processed before any thread starts: often it is the only one.
    let mut buffers = Buffers::new(size, length)?;
    if pipeline.process_next(&mut buffers).is_continue() {
        thread::scope(|scope| {
            for _ in 1..workers {
                // If the system refuses another thread or its memory, the existing ones do the work.
                let work = || {
                    if let Ok(mut buffers) = Buffers::new(size, length) {
                        pipeline.process_all(&mut buffers);
                    }
                };
                if spawn_scoped(scope, size.input + size.output, work).is_err() {
                    break;
                }
            }
            pipeline.process_all(&mut buffers);
        });
    }
    pipeline.finish()
}

/// Returns how many workers keep `threads` cores busy, and no more than there are segments.
fn worker_count(source: &Source<'_>, sink: &Sink<'_>, size: SegmentSize, threads: NonZeroUsize) -> usize {
    let threads = threads.get();
    // A worker that waits for a pipe, or for its place in the output, uses no core.
    let some_wait = matches!(source, Source::Sequential(_)) || matches!(sink, Sink::Sequential(_));
    let workers = if threads > 1 && some_wait { threads.saturating_add(2) } else { threads };
    match source {
        Source::Sequential(_) => workers,
        Source::AtOffsets { length, .. } => {
            let segments = length.div_ceil(size.input as u64);
            workers.min(saturating_usize(segments))
        }
    }
}

/// The buffers of one worker.
struct Buffers {
    /// Room for a segment and one byte more, which tells whether another segment follows.
    input: PageBuffer,
    output: PageBuffer,
}

impl Buffers {
    /// Allocates room for a segment, or for all of a source that is shorter.
    ///
    /// With many small files, clearing a megabyte for each would take most of the time.
    fn new(size: SegmentSize, source_length: Option<u64>) -> Result<Self, Error> {
        let input = source_length.map_or(size.input, |length| saturating_usize(length).min(size.input));
        Ok(Self { input: PageBuffer::new(input + 1)?, output: PageBuffer::new(size.output_of(input))? })
    }
}

/// The state that workers share.
struct Pipeline<'i, 'o, 'p> {
    size: SegmentSize,
    process: &'p (dyn Fn(Segment<'_>) -> Processed + Sync),
    input: Input<'i>,
    output: Output<'o>,
    /// The error with the lowest segment number so far.
    first_error: Mutex<Option<(u64, Error)>>,
    /// Number of bytes delivered.
    delivered: AtomicU64,
}

/// The sink, shared by all workers.
enum Output<'a> {
    Sequential(Sequencer<&'a mut (dyn Write + Send)>),
    AtOffsets { file: &'a dyn WriteAt, start: u64 },
}

impl<'i, 'o, 'p> Pipeline<'i, 'o, 'p> {
    fn new(
        source: Source<'i>,
        sink: Sink<'o>,
        size: SegmentSize,
        process: &'p (dyn Fn(Segment<'_>) -> Processed + Sync),
    ) -> Self {
        let output = match sink {
            Sink::Sequential(writer) => Output::Sequential(Sequencer::new(writer)),
            Sink::AtOffsets { file, start } => Output::AtOffsets { file, start },
        };
        Self {
            size,
            process,
            input: Input::new(source, size.input),
            output,
            first_error: Mutex::new(None),
            delivered: AtomicU64::new(0),
        }
    }

    /// Processes segments until none is left.
    fn process_all(&self, buffers: &mut Buffers) {
        while self.process_next(buffers).is_continue() {}
    }

    /// Reads, processes and delivers one segment. Breaks after the last, or if no segment can be claimed.
    fn process_next(&self, buffers: &mut Buffers) -> ControlFlow<()> {
        let Some(claim) = self.input.claim(&mut buffers.input) else { return ControlFlow::Break(()) };
        let input_length = *claim.read.as_ref().unwrap_or(&self.size.input);
        // A source may turn out to be longer than it was said to be.
        let read = claim.read.and_then(|length| {
            buffers.output.make_room(self.size.output_of(length))?;
            Ok(length)
        });
        let output = buffers.output.at(self.output_offset(claim.index));
        let processed = match read {
            Ok(length) => (self.process)(Segment {
                index: claim.index,
                last: claim.last,
                input: &buffers.input.at(claim.offset)[..length],
                output: &mut *output,
            }),
            Err(error) => Processed::failed(error),
        };
        self.deliver(claim.index, &output[..processed.length], processed.error);
        // One byte more is read than a segment has, and processing may have written more than it delivers.
        let length = input_length + 1;
        buffers.input.wipe_later(claim.offset, length);
        buffers.output.wipe_later(
            self.output_offset(claim.index),
            length + self.size.output - self.size.input.min(self.size.output),
        );
        if claim.last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Returns the offset of a segment in the sink, or 0 if the sink is sequential.
    fn output_offset(&self, index: u64) -> u64 {
        match &self.output {
            Output::AtOffsets { start, .. } => start + index * self.size.output as u64,
            Output::Sequential(_) => 0,
        }
    }

    /// Records a segment's error, if any, then writes its output.
    fn deliver(&self, index: u64, output: &[u8], error: Option<Error>) {
        let failed = error.is_some();
        // Before its turn comes, so that a writer before it that waits for a pipe knows.
        if let Some(error) = error {
            self.record(index, error);
        }
        match &self.output {
            Output::AtOffsets { file, .. } => {
                // After an error, the next claim ends the work.
                let _ = self.written(index, output, failed, file.write_all_at(output, self.output_offset(index)));
            }
            Output::Sequential(sequencer) => sequencer.run(index, |writer| {
                let written = self.input.while_not_stopped(|| writer.write_all(output));
                self.written(index, output, failed, written)
            }),
        }
    }

    /// Counts the bytes of a segment that was written, or records why it was not. Breaks if the segment failed.
    fn written(&self, index: u64, output: &[u8], failed: bool, written: io::Result<()>) -> ControlFlow<()> {
        match written {
            Ok(()) if failed => return ControlFlow::Break(()),
            Ok(()) => {
                self.delivered.fetch_add(output.len() as u64, Ordering::Relaxed);
                return ControlFlow::Continue(());
            }
            // The writer gave up because of the error that is recorded already.
            Err(error) if error.kind() == io::ErrorKind::TimedOut && self.input.is_stopped() => {}
            Err(error) => self.record(index, Error::Write(error)),
        }
        ControlFlow::Break(())
    }

    /// Keeps an error if no earlier segment has one, and has no more segments claimed.
    fn record(&self, index: u64, error: Error) {
        let mut first_error = lock(&self.first_error);
        if first_error.as_ref().is_none_or(|(first, _)| index < *first) {
            *first_error = Some((index, error));
        }
        drop(first_error);
        self.input.stop();
    }

    /// Returns the number of bytes delivered, or the first error by position.
    fn finish(self) -> Result<u64, Error> {
        match self.first_error.into_inner().expect(NO_PANIC) {
            Some((_, error)) => Err(error),
            None => Ok(self.delivered.into_inner()),
        }
    }
}

/// Why no lock is ever poisoned.
const NO_PANIC: &str = "no worker panics while it holds a lock";

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect(NO_PANIC)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::crypto::{error::PayloadFault, parallel::endpoints::ReadAt};

    const SIZE: SegmentSize = SegmentSize { input: 5, output: 6 };

    struct Bytes<'a>(&'a [u8]);

    impl ReadAt for Bytes<'_> {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let rest = &self.0[saturating_usize(offset)..];
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
                return Ok(()); // Like a file, which an empty write does not extend.
            }
            let (start, end) = (saturating_usize(offset), saturating_usize(offset) + bytes.len());
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

    /// Runs a pipeline that prefixes each segment with its number, and the last with a full stop. Segments from `failing` on
    /// fail.
    fn run_numbered(
        bytes: &[u8],
        source: End,
        sink: End,
        number: usize,
        failing: u64,
    ) -> (Result<u64, Error>, Vec<u8>) {
        let process = |segment: Segment<'_>| {
            if segment.index >= failing {
                return Processed::failed(Error::Payload { chunk: segment.index, fault: PayloadFault::Corrupted });
            }
            let mark = u8::try_from(segment.index).expect("the tests use fewer than 256 segments");
            segment.output[0] = if segment.last { b'.' } else { b'0' + mark };
            segment.output[1..=segment.input.len()].copy_from_slice(segment.input);
            Processed::complete(segment.input.len() + 1)
        };
        let (mut reader, file, length) = (bytes, Bytes(bytes), bytes.len() as u64);
        let source = match source {
            End::Sequential => Source::Sequential(&mut reader),
            End::AtOffsets => Source::AtOffsets { file: &file, start: 0, length },
        };
        let (mut writer, written) = (Vec::new(), Written::default());
        let outcome = match sink {
            End::Sequential => run(source, Sink::Sequential(&mut writer), SIZE, threads(number), &process),
            End::AtOffsets => {
                run(source, Sink::AtOffsets { file: &written, start: 0 }, SIZE, threads(number), &process)
            }
        };
        writer.extend(written.0.into_inner().expect("no writer panics"));
        (outcome, writer)
    }

    fn ways() -> impl Iterator<Item = (End, End, usize)> {
        let ends = ENDS.into_iter().flat_map(|source| ENDS.map(|sink| (source, sink)));
        ends.flat_map(|(source, sink)| [1, 2, 3].map(|number| (source, sink, number)))
    }

    #[test]
    fn every_segment_is_delivered_in_its_place_and_the_last_one_is_marked() {
        for (bytes, expected) in [
            ("", "."),
            ("a", ".a"),
            ("abcde", ".abcde"),
            ("abcdef", "0abcde.f"),
            ("abcdefghij", "0abcde.fghij"),
            ("abcdefghijklm", "0abcde1fghij.klm"),
        ] {
            for (source, sink, number) in ways() {
                let (outcome, written) = run_numbered(bytes.as_bytes(), source, sink, number, u64::MAX);
                assert_eq!(String::from_utf8_lossy(&written), expected, "{source:?} to {sink:?}, {number} threads");
                assert_eq!(outcome.expect("neither end fails"), expected.len() as u64);
            }
        }
    }

    #[test]
    fn the_first_error_by_position_decides_what_is_delivered() {
        let bytes = b"abcdefghijklmnopqrstuvwxyz";
        for ((source, sink, number), failing) in ways().flat_map(|way| (0..6).map(move |failing| (way, failing))) {
            let (outcome, mut written) = run_numbered(bytes, source, sink, number, failing);
            assert!(matches!(outcome, Err(Error::Payload { chunk, .. }) if chunk == failing), "{failing}: {outcome:?}");
            assert_eq!(written.len() as u64, failing * 6, "{source:?} to {sink:?}, {number} threads");
            written.truncate(12);
            assert!(b"0abcde1fghij".starts_with(&written));
        }
    }

    #[test]
    fn the_first_error_by_position_is_returned_whatever_the_order_in_time() {
        let (file, written) = (Bytes(b""), Written::default());
        let source = Source::AtOffsets { file: &file, start: 0, length: 0 };
        let process = |_: Segment<'_>| Processed::complete(0);
        let pipeline = Pipeline::new(source, Sink::AtOffsets { file: &written, start: 0 }, SIZE, &process);
        for chunk in [5, 3, 4] {
            pipeline.record(chunk, Error::Payload { chunk, fault: PayloadFault::Corrupted });
        }
        assert!(matches!(pipeline.finish(), Err(Error::Payload { chunk: 3, .. })));
    }

    #[test]
    fn a_source_that_became_shorter_is_an_error_and_not_an_end() {
        let (file, mut writer) = (Bytes(b"abcdefg"), Vec::new());
        let source = Source::AtOffsets { file: &file, start: 0, length: 8 };
        let outcome = run(source, Sink::Sequential(&mut writer), SIZE, threads(2), &|_| Processed::complete(1));
        assert!(matches!(outcome, Err(Error::Read(error)) if error.kind() == io::ErrorKind::UnexpectedEof));
        assert_eq!(writer.len(), 1);
    }

    #[test]
    fn a_source_that_is_longer_than_it_was_said_to_be_is_read_to_its_end() {
        let bytes = b"abcdefghijklm";
        for (length, number) in (0..=bytes.len() as u64).flat_map(|length| [1, 2, 3].map(|number| (length, number))) {
            let (file, written) = (Bytes(bytes), Written::default());
            let source = Source::AtOffsets { file: &file, start: 0, length };
            let process = |segment: Segment<'_>| {
                segment.output[0] = if segment.last { b'.' } else { b'-' };
                segment.output[1..=segment.input.len()].copy_from_slice(segment.input);
                Processed::complete(segment.input.len() + 1)
            };
            let sink = Sink::AtOffsets { file: &written, start: 0 };
            run(source, sink, SIZE, threads(number), &process).expect("neither end fails");
            assert_eq!(*lock(&written.0), b"-abcde-fghij.klm", "{length} bytes, {number} threads");
        }
    }

    #[test]
    fn there_is_one_worker_per_core_plus_two_if_some_wait_but_never_more_than_segments() {
        let (mut reader, file, mut writer, written) = (&b""[..], Bytes(b""), Vec::new(), Written::default());
        let sequential = Source::Sequential(&mut reader);
        let at_offsets = |length| Source::AtOffsets { file: &file, start: 0, length };
        let sinks = [Sink::Sequential(&mut writer), Sink::AtOffsets { file: &written, start: 0 }];
        let count =
            |source: &Source<'_>, sink: usize, number| worker_count(source, &sinks[sink], SIZE, threads(number));
        assert_eq!([0, 1].map(|sink| count(&sequential, sink, 1)), [1, 1]);
        assert_eq!([0, 1].map(|sink| count(&sequential, sink, 3)), [5, 5]);
        assert_eq!([0, 1].map(|sink| count(&at_offsets(100), sink, 3)), [5, 3]);
        assert_eq!([10, 11, 15, 16].map(|length| count(&at_offsets(length), 1, 8)), [2, 3, 3, 4]);
        assert_eq!(count(&sequential, 1, usize::MAX), usize::MAX);
    }
}
