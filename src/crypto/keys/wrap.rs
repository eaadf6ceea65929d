//! Wraps a file key to all recipients: one stanza each, none of which prevents another recipient from opening the file.

use std::{collections::HashSet, slice};

use age_core::format::{FileKey, Stanza};

use crate::crypto::{
    error::Error,
    format::{
        base64,
        stanza_type::{SCRYPT, SSH_ED25519, SSH_RSA, is_post_quantum},
    },
    keys::{
        external::WrappedKeys,
        hybrid,
        identity::Identity,
        recipient::{Match, Recipient},
    },
};

/// Wraps each file key to each recipient. Returns for each file key the stanzas of each recipient: one, unless it may have many. The
/// recipients must be compatible with each other and with the owners of the stanzas in `kept`, which stay in the header.
///
/// # Errors
///
/// [`Error::NoRecipients`], [`Error::Incompatible`], [`Error::MixedQuantumSafety`], [`Error::StanzaCount`], [`Error::External`],
/// [`Error::Wrap`], [`Error::MalformedKeptStanza`].
pub(crate) fn wrap_all(
    recipients: &[&Recipient],
    file_keys: &[FileKey],
    kept: &[Stanza],
) -> Result<Vec<Vec<Vec<Stanza>>>, Error> {
    check_kept_stanzas(kept, recipients)?;
    let mut all: Vec<_> = file_keys.iter().map(|_| Vec::with_capacity(recipients.len())).collect();
    // The labels of a stanza made by a plugin are unknown, so they count as none.
    let mut shared_labels = kept.iter().map(labels_of).reduce(|one, other| if one.is_empty() { other } else { one });
    for recipient in recipients {
        let WrappedKeys { stanzas, labels } = recipient.wrap(file_keys)?;
        for (of_file, wrapped) in all.iter_mut().zip(stanzas) {
            check_stanzas(&wrapped, recipient, recipients, kept)?;
            of_file.push(wrapped);
        }
        let shared_labels = shared_labels.get_or_insert_with(|| labels.clone());
        if *shared_labels != labels {
            let postquantum = shared_labels.contains(hybrid::LABEL) != labels.contains(hybrid::LABEL);
            return Err(if postquantum { Error::MixedQuantumSafety } else { Error::Incompatible });
        }
    }
    if recipients.is_empty() && kept.is_empty() {
        return Err(Error::NoRecipients);
    }
    Ok(all)
}

/// Checks the stanzas that a recipient made for one file key.
fn check_stanzas(
    wrapped: &[Stanza],
    recipient: &Recipient,
    recipients: &[&Recipient],
    kept: &[Stanza],
) -> Result<(), Error> {
    // Counted for each recipient, so that a missing stanza cannot make up for one too many elsewhere.
    if wrapped.is_empty() || (wrapped.len() > 1 && !recipient.may_have_many_stanzas()) {
        return Err(Error::StanzaCount { recipient: recipient.to_string(), stanzas: wrapped.len() });
    }
    let Recipient::External { .. } = recipient else { return Ok(()) };
    let is_only_stanza = recipients.len() + kept.len() == 1 && wrapped.len() == 1;
    if !is_only_stanza && wrapped.iter().any(|stanza| stanza.tag == SCRYPT) {
        return Err(Error::SharedPassphrase { recipient: recipient.to_string() });
    }
    match fault_for_others(wrapped, recipients) {
        Some(fault) => Err(Error::Wrap(format!("{recipient} {fault}"))),
        None => Ok(()),
    }
}

/// Why a plugin's stanzas would stop other recipients from opening the file, if they would.
///
/// An identity skips stanzas for others. It gives up at a malformed stanza of its type, and at one that names its key but does
/// not open.
fn fault_for_others(stanzas: &[Stanza], others: &[&Recipient]) -> Option<&'static str> {
    // Identities that match none of the stanzas. They still reject malformed ones.
    let strangers = [Identity::generate(), Identity::generate_hybrid()];
    if stanzas.iter().any(is_malformed_ssh) || strangers.iter().any(|stranger| stranger.unwrap(stanzas).is_some()) {
        return Some(
            "gave a malformed stanza of a type that is not its own, which would stop others from opening the file",
        );
    }
    let names = |other: &&Recipient| stanzas.iter().any(|stanza| matches!(other.matches(stanza), Match::Yes));
    others
        .iter()
        .any(names)
        .then_some("gave a stanza in another recipient's name, which would stop that recipient from opening the file")
}

/// Whether the SSH identities of age would give up at a stanza that ours skip. See
/// <https://pkg.go.dev/filippo.io/age/agessh>.
fn is_malformed_ssh(stanza: &Stanza) -> bool {
    let is_point = |text: &String| base64::decode(text).is_some_and(|bytes| bytes.len() == 32);
    match (stanza.tag.as_str(), stanza.args.as_slice()) {
        (SSH_RSA, arguments) => arguments.len() != 1,
        (SSH_ED25519, [_, share]) => !is_point(share),
        (SSH_ED25519, _) => true,
        _ => false,
    }
}

/// Refuses recipients with identities that would give up at one of these stanzas, because it is malformed and of their type.
fn check_kept_stanzas(stanzas: &[Stanza], recipients: &[&Recipient]) -> Result<(), Error> {
    if stanzas.is_empty() {
        return Ok(());
    }
    let is_x25519 = |recipient: &&&Recipient| matches!(recipient, Recipient::X25519(_));
    let is_hybrid = |recipient: &&&Recipient| matches!(recipient, Recipient::Hybrid(_));
    let first = [
        (recipients.iter().find(is_x25519), Identity::generate()),
        (recipients.iter().find(is_hybrid), Identity::generate_hybrid()),
    ];
    for (recipient, stranger) in first {
        let Some(recipient) = recipient else { continue };
        if let Some(index) = stanzas.iter().position(|stanza| stranger.unwrap(slice::from_ref(stanza)).is_some()) {
            return Err(Error::MalformedKeptStanza { stanza: index + 1, recipient: recipient.to_string() });
        }
    }
    Ok(())
}

/// The labels of a stanza's recipient, as far as its type tells.
fn labels_of(stanza: &Stanza) -> HashSet<String> {
    match stanza.tag.as_str() {
        // A label that nobody else has, because a passphrase must be the only recipient.
        SCRYPT => HashSet::from([SCRYPT.to_owned()]),
        kind if is_post_quantum(kind) == Some(true) => HashSet::from([hybrid::LABEL.to_owned()]),
        _ => HashSet::new(),
    }
}
