//! What can open: keys that are ready are tried first, then those that need a passphrase, each asked for at most once.

use std::{
    io::BufRead,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
};

use anyhow::{Context, Error, Result, bail};
use zeroize::Zeroizing;

use crate::crypto::{
    self, Decryptor, Error as CryptoError, Identity, Match, ParseIdentityError, Recipient, Sink, Source, Stanza,
    Unlocked, armor, secrecy::SecretString,
};

use super::{
    args, defaults,
    input::name,
    keys::{KeyFiles, parse_lines},
    plugins::Plugins,
    prompt::Prompt,
    report::{Advise, misuse},
};

/// Scrypt work for opening a protected identity file, as a logarithm to base 2. It is the user's own file.
const IDENTITY_FILE_WORK_FACTOR_LIMIT: u8 = 22;
/// 16 KiB; the longest RSA key that is supported has a fifth of it.
const SSH_KEY_LIMIT: usize = 16 << 10;

/// One key of an identity file.
pub(crate) enum Key {
    Ready(Identity),
    /// An SSH key under a passphrase.
    Locked(Identity),
    /// A plugin's, whose text means something to that plugin alone.
    Plugin {
        text: Zeroizing<String>,
        place: String,
    },
}

/// Everything that a run can open files with.
pub(crate) struct Identities {
    prompt: Arc<Prompt>,
    plugins: Plugins,
    max_work_factor: u8,
    identities_only: bool,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    ready: Vec<Identity>,
    asleep: Vec<Asleep>,
    /// Tried last: they may want a touch or a number.
    plugins: Vec<Identity>,
    /// Passphrases that opened a file of this run; the next file may have the same.
    passphrases: Vec<Identity>,
}

/// What needs a passphrase before it opens anything.
struct Asleep {
    path: PathBuf,
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
        let mut known = Known::default();
        let defaults = if named.identity.is_empty() && named.plugin.is_empty() && !named.no_default_identity {
            defaults::identities()
        } else {
            Vec::new()
        };
        for path in &defaults {
            files.report.done(&format!("using the default identity file {}", name(path)));
        }
        for path in named.identity.iter().chain(&defaults) {
            known.read(files, path)?;
        }
        for plugin in &named.plugin {
            known.plugins.push(files.plugins.default_identity(plugin)?);
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
            if self.identities_only {
                return misuse(
                    "it is encrypted with a passphrase, and only identities are to open it",
                    "to be asked for the passphrase, name no identities",
                );
            }
            return self.unlock_with_passphrase(decryptor, file, &mut known.passphrases);
        }
        if known.ready.is_empty() && known.asleep.is_empty() && known.plugins.is_empty() {
            return misuse(
                format!("missing identities: the file is for {}", crypto::list(&decryptor.stanza_types())),
                "name your identity file with -i",
            );
        }
        let mut tried = 0;
        loop {
            if let Some(unlocked) = unlocked(decryptor.unlock(&known.ready[tried..]))? {
                return Ok(unlocked);
            }
            tried = known.ready.len();
            let stanzas = decryptor.header().stanzas();
            let Some(index) = known.asleep.iter().position(|asleep| asleep.may_open(stanzas)) else { break };
            // It stays asleep if the passphrase is wrong.
            let keys = known.asleep[index].wake(&self.prompt)?;
            let Asleep { path, .. } = known.asleep.remove(index);
            for key in keys {
                known.add(key, &path, &self.plugins)?;
            }
        }
        Ok(decryptor.unlock(&known.plugins)?)
    }

    /// Whose the stanzas of a file are, as far as the keys that are ready tell; those that opened the file are.
    pub(crate) fn owners(&self, decryptor: &Decryptor) -> Vec<Option<Recipient>> {
        let known = self.known.read().expect("no thread panics while it tries keys");
        let mut owners: Vec<_> = decryptor.header().stanzas().iter().map(|_| None).collect();
        for identity in &known.ready {
            for (owner, opens) in owners.iter_mut().zip(decryptor.opened_by(identity)) {
                if opens && owner.is_none() {
                    *owner = identity.to_recipient();
                }
            }
        }
        owners
    }

    fn unlock_with_passphrase(&self, decryptor: &Decryptor, file: &str, known: &mut Vec<Identity>) -> Result<Unlocked> {
        for passphrase in &*known {
            match decryptor.unlock(std::slice::from_ref(passphrase)) {
                Err(CryptoError::WrongPassphrase) => {}
                other => return Ok(other?),
            }
        }
        let passphrase = Identity::passphrase(self.prompt.passphrase(file)?, self.max_work_factor);
        let unlocked = decryptor.unlock(std::slice::from_ref(&passphrase))?;
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

impl Known {
    fn read(&mut self, files: &mut KeyFiles<'_>, path: &Path) -> Result<()> {
        let file = files.read(path)?;
        if is_age(&file.text) {
            self.asleep.push(Asleep { path: path.to_owned(), kind: AsleepKind::Protected(file.text) });
            return Ok(());
        }
        let before = self.ready.len();
        for key in parse(path, &file.text)? {
            self.add(key, path, &files.plugins)?;
        }
        if self.ready.len() > before && file.others_may_read {
            let warning = format!("{} holds a secret key that other users may read; chmod 600 it", name(path));
            files.report.warning(&warning);
        }
        Ok(())
    }

    /// Adds a key of the file at `path`.
    fn add(&mut self, key: Key, path: &Path, plugins: &Plugins) -> Result<()> {
        match key {
            Key::Ready(identity) => self.ready.push(identity),
            Key::Locked(identity) => {
                self.asleep.push(Asleep { path: path.to_owned(), kind: AsleepKind::Ssh(identity) });
            }
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
                let passphrase = prompt.passphrase(&name(&self.path))?;
                let cannot_open = || format!("cannot open {}", name(&self.path));
                Ok(vec![Key::Ready(identity.unlock(passphrase).with_context(cannot_open)?)])
            }
            AsleepKind::Protected(text) => parse(&self.path, &open_protected(prompt, &self.path, text)?),
        }
    }
}

