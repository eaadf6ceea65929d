//! The open file of an input: it counts what is read, waits for more, and leaves the page cache to others.

use std::{
    fs::File,
    io::{self, Read},
    num::NonZeroU64,
    sync::Arc,
    time::Duration,
};

use crate::{
    cli::{files::CACHED, platform, terminal::progress::Progress},
    crypto::{ReadAt, is_wanted},
};

/// A file that counts the bytes read from it.
pub(crate) struct Tracked {
    pub(super) file: File,
    /// Whether it is a regular file, which never blocks a reader.
    pub(super) is_file: bool,
    pub(super) progress: Arc<Progress>,
    /// Bytes read in sequence.
    pub(crate) read: u64,
    /// Whether all that is read stays in memory, because it will be read again.
    pub(super) stays_cached: bool,
}

/// After this many bytes of a large file, those before are dropped from memory.
const FORGOTTEN: u64 = 8 << 20;
/// How long a reader waits before it asks whether the bytes are still wanted.
const PATIENCE: Duration = Duration::from_millis(100);

impl Tracked {
    /// Waits until something can be read. An error if the pipeline has stopped.
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

    /// Drops from memory what lies some way before `end`, after `count` more bytes were read up to there.
    fn forget(&self, count: usize, end: u64) {
        let is_due = end >= CACHED && end / FORGOTTEN != (end - count as u64) / FORGOTTEN;
        if is_due && self.is_file && !self.stays_cached {
            // Other threads may be reading right before the end.
            platform::drop_cached(&self.file, end - 3 * FORGOTTEN, NonZeroU64::new(2 * FORGOTTEN));
        }
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
        self.forget(count, self.read);
        Ok(count)
    }
}

impl ReadAt for Tracked {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = platform::read_at(&self.file, buffer, offset)?;
        self.forget(count, offset + count as u64);
        self.progress.add(count);
        Ok(count)
    }
}
