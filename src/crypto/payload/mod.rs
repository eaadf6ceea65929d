//! The payload: a nonce, then the plaintext in sealed chunks.
//!
//! A [`Payload`] is opened as a whole here. The modules beside this one open a range of it, salvage a damaged one, or
//! seal it again under another key. All of them run the pipeline over segments of sixteen chunks.
//!
//! Spec: <https://c2sp.org/age#payload>.

pub(crate) mod chunk;
mod range;
mod reseal;
pub(crate) mod salvage;
pub(crate) mod segment;

use std::{collections::BTreeMap, num::NonZeroUsize, sync::Mutex};

use age_core::format::FileKey;

use crate::crypto::{
    error::{Error, PayloadFault},
    parallel::{
        endpoints::{Sink, Source, fill_at, saturating_usize},
        pipeline::{self, Segment},
    },
    payload::{
        chunk::{PAYLOAD_NONCE, PayloadKey, Position, SEALED_CHUNK, plaintext_length},
        segment::{Part, chunk_index, open_chunk, open_prefix},
    },
    primitives::stack::wipe_stack_after,
    secrecy::Zeroizing,
};

/// Why the lock on chunks that failed cannot be poisoned.
const NO_PANIC: &str = "no worker panics while it keeps a chunk";

/// A payload and its key. Nothing of it has been authenticated yet.
pub struct Payload<'a> {
    key: PayloadKey,
    /// The sealed chunks, after the payload nonce.
    chunks: Source<'a>,
    /// Whether other data may follow the payload.
    may_be_followed: bool,
}

impl<'a> Payload<'a> {
    /// Reads the payload nonce and derives the payload key. `source` starts right after the header.
    ///
    /// # Errors
    ///
    /// [`Error::NoNonce`], [`Error::Armor`], [`Error::Read`].
    pub(crate) fn read(file_key: &FileKey, mut source: Source<'a>) -> Result<Self, Error> {
        let mut nonce = [0; PAYLOAD_NONCE];
        if source.read_prefix(&mut nonce)? < PAYLOAD_NONCE {
            return Err(Error::NoNonce);
        }
        Ok(Self { key: PayloadKey::derive(file_key, &nonce), chunks: source, may_be_followed: false })
    }

    /// Says that other data may follow the payload, as on a device. If it does, [`decrypt`](Self::decrypt) fails with
    /// [`PayloadFault::FollowedByData`]. To find that out takes a second, after a chunk that does not authenticate.
    #[must_use]
    pub fn may_be_followed(self) -> Self {
        Self { may_be_followed: true, ..self }
    }

    /// Opens all chunks and returns the length of the plaintext.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`], after exactly [`Error::released`] bytes; [`Error::Armor`], [`Error::Read`], [`Error::Write`];
    /// [`Error::NoBuffer`].
    pub fn decrypt(self, sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        let Self { key, chunks, may_be_followed } = self;
        let failed = Mutex::new(BTreeMap::new());
        let open = |sealed: Segment<'_>| {
            let (first, input) = (chunk_index(sealed.index, 0), sealed.input);
            let processed = wipe_stack_after(|| segment::open(&key, Part::WHOLE, sealed));
            if let (true, Some(Error::Payload { chunk, fault })) = (may_be_followed, &processed.error)
                && matches!(fault, PayloadFault::Corrupted | PayloadFault::CorruptedEnd)
                && let Some(sealed) = input.chunks(SEALED_CHUNK).nth(saturating_usize(chunk - first))
            {
                failed.lock().expect(NO_PANIC).insert(*chunk, sealed.to_vec());
            }
            processed
        };
        let opened = pipeline::run(chunks, sink, segment::OPENING, threads, &open);
        let Err(Error::Payload { chunk, .. }) = opened else { return opened };
        let failed = failed.into_inner().expect(NO_PANIC).remove(&chunk);
        let holds_end = |sealed: Vec<u8>| wipe_stack_after(|| open_prefix(&key, chunk, &sealed)).is_some();
        if failed.is_some_and(holds_end) {
            return Err(Error::Payload { chunk, fault: PayloadFault::FollowedByData });
        }
        opened
    }

    /// Authenticates the final chunk before the others are opened.
    ///
    /// This finds at once whether the payload was truncated or has trailing data. A sequential source is not read, and
    /// the result is `Ok`.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`], [`Error::Read`].
    pub fn check_final_chunk(&self) -> Result<(), Error> {
        let Source::AtOffsets { file, start, length } = self.chunks else { return Ok(()) };
        let index = length.saturating_sub(1) / SEALED_CHUNK as u64;
        let before = index * SEALED_CHUNK as u64;
        let mut sealed = vec![0; saturating_usize(length - before)];
        let read = fill_at(file, &mut sealed, start + before)?;
        let mut plaintext = Zeroizing::new(vec![0; read]);
        let position = Position { index, last: true };
        let opened = wipe_stack_after(|| open_chunk(&self.key, position, &sealed[..read], &mut plaintext));
        opened.error.map_or(Ok(()), Err)
    }

    /// Returns the length of the plaintext in bytes, computed from the length of the source.
    ///
    /// Returns `None` if the source is sequential, or if no complete payload has its length. The result can be relied on
    /// only after [`check_final_chunk`](Self::check_final_chunk).
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let Source::AtOffsets { length, .. } = self.chunks else { return None };
        plaintext_length(PAYLOAD_NONCE as u64 + length)
    }

    /// Returns the number of chunks, including the final one, or `None` if the source is sequential.
    #[must_use]
    pub fn chunks(&self) -> Option<u64> {
        let Source::AtOffsets { length, .. } = self.chunks else { return None };
        Some(length.div_ceil(SEALED_CHUNK as u64).max(1))
    }
}
