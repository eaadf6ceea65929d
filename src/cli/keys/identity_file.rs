//! Identity files: one key per line, or an SSH private key; possibly protected by a passphrase.

use std::{
    fs::File,
    io::{BufRead, Read},
    num::NonZeroUsize,
    path::Path,
};

use anyhow::{Context, Error, Result, anyhow, bail};

use crate::{
    cli::{
        files::naming::{display_name, with_suffix},
        keys::key_file::{KeyFile, KeyFiles, parse_lines},
        terminal::{advice::Advise, errors::During, messages::Messages, persona, prompt::Prompt, questions::Purpose},
    },
    crypto::{
        Decryptor, Error as CryptoError, Identity, ParseIdentityError, Recipient, Sink, Source, SshPrivateKeyError,
        armor, secrecy::Zeroizing,
    },
};

/// Scrypt work for opening a protected identity file, as a logarithm to base 2. It is the user's own file.
const WORK_FACTOR_LIMIT: u8 = 22;
/// Bytes in the longest SSH private key file: 16 KiB, five times the longest RSA key that is supported.
const SSH_KEY_LIMIT: usize = 16 << 10;

/// A key in an identity file.
pub(crate) enum Key {
    Ready(Identity),
    /// An SSH key protected by a passphrase.
    Locked(Identity),
    /// A plugin's key, as text that only the plugin understands.
    Plugin {
        text: Zeroizing<String>,
        location: String,
    },
}

/// The keys of an identity file, unless a passphrase is needed for them.
pub(crate) enum IdentityFile {
    Keys(Vec<Key>),
    Protected(KeyFile),
}

impl IdentityFile {
    /// Opens a protected file, which asks for its passphrase.
    ///
    /// # Errors
    ///
    /// Errors from opening and parsing.
    pub(crate) fn into_keys(self, prompt: &Prompt, path: &Path) -> Result<Vec<Key>> {
        match self {
            Self::Keys(keys) => Ok(keys),
            Self::Protected(file) => {
                let keys = open_protected(prompt, path, &file.text).and_then(|text| parse(path, &text));
                keys.with_context(|| During::ReadingIdentities(path.to_owned()))
            }
        }
    }
}

/// Reads an identity file.
///
/// # Errors
///
/// Errors from reading and parsing.
pub(crate) fn read(files: &mut KeyFiles, path: &Path) -> Result<IdentityFile> {
    read_named(files, path).with_context(|| During::ReadingIdentities(path.to_owned()))
}

/// Reads all keys of an identity file. A protected file is opened now.
///
/// # Errors
///
/// Errors from reading, opening and parsing.
pub(crate) fn read_keys(files: &mut KeyFiles, path: &Path) -> Result<Vec<Key>> {
    read(files, path)?.into_keys(&files.prompt, path)
}

fn read_named(files: &mut KeyFiles, path: &Path) -> Result<IdentityFile> {
    let file = files.read(path)?;
    if is_protected(&file.text) {
        return Ok(IdentityFile::Protected(file));
    }
    let keys = parse(path, &file.text)?;
    if keys.iter().any(|key| matches!(key, Key::Ready(_))) {
        warn_if_others_may_read(&file, path, &files.messages);
    }
    Ok(IdentityFile::Keys(keys))
}

/// Reads the keys of an identity file that need no passphrase and no plugin.
///
/// # Errors
///
/// Errors from reading and parsing.
pub(crate) fn read_ready_keys(files: &mut KeyFiles, path: &Path) -> Result<Vec<Identity>> {
    let file = files.read(path)?;
    if is_protected(&file.text) {
        return Ok(Vec::new());
    }
    let ready = |key| if let Key::Ready(identity) = key { Some(identity) } else { None };
    let ready: Vec<_> = parse(path, &file.text)?.into_iter().filter_map(ready).collect();
    if !ready.is_empty() {
        warn_if_others_may_read(&file, path, &files.messages);
    }
    Ok(ready)
}

/// Warns of a secret key that other users may read.
pub(crate) fn warn_if_others_may_read(file: &KeyFile, path: &Path, messages: &Messages) {
    // No tool that solekey stands in for warns of it.
    if file.others_may_read && !persona::is_drop_in() {
        let name = display_name(path);
        messages.warning(&format!("{name} holds a secret key that other users may read; chmod 600 it"));
    }
}

