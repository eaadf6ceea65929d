//! The keyring: everything that a run can open files with.
//!
//! Keys that are ready are tried first, then those that need a passphrase, each asked for at most once; plugins come last.

use std::{
    path::{Path, PathBuf},
    slice,
    sync::{Arc, RwLock},
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
            errors::{During, Misuse},
            messages::{Messages, one_line},
            prompt::Prompt,
            questions::Purpose,
        },
    },
    crypto::{self, Decryptor, Error as CryptoError, Identity, Recipient, Stanza, Unlocked},
};

/// The keys of a run, shared by all threads.
pub(crate) struct Keyring {
    prompt: Arc<Prompt>,
    plugins: Plugins,
    max_work_factor: u8,
    identities_only: bool,
    keys: RwLock<KeySet>,
}

/// Keys, grouped by what is needed to use them.
#[derive(Default)]
pub(crate) struct KeySet {
    pub(crate) ready: Vec<Identity>,
    locked: Vec<Locked>,
    /// Tried last: a plugin may ask for a touch or a PIN.
    pub(crate) plugins: Vec<Identity>,
    /// Plugins that are named without a key. One of them may know the passphrase of a file.
    pub(crate) keyless: Vec<Identity>,
    /// Passphrases that opened a file of this run. The next file may have the same.
    passphrases: Vec<Identity>,
    /// Why keys of this run cannot be used. Reported if no other key opens a file.
    unusable: Vec<Error>,
    /// Whether a default identity file has a plugin's key. A plugin runs only if the command line names its key.
    has_unnamed_plugin: bool,
}

const UNNAMED_PLUGIN: &str = "a default identity file has a plugin's key, and plugins run only for keys that the command line names: name that file with -i";
const NO_PANIC: &str = "no thread panics while it tries keys";

impl Keyring {
    /// Reads the identities that the command line names, or else the default ones.
    ///
    /// # Errors
    ///
    /// If an identity file cannot be read or parsed.
    pub(crate) fn new(files: &mut KeyFiles, args: &args::IdentityArgs) -> Result<Self> {
        let mut keys = KeySet::named(files, &args.keys)?;
        for path in default_files(&args.keys, &files.messages)? {
            keys.read(files, &path, NamedBy::Default)?;
        }
        keys.check_usable()?;
        Ok(Self {
            prompt: files.prompt.clone(),
            plugins: files.plugins.clone(),
            max_work_factor: args.max_work_factor,
            identities_only: args.identities_only,
            keys: RwLock::new(keys),
        })
    }

    /// Unwraps a file's key. Asks for a passphrase only if it can help. `file` is the name of the file for prompts.
    ///
    /// # Errors
    ///
    /// [`CryptoError::NoMatch`] if no key opens the file; [`Misuse`] if there is no key; those of [`Decryptor::unlock`].
    pub(crate) fn unlock(&self, decryptor: &Decryptor, file: &str) -> Result<Unlocked> {
        // Most files open with a ready key, and many of them at once.
        let mut tried = {
            let keys = self.keys.read().expect(NO_PANIC);
            if let Some(unlocked) = unless_no_match(decryptor.unlock(&keys.ready))? {
                return Ok(unlocked);
            }
            keys.ready.len()
        };
        let mut keys = self.keys.write().expect(NO_PANIC);
        if decryptor.header().is_passphrase() {
            if let Some(unlocked) = unless_no_match(decryptor.unlock(&keys.keyless))? {
                return Ok(unlocked);
            }
            if self.identities_only {
                return Err(advised(
                    Misuse::IdentitiesOnly,
                    "to be asked for the passphrase, leave out -i and --identities-only",
                ));
            }
            return self.unlock_with_passphrase(decryptor, file, &mut keys.passphrases);
        }
        if keys.is_empty() {
            return Err(advised(
                Misuse::MissingIdentities(crypto::list_stanza_types(&decryptor.stanza_types())),
                if keys.has_unnamed_plugin { UNNAMED_PLUGIN } else { "name your identity file with -i" },
            ));
        }
        // Other threads may have unlocked keys since. Keys are only ever added.
        loop {
            if let Some(unlocked) = unless_no_match(decryptor.unlock(&keys.ready[tried..]))? {
                return Ok(unlocked);
            }
            tried = keys.ready.len();
            if !keys.unlock_next(decryptor.header().stanzas(), &self.prompt, &self.plugins)? {
                break;
            }
        }
        match unless_no_match(decryptor.unlock(&keys.plugins))? {
            Some(unlocked) => Ok(unlocked),
            None => match decryptor.unlock(&keys.keyless) {
                Err(error @ CryptoError::NoMatch(_)) => Err(keys.explain(error)),
                other => Ok(other?),
            },
        }
    }

