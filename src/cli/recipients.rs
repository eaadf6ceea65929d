//! Who can open: the recipients that the command line names, and nobody else.

use std::{collections::HashSet, path::Path};

use anyhow::{Context, Error, Result, anyhow, bail};

use crate::crypto::{ParseRecipientError, Recipient};

use super::{
    args::Named,
    identities::{Key, keys_of},
    input::name,
    keys::{KeyFiles, parse_lines},
    report::{Advise, Misuse, Report, misuse},
};

/// The recipients that the command line names, in its order, each once.
pub(crate) fn recipients(files: &mut KeyFiles<'_>, named: &[Named]) -> Result<Vec<Recipient>> {
    let mut recipients = Vec::new();
    for named in named {
        match named {
            Named::Key(key) => recipients.push(argument(files, key)?),
            Named::File(path) => recipients.extend(recipients_file(files, path, Unsupported::Refuse)?),
            Named::AuthorizedKeys(path) => recipients.extend(recipients_file(files, path, Unsupported::PassOver)?),
            Named::Identity(path) => recipients.extend(recipients_of(files, path)?),
            Named::Plugin(name) => recipients.push(files.plugins.default_recipient(name)?),
        }
    }
    each_once(&mut recipients, files.report);
    Ok(recipients)
}

/// Leaves out those that are there already.
pub(crate) fn each_once(recipients: &mut Vec<Recipient>, report: &Report) {
    let mut seen = HashSet::new();
    recipients.retain(|recipient| {
        let text = recipient.to_string();
        let fresh = seen.insert(text.clone());
        if !fresh {
            report.warning(&format!("{text} is named more than once; it gets one stanza"));
        }
        fresh
    });
}

/// The public keys of an identity file.
pub(crate) fn recipients_of(files: &mut KeyFiles<'_>, path: &Path) -> Result<Vec<Recipient>> {
    let keys = keys_of(files, path)?;
    keys.into_iter()
        .map(|key| match key {
            Key::Ready(identity) | Key::Locked(identity) => identity
                .to_recipient()
                .with_context(|| format!("{}: this kind of SSH key cannot be encrypted to", name(path))),
            Key::Plugin { text, place } => files.plugins.recipient_of_identity(&text, &place),
        })
        .collect()
}

/// A recipient from the command line. What cannot be one is not echoed: it may be secret.
fn argument(files: &KeyFiles<'_>, key: &str) -> Result<Recipient> {
    parse(files, key).map_err(|error| match error.downcast_ref::<ParseRecipientError>() {
        None => error,
        Some(_) if Path::new(key).is_file() => misuse::<()>(
            "a file is named with -r, which takes a key",
            "name the file with -R if it holds recipients, or with -i if it holds identities",
        )
        .expect_err("it was made as an error"),
        Some(fault) => Err::<(), _>(Misuse(format!("-r: {fault}")))
            .hint("a recipient begins with age1, ssh-ed25519 or ssh-rsa")
            .expect_err("it was made as an error"),
    })
}

/// What to do about an SSH key that cannot be encrypted to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unsupported {
    Refuse,
    /// The file was not made for this program, so it is no surprise. But it is said.
    PassOver,
}

fn recipients_file(files: &mut KeyFiles<'_>, path: &Path, unsupported: Unsupported) -> Result<Vec<Recipient>> {
    let file = files.read(path)?;
    if file.text.starts_with(b"age-encryption.org/") {
        return Err(anyhow!("{} is an encrypted file, not a list of recipients", name(path)))
            .hint("name a protected identity file with -i");
    }
    let recipients = parse_lines(path, &file.text, |line, place| match parse(files, line) {
        Err(error) if unsupported == Unsupported::PassOver && is_unsupported(&error) => {
            files.report.warning(&format!("{}: ignoring unsupported SSH key: {error}", place()));
            Ok(None)
        }
        parsed => parsed.map(Some),
    })?;
    let recipients: Vec<_> = recipients.into_iter().flatten().collect();
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
