//! Decrypting: read the header, unwrap the file key with an identity, authenticate the header. [`Unlocked`] opens the payload.

use std::{collections::HashSet, io::BufRead, mem, slice};

use age_core::format::{FileKey, Stanza};

use crate::crypto::{
    error::Error,
    format::{header::Header, stanza_type::SCRYPT},
    keys::identity::Identity,
    primitives::stack::wipe_stack_after,
    unlocked::Unlocked,
};

/// An encrypted file, with its header read.
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

    /// The file key from the first stanza that opens, or else the first error. A plugin is asked for all stanzas at once.
    fn unwrap_each(&self, identities: &[Identity]) -> Option<Result<FileKey, Error>> {
        let mut fault = None;
        // The format allows one passphrase stanza, and trying it costs a second.
        let mut has_passphrase = false;
        let mut stanzas = self.single_stanzas();
        stanzas.retain(|stanza| stanza[0].tag != SCRYPT || !mem::replace(&mut has_passphrase, true));
        for identity in identities {
            match identity.unwrap_many(&stanzas) {
                Ok(unwrapped) => {
                    for result in unwrapped.into_iter().flatten() {
                        match result {
                            Ok(file_key) => return Some(Ok(file_key)),
                            Err(error) => fault = fault.or(Some(error)),
                        }
                    }
                }
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        fault.map(Err)
    }

    /// Each stanza as a list of its own.
    fn single_stanzas(&self) -> Vec<&[Stanza]> {
        self.header.stanzas().iter().map(slice::from_ref).collect()
    }

    /// Asks a plugin for the file keys of several files that will be [unlocked](Self::unlock) one after the other. Returns for each
    /// whether there will be a result: a file key or an error. Does nothing for identities of other kinds.
    #[must_use]
    pub fn ask_ahead(files: &[&Self], identity: &Identity) -> Vec<bool> {
        let headers: Vec<_> = files.iter().map(|file| file.header.stanzas()).collect();
        wipe_stack_after(|| identity.unwrap_ahead(&headers))
    }

    /// The same for [`stanzas_of`](Self::stanzas_of), which asks for each stanza alone.
    pub fn ask_for_stanzas_ahead(files: &[&Self], identity: &Identity) {
        let stanzas: Vec<_> = files.iter().flat_map(|file| file.single_stanzas()).collect();
        let _ = wipe_stack_after(|| identity.unwrap_ahead(&stanzas));
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
        let stanzas = self.single_stanzas();
        let mut left: Vec<usize> = (0..stanzas.len()).collect();
        wipe_stack_after(|| {
            for identity in identities {
                let lists: Vec<_> = left.iter().map(|index| stanzas[*index]).collect();
                let mut opened = Vec::with_capacity(lists.len());
                for unwrapped in identity.unwrap_many(&lists)? {
                    if let Some(file_key) = unwrapped {
                        self.header.authenticate(&file_key?)?;
                        opened.push(true);
                    } else {
                        opened.push(false);
                    }
                }
                let mut opened = opened.into_iter();
                left.retain(|_| !opened.next().unwrap_or(false));
            }
            Ok::<_, Error>(())
        })?;
        let found: Vec<_> = (0..stanzas.len()).filter(|index| !left.contains(index)).collect();
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
