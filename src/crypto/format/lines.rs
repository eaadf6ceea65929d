//! Reads the lines of a header and keeps their bytes, which the MAC covers.

use std::io::{BufRead, Read};

use crate::crypto::error::Error;

/// Length of the longest header that is read: 16 MiB, enough for ten thousand post-quantum recipients.
pub(super) const HEADER_LIMIT: u64 = 16 << 20;

/// The fault of a header that a truncated file ends in.
pub const HEADER_CUT: &str = "the file ends inside the header";
/// The fault of a header that is longer than any that is read.
pub const HEADER_TOO_LONG: &str = "the header is longer than 16 MiB";

/// Reads lines that end in a line feed, and not a byte beyond the last line asked for.
pub(super) struct LineReader<'a> {
    pub(super) input: &'a mut dyn BufRead,
    /// All bytes read so far, with line feeds.
    pub(super) text: Vec<u8>,
    /// Whether the last line read ended in a line feed.
    pub(super) is_terminated: bool,
}

impl<'a> LineReader<'a> {
    /// Reads lines from `input`, starting with line 1.
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, text: Vec::new(), is_terminated: false }
    }

    /// Reads the next line and returns it without its line feed.
    ///
    /// # Errors
    ///
    /// [`Error::Header`] if the line is not terminated or not UTF-8, or if the header is longer than [`HEADER_LIMIT`];
    /// those of [`read_bytes`](Self::read_bytes).
    pub(super) fn read_line(&mut self) -> Result<String, Error> {
        let line = self.read_bytes(HEADER_LIMIT)?;
        self.check_terminated()?;
        String::from_utf8(line).map_err(|_| self.fault("it is not ASCII"))
    }

    /// Reads up to a line feed, the end of the input, or `limit` bytes. Returns the bytes without the line feed.
    ///
    /// # Errors
    ///
    /// [`Error::Armor`], [`Error::Read`].
    pub(super) fn read_bytes(&mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let start = self.text.len();
        let limit = limit.min(HEADER_LIMIT - start as u64);
        Read::take(&mut *self.input, limit).read_until(b'\n', &mut self.text).map_err(Error::from_read)?;
        let line = &self.text[start..];
        self.is_terminated = line.ends_with(b"\n");
        Ok(line.strip_suffix(b"\n").unwrap_or(line).to_vec())
    }

    /// Checks that the last line read ended in a line feed.
    ///
    /// # Errors
    ///
    /// [`Error::Header`].
    pub(super) fn check_terminated(&self) -> Result<(), Error> {
        if self.is_terminated {
            Ok(())
        } else if self.text.len() as u64 == HEADER_LIMIT {
            Err(self.fault(HEADER_TOO_LONG))
        } else {
            Err(self.fault(HEADER_CUT))
        }
    }

    /// Returns an [`Error::Header`] at the last line read.
    pub(super) fn fault(&self, fault: &'static str) -> Error {
        let before = &self.text[..self.text.len() - usize::from(self.is_terminated)];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        Error::Header { line, fault }
    }
}
