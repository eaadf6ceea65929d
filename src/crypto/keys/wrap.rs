//! Wrapping a file key to all of a file's recipients: each gets what is its own, and none of it is in another's way.

use std::{collections::HashSet, slice};

use age_core::format::{FileKey, Stanza};

use crate::crypto::{
    error::Error,
    format::base64,
    format::stanza_type::{SCRYPT, SSH_ED25519, SSH_RSA, is_post_quantum},
    keys::{
        hybrid,
        identity::Identity,
        recipient::{Match, Recipient},
    },
};

/// Wraps the file key to all recipients, in order. Gives each one's stanzas: one, unless it may have many. They must get
/// along with each other, and with those whose stanzas they will stand `beside`.
///
/// # Errors
///
/// [`Error::NoRecipients`], [`Error::Incompatible`], [`Error::MixedQuantumSafety`], [`Error::StanzaCount`], [`Error::External`],
/// [`Error::Wrap`], [`Error::MalformedKeptStanza`].
pub(crate) fn wrap_all(
    recipients: &[&Recipient],
    file_key: &FileKey,
    beside: &[Stanza],
) -> Result<Vec<Vec<Stanza>>, Error> {
    in_the_way(beside, recipients)?;
    let mut all = Vec::with_capacity(recipients.len());
    // Of a stanza that a plugin wrote, they are not known.
    let mut agreed = beside.iter().map(labels_of).reduce(|one, other| if one.is_empty() { other } else { one });
    for recipient in recipients {
        let (wrapped, labels) = recipient.wrap(file_key)?;
        // Counted one by one: no stanza that is missing here makes room for one too many there.
        if wrapped.is_empty() || (wrapped.len() > 1 && !recipient.may_have_many_stanzas()) {
            return Err(Error::StanzaCount { recipient: recipient.to_string(), stanzas: wrapped.len() });
        }
        let alone = recipients.len() + beside.len() == 1 && wrapped.len() == 1;
        if let Recipient::External { .. } = recipient
            && let Some(fault) = harms_others(&wrapped, recipients, alone)
        {
            return Err(Error::Wrap(format!("{recipient} {fault}")));
        }
        all.push(wrapped);
        let agreed = agreed.get_or_insert_with(|| labels.clone());
        if *agreed != labels {
            let postquantum = agreed.contains(hybrid::LABEL) != labels.contains(hybrid::LABEL);
            return Err(if postquantum { Error::MixedQuantumSafety } else { Error::Incompatible });
        }
    }
    if all.is_empty() && beside.is_empty() {
        return Err(Error::NoRecipients);
    }
    Ok(all)
}

/// What is wrong with another program's stanzas, if the others could not open a header that has them in it: an identity
/// passes over what is not for it, but not what is malformed, nor what names its key.
fn harms_others(stanzas: &[Stanza], others: &[&Recipient], alone: bool) -> Option<&'static str> {
    if !alone && stanzas.iter().any(|stanza| stanza.tag == SCRYPT) {
        return Some("gave a passphrase stanza, and such a one must be a file's only one");
    }
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
        .then_some("gave a stanza in the name of another recipient, which would stop that one from opening the file")
}

/// Whether the SSH identities of age, <https://pkg.go.dev/filippo.io/age/agessh>, would give up at a stanza. Those here pass
/// over it.
fn is_malformed_ssh(stanza: &Stanza) -> bool {
    let is_point = |text: &String| base64::decode(text).is_some_and(|bytes| bytes.len() == 32);
    match (stanza.tag.as_str(), stanza.args.as_slice()) {
        (SSH_RSA, arguments) => arguments.len() != 1,
        (SSH_ED25519, [_, share]) => !is_point(share),
        (SSH_ED25519, _) => true,
        _ => false,
    }
}

/// Refuses recipients whose identities would give up at one of these stanzas, since it is malformed and of their type.
fn in_the_way(stanzas: &[Stanza], recipients: &[&Recipient]) -> Result<(), Error> {
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

/// The labels that the recipient of a stanza had, by the stanza's type.
fn labels_of(stanza: &Stanza) -> HashSet<String> {
    match stanza.tag.as_str() {
        // A passphrase stands alone: this is nobody else's label.
        SCRYPT => HashSet::from([SCRYPT.to_owned()]),
        kind if is_post_quantum(kind) == Some(true) => HashSet::from([hybrid::LABEL.to_owned()]),
        _ => HashSet::new(),
    }
}
