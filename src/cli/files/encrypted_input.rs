//! An encrypted input, armored or not, with its header read.

use std::{
    io::{self, BufRead, BufReader, Cursor, Read, Write as _},
    sync::Arc,
};

use anyhow::{Context, Result};

use crate::{
    cli::{
        files::{
            input::{Input, Tracked},
            naming::InputPath,
            output::Output,
        },
        terminal::{advice::advised, progress::Progress},
    },
    crypto::{
        Decryptor, Error, Payload, Source, Unlocked,
        armor::{ArmorReader, ArmorWriter, armored_length, is_end, looks_armored},
        payload_length,
    },
};

/// Bytes in the longest text that is typed or pasted on a terminal.
const TYPED_LIMIT: usize = 64 << 20;

/// An encrypted input: its header, and its payload, which is still to be read.
pub(crate) struct EncryptedInput<'i> {
    pub(crate) decryptor: Decryptor,
    body: Body<'i>,
}

/// Reads only the header of a file.
///
/// # Errors
///
/// Those of [`Input::open`] and [`Decryptor::read`].
pub(crate) fn read_header(path: &InputPath) -> Result<Decryptor> {
    let mut input = Input::open(path, Arc::new(Progress::none()))?;
    Ok(EncryptedInput::read(&mut input)?.decryptor)
}

/// Returns whether a file of `size` bytes can hold `plaintext` bytes, by the length of its header. Armor counts if it is as this
/// program writes it.
pub(crate) fn can_hold(path: &InputPath, size: u64, plaintext: u64) -> bool {
    let encrypted_size = || {
        let mut input = Input::open(path, Arc::new(Progress::none())).ok()?;
        let encrypted = EncryptedInput::read(&mut input).ok()?;
        let header = encrypted.decryptor.header().as_bytes().len() as u64;
        let binary = payload_length(plaintext)?.checked_add(header)?;
        if encrypted.is_armored() { armored_length(binary) } else { Some(binary) }
    };
    encrypted_size() == Some(size)
}

