//! Recipients: the keys that the command line names, and no others.

use std::{collections::HashSet, fmt, path::Path};

use anyhow::{Context, Error, Result, anyhow, bail};
use serde::Serialize;

use crate::{
    cli::{
        args::RecipientArg,
        files::naming::display_name,
        keys::{
            identity_file::{Key, read_keys},
            key_file::{KeyFiles, Location, parse_lines},
        },
        terminal::{
            advice::{Advise, advised},
            errors::{During, Misuse},
            json,
            persona::{self, Family},
        },
    },
    crypto::{Encryptor, Identity, Match, ParseRecipientError, Recipient, SshPublicKeyError, Stanza},
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

impl Recipients {
    /// The recipients that the command line names to encrypt to, in its order, each once.
    ///
    /// # Errors
    ///
    /// If a key cannot be read or parsed.
    pub(crate) fn to_encrypt_to(files: &mut KeyFiles, named: &[RecipientArg]) -> Result<Self> {
        let found = find(files, named)?;
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
        Ok(Self::deduplicate(find(files, named)?, |_| {}))
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

fn find(files: &mut KeyFiles, named: &[RecipientArg]) -> Result<Vec<(Recipient, Origin)>> {
    let mut found = Vec::new();
    for named in named {
        match named {
            RecipientArg::Key(key) => found.push((argument(files, key)?, Origin::flag("-r"))),
            RecipientArg::File(path) | RecipientArg::AuthorizedKeys(path) => {
                let is_anybodys = matches!(named, RecipientArg::AuthorizedKeys(_));
                let unsupported = if is_anybodys { Unsupported::Skip } else { Unsupported::Refuse };
                let read = recipients_file(files, path, unsupported);
                found.extend(read.with_context(|| During::ReadingRecipients(path.clone()))?);
            }
            RecipientArg::Identity(path) => {
                let keys = recipients_of(files, path)?;
                found.extend(keys.into_iter().map(|key| (key, Origin::file("-i", path, None))));
            }
            RecipientArg::Plugin(name) => found.push((files.plugins.default_recipient(name)?, Origin::flag("-j"))),
        }
    }
    Ok(found)
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
fn recipients_of(files: &mut KeyFiles, path: &Path) -> Result<Vec<Recipient>> {
    let keys = read_keys(files, path)?;
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

/// Parses a recipient on the command line. One that cannot be parsed is not repeated: it may be secret.
fn argument(files: &KeyFiles, key: &str) -> Result<Recipient> {
    parse(files, key).map_err(|error| match error.downcast::<ParseRecipientError>() {
        Err(error) => error,
        Ok(_) if Path::new(key).is_file() => advised(
            Misuse::Other("a file is named with -r, which takes a key".to_owned()),
            "name the file with -R if it holds recipients, or with -i if it holds identities",
        ),
        Ok(fault) => advised(Misuse::NotARecipient(fault), "a recipient begins with age1, ssh-ed25519 or ssh-rsa"),
    })
}

/// What to do with an SSH key that cannot be encrypted to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unsupported {
    Refuse,
    /// Skip it with a warning: the file was not made for this program.
    Skip,
}

fn recipients_file(files: &mut KeyFiles, path: &Path, unsupported: Unsupported) -> Result<Vec<(Recipient, Origin)>> {
    let file = files.read(path)?;
    let flag = if unsupported == Unsupported::Skip { "--authorized-keys" } else { "-R" };
    parse_file(path, &file.text, |line, location| match parse(files, line) {
        Err(error) if unsupported == Unsupported::Skip && is_unsupported(&error) => {
            files.messages.warning(&match (persona::family(), unsupported_type(&error)) {
                (Some(Family::Age), Some(kind)) => format!(
                    "recipients file {}: ignoring unsupported SSH key of type \"{kind}\" at line {}",
                    display_name(path),
                    location.line
                ),
                _ => format!("{location}: ignoring unsupported SSH key: {error}"),
            });
            Ok(None)
        }
        parsed => Ok(Some((parsed?, Origin::file(flag, path, Some(location.line))))),
    })
}

/// Parses a recipients file. Lines for which `parse` returns `None` are skipped.
///
/// # Errors
///
/// If no recipient is left; those of `parse`.
pub(crate) fn parse_file<T>(
    path: &Path,
    text: &[u8],
    parse: impl Fn(&str, Location<'_>) -> Result<Option<T>>,
) -> Result<Vec<T>> {
    if text.starts_with(b"age-encryption.org/") {
        return Err(anyhow!("{} is an encrypted file, not a list of recipients", display_name(path)))
            .hint("name a protected identity file with -i");
    }
    let recipients: Vec<_> = parse_lines(path, text, parse)?.into_iter().flatten().collect();
    if recipients.is_empty() {
        bail!("{} names no recipients", display_name(path));
    }
    Ok(recipients)
}

fn is_unsupported(error: &Error) -> bool {
    unsupported_type(error).is_some()
}

/// The type of a well-formed SSH key that cannot be encrypted to.
fn unsupported_type(error: &Error) -> Option<&str> {
    match error.downcast_ref()? {
        ParseRecipientError::Ssh(SshPublicKeyError::Unsupported(kind)) => Some(kind),
        ParseRecipientError::Ssh(SshPublicKeyError::RsaTooSmall | SshPublicKeyError::RsaTooLarge) => Some("ssh-rsa"),
        _ => None,
    }
}

fn parse(files: &KeyFiles, text: &str) -> Result<Recipient> {
    match text.parse() {
        Err(ParseRecipientError::Plugin(_)) => files.plugins.recipient(text),
        parsed => parsed.map_err(Error::new),
    }
}
