//! Hints: what to do about an error. Either attached where the error arises, or known for its type.

use std::{
    fmt,
    io::{self, ErrorKind},
};

use crate::{
    cli::{
        platform::Limit,
        terminal::errors::{Misuse, PluginFailed, is_plugin_not_found},
    },
    crypto::{
        Error as CryptoError, Foreign, HEADER_CUT, HEADER_TOO_LONG, ParseIdentityError, ParseRecipientError,
        PayloadFault, SshPrivateKeyError, SshPublicKeyError, TOO_MANY_STANZAS,
    },
};

/// The next step for a text file in another encoding.
pub(crate) const SAVE_AS_UTF_8: &str = "save it as UTF-8, without a byte order mark";
/// The next step for a key that stands where the name of a file should.
pub(crate) const KEEP_IN_FILE: &str =
    "keep the key in a file and name the file; treat this key as disclosed if others can see where it was";

/// An error with a hint. Prints as nothing itself: its source says what happened.
#[derive(Debug)]
struct Advised {
    hint: String,
    source: anyhow::Error,
}

impl fmt::Display for Advised {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Advised {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// Adds hints to results.
pub(crate) trait Advise<T> {
    /// Adds a next step, or a fact that reassures, to an error.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> Advise<T> for Result<T, E> {
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| advised(error, hint))
    }
}

/// An error with a hint.
pub(crate) fn advised(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> anyhow::Error {
    Advised { hint: hint.into(), source: error.into() }.into()
}

/// The value of this type that is an error, a cause of it, or a context of either.
pub(crate) fn find<T: fmt::Display + fmt::Debug + Send + Sync + 'static>(error: &anyhow::Error) -> Option<&T> {
    // Contexts are not in the chain of causes, and an error with a hint hides them from `downcast_ref`.
    error.downcast_ref().or_else(|| {
        let advised = error.chain().find_map(|cause| cause.downcast_ref::<Advised>())?;
        find(&advised.source)
    })
}

/// A [`Misuse::Other`] with its remedy.
pub(crate) fn misuse<T>(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T> {
    Err(advised(Misuse::Other(message.into()), hint))
}

/// The hints for an error and its causes: first those that were attached, then those known for their types.
pub(crate) fn hints(error: &anyhow::Error) -> impl Iterator<Item = &str> {
    let attached = error.chain().filter_map(|cause| cause.downcast_ref::<Advised>()).map(|cause| cause.hint.as_str());
    let format = error.chain().filter_map(|cause| cause.downcast_ref()).filter_map(on_format);
    let keys = error.chain().filter_map(|cause| cause.downcast_ref()).filter_map(on_key);
    let ssh_key = find(error).and_then(on_ssh_key);
    let recipients = error.chain().filter_map(|cause| cause.downcast_ref()).filter_map(on_recipient);
    let plugins = error.chain().any(is_plugin_not_found).then_some(PLUGINS);
    let limits = error.chain().filter_map(|cause| cause.downcast_ref()).filter_map(on_limit);
    attached.chain(format).chain(keys).chain(ssh_key).chain(recipients).chain(plugins).chain(limits)
}

const PLUGINS: &str = "visit https://age-encryption.org/awesome#plugins for a list of available plugins";

/// The next step after a call that ran into a limit of the system.
fn on_limit(error: &io::Error) -> Option<&str> {
    Some(match Limit::exceeded_by(error)? {
        Limit::OpenFiles => "close other programs, or raise the limit on open files (ulimit -n)",
        Limit::Threads => "close other programs, or raise the limit on processes and threads (ulimit -u)",
    })
}

/// The next step after an error of the format.
fn on_format(error: &CryptoError) -> Option<&str> {
    Some(match error {
        CryptoError::NoMatch(_) => "name the matching identity file with -i",
        CryptoError::External(error) if lacked_network(error) => {
            "plugins have no network, nor devices that they reach through such sockets; if this one needs them, allow it with --allow-plugin-network"
        }
        CryptoError::Read(error) if error.kind() == ErrorKind::UnexpectedEof => {
            "if no other program changes it, the system reports a wrong length for it: read it through a pipe, with cat"
        }
        CryptoError::Recoded(_) => {
            "armored files can be turned back (iconv -f UTF-16 -t UTF-8, or remove the mark); others are lost: encrypt again with -o FILE, because PowerShell's > converts binary data to text"
        }
        CryptoError::Foreign(Foreign::Pgp) => "decrypt a PGP message with gpg -d",
        CryptoError::Foreign(Foreign::Gzip) => "unpack it with gunzip first",
        CryptoError::Foreign(Foreign::Zip) => "unpack it with unzip first",
        CryptoError::Foreign(Foreign::OpenSsl) => {
            "decrypt it with openssl enc -d, and the options that it was encrypted with"
        }
        CryptoError::Armor { .. } => {
            "keep the lines from '-----BEGIN AGE ENCRYPTED FILE-----' to '-----END AGE ENCRYPTED FILE-----', and nothing before, after or between them"
        }
        CryptoError::Header { fault, .. } if *fault == HEADER_CUT => {
            "fetch the file again: the rest cannot be opened, because the file key is in the header"
        }
        CryptoError::Header { fault, .. } if [HEADER_TOO_LONG, TOO_MANY_STANZAS].contains(fault) => {
            "ask for a file that is encrypted to fewer recipients; solekey cannot open this one"
        }
        CryptoError::Version(_) => "it was written by a newer program; look for a newer version of this one",
        CryptoError::WorkFactor { .. } => "if you trust the file, allow the work with --max-work-factor",
        CryptoError::Memory { .. } | CryptoError::NoBuffer => {
            "close other programs, raise the limit on memory (ulimit -v), or use a larger machine"
        }
        CryptoError::Incompatible | CryptoError::SharedPassphrase { .. } | CryptoError::MixedQuantumSafety => {
            "encrypt a file for each kind of recipient"
        }
        CryptoError::StanzaCount { .. } => {
            "if you trust the plugin, allow it with --allow-plugin-stanzas: whoever holds the key of any of them can open the file"
        }
        CryptoError::MalformedKeptStanza { .. } => {
            "name every recipient with -r and -R, without --add: then no old stanza is kept"
        }
        CryptoError::HeaderLength => "name fewer recipients for a file",
        CryptoError::Payload { fault: PayloadFault::Truncated | PayloadFault::CorruptedEnd, .. }
        | CryptoError::NoNonce => {
            "fetch the file again; without another copy, use 'solekey salvage' to recover the intact parts"
        }
        CryptoError::Payload { fault: PayloadFault::TrailingData | PayloadFault::FollowedByData, .. } => {
            "'solekey salvage' recovers the data before the appended part"
        }
        CryptoError::HeaderMac
        | CryptoError::Header { .. }
        | CryptoError::Payload { fault: PayloadFault::Corrupted, .. } => {
            "without another copy, use 'solekey salvage' to recover the intact parts"
        }
        _ => return None,
    })
}

/// The file in which most people have the SSH key that opens a file with stanzas of these types.
pub(crate) fn usual_ssh_key(types: &[String]) -> Option<&'static str> {
    types.iter().find_map(|kind| match kind.as_str() {
        "ssh-ed25519" => Some(ED25519),
        "ssh-rsa" => Some("~/.ssh/id_rsa"),
        _ => None,
    })
}

