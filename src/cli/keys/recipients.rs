//! Recipients: the keys that the command line names, and no others.

use std::{collections::HashSet, fmt, path::Path};

use anyhow::{Context, Result, anyhow};
use serde::Serialize;

use crate::{
    cli::{
        args::RecipientArg,
        files::naming::display_name,
        keys::{
            identity_file::{self, IdentityFile, Key},
            key_file::KeyFiles,
            public_keys::{Unsupported, argument, recipients_file},
        },
        terminal::{advice::Advise, errors::During, json, persona},
    },
    crypto::{Encryptor, Identity, Match, Recipient, Stanza},
};

/// The recipients of a run, and how the command line names each.
#[derive(Default)]
pub(crate) struct Recipients {
    pub(crate) keys: Vec<Recipient>,
    /// One per key.
    pub(crate) origins: Vec<Origin>,
}

/// How the command line names a recipient.
#[derive(Serialize)]
pub(crate) struct Origin {
    flag: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl Origin {
    /// The value of a flag.
    pub(crate) fn flag(flag: &'static str) -> Self {
        Self { flag, file: None, line: None }
    }

    fn file(flag: &'static str, path: &Path, line: Option<usize>) -> Self {
        Self { flag, file: Some(json::path(path)), line }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.flag)?;
        if let Some(file) = &self.file {
            write!(f, " {}", display_name(Path::new(file)))?;
        }
        self.line.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

/// A stanza of a new header and its owner, for a receipt.
#[derive(Serialize)]
pub(crate) struct StanzaOwner<'a> {
    /// Counted from 1.
    stanza: usize,
    #[serde(rename = "type")]
    kind: String,
    recipient: String,
    named: &'a Origin,
}

/// Recipients as the command line names them, read as far as no passphrase and no PIN is asked for.
pub(crate) struct Named<'a>(Vec<Part<'a>>);

