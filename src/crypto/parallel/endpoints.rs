//! The two ends of the pipeline: where bytes come from and where they go, in turn or at offsets.

use std::io::{self, Read, Write};

use crate::crypto::error::Error;

/// Something that many threads may read at offsets at once.
pub trait ReadAt: Sync {
    /// Reads up to `buffer.len()` bytes from `offset`; 0 means the end.
    ///
    /// # Errors
    ///
    /// Those of the source.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

/// Something that many threads may write at offsets at once.
pub trait WriteAt: Sync {
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    ///
    /// Those of the sink.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
}

/// Where bytes come from.
pub enum Source<'a> {
    /// To be read in turn, to its end.
    Sequential(&'a mut (dyn Read + Send)),
    /// To be read at offsets: `length` bytes from `start`.
    AtOffsets {
        /// What is read.
        file: &'a dyn ReadAt,
        /// Where the first byte is.
        start: u64,
        /// How many bytes there are.
        length: u64,
    },
}

/// Where bytes go.
pub enum Sink<'a> {
    /// To be written in turn.
    Sequential(&'a mut (dyn Write + Send)),
    /// To be written at offsets, from `start`. After a failure, bytes beyond what was released may have been written too;
    /// they must not be used.
    AtOffsets {
        /// What is written.
        file: &'a dyn WriteAt,
        /// Where the first byte goes.
        start: u64,
    },
}

impl Source<'_> {
    /// Reads what stands before the segments; fewer bytes than asked for only at the end.
    pub(crate) fn read_prefix(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Sequential(reader) => fill(buffer, |rest| reader.read(rest)),
            Self::AtOffsets { file, start, length } => {
                let wanted = size(*length).min(buffer.len());
                let read = fill_at(*file, &mut buffer[..wanted], *start)?;
                *start += read as u64;
                *length -= read as u64;
                Ok(read)
            }
        }
    }
}

impl Sink<'_> {
    /// Writes what stands before the segments.
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

/// A length as one in memory, as far as memory goes.
pub(crate) fn size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// Reads until `buffer` is full or the source ends.
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

/// The same, at offsets from `start`.
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

    /// Fills eight bytes from a source that gives these in turn: some bytes, the end, or a failure.
    fn filled(gives: &[Result<usize, io::ErrorKind>]) -> Result<usize, Error> {
        let mut gives = gives.iter();
        fill(&mut [0; 8], |rest| match gives.next().expect("nobody reads on after the end or a failure") {
            Ok(count) => Ok(rest.len().min(*count)),
            Err(kind) => Err(io::Error::from(*kind)),
        })
    }

    #[test]
    fn reading_goes_on_after_an_interruption_and_ends_with_any_other_failure() {
        let (interrupted, failed) = (Err(io::ErrorKind::Interrupted), Err(io::ErrorKind::NotConnected));
        assert!(matches!(filled(&[Ok(3), interrupted, interrupted, Ok(9)]), Ok(8)));
        assert!(matches!(filled(&[interrupted, Ok(3), Ok(0)]), Ok(3)));
        assert!(matches!(filled(&[Ok(3), failed]), Err(Error::Read(_))));
    }
}
