//! Writing to a file in the making: at offsets or in sequence, with holes, and without filling the memory.

use std::{
    io::{self, Write},
    num::NonZeroU64,
    sync::atomic::Ordering,
};

use crate::{
    cli::{
        files::pending::{Pending, sparse::each_run},
        platform,
    },
    crypto::WriteAt,
};

/// After so many bytes of a file, the system starts to write them to the disk, so that syncing the file at its end finds little
/// to do.
const WRITEBACK: u64 = 8 << 20;

/// What follows so many bytes of a file is not kept in memory: a large backup would push out everything else.
const CACHED: u64 = 1 << 30;

impl Pending {
    fn write_run(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.written.load(Ordering::Relaxed) >= CACHED && !self.always_cached.load(Ordering::Relaxed) {
            match platform::write_all_at_uncached(&self.file, bytes, offset) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    self.always_cached.store(true, Ordering::Relaxed);
                }
                written => return written,
            }
        }
        platform::write_all_at(&self.file, bytes, offset)
    }

    /// Counts bytes that were written up to `end`. Once there are many, the system starts to write them to the disk.
    fn count(&self, bytes: u64, end: u64) {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before / WRITEBACK != (before + bytes) / WRITEBACK {
            // Twice as many, because several threads write near the end.
            platform::write_back(&self.file, end.saturating_sub(2 * WRITEBACK), NonZeroU64::new(2 * WRITEBACK));
        }
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all_at(bytes, self.cursor)?;
        self.cursor += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteAt for Pending {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let end = offset + bytes.len() as u64;
        match &self.sparse_length {
            None => self.write_run(bytes, offset)?,
            Some(length) => {
                length.fetch_max(end, Ordering::Relaxed);
                each_run(bytes, offset, |run, offset| self.write_run(run, offset))?;
            }
        }
        self.count(bytes.len() as u64, end);
        Ok(())
    }
}
