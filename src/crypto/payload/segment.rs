//! A segment of the payload, sixteen chunks: sealing or opening all of it, and naming what is wrong with a bad chunk.
//!
//! A segment is what one worker of the pipeline handles at a time. Spec: <https://c2sp.org/age#payload>.


use crate::crypto::secrecy::Zeroizing;
use crate::crypto::{
    error::{Error, PayloadFault},
    parallel::pipeline::{Segment, Shape, Step},
    payload::{
        Salvaged,
        chunk::{CHUNK, CHUNK_OVERHEAD, PayloadKey, Position, SEALED_CHUNK},
    },
};

/// Chunks in every segment but the last.
const SEGMENT_CHUNKS: usize = 16;

/// Bytes of plaintext in every segment but the last: what one thread handles at a time.
pub const SEGMENT: usize = SEGMENT_CHUNKS * CHUNK;

/// Segments of plaintext in, sealed segments out.
pub(crate) const SEALING: Shape = Shape { input: SEGMENT, output: SEGMENT_CHUNKS * SEALED_CHUNK };

/// Sealed segments in, segments of plaintext out.
pub(crate) const OPENING: Shape = Shape { input: SEALING.output, output: SEALING.input };

/// Sealed segments in, and out again under another key.
pub(crate) const RESEALING: Shape = Shape { input: SEALING.output, output: SEALING.output };

/// Which part of a payload is handled: where its first segment stands, and whether its last chunk is the payload's last.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) first_chunk: u64,
    pub(crate) has_final_chunk: bool,
}

impl Part {
    /// All of it.
    pub(crate) const WHOLE: Self = Self { first_chunk: 0, has_final_chunk: true };
}

/// Seals a segment of plaintext. Cannot fail.
pub(crate) fn seal(key: &PayloadKey, segment: Segment<'_>) -> Step {
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
pub(crate) fn open(key: &PayloadKey, part: Part, segment: Segment<'_>) -> Step {
    let chunks = segment.input.len().div_ceil(SEALED_CHUNK);
    let mut opened = 0;
    for (chunk, sealed) in segment.input.chunks(SEALED_CHUNK).enumerate() {
        let last = part.has_final_chunk && segment.last && chunk == chunks - 1;
        let position = Position { index: part.first_chunk + chunk_index(segment.index, chunk), last };
        let step = open_chunk(key, position, sealed, &mut segment.output[opened..]);
        opened += step.length;
        if step.failure.is_some() {
            return Step { length: opened, ..step };
        }
    }
    if segment.index == 0 && chunks == 0 {
        let failure = Error::Payload { chunk: 0, fault: PayloadFault::Truncated };
        return Step { length: 0, failure: Some(failure) };
    }
    Step::done(opened)
}

/// Opens one chunk into the beginning of `output`, or says what is wrong with it, or behind it.
pub(crate) fn open_chunk(key: &PayloadKey, position: Position, sealed: &[u8], output: &mut [u8]) -> Step {
    let failed = |length, chunk, fault| Step { length, failure: Some(Error::Payload { chunk, fault }) };
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
        return Step::done(length);
    }
    if sealed.len() < SEALED_CHUNK {
        return failed(0, position.index, PayloadFault::CorruptedEnd);
    }
    // A whole chunk may be authentic in the other role: the final one with data behind it, or one that should
    // have a successor. Then it is released, and what comes after it is at fault.
    let other = Position { last: !position.last, ..position };
    if key.open(other, sealed, plaintext).is_err() {
        return failed(0, position.index, PayloadFault::Corrupted);
    }
    let fault = if position.last { PayloadFault::Truncated } else { PayloadFault::TrailingData };
    failed(length, position.index + 1, fault)
}

/// Opens each chunk of a segment that is authentic, and puts zeros for the others. Cannot fail.
pub(crate) fn salvage(key: &PayloadKey, segment: Segment<'_>) -> (Step, Salvaged) {
    let mut found = Salvaged::default();
    let mut opened = 0;
    for (chunk, sealed) in segment.input.chunks(SEALED_CHUNK).enumerate() {
        let index = chunk_index(segment.index, chunk);
        let length = sealed.len().saturating_sub(CHUNK_OVERHEAD);
        let plaintext = &mut segment.output[opened..opened + length];
        let mut opens =
            |last| sealed.len() >= CHUNK_OVERHEAD && key.open(Position { index, last }, sealed, plaintext).is_ok();
        let opens_as_another = opens(false);
        let start = index * CHUNK as u64;
        let end = start + length as u64;
        // Whichever chunk is final: where data was appended, it is not the last that is there.
        if !opens_as_another && opens(true) {
            found.ends_at(end);
        } else if !opens_as_another {
            plaintext.fill(0);
            found.lost.push(start..end);
        }
        opened += length;
    }
    (Step::done(opened), found)
}

/// Opens the final chunk of that index which `piece` begins with: the longest, of those that something may be appended to.
pub(crate) fn open_beginning(key: &PayloadKey, index: u64, piece: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut plaintext = Zeroizing::new(vec![0; piece.len()]);
    // Only the first chunk may be empty.
    let shortest = CHUNK_OVERHEAD + usize::from(index > 0);
    let length = (shortest..piece.len()).rev().find(|length| {
        let plaintext = &mut plaintext[..length - CHUNK_OVERHEAD];
        key.open(Position { index, last: true }, &piece[..*length], plaintext).is_ok()
    })?;
    plaintext.truncate(length - CHUNK_OVERHEAD);
    Some(plaintext)
}

fn chunk_index(segment: u64, chunk: usize) -> u64 {
    segment * SEGMENT_CHUNKS as u64 + chunk as u64
}
