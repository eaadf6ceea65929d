//! Seals a payload again under another key, without holding its plaintext whole.

use std::num::NonZeroUsize;

use crate::crypto::{
    error::Error,
    parallel::{
        endpoints::Sink,
        page_buffer::PageBuffer,
        pipeline::{self, Processed, Segment},
    },
    payload::{
        Payload,
        chunk::{CHUNK, PayloadKey, Position, SEALED_CHUNK},
        segment::{self, Part},
    },
    primitives::stack::wipe_stack_after,
};

impl Payload<'_> {
    /// Opens the payload, seals it again under `new_key`, and returns how many bytes were written.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`], [`Error::Armor`], [`Error::Read`], [`Error::Write`]. After an error the output is incomplete
    /// and must not be used.
    pub(crate) fn reseal(self, new_key: &PayloadKey, sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        let Self { key, chunks, .. } = self;
        let reseal = |sealed: Segment<'_>| wipe_stack_after(|| reseal_segment(&key, new_key, sealed));
        pipeline::run(chunks, sink, segment::RESEALING, threads, &reseal)
    }
}

/// Opens a segment under one key and seals it under another, chunk by chunk: a chunk stays in the processor's cache. A segment with
/// an error gives no output, because a part of a file under a new key is useless.
fn reseal_segment(old_key: &PayloadKey, new_key: &PayloadKey, segment: Segment<'_>) -> Processed {
    if segment.input.is_empty() {
        return segment::open(old_key, Part::WHOLE, segment);
    }
    let Segment { index, last, input, output } = segment;
    let mut buffer = match PageBuffer::new(CHUNK) {
        Ok(buffer) => buffer,
        Err(error) => return Processed::failed(error),
    };
    buffer.wipe_later(0, CHUNK);
    let plaintext = buffer.at(0);
    let chunks = input.len().div_ceil(SEALED_CHUNK);
    let mut length = 0;
    for (chunk, sealed) in input.chunks(SEALED_CHUNK).enumerate() {
        let position = Position { index: segment::chunk_index(index, chunk), last: last && chunk == chunks - 1 };
        let opened = segment::open_chunk(old_key, position, sealed, plaintext);
        if opened.error.is_some() {
            return Processed { length: 0, ..opened };
        }
        let end = length + sealed.len();
        new_key.seal(position, &plaintext[..opened.length], &mut output[length..end]);
        length = end;
    }
    Processed::complete(length)
}
