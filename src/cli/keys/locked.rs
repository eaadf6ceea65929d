//! Keys that need a passphrase before they open anything.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{
    cli::{
        files::naming::display_name,
        keys::identity_file::{Key, open_protected, parse},
        terminal::{prompt::Prompt, questions::Purpose},
    },
    crypto::{Identity, Match, Stanza, secrecy::Zeroizing},
};

/// Who named an identity file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedBy {
    CommandLine,
    Default,
}

/// A file of such keys.
pub(crate) struct Locked {
    pub(crate) path: PathBuf,
    pub(crate) named_by: NamedBy,
    pub(crate) contents: LockedContents,
}

pub(crate) enum LockedContents {
    SshKey(Identity),
    /// An identity file that is itself an age file.
    IdentityFile(Zeroizing<Vec<u8>>),
}

impl Locked {
    /// Whether the keys may open one of these stanzas, so that it is worth asking for the passphrase.
    pub(crate) fn may_open(&self, stanzas: &[Stanza]) -> bool {
        match &self.contents {
            LockedContents::SshKey(identity) => identity
                .to_recipient()
                .is_some_and(|recipient| stanzas.iter().any(|stanza| recipient.matches(stanza) == Match::Yes)),
            LockedContents::IdentityFile(_) => true,
        }
    }

    /// Asks for the passphrase and returns the keys. A protected file may hold an SSH key that is locked itself.
    pub(crate) fn unlock(&self, prompt: &Prompt) -> Result<Vec<Key>> {
        let name = display_name(&self.path);
        match &self.contents {
            LockedContents::SshKey(identity) => {
                let unlock = |passphrase| identity.unlock(passphrase).with_context(|| format!("cannot open {name}"));
                Ok(vec![Key::Ready(prompt.retry_until_right(Purpose::SshKey(&name), unlock)?)])
            }
            LockedContents::IdentityFile(text) => parse(&self.path, &open_protected(prompt, &self.path, text)?),
        }
    }
}
