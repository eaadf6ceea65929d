//! The keys of a run, grouped by what is needed to use them.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use anyhow::{Context, Error, Result};

use crate::{
    cli::{
        args,
        files::naming::display_name,
        keys::{
            default_identities,
            identity_file::{Key, is_protected, is_unusable, parse, read_ready_keys, warn_if_others_may_read},
            key_file::KeyFiles,
            locked::{Locked, LockedContents, NamedBy},
            plugins::Plugins,
        },
        terminal::{
            advice::advised,
            errors::During,
            messages::{Messages, one_line},
            prompt::Prompt,
        },
    },
    crypto::{Decryptor, Error as CryptoError, Identity, Recipient, Stanza},
};

/// Keys that open files at once, shared by those who use them and those who add to them. None is ever removed.
#[derive(Clone, Default)]
pub(crate) struct ReadyKeys(Arc<RwLock<Vec<Identity>>>);

impl ReadyKeys {
    /// The keys that are ready now. Nobody may be asked anything while they are held.
    pub(crate) fn get(&self) -> RwLockReadGuard<'_, Vec<Identity>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn extend(&self, keys: impl IntoIterator<Item = Identity>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }

    /// The owner of each stanza, if a key proves it by opening the stanza.
    pub(crate) fn owners(&self, decryptor: &Decryptor) -> Vec<Option<Recipient>> {
        let mut owners: Vec<_> = decryptor.header().stanzas().iter().map(|_| None).collect();
        for identity in &*self.get() {
            for (owner, opens) in owners.iter_mut().zip(decryptor.opened_by(identity)) {
                if opens && owner.is_none() {
                    *owner = identity.to_recipient();
                }
            }
        }
        owners
    }
}

/// Keys, grouped by what is needed to use them.
#[derive(Default)]
pub(crate) struct KeySet {
    pub(crate) ready: ReadyKeys,
    locked: Vec<Locked>,
    /// Tried last: a plugin may ask for a touch or a PIN.
    pub(crate) plugins: Vec<Identity>,
    /// Plugins that are named without a key. One of them may know the passphrase of a file.
    pub(crate) keyless: Vec<Identity>,
    /// Passphrases that opened a file of this run. The next file may have the same.
    pub(crate) passphrases: Vec<Identity>,
    /// Why keys of this run cannot be used. Reported if no other key opens a file.
    unusable: Vec<Error>,
    /// Whether a default identity file has a plugin's key. A plugin runs only if the command line names its key.
    pub(crate) has_unnamed_plugin: bool,
}

pub(crate) const UNNAMED_PLUGIN: &str = "a default identity file has a plugin's key, and plugins run only for keys that the command line names: name that file with -i";
/// The default identity files, if they are to be used.
fn default_files(named: &args::NamedIdentities, messages: &Messages) -> Result<Vec<PathBuf>> {
    let files = if named.or_defaults() { default_identities::files()? } else { Vec::new() };
    for path in &files {
        messages.verbose(&format!("using the default identity file {}", display_name(path)));
    }
    Ok(files)
}

impl KeySet {
    /// Reads the keys that the command line names.
    ///
    /// # Errors
    ///
    /// If an identity file cannot be read or parsed.
    pub(crate) fn named(files: &mut KeyFiles, named: &args::NamedIdentities) -> Result<Self> {
        let mut keys = Self::default();
        for path in &named.identity {
            keys.read(files, path, NamedBy::CommandLine)?;
        }
        for plugin in &named.plugin {
            keys.keyless.push(files.plugins.default_identity(plugin)?);
        }
        keys.check_usable()?;
        Ok(keys)
    }

    /// Fails if there are keys and none of them can be used.
    fn check_usable(&mut self) -> Result<()> {
        if self.is_empty() && !self.unusable.is_empty() {
            return Err(self.unusable.swap_remove(0));
        }
        Ok(())
    }

