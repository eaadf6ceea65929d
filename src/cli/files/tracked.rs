//! A file as a source: reading it counts for the progress bar, waits for streams that do not block, and gives up when the bytes
//! are not wanted any more.

use std::{
    fs::File,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use crate::{
    cli::{platform, terminal::progress::Progress},
    crypto::{ReadAt, is_wanted},
};

/// A file that counts the bytes read from it.
pub(crate) struct Tracked {
    pub(super) file: File,
    /// Whether it is a regular file, which never makes a reader wait.
    pub(super) is_file: bool,
    pub(super) progress: Arc<Progress>,
    /// Bytes read in sequence.
    pub(crate) read: u64,
}

/// How long a reader waits before it asks whether the bytes are still wanted.
const PATIENCE: Duration = Duration::from_millis(100);

impl Tracked {
    /// Waits until something can be read. An error if the pipeline has stopped meanwhile.
    fn wait_while_wanted(&self) -> io::Result<()> {
        if self.is_file {
            return Ok(());
        }
        while let Some(wanted) = is_wanted() {
            if !wanted {
                return Err(io::Error::other("it is not wanted any more"));
            }
            if platform::can_read_within(&self.file, PATIENCE)? {
                break;
            }
        }
        Ok(())
    }
}

impl Read for Tracked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait_while_wanted()?;
        // Retried after a signal: a caller of `fill_buf` would take the interruption for an error.
        let count = loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Its other end made it non-blocking, as Node and ssh do.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => platform::wait_to_read(&self.file)?,
                other => break other?,
            }
        };
        self.progress.add(count);
        self.read += count as u64;
        Ok(count)
    }
}

impl ReadAt for Tracked {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = platform::read_at(&self.file, buffer, offset)?;
        self.progress.add(count);
        Ok(count)
    }
}
