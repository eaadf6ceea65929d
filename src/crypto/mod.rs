//! The age v1 format: bytes in, bytes out.
//!
//! Two verbs. To encrypt is to make a file key, wrap it to every recipient in a header, and seal the payload under a key
//! derived from it ([`Encryptor`]). To decrypt is to read the header ([`Decryptor`]), unwrap the file key with an identity
//! and authenticate the header ([`Unlocked`]), and open the payload.
//!
//! Spec: <https://c2sp.org/age>.

mod error;
mod format;
mod keys;
pub(crate) mod parallel;
mod payload;
mod primitives;
pub mod secrecy;

use std::{collections::HashSet, io::BufRead, num::NonZeroUsize, slice};

pub use age_core::format::{FileKey, Stanza};
use age_core::secrecy::ExposeSecret;

pub use error::{Error, PayloadFault, list_stanza_types};
pub use format::{
    armor,
    header::{Header, VERSION_LINE},
    stanza_type,
};
use keys::wrap;
pub use keys::{
    identity::{Identity, ParseIdentityError, WORK_FACTOR_LIMIT},
    recipient::{Match, ParseRecipientError, Recipient, WORK_FACTOR},
};
pub use parallel::endpoints::{ReadAt, Sink, Source, WriteAt};
use parallel::pipeline;
pub use payload::{
    Payload,
    chunk::{CHUNK, CHUNK_OVERHEAD, PAYLOAD_NONCE, SEALED_CHUNK, plaintext_length},
    salvage::Salvaged,
    segment::SEGMENT,
};
use payload::{
    chunk::{PayloadKey, payload_nonce},
    segment,
};
use primitives::stack::wipe_stack_after;
pub use primitives::{Sha256, random};

/// Encrypts one file.
pub struct Encryptor {
    header: Header,
    file_key: FileKey,
    stanza_recipients: Vec<usize>,
}

impl Encryptor {
    /// Makes a file key and wraps it to the recipients: one stanza for each, in order, and nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::NoRecipients`], [`Error::Incompatible`], [`Error::MixedQuantumSafety`], [`Error::StanzaCount`],
    /// [`Error::HeaderCount`], [`Error::HeaderLength`], [`Error::External`], [`Error::Wrap`].
    pub fn new<'r>(recipients: impl IntoIterator<Item = &'r Recipient>) -> Result<Self, Error> {
        let recipients: Vec<_> = recipients.into_iter().collect();
        wipe_stack_after(|| {
            let file_key = FileKey::init_with_mut(|key| random(key));
            let wrapped = wrap::wrap_all(&recipients, &file_key, &[])?;
            let stanza_recipients =
                wrapped.iter().enumerate().flat_map(|(owner, stanzas)| stanzas.iter().map(move |_| owner)).collect();
            let header = Header::new(wrapped.into_iter().flatten().collect(), &file_key)?;
            count(&header, &recipients)?;
            Ok(Self { header, file_key, stanza_recipients })
        })
    }

    /// For each stanza of the header, in order, the index of the recipient whom it is for.
    #[must_use]
    pub fn stanza_recipients(&self) -> &[usize] {
        &self.stanza_recipients
    }

    /// The header that will be written.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Writes the header and the sealed payload, and returns how many bytes they are. A file key seals one payload, so
    /// this consumes it.
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

    /// Writes the header and a fresh payload nonce. Returns the payload key and how many bytes were written.
    fn write_prefix(self, sink: &mut Sink<'_>) -> Result<(PayloadKey, u64), Error> {
        let nonce = payload_nonce();
        let prefix = [self.header.as_bytes(), &nonce].concat();
        sink.write_prefix(&prefix)?;
        Ok((PayloadKey::derive(&self.file_key, &nonce), prefix.len() as u64))
    }

    /// What opens the file that this will write, to read it back.
    #[must_use]
    pub fn unlocked(&self) -> Unlocked {
        Unlocked::of(&self.file_key)
    }
}

/// Counts, in the very bytes that will be written, one stanza for each distinct recipient: nobody else can open the file.
fn count(header: &Header, recipients: &[&Recipient]) -> Result<(), Error> {
    let stanzas = Header::read(&mut header.as_bytes())?.stanzas().len();
    let distinct = recipients.iter().map(ToString::to_string).collect::<HashSet<_>>().len();
    let many = recipients.iter().any(|recipient| recipient.may_have_many_stanzas());
    if distinct != recipients.len() || stanzas < distinct || (stanzas > distinct && !many) {
        return Err(Error::HeaderCount { stanzas, recipients: distinct });
    }
    Ok(())
}

/// A file whose header has been read.
pub struct Decryptor {
    header: Header,
    /// Whether the header may be damaged, and what is whole of it is to do.
    damaged: bool,
}

