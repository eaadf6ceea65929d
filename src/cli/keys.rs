//! Recipients and identities from the command line and from files: which file, which line, and limits on both.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    num::NonZeroUsize,
    path::Path,
};

use anyhow::{Context, Error, Result, anyhow, bail};
use same_file::Handle;
use zeroize::Zeroizing;

use crate::crypto::{Decryptor, Identity, Recipient, Sink, Source, armor};

use super::{
    args::Named,
    input::{DASH, name},
    output::Plan,
    prompt::Prompt,
    report::{Advise, Misuse, Report, misuse},
};

/// 16 MiB, as other age tools; beyond it is surely the wrong file.
const KEY_FILE_LIMIT: usize = 16 << 20;
/// 8 KiB, as other age tools; no recipient is longer.
const LINE_LIMIT: usize = 8 << 10;
/// Scrypt work for opening a protected identity file, as a logarithm to base 2. It is the user's own file.
const IDENTITY_FILE_WORK_FACTOR_LIMIT: u8 = 22;

/// Key files as they are read: each at most once from standard input, and none of them may become an output.
pub(crate) struct KeyFiles<'a> {
    prompt: &'a Prompt,
    report: &'a Report,
    /// What was read, for comparing it with an output.
    read: Vec<(Handle, String)>,
    stdin_taken: bool,
}

impl<'a> KeyFiles<'a> {
    /// `stdin_taken` says whether standard input carries data.
    pub(crate) fn new(prompt: &'a Prompt, report: &'a Report, stdin_taken: bool) -> Self {
        Self { prompt, report, read: Vec::new(), stdin_taken }
    }

    /// Refuses an output that is one of the key files, or the file of the passphrase.
    pub(crate) fn must_differ_from(&self, plan: &Plan) -> Result<()> {
        if let Prompt::File(path) = self.prompt
            && path.is_file()
        {
            let handle = Handle::from_path(path).with_context(|| format!("cannot read {}", name(path)))?;
            plan.must_differ_from(&handle, &name(path))?;
        }
        self.read.iter().try_for_each(|(handle, name)| plan.must_differ_from(handle, name))
    }

    /// The recipients that the command line names, in its order, each once.
    pub(crate) fn recipients(&mut self, named: &[Named]) -> Result<Vec<Recipient>> {
        let mut recipients = Vec::new();
        for named in named {
            match named {
                Named::Key(key) => recipients.push(parse_argument(key)?),
                Named::File(path) => recipients.extend(self.recipients_file(path)?),
                Named::Identity(path) => recipients.extend(self.recipients_of(path)?),
            }
        }
        let mut seen = HashSet::new();
        recipients.retain(|recipient| {
            let text = recipient.to_string();
            let fresh = seen.insert(text.clone());
            if !fresh {
                self.report.warning(&format!("{text} is named more than once; it gets one stanza"));
            }
            fresh
        });
        Ok(recipients)
    }

    fn recipients_file(&mut self, path: &Path) -> Result<Vec<Recipient>> {
        let recipients = self.lines(path, |line| line.parse::<Recipient>().map_err(Error::new))?;
        if recipients.is_empty() {
            bail!("{} names no recipients", name(path));
        }
        Ok(recipients)
    }

    /// The public keys of an identity file.
    pub(crate) fn recipients_of(&mut self, path: &Path) -> Result<Vec<Recipient>> {
        let to_recipient = |identity: &Identity| {
            identity
                .to_recipient()
                .with_context(|| format!("{}: this kind of SSH key cannot be encrypted to", name(path)))
        };
        self.parse_identities(path)?.iter().map(to_recipient).collect()
    }

    /// The identities of these files, ready to open with.
    pub(crate) fn identities(&mut self, paths: &[impl AsRef<Path>]) -> Result<Vec<Identity>> {
        let mut identities = Vec::new();
        for path in paths {
            for identity in self.parse_identities(path.as_ref())? {
                identities.push(self.unlock(identity, path.as_ref())?);
            }
        }
        Ok(identities)
    }

    fn unlock(&self, identity: Identity, path: &Path) -> Result<Identity> {
        if !identity.is_locked() {
            return Ok(identity);
        }
        let passphrase = self.prompt.passphrase(&name(path))?;
        identity.unlock(passphrase).with_context(|| format!("cannot open {}", name(path)))
    }

    /// One identity file of any kind.
    fn parse_identities(&mut self, path: &Path) -> Result<Vec<Identity>> {
        let text = self.key_file(path)?;
        let text = if armor::looks_armored(&text) && is_ssh(&text) {
            let identity = Identity::from_ssh(&text).with_context(|| name(path))?;
            return Ok(vec![identity]);
        } else if is_age(&text) {
            self.open_protected(path, &text)?
        } else {
            text
        };
        let identities = parse_lines(path, &text, |line| line.parse::<Identity>().map_err(Error::new))?;
        if identities.is_empty() {
            bail!("{} has no identities", name(path));
        }
        Ok(identities)
    }

