//! Who can open: the recipients that the command line names, and nobody else.

use std::{collections::HashSet, fmt, path::Path};

use anyhow::{Context, Error, Result, anyhow, bail};
use serde::Serialize;

use crate::{
    cli::{
        args::Named,
        files::input::name,
        keys::{
            key_file::{KeyFiles, Place, parse_lines},
            keyring::{Key, keys_of},
        },
        terminal::{
            json,
            messages::{Advise, Misuse, advised},
        },
    },
    crypto::{Identity, Match, ParseRecipientError, Recipient, Stanza},
};

/// The recipients of a run, and how the command line names each.
#[derive(Default)]
pub(crate) struct Recipients {
    pub(crate) keys: Vec<Recipient>,
    pub(crate) origins: Vec<Origin>,
}

/// How a recipient is named.
#[derive(Serialize)]
pub(crate) struct Origin {
    flag: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl Origin {
    /// A key or a passphrase that `flag` itself names.
    pub(crate) fn flag(flag: &'static str) -> Self {
        Self { flag, file: None, line: None }
    }

    fn file(flag: &'static str, path: &Path, line: Option<usize>) -> Self {
        Self { flag, file: Some(json::path(path)), line }
    }
}

/// As on the command line.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.flag)?;
        if let Some(file) = &self.file {
            write!(f, " {}", name(Path::new(file)))?;
        }
        self.line.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

/// The recipients that the command line names to encrypt to, in its order, each once.
pub(crate) fn recipients(files: &mut KeyFiles<'_>, named: &[Named]) -> Result<Recipients> {
    let found = find(files, named)?;
    Ok(each_once(found, |repeated| {
        files.report.warning(&format!("{repeated} is named more than once; it gets one stanza"));
    }))
}

/// The recipients that the command line asks about, in its order, each once.
pub(crate) fn asked_about(files: &mut KeyFiles<'_>, named: &[Named]) -> Result<Recipients> {
    Ok(each_once(find(files, named)?, |_| {}))
}

fn find(files: &mut KeyFiles<'_>, named: &[Named]) -> Result<Vec<(Recipient, Origin)>> {
    let mut found = Vec::new();
    for named in named {
        match named {
            Named::Key(key) => found.push((argument(files, key)?, Origin::flag("-r"))),
            Named::File(path) => found.extend(recipients_file(files, path, Unsupported::Refuse)?),
            Named::AuthorizedKeys(path) => found.extend(recipients_file(files, path, Unsupported::PassOver)?),
            Named::Identity(path) => {
                let keys = recipients_of(files, path)?;
                found.extend(keys.into_iter().map(|key| (key, Origin::file("-i", path, None))));
            }
            Named::Plugin(name) => found.push((files.plugins.default_recipient(name)?, Origin::flag("-j"))),
        }
    }
    Ok(found)
}

/// Tells keys by what they are, not by how they are spelled: their text is made anew from the key.
fn each_once(mut found: Vec<(Recipient, Origin)>, repeated: impl Fn(&str)) -> Recipients {
    let mut seen = HashSet::new();
    found.retain(|(recipient, _)| {
        let text = recipient.to_string();
        let fresh = seen.insert(text.clone());
        if !fresh {
            repeated(&text);
        }
        fresh
    });
    let (keys, origins) = found.into_iter().unzip();
    Recipients { keys, origins }
}

/// Whether a stanza is for a recipient, as far as can be told. `owner` is whose it is, where an identity has proven that.
pub(crate) fn whether_of(recipient: &Recipient, stanza: &Stanza, owner: Option<&Recipient>) -> Match {
    match owner {
        Some(owner) if owner.to_string() == recipient.to_string() => Match::Yes,
        Some(_) => Match::No,
        None => recipient.matches(stanza),
    }
}

/// Fails if a header has not as many stanzas as the user expects.
pub(crate) fn must_be_as_many(stanzas: usize, expected: Option<usize>, hint: &str) -> Result<()> {
    match expected {
        Some(expected) if stanzas != expected => {
            let noun = if stanzas == 1 { "stanza" } else { "stanzas" };
            Err(anyhow!("the header has {stanzas} {noun}, not {expected} as --expect-recipients says")).hint(hint)
        }
        _ => Ok(()),
    }
}

/// The public keys of an identity file.
pub(crate) fn recipients_of(files: &mut KeyFiles<'_>, path: &Path) -> Result<Vec<Recipient>> {
    let keys = keys_of(files, path)?;
    keys.into_iter()
        .map(|key| match key {
            Key::Ready(identity) | Key::Locked(identity) => recipient_of(&identity, path),
            Key::Plugin { text, place } => files.plugins.recipient_of_identity(&text, &place),
        })
        .collect()
}

/// The public key of one key of an identity file.
pub(crate) fn recipient_of(identity: &Identity, path: &Path) -> Result<Recipient> {
    let recipient = identity.to_recipient();
    recipient.with_context(|| format!("{}: this kind of SSH key cannot be encrypted to", name(path)))
}

/// A recipient from the command line. What cannot be one is not echoed: it may be secret.
fn argument(files: &KeyFiles<'_>, key: &str) -> Result<Recipient> {
    parse(files, key).map_err(|error| match error.downcast_ref::<ParseRecipientError>() {
        None => error,
        Some(_) if Path::new(key).is_file() => advised(
            Misuse("a file is named with -r, which takes a key".to_owned()),
            "name the file with -R if it holds recipients, or with -i if it holds identities",
        ),
        Some(fault) => advised(Misuse(format!("-r: {fault}")), "a recipient begins with age1, ssh-ed25519 or ssh-rsa"),
    })
}

/// What to do about an SSH key that cannot be encrypted to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unsupported {
    Refuse,
    /// The file was not made for this program, so it is no surprise. But it is said.
    PassOver,
}

