//! What can open: keys that are ready are tried first, then those that need a passphrase, each asked for at most once.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use anyhow::{Context, Result};
use zeroize::Zeroizing;

use crate::{
    cli::{
        args,
        files::input::name,
        keys::{
            default_identities,
            identity_file::{is_age, open_protected, ready_keys_of, warn_if_others_may_read},
            key_file::KeyFiles,
            plugins::Plugins,
        },
        terminal::{
            messages::{Advise, Report, in_words, misuse},
            prompt::Prompt,
        },
    },
    crypto::{self, Decryptor, Error as CryptoError, Identity, Match, Recipient, Stanza, Unlocked},
};

pub(crate) use crate::cli::keys::identity_file::{Key, keys_of, parse};
/// Everything that a run can open files with.
pub(crate) struct Identities {
    prompt: Arc<Prompt>,
    plugins: Plugins,
    max_work_factor: u8,
    identities_only: bool,
    known: RwLock<Known>,
}

/// The keys of a run, by what it takes to use them.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) ready: Vec<Identity>,
    asleep: Vec<Asleep>,
    /// Tried last: they may want a touch or a number.
    pub(crate) plugins: Vec<Identity>,
    /// Those that are named without a key. One may know the passphrase of a file.
    pub(crate) keyless: Vec<Identity>,
    /// Passphrases that opened a file of this run; the next file may have the same.
    passphrases: Vec<Identity>,
    /// Whether a default file has a key of a plugin. A plugin runs only where the command line names its key.
    left_aside: bool,
}

/// Who names a file of keys.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NamedBy {
    CommandLine,
    Default,
}

const LEFT_ASIDE: &str = "a default identity file has a plugin's key, and plugins run only for keys that the command line names: name that file with -i";

/// What needs a passphrase before it opens anything.
struct Asleep {
    path: PathBuf,
    named_by: NamedBy,
    kind: AsleepKind,
}

enum AsleepKind {
    /// An SSH key.
    Ssh(Identity),
    /// An identity file that is itself an age file.
    Protected(Zeroizing<Vec<u8>>),
}

impl Identities {
    /// The identities that the command line names; without any, the default ones.
    pub(crate) fn new(files: &mut KeyFiles<'_>, named: &args::Identities) -> Result<Self> {
        let mut known = Known::named(files, &named.keys)?;
        for path in default_files(&named.keys, files.report) {
            known.read(files, &path, NamedBy::Default)?;
        }
        Ok(Self {
            prompt: files.prompt.clone(),
            plugins: files.plugins.clone(),
            max_work_factor: named.max_work_factor,
            identities_only: named.identities_only,
            known: RwLock::new(known),
        })
    }

    /// Unwraps a file's key, asking for a passphrase only where one can help. `file` names the file in questions.
    pub(crate) fn unlock(&self, decryptor: &Decryptor, file: &str) -> Result<Unlocked> {
        const NO_PANIC: &str = "no thread panics while it tries keys";
        // Most files open with a key that is ready, and many at once.
        if let Some(unlocked) = unlocked(decryptor.unlock(&self.known.read().expect(NO_PANIC).ready))? {
            return Ok(unlocked);
        }
        let mut known = self.known.write().expect(NO_PANIC);
        if decryptor.header().is_passphrase() {
            if let Some(unlocked) = unlocked(decryptor.unlock(&known.keyless))? {
                return Ok(unlocked);
            }
            if self.identities_only {
                return misuse(
                    "it is encrypted with a passphrase, and only identities are to open it",
                    "to be asked for the passphrase, leave out -i and --identities-only",
                );
            }
            return self.unlock_with_passphrase(decryptor, file, &mut known.passphrases);
        }
        if known.is_empty() {
            return misuse(
                format!("missing identities: the file is for {}", crypto::list_stanza_types(&decryptor.stanza_types())),
                if known.left_aside { LEFT_ASIDE } else { "name your identity file with -i" },
            );
        }
        let mut tried = 0;
        loop {
            if let Some(unlocked) = unlocked(decryptor.unlock(&known.ready[tried..]))? {
                return Ok(unlocked);
            }
            tried = known.ready.len();
            if !known.wake_next(decryptor.header().stanzas(), &self.prompt, &self.plugins)? {
                break;
            }
        }
        match unlocked(decryptor.unlock(&known.plugins))? {
            Some(unlocked) => Ok(unlocked),
            None => match decryptor.unlock(&known.keyless) {
                Err(error @ CryptoError::NoMatch(_)) if known.left_aside => Err(error).hint(LEFT_ASIDE),
                other => Ok(other?),
            },
        }
    }

    /// Whose the stanzas of a file are, as far as the keys that are ready tell; those that opened the file are.
    pub(crate) fn owners(&self, decryptor: &Decryptor) -> Vec<Option<Recipient>> {
        self.known.read().expect("no thread panics while it tries keys").owners(decryptor)
    }