/// All keys of an identity file, which is opened now if it is protected.
pub(crate) fn keys_of(files: &mut KeyFiles<'_>, path: &Path) -> Result<Vec<Key>> {
    let file = files.read(path)?;
    if is_age(&file.text) {
        return parse(path, &open_protected(&files.prompt, path, &file.text)?);
    }
    parse(path, &file.text)
}

/// The keys of an identity file that is not protected: one to a line, or an SSH private key.
fn parse(path: &Path, text: &[u8]) -> Result<Vec<Key>> {
    if is_ssh(text) {
        if text.len() > SSH_KEY_LIMIT {
            bail!("{} is longer than 16 KiB, which no SSH key is", name(path));
        }
        let identity = Identity::from_ssh(text).with_context(|| name(path))?;
        return Ok(vec![if identity.is_locked() { Key::Locked(identity) } else { Key::Ready(identity) }]);
    }
    let keys = parse_lines(path, text, |line, place| match line.parse() {
        Err(ParseIdentityError::Plugin(_)) => {
            Ok(Key::Plugin { text: Zeroizing::new(line.to_owned()), place: place.to_string() })
        }
        parsed => parsed.map(Key::Ready).map_err(Error::new),
    })?;
    if keys.is_empty() {
        bail!("{} has no identities", name(path));
    }
    Ok(keys)
}

/// Opens an identity file that is itself an age file, under a passphrase.
fn open_protected(prompt: &Prompt, path: &Path, text: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let cannot_open = || format!("cannot open {}", name(path));
    let mut armored;
    let mut binary = text;
    let input: &mut (dyn BufRead + Send) = if armor::looks_armored(text) {
        armored = armor::ArmorReader::new(text);
        &mut armored
    } else {
        &mut binary
    };
    let decryptor = Decryptor::read(input).with_context(cannot_open)?;
    if !decryptor.header().is_passphrase() {
        let message = format!("{} is an encrypted file, not a key file", name(path));
        return Err(Error::msg(message)).hint("an identity file may be encrypted, but only with a passphrase");
    }
    let passphrase: SecretString = prompt.passphrase(&name(path))?;
    let identity = Identity::passphrase(passphrase, IDENTITY_FILE_WORK_FACTOR_LIMIT);
    let unlocked = decryptor.unlock(&[identity]).with_context(cannot_open)?;
    // Room for all of it at once, so that no growing leaves copies behind.
    let mut opened = Zeroizing::new(Vec::with_capacity(text.len()));
    let input = Source::InTurn(input);
    unlocked.decrypt(input, Sink::InTurn(&mut *opened), NonZeroUsize::MIN).with_context(cannot_open)?;
    Ok(opened)
}

fn is_ssh(text: &[u8]) -> bool {
    let first = text.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"-----BEGIN ") && first.windows(b"PRIVATE KEY".len()).any(|part| part == b"PRIVATE KEY")
}

fn is_age(text: &[u8]) -> bool {
    text.starts_with(b"age-encryption.org/") || (armor::looks_armored(text) && !is_ssh(text))
}