impl Decryptor {
    /// Reads the header, and not a byte beyond it. For an armored file, `input` is an [`armor::ArmorReader`].
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::NotAge`], [`Error::Recoded`], [`Error::Version`], [`Error::Header`], [`Error::Armor`],
    /// [`Error::Read`].
    pub fn read(input: &mut dyn BufRead) -> Result<Self, Error> {
        Ok(Self { header: Header::read(input)?, damaged: false })
    }

    /// Reads what is left of a header that may be damaged, for [`Payload::salvage`]: [`unlock`](Self::unlock) takes the first
    /// stanza that opens, and [`is_authentic`](Self::is_authentic) tells what the MAC says.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), where nothing is left.
    pub fn read_damaged(input: &mut dyn BufRead) -> Result<Self, Error> {
        Ok(Self { header: Header::read_damaged(input)?, damaged: true })
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Unwraps the file key with the first identity that can, and authenticates the header.
    ///
    /// # Errors
    ///
    /// [`Error::NoMatch`]; [`Error::HeaderMac`]; [`Error::Stanza`], [`Error::WrongPassphrase`], [`Error::WorkFactor`],
    /// [`Error::Unwrap`] and [`Error::External`] of the first identity that has something to say about a stanza.
    pub fn unlock(&self, identities: &[Identity]) -> Result<Unlocked, Error> {
        wipe_stack_after(|| {
            let unwrapped = if self.damaged {
                self.unwrap_each(identities)
            } else {
                identities.iter().find_map(|identity| identity.unwrap(self.header.stanzas()))
            };
            let file_key = unwrapped.unwrap_or_else(|| Err(Error::NoMatch(self.stanza_types())))?;
            if !self.damaged {
                self.header.authenticate(&file_key)?;
            }
            Ok(Unlocked { file_key })
        })
    }

    /// The file key of the first stanza that opens; else what is wrong with the first that should.
    fn unwrap_each(&self, identities: &[Identity]) -> Option<Result<FileKey, Error>> {
        let mut fault = None;
        for (identity, stanza) in
            identities.iter().flat_map(|key| self.header.stanzas().iter().map(move |one| (key, one)))
        {
            match identity.unwrap(slice::from_ref(stanza)) {
                Some(Err(error)) => fault = fault.or(Some(Err(error))),
                Some(opened) => return Some(opened),
                None => {}
            }
        }
        fault
    }

    /// Whether the header's MAC agrees with the file key. It does unless the header is [damaged](Self::read_damaged).
    #[must_use]
    pub fn is_authentic(&self, unlocked: &Unlocked) -> bool {
        wipe_stack_after(|| self.header.authenticate(&unlocked.file_key).is_ok())
    }

    /// Whether `identity` unwraps each of the stanzas, in file order. A stanza that it cannot read is not its own.
    #[must_use]
    pub fn opened_by(&self, identity: &Identity) -> Vec<bool> {
        let opens = |stanza| matches!(identity.unwrap(std::slice::from_ref(stanza)), Some(Ok(_)));
        wipe_stack_after(|| self.header.stanzas().iter().map(opens).collect())
    }

    /// Which stanzas are for these identities, counted from 0. The header is authenticated with every file key that they
    /// give. Somebody may have more than one stanza, and a plugin is asked for each.
    ///
    /// # Errors
    ///
    /// [`Error::NoMatch`] if there are none; otherwise as [`unlock`](Self::unlock).
    pub fn stanzas_of(&self, identities: &[Identity]) -> Result<Vec<usize>, Error> {
        let mut found = Vec::new();
        wipe_stack_after(|| {
            for (index, stanza) in self.header.stanzas().iter().enumerate() {
                let stanza = slice::from_ref(stanza);
                if let Some(file_key) = identities.iter().find_map(|identity| identity.unwrap(stanza)) {
                    self.header.authenticate(&file_key?)?;
                    found.push(index);
                }
            }
            Ok::<_, Error>(())
        })?;
        if found.is_empty() { Err(Error::NoMatch(self.stanza_types())) } else { Ok(found) }
    }

    /// The distinct stanza types, in file order.
    #[must_use]
    pub fn stanza_types(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let types = self.header.stanzas().iter().map(|stanza| &stanza.tag);
        types.filter(|tag| seen.insert(*tag)).cloned().collect()
    }
}

/// A file whose file key is known and whose header is authentic, unless it was read as [damaged](Decryptor::read_damaged).
pub struct Unlocked {
    file_key: FileKey,
}

impl Clone for Unlocked {
    fn clone(&self) -> Self {
        Self::of(&self.file_key)
    }
}

impl Unlocked {
    fn of(file_key: &FileKey) -> Self {
        Self { file_key: FileKey::init_with_mut(|key| key.copy_from_slice(file_key.expose_secret())) }
    }

    /// The payload, whose nonce is read now. `source` begins right after the header.
    ///
    /// # Errors
    ///
    /// [`Error::NoNonce`]; [`Error::Armor`], [`Error::Read`].
    pub fn payload<'a>(&self, source: Source<'a>) -> Result<Payload<'a>, Error> {
        Payload::read(&self.file_key, source)
    }

    /// A new header for the same payload: these stanzas of the old one, then one for each of `added`. The file key stays,
    /// so whoever had it still has it.
    ///
    /// # Errors
    ///
    /// Those of [`Encryptor::new`] but [`Error::HeaderCount`]; [`Error::MalformedKeptStanza`]; [`Error::Header`], if a stanza that was made
    /// is not well formed.
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
            let wrapped = wrap::wrap_all(&added, &self.file_key, &stanzas)?;
            stanzas.extend(wrapped.into_iter().flatten());
            Header::new(stanzas, &self.file_key)
        })?;
        // The very bytes that will be written must be a header; whoever made the stanzas.
        Header::read(&mut header.as_bytes())?;
        Ok(header)
    }

    /// Opens the payload and returns how many bytes of plaintext it has. `source` begins right after the header.
    ///
    /// # Errors
    ///
    /// Those of [`payload`](Self::payload) and [`Payload::decrypt`].
    pub fn decrypt(&self, source: Source<'_>, sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        self.payload(source)?.decrypt(sink, threads)
    }
}
