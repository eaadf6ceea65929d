//! A segment of sixteen chunks: seals or opens all of it, and says what is wrong with a chunk that does not open.
//!
//! The format does not know segments. One is the work of a pipeline worker at a time, long enough to read and write
//! efficiently. Spec of chunks: <https://c2sp.org/age#payload>.

use crate::crypto::{
    error::{Error, PayloadFault},
    parallel::pipeline::{Processed, Segment, SegmentSize},
    payload::chunk::{CHUNK, CHUNK_OVERHEAD, PayloadKey, Position, SEALED_CHUNK},
    secrecy::Zeroizing,
};

/// Number of chunks in every segment but the last.
const SEGMENT_CHUNKS: usize = 16;

/// Bytes of plaintext in every segment but the last.
pub const SEGMENT: usize = SEGMENT_CHUNKS * CHUNK;

/// For sealing: segments of plaintext in, sealed segments out.
pub(crate) const SEALING: SegmentSize = SegmentSize { input: SEGMENT, output: SEGMENT_CHUNKS * SEALED_CHUNK };

/// For opening: sealed segments in, segments of plaintext out.
pub(crate) const OPENING: SegmentSize = SegmentSize { input: SEALING.output, output: SEALING.input };

/// For resealing under another key: sealed segments in and out.
pub(crate) const RESEALING: SegmentSize = SegmentSize { input: SEALING.output, output: SEALING.output };

/// The part of a payload that a source holds.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// Number of the chunk with which the source starts.
    pub(crate) first_chunk: u64,
    /// Whether the source ends with the payload's final chunk.
    pub(crate) has_final_chunk: bool,
}

impl Part {
    /// The whole payload.
    pub(crate) const WHOLE: Self = Self { first_chunk: 0, has_final_chunk: true };
}

/// Returns the number of a chunk in its payload, given its segment and its number in the segment.
pub(crate) fn chunk_index(segment: u64, chunk: usize) -> u64 {
    segment * SEGMENT_CHUNKS as u64 + chunk as u64
}

/// Seals a segment of plaintext. This cannot fail.
pub(crate) fn seal(key: &PayloadKey, segment: Segment<'_>) -> Processed {
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
    Processed::complete(sealed)
}

/// Opens a sealed segment, up to the first chunk that is not authentic.
///
/// The error is [`Error::Payload`].
pub(crate) fn open(key: &PayloadKey, part: Part, segment: Segment<'_>) -> Processed {
    let chunks = segment.input.len().div_ceil(SEALED_CHUNK);
    let mut length = 0;
    for (chunk, sealed) in segment.input.chunks(SEALED_CHUNK).enumerate() {
        let last = part.has_final_chunk && segment.last && chunk == chunks - 1;
        let position = Position { index: part.first_chunk + chunk_index(segment.index, chunk), last };
        let opened = open_chunk(key, position, sealed, &mut segment.output[length..]);
        length += opened.length;
        if opened.error.is_some() {
            return Processed { length, ..opened };
        }
    }
    if segment.index == 0 && chunks == 0 {
        return Processed::failed(Error::Payload { chunk: 0, fault: PayloadFault::Truncated });
    }
    Processed::complete(length)
}

/// Opens one chunk into the beginning of `output`, or says what is wrong with it.
///
/// `sealed` has at most 65,552 bytes. A chunk that is authentic but followed by the wrong thing is opened too, and the
/// error names the chunk after it.
///
/// The error is [`Error::Payload`].
pub(crate) fn open_chunk(key: &PayloadKey, position: Position, sealed: &[u8], output: &mut [u8]) -> Processed {
    let failed = |length, chunk, fault| Processed { length, error: Some(Error::Payload { chunk, fault }) };
    if sealed.is_empty() {
        return failed(0, position.index, PayloadFault::Truncated);
    }
    let Some(length) = sealed.len().checked_sub(CHUNK_OVERHEAD) else {
        return failed(0, position.index, PayloadFault::CorruptedEnd);
    };
    if length == 0 && position.index > 0 {
        return failed(0, position.index, PayloadFault::EmptyFinalChunk);
    }

    let plaintext = &mut output[..length];
    if key.open(position, sealed, plaintext).is_ok() {
        return Processed::complete(length);
    }
    if sealed.len() < SEALED_CHUNK {
        return failed(0, position.index, PayloadFault::CorruptedEnd);
    }
    // A full chunk may be authentic in the other role: a final chunk with data after it, or the last chunk of a truncated
    // file. It is released, and the fault is at the chunk after it.
    let other_role = Position { last: !position.last, ..position };
    if key.open(other_role, sealed, plaintext).is_err() {
        return failed(0, position.index, PayloadFault::Corrupted);
    }
    let fault = if position.last { PayloadFault::Truncated } else { PayloadFault::TrailingData };
    failed(length, position.index + 1, fault)
}

/// Opens the longest proper prefix of `bytes` that is a final chunk with number `index`.
pub(crate) fn open_prefix(key: &PayloadKey, index: u64, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
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
