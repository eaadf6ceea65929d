//! Other tools' words for errors, which scripts look for. Matched by type, so that our messages can be reworded freely.
//!
//! Sources: `cmd/age`, `cmd/age-keygen`, `plugin/client.go`, `stream.go` and `internal/format` of age 1.3; the messages in
//! `rage/i18n` and `age/i18n` of rage 0.12.

use std::io;

use anyhow::Error;

use crate::{
    cli::{
        files::naming::display_name,
        keys::plugins::error::StartError,
        terminal::{
            advice::find,
            errors::{BinaryOutput, During, Line, Misuse, PassphrasesDiffer, is_plugin_not_found},
            persona::Family,
        },
    },
    crypto::{Error as CryptoError, ParseIdentityError, ParseRecipientError, PayloadFault, SshPrivateKeyError},
};

/// age's message for an error, if it has one.
pub(super) fn of_age(error: &Error) -> Option<String> {
    words_for(error, Family::Age)
}

/// age-keygen's message for an error.
pub(super) fn of_age_keygen(error: &Error) -> Option<String> {
    let Some(During::ReadingIdentities(path)) = find(error) else { return of_age(error) };
    if is_of_system(error) {
        return Some(format!("failed to open input file {}", display_name(path)));
    }
    let parsed = find(error).map(|fault| format!(": error at line {}: {}", line_of(error), identity_fault(fault)));
    Some(format!("failed to parse input{}", parsed.unwrap_or_default()))
}

/// age-inspect's message for an error.
pub(super) fn of_age_inspect(error: &Error) -> Option<String> {
    match find(error) {
        Some(During::OpeningInput(_)) => of_age(error),
        _ => Some(of_age(error).map_or("inspection failed".to_owned(), |words| format!("inspection failed: {words}"))),
    }
}

/// rage's message for an error.
pub(super) fn of_rage(error: &Error) -> Option<String> {
    words_for(error, Family::Rage)
}

/// rage-keygen's message for an error.
pub(super) fn of_rage_keygen(error: &Error) -> Option<String> {
    match find(error) {
        Some(During::ReadingIdentities(_)) if is_of_system(error) => Some("Failed to open input".to_owned()),
        _ => of_rage(error),
    }
}

