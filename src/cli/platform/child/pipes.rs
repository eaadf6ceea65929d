//! The pipes of a program on Unix, watched together by one thread.

use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::Errno,
};

use crate::cli::platform::child::event::Event;

/// The pipes that are open. They are always waited for together.
pub(super) struct Pipes {
    stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
}

impl Pipes {
    pub(super) fn new(
        stdin: impl Into<OwnedFd>,
        stdout: impl Into<OwnedFd>,
        stderr: impl Into<OwnedFd>,
    ) -> io::Result<Self> {
        let (stdin, stdout, stderr) = (stdin.into(), stdout.into(), stderr.into());
        for pipe in [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()] {
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        Ok(Self { stdin: Some(stdin.into()), stdout: Some(stdout.into()), stderr: Some(stderr.into()) })
    }

    /// Pipes that are opened without waiting. Nobody may read standard input any more.
    #[cfg(target_os = "linux")]
    pub(super) fn opened(stdin: Option<File>, stdout: File, stderr: File) -> Self {
        Self { stdin, stdout: Some(stdout), stderr: Some(stderr) }
    }

    pub(super) fn hang_up(&mut self) {
        self.stdin = None;
        self.stdout = None;
    }

    pub(super) fn next(
        &mut self,
        input: Option<&[u8]>,
        output: &mut [u8],
        error: &mut [u8],
        patience: Option<Duration>,
    ) -> io::Result<Event> {
        match input {
            Some(_) if self.stdin.is_none() => return Err(ErrorKind::BrokenPipe.into()),
            None if self.stdout.is_none() => return Ok(Event::Output(0)),
            _ => {}
        }
        if !self.are_ready(input.is_some(), patience)? {
            return Ok(Event::Silence);
        }
        if let (Some(input), Some(pipe)) = (input, &mut self.stdin) {
            match pipe.write(input) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => {
                    self.stdin = None;
                    return Err(error);
                }
                Ok(written) => return Ok(Event::Written(written)),
            }
        }
        if let Some(read) = read(&mut self.stdout, output)? {
            return Ok(Event::Output(read));
        }
        Ok(Event::Error(read(&mut self.stderr, error)?.unwrap_or(0)))
    }

    /// Waits until there is something to do. False if there is nothing in time.
    fn are_ready(&self, to_write: bool, patience: Option<Duration>) -> io::Result<bool> {
        let patience = patience.map(|patience| Timespec::try_from(patience).expect("it is short"));
        let stdin = self.stdin.iter().filter(|_| to_write).map(|pipe| PollFd::new(pipe, PollFlags::OUT));
        let stdout = self.stdout.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN));
        let stderr = self.stderr.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN));
        let mut watched: Vec<_> = stdin.chain(stdout).chain(stderr).collect();
        match poll(&mut watched, patience.as_ref()) {
            // A signal that did not end this program.
            Err(Errno::INTR) => Ok(true),
            ready => Ok(ready? > 0),
        }
    }

    /// Reads standard error without waiting.
    pub(super) fn read_error<'b>(&mut self, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let read = read(&mut self.stderr, buffer).ok()??;
        (read > 0).then(|| &buffer[..read])
    }
}

/// Reads without waiting. `None` if there is nothing yet, or the pipe is closed already.
fn read(pipe: &mut Option<impl Read>, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    let Some(open) = pipe else { return Ok(None) };
    match open.read(buffer) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Ok(0) => {
            *pipe = None;
            Ok(Some(0))
        }
        read => read.map(Some),
    }
}
