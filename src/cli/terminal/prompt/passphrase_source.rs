//! Passphrases from a file or a descriptor.

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{
    cli::{
        platform,
        terminal::{
            advice::{Advise, SAVE_AS_UTF_8, misuse},
            escape::quoted,
        },
    },
    crypto::secrecy::{SecretString, Zeroizing},
};

/// Bytes in the longest passphrase. A file with a longer first line is surely the wrong file.
pub(super) const PASSPHRASE_LIMIT: usize = 4096;

/// A file or descriptor that holds a passphrase.
pub(crate) struct PassphraseSource {
    /// The descriptor, if it was named by its number.
    pub(super) number: Option<u32>,
    /// The file, or a name of the descriptor.
    pub(super) path: PathBuf,
}

impl PassphraseSource {
    /// Reads the first line, from where the descriptor stands.
    ///
    /// # Errors
    ///
    /// If it is longer than 4096 bytes, or not UTF-8 without a byte order mark; errors from the system.
    pub(super) fn read(&self) -> Result<SecretString> {
        let name = match self.number {
            Some(number) => format!("descriptor {number}"),
            None => quoted(&self.path),
        };
        let cannot_read = || format!("cannot read a passphrase from {name}");
        let file = match self.number {
            Some(0) => platform::stdin(),
            Some(number) => platform::descriptor(number),
            None => File::open(&self.path),
        };
        let mut file = file.with_context(cannot_read)?;
        if self.number.is_some() && file.is_terminal() {
            return misuse(
                format!("{name} is a terminal, which would show the passphrase"),
                "leave out --passphrase-fd",
            );
        }
        // Room for the longest line, since growing would leave copies in memory.
        let mut line = Zeroizing::new(vec![0; PASSPHRASE_LIMIT + 2]);
        let mut filled = 0;
        while filled < line.len() && !line[..filled].contains(&b'\n') {
            match file.read(&mut line[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    platform::wait_to_read(&file).with_context(cannot_read)?;
                }
                Err(error) => return Err(error).with_context(cannot_read),
            }
        }
        let text = line[..filled].split(|byte| *byte == b'\n').next().unwrap_or_default();
        let text = if text.len() < filled { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
        if text.len() > PASSPHRASE_LIMIT {
            bail!("the first line of {name} is longer than a passphrase may be, 4096 bytes");
        }
        if let [0xef, 0xbb, 0xbf, ..] | [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = text {
            return Err(anyhow!("the passphrase in {name} begins with a byte order mark")).hint(SAVE_AS_UTF_8);
        }
        let text = std::str::from_utf8(text).ok();
        Ok(SecretString::from(text.with_context(|| format!("the passphrase in {name} is not UTF-8"))?))
    }
}
