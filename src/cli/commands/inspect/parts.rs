//! The parts of a file, and their sizes.

use std::{
    io::{self, BufRead},
    path::Path,
    sync::Arc,
};

use anyhow::{Result, anyhow};
use serde::Serialize;

use crate::{
    cli::{
        files::{encrypted_input::read_typed, input::Input, naming::InputPath},
        terminal::{advice::Advise, json, progress::Progress},
    },
    crypto::{
        Decryptor, Error, PAYLOAD_NONCE, PayloadFault, SEALED_CHUNK,
        armor::{ArmorReader, looks_armored},
        plaintext_length,
    },
};

/// The parts of a file.
pub(crate) struct Parts {
    /// The file's name, or `None` for standard input and for devices and pipes.
    pub(crate) file: Option<String>,
    pub(crate) armored: bool,
    pub(crate) decryptor: Decryptor,
    /// `None` if the file is truncated.
    pub(crate) sizes: Option<Sizes>,
    whole_chunks: u64,
    has_changed: bool,
}

impl Parts {
    /// Reads the header, and counts the bytes after it if the length is unknown.
    ///
    /// # Errors
    ///
    /// Those of [`Input::open`] and [`Decryptor::read`].
    pub(crate) fn read(path: &Path, progress: Arc<Progress>) -> Result<Self> {
        let mut input = Input::open(&InputPath::new(path.to_owned()), progress)?;
        input.progress.begin();
        let typed = read_typed(&mut input)?;
        let armored = match &typed {
            Some(typed) => looks_armored(typed),
            None => looks_armored(input.reader.fill_buf()?),
        };
        // `binary` is the size without armor, `total` the size with it.
        let (decryptor, binary, total) = if let Some(typed) = &typed {
            let mut text = typed.as_slice();
            let mut armor;
            let decoded: &mut dyn BufRead = if armored {
                armor = ArmorReader::new(text);
                &mut armor
            } else {
                &mut text
            };
            let decryptor = Decryptor::read(decoded)?;
            let binary = header_length(&decryptor) + count(decoded)?;
            (decryptor, binary, typed.len() as u64)
        } else if armored {
            let mut armor = ArmorReader::new(&mut input.reader);
            let decryptor = Decryptor::read(&mut armor)?;
            let binary = header_length(&decryptor) + count(&mut armor)?;
            (decryptor, binary, input.reader.get_ref().read)
        } else {
            let decryptor = Decryptor::read(&mut input.reader)?;
            input.check_length();
            let length = match input.length() {
                Some(length) => length,
                None => header_length(&decryptor) + count(&mut input.reader)?,
            };
            (decryptor, length, length)
        };
        let header = header_length(&decryptor);
        let sealed = binary.saturating_sub(header);
        let sizes = plaintext_length(sealed).map(|payload| Sizes {
            header,
            armor: total - binary,
            overhead: sealed - payload,
            payload,
            padded: None,
        });
        Ok(Self {
            file: input.is_named_file().then(|| json::path(path)),
            armored,
            decryptor,
            sizes,
            whole_chunks: sealed.saturating_sub(PAYLOAD_NONCE as u64) / SEALED_CHUNK as u64,
            has_changed: input.into_source_file().has_changed(),
        })
    }

    /// Fails if the file is truncated, or changed while it was being read.
    ///
    /// # Errors
    ///
    /// [`Error::Payload`] if it is truncated.
    pub(crate) fn check_is_whole(&self) -> Result<()> {
        if self.has_changed {
            return Err(anyhow!("it changed while it was being read"))
                .hint("inspect it again once nothing writes to it");
        }
        let truncated = Error::Payload { chunk: self.whole_chunks, fault: PayloadFault::Truncated };
        Ok(self.sizes.map(drop).ok_or(truncated)?)
    }
}

/// Sizes in bytes, which add up to the size of the file.
#[derive(Serialize, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) header: u64,
    pub(crate) armor: u64,
    pub(crate) overhead: u64,
    pub(crate) payload: u64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    padded: Option<Padded>,
}

/// The payload as age-inspect describes it. The format has no padding yet.
#[derive(Serialize, Clone, Copy)]
struct Padded {
    min_payload: u64,
    max_payload: u64,
    min_padding: u64,
    max_padding: u64,
}

impl Sizes {
    /// Adds the fields of age-inspect.
    pub(crate) fn add_padding(&mut self) {
        let payload = self.payload;
        self.padded = Some(Padded { min_payload: payload, max_payload: payload, min_padding: 0, max_padding: 0 });
    }
}

fn header_length(decryptor: &Decryptor) -> u64 {
    decryptor.header().as_bytes().len() as u64
}

/// Counts the bytes up to the end.
fn count(input: &mut dyn BufRead) -> Result<u64> {
    let mut counted = 0;
    loop {
        let available = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other.map_err(Error::from_read)?.len(),
        };
        if available == 0 {
            return Ok(counted);
        }
        counted += available as u64;
        input.consume(available);
    }
}
