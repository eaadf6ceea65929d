//! An encrypted input, armored or not, with its header read.

use std::io::{self, BufRead, BufReader, Cursor, Write as _};

use anyhow::{Context, Result};

use crate::{
    cli::files::{
        input::{Input, Tracked},
        output::Output,
    },
    crypto::{
        Decryptor, Error, Source, Unlocked,
        armor::{ArmorReader, ArmorWriter, looks_armored},
    },
};

/// An encrypted input: its header, and its payload, which is still to be read.
pub(crate) struct EncryptedInput<'i> {
    pub(crate) decryptor: Decryptor,
    is_armored: bool,
    body: Body<'i>,
}

enum Body<'i> {
    Binary(&'i mut Input),
    Armored(ArmorReader<&'i mut BufReader<Tracked>>),
    /// Armored text, typed or pasted on a terminal.
    Pasted(ArmorReader<Cursor<Vec<u8>>>),
    /// Anything else that is typed.
    Typed(Cursor<Vec<u8>>),
}

impl Body<'_> {
    /// The reader that decodes the body, for anything but a binary input.
    fn decoded(&mut self) -> Option<&mut (dyn BufRead + Send)> {
        match self {
            Self::Binary(_) => None,
            Self::Armored(armor) => Some(armor),
            Self::Pasted(armor) => Some(armor),
            Self::Typed(typed) => Some(typed),
        }
    }
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
        let typed = input.read_typed().map_err(Error::Read)?;
        let is_armored = match &typed {
            Some(typed) => looks_armored(typed),
            None => looks_armored(input.reader.fill_buf()?),
        };
        let mut body = match typed {
            Some(typed) if is_armored => Body::Pasted(ArmorReader::new(Cursor::new(typed))),
            Some(typed) => Body::Typed(Cursor::new(typed)),
            None if is_armored => Body::Armored(ArmorReader::new(&mut input.reader)),
            None => Body::Binary(input),
        };
        let decryptor = match &mut body {
            Body::Binary(input) => read(&mut input.reader)?,
            other => read(other.decoded().expect("every other body decodes"))?,
        };
        Ok(Self { decryptor, is_armored, body })
    }

    pub(crate) fn is_armored(&self) -> bool {
        self.is_armored
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
    /// Those of reading and writing.
    pub(crate) fn copy(&mut self, header: &[u8], output: &mut Output) -> Result<()> {
        let cannot_write = "cannot write the new file";
        match &mut self.body {
            body @ (Body::Armored(_) | Body::Pasted(_) | Body::Typed(_)) => {
                let decoded = body.decoded().expect("it is not binary");
                let mut armored = ArmorWriter::new(output);
                armored.write_all(header).context(cannot_write)?;
                io::copy(decoded, &mut armored).map_err(Error::from_read)?;
                armored.finish().context(cannot_write)?;
            }
            Body::Binary(input) => {
                output.write_all(header).context(cannot_write)?;
                let mut payload = input.file_at(self.decryptor.header().as_bytes().len() as u64)?;
                output.copy(&mut payload).context(cannot_write)?;
            }
        }
        Ok(())
    }

    /// Everything after the header. An input that can be read at offsets gives it as often as it is asked for.
    pub(crate) fn payload(&mut self) -> Source<'_> {
        match &mut self.body {
            Body::Armored(armor) => Source::Sequential(armor),
            Body::Pasted(armor) => Source::Sequential(armor),
            Body::Typed(typed) => Source::Sequential(typed),
            Body::Binary(input) => input.source(self.decryptor.header().as_bytes().len() as u64),
        }
    }
}
