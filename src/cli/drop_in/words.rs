//! age's own words for errors, which scripts look for. Matched by variant, so that our messages can be reworded freely.

use crate::{
    cli::{
        keys::plugins::error::StartError,
        terminal::errors::{BinaryOutput, Misuse, PassphrasesDiffer},
    },
    crypto::{Error as CryptoError, ParseRecipientError, PayloadFault},
};

/// What age says about an error, if it has words of its own. The outermost cause that has some decides.
pub(super) fn words_for(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| {
        if let Some(misuse) = cause.downcast_ref() {
            return for_misuse(misuse);
        }
        if cause.is::<StartError>() {
            return Some("couldn't start plugin");
        }
        if cause.is::<PassphrasesDiffer>() {
            return Some("passphrases didn't match");
        }
        cause.downcast_ref().and_then(for_crypto)
    })
}

fn for_misuse(misuse: &Misuse) -> Option<&'static str> {
    Some(match misuse {
        Misuse::InputIsOutput(_) => "input and output file are the same",
        Misuse::BinaryToTerminal => "refusing to output binary to the terminal",
        Misuse::MissingIdentities(_) => "the file is not passphrase-encrypted, identities are required",
        Misuse::IdentitiesOnly => "file is passphrase-encrypted but identities were specified",
        Misuse::NotARecipient(
            ParseRecipientError::SecretKey | ParseRecipientError::Mistyped | ParseRecipientError::Unknown,
        ) => "unknown recipient type",
        Misuse::NotARecipient(_) | Misuse::Other(_) => return None,
    })
}

fn for_crypto(error: &CryptoError) -> Option<&'static str> {
    Some(match error {
        CryptoError::NoMatch(_) => "no identity matched any of the recipients",
        CryptoError::Incompatible | CryptoError::MixedQuantumSafety => "incompatible recipients",
        CryptoError::Write(error) if error.get_ref().is_some_and(|inner| inner.is::<BinaryOutput>()) => {
            "refusing to output binary to the terminal"
        }
        CryptoError::External(error) if error.get_ref().is_some_and(|inner| inner.is::<StartError>()) => {
            "couldn't start plugin"
        }
        CryptoError::NotAge
        | CryptoError::Recoded(_)
        | CryptoError::Empty
        | CryptoError::Header { .. }
        | CryptoError::Stanza => "failed to read header",
        CryptoError::Armor { .. } => "invalid armor",
        CryptoError::HeaderMac => "bad header MAC",
        CryptoError::NoNonce | CryptoError::Payload { fault: PayloadFault::Truncated, .. } => "unexpected EOF",
        CryptoError::Payload { fault: PayloadFault::Corrupted | PayloadFault::CorruptedEnd, .. } => {
            "failed to decrypt and authenticate payload chunk"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Error;

    use super::*;

    #[test]
    fn words_follow_the_variant_and_not_the_text() {
        let no_match = Error::new(CryptoError::NoMatch(vec!["X25519".to_owned()])).context("cannot decrypt 'x'");
        assert_eq!(words_for(&no_match), Some("no identity matched any of the recipients"));
        assert_eq!(words_for(&Error::msg("not for any of these identities")), None);
        assert_eq!(words_for(&Error::new(Misuse::Other("missing identities".to_owned()))), None);
        let written = CryptoError::Write(std::io::Error::other(BinaryOutput));
        assert_eq!(words_for(&Error::new(written)), Some("refusing to output binary to the terminal"));
        let chunk = |fault| words_for(&Error::new(CryptoError::Payload { chunk: 0, fault }));
        assert_eq!(chunk(PayloadFault::Truncated), Some("unexpected EOF"));
        assert_eq!(chunk(PayloadFault::CorruptedEnd), Some("failed to decrypt and authenticate payload chunk"));
        assert_eq!(chunk(PayloadFault::TrailingData), None);
    }
}
