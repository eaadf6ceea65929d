//! What can be done with a payload whose key is known: open all of it, a range of it or what is left of it, check its end,
//! or seal it anew under another file key.
//!
//! Spec: <https://c2sp.org/age#payload>.

pub(crate) mod chunk;
pub(crate) mod segment;

use std::{
    io::{self, Write},
    num::NonZeroUsize,
    ops::Range,
    sync::Mutex,
};

use age_core::format::FileKey;

use crate::crypto::secrecy::Zeroizing;
use crate::crypto::{
    error::Error,
    parallel::{
        endpoints::{ReadAt, Sink, Source, WriteAt, fill_at, size},
        pipeline::{self, Segment, Step},
    },
    payload::{
        chunk::{CHUNK, PAYLOAD_NONCE, PayloadKey, Position, SEALED_CHUNK, plaintext_length},
        segment::Part,
    },
    primitives::stack::wiped,
};

/// A payload whose key is known. Nothing of it has been authenticated yet.
pub struct Payload<'a> {
    key: PayloadKey,
    /// The chunks, without the nonce before them.
    chunks: Source<'a>,
}

impl<'a> Payload<'a> {
    /// Reads the nonce and derives the key. `source` begins right after the header.
    pub(crate) fn read(file_key: &FileKey, mut source: Source<'a>) -> Result<Self, Error> {
        let mut nonce = [0; PAYLOAD_NONCE];
        if source.read_prefix(&mut nonce)? < PAYLOAD_NONCE {
            return Err(Error::NoNonce);
        }
        Ok(Self { key: PayloadKey::derive(file_key, &nonce), chunks: source })
    }

    /// Opens all of it, and returns how many bytes of plaintext there are.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`], after exactly [`Error::released`] bytes; [`Error::Armor`], [`Error::Read`], [`Error::Write`].
    pub fn decrypt(self, sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        let Self { key, chunks } = self;
        let open = |sealed: Segment<'_>| wiped(|| segment::open(&key, Part::WHOLE, sealed));
        pipeline::run(chunks, sink, segment::OPENING, threads, &open)
    }

    /// Authenticates the last chunk, where it can be read before the others: a payload that was cut off or appended to is
    /// known at once. A source that is read in turn is left alone.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`], with which nothing was released; [`Error::Read`].
    pub fn check_final_chunk(&self) -> Result<(), Error> {
        let Source::AtOffsets { file, start, length } = self.chunks else { return Ok(()) };
        let index = length.saturating_sub(1) / SEALED_CHUNK as u64;
        let before = index * SEALED_CHUNK as u64;
        let mut sealed = vec![0; size(length - before)];
        let read = fill_at(file, &mut sealed, start + before)?;
        let mut plaintext = Zeroizing::new(vec![0; read]);
        let position = Position { index, last: true };
        match wiped(|| segment::open_chunk(&self.key, position, &sealed[..read], &mut plaintext)).failure {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// How many bytes of plaintext there are, by the length of the source. It is true only if the
    /// [end](Self::check_final_chunk) is. None if the source is read in turn, or is cut off where no payload ends.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let Source::AtOffsets { length, .. } = self.chunks else { return None };
        plaintext_length(PAYLOAD_NONCE as u64 + length)
    }

    /// How many chunks there are, whole ones and the last. None if the source is read in turn.
    #[must_use]
    pub fn chunks(&self) -> Option<u64> {
        let Source::AtOffsets { length, .. } = self.chunks else { return None };
        Some(length.div_ceil(SEALED_CHUNK as u64).max(1))
    }

    /// Opens the chunks that hold `range` of the plaintext and the last one, and releases that range alone, in turn.
    /// Returns how many bytes were released: fewer than the range has if the plaintext ends before it does.
    ///
    /// The last chunk comes first, as the specification demands of random access: it alone says where the payload ends.
    ///
    /// # Errors
    ///
    /// As of [`decrypt`](Self::decrypt), and [`Error::NotSeekable`] for a source that is read in turn.
    pub fn decrypt_range(
        self,
        range: Range<u64>,
        writer: &mut (dyn Write + Send),
        threads: NonZeroUsize,
    ) -> Result<u64, Error> {
        let Source::AtOffsets { file, start, length } = self.chunks else { return Err(Error::NotSeekable) };
        self.check_final_chunk()?;
        let plaintext = self.length().unwrap_or(0);
        let range = range.start.min(plaintext)..range.end.min(plaintext);
        if range.is_empty() {
            return Ok(0);
        }
        let chunks = range.start / CHUNK as u64..range.end.div_ceil(CHUNK as u64);
        let sealed = chunks.start * SEALED_CHUNK as u64..(chunks.end * SEALED_CHUNK as u64).min(length);

        let source = Source::AtOffsets { file, start: start + sealed.start, length: sealed.end - sealed.start };
        let part = Part { first_chunk: chunks.start, has_final_chunk: sealed.end == length };
        let open = |sealed: Segment<'_>| wiped(|| segment::open(&self.key, part, sealed));
        let length = range.end - range.start;
        let mut window = Window { writer, skip: range.start - chunks.start * CHUNK as u64, left: length };
        pipeline::run(source, Sink::Sequential(&mut window), segment::OPENING, threads, &open)?;
        Ok(length)
    }

    /// Opens every chunk that is authentic, each at its place, and puts zeros for the others.
    ///
    /// # Errors
    ///
    /// [`Error::Armor`], [`Error::Read`], [`Error::Write`].
    pub fn salvage(self, sink: Sink<'_>, threads: NonZeroUsize) -> Result<Salvaged, Error> {
        let Self { key, chunks } = self;
        let again = match (&chunks, &sink) {
            (Source::AtOffsets { file: source, start, length }, Sink::AtOffsets { file: sink, start: to }) => {
                Some(Again { source: *source, start: *start, length: *length, sink: *sink, to: *to })
            }
            _ => None,
        };
        let found = Mutex::new(Salvaged::default());
        let open = |sealed: Segment<'_>| {
            let (step, part) = wiped(|| segment::salvage(&key, sealed));
            found.lock().expect("no worker panics while it notes its losses").add(part);
            step
        };
        let length = pipeline::run(chunks, sink, segment::OPENING, threads, &open)?;
        let mut found = found.into_inner().expect("no worker panics while it notes its losses");
        if !found.has_final_chunk {
            found.length = length;
        }
        found.join();
        if let (false, Some(again)) = (found.has_final_chunk, again) {
            again.find_end(&key, &mut found)?;
        }
        Ok(found)
    }

