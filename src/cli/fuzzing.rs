//! Entry points for the fuzz targets: key files as text, without files, and sessions with plugins, without processes.

use std::{io, path::Path};

use anyhow::{Error, Result};

use crate::{
    cli::keys::{
        identity_file::{self, Key},
        key_file::Location,
        plugins::{
            redact::Secrets,
            script::Script,
            session::{self, Callbacks, Session},
        },
        public_keys,
    },
    crypto::{
        ExternalIdentity, ExternalRecipient, FileKey, Identity, Recipient, Stanza, UnwrappedKey, WrappedKeys,
        secrecy::{SecretString, Zeroizing},
    },
};

/// Parses an identity file. Keys of plugins are left out.
///
/// # Errors
///
/// As they would be printed.
pub fn identity_file(text: &[u8]) -> Result<Vec<Identity>> {
    let keys = identity_file::parse(Path::new("key.txt"), text)?;
    let own = |key| match key {
        Key::Ready(identity) | Key::Locked(identity) => Some(identity),
        Key::Plugin { .. } => None,
    };
    Ok(keys.into_iter().filter_map(own).collect())
}

/// Parses a recipients file.
///
/// # Errors
///
/// As they would be printed.
pub fn recipients_file(text: &[u8]) -> Result<Vec<Recipient>> {
    let parse = |line: &str, _: Location<'_>| line.parse().map(Some).map_err(Error::new);
    public_keys::parse_file(Path::new("team.txt"), text, parse)
}

/// A plugin that says the same in every session, and its user.
pub struct ScriptedPlugin {
    /// All that the plugin says.
    pub says: Vec<u8>,
    /// Whether its questions are answered.
    pub answers: bool,
}

impl ExternalRecipient for ScriptedPlugin {
    fn wrap(&self, file_keys: &[FileKey]) -> io::Result<WrappedKeys> {
        let mut secrets = Secrets::default();
        let session = Session::new(Script::new(&self.says), file_keys.len(), self, &mut secrets);
        let key = session::Key::Identity(Zeroizing::new("AGE-PLUGIN-FUZZ-1".to_owned()));
        session.wrap(&key, file_keys).map_err(io::Error::other)
    }
}

impl ExternalIdentity for ScriptedPlugin {
    fn unwrap(&self, headers: &[&[Stanza]]) -> io::Result<Vec<UnwrappedKey>> {
        let mut secrets = Secrets::default();
        let session = Session::new(Script::new(&self.says), headers.len(), self, &mut secrets);
        let unwrapped = session.unwrap("AGE-PLUGIN-FUZZ-1", headers).map_err(io::Error::other)?;
        Ok(unwrapped.into_iter().map(|result| result.map(|key| key.map_err(io::Error::other))).collect())
    }
}

/// Fails if a text could control a terminal.
fn must_be_plain(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?} is not fit to be shown");
}

impl Callbacks for ScriptedPlugin {
    fn show(&self, message: &str) {
        must_be_plain(message);
    }

    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        [question, yes, no.unwrap_or_default()].into_iter().for_each(must_be_plain);
        self.answers.then_some(true)
    }

    fn request_public(&self, question: &str) -> Option<String> {
        must_be_plain(question);
        self.answers.then(|| "an answer\n-> done\n".to_owned())
    }

    fn request_secret(&self, question: &str) -> Option<SecretString> {
        must_be_plain(question);
        self.answers.then(|| SecretString::from("an answer"))
    }
}
