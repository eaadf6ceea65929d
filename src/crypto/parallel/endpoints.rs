//! Sources and sinks of bytes, either sequential (a pipe) or addressed by offset (a file).

use std::io::{self, Read, Write};

use crate::crypto::error::Error;

/// A source that several threads can read at once, at offsets in bytes.
pub trait ReadAt: Sync {
    /// Reads up to `buffer.len()` bytes from `offset` and returns how many were read, 0 at the end.
    ///
    /// # Errors
    ///
    /// Any error of the underlying source.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

/// A sink that several threads can write at once, at offsets in bytes.
pub trait WriteAt: Sync {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    ///
    /// Any error of the underlying sink.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
}

/// Where bytes come from.
pub enum Source<'a> {
    /// Read from its current position to its end.
    Sequential(&'a mut (dyn Read + Send)),
    /// Read at offsets, from `start` to the end.
    AtOffsets {
        /// The file to read.
        file: &'a dyn ReadAt,
        /// Offset of the first byte.
        start: u64,
        /// Number of bytes, as far as known. If the file goes on after them, the rest is read in turn.
        length: u64,
    },
}

/// Where bytes go.
pub enum Sink<'a> {
    /// Written from its current position on.
    Sequential(&'a mut (dyn Write + Send)),
    /// Written at offsets, from `start`.
    ///
    /// After an error, bytes beyond the point of failure may have been written too. They must not be used.
    AtOffsets {
        /// The file to write.
        file: &'a dyn WriteAt,
        /// Offset of the first byte.
        start: u64,
    },
}

impl Source<'_> {
    /// Fills `buffer` with the next bytes and advances past them, before a pipeline reads the rest.
    ///
    /// Returns how many bytes were read: fewer than `buffer.len()` only if the source ends.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] or the source's own [`Error`].
    pub(crate) fn read_prefix(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Sequential(reader) => fill(buffer, |rest| reader.read(rest)),
            Self::AtOffsets { file, start, length } => {
                let wanted = saturating_usize(*length).min(buffer.len());
                let read = fill_at(*file, &mut buffer[..wanted], *start)?;
                *start += read as u64;
                *length -= read as u64;
                Ok(read)
            }
        }
    }
}

impl Sink<'_> {
    /// Writes `bytes` and advances past them, before a pipeline writes the rest.
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub(crate) fn write_prefix(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Sequential(writer) => writer.write_all(bytes).map_err(Error::Write),
            Self::AtOffsets { file, start } => {
                file.write_all_at(bytes, *start).map_err(Error::Write)?;
                *start += bytes.len() as u64;
                Ok(())
            }
        }
    }
}

/// A file up to an offset. What follows is not read.
pub(crate) struct UpTo<'a> {
    pub(crate) file: &'a dyn ReadAt,
    pub(crate) end: u64,
}

impl ReadAt for UpTo<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let wanted = saturating_usize(self.end.saturating_sub(offset)).min(buffer.len());
        if wanted == 0 { Ok(0) } else { self.file.read_at(&mut buffer[..wanted], offset) }
    }
}

/// Converts a length in bytes to `usize`, or to the largest `usize` if it does not fit.
pub(crate) fn saturating_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// Calls `read` until `buffer` is full or the source ends, and returns how many bytes were read.
///
/// An interrupted read is repeated.
///
/// # Errors
///
/// [`Error::Read`] or the source's own [`Error`].
pub(crate) fn fill(buffer: &mut [u8], mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Result<usize, Error> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from_read(error)),
        }
    }
    Ok(filled)
}

/// Reads from `start` until `buffer` is full or the file ends, and returns how many bytes were read.
///
/// # Errors
///
/// [`Error::Read`] or the source's own [`Error`].
pub(crate) fn fill_at(file: &dyn ReadAt, buffer: &mut [u8], start: u64) -> Result<usize, Error> {
    let mut offset = start;
    fill(buffer, |rest| {
        let count = file.read_at(rest, offset)?;
        offset += count as u64;
        Ok(count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills eight bytes from a source with these results: a number of bytes, 0 for the end, or an error.
    fn fill_from(results: &[Result<usize, io::ErrorKind>]) -> Result<usize, Error> {
        let mut results = results.iter();
        fill(&mut [0; 8], |rest| match results.next().expect("`fill` stops at the end and at an error") {
            Ok(count) => Ok(rest.len().min(*count)),
            Err(kind) => Err(io::Error::from(*kind)),
        })
    }

    #[test]
    fn reading_continues_after_an_interruption_and_stops_at_any_other_error() {
        let (interrupted, failed) = (Err(io::ErrorKind::Interrupted), Err(io::ErrorKind::NotConnected));
        assert!(matches!(fill_from(&[Ok(3), interrupted, interrupted, Ok(9)]), Ok(8)));
        assert!(matches!(fill_from(&[interrupted, Ok(3), Ok(0)]), Ok(3)));
        assert!(matches!(fill_from(&[Ok(3), failed]), Err(Error::Read(_))));
    }
}
