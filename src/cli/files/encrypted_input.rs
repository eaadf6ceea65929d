//! An encrypted input, armored or not, whose header has been read.

use std::io::{self, BufRead, BufReader, Write as _};

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

/// An encrypted input: its header, and its payload, which is still to come.
pub(crate) struct Sealed<'i> {
    pub(crate) decryptor: Decryptor,
    body: Body<'i>,
}

enum Body<'i> {
    Binary(&'i mut Input),
    Armored(ArmorReader<&'i mut BufReader<Tracked>>),
}

impl<'i> Sealed<'i> {
    /// Reads the header.
    pub(crate) fn read(input: &'i mut Input) -> Result<Self> {
        Self::read_by(input, Decryptor::read)
    }

    /// Reads what is left of a header that may be damaged.
    pub(crate) fn read_damaged(input: &'i mut Input) -> Result<Self> {
        Self::read_by(input, Decryptor::read_damaged)
    }

    fn read_by(input: &'i mut Input, read: fn(&mut dyn BufRead) -> Result<Decryptor, Error>) -> Result<Self> {
        if looks_armored(input.reader.fill_buf()?) {
            let mut armor = ArmorReader::new(&mut input.reader);
            Ok(Self { decryptor: read(&mut armor)?, body: Body::Armored(armor) })
        } else {
            Ok(Self { decryptor: read(&mut input.reader)?, body: Body::Binary(input) })
        }
    }

    pub(crate) fn is_armored(&self) -> bool {
        matches!(self.body, Body::Armored(_))
    }

    /// Authenticates the last chunk, where it can be read before the others.
    pub(crate) fn check_end(&mut self, unlocked: &Unlocked) -> Result<()> {
        if let source @ Source::AtOffsets { .. } = self.payload() {
            unlocked.payload(source)?.check_final_chunk()?;
        }
        Ok(())
    }

    /// Writes the payload as it is behind another header; in armor, if it is in armor.
    pub(crate) fn copy(&mut self, header: &[u8], output: &mut Output) -> Result<()> {
        let cannot_write = "cannot write the new file";
        match &mut self.body {
            Body::Armored(armor) => {
                let mut armored = ArmorWriter::new(output);
                armored.write_all(header).context(cannot_write)?;
                io::copy(armor, &mut armored).map_err(Error::from_read)?;
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

    /// All that stands behind the header. Of an input that can be read at offsets, as often as it is wanted.
    pub(crate) fn payload(&mut self) -> Source<'_> {
        match &mut self.body {
            Body::Armored(armor) => Source::Sequential(armor),
            Body::Binary(input) => input.source(self.decryptor.header().as_bytes().len() as u64),
        }
    }
}
