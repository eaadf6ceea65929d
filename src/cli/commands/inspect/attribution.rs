//! Whose the stanzas of a header are, as far as the keys tell that the command line names.

use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;

use crate::{
    cli::{
        args::Inspect,
        keys::{
            key_file::KeyFiles,
            keyring::Known,
            plugins::Plugins,
            recipients::{Origin, Recipients, asked_about, whether_of},
        },
        terminal::prompt::Prompt,
    },
    crypto::{Decryptor, Error, Match, Recipient, Stanza},
};

/// The keys of a run.
pub(crate) struct Keys {
    identities: Known,
    /// Whether the command line names identities; one of them must open each file then.
    must_open: bool,
    prompt: Arc<Prompt>,
    plugins: Plugins,
    recipients: Recipients,
}

impl Keys {
    pub(crate) fn new(files: &mut KeyFiles<'_>, what: &Inspect) -> Result<Self> {
        let recipients = asked_about(files, &what.recipients.0)?;
        let named = &what.identities;
        let identities =
            if named.is_empty() { Known::ready_defaults(files, named) } else { Known::named(files, named)? };
        let must_open = !named.is_empty();
        Ok(Self { identities, must_open, prompt: files.prompt.clone(), plugins: files.plugins.clone(), recipients })
    }

    /// Which stanzas are for the identities, from 0; if there are any, the header is authentic. None without identities.
    pub(crate) fn yours(&mut self, decryptor: &Decryptor) -> Result<Option<Vec<usize>>> {
        if self.identities.is_empty() {
            return Ok(None);
        }
        // A passphrase is no key's to open.
        let is_passphrase = decryptor.header().is_passphrase();
        while !is_passphrase && self.identities.wake_next(decryptor.header().stanzas(), &self.prompt, &self.plugins)? {}
        let keys = [&self.identities.ready, &self.identities.plugins];
        let keys = keys.into_iter().filter(|_| !is_passphrase);
        let mut yours = Vec::new();
        for identities in keys.chain([&self.identities.keyless]) {
            match decryptor.stanzas_of(identities) {
                Err(Error::NoMatch(_)) => {}
                found => yours.extend(found?),
            }
        }
        yours.sort_unstable();
        yours.dedup();
        Ok(Some(yours))
    }

    /// Fails if identities are named, and none opens the file.
    pub(crate) fn must_open(&self, decryptor: &Decryptor, yours: Option<&Vec<usize>>) -> Result<(), Error> {
        if self.must_open && yours.is_none_or(Vec::is_empty) {
            return Err(Error::NoMatch(decryptor.stanza_types()));
        }
        Ok(())
    }

    /// Whose each stanza is, and who has none. `yours` are those that the identities open.
    pub(crate) fn attribute(&self, decryptor: &Decryptor, yours: Option<&Vec<usize>>) -> Attribution<'_> {
        let stanzas = decryptor.header().stanzas();
        let owners = match yours {
            Some(yours) if !yours.is_empty() => self.identities.owners(decryptor),
            _ => stanzas.iter().map(|_| None).collect(),
        };
        let whose = stanzas.iter().zip(&owners).map(|(stanza, owner)| self.whose(stanza, owner.as_ref()));
        let whose = whose.collect();
        let has_none = |recipient: &Recipient| {
            stanzas
                .iter()
                .zip(&owners)
                .all(|(stanza, owner)| whether_of(recipient, stanza, owner.as_ref()) == Match::No)
        };
        let named = self.recipients.keys.iter().zip(&self.recipients.origins);
        let absent = named
            .filter(|(recipient, _)| has_none(recipient))
            .map(|(recipient, named)| Absent { recipient: recipient.to_string(), named })
            .collect();
        Attribution { whose, absent }
    }

    fn whose(&self, stanza: &Stanza, owner: Option<&Recipient>) -> Whose<'_> {
        let Recipients { keys, origins } = &self.recipients;
        let told: Vec<_> = keys.iter().map(|recipient| whether_of(recipient, stanza, owner)).collect();
        let found = told.iter().position(|told| *told == Match::Yes);
        Whose {
            recipient: owner.or(found.map(|index| &keys[index])).map(ToString::to_string),
            named: found.map(|index| &origins[index]),
            asked: match () {
                () if keys.is_empty() => None,
                () if found.is_some() => Some(Asked::Named),
                () if told.contains(&Match::Unknown) => Some(Asked::Untold),
                () => Some(Asked::Other),
            },
        }
    }
}

/// Whose all stanzas are.
pub(crate) struct Attribution<'k> {
    pub(crate) whose: Vec<Whose<'k>>,
    pub(crate) absent: Vec<Absent<'k>>,
}

/// Whose a stanza is.
#[derive(Serialize)]
pub(crate) struct Whose<'k> {
    /// The public key: by proof if an identity opens the stanza, else by what the stanza says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient: Option<String>,
    /// How the command line names that key, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) named: Option<&'k Origin>,
    /// None if no recipient is named.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub(crate) asked: Option<Asked>,
}

/// What can be told of a stanza, and all recipients that are named.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It is for one of them.
    #[serde(rename = "yes")]
    Named,
    /// It is for none of them.
    #[serde(rename = "no")]
    Other,
    /// It may be for one of them.
    #[serde(rename = "untold")]
    Untold,
}

/// A recipient that is named, and that no stanza can be for.
#[derive(Serialize)]
pub(crate) struct Absent<'k> {
    pub(crate) recipient: String,
    pub(crate) named: &'k Origin,
}
