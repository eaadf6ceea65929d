//! Recovers the authentic chunks of a damaged payload, and keeps account of what is lost.

use std::{
    borrow::Cow,
    io::{self, Write},
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
        endpoints::{ReadAt, Sink, Source, fill_at, saturating_usize},
        pipeline::{self, Processed, Segment},
    },
    payload::{
        Payload,
        chunk::{CHUNK, CHUNK_OVERHEAD, PayloadKey, Position, SEALED_CHUNK},
        segment::{self, chunk_index, open_prefix},
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
    /// If there is trailing data, more may have been written to a sink with offsets.
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
        let Self { key, chunks, .. } = self;
        let mut last = match chunks {
            Source::AtOffsets { file, start, length } => LastLoss::InFile { file, start, length },
            Source::Sequential(_) => LastLoss::Kept(None),
        };
        match sink {
            Sink::AtOffsets { file, start } => {
                let mut salvaged = open_each(&key, chunks, Sink::AtOffsets { file, start }, threads, &mut last)?;
                if let Some(end) = salvaged.find_end(&key, &last)? {
                    let offset = start + salvaged.length - end.len() as u64;
                    file.write_all_at(&end, offset).map_err(Error::Write)?;
                }
                Ok(salvaged)
            }
            Sink::Sequential(writer) => {
                let mut writer = HeldZeros { writer, written: 0, zeros: 0 };
                let mut salvaged = open_each(&key, chunks, Sink::Sequential(&mut writer), threads, &mut last)?;
                let end = salvaged.find_end(&key, &last)?.unwrap_or_default();
                let written = writer.fill(salvaged.length - end.len() as u64);
                written.and_then(|()| writer.writer.write_all(&end)).map_err(Error::Write)?;
                Ok(salvaged)
            }
        }
    }
}

/// Opens every chunk that is authentic, and takes account of the others.
fn open_each(
    key: &PayloadKey,
    chunks: Source<'_>,
    sink: Sink<'_>,
    threads: NonZeroUsize,
    last: &mut LastLoss<'_>,
) -> Result<Salvaged, Error> {
    // What is read only once is opened in order, to know which chunk to keep.
    let (kept, threads) = match last {
        LastLoss::InFile { .. } => (None, threads),
        LastLoss::Kept(kept) => (Some(Mutex::new(kept)), NonZeroUsize::MIN),
    };
    let salvaged = Mutex::new(Salvaged::default());
    let authentic_end = AtomicU64::new(0);
    let open = |sealed: Segment<'_>| {
        let (first, input) = (chunk_index(sealed.index, 0), sealed.input);
        let (processed, found) = wipe_stack_after(|| open_authentic(key, sealed));
        authentic_end.fetch_max(found.authentic_end, Ordering::Relaxed);
        salvaged.lock().expect(NO_PANIC).add(found.salvaged);
        if let Some(kept) = &kept {
            let mut kept = kept.lock().expect(NO_PANIC);
            if found.authentic_end > 0 {
                **kept = None;
            }
            let lost =
                found.last_loss.and_then(|index| input.chunks(SEALED_CHUNK).nth(saturating_usize(index - first)));
            if let (None, Some(lost)) = (&**kept, lost) {
                **kept = Some(lost.to_vec());
            }
        }
        processed
    };
    let length = pipeline::run(chunks, sink, segment::OPENING, threads, &open)?;
    let mut salvaged = salvaged.into_inner().expect(NO_PANIC);
    if !salvaged.has_final_chunk {
        salvaged.length = length;
    }
    salvaged.normalize(authentic_end.into_inner());
    Ok(salvaged)
}

/// The results of a segment.
#[derive(Default)]
struct Found {
    salvaged: Salvaged,
    /// The end of the last authentic chunk in the plaintext, or 0.
    authentic_end: u64,
    /// The number of the first chunk after that, if there is one.
    last_loss: Option<u64>,
}

