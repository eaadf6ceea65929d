//! Decrypting: read the header, unwrap the file key with an identity, authenticate the header. [`Unlocked`] opens the payload.

use std::{collections::HashSet, io::BufRead, mem, slice};

use age_core::format::FileKey;

use crate::crypto::{
    error::Error,
    format::{header::Header, stanza_type::SCRYPT},
    keys::identity::Identity,
    primitives::stack::wipe_stack_after,
    unlocked::Unlocked,
};

/// A file whose header has been read.
pub struct Decryptor {
    header: Header,
    /// Whether the header may be damaged, so that any stanza that opens will do.
    damaged: bool,
}

impl Decryptor {
    /// Reads the header and nothing after it. For an armored file, `input` is an [`ArmorReader`](crate::crypto::armor::ArmorReader).
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::NotAge`], [`Error::Recoded`], [`Error::Version`], [`Error::Header`], [`Error::Armor`],
    /// [`Error::Read`].
    pub fn read(input: &mut dyn BufRead) -> Result<Self, Error> {
        Ok(Self { header: Header::read(input)?, damaged: false })
    }

    /// Reads what is left of a header that may be damaged, for [`Payload::salvage`](crate::crypto::Payload::salvage). [`unlock`](Self::unlock) then accepts the
    /// first stanza that opens, whatever the MAC; [`is_authentic`](Self::is_authentic) checks that.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), if nothing is left.
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
    /// [`Error::Memory`], [`Error::Unwrap`] and [`Error::External`] from the first identity that reports one.
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
            Ok(Unlocked::new(file_key))
        })
    }

    /// The file key from the first stanza that opens, or else the first error.
    fn unwrap_each(&self, identities: &[Identity]) -> Option<Result<FileKey, Error>> {
        let mut fault = None;
        for identity in identities {
            let mut scrypt_tried = false;
            for stanza in self.header.stanzas() {
                // The format allows one passphrase stanza, and trying it costs a second.
                if stanza.tag == SCRYPT && mem::replace(&mut scrypt_tried, true) {
                    continue;
                }
                match identity.unwrap(slice::from_ref(stanza)) {
                    Some(Err(error)) => fault = fault.or(Some(Err(error))),
                    Some(opened) => return Some(opened),
                    None => {}
                }
            }
        }
        fault
    }

    /// Whether the MAC verifies. It does, unless the header is [damaged](Self::read_damaged).
    #[must_use]
    pub fn is_authentic(&self, unlocked: &Unlocked) -> bool {
        wipe_stack_after(|| self.header.authenticate(unlocked.file_key()).is_ok())
    }

    /// For each stanza, whether `identity` unwraps it. A malformed stanza does not count as its own.
    #[must_use]
    pub fn opened_by(&self, identity: &Identity) -> Vec<bool> {
        let opens = |stanza| matches!(identity.unwrap(slice::from_ref(stanza)), Some(Ok(_)));
        wipe_stack_after(|| self.header.stanzas().iter().map(opens).collect())
    }

    /// Indices of the stanzas that these identities unwrap. The header is authenticated with each file key. An identity may
    /// have several stanzas.
    ///
    /// # Errors
    ///
    /// [`Error::NoMatch`] if there are none; otherwise those of [`unlock`](Self::unlock).
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
