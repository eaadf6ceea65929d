//! A segment of the payload, sixteen chunks: sealing or opening all of it, and naming what is wrong with a bad chunk.
//!
//! A segment is what one worker of the pipeline handles at a time. Spec: <https://c2sp.org/age#payload>.

use super::{
    error::{Error, PayloadFault},
    pipeline::{Segment, Shape, Step},
    stream::{CHUNK, CHUNK_OVERHEAD, PayloadKey, Position, SEALED_CHUNK},
};

/// Chunks in every segment but the last.
const SEGMENT_CHUNKS: usize = 16;

/// Segments of plaintext in, sealed segments out.
pub(super) const SEALING: Shape = Shape { input: SEGMENT_CHUNKS * CHUNK, output: SEGMENT_CHUNKS * SEALED_CHUNK };

/// Sealed segments in, segments of plaintext out.
pub(super) const OPENING: Shape = Shape { input: SEALING.output, output: SEALING.input };

/// Seals a segment of plaintext. Cannot fail.
pub(super) fn seal(key: &PayloadKey, segment: Segment<'_>) -> Step {
    // An empty payload is one empty chunk.
    let chunks = segment.input.len().div_ceil(CHUNK).max(1);
    let mut sealed = 0;
    for chunk in 0..chunks {
        let start = chunk * CHUNK;
        let plaintext = &segment.input[start..segment.input.len().min(start + CHUNK)];
        let end = sealed + plaintext.len() + CHUNK_OVERHEAD;
        let position = Position { index: chunk_index(segment.index, chunk), last: segment.last && chunk == chunks - 1 };
        key.seal(position, plaintext, &mut segment.output[sealed..end]);
        sealed = end;
    }
    Step::done(sealed)
}

/// Opens a sealed segment, up to the first chunk that is not authentic.
pub(super) fn open(key: &PayloadKey, segment: Segment<'_>) -> Step {
    let chunks = segment.input.len().div_ceil(SEALED_CHUNK);
    let mut opened = 0;
    for (chunk, sealed) in segment.input.chunks(SEALED_CHUNK).enumerate() {
        let position = Position { index: chunk_index(segment.index, chunk), last: segment.last && chunk == chunks - 1 };
        let fault = |chunk, fault| Some(Error::Payload { chunk, fault });
        let Some(length) = sealed.len().checked_sub(CHUNK_OVERHEAD) else {
            return Step { length: opened, failure: fault(position.index, PayloadFault::CorruptedEnd) };
        };
        if length == 0 && position.index > 0 {
            return Step { length: opened, failure: fault(position.index, PayloadFault::EmptyFinalChunk) };
        }

        let plaintext = &mut segment.output[opened..opened + length];
        if key.open(position, sealed, plaintext).is_ok() {
            opened += length;
            continue;
        }
        if sealed.len() < SEALED_CHUNK {
            return Step { length: opened, failure: fault(position.index, PayloadFault::CorruptedEnd) };
        }
        // A whole chunk may be authentic in the other role: the final one with data behind it, or one that should
        // have a successor. Then it is released, and what comes after it is at fault.
        let other = Position { last: !position.last, ..position };
        if key.open(other, sealed, plaintext).is_err() {
            return Step { length: opened, failure: fault(position.index, PayloadFault::Corrupted) };
        }
        let what = if position.last { PayloadFault::Truncated } else { PayloadFault::TrailingData };
        return Step { length: opened + length, failure: fault(position.index + 1, what) };
    }
    if segment.index == 0 && chunks == 0 {
        let failure = Error::Payload { chunk: 0, fault: PayloadFault::Truncated };
        return Step { length: 0, failure: Some(failure) };
    }
    Step::done(opened)
}

fn chunk_index(segment: u64, chunk: usize) -> u64 {
    segment * SEGMENT_CHUNKS as u64 + chunk as u64
}