/// Parses an identity file that is not protected.
///
/// # Errors
///
/// [`ParseIdentityError`], with the line that it is on; an error if there is no key.
pub(crate) fn parse(path: &Path, text: &[u8]) -> Result<Vec<Key>> {
    if is_ssh(text) {
        if text.len() > SSH_KEY_LIMIT {
            bail!("{} is longer than 16 KiB, which no SSH key is", display_name(path));
        }
        let identity = match Identity::from_ssh(text) {
            Err(needed @ SshPrivateKeyError::NeedsPublicKey) => {
                let public = public_key_beside(path).context(needed).with_context(|| display_name(path))?;
                Identity::from_locked_ssh(text, public)
            }
            parsed => parsed,
        };
        let identity = identity.with_context(|| display_name(path))?;
        return Ok(vec![if identity.is_locked() { Key::Locked(identity) } else { Key::Ready(identity) }]);
    }
    let keys = parse_lines(path, text, |line, location| match line.parse() {
        Err(ParseIdentityError::Plugin(_)) => {
            Ok(Key::Plugin { text: Zeroizing::new(line.to_owned()), location: location.to_string() })
        }
        parsed => parsed.map(Key::Ready).map_err(Error::new),
    })?;
    if keys.is_empty() {
        bail!("{} has no identities", display_name(path));
    }
    Ok(keys)
}

/// Whether an error means that a key cannot be used, so that others may still be tried.
pub(crate) fn is_unusable(error: &Error) -> bool {
    let is_mismatch = matches!(error.downcast_ref(), Some(CryptoError::SshKeyMismatch));
    is_mismatch || error.downcast_ref::<SshPrivateKeyError>().is_some()
}

/// Reads the public key of the SSH key at `path`, from the file that ssh-keygen writes beside it.
fn public_key_beside(path: &Path) -> Result<Recipient> {
    let path = with_suffix(path, ".pub");
    let name = display_name(&path);
    let mut text = String::new();
    let file = File::open(&path).with_context(|| format!("cannot read {name}"))?;
    file.take(SSH_KEY_LIMIT as u64).read_to_string(&mut text).with_context(|| format!("cannot read {name}"))?;
    match text.trim().parse() {
        Ok(recipient @ Recipient::Ssh(_)) => Ok(recipient),
        Ok(_) => Err(anyhow!("{name} holds another kind of key")),
        Err(error) => Err(Error::new(error)).context(name),
    }
}

/// Opens an identity file that is an age file encrypted with a passphrase.
///
/// # Errors
///
/// If it is encrypted otherwise; those of asking and decrypting.
pub(crate) fn open_protected(prompt: &Prompt, path: &Path, text: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let cannot_open = || format!("cannot open {}", display_name(path));
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
        let message = format!("{} is an encrypted file, not a key file", display_name(path));
        return Err(Error::msg(message)).hint("an identity file may be encrypted, but only with a passphrase");
    }
    let unlocked = prompt.retry_until_right(Purpose::IdentityFile(&display_name(path)), |passphrase| {
        let identity = Identity::passphrase(passphrase, WORK_FACTOR_LIMIT);
        match decryptor.unlock(&[identity]) {
            // --max-work-factor is for the files to decrypt, which others may have made. Drop the type that suggests it.
            Err(error @ CryptoError::WorkFactor { .. }) => Err(anyhow!(error.to_string()))
                .hint("if you trust it, decrypt it first with --max-work-factor, and name the result"),
            other => other.map_err(Error::new),
        }
        .with_context(cannot_open)
    })?;
    // Room for the whole plaintext, since growing would leave copies in memory.
    let mut opened = Zeroizing::new(Vec::with_capacity(text.len()));
    let input = Source::Sequential(input);
    unlocked.decrypt(input, Sink::Sequential(&mut *opened), NonZeroUsize::MIN).with_context(cannot_open)?;
    Ok(opened)
}

fn is_ssh(text: &[u8]) -> bool {
    let first = text.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"-----BEGIN ") && first.windows(b"PRIVATE KEY".len()).any(|part| part == b"PRIVATE KEY")
}

/// Whether an identity file is itself an age file.
pub(crate) fn is_protected(text: &[u8]) -> bool {
    text.starts_with(b"age-encryption.org/") || (armor::looks_armored(text) && !is_ssh(text))
}
