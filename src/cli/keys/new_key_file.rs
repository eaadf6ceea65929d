//! The text of a new identity file, and its protection by a passphrase. The owner of humantime.

use std::{num::NonZeroUsize, time::SystemTime};

use anyhow::{Context, Result};

use crate::crypto::{
    Encryptor, Identity, Recipient, Sink, Source,
    armor::ArmorWriter,
    secrecy::{ExposeSecret, SecretString, Zeroizing},
};

/// The text of an identity file with one key.
///
/// # Panics
///
/// If it is not an age key.
pub(crate) fn text(identity: &Identity, recipient: &Recipient) -> Zeroizing<Vec<u8>> {
    let secret = identity.to_text().expect("an age key has a text");
    let created = humantime::format_rfc3339_seconds(SystemTime::now());
    let comments = format!("# created: {created}\n# public key: {recipient}\n");
    // Room for the whole text, since growing would leave copies in memory.
    let mut text = Zeroizing::new(Vec::with_capacity(comments.len() + secret.expose_secret().len() + 1));
    text.extend_from_slice(comments.as_bytes());
    text.extend_from_slice(secret.expose_secret().as_bytes());
    text.push(b'\n');
    text
}

/// Encrypts the text of an identity file with a passphrase, as an armored age file.
///
/// # Errors
///
/// None in practice: it writes to memory.
pub(crate) fn protect(text: &[u8], passphrase: SecretString) -> Result<Zeroizing<Vec<u8>>> {
    let encryptor = Encryptor::new(&[Recipient::passphrase(passphrase)])?;
    let mut protected = Vec::new();
    let mut armor = ArmorWriter::new(&mut protected);
    let mut text = text;
    encryptor.encrypt(Source::Sequential(&mut text), Sink::Sequential(&mut armor), NonZeroUsize::MIN)?;
    armor.finish().context("cannot write the end of the armor")?;
    Ok(Zeroizing::new(protected))
}
