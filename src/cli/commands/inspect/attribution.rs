//! The owners of a header's stanzas, as far as the named keys reveal them.

use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;

use crate::{
    cli::{
        args::Inspect,
        files::{input::is_stdin, naming::InputPath},
        keys::{
            announced::Announced,
            key_file::KeyFiles,
            key_set::KeySet,
            plugins::Plugins,
            recipients::{Origin, Recipients, match_stanza},
        },
        terminal::prompt::Prompt,
    },
    crypto::{Decryptor, Error, Match, Recipient, Stanza},
};

/// Attributes stanzas to the keys of a run.
pub(crate) struct Attributor {
    identities: KeySet,
    /// Whether the command line names identities, so that one of them must open each file.
    must_match: bool,
    prompt: Arc<Prompt>,
    plugins: Plugins,
    recipients: Recipients,
    announced: Announced,
}

impl Attributor {
    pub(crate) fn new(files: &mut KeyFiles, args: &Inspect) -> Result<Self> {
        let recipients = Recipients::to_look_for(files, &args.recipients.0)?;
        let named = &args.identities;
        let identities =
            if named.is_empty() { KeySet::ready_defaults(files, named) } else { KeySet::named(files, named)? };
        let must_match = !named.is_empty();
        let announced = Announced::default();
        let (prompt, plugins) = (files.prompt.clone(), files.plugins.clone());
        Ok(Self { identities, must_match, prompt, plugins, recipients, announced })
    }

    /// Announces the files to inspect, so that plugins are asked for all of them in one session.
    pub(crate) fn announce(&self, inputs: &[Result<InputPath>]) {
        let files = inputs.iter().flatten().filter(|input| !is_stdin(&input.path));
        self.announced.add(files.cloned().collect());
    }

    /// Indices of the stanzas that the identities open, or `None` if there are no identities. If there is such a stanza, the header
    /// is authentic.
    ///
    /// # Errors
    ///
    /// Those of asking and of [`Decryptor::stanzas_of`].
    pub(crate) fn yours(&mut self, decryptor: &Decryptor) -> Result<Option<Vec<usize>>> {
        if self.identities.is_empty() {
            return Ok(None);
        }
        // Keys do not open a passphrase stanza, but a plugin without a key may.
        let is_passphrase = decryptor.header().is_passphrase();
        while !is_passphrase
            && self.identities.unlock_next(decryptor.header().stanzas(), &self.prompt, &self.plugins)?
        {}
        self.announced.take(|files| self.identities.ask_plugins_for_stanzas_ahead(files));
        let mut yours = Vec::new();
        let mut add = |found: Result<Vec<usize>, Error>| match found {
            Err(Error::NoMatch(_)) => Ok(()),
            found => found.map(|found| yours.extend(found)),
        };
        if !is_passphrase {
            add(decryptor.stanzas_of(&self.identities.ready.get()))?;
            add(decryptor.stanzas_of(&self.identities.plugins))?;
        }
        add(decryptor.stanzas_of(&self.identities.keyless))?;
        yours.sort_unstable();
        yours.dedup();
        Ok(Some(yours))
    }

    /// Fails if identities are named and none opens the file.
    ///
    /// # Errors
    ///
    /// [`Error::NoMatch`] then.
    pub(crate) fn check_opens(&self, decryptor: &Decryptor, yours: Option<&Vec<usize>>) -> Result<(), Error> {
        if self.must_match && yours.is_none_or(Vec::is_empty) {
            return Err(Error::NoMatch(decryptor.stanza_types()));
        }
        Ok(())
    }

    /// The owner of each stanza, and the recipients without one. `yours` are the stanzas that the identities open.
    pub(crate) fn attribute(&self, decryptor: &Decryptor, yours: Option<&Vec<usize>>) -> Attribution<'_> {
        let stanzas = decryptor.header().stanzas();
        let owners = match yours {
            Some(yours) if !yours.is_empty() => self.identities.ready.owners(decryptor),
            _ => stanzas.iter().map(|_| None).collect(),
        };
        let attributed = stanzas.iter().zip(&owners).map(|(stanza, owner)| self.owner(stanza, owner.as_ref()));
        let attributed = attributed.collect();
        let has_none = |recipient: &Recipient| {
            stanzas
                .iter()
                .zip(&owners)
                .all(|(stanza, owner)| match_stanza(recipient, stanza, owner.as_ref()) == Match::No)
        };
        let named = self.recipients.keys.iter().zip(&self.recipients.origins);
        let absent = named
            .filter(|(recipient, _)| has_none(recipient))
            .map(|(recipient, named)| Absent { recipient: recipient.to_string(), named })
            .collect();
        Attribution { owners: attributed, absent }
    }

    fn owner(&self, stanza: &Stanza, owner: Option<&Recipient>) -> Owner<'_> {
        let Recipients { keys, origins } = &self.recipients;
        let matches: Vec<_> = keys.iter().map(|recipient| match_stanza(recipient, stanza, owner)).collect();
        let found = matches.iter().position(|found| *found == Match::Yes);
        Owner {
            recipient: owner.or(found.map(|index| &keys[index])).map(ToString::to_string),
            named: found.map(|index| &origins[index]),
            answer: match () {
                () if keys.is_empty() => None,
                () if found.is_some() => Some(Answer::Named),
                () if matches.contains(&Match::Unknown) => Some(Answer::Untold),
                () => Some(Answer::Other),
            },
        }
    }
}

/// The owners of all stanzas.
pub(crate) struct Attribution<'k> {
    pub(crate) owners: Vec<Owner<'k>>,
    pub(crate) absent: Vec<Absent<'k>>,
}

/// The owner of a stanza.
#[derive(Serialize)]
pub(crate) struct Owner<'k> {
    /// The public key: proven if an identity opens the stanza, else according to the stanza itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient: Option<String>,
    /// How the command line names that key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) named: Option<&'k Origin>,
    /// `None` if no recipient is named.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Answer>,
}

/// Whether a stanza is for one of the named recipients.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is.
    #[serde(rename = "yes")]
    Named,
    /// It is not.
    #[serde(rename = "no")]
    Other,
    /// Its type does not reveal it.
    #[serde(rename = "untold")]
    Untold,
}

/// A recipient that is named and certainly has no stanza.
#[derive(Serialize)]
pub(crate) struct Absent<'k> {
    pub(crate) recipient: String,
    pub(crate) named: &'k Origin,
}
