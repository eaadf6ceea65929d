//! Decrypts a range of a payload without opening the chunks before it.

use std::{
    io::{self, Write},
    num::NonZeroUsize,
    ops::Range,
};

use crate::crypto::{
    error::Error,
    parallel::{
        endpoints::{Sink, Source, UpTo, saturating_usize},
        pipeline::{self, Segment},
    },
    payload::{
        Payload,
        chunk::{CHUNK, SEALED_CHUNK},
        segment::{self, Part},
    },
    primitives::stack::wipe_stack_after,
};

impl Payload<'_> {
    /// Opens the chunks that hold `range` of the plaintext, writes that range, and returns its length.
    ///
    /// `range` is in bytes. A range that goes beyond the plaintext is cut at its end.
    ///
    /// The final chunk is authenticated first, as the specification requires for random access: no other chunk tells
    /// where the payload ends.
    ///
    /// # Errors
    ///
    /// [`Error::NotSeekable`] if the source is sequential; otherwise those of [`decrypt`](Self::decrypt).
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

        let part_only = UpTo { file, end: start + sealed.end };
        let source =
            Source::AtOffsets { file: &part_only, start: start + sealed.start, length: sealed.end - sealed.start };
        let part = Part { first_chunk: chunks.start, has_final_chunk: sealed.end == length };
        let open = |sealed: Segment<'_>| wipe_stack_after(|| segment::open(&self.key, part, sealed));
        let length = range.end - range.start;
        let mut window = Window { writer, skip: range.start - chunks.start * CHUNK as u64, left: length };
        pipeline::run(source, Sink::Sequential(&mut window), segment::OPENING, threads, &open)?;
        Ok(length)
    }
}

/// A writer that drops the first `skip` bytes, passes on the next `left` bytes, and drops the rest.
struct Window<'a> {
    writer: &'a mut (dyn Write + Send),
    skip: u64,
    left: u64,
}

impl Write for Window<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let skipped = saturating_usize(self.skip.min(bytes.len() as u64));
        let end = bytes.len().min(skipped.saturating_add(saturating_usize(self.left)));
        self.writer.write_all(&bytes[skipped..end])?;
        self.skip -= skipped as u64;
        self.left -= (end - skipped) as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