enum Part<'a> {
    Read(Vec<(Recipient, Origin)>),
    Identity(&'a Path, IdentityFile),
    Plugin(&'a str),
}

impl<'a> Named<'a> {
    /// Reads keys, and asks for nothing.
    ///
    /// # Errors
    ///
    /// If a key cannot be read or parsed.
    pub(crate) fn read(files: &mut KeyFiles, named: &'a [RecipientArg]) -> Result<Self> {
        let mut parts = Vec::new();
        for (index, recipient) in named.iter().enumerate() {
            let place = || {
                if named.len() > 1 { format!(", recipient {} of {}", index + 1, named.len()) } else { String::new() }
            };
            parts.push(match recipient {
                RecipientArg::Key(key) => Part::Read(vec![(argument(files, key, &place())?, Origin::flag("-r"))]),
                RecipientArg::File(path) | RecipientArg::AuthorizedKeys(path) => {
                    let (flag, unsupported) = match recipient {
                        RecipientArg::AuthorizedKeys(_) => ("--authorized-keys", Unsupported::Skip),
                        _ => ("-R", Unsupported::Refuse),
                    };
                    let read = recipients_file(files, path, unsupported);
                    let read = read.with_context(|| During::ReadingRecipients(path.clone()))?.into_iter();
                    Part::Read(read.map(|(key, line)| (key, Origin::file(flag, path, Some(line)))).collect())
                }
                RecipientArg::Identity(path) => Part::Identity(path, identity_file::read(files, path)?),
                RecipientArg::Plugin(name) => Part::Plugin(name),
            });
        }
        Ok(Self(parts))
    }

    /// Reads the rest.
    fn complete(self, files: &mut KeyFiles) -> Result<Vec<(Recipient, Origin)>> {
        let mut found = Vec::new();
        for part in self.0 {
            match part {
                Part::Read(read) => found.extend(read),
                Part::Identity(path, file) => {
                    let keys = recipients_of(files, path, file)?;
                    found.extend(keys.into_iter().map(|key| (key, Origin::file("-i", path, None))));
                }
                Part::Plugin(name) => found.push((files.plugins.default_recipient(name)?, Origin::flag("-j"))),
            }
        }
        Ok(found)
    }
}

impl Recipients {
    /// The recipients that the command line names to encrypt to, in its order, each once.
    ///
    /// # Errors
    ///
    /// If a key cannot be read or parsed.
    pub(crate) fn to_encrypt_to(files: &mut KeyFiles, named: Named<'_>) -> Result<Self> {
        let found = named.complete(files)?;
        Ok(Self::deduplicate(found, |repeated| {
            // Other tools compare spellings, and their words are printed for those.
            if persona::is_drop_in() {
                return;
            }
            files.messages.warning(&format!("{repeated} is named more than once; it gets one stanza"));
        }))
    }

    /// The recipients that the command line asks about, in its order, each once.
    ///
    /// # Errors
    ///
    /// If a key cannot be read or parsed.
    pub(crate) fn to_look_for(files: &mut KeyFiles, named: &[RecipientArg]) -> Result<Self> {
        let found = Named::read(files, named)?.complete(files)?;
        Ok(Self::deduplicate(found, |_| {}))
    }

    /// Compares keys, not spellings: each recipient's text is derived from its key.
    fn deduplicate(mut found: Vec<(Recipient, Origin)>, on_repeated: impl Fn(&str)) -> Self {
        let mut seen = HashSet::new();
        found.retain(|(recipient, _)| {
            let text = recipient.to_string();
            let is_new = seen.insert(text.clone());
            if !is_new {
                on_repeated(&text);
            }
            is_new
        });
        let (keys, origins) = found.into_iter().unzip();
        Self { keys, origins }
    }

    /// The owner of each stanza in the header that `encryptor` will write.
    pub(crate) fn stanza_owners(&self, encryptor: &Encryptor) -> Vec<StanzaOwner<'_>> {
        let stanzas = encryptor.header().stanzas().iter().zip(encryptor.stanza_recipients()).enumerate();
        stanzas
            .map(|(index, (stanza, owner))| StanzaOwner {
                stanza: index + 1,
                kind: stanza.tag.clone(),
                recipient: self.keys[*owner].to_string(),
                named: &self.origins[*owner],
            })
            .collect()
    }
}

/// Whether a stanza is for a recipient, as far as can be told. `owner` is the stanza's owner, if an identity has proven it.
pub(crate) fn match_stanza(recipient: &Recipient, stanza: &Stanza, owner: Option<&Recipient>) -> Match {
    match owner {
        Some(owner) if owner.to_string() == recipient.to_string() => Match::Yes,
        Some(_) => Match::No,
        None => recipient.matches(stanza),
    }
}

/// Checks that a header has as many stanzas as the user expects.
///
/// # Errors
///
/// If it does not; `hint` says what to do.
pub(crate) fn check_count(stanzas: usize, expected: Option<usize>, hint: &str) -> Result<()> {
    match expected {
        Some(expected) if stanzas != expected => {
            let noun = if stanzas == 1 { "stanza" } else { "stanzas" };
            Err(anyhow!("the header has {stanzas} {noun}, not {expected} as --expect-recipients says")).hint(hint)
        }
        _ => Ok(()),
    }
}

/// The public keys of an identity file.
fn recipients_of(files: &KeyFiles, path: &Path, file: IdentityFile) -> Result<Vec<Recipient>> {
    let keys = file.into_keys(&files.prompt, path)?;
    keys.into_iter()
        .map(|key| match key {
            Key::Ready(identity) | Key::Locked(identity) => recipient_of(&identity, path),
            Key::Plugin { text, location } => files.plugins.recipient_of_identity(&text, &location),
        })
        .collect()
}

/// The public key of an identity in the file at `path`.
///
/// # Errors
///
/// If it is an SSH key of a type that cannot be encrypted to.
pub(crate) fn recipient_of(identity: &Identity, path: &Path) -> Result<Recipient> {
    let recipient = identity.to_recipient();
    recipient.with_context(|| format!("{}: this kind of SSH key cannot be encrypted to", display_name(path)))
}