const ED25519: &str = "~/.ssh/id_ed25519";

fn lacked_network(error: &io::Error) -> bool {
    let failed = error.get_ref().and_then(|inner| inner.downcast_ref::<PluginFailed>());
    failed.is_some_and(|failed| failed.lacked_network)
}

pub(crate) const COPY_KEY: &str = "copy the whole key again";
pub(crate) const RECIPIENTS: &str = "a recipient begins with age1, ssh-ed25519 or ssh-rsa";

/// The next step after a recipient that cannot be parsed.
fn on_recipient(error: &ParseRecipientError) -> Option<&str> {
    match error {
        ParseRecipientError::SecretKey => Some("to encrypt to the public key of an identity file, name that with -i"),
        ParseRecipientError::TextAfterKey => Some("put each key on a line of its own; a note goes after '#'"),
        ParseRecipientError::Mistyped | ParseRecipientError::Ssh(SshPublicKeyError::Malformed(_)) => Some(COPY_KEY),
        ParseRecipientError::Unknown => Some(RECIPIENTS),
        ParseRecipientError::LowOrder | ParseRecipientError::Ssh(SshPublicKeyError::LowOrder) => {
            Some("nobody gets such a key by accident: find out where it comes from, and ask its owner for another")
        }
        _ => None,
    }
}

/// The next step after a key that cannot be used.
fn on_key(error: &ParseIdentityError) -> Option<&str> {
    match error {
        ParseIdentityError::PublicKey => {
            Some("name the file of its secret key; to encrypt to this one, name it with -R")
        }
        _ => None,
    }
}

/// The next step after an SSH key that cannot be used.
fn on_ssh_key(error: &SshPrivateKeyError) -> Option<&str> {
    Some(match error {
        SshPrivateKeyError::Cipher(_) => "re-encrypt a copy of the key: ssh-keygen -p -Z aes256-ctr -f COPY",
        SshPrivateKeyError::NeedsPublicKey => "write it there: ssh-keygen -y -f KEY > KEY.pub",
        SshPrivateKeyError::Hardware => {
            "name the file of another key; neither hardware keys nor ssh-agent can decrypt, they only sign"
        }
        _ => return None,
    })
}