enum Body<'i> {
    Binary(&'i mut Input),
    Armored(ArmorReader<&'i mut BufReader<Tracked>>),
    /// Typed or pasted at a terminal, and therefore read as a whole: a passphrase may follow.
    Typed(Box<dyn BufRead + Send>),
}

impl<'i> EncryptedInput<'i> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// Those of [`Decryptor::read`].
    pub(crate) fn read(input: &'i mut Input) -> Result<Self> {
        Self::read_by(input, Decryptor::read)
    }

    /// Reads what is left of a header that may be damaged.
    ///
    /// # Errors
    ///
    /// Those of [`Decryptor::read_damaged`].
    pub(crate) fn read_damaged(input: &'i mut Input) -> Result<Self> {
        Self::read_by(input, Decryptor::read_damaged)
    }

    fn read_by(input: &'i mut Input, read: fn(&mut dyn BufRead) -> Result<Decryptor, Error>) -> Result<Self> {
        if let Some(text) = read_typed(input).map_err(Error::Read)? {
            let is_armored = looks_armored(&text);
            let text = Cursor::new(text);
            let mut typed: Box<dyn BufRead + Send> =
                if is_armored { Box::new(ArmorReader::new(text)) } else { Box::new(text) };
            return Ok(Self { decryptor: read(&mut typed)?, body: Body::Typed(typed) });
        }
        input.check_length();
        if looks_armored(input.reader.fill_buf()?) {
            let mut armor = ArmorReader::new(&mut input.reader);
            Ok(Self { decryptor: read(&mut armor)?, body: Body::Armored(armor) })
        } else {
            let armored_line = line_of_armor(input.reader.fill_buf()?);
            let decryptor = match (read(&mut input.reader), armored_line) {
                (Err(error @ Error::NotAge), Some(line)) => {
                    return Err(advised(
                        error,
                        format!(
                            "armored text begins on line {line}: keep it and what follows up to '-----END AGE ENCRYPTED FILE-----', without anything before each line"
                        ),
                    ));
                }
                (read, _) => read?,
            };
            Ok(Self { decryptor, body: Body::Binary(input) })
        }
    }

    pub(crate) fn is_armored(&self) -> bool {
        !matches!(self.body, Body::Binary(_))
    }

    /// Authenticates the last chunk, if it can be read before the others.
    ///
    /// # Errors
    ///
    /// Those of [`Payload::check_final_chunk`](crate::crypto::Payload::check_final_chunk).
    pub(crate) fn check_end(&mut self, unlocked: &Unlocked) -> Result<()> {
        if let source @ Source::AtOffsets { .. } = self.payload() {
            unlocked.payload(source)?.check_final_chunk()?;
        }
        Ok(())
    }

    /// Writes the payload unchanged after another header, armored if the input is.
    ///
    /// # Errors
    ///
    /// Errors from reading and writing.
    pub(crate) fn copy(&mut self, header: &[u8], output: &mut Output) -> Result<()> {
        let cannot_write = "cannot write the new file";
        match &mut self.body {
            Body::Armored(armor) => copy_armored(header, armor, output).context(cannot_write)?,
            Body::Typed(armor) => copy_armored(header, armor, output).context(cannot_write)?,
            Body::Binary(input) => {
                output.write_all(header).context(cannot_write)?;
                let mut payload = input.file_at(self.decryptor.header().as_bytes().len() as u64)?;
                output.copy(&mut payload).context(cannot_write)?;
            }
        }
        Ok(())
    }

    /// The payload. If it is followed by other data on a device or in a pipe, its errors say so.
    ///
    /// # Errors
    ///
    /// Those of [`Unlocked::payload`].
    pub(crate) fn open(&mut self, unlocked: &Unlocked) -> Result<Payload<'_>> {
        let may_go_on = matches!(&self.body, Body::Binary(input) if input.may_go_on());
        let payload = unlocked.payload(self.payload())?;
        Ok(if may_go_on { payload.may_be_followed() } else { payload })
    }

    /// Everything after the header. If the input can be read at offsets, this can be called repeatedly.
    pub(crate) fn payload(&mut self) -> Source<'_> {
        match &mut self.body {
            Body::Armored(armor) => Source::Sequential(armor),
            Body::Typed(armor) => Source::Sequential(armor),
            Body::Binary(input) => input.source(self.decryptor.header().as_bytes().len() as u64),
        }
    }
}

/// The line, from 1, in which armored text begins within other text, if it does.
fn line_of_armor(text: &[u8]) -> Option<usize> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let is_begin = |line: &[u8]| line.trim_ascii_end().ends_with(b"-----BEGIN AGE ENCRYPTED FILE-----");
    lines.position(is_begin).map(|index| index + 1)
}

fn copy_armored(header: &[u8], mut payload: impl Read, output: &mut Output) -> Result<()> {
    let mut armored = ArmorWriter::new(output);
    armored.write_all(header)?;
    io::copy(&mut payload, &mut armored).map_err(Error::from_read)?;
    armored.finish()?;
    Ok(())
}

/// Reads what is typed or pasted on a terminal, up to the end of the armor or of the input. `None` if it is not a terminal.
///
/// All of it, so that a passphrase can be asked for on the same terminal.
///
/// # Errors
///
/// If it is longer than 64 MiB; errors from the system.
pub(crate) fn read_typed(input: &mut Input) -> io::Result<Option<Vec<u8>>> {
    if !input.is_terminal() {
        return Ok(None);
    }
    let mut typed = Vec::new();
    loop {
        let start = typed.len();
        let count = input.reader.by_ref().take(TYPED_LIMIT as u64).read_until(b'\n', &mut typed)?;
        if count == 0 || is_end(&typed[start..]) {
            return Ok(Some(typed));
        }
        if typed.len() > TYPED_LIMIT {
            return Err(io::Error::other("more than 64 MiB were typed"));
        }
    }
}