/// Opens each authentic chunk of a segment, and fills the plaintext of the others with zeros. This cannot fail.
fn open_authentic(key: &PayloadKey, segment: Segment<'_>) -> (Processed, Found) {
    let mut found = Found::default();
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
        let opens_as_final = !opens_as_inner && opens(true);
        if opens_as_final {
            found.salvaged.set_end(end);
        }
        if opens_as_inner || opens_as_final {
            found.authentic_end = end;
            found.last_loss = None;
        } else {
            plaintext.fill(0);
            found.salvaged.lost.push(start..end);
            found.last_loss.get_or_insert(index);
        }
        written += length;
    }
    (Processed::complete(written), found)
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

    /// Looks for the final chunk at the start of the loss that ends the payload, where other data may follow it. Returns its
    /// plaintext, which ends the plaintext of the payload.
    fn find_end(&mut self, key: &PayloadKey, last: &LastLoss<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        if self.has_final_chunk || self.has_early_end {
            return Ok(None);
        }
        let Some(lost) = self.lost.pop_if(|lost| lost.end == self.length) else { return Ok(None) };
        let index = lost.start / CHUNK as u64;
        let sealed = last.read(index)?;
        let end = wipe_stack_after(|| open_prefix(key, index, &sealed));
        match &end {
            Some(plaintext) => {
                self.set_end(lost.start + plaintext.len() as u64);
                self.has_trailing_data = true;
            }
            None => self.lost.push(lost),
        }
        Ok(end)
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

/// The first chunk of the loss that ends a payload.
///
/// If data was appended to a file, the final chunk was read together with the beginning of that data, and did not open.
enum LastLoss<'a> {
    /// It can be read again.
    InFile {
        file: &'a dyn ReadAt,
        /// Offset of the first chunk of the payload.
        start: u64,
        /// Length of the source from there, in bytes.
        length: u64,
    },
    /// It was kept, because it can be read only once.
    Kept(Option<Vec<u8>>),
}

impl LastLoss<'_> {
    /// The chunk with number `index`.
    fn read(&self, index: u64) -> Result<Cow<'_, [u8]>, Error> {
        match self {
            Self::InFile { file, start, length } => {
                let before = index * SEALED_CHUNK as u64;
                let mut sealed = vec![0; saturating_usize(length.saturating_sub(before)).min(SEALED_CHUNK)];
                let read = fill_at(*file, &mut sealed, start + before)?;
                sealed.truncate(read);
                Ok(sealed.into())
            }
            Self::Kept(kept) => Ok(kept.as_deref().unwrap_or_default().into()),
        }
    }
}

/// Holds back zeros until other bytes follow: a loss at the end may turn out not to belong to the plaintext.
struct HeldZeros<'a> {
    writer: &'a mut (dyn Write + Send),
    /// Number of bytes that were passed on.
    written: u64,
    /// Number of zeros that are held back.
    zeros: u64,
}

impl HeldZeros<'_> {
    /// Writes zeros until `length` bytes were passed on.
    fn fill(&mut self, length: u64) -> io::Result<()> {
        static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
        while self.written < length {
            let zeros = &ZEROS[..ZEROS.len().min(saturating_usize(length - self.written))];
            self.writer.write_all(zeros)?;
            self.written += zeros.len() as u64;
        }
        Ok(())
    }
}

impl Write for HeldZeros<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if end > 0 {
            self.fill(self.written + self.zeros)?;
            self.writer.write_all(&bytes[..end])?;
            self.written += end as u64;
            self.zeros = 0;
        }
        self.zeros += (bytes.len() - end) as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
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
            let payload = Payload { key: key(), chunks: Source::Sequential(&mut bytes), may_be_followed: false };
            payload.salvage(Sink::Sequential(&mut output), NonZeroUsize::MIN).expect("memory does not fail")
        };
        let whole = salvage(&[chunk(0, false), seal(1, true, 5)]);
        assert!(whole.has_final_chunk && !whole.has_early_end && whole.length == CHUNK as u64 + 5);
        let ends = [
            (vec![chunk(0, false), chunk(1, true), chunk(2, false)], 3, vec![]),
            (vec![chunk(0, true), chunk(1, true)], 2, vec![]),
            (vec![chunk(0, true), vec![0; CHUNK + CHUNK_OVERHEAD], chunk(2, false), vec![0; 99]], 3, vec![(1, 2)]),
        ];
        for (chunks, length, lost) in ends {
            let salvaged = salvage(&chunks);
            assert!(!salvaged.has_final_chunk && salvaged.has_early_end, "{salvaged:?}");
            assert_eq!(salvaged.length, length * CHUNK as u64);
            let of_chunks = |(start, end): &(u64, u64)| start * CHUNK as u64..end * CHUNK as u64;
            assert_eq!(salvaged.lost, lost.iter().map(of_chunks).collect::<Vec<_>>());
        }
    }
}
