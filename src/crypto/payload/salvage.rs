//! Recovers the authentic chunks of a damaged payload, and keeps account of what is lost.

use std::{
    num::NonZeroUsize,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::crypto::{
    error::Error,
    parallel::{
        endpoints::{ReadAt, Sink, Source, WriteAt, fill_at, saturating_usize},
        pipeline::{self, Processed, Segment},
    },
    payload::{
        Payload,
        chunk::{CHUNK, CHUNK_OVERHEAD, PayloadKey, Position, SEALED_CHUNK},
        segment::{self, chunk_index},
    },
    primitives::stack::wipe_stack_after,
    secrecy::Zeroizing,
};

/// Why the lock on the losses cannot be poisoned.
const NO_PANIC: &str = "no worker panics while it records losses";

/// The result of salvaging a payload.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Length of the plaintext in bytes, including what is lost.
    ///
    /// If there is trailing data, more may have been written.
    pub length: u64,
    /// The ranges of the plaintext that are lost and were written as zeros, in order, in bytes.
    pub lost: Vec<Range<u64>>,
    /// Whether the final chunk is authentic. If not, the original length of the plaintext is unknown.
    pub has_final_chunk: bool,
    /// Whether data follows the final chunk.
    pub has_trailing_data: bool,
    /// Whether authentic chunks follow a final chunk, which is then none: nobody who seals one file makes both.
    pub has_early_end: bool,
}

impl Payload<'_> {
    /// Opens every authentic chunk to its place in `sink`, and writes zeros for the others.
    ///
    /// # Errors
    ///
    /// [`Error::Armor`], [`Error::Read`], [`Error::Write`]. A damaged chunk is not an error.
    pub fn salvage(self, sink: Sink<'_>, threads: NonZeroUsize) -> Result<Salvaged, Error> {
        let Self { key, chunks } = self;
        let search = FinalChunkSearch::new(&chunks, &sink);
        let salvaged = Mutex::new(Salvaged::default());
        let authentic_end = AtomicU64::new(0);
        let open = |sealed: Segment<'_>| {
            let (processed, found, end) = wipe_stack_after(|| open_authentic(&key, sealed));
            authentic_end.fetch_max(end, Ordering::Relaxed);
            salvaged.lock().expect(NO_PANIC).add(found);
            processed
        };
        let length = pipeline::run(chunks, sink, segment::OPENING, threads, &open)?;
        let mut salvaged = salvaged.into_inner().expect(NO_PANIC);
        if !salvaged.has_final_chunk {
            salvaged.length = length;
        }
        salvaged.normalize(authentic_end.into_inner());
        if let (false, false, Some(search)) = (salvaged.has_final_chunk, salvaged.has_early_end, search) {
            search.run(&key, &mut salvaged)?;
        }
        Ok(salvaged)
    }
}

/// Opens each authentic chunk of a segment, and fills the plaintext of the others with zeros. This cannot fail. Also returns the end
/// of the last authentic chunk, or 0.
fn open_authentic(key: &PayloadKey, segment: Segment<'_>) -> (Processed, Salvaged, u64) {
    let mut found = Salvaged::default();
    let mut authentic_end = 0;
    let mut written = 0;
    for (chunk, sealed) in segment.input.chunks(SEALED_CHUNK).enumerate() {
        let index = chunk_index(segment.index, chunk);
        let length = sealed.len().saturating_sub(CHUNK_OVERHEAD);
        let plaintext = &mut segment.output[written..written + length];
        let mut opens =
            |last| sealed.len() >= CHUNK_OVERHEAD && key.open(Position { index, last }, sealed, plaintext).is_ok();
        let opens_as_inner = opens(false);
        let start = index * CHUNK as u64;
        let end = start + length as u64;
        // Any chunk may be the final one: with trailing data, it is not the last that was read.
        if !opens_as_inner && opens(true) {
            found.set_end(end);
            authentic_end = end;
        } else if opens_as_inner {
            authentic_end = end;
        } else {
            plaintext.fill(0);
            found.lost.push(start..end);
        }
        written += length;
    }
    (Processed::complete(written), found, authentic_end)
}

impl Salvaged {
    /// Returns how many bytes of plaintext are authentic.
    #[must_use]
    pub fn recovered(&self) -> u64 {
        self.length - self.lost.iter().map(|range| range.end - range.start).sum::<u64>()
    }

    /// Adds the result of another segment.
    fn add(&mut self, segment: Self) {
        self.lost.extend(segment.lost);
        if segment.has_final_chunk {
            self.set_end(segment.length);
        }
    }

    /// Records that a final chunk ends at `end`. If there are several, the first one counts.
    fn set_end(&mut self, end: u64) {
        self.length = if self.has_final_chunk { self.length.min(end) } else { end };
        self.has_final_chunk = true;
    }

    /// Sorts the losses and merges adjacent ones. Those after the final chunk, or after the last of several, become trailing data.
    fn normalize(&mut self, authentic_end: u64) {
        self.has_early_end = self.has_final_chunk && authentic_end > self.length;
        if self.has_early_end {
            self.length = authentic_end;
            self.has_final_chunk = false;
        }
        if self.has_final_chunk || self.has_early_end {
            let losses = self.lost.len();
            self.lost.retain(|range| range.start < self.length);
            self.has_trailing_data |= self.lost.len() < losses;
        }
        self.lost.sort_by_key(|range| range.start);
        self.lost.dedup_by(|next, range| {
            let adjacent = range.end == next.start;
            if adjacent {
                range.end = next.end;
            }
            adjacent
        });
        // A fragment shorter than a tag holds no plaintext that could be lost.
        self.lost.retain(|range| !range.is_empty());
    }
}

