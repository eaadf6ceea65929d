//! Identity files: one key a line, or an SSH private key; also under a passphrase.

use std::{io::BufRead, num::NonZeroUsize, path::Path};

use anyhow::{Context, Error, Result, anyhow, bail};
use zeroize::Zeroizing;

use crate::{
    cli::{
        files::input::name,
        keys::key_file::{KeyFile, KeyFiles, parse_lines},
        terminal::{
            messages::{Advise, Report},
            prompt::Prompt,
        },
    },
    crypto::{Decryptor, Error as CryptoError, Identity, ParseIdentityError, Sink, Source, armor},
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

/// All keys of an identity file, which is opened now if it is protected.
pub(crate) fn keys_of(files: &mut KeyFiles<'_>, path: &Path) -> Result<Vec<Key>> {
    let file = files.read(path)?;
    if is_age(&file.text) {
        return parse(path, &open_protected(&files.prompt, path, &file.text)?);
    }
    let keys = parse(path, &file.text)?;
    if keys.iter().any(|key| matches!(key, Key::Ready(_))) {
        warn_if_others_may_read(&file, path, files.report);
    }
    Ok(keys)
}

/// The keys of an identity file that open at once: nothing is asked for, and no plugin runs.
pub(crate) fn ready_keys_of(files: &mut KeyFiles<'_>, path: &Path) -> Result<Vec<Identity>> {
    let file = files.read(path)?;
    if is_age(&file.text) {
        return Ok(Vec::new());
    }
    let ready = |key| if let Key::Ready(identity) = key { Some(identity) } else { None };
    let ready: Vec<_> = parse(path, &file.text)?.into_iter().filter_map(ready).collect();
    if !ready.is_empty() {
        warn_if_others_may_read(&file, path, files.report);
    }
    Ok(ready)
}

/// Warns of a file with a secret key that stands open.
pub(crate) fn warn_if_others_may_read(file: &KeyFile, path: &Path, report: &Report) {
    if file.others_may_read {
        report.warning(&format!("{} holds a secret key that other users may read; chmod 600 it", name(path)));
    }
}

/// The keys of an identity file that is not protected: one to a line, or an SSH private key.
pub(crate) fn parse(path: &Path, text: &[u8]) -> Result<Vec<Key>> {
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
pub(crate) fn open_protected(prompt: &Prompt, path: &Path, text: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
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
    let unlocked = prompt.until_right(&name(path), |passphrase| {
        let identity = Identity::passphrase(passphrase, IDENTITY_FILE_WORK_FACTOR_LIMIT);
        match decryptor.unlock(&[identity]) {
            // --max-work-factor is for what is decrypted, which somebody else may have made.
            Err(error @ CryptoError::WorkFactor { .. }) => Err(anyhow!(error.to_string())).hint(
                "if you trust it, decrypt it as any other file, with --max-work-factor, and name what comes of that",
            ),
            other => other.map_err(Error::new),
        }
        .with_context(cannot_open)
    })?;
    // Room for all of it at once, so that no growing leaves copies behind.
    let mut opened = Zeroizing::new(Vec::with_capacity(text.len()));
    let input = Source::Sequential(input);
    unlocked.decrypt(input, Sink::Sequential(&mut *opened), NonZeroUsize::MIN).with_context(cannot_open)?;
    Ok(opened)
}

fn is_ssh(text: &[u8]) -> bool {
    let first = text.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"-----BEGIN ") && first.windows(b"PRIVATE KEY".len()).any(|part| part == b"PRIVATE KEY")
}

pub(crate) fn is_age(text: &[u8]) -> bool {
    text.starts_with(b"age-encryption.org/") || (armor::looks_armored(text) && !is_ssh(text))
}