/// Uses the outermost cause that has a message, after a phrase for what the run was doing.
fn words_for(error: &Error, family: Family) -> Option<String> {
    if let Some(words) = find(error).and_then(|during| while_doing(during, error, family)) {
        return Some(words);
    }
    error
        .chain()
        .find_map(|cause| {
            let of = |[age, rage]: [&'static str; 2]| if family == Family::Age { age } else { rage };
            if let Some(misuse) = cause.downcast_ref() {
                return for_misuse(misuse).map(of);
            }
            if is_plugin_not_found(cause) || is_plugin_unusable(cause) {
                return Some(of(PLUGIN_NOT_FOUND));
            }
            if cause.is::<PassphrasesDiffer>() {
                return Some(of(["passphrases didn't match", "Inputs do not match"]));
            }
            cause.downcast_ref().and_then(for_crypto).map(of)
        })
        .filter(|words| !words.is_empty())
        .map(str::to_owned)
}

/// Whether the cause of an error is that a plugin cannot be started.
fn is_plugin_unusable(cause: &(dyn std::error::Error + 'static)) -> bool {
    let inner = match cause.downcast_ref() {
        Some(CryptoError::External(error)) => error.get_ref(),
        _ => None,
    };
    cause.is::<StartError>() || inner.is_some_and(|inner| inner.is::<StartError>())
}

const PLUGIN_NOT_FOUND: [&str; 2] = ["couldn't start plugin", "Could not find"];
const BINARY: [&str; 2] = ["refusing to output binary to the terminal"; 2];

fn while_doing(during: &During, error: &Error, family: Family) -> Option<String> {
    let is_missing = system_error(error).is_some_and(|system| system.kind() == io::ErrorKind::NotFound);
    let line = line_of(error);
    Some(match (during, family) {
        (During::OpeningInput(path), Family::Age) => format!("failed to open input file {}", display_name(path)),
        (During::OpeningInput(_), Family::Rage) => system_error(error)?.to_string(),
        (During::OpeningOutput(path), Family::Age) => format!("failed to open output file {}", display_name(path)),
        (During::OpeningOutput(_), Family::Rage) => "Failed to open output".to_owned(),
        (During::ReadingRecipients(path), Family::Age) => {
            let name = display_name(path);
            let words = format!("failed to parse recipient file {name}");
            match find(error) {
                _ if is_of_system(error) => format!("{words}: failed to open recipient file"),
                Some(ParseRecipientError::SecretKey) => {
                    format!("{words}: {name}: error at line {line}: apparent identity found in recipients file")
                }
                Some(_) => format!("{words}: {name}: malformed recipient at line {line}"),
                None => words,
            }
        }
        (During::ReadingRecipients(path), Family::Rage) => {
            let name = display_name(path);
            match find::<ParseRecipientError>(error) {
                _ if is_missing => format!("Recipients file not found: {}", path.display()),
                Some(_) => format!("Recipients file {name} contains non-recipient data on line {line}"),
                None => return None,
            }
        }
        (During::ReadingIdentities(path), Family::Age) => {
            let name = display_name(path);
            let words = format!("reading {name}");
            match (find(error), find(error)) {
                (Some(SshPrivateKeyError::NeedsPublicKey), _) => {
                    format!("{words}: failed to obtain public key for {name} SSH key")
                }
                (Some(_), _) => format!("{words}: malformed SSH identity in {name}"),
                _ if is_of_system(error) => format!("{words}: failed to open file"),
                (_, Some(ParseIdentityError::PublicKey)) => {
                    format!(
                        "{words}: failed to read {name}: error at line {line}: apparent recipient found in identities file"
                    )
                }
                (_, Some(fault)) => {
                    format!("{words}: failed to read {name}: error at line {line}: {}", identity_fault(fault))
                }
                _ => format!("{words}: failed to read {name}"),
            }
        }
        (During::ReadingIdentities(path), Family::Rage) => match find::<SshPrivateKeyError>(error) {
            _ if is_missing => format!("Identity file not found: {}", path.display()),
            Some(_) => format!("Unsupported SSH key: {}", path.display()),
            None => return None,
        },
    })
}

fn is_of_system(error: &Error) -> bool {
    system_error(error).is_some()
}

fn system_error(error: &Error) -> Option<&io::Error> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

/// The line of a key file that an error is about.
fn line_of(error: &Error) -> usize {
    find(error).map_or(0, |Line(line)| *line)
}

fn identity_fault(fault: &ParseIdentityError) -> &'static str {
    match fault {
        ParseIdentityError::PublicKey | ParseIdentityError::Unknown => "unknown identity type",
        _ => "malformed secret key",
    }
}

/// age's words and rage's.
fn for_misuse(misuse: &Misuse) -> Option<[&'static str; 2]> {
    Some(match misuse {
        Misuse::InputIsOutput(_) => ["input and output file are the same", "Input and output are the same file"],
        Misuse::BinaryToTerminal => BINARY,
        Misuse::MissingIdentities(_) => {
            ["the file is not passphrase-encrypted, identities are required", "Missing identities."]
        }
        Misuse::IdentitiesOnly => [
            "file is passphrase-encrypted but identities were specified with -i/--identity or -j",
            "-i/--identity can't be used with passphrase-encrypted files.",
        ],
        Misuse::NotARecipient { fault: ParseRecipientError::Ssh(_), .. } => {
            ["malformed SSH recipient", "Invalid recipient"]
        }
        Misuse::NotARecipient { .. } => ["unknown recipient type", "Invalid recipient"],
        Misuse::Directory(_) | Misuse::Other(_) => return None,
    })
}

/// The same for an error of the format.
fn for_crypto(error: &CryptoError) -> Option<[&'static str; 2]> {
    Some(match error {
        CryptoError::NoMatch(_) => ["no identity matched any of the recipients", "No matching keys found"],
        CryptoError::Incompatible | CryptoError::SharedPassphrase { .. } => {
            ["incompatible recipients", "Cannot encrypt to a recipient with labels"]
        }
        CryptoError::MixedQuantumSafety => [
            "incompatible recipients: can't mix post-quantum and classic recipients",
            "Cannot encrypt to a recipient with labels",
        ],
        CryptoError::Write(error) if error.get_ref().is_some_and(|inner| inner.is::<BinaryOutput>()) => BINARY,
        CryptoError::Recoded(_) => {
            ["invalid header intro", "It looks like this file was corrupted by PowerShell redirection."]
        }
        CryptoError::NotAge
        | CryptoError::Foreign(_)
        | CryptoError::Empty
        | CryptoError::Header { .. }
        | CryptoError::Stanza => ["failed to read header", "Header is invalid"],
        CryptoError::Version(_) => ["failed to read header", "Unknown age format."],
        CryptoError::WrongPassphrase => ["incorrect passphrase", "Decryption failed"],
        CryptoError::SshKeyMismatch => ["mismatched private and public SSH key", ""],
        CryptoError::WorkFactor { .. } => ["scrypt work factor too large", "Excessive work parameter for passphrase."],
        CryptoError::Armor { .. } => ["invalid armor", "invalid armor"],
        CryptoError::HeaderMac => ["bad header MAC", "Header MAC is invalid"],
        CryptoError::Unwrap => ["failed to decrypt file key", "Decryption failed"],
        CryptoError::NoNonce => ["failed to read nonce", "Header is invalid"],
        CryptoError::Payload { fault: PayloadFault::Truncated, .. } => {
            ["unexpected EOF", "Last chunk is invalid, stream might be truncated"]
        }
        CryptoError::Payload {
            fault: PayloadFault::Corrupted | PayloadFault::CorruptedEnd | PayloadFault::FollowedByData,
            ..
        } => ["failed to decrypt and authenticate payload chunk", "decryption error"],
        CryptoError::Payload { fault: PayloadFault::TrailingData, .. } => {
            ["trailing data after end of encrypted file", "decryption error"]
        }
        CryptoError::Payload { fault: PayloadFault::EmptyFinalChunk, .. } => {
            ["last chunk is empty", "Last STREAM chunk is empty."]
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_the_variant_and_not_the_text() {
        let no_match = Error::new(CryptoError::NoMatch(vec!["X25519".to_owned()])).context("cannot decrypt 'x'");
        assert_eq!(of_age(&no_match).as_deref(), Some("no identity matched any of the recipients"));
        assert_eq!(of_rage(&no_match).as_deref(), Some("No matching keys found"));
        assert_eq!(of_age(&Error::msg("none of these identities can open it")), None);
        assert_eq!(of_age(&Error::new(Misuse::Other("missing identities".to_owned()))), None);
        let written = CryptoError::Write(std::io::Error::other(BinaryOutput));
        assert_eq!(of_age(&Error::new(written)).as_deref(), Some("refusing to output binary to the terminal"));
        let chunk = |fault| of_age(&Error::new(CryptoError::Payload { chunk: 0, fault }));
        assert_eq!(chunk(PayloadFault::Truncated).as_deref(), Some("unexpected EOF"));
        assert_eq!(
            chunk(PayloadFault::CorruptedEnd).as_deref(),
            Some("failed to decrypt and authenticate payload chunk")
        );
    }
}
