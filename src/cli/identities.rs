//! What can open: keys that are ready are tried first, then those that need a passphrase, each asked for at most once.

use std::{
    io::BufRead,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anyhow::{Context, Error, Result, bail};
use zeroize::Zeroizing;

use crate::crypto::{
    Decryptor, Error as CryptoError, Identity, ParseIdentityError, Sink, Source, Stanza, Unlocked, armor,
    secrecy::SecretString,
};

use super::{
    args, defaults,
    input::name,
    keys::{KeyFiles, parse_lines},
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
    max_work_factor: u8,
    known: Mutex<Known>,
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
enum Asleep {
    /// An SSH key.
    Ssh { identity: Identity, path: PathBuf },
    /// An identity file that is itself an age file.
    Protected { text: Zeroizing<Vec<u8>>, path: PathBuf },
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
        Ok(Self { prompt: files.prompt.clone(), max_work_factor: named.max_work_factor, known: Mutex::new(known) })
    }

    /// Unwraps a file's key, asking for a passphrase only where one can help. `file` names the file in questions.
    pub(crate) fn unlock(&self, decryptor: &Decryptor, file: &str) -> Result<Unlocked> {
        let mut known = self.known.lock().expect("no thread panics while it tries keys");
        if decryptor.header().is_passphrase() {
            return self.unlock_with_passphrase(decryptor, file, &mut known.passphrases);
        }
        let Known { ready, asleep, plugins, .. } = &mut *known;
        if ready.is_empty() && asleep.is_empty() && plugins.is_empty() {
            return misuse(
                format!("missing identities: the file is for {}", decryptor.stanza_types().join(", ")),
                "name your identity file with -i",
            );
        }
        if let Some(unlocked) = unlocked(decryptor.unlock(ready))? {
            return Ok(unlocked);
        }
        while let Some(index) = asleep.iter().position(|asleep| asleep.may_open(decryptor.header().stanzas())) {
            let tried = ready.len();
            // It stays asleep if the passphrase is wrong.
            asleep[index].wake(&self.prompt, ready)?;
            asleep.swap_remove(index);
            if let Some(unlocked) = unlocked(decryptor.unlock(&ready[tried..]))? {
                return Ok(unlocked);
            }
        }
        Ok(decryptor.unlock(plugins)?)
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
            self.asleep.push(Asleep::Protected { text: file.text, path: path.to_owned() });
            return Ok(());
        }
        let mut in_the_clear = false;
        for key in parse(path, &file.text)? {
            match key {
                Key::Ready(identity) => {
                    in_the_clear = true;
                    self.ready.push(identity);
                }
                Key::Locked(identity) => self.asleep.push(Asleep::Ssh { identity, path: path.to_owned() }),
                Key::Plugin { text, .. } => self.plugins.push(files.plugins.identity(&text)?),
            }
        }
        if in_the_clear && file.others_may_read {
            let warning = format!("{} holds a secret key that other users may read; chmod 600 it", name(path));
            files.report.warning(&warning);
        }
        Ok(())
    }
}

impl Asleep {
    /// Whether it is worth asking for its passphrase.
    fn may_open(&self, stanzas: &[Stanza]) -> bool {
        match self {
            Self::Ssh { identity, .. } => identity
                .to_recipient()
                .is_some_and(|recipient| stanzas.iter().any(|stanza| recipient.matches(stanza) == Some(true))),
            Self::Protected { .. } => true,
        }
    }

    /// Asks for the passphrase, and adds the keys.
    fn wake(&self, prompt: &Prompt, ready: &mut Vec<Identity>) -> Result<()> {
        match self {
            Self::Ssh { identity, path } => {
                let passphrase = prompt.passphrase(&name(path))?;
                ready.push(identity.unlock(passphrase).with_context(|| format!("cannot open {}", name(path)))?);
            }
            Self::Protected { text, path } => {
                for key in parse(path, &open_protected(prompt, path, text)?)? {
                    match key {
                        Key::Ready(identity) => ready.push(identity),
                        Key::Locked(_) | Key::Plugin { .. } => {
                            bail!("{} protects a key that has its own protection; name that key's file", name(path))
                        }
                    }
                }
            }
        }
        Ok(())
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
        Err(ParseIdentityError::Plugin(_)) => Ok(Key::Plugin { text: Zeroizing::new(line.to_owned()), place: place() }),
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