    /// Opens an identity file that is itself an age file, under a passphrase.
    fn open_protected(&self, path: &Path, text: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let cannot_open = || format!("cannot open {}", name(path));
        let mut armored;
        let mut binary = text;
        let input: &mut (dyn io::BufRead + Send) = if armor::looks_armored(text) {
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
        let passphrase = self.prompt.passphrase(&name(path))?;
        let identity = Identity::passphrase(passphrase, IDENTITY_FILE_WORK_FACTOR_LIMIT);
        let unlocked = decryptor.unlock(&[identity]).with_context(cannot_open)?;
        // Room for all of it at once, so that no growing leaves copies behind.
        let mut opened = Zeroizing::new(Vec::with_capacity(text.len()));
        let input = Source::InTurn(input);
        unlocked.decrypt(input, Sink::InTurn(&mut *opened), NonZeroUsize::MIN).with_context(cannot_open)?;
        Ok(opened)
    }

    fn lines<T>(&mut self, path: &Path, parse: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
        let text = self.key_file(path)?;
        parse_lines(path, &text, parse)
    }

    /// All of a key file.
    fn key_file(&mut self, path: &Path) -> Result<Zeroizing<Vec<u8>>> {
        let cannot_read = || format!("cannot read {}", name(path));
        let (handle, text) = if path == Path::new(DASH) {
            if self.stdin_taken {
                return misuse("standard input cannot be both keys and data", "put one of them into a file");
            }
            self.stdin_taken = true;
            (Handle::stdin(), read_secret(io::stdin().lock(), 0))
        } else {
            let file = File::open(path).with_context(cannot_read)?;
            let length = file.metadata().map(|metadata| metadata.len()).unwrap_or(0);
            (Handle::from_path(path), read_secret(file, usize::try_from(length).unwrap_or(KEY_FILE_LIMIT)))
        };
        self.read.push((handle.with_context(cannot_read)?, name(path)));
        let text = text.with_context(cannot_read)?;
        if text.len() > KEY_FILE_LIMIT {
            bail!("{} is longer than 16 MiB, which no key file is", name(path));
        }
        Ok(text)
    }
}

/// A recipient from the command line. What cannot be one is not echoed: it may be secret.
fn parse_argument(key: &str) -> Result<Recipient> {
    let parsed = key.parse::<Recipient>();
    if parsed.is_err() && Path::new(key).is_file() {
        return misuse(
            "a file is named with -r, which takes a key",
            "name the file with -R if it holds recipients, or with -i if it holds identities",
        );
    }
    parsed
        .map_err(|error| Error::new(Misuse(format!("-r: {error}"))))
        .or_else(|error| Err(error).hint("a recipient begins with age1, ssh-ed25519 or ssh-rsa"))
}

/// Parses what stands on the lines of a key file, but for empty lines and comments. A fault is named by its line's number,
/// never by its text.
fn parse_lines<T>(path: &Path, text: &[u8], parse: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    let mut parsed = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let place = || format!("{}, line {}", name(path), index + 1);
        if line.len() > LINE_LIMIT {
            return Err(anyhow!("it is longer than 8 KiB, which no key is")).with_context(place);
        }
        let line = std::str::from_utf8(line).map_err(|_| anyhow!("it is not text")).with_context(place)?.trim();
        if !line.is_empty() && !line.starts_with('#') {
            parsed.push(parse(line).with_context(place)?);
        }
    }
    Ok(parsed)
}

fn is_ssh(text: &[u8]) -> bool {
    let first = text.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.windows(b"PRIVATE KEY".len()).any(|part| part == b"PRIVATE KEY")
}

fn is_age(text: &[u8]) -> bool {
    armor::looks_armored(text) || text.starts_with(b"age-encryption.org/")
}

/// Reads up to the limit and a byte, leaving no copies behind as the buffer grows.
fn read_secret(mut file: impl Read, expected: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(vec![0; expected.min(KEY_FILE_LIMIT) + 1]);
    let mut filled = 0;
    loop {
        match file.read(&mut text[filled..])? {
            0 => break,
            count => filled += count,
        }
        if filled > KEY_FILE_LIMIT {
            break;
        }
        if filled == text.len() {
            let mut larger = Zeroizing::new(vec![0; (filled * 2).clamp(4096, KEY_FILE_LIMIT + 1)]);
            larger[..filled].copy_from_slice(&text);
            text = larger;
        }
    }
    text.truncate(filled);
    Ok(text)
}