    /// Opens the payload and seals it again under another key, segment by segment: the plaintext is never held whole.
    pub(crate) fn reseal(self, new_key: &PayloadKey, sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        let Self { key, chunks } = self;
        let reseal = |sealed: Segment<'_>| wiped(|| reseal(&key, new_key, sealed));
        pipeline::run(chunks, sink, segment::RESEALING, threads, &reseal)
    }
}

/// Opens a segment under one key and seals it under another.
fn reseal(old: &PayloadKey, new: &PayloadKey, segment: Segment<'_>) -> Step {
    let Segment { index, last, input, output } = segment;
    let mut plaintext = Zeroizing::new(vec![0; input.len()]);
    let opened = segment::open(old, Part::WHOLE, Segment { index, last, input, output: &mut plaintext });
    if opened.failure.is_some() {
        // Half a file under a new key is of no use.
        return Step { length: 0, ..opened };
    }
    segment::seal(new, Segment { index, last, input: &plaintext[..opened.length], output })
}

/// What became of a damaged payload.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Bytes of plaintext, lost ones among them. More may have been written, where something stands behind the end.
    pub length: u64,
    /// Which of them are lost, in order, and zeros now.
    pub lost: Vec<Range<u64>>,
    /// Whether the final chunk is there and authentic. If not, nobody knows how long the plaintext was.
    pub has_final_chunk: bool,
    /// Whether something stands behind the end.
    pub has_trailing_data: bool,
}

impl Salvaged {
    /// How many bytes of plaintext are authentic.
    #[must_use]
    pub fn recovered(&self) -> u64 {
        self.length - self.lost.iter().map(|range| range.end - range.start).sum::<u64>()
    }

    /// Adds what came of another segment.
    fn add(&mut self, part: Self) {
        self.lost.extend(part.lost);
        if part.has_final_chunk {
            self.ends_at(part.length);
        }
    }

    /// Notes where the plaintext ends.
    pub(crate) fn ends_at(&mut self, end: u64) {
        self.length = if self.has_final_chunk { self.length.min(end) } else { end };
        self.has_final_chunk = true;
    }

    /// Puts losses in order, and adjoining ones together. What stands behind the end is none.
    fn join(&mut self) {
        if self.has_final_chunk {
            let losses = self.lost.len();
            self.lost.retain(|range| range.start < self.length);
            self.has_trailing_data |= self.lost.len() < losses;
        }
        self.lost.sort_by_key(|range| range.start);
        self.lost.dedup_by(|next, range| {
            let adjoin = range.end == next.start;
            if adjoin {
                range.end = next.end;
            }
            adjoin
        });
        // What is shorter than a tag holds nothing that could be lost.
        self.lost.retain(|range| !range.is_empty());
    }
}

/// Both ends of a salvage, for a second look.
struct Again<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    length: u64,
    sink: &'a dyn WriteAt,
    to: u64,
}

impl Again<'_> {
    /// Looks for the final chunk where the losses begin that go on to the end: where something was appended, it was read as
    /// a part of that chunk.
    fn find_end(&self, key: &PayloadKey, found: &mut Salvaged) -> Result<(), Error> {
        let Some(lost) = found.lost.pop_if(|lost| lost.end == found.length) else { return Ok(()) };
        let index = lost.start / CHUNK as u64;
        let before = index * SEALED_CHUNK as u64;
        let mut piece = vec![0; size(self.length - before).min(SEALED_CHUNK)];
        let read = fill_at(self.source, &mut piece, self.start + before)?;
        match wiped(|| segment::open_beginning(key, index, &piece[..read])) {
            Some(plaintext) => {
                self.sink.write_all_at(&plaintext, self.to + lost.start).map_err(Error::Write)?;
                found.ends_at(lost.start + plaintext.len() as u64);
                found.has_trailing_data = true;
            }
            None => found.lost.push(lost),
        }
        Ok(())
    }
}

/// Passes on a part of what is written to it: what comes after the first `skip` bytes, up to `left` of them.
struct Window<'a> {
    writer: &'a mut (dyn Write + Send),
    skip: u64,
    left: u64,
}

impl Write for Window<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = size(self.skip.min(bytes.len() as u64));
        let end = bytes.len().min(skipped.saturating_add(size(self.left)));
        self.writer.write_all(&bytes[skipped..end])?;
        self.skip -= skipped as u64;
        self.left -= (end - skipped) as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
