//! The age v1 format: bytes in, bytes out.
//!
//! Two verbs. To encrypt is to make a file key, wrap it to every recipient in a header, and seal the payload under a key
//! derived from it ([`Encryptor`]). To decrypt is to read the header ([`Decryptor`]), unwrap the file key with an identity
//! and authenticate the header ([`Unlocked`]), and open the payload.
//!
//! Spec: <https://c2sp.org/age>.

pub mod armor;
mod buffer;
mod ends;
mod error;
mod header;
mod hybrid;
mod identity;
mod pipeline;
mod primitives;
mod recipient;
mod segment;
mod stream;
mod turns;
mod xwing;

/// The locks of [`turns`]. Its model has others under this name.
mod sync {
    pub(super) use std::sync::{Condvar, Mutex};
}

use std::{collections::HashSet, io::BufRead, num::NonZeroUsize};

pub use age_core::format::{FileKey, Stanza};
pub use age_core::secrecy;

pub use ends::{ReadAt, Sink, Source, WriteAt};
pub use error::{Error, PayloadFault, list};
pub use header::{Header, VERSION_LINE};
pub use identity::{Identity, ParseIdentityError, WORK_FACTOR_LIMIT};

pub use primitives::random;
pub use recipient::{ParseRecipientError, Recipient, WORK_FACTOR};
pub use stream::{CHUNK, CHUNK_OVERHEAD, PAYLOAD_NONCE, SEALED_CHUNK, plaintext_length};

use stream::PayloadKey;

/// Encrypts one file.
pub struct Encryptor {
    header: Header,
    file_key: FileKey,
}

impl Encryptor {
    /// Makes a file key and wraps it to the recipients: one stanza for each, in order, and nothing else.
    ///
    /// # Errors
    ///
    /// [`Error::NoRecipients`], [`Error::Incompatible`], [`Error::StanzaCount`], [`Error::Wrap`].
    pub fn new(recipients: &[Recipient]) -> Result<Self, Error> {
        let file_key = FileKey::init_with_mut(|key| random(key));
        let stanzas = recipient::wrap_all(recipients, &file_key)?;
        Ok(Self { header: Header::write(stanzas, &file_key), file_key })
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
        let nonce = stream::payload_nonce();
        let prefix = [self.header.as_bytes(), &nonce].concat();
        sink.write_prefix(&prefix)?;

        let key = PayloadKey::derive(&self.file_key, &nonce);
        let seal = |plaintext: pipeline::Segment<'_>| segment::seal(&key, plaintext);
        let payload = pipeline::run(source, sink, segment::SEALING, threads, &seal)?;
        Ok(prefix.len() as u64 + payload)
    }
}

/// A file whose header has been read.
pub struct Decryptor {
    header: Header,
}

impl Decryptor {
    /// Reads the header, and not a byte beyond it. For an armored file, `input` is an [`armor::ArmorReader`].
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::NotAge`], [`Error::Version`], [`Error::Header`], [`Error::Armor`], [`Error::Read`].
    pub fn read(input: &mut dyn BufRead) -> Result<Self, Error> {
        Ok(Self { header: Header::read(input)? })
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
    /// [`Error::NoMatch`]; [`Error::HeaderMac`]; [`Error::Stanza`], [`Error::WrongPassphrase`], [`Error::WorkFactor`] and
    /// [`Error::Unwrap`] of the first identity that has something to say about a stanza.
    pub fn unlock(&self, identities: &[Identity]) -> Result<Unlocked, Error> {
        let stanzas = self.header.stanzas();
        let unwrapped = identities.iter().find_map(|identity| identity.unwrap(stanzas));
        let file_key = unwrapped.unwrap_or_else(|| Err(Error::NoMatch(self.stanza_types())))?;
        self.header.authenticate(&file_key)?;
        Ok(Unlocked { file_key })
    }

    /// The distinct stanza types, in file order.
    #[must_use]
    pub fn stanza_types(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let types = self.header.stanzas().iter().map(|stanza| &stanza.tag);
        types.filter(|tag| seen.insert(*tag)).cloned().collect()
    }
}

/// A file whose file key is known and whose header is authentic.
pub struct Unlocked {
    file_key: FileKey,
}

impl Unlocked {
    /// Opens the payload and returns how many bytes of plaintext it has. `source` begins right after the header.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`], after exactly [`Error::released`] bytes; [`Error::NoNonce`];
    /// [`Error::Armor`], [`Error::Read`], [`Error::Write`].
    pub fn decrypt(self, mut source: Source<'_>, sink: Sink<'_>, threads: NonZeroUsize) -> Result<u64, Error> {
        let mut nonce = [0; PAYLOAD_NONCE];
        if source.read_prefix(&mut nonce)? < PAYLOAD_NONCE {
            return Err(Error::NoNonce);
        }
        let key = PayloadKey::derive(&self.file_key, &nonce);
        let open = |sealed: pipeline::Segment<'_>| segment::open(&key, sealed);
        pipeline::run(source, sink, segment::OPENING, threads, &open)
    }
}
