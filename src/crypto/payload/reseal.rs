//! Seals a payload again under another key, without holding its plaintext whole.

use std::num::NonZeroUsize;

use crate::crypto::{
    error::Error,
    parallel::{
        endpoints::Sink,
        pipeline::{self, Processed, Segment},
    },
    payload::{
        Payload,
        chunk::PayloadKey,
        segment::{self, Part},
    },
    primitives::stack::wipe_stack_after,
    secrecy::Zeroizing,
};

impl Payload<'_> {
    /// Opens the payload, seals it again under `new_key`, and returns how many bytes were written.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`], [`Error::Armor`], [`Error::Read`], [`Error::Write`]. After an error the output is incomplete
    /// and must not be used.
    pub(crate) fn reseal(self, new_key: &PayloadKey, sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        let Self { key, chunks } = self;
        let reseal = |sealed: Segment<'_>| wipe_stack_after(|| reseal_segment(&key, new_key, sealed));
        pipeline::run(chunks, sink, segment::RESEALING, threads, &reseal)
    }
}

/// Opens a segment under one key and seals it under another. A segment with an error gives no output.
fn reseal_segment(old_key: &PayloadKey, new_key: &PayloadKey, segment: Segment<'_>) -> Processed {
    let Segment { index, last, input, output } = segment;
    let mut plaintext = Zeroizing::new(vec![0; input.len()]);
    let opened = segment::open(old_key, Part::WHOLE, Segment { index, last, input, output: &mut plaintext });
    if opened.error.is_some() {
        // A part of a file under a new key is useless.
        return Processed { length: 0, ..opened };
    }
    segment::seal(new_key, Segment { index, last, input: &plaintext[..opened.length], output })
}
