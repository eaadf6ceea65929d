//! Encrypting: make a file key, wrap it to every recipient in a header, seal the payload.

use std::{collections::HashSet, num::NonZeroUsize};

use age_core::format::{FileKey, Stanza};

use crate::crypto::{
    error::Error,
    format::header::Header,
    keys::{recipient::Recipient, wrap},
    parallel::{
        endpoints::{Sink, Source},
        pipeline,
    },
    payload::{
        Payload,
        chunk::{PayloadKey, payload_nonce},
        segment,
    },
    primitives::{random, stack::wipe_stack_after},
    unlocked::Unlocked,
};

/// A new file key, and the header that wraps it to the recipients. Encrypts one file.
pub struct Encryptor {
    header: Header,
    file_key: FileKey,
    stanza_recipients: Vec<usize>,
}

impl Encryptor {
    /// Makes a file key and wraps it to the recipients: one stanza each, in order, and no others.
    ///
    /// # Errors
    ///
    /// [`Error::NoRecipients`], [`Error::Incompatible`], [`Error::MixedQuantumSafety`], [`Error::StanzaCount`],
    /// [`Error::HeaderCount`], [`Error::HeaderLength`], [`Error::External`], [`Error::Wrap`].
    pub fn new<'r>(recipients: impl IntoIterator<Item = &'r Recipient>) -> Result<Self, Error> {
        let one = Self::new_many(recipients, 1)?;
        Ok(one.into_iter().next().expect("one was asked for"))
    }

    /// Makes `count` file keys, each for another file, and wraps them to the recipients as [`new`](Self::new) does. A plugin is
    /// asked for all of them at once.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new). Then none was made.
    pub fn new_many<'r>(recipients: impl IntoIterator<Item = &'r Recipient>, count: usize) -> Result<Vec<Self>, Error> {
        let recipients: Vec<_> = recipients.into_iter().collect();
        wipe_stack_after(|| {
            let file_keys: Vec<_> = (0..count).map(|_| FileKey::init_with_mut(|key| random(key))).collect();
            let wrapped = wrap::wrap_all(&recipients, &file_keys, &[])?;
            let both = file_keys.into_iter().zip(wrapped);
            both.map(|(file_key, wrapped)| Self::with_stanzas(file_key, wrapped, &recipients)).collect()
        })
    }

    /// `wrapped` has the stanzas of each recipient.
    fn with_stanzas(file_key: FileKey, wrapped: Vec<Vec<Stanza>>, recipients: &[&Recipient]) -> Result<Self, Error> {
        let stanza_recipients =
            wrapped.iter().enumerate().flat_map(|(owner, stanzas)| stanzas.iter().map(move |_| owner)).collect();
        let header = Header::new(wrapped.into_iter().flatten().collect(), &file_key)?;
        check_stanza_count(&header, recipients)?;
        Ok(Self { header, file_key, stanza_recipients })
    }

    /// For each stanza of the header, the index of its recipient.
    #[must_use]
    pub fn stanza_recipients(&self) -> &[usize] {
        &self.stanza_recipients
    }

    /// The header that will be written.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Writes the header and the sealed payload, and returns the number of bytes written. A file key seals one payload, so this
    /// consumes it.
    ///
    /// # Errors
    ///
    /// [`Error::Read`], [`Error::Write`].
    pub fn encrypt(self, source: Source<'_>, mut sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        let (key, prefix) = self.write_prefix(&mut sink)?;
        let seal = |plaintext: pipeline::Segment<'_>| wipe_stack_after(|| segment::seal(&key, plaintext));
        let payload = pipeline::run(source, sink, segment::SEALING, threads, &seal)?;
        Ok(prefix + payload)
    }

    /// Opens a payload and seals it again, chunk by chunk: the plaintext is never held whole. Otherwise as
    /// [`encrypt`](Self::encrypt).
    ///
    /// # Errors
    ///
    /// Those of [`Payload::decrypt`]. After an error the output is incomplete and must not be used.
    pub fn reencrypt(self, payload: Payload<'_>, mut sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        let (key, prefix) = self.write_prefix(&mut sink)?;
        let resealed = payload.reseal(&key, sink, threads)?;
        Ok(prefix + resealed)
    }

    /// Writes the header and a fresh payload nonce. Returns the payload key and the number of bytes written.
    fn write_prefix(self, sink: &mut Sink<'_>) -> Result<(PayloadKey, u64), Error> {
        let nonce = payload_nonce();
        let prefix = [self.header.as_bytes(), &nonce].concat();
        sink.write_prefix(&prefix)?;
        Ok((PayloadKey::derive(&self.file_key, &nonce), prefix.len() as u64))
    }

    /// The unlocked file that this will write, for reading it back.
    #[must_use]
    pub fn unlocked(&self) -> Unlocked {
        Unlocked::of(&self.file_key)
    }
}

/// Checks that the header has one stanza for each distinct recipient, so that nobody else can open the file. Counts in the bytes
/// that will be written.
fn check_stanza_count(header: &Header, recipients: &[&Recipient]) -> Result<(), Error> {
    let stanzas = Header::read(&mut header.as_bytes())?.stanzas().len();
    let distinct = match recipients {
        [_] => 1,
        _ => recipients.iter().map(ToString::to_string).collect::<HashSet<_>>().len(),
    };
    let many = recipients.iter().any(|recipient| recipient.may_have_many_stanzas());
    if distinct != recipients.len() || stanzas < distinct || (stanzas > distinct && !many) {
        return Err(Error::HeaderCount { stanzas, recipients: distinct });
    }
    Ok(())
}
