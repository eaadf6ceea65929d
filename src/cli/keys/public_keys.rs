//! Public keys as the command line and recipients files write them.

use std::path::Path;

use anyhow::{Error, Result, anyhow, bail};

use crate::{
    cli::{
        files::naming::display_name,
        keys::key_file::{KeyFiles, Location, parse_lines},
        terminal::{
            advice::{Advise, COPY_KEY, RECIPIENTS, advised},
            errors::Misuse,
            persona::{self, Family},
        },
    },
    crypto::{ParseRecipientError, Recipient, SshPublicKeyError},
};

/// Parses the value of a `-r`.
pub(super) fn argument(files: &KeyFiles, key: &str, place: &str) -> Result<Recipient> {
    parse(files, key).map_err(|error| match error.downcast::<ParseRecipientError>() {
        Err(error) => error,
        Ok(_) if Path::new(key).is_file() => advised(
            Misuse::Other("a file is named with -r, which takes a key".to_owned()),
            "name the file with -R if it holds recipients, or with -i if it holds identities",
        ),
        Ok(fault @ ParseRecipientError::Mistyped) => {
            advised(Misuse::NotARecipient { named: format!("-r {}", start(key)), fault }, COPY_KEY)
        }
        Ok(fault @ ParseRecipientError::Ssh(SshPublicKeyError::Malformed(_))) => {
            advised(Misuse::NotARecipient { named: format!("-r{place}"), fault }, COPY_KEY)
        }
        Ok(fault @ ParseRecipientError::TextAfterKey) => {
            advised(Misuse::NotARecipient { named: format!("-r {}", start(key)), fault }, "give each key its own -r")
        }
        Ok(fault) => advised(Misuse::NotARecipient { named: format!("-r{place}"), fault }, RECIPIENTS),
    })
}

/// The start of a key that says that it is public. Others are not repeated at all, because they may be secret.
pub(crate) fn start(key: &str) -> String {
    const SHOWN: usize = 16;
    let start: String = key.chars().take(SHOWN).take_while(char::is_ascii_alphanumeric).collect();
    if start.len() < key.len() { format!("{start}...") } else { start }
}

/// What to do with an SSH key that cannot be encrypted to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsupported {
    Refuse,
    /// Skip it with a warning: the file was not made for this program.
    Skip,
}

/// The keys of a recipients file, each with its line.
pub(super) fn recipients_file(
    files: &mut KeyFiles,
    path: &Path,
    unsupported: Unsupported,
) -> Result<Vec<(Recipient, usize)>> {
    let file = files.read(path)?;
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
        parsed => Ok(Some((parsed?, location.line))),
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
