//! The keyring: everything that a run can open files with.
//!
//! Keys that are ready are tried first, then those that need a passphrase, each asked for at most once; plugins come last.

use std::{
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;

use crate::{
    cli::{
        args,
        files::naming::InputPath,
        keys::{
            announced::Announced,
            key_file::KeyFiles,
            key_set::{KeySet, ReadyKeys, UNNAMED_PLUGIN},
            plugins::Plugins,
        },
        terminal::{
            advice::{advised, usual_ssh_key},
            errors::Misuse,
            prompt::Prompt,
            questions::Purpose,
        },
    },
    crypto::{self, Decryptor, Error as CryptoError, Identity, Recipient, Unlocked},
};

/// The keys of a run, shared by all threads.
pub(crate) struct Keyring {
    prompt: Arc<Prompt>,
    plugins: Plugins,
    max_work_factor: u8,
    identities_only: bool,
    ready: ReadyKeys,
    /// Locked while somebody is asked, or a passphrase is tried: nobody answers two questions at a time, and each attempt needs much
    /// memory. Files that a ready key opens do not wait for that.
    keys: Mutex<KeySet>,
    announced: Announced,
}

/// Whether the keys of a run can open a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Granted,
    /// Only a plugin, a locked key or a passphrase might open it.
    Unknown,
    Denied,
}

impl Keyring {
    /// Reads the identities that the command line names, or else the default ones.
    ///
    /// # Errors
    ///
    /// If an identity file cannot be read or parsed.
    pub(crate) fn new(files: &mut KeyFiles, args: &args::IdentityArgs) -> Result<Self> {
        let keys = KeySet::of_run(files, &args.keys)?;
        Ok(Self {
            prompt: files.prompt.clone(),
            plugins: files.plugins.clone(),
            max_work_factor: args.max_work_factor,
            identities_only: args.identities_only,
            ready: keys.ready.clone(),
            keys: Mutex::new(keys),
            announced: Announced::default(),
        })
    }

    fn keys(&self) -> MutexGuard<'_, KeySet> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a plugin may be asked, so that it helps to [announce](Self::announce) files.
    pub(crate) fn may_ask_plugins(&self) -> bool {
        self.keys().may_ask_plugins()
    }

    /// Names files that will be unlocked soon, so that plugins are asked for all of them in one session.
    pub(crate) fn announce(&self, files: Vec<InputPath>) {
        self.announced.add(files);
    }

    fn ask_plugins_ahead(&self, keys: &mut KeySet) {
        self.announced.take(|files| keys.ask_plugins_ahead(files, &self.prompt, &self.plugins));
    }

    /// Unwraps a file's key. Asks for a passphrase only if it can help. `file` is the name of the file for prompts.
    ///
    /// # Errors
    ///
    /// [`CryptoError::NoMatch`] if no key opens the file; [`Misuse`] if there is no key; those of [`Decryptor::unlock`].
    pub(crate) fn unlock(&self, decryptor: &Decryptor, file: &str) -> Result<Unlocked> {
        // Most files open with a ready key, and many of them at once.
        let mut tried = {
            let ready = self.ready.get();
            if let Some(unlocked) = unless_no_match(decryptor.unlock(&ready))? {
                return Ok(unlocked);
            }
            ready.len()
        };
        let mut keys = self.keys();
        if decryptor.header().is_passphrase() {
            if !keys.keyless.is_empty() {
                self.ask_plugins_ahead(&mut keys);
            }
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
            let types = decryptor.stanza_types();
            let hint = match usual_ssh_key(&types) {
                _ if keys.has_unnamed_plugin => UNNAMED_PLUGIN.to_owned(),
                Some(file) => format!("name your identity file with -i, such as {file}"),
                None => "name your identity file with -i".to_owned(),
            };
            return Err(advised(Misuse::MissingIdentities(crypto::list_stanza_types(&types)), hint));
        }
        // Other threads may have unlocked keys since. Keys are only ever added.
        loop {
            let ready = self.ready.get();
            if let Some(unlocked) = unless_no_match(decryptor.unlock(&ready[tried..]))? {
                return Ok(unlocked);
            }
            tried = ready.len();
            drop(ready);
            if !keys.unlock_next(decryptor.header().stanzas(), &self.prompt, &self.plugins)? {
                break;
            }
        }
        if keys.may_ask_plugins() {
            self.ask_plugins_ahead(&mut keys);
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
        self.ready.owners(decryptor)
    }

    /// Whether there is an identity besides those of these recipients. One that is locked may be.
    pub(crate) fn has_other_than(&self, recipients: &[Recipient]) -> bool {
        self.keys().has_other_than(recipients)
    }

    /// Whether a key of the run can open a file with these stanzas, as far as can be told without asking anybody.
    pub(crate) fn access(&self, decryptor: &Decryptor) -> Access {
        if self.owners(decryptor).iter().any(Option::is_some) {
            Access::Granted
        } else if self.keys().is_only_ready() {
            Access::Denied
        } else {
            Access::Unknown
        }
    }

    fn unlock_with_passphrase(
        &self,
        decryptor: &Decryptor,
        file: &str,
        passphrases: &mut Vec<Identity>,
    ) -> Result<Unlocked> {
        let hidden = if passphrases.is_empty() { None } else { self.prompt.hide_input() };
        for passphrase in &*passphrases {
            match decryptor.unlock(slice::from_ref(passphrase)) {
                Err(CryptoError::WrongPassphrase) => {}
                other => return Ok(other?),
            }
        }
        drop(hidden);
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
