//! A file with a known file key: open its payload, or give it another header.

use std::{num::NonZeroUsize, slice};

use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret,
};

use crate::crypto::{
    error::Error,
    format::header::Header,
    keys::{recipient::Recipient, wrap},
    parallel::endpoints::{Sink, Source},
    payload::Payload,
    primitives::stack::wipe_stack_after,
};

/// A file with a known file key. Its header is authentic, unless it was read as
/// [damaged](crate::crypto::Decryptor::read_damaged).
pub struct Unlocked {
    file_key: FileKey,
}

impl Clone for Unlocked {
    fn clone(&self) -> Self {
        Self::of(&self.file_key)
    }
}

impl Unlocked {
    pub(super) fn new(file_key: FileKey) -> Self {
        Self { file_key }
    }

    pub(super) fn of(file_key: &FileKey) -> Self {
        Self { file_key: FileKey::init_with_mut(|key| key.copy_from_slice(file_key.expose_secret())) }
    }

    pub(super) fn file_key(&self) -> &FileKey {
        &self.file_key
    }

    /// Reads the payload nonce and derives the payload key. `source` begins right after the header.
    ///
    /// # Errors
    ///
    /// [`Error::NoNonce`]; [`Error::Armor`], [`Error::Read`].
    pub fn payload<'a>(&self, source: Source<'a>) -> Result<Payload<'a>, Error> {
        Payload::read(&self.file_key, source)
    }

    /// Makes a new header for the same payload: the `kept` stanzas of the old one, then one for each of `added`. The file key
    /// stays the same, so whoever had it still has it.
    ///
    /// # Errors
    ///
    /// Those of [`Encryptor::new`](crate::crypto::Encryptor::new) except [`Error::HeaderCount`]; [`Error::MalformedKeptStanza`];
    /// [`Error::Header`] if a new stanza is malformed.
    pub fn rewrap<'r>(
        &self,
        kept: impl IntoIterator<Item = &'r Stanza>,
        added: impl IntoIterator<Item = &'r Recipient>,
    ) -> Result<Header, Error> {
        let copy =
            |stanza: &Stanza| Stanza { tag: stanza.tag.clone(), args: stanza.args.clone(), body: stanza.body.clone() };
        let mut stanzas: Vec<_> = kept.into_iter().map(copy).collect();
        let added: Vec<_> = added.into_iter().collect();
        let header = wipe_stack_after(|| {
            let wrapped = wrap::wrap_all(&added, slice::from_ref(&self.file_key), &stanzas)?;
            stanzas.extend(wrapped.into_iter().flatten().flatten());
            Header::new(stanzas, &self.file_key)
        })?;
        // Parse what will be written: a plugin may have made malformed stanzas.
        Header::read(&mut header.as_bytes())?;
        Ok(header)
    }

    /// Opens the payload and returns its length in bytes of plaintext. `source` begins right after the header.
    ///
    /// # Errors
    ///
    /// Those of [`payload`](Self::payload) and [`Payload::decrypt`].
    pub fn decrypt(&self, source: Source<'_>, sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        self.payload(source)?.decrypt(sink, threads)
    }
}