/// A second look at the source for a final chunk that the first pass missed.
///
/// If data was appended to a file, the final chunk was read together with the beginning of that data, and did not open.
struct FinalChunkSearch<'a> {
    source: &'a dyn ReadAt,
    /// Offset of the first chunk in the source.
    source_start: u64,
    /// Length of the source from there, in bytes.
    source_length: u64,
    sink: &'a dyn WriteAt,
    /// Offset of the plaintext in the sink.
    sink_start: u64,
}

impl<'a> FinalChunkSearch<'a> {
    /// Keeps the source and the sink, or returns `None` unless both have offsets.
    fn new<'i: 'a, 'o: 'a>(source: &Source<'i>, sink: &Sink<'o>) -> Option<Self> {
        match (source, sink) {
            (Source::AtOffsets { file: source, start, length }, Sink::AtOffsets { file: sink, start: sink_start }) => {
                Some(Self {
                    source: *source,
                    source_start: *start,
                    source_length: *length,
                    sink: *sink,
                    sink_start: *sink_start,
                })
            }
            _ => None,
        }
    }

    /// Looks for the final chunk at the start of the loss that ends the payload, and writes its plaintext if found.
    fn run(&self, key: &PayloadKey, salvaged: &mut Salvaged) -> Result<(), Error> {
        let Some(lost) = salvaged.lost.pop_if(|lost| lost.end == salvaged.length) else { return Ok(()) };
        let index = lost.start / CHUNK as u64;
        let before = index * SEALED_CHUNK as u64;
        let mut bytes = vec![0; saturating_usize(self.source_length - before).min(SEALED_CHUNK)];
        let read = fill_at(self.source, &mut bytes, self.source_start + before)?;
        match wipe_stack_after(|| open_prefix(key, index, &bytes[..read])) {
            Some(plaintext) => {
                self.sink.write_all_at(&plaintext, self.sink_start + lost.start).map_err(Error::Write)?;
                salvaged.set_end(lost.start + plaintext.len() as u64);
                salvaged.has_trailing_data = true;
            }
            None => salvaged.lost.push(lost),
        }
        Ok(())
    }
}

/// Opens the longest proper prefix of `bytes` that is a final chunk with number `index`.
fn open_prefix(key: &PayloadKey, index: u64, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut plaintext = Zeroizing::new(vec![0; bytes.len()]);
    // Only the first chunk may be empty.
    let shortest = CHUNK_OVERHEAD + usize::from(index > 0);
    let length = (shortest..bytes.len()).rev().find(|length| {
        let plaintext = &mut plaintext[..length - CHUNK_OVERHEAD];
        key.open(Position { index, last: true }, &bytes[..*length], plaintext).is_ok()
    })?;
    plaintext.truncate(length - CHUNK_OVERHEAD);
    Some(plaintext)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{FileKey, payload::chunk::PAYLOAD_NONCE};

    #[test]
    fn authentic_chunks_after_an_early_end_are_kept_and_the_file_is_not_complete() {
        let key = || PayloadKey::derive(&FileKey::init_with_mut(|key| key.fill(7)), &[0; PAYLOAD_NONCE]);
        let seal = |index, last, length: usize| {
            let mut sealed = vec![0; length + CHUNK_OVERHEAD];
            key().seal(Position { index, last }, &vec![9; length], &mut sealed);
            sealed
        };
        let chunk = |index, last| seal(index, last, CHUNK);
        let salvage = |chunks: &[Vec<u8>]| {
            let (bytes, mut output) = (chunks.concat(), Vec::new());
            let mut bytes = bytes.as_slice();
            let payload = Payload { key: key(), chunks: Source::Sequential(&mut bytes) };
            payload.salvage(Sink::Sequential(&mut output), NonZeroUsize::MIN).expect("memory does not fail")
        };
        let whole = salvage(&[chunk(0, false), seal(1, true, 5)]);
        assert!(whole.has_final_chunk && !whole.has_early_end && whole.length == CHUNK as u64 + 5);
        let ends = [
            (vec![chunk(0, false), chunk(1, true), chunk(2, false)], 3, vec![]),
            (vec![chunk(0, true), chunk(1, true)], 2, vec![]),
            (vec![chunk(0, true), vec![0; CHUNK + CHUNK_OVERHEAD], chunk(2, false), vec![0; 99]], 3, vec![1..2]),
        ];
        for (chunks, length, lost) in ends {
            let salvaged = salvage(&chunks);
            assert!(!salvaged.has_final_chunk && salvaged.has_early_end, "{salvaged:?}");
            assert_eq!(salvaged.length, length * CHUNK as u64);
            let of_chunks = |range: &Range<u64>| range.start * CHUNK as u64..range.end * CHUNK as u64;
            assert_eq!(salvaged.lost, lost.iter().map(of_chunks).collect::<Vec<_>>());
        }
    }
}