    /// The owner of each stanza of a file, if a ready key proves it. Keys that opened the file are ready.
    pub(crate) fn owners(&self, decryptor: &Decryptor) -> Vec<Option<Recipient>> {
        self.keys.read().expect(NO_PANIC).owners(decryptor)
    }

    fn unlock_with_passphrase(
        &self,
        decryptor: &Decryptor,
        file: &str,
        passphrases: &mut Vec<Identity>,
    ) -> Result<Unlocked> {
        for passphrase in &*passphrases {
            match decryptor.unlock(slice::from_ref(passphrase)) {
                Err(CryptoError::WrongPassphrase) => {}
                other => return Ok(other?),
            }
        }
        let (unlocked, passphrase) = self.prompt.retry_until_right(Purpose::File(file), |passphrase| {
            let passphrase = Identity::passphrase(passphrase, self.max_work_factor);
            Ok((decryptor.unlock(slice::from_ref(&passphrase))?, passphrase))
        })?;
        passphrases.push(passphrase);
        Ok(unlocked)
    }
}

/// `None` if no key matched, so that others are tried.
fn unless_no_match(result: Result<Unlocked, CryptoError>) -> Result<Option<Unlocked>> {
    match result {
        Err(CryptoError::NoMatch(_)) => Ok(None),
        other => Ok(Some(other?)),
    }
}

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
    fn explain(&self, error: CryptoError) -> Error {
        let unusable = self.unusable.iter().map(|why| format!("a key was left out: {}", one_line(why)));
        let hints = unusable.chain(self.has_unnamed_plugin.then(|| UNNAMED_PLUGIN.to_owned()));
        hints.fold(Error::new(error), advised)
    }

    /// Reads the default keys that are ready, if they are to be used. A caller that can do without them gets a warning instead
    /// of an error.
    pub(crate) fn ready_defaults(files: &mut KeyFiles, named: &args::NamedIdentities) -> Self {
        let mut keys = Self::default();
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
        self.ready.is_empty() && self.locked.is_empty() && self.plugins.is_empty() && self.keyless.is_empty()
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
            let is_last = self.ready.len() + self.locked.len() + self.plugins.len() + self.keyless.len() == 1;
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

    /// The owner of each stanza, if a ready key proves it by opening the stanza.
    pub(crate) fn owners(&self, decryptor: &Decryptor) -> Vec<Option<Recipient>> {
        let mut owners: Vec<_> = decryptor.header().stanzas().iter().map(|_| None).collect();
        for identity in &self.ready {
            for (owner, opens) in owners.iter_mut().zip(decryptor.opened_by(identity)) {
                if opens && owner.is_none() {
                    *owner = identity.to_recipient();
                }
            }
        }
        owners
    }

    fn read(&mut self, files: &mut KeyFiles, path: &Path, named_by: NamedBy) -> Result<()> {
        let during = || During::ReadingIdentities(path.to_owned());
        let file = files.read(path).with_context(during)?;
        if is_protected(&file.text) {
            let contents = LockedContents::IdentityFile(file.text);
            self.locked.push(Locked { path: path.to_owned(), named_by, contents });
            return Ok(());
        }
        let before = self.ready.len();
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
        if self.ready.len() > before {
            warn_if_others_may_read(&file, path, &files.messages);
        }
        Ok(())
    }

    /// Adds a key of the file at `path`.
    fn add(&mut self, key: Key, path: &Path, named_by: NamedBy, plugins: &Plugins) -> Result<()> {
        match key {
            Key::Ready(identity) => self.ready.push(identity),
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
