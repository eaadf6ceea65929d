//! Writes to an unfinished file: at offsets or in sequence, with holes, and without filling the memory.

use std::{
    io::{self, Write},
    num::NonZeroU64,
    sync::atomic::Ordering,
};

use crate::{
    cli::{
        files::{
            CACHED,
            pending::{Pending, sparse::each_run},
        },
        platform,
    },
    crypto::WriteAt,
};

/// After this many bytes of a file, the system starts to write them to disk, so that little is left to sync at the end.
const WRITEBACK: u64 = 8 << 20;

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

    /// Writes a run of bytes after a hole.
    fn write_run_after_hole(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let Some(end) = &self.in_order else { return self.write_run(bytes, offset) };
        let filled = match self.write_run(bytes, offset) {
            Err(_) if offset > end.load(Ordering::Relaxed) => {
                self.fill_hole(offset).and_then(|()| self.write_run(bytes, offset))
            }
            written => written,
        };
        if !bytes.is_empty() {
            end.fetch_max(offset + bytes.len() as u64, Ordering::Relaxed);
        }
        filled
    }

    /// Writes zeros up to `offset`, where a file can have no holes.
    fn fill_hole(&self, offset: u64) -> io::Result<()> {
        let Some(end) = &self.in_order else { return Ok(()) };
        let zeros = [0; 1 << 16];
        let mut at = end.load(Ordering::Relaxed);
        while at < offset {
            let length = zeros.len().min(usize::try_from(offset - at).unwrap_or(usize::MAX));
            self.write_run(&zeros[..length], at)?;
            at += length as u64;
        }
        end.fetch_max(at, Ordering::Relaxed);
        Ok(())
    }

    /// Extends a file that ends in a hole to its length.
    pub(super) fn set_length(&self) -> io::Result<()> {
        let Some(length) = &self.sparse_length else { return Ok(()) };
        let length = length.load(Ordering::Relaxed);
        match self.file.set_len(length) {
            Err(_) if self.in_order.is_some() => self.fill_hole(length),
            extended => extended,
        }
    }

    /// Counts bytes that were written up to `end`. Once there are many, the system starts to write them to the disk.
    fn count(&self, bytes: u64, end: u64) {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before / WRITEBACK != (before + bytes) / WRITEBACK {
            // Twice as many, because several threads write near the end.
            platform::drop_cached(&self.file, end.saturating_sub(2 * WRITEBACK), NonZeroU64::new(2 * WRITEBACK));
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
                each_run(bytes, offset, |run, offset| self.write_run_after_hole(run, offset))?;
            }
        }
        self.count(bytes.len() as u64, end);
        Ok(())
    }
}
