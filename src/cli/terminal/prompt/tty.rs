//! The controlling terminal.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
};

use crate::cli::{platform, terminal::prompt::passphrase_source::PASSPHRASE_LIMIT};

/// The controlling terminal, wherever standard input and output go.
pub(super) struct Tty {
    input: File,
    output: File,
}

impl Tty {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self {
            input: File::open(platform::TERMINAL_INPUT)?,
            output: File::options().write(true).open(platform::TERMINAL_OUTPUT)?,
        })
    }

    pub(super) fn show(&self, text: &str) -> io::Result<()> {
        (&self.output).write_all(text.as_bytes())
    }

    pub(super) fn line(&self) -> io::Result<String> {
        let mut line = String::new();
        BufReader::new(&self.input).take(PASSPHRASE_LIMIT as u64).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}
