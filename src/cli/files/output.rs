//! An output while it is written: a stream, or a file that appears when it is committed.

use std::{
    fs::File,
    io::{self, IsTerminal, Seek, Write},
    sync::Arc,
    time::Duration,
};

use crate::{
    cli::{
        files::pending::Pending,
        platform::{self, signals},
        terminal::{errors::BinaryOutput, exit_status::ExitStatus},
    },
    crypto::{Sha256, Sink, is_wanted},
};

/// An output that is being written.
pub(crate) enum Output {
    Stream(Stream),
    File(Pending),
}

/// Hash and size of what was written.
pub(crate) struct Hashed {
    pub(crate) sha256: [u8; 32],
    pub(crate) size: u64,
}

impl Output {
    /// The sink for the pipeline: at offsets into a file, in sequence into a stream and where a file must be written in order.
    pub(crate) fn sink(&mut self) -> Sink<'_> {
        match self {
            Self::Stream(stream) => Sink::Sequential(stream),
            Self::File(pending) => pending.sink(),
        }
    }

    /// From now on, blocks of zeros become holes. Does nothing for a stream.
    pub(crate) fn leave_holes(&mut self) {
        if let Self::File(pending) = self {
            pending.leave_holes();
        }
    }

    /// Appends the rest of a file.
    pub(crate) fn copy(&mut self, file: &mut File) -> io::Result<()> {
        match self {
            Self::Stream(stream) => io::copy(file, stream).map(drop),
            Self::File(pending) => pending.copy(file),
        }
    }

    /// Cuts a file to `length` bytes. Does nothing for a stream.
    pub(crate) fn truncate(&self, length: u64) -> io::Result<()> {
        match self {
            Self::Stream(_) => Ok(()),
            Self::File(pending) => pending.truncate(length),
        }
    }

    /// Holds back output to a terminal until it is complete, because the input is typed on the same terminal.
    pub(crate) fn hold_back(&mut self) {
        if let Self::Stream(stream) = self
            && stream.file.is_terminal()
        {
            stream.held = Some(Vec::new());
        }
    }

    /// Hashes the bytes a stream writes from now on. A file is hashed when it is complete.
    pub(crate) fn hash(&mut self) {
        if let Self::Stream(stream) = self {
            stream.sha256 = Some(Sha256::new());
        }
    }

    /// Hash and size of what was written. A file is read back through the descriptor that will get the name.
    pub(crate) fn hashed(&mut self) -> io::Result<Hashed> {
        match self {
            Self::Stream(stream) => {
                let sha256 = stream.sha256.take().expect("`hash` was called before writing").finish();
                Ok(Hashed { sha256, size: stream.written })
            }
            Self::File(pending) => {
                let mut sha256 = Sha256::new();
                let mut file = pending.read_back()?;
                file.rewind()?;
                let size = io::copy(&mut file, &mut sha256)?;
                Ok(Hashed { sha256: sha256.finish(), size })
            }
        }
    }

    /// Bytes that a reader may already have received: 0 for a file, which has no name yet.
    pub(crate) fn released(&self) -> u64 {
        match self {
            Self::Stream(stream) => stream.written,
            Self::File(_) => 0,
        }
    }

    /// Bytes that were written to a block device, which keeps what it holds after them.
    pub(crate) fn written_to_device(&self) -> Option<u64> {
        match self {
            Self::Stream(stream) => {
                let is_device = stream.file.metadata().is_ok_and(|metadata| platform::is_block_device(&metadata));
                is_device.then_some(stream.written)
            }
            Self::File(_) => None,
        }
    }

    /// Whether this is an open file that other users may read.
    pub(crate) fn others_may_read(&self) -> bool {
        match self {
            Self::Stream(stream) => stream.file.metadata().is_ok_and(|metadata| platform::others_may_read(&metadata)),
            Self::File(_) => false,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.write(bytes),
            Self::File(pending) => pending.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard output, a device or a pipe.
pub(crate) struct Stream {
    file: Arc<File>,
    text_only: bool,
    written: u64,
    /// The hash of the written bytes, if wanted.
    sha256: Option<Sha256>,
    /// Bytes held back until the output is finished.
    held: Option<Vec<u8>>,
}

/// How often a writer that waits asks whether the run has failed elsewhere.
const LOOK: Duration = Duration::from_millis(100);
/// How long a reader may accept nothing while an error waits to be reported.
const PATIENCE: Duration = Duration::from_secs(3);

impl Stream {
    pub(crate) fn new(file: Arc<File>, text_only: bool) -> Self {
        platform::enlarge_pipe(&file);
        let file = platform::without_blocking(&file).map_or(file, Arc::new);
        Self { file, text_only, written: 0, sha256: None, held: None }
    }

    /// Syncs what was written to a file or block device, and closes a duplicate: some failures show only then.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if let Some(held) = self.held.take() {
            self.write_all(&held)?;
        }
        if self.file.metadata().is_ok_and(|metadata| metadata.is_file() || platform::is_block_device(&metadata)) {
            self.file.sync_all()?;
            platform::close_duplicate(&self.file)?;
        }
        Ok(())
    }
}

impl Stream {
    /// Waits until a pipe takes more bytes. Its other end may have made it non-blocking, as Node and ssh do.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::TimedOut`] if nothing is taken while an error waits; errors from the system.
    fn wait_for_reader(&self) -> io::Result<()> {
        let mut stalled = Duration::ZERO;
        while !platform::can_write_within(&self.file, LOOK)? {
            if is_wanted() == Some(false) {
                stalled += LOOK;
            }
            if stalled >= PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text_only && !is_text(bytes) {
            return Err(io::Error::other(BinaryOutput));
        }
        if let Some(held) = &mut self.held {
            held.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let written = loop {
            match (&*self.file).write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_for_reader()?,
                other => break other,
            }
        };
        match written {
            // The reader has gone. Other workers may be waiting for input that never comes, so the program ends here, as
            // SIGPIPE would have ended it.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => signals::exit(ExitStatus::ClosedPipe as i32),
            Ok(count) => {
                self.written += count as u64;
                if let Some(sha256) = &mut self.sha256 {
                    sha256.update(&bytes[..count]);
                }
                Ok(count)
            }
            error => error,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a terminal shows these bytes as they are. A character may be cut at either end.
fn is_text(bytes: &[u8]) -> bool {
    let start = bytes.iter().take(3).take_while(|byte| matches!(byte, 0x80..=0xbf)).count();
    let whole = match std::str::from_utf8(&bytes[start..]) {
        Ok(_) => bytes.len(),
        Err(error) if error.error_len().is_none() => start + error.valid_up_to(),
        Err(_) => return false,
    };
    let text = std::str::from_utf8(&bytes[start..whole]).expect("it was just validated");
    text.chars().all(|character| !character.is_control() || matches!(character, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_distinguished_from_binary() {
        assert!(is_text("plain\ttext\r\n é 漢".as_bytes()));
        assert!(is_text(&"漢字".as_bytes()[1..5]), "characters may be cut at both ends");
        assert!(!is_text(b"esc \x1b[2J"));
        assert!(!is_text(b"nul \0"));
        assert!(!is_text(b"a \xff b"));
    }
}
