//! In-memory sources and sinks of both kinds, which can be made to fail.

use std::{
    io::{self, Read, Write},
    num::NonZeroUsize,
    sync::Mutex,
};

use solekey::crypto::{ReadAt, Sink, Source, WriteAt};

/// The numbers of threads that must all give the same result.
pub(crate) const THREADS: [usize; 4] = [1, 2, 3, 8];

pub(crate) fn threads(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("the number is not zero")
}

/// The kind of a source or sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Sequential,
    AtOffsets,
}

pub(crate) const ENDS: [End; 2] = [End::Sequential, End::AtOffsets];

/// A source of bytes. Reading fails from the offset `fails_at` on.
pub(crate) struct Bytes<'a> {
    bytes: &'a [u8],
    read: usize,
    fails_at: usize,
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, read: 0, fails_at: usize::MAX }
    }

    #[allow(dead_code, reason = "not every test needs a failure")]
    pub(crate) fn failing_at(bytes: &'a [u8], fails_at: usize) -> Self {
        Self { bytes, read: 0, fails_at }
    }

    pub(crate) fn source(&mut self, end: End) -> Source<'_> {
        match end {
            End::Sequential => Source::Sequential(self),
            End::AtOffsets => Source::AtOffsets { file: self, start: 0, length: self.bytes.len() as u64 },
        }
    }

    fn copy(&self, buffer: &mut [u8], offset: usize) -> io::Result<usize> {
        if offset >= self.fails_at {
            return Err(io::Error::other("no more can be read"));
        }
        let rest = &self.bytes[offset.min(self.bytes.len())..self.bytes.len().min(self.fails_at)];
        // Short reads, as from pipes.
        let count = rest.len().min(buffer.len()).min(50_001);
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.copy(buffer, self.read)?;
        self.read += count;
        Ok(count)
    }
}

impl ReadAt for Bytes<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.copy(buffer, usize::try_from(offset).expect("it is in memory"))
    }
}

/// A sink that keeps what is written. Writing beyond the offset `fails_at` fails.
pub(crate) struct Written {
    bytes: Mutex<Vec<u8>>,
    fails_at: usize,
}

impl Written {
    pub(crate) fn new() -> Self {
        Self::failing_at(usize::MAX)
    }

    pub(crate) fn failing_at(fails_at: usize) -> Self {
        Self { bytes: Mutex::default(), fails_at }
    }

    pub(crate) fn sink(&mut self, end: End) -> Sink<'_> {
        match end {
            End::Sequential => Sink::Sequential(self),
            End::AtOffsets => Sink::AtOffsets { file: self, start: 0 },
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes.into_inner().expect("no test panics while it writes")
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let offset = self.bytes.lock().expect("no test panics while it writes").len() as u64;
        self.write_all_at(bytes, offset)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteAt for Written {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).expect("it is in memory");
        let end = start + bytes.len();
        if end > self.fails_at {
            return Err(io::Error::other("no more can be written"));
        }
        let mut written = self.bytes.lock().expect("no test panics while it writes");
        if written.len() < end {
            written.resize(end, 0);
        }
        written[start..end].copy_from_slice(bytes);
        Ok(())
    }
}