    /// Adds to an error why no key opened a file.
    pub(crate) fn explain(&self, error: CryptoError) -> Error {
        let unusable = self.unusable.iter().map(|why| format!("one key could not be used: {}", one_line(why)));
        let hints = unusable.chain(self.has_unnamed_plugin.then(|| UNNAMED_PLUGIN.to_owned()));
        hints.fold(Error::new(error), advised)
    }

    /// Reads the keys that the command line names, or else the default ones.
    ///
    /// # Errors
    ///
    /// If an identity file cannot be read or parsed.
    pub(crate) fn of_run(files: &mut KeyFiles, named: &args::NamedIdentities) -> Result<Self> {
        let mut keys = Self::named(files, named)?;
        for path in default_files(named, &files.messages)? {
            let read = keys.read(files, &path, NamedBy::Default);
            read.map_err(|error| match default_identities::hint(&display_name(&path)) {
                Some(hint) => advised(error, hint),
                None => error,
            })?;
        }
        keys.check_usable()?;
        Ok(keys)
    }

    /// Reads the default keys that are ready, if they are to be used. A caller that can do without them gets a warning instead
    /// of an error.
    pub(crate) fn ready_defaults(files: &mut KeyFiles, named: &args::NamedIdentities) -> Self {
        let keys = Self::default();
        let warn = |messages: &Messages, error| {
            messages.warning(&format!("a default identity file cannot be used: {}", one_line(&error)));
        };
        let paths = default_files(named, &files.messages).unwrap_or_else(|error| {
            warn(&files.messages, error);
            Vec::new()
        });
        for path in paths {
            match read_ready_keys(files, &path) {
                Ok(ready) => keys.ready.extend(ready),
                Err(error) => warn(&files.messages, error),
            }
        }
        keys
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ready.get().is_empty() && self.locked.is_empty() && self.plugins.is_empty() && self.keyless.is_empty()
    }

    /// Whether there is a key besides those of these recipients. One that is locked, or a plugin's, may be.
    pub(crate) fn has_other_than(&self, recipients: &[Recipient]) -> bool {
        let is_other = |identity: &Identity| {
            let own = identity.to_recipient().map(|recipient| recipient.to_string());
            own.is_none_or(|own| recipients.iter().all(|recipient| recipient.to_string() != own))
        };
        !self.locked.is_empty() || !self.plugins.is_empty() || self.ready.get().iter().any(is_other)
    }

    /// Whether all keys are ready, so that it can be told what none of them opens.
    pub(crate) fn is_only_ready(&self) -> bool {
        let others = [self.plugins.len(), self.keyless.len(), self.passphrases.len(), self.unusable.len()];
        self.locked.is_empty() && others == [0; 4] && !self.has_unnamed_plugin
    }

    /// Whether a plugin may be asked. A protected identity file may name one.
    pub(crate) fn may_ask_plugins(&self) -> bool {
        let may_name_one = |locked: &Locked| {
            locked.named_by == NamedBy::CommandLine && matches!(locked.contents, LockedContents::IdentityFile(_))
        };
        !self.plugins.is_empty() || !self.keyless.is_empty() || self.locked.iter().any(may_name_one)
    }

    /// Asks plugins for the file keys of all files that only they can open, each in one session. The files are unlocked later.
    pub(crate) fn ask_plugins_ahead(&mut self, files: &[Decryptor], prompt: &Prompt, plugins: &Plugins) {
        let mut left: Vec<_> = files.iter().filter(|file| self.needs_plugin(file, prompt, plugins)).collect();
        let of_keys = self.plugins.iter().map(|identity| (identity, false));
        for (identity, may_know_passphrases) in of_keys.chain(self.keyless.iter().map(|identity| (identity, true))) {
            let is_asked = |file: &Decryptor| may_know_passphrases || !file.header().is_passphrase();
            let asked: Vec<_> = left.iter().copied().filter(|file| is_asked(file)).collect();
            // A single one is asked for when it is its turn.
            if asked.len() < 2 {
                continue;
            }
            let mut found = Decryptor::ask_ahead(&asked, identity).into_iter();
            left.retain(|file| !(is_asked(file) && found.next().unwrap_or(false)));
        }
    }