fn recipients_file(
    files: &mut KeyFiles<'_>,
    path: &Path,
    unsupported: Unsupported,
) -> Result<Vec<(Recipient, Origin)>> {
    let file = files.read(path)?;
    let flag = if unsupported == Unsupported::PassOver { "--authorized-keys" } else { "-R" };
    parse_file(path, &file.text, |line, place| match parse(files, line) {
        Err(error) if unsupported == Unsupported::PassOver && is_unsupported(&error) => {
            files.report.warning(&format!("{place}: ignoring unsupported SSH key: {error}"));
            Ok(None)
        }
        parsed => Ok(Some((parsed?, Origin::file(flag, path, Some(place.line))))),
    })
}

/// The recipients of a file, of those lines for which `parse` gives one.
pub(crate) fn parse_file<T>(
    path: &Path,
    text: &[u8],
    parse: impl Fn(&str, Place<'_>) -> Result<Option<T>>,
) -> Result<Vec<T>> {
    if text.starts_with(b"age-encryption.org/") {
        return Err(anyhow!("{} is an encrypted file, not a list of recipients", name(path)))
            .hint("name a protected identity file with -i");
    }
    let recipients: Vec<_> = parse_lines(path, text, parse)?.into_iter().flatten().collect();
    if recipients.is_empty() {
        bail!("{} names no recipients", name(path));
    }
    Ok(recipients)
}

fn is_unsupported(error: &Error) -> bool {
    use ParseRecipientError::{RsaTooLarge, RsaTooSmall, UnsupportedSsh};
    matches!(error.downcast_ref(), Some(UnsupportedSsh(_) | RsaTooSmall | RsaTooLarge))
}

fn parse(files: &KeyFiles<'_>, text: &str) -> Result<Recipient> {
    match text.parse() {
        Err(ParseRecipientError::Plugin(_)) => files.plugins.recipient(text),
        parsed => parsed.map_err(Error::new),
    }
}