    fn unlock_with_passphrase(&self, decryptor: &Decryptor, file: &str, known: &mut Vec<Identity>) -> Result<Unlocked> {
        for passphrase in &*known {
            match decryptor.unlock(std::slice::from_ref(passphrase)) {
                Err(CryptoError::WrongPassphrase) => {}
                other => return Ok(other?),
            }
        }
        let (unlocked, passphrase) = self.prompt.until_right(file, |passphrase| {
            let passphrase = Identity::passphrase(passphrase, self.max_work_factor);
            Ok((decryptor.unlock(std::slice::from_ref(&passphrase))?, passphrase))
        })?;
        known.push(passphrase);
        Ok(unlocked)
    }
}

/// None if none of the keys was for the file: then others are tried.
fn unlocked(result: Result<Unlocked, CryptoError>) -> Result<Option<Unlocked>> {
    match result {
        Err(CryptoError::NoMatch(_)) => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// The default identity files, if they are wanted.
fn default_files(named: &args::NamedIdentities, report: &Report) -> Vec<PathBuf> {
    let files = if named.or_defaults() { default_identities::identities() } else { Vec::new() };
    for path in &files {
        report.done(&format!("using the default identity file {}", name(path)));
    }
    files
}

impl Known {
    /// The keys that the command line names.
    pub(crate) fn named(files: &mut KeyFiles<'_>, named: &args::NamedIdentities) -> Result<Self> {
        let mut known = Self::default();
        for path in &named.identity {
            known.read(files, path, NamedBy::CommandLine)?;
        }
        for plugin in &named.plugin {
            known.keyless.push(files.plugins.default_identity(plugin)?);
        }
        Ok(known)
    }

    /// The default keys, if they are wanted, that open at once. For who can do without: a file that is no good gets a
    /// warning.
    pub(crate) fn ready_defaults(files: &mut KeyFiles<'_>, named: &args::NamedIdentities) -> Self {
        let mut known = Self::default();
        for path in default_files(named, files.report) {
            match ready_keys_of(files, &path) {
                Ok(keys) => known.ready.extend(keys),
                Err(error) => {
                    files.report.warning(&format!("a default identity file is of no use: {}", in_words(&error)));
                }
            }
        }
        known
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.asleep.is_empty() && self.plugins.is_empty() && self.keyless.is_empty()
    }

    /// Asks for the next passphrase that may help with these stanzas. False if there is none.
    pub(crate) fn wake_next(&mut self, stanzas: &[Stanza], prompt: &Prompt, plugins: &Plugins) -> Result<bool> {
        let Some(index) = self.asleep.iter().position(|asleep| asleep.may_open(stanzas)) else { return Ok(false) };
        // It stays asleep if the passphrase is wrong.
        let keys = self.asleep[index].wake(prompt)?;
        let Asleep { path, named_by, .. } = self.asleep.remove(index);
        for key in keys {
            self.add(key, &path, named_by, plugins)?;
        }
        Ok(true)
    }

    /// Whose the stanzas are, as far as the keys that are ready tell: what one of them opens is its own.
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

    fn read(&mut self, files: &mut KeyFiles<'_>, path: &Path, named_by: NamedBy) -> Result<()> {
        let file = files.read(path)?;
        if is_age(&file.text) {
            self.asleep.push(Asleep { path: path.to_owned(), named_by, kind: AsleepKind::Protected(file.text) });
            return Ok(());
        }
        let before = self.ready.len();
        for key in parse(path, &file.text)? {
            self.add(key, path, named_by, &files.plugins)?;
        }
        if self.ready.len() > before {
            warn_if_others_may_read(&file, path, files.report);
        }
        Ok(())
    }

    /// Adds a key of the file at `path`.
    fn add(&mut self, key: Key, path: &Path, named_by: NamedBy, plugins: &Plugins) -> Result<()> {
        match key {
            Key::Ready(identity) => self.ready.push(identity),
            Key::Locked(identity) => {
                self.asleep.push(Asleep { path: path.to_owned(), named_by, kind: AsleepKind::Ssh(identity) });
            }
            Key::Plugin { .. } if named_by == NamedBy::Default => self.left_aside = true,
            Key::Plugin { text, .. } => self.plugins.push(plugins.identity(&text)?),
        }
        Ok(())
    }
}

impl Asleep {
    /// Whether it is worth asking for its passphrase.
    fn may_open(&self, stanzas: &[Stanza]) -> bool {
        match &self.kind {
            AsleepKind::Ssh(identity) => identity
                .to_recipient()
                .is_some_and(|recipient| stanzas.iter().any(|stanza| recipient.matches(stanza) == Match::Yes)),
            AsleepKind::Protected(_) => true,
        }
    }

    /// Asks for the passphrase, and gives the keys. A protected file may hold a key that has a passphrase of its own.
    fn wake(&self, prompt: &Prompt) -> Result<Vec<Key>> {
        match &self.kind {
            AsleepKind::Ssh(identity) => {
                let cannot_open = || format!("cannot open {}", name(&self.path));
                let unlock = |passphrase| identity.unlock(passphrase).with_context(cannot_open);
                Ok(vec![Key::Ready(prompt.until_right(&name(&self.path), unlock)?)])
            }
            AsleepKind::Protected(text) => parse(&self.path, &open_protected(prompt, &self.path, text)?),
        }
    }
}
