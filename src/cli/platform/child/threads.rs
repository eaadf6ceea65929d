//! The pipes of a program on Windows, which has no way to watch several: a thread reads each. The threads end when the program
//! and all others that hold its pipes have ended.

use std::{
    io::{self, ErrorKind, Read, Write},
    process::{ChildStderr, ChildStdin, ChildStdout},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::Duration,
};

use crate::{
    cli::platform::child::event::Event,
    crypto::{secrecy::Zeroizing, spawn},
};

/// Buffers that the threads may be ahead.
const AHEAD: usize = 16;
const BUFFER: usize = 4096;

/// Bytes that a thread read. None at the end of its pipe.
enum Part {
    Output(Zeroizing<Vec<u8>>),
    Error(Zeroizing<Vec<u8>>),
}

pub(super) struct Pipes {
    stdin: Option<ChildStdin>,
    parts: Option<Receiver<Part>>,
    /// The output that the caller had no room for.
    rest: Zeroizing<Vec<u8>>,
    output_ended: bool,
}

impl Pipes {
    pub(super) fn new(stdin: ChildStdin, stdout: ChildStdout, stderr: ChildStderr) -> io::Result<Self> {
        let (sender, parts) = sync_channel(AHEAD);
        read_in_thread(stdout, sender.clone(), Part::Output)?;
        read_in_thread(stderr, sender, Part::Error)?;
        Ok(Self { stdin: Some(stdin), parts: Some(parts), rest: Zeroizing::default(), output_ended: false })
    }

    pub(super) fn hang_up(&mut self) {
        self.stdin = None;
        self.parts = None;
    }

    pub(super) fn next(
        &mut self,
        input: Option<&[u8]>,
        output: &mut [u8],
        error: &mut [u8],
        patience: Option<Duration>,
    ) -> io::Result<Event> {
        if let Some(input) = input {
            let stdin = self.stdin.as_mut().ok_or(ErrorKind::BrokenPipe)?;
            return stdin.write(input).map(Event::Written);
        }
        if self.rest.is_empty() && !self.output_ended {
            match self.part(patience) {
                Ok(Part::Output(part)) => {
                    self.output_ended = part.is_empty();
                    self.rest = part;
                }
                Ok(Part::Error(part)) => return Ok(Event::Error(copy(&part, error))),
                Err(RecvTimeoutError::Timeout) => return Ok(Event::Silence),
                Err(RecvTimeoutError::Disconnected) => self.output_ended = true,
            }
        }
        let copied = copy(&self.rest, output);
        self.rest = Zeroizing::new(self.rest[copied..].to_vec());
        Ok(Event::Output(copied))
    }

    fn part(&self, patience: Option<Duration>) -> Result<Part, RecvTimeoutError> {
        let parts = self.parts.as_ref().ok_or(RecvTimeoutError::Disconnected)?;
        match patience {
            Some(patience) => parts.recv_timeout(patience),
            None => parts.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// Reads standard error without waiting. Output that arrives before it is dropped.
    pub(super) fn read_error<'b>(&mut self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        loop {
            if let Part::Error(part) = self.part(Some(Duration::ZERO)).ok()?
                && !part.is_empty()
            {
                let copied = copy(&part, buffer);
                return Some(&buffer[..copied]);
            }
        }
    }
}

fn read_in_thread(
    mut pipe: impl Read + Send + 'static,
    parts: SyncSender<Part>,
    part: fn(Zeroizing<Vec<u8>>) -> Part,
) -> io::Result<()> {
    let read = move || loop {
        let mut buffer = Zeroizing::new(vec![0; BUFFER]);
        let read = pipe.read(&mut buffer).unwrap_or(0);
        buffer.truncate(read);
        if parts.send(part(buffer)).is_err() || read == 0 {
            return;
        }
    };
    spawn(read).map(drop)
}

/// Copies as many bytes as fit, and returns their number.
fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let length = from.len().min(to.len());
    to[..length].copy_from_slice(&from[..length]);
    length
}