    /// Asks plugins for all stanzas of these files, each plugin in one session. [`Decryptor::stanzas_of`] is called later.
    pub(crate) fn ask_plugins_for_stanzas_ahead(&self, files: &[Decryptor]) {
        let all: Vec<_> = files.iter().collect();
        let no_passphrase: Vec<_> = files.iter().filter(|file| !file.header().is_passphrase()).collect();
        let of_keys = self.plugins.iter().map(|identity| (identity, &no_passphrase));
        for (identity, asked) in of_keys.chain(self.keyless.iter().map(|identity| (identity, &all))) {
            // A single file is asked for when it is its turn.
            if asked.len() > 1 {
                Decryptor::ask_for_stanzas_ahead(asked, identity);
            }
        }
    }

    /// Whether only a plugin may open a file. Asks for passphrases that may help. False if something is wrong with the file, which is
    /// reported when its turn comes.
    fn needs_plugin(&mut self, file: &Decryptor, prompt: &Prompt, plugins: &Plugins) -> bool {
        while !file.header().is_passphrase() {
            match file.unlock(&self.ready.get()) {
                Err(CryptoError::NoMatch(_)) => {}
                _ => return false,
            }
            match self.unlock_next(file.header().stanzas(), prompt, plugins) {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => return false,
            }
        }
        true
    }

    /// Asks for the next passphrase that may help with these stanzas. Returns false if there is none.
    ///
    /// # Errors
    ///
    /// Those of asking and unlocking. The key stays locked then.
    pub(crate) fn unlock_next(&mut self, stanzas: &[Stanza], prompt: &Prompt, plugins: &Plugins) -> Result<bool> {
        let Some(index) = self.locked.iter().position(|locked| locked.may_open(stanzas)) else { return Ok(false) };
        let keys = self.locked[index].unlock(prompt);
        if let Err(error) = keys {
            // Other keys may still open the file.
            let is_last = self.ready.get().len() + self.locked.len() + self.plugins.len() + self.keyless.len() == 1;
            if is_last || !(is_unusable(&error)) {
                return Err(error);
            }
            self.locked.remove(index);
            self.unusable.push(error);
            return Ok(true);
        }
        let Locked { path, named_by, .. } = self.locked.remove(index);
        for key in keys? {
            self.add(key, &path, named_by, plugins)?;
        }
        Ok(true)
    }

    fn read(&mut self, files: &mut KeyFiles, path: &Path, named_by: NamedBy) -> Result<()> {
        let during = || During::ReadingIdentities(path.to_owned());
        let file = files.read(path).with_context(during)?;
        if is_protected(&file.text) {
            let contents = LockedContents::IdentityFile(file.text);
            self.locked.push(Locked { path: path.to_owned(), named_by, contents });
            return Ok(());
        }
        let before = self.ready.get().len();
        let keys = match parse(path, &file.text).with_context(during) {
            Err(error) if is_unusable(&error) => {
                self.unusable.push(error);
                return Ok(());
            }
            parsed => parsed?,
        };
        for key in keys {
            self.add(key, path, named_by, &files.plugins)?;
        }
        if self.ready.get().len() > before {
            warn_if_others_may_read(&file, path, &files.messages);
        }
        Ok(())
    }

    /// Adds a key of the file at `path`.
    fn add(&mut self, key: Key, path: &Path, named_by: NamedBy, plugins: &Plugins) -> Result<()> {
        match key {
            Key::Ready(identity) => self.ready.extend([identity]),
            Key::Locked(identity) => {
                let contents = LockedContents::SshKey(identity);
                self.locked.push(Locked { path: path.to_owned(), named_by, contents });
            }
            Key::Plugin { .. } if named_by == NamedBy::Default => self.has_unnamed_plugin = true,
            Key::Plugin { text, .. } => self.plugins.push(plugins.identity(&text)?),
        }
        Ok(())
    }
}
