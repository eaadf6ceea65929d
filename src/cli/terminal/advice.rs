//! What there is to do about the errors of the format and of keys: the next steps that go with them wherever they come up.

use std::io::ErrorKind;

use crate::crypto::{Error as CryptoError, ParseIdentityError, ParseRecipientError, PayloadFault};

/// The advice on an error and its causes.
pub(crate) fn on(error: &anyhow::Error) -> impl Iterator<Item = &str> {
    let format = error.chain().filter_map(|cause| cause.downcast_ref()).filter_map(on_format);
    let keys = error.chain().filter_map(|cause| cause.downcast_ref()).filter_map(on_key);
    let recipients = error.chain().filter_map(|cause| cause.downcast_ref()).filter_map(on_recipient);
    format.chain(keys).chain(recipients)
}

/// What there is to say about an error of the format, beyond the error itself.
fn on_format(error: &CryptoError) -> Option<&str> {
    Some(match error {
        CryptoError::NoMatch(_) => "name the matching identity file with -i",
        CryptoError::Read(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "if no other program changes it, the system states a wrong length for it: read it through a pipe, with cat"
        }
        CryptoError::Recoded(_) => {
            "armored files can be turned back (iconv -f UTF-16 -t UTF-8, or remove the mark); others are lost: encrypt again, with -o FILE, for PowerShell's > makes text of what it gets"
        }
        CryptoError::Version(_) => "it was written by a newer program; look for a newer version of this one",
        CryptoError::WorkFactor { .. } => "if you trust the file, allow the work with --max-work-factor",
        CryptoError::Incompatible | CryptoError::MixedQuantumSafety => "encrypt a file for each kind of recipient",
        CryptoError::StanzaCount { .. } => {
            "if you trust the plugin, allow it with --allow-plugin-stanzas: whoever holds the key of any of them can open the file"
        }
        CryptoError::MalformedKeptStanza { .. } => {
            "name all who are to open it with -r and -R, without --add: then no stanza of the old header stays"
        }
        CryptoError::HeaderLength => "name fewer recipients for a file",
        CryptoError::Payload { fault: PayloadFault::Truncated | PayloadFault::CorruptedEnd, .. }
        | CryptoError::NoNonce => {
            "fetch the file again; without another copy, 'solekey salvage' recovers what is whole"
        }
        CryptoError::Payload { fault: PayloadFault::TrailingData, .. } => {
            "'solekey salvage' recovers what stands before what was appended"
        }
        CryptoError::HeaderMac
        | CryptoError::Header { .. }
        | CryptoError::Payload { fault: PayloadFault::Corrupted, .. } => {
            "without another copy, 'solekey salvage' recovers what is whole"
        }
        _ => return None,
    })
}

/// What there is to do about what is no recipient.
fn on_recipient(error: &ParseRecipientError) -> Option<&str> {
    match error {
        ParseRecipientError::SecretKey => Some("to encrypt to the public key of an identity file, name that with -i"),
        _ => None,
    }
}

/// What there is to do about a key that cannot be used.
fn on_key(error: &ParseIdentityError) -> Option<&str> {
    Some(match error {
        ParseIdentityError::SshCipher(_) | ParseIdentityError::LegacyPem => {
            "encrypt a copy of the key anew: ssh-keygen -p -Z aes256-ctr -f COPY"
        }
        ParseIdentityError::Hardware => {
            "name the file of another key; neither hardware keys nor ssh-agent can decrypt, they only sign"
        }
        ParseIdentityError::PublicKey => "name the file of its secret key; to encrypt to this one, name it with -R",
        _ => return None,
    })
}
