//! A plugin in memory, for tests and fuzzing.

use std::io::{self, Read, Write};

/// A plugin that has said everything before it is asked.
pub(crate) struct Script<'s> {
    says: &'s [u8],
    /// Everything that was written to it.
    pub(crate) heard: Vec<u8>,
}

impl<'s> Script<'s> {
    pub(crate) fn new(says: &'s [u8]) -> Self {
        Self { says, heard: Vec::new() }
    }
}

impl Read for Script<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.says.read(buffer)
    }
}

impl Write for Script<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
