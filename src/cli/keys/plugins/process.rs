//! A running plugin: the peer of a session.

use std::{
    io::{self, Read, Write},
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};

use crate::{
    cli::{
        keys::plugins::{
            error::Reason,
            redact::{Secrets, Tail},
            search,
        },
        platform::{
            child::{Child, Event},
            signals,
        },
    },
    crypto::secrecy::Zeroizing,
};

/// How long a plugin may run on once a session is over. Most end by themselves, after they have let go of a card.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often a silent plugin is looked at: it may have ended, and a child of it keep its pipes open.
const LOOK: Duration = Duration::from_secs(1);
/// Bytes that a plugin may write before it has read its input.
const AHEAD: usize = 64 << 10;
/// Bytes of standard error that are read at once.
const ERROR_BUFFER: usize = 4096;

/// A plugin that runs. Dropping it ends it.
pub(super) struct Process<'w> {
    child: Child,
    /// Output that arrived while input was written, and has not been read yet. It never outgrows its first allocation.
    ahead: Zeroizing<Vec<u8>>,
    /// Number of those bytes that were read.
    used: usize,
    error_buffer: Vec<u8>,
    tail: Tail,
    /// Called once, when the plugin has kept the user waiting.
    wait: Option<Wait<'w>>,
}

/// The message for a user who has waited for some time.
pub(super) struct Wait<'w> {
    pub(super) patience: Duration,
    pub(super) say: Box<dyn FnOnce() + 'w>,
}

impl<'w> Process<'w> {
    /// Starts a plugin that is to run a state machine.
    pub(super) fn start(path: &Path, state_machine: &str, wait: Wait<'w>) -> Result<Self, Reason> {
        if let Some(reason) = search::fault_of(path) {
            return Err(reason);
        }
        // So that it does not outlive this program.
        signals::clean_up_on_signals().map_err(Reason::from)?;
        let child = Child::start(path, &format!("--age-plugin={state_machine}"));
        let child = child.map_err(|error| search::reason_for(path, error))?;
        Ok(Self {
            child,
            ahead: Zeroizing::new(Vec::with_capacity(AHEAD)),
            used: 0,
            error_buffer: vec![0; ERROR_BUFFER],
            tail: Tail::new(),
            wait: Some(wait),
        })
    }

    /// Ends the plugin. Returns how it ended, if it did so by itself, and the last lines of its standard error.
    pub(super) fn end(mut self, secrets: &Secrets) -> (Option<ExitStatus>, Vec<String>) {
        self.child.hang_up();
        let tail = &mut self.tail;
        let exit = self.child.wait(FAREWELL, |bytes| tail.add(bytes));
        (exit, self.tail.shown(secrets))
    }

    /// Waits until the plugin has written something, or has read some of `input`. Collects its standard error until then.
    fn turn(&mut self, input: Option<&[u8]>, output: &mut [u8]) -> io::Result<Event> {
        let begin = Instant::now();
        loop {
            let left = self.wait.as_ref().map(|wait| wait.patience.saturating_sub(begin.elapsed()));
            if left == Some(Duration::ZERO)
                && let Some(wait) = self.wait.take()
            {
                (wait.say)();
                continue;
            }
            let patience = left.map_or(LOOK, |left| left.min(LOOK));
            match self.child.next(input, output, &mut self.error_buffer, Some(patience))? {
                Event::Error(read) => self.tail.add(&self.error_buffer[..read]),
                Event::Silence if self.child.has_ended() => {
                    return if input.is_some() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(Event::Output(0)) };
                }
                Event::Silence => {}
                event => return Ok(event),
            }
        }
    }
}

impl Read for Process<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used < self.ahead.len() {
            let read = (&self.ahead[self.used..]).read(buffer)?;
            self.used += read;
            if self.used == self.ahead.len() {
                self.ahead.clear();
                self.used = 0;
            }
            return Ok(read);
        }
        match self.turn(None, buffer)? {
            Event::Output(read) => Ok(read),
            _ => unreachable!("nothing was to be written"),
        }
    }
}

impl Write for Process<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut room = Zeroizing::new(vec![0; 4096]);
        loop {
            let free = AHEAD - self.ahead.len();
            if free == 0 {
                return Err(io::Error::other("it writes without reading"));
            }
            let length = room.len().min(free);
            match self.turn(Some(bytes), &mut room[..length])? {
                Event::Output(read) => self.ahead.extend_from_slice(&room[..read]),
                Event::Written(written) => return Ok(written),
                Event::Error(_) | Event::Silence => unreachable!("a turn ends with input or output"),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{cell::Cell, fs, os::unix::fs::PermissionsExt, path::PathBuf, thread};

    use tempfile::TempDir;

    use super::*;
    use crate::cli::keys::plugins::{error::Fault, message::Incoming};

    /// A folder with a plugin of this text.
    fn plugin(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("it can be made");
        let path = folder.path().join("age-plugin-x");
        fs::write(&path, text).expect("the folder takes it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        (folder, path)
    }

    fn patient() -> Wait<'static> {
        Wait { patience: Duration::from_secs(60), say: Box::new(|| {}) }
    }

    /// Starts a plugin of this text. While another test starts a program, that may hold the text open for writing for a
    /// moment, and then it does not run.
    fn start<'w>(text: impl AsRef<[u8]>, wait: Wait<'w>) -> (TempDir, Result<Process<'w>, Reason>) {
        let (folder, path) = plugin(text);
        for _ in 0..100 {
            let started = Process::start(&path, "test-v1", Wait { patience: wait.patience, say: Box::new(|| {}) });
            match started {
                Err(Reason::Other(error)) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                    thread::sleep(Duration::from_millis(10));
                }
                started => return (folder, started.map(|process| Process { wait: Some(wait), ..process })),
            }
        }
        panic!("the plugin stays busy");
    }

    fn said(text: impl AsRef<[u8]>) -> String {
        let (_folder, started) = start(text, patient());
        started.err().map_or_else(|| "it runs".to_owned(), |reason| reason.to_string())
    }

    #[test]
    fn a_file_that_does_not_run_has_a_reason() {
        assert_eq!(said(""), "is empty; install the plugin again");
        assert_eq!(said("#!/bin/sh\r\necho\r\n"), "has Windows line endings (CR LF) in its first line; convert them");
        assert_eq!(said("#!/usr/bin/env sh\r\n"), "has Windows line endings (CR LF) in its first line; convert them");
        assert_eq!(
            said("#! /no/such/shell -e\n"),
            "is a script for '/no/such/shell', which does not exist; install that, or correct the first line"
        );
        assert_eq!(said("echo\n"), "is neither a program nor a script that begins with #!; install the plugin again");
        // The header of a program for a machine that there never was.
        let mut other = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xff\xff\x01\0\0\0".to_vec();
        other.resize(4096, 0);
        assert_eq!(said(other), "is a program for another processor or system; install a build for this one");
        assert_eq!(said("#!/bin/sh\n"), "it runs");
    }

    #[test]
    fn a_plugin_hears_its_state_machine_and_answers() {
        let (_folder, process) =
            start("#!/bin/sh\nread -r line\nprintf '%s %s %s\\n' \"$1\" \"$line\" \"$PWD\"\n", patient());
        let mut process = process.expect("it runs");
        process.write_all(b"hello\n").expect("it listens");
        let mut answer = String::new();
        process.read_to_string(&mut answer).expect("it is text");
        assert_eq!(answer, "--age-plugin=test-v1 hello /\n");
        let (exit, stderr) = process.end(&Secrets::default());
        assert!(exit.is_some_and(|exit| exit.success()) && stderr.is_empty());
    }

    #[test]
    fn the_last_words_of_a_plugin_are_known() {
        let (_folder, process) = start("#!/bin/sh\necho first >&2\necho no card >&2\nexit 7\n", patient());
        let mut process = process.expect("it runs");
        assert!(matches!(Incoming::new(1).read(&mut process), Err(Fault::Ended)));
        let (exit, stderr) = process.end(&Secrets::default());
        assert_eq!(
            (exit.and_then(|exit| exit.code()), &stderr[..]),
            (Some(7), &["first", "no card"].map(String::from)[..])
        );
    }

    #[test]
    fn standard_error_without_end_stops_nobody() {
        let script = "#!/bin/sh\nwhile :; do echo more; done >&2 &\nsleep 0.2\necho here\nread -r _\nkill $!\n";
        let (_folder, process) = start(script, patient());
        let mut process = process.expect("it runs");
        let mut answer = [0; 5];
        process.read_exact(&mut answer).expect("it is said");
        assert_eq!(&answer, b"here\n");
        process.write_all(b"done\n").expect("it listens");
        assert_eq!(process.end(&Secrets::default()).1, ["more"; 3]);
    }

    #[test]
    fn a_plugin_that_writes_without_reading_is_an_error() {
        let (_folder, process) = start("#!/bin/sh\nwhile :; do echo more; done\n", patient());
        let mut process = process.expect("it runs");
        let failed = process.write_all(&vec![0; 1 << 20]).expect_err("it never listens");
        assert_eq!(failed.to_string(), "it writes without reading");
        // Its output is read in order all the same.
        let mut text = vec![0; 200_000];
        process.read_exact(&mut text).expect("it goes on");
        assert_eq!(text, b"more\n".repeat(40_000));
    }

    #[test]
    fn input_that_nobody_reads_is_a_broken_pipe() {
        let (_folder, process) = start("#!/bin/sh\nexec <&-\necho done\n", patient());
        let mut process = process.expect("it runs");
        let mut text = String::new();
        process.read_to_string(&mut text).expect("it is text");
        let failed = process.write_all(&vec![0; 1 << 20]).expect_err("nobody listens");
        assert_eq!((failed.kind(), text.as_str()), (io::ErrorKind::BrokenPipe, "done\n"));
        assert_eq!(process.write(b"x").map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
    }

    #[test]
    fn who_waits_is_told_once() {
        let told = Cell::new(0);
        let wait = Wait { patience: Duration::from_millis(50), say: Box::new(|| told.set(told.get() + 1)) };
        let (_folder, process) =
            start("#!/bin/sh\necho early\nread -r _\nsleep 0.3\necho a\nsleep 0.3\necho b\n", wait);
        let mut process = process.expect("it runs");
        let mut text = [0; 6];
        process.read_exact(&mut text).expect("it is said");
        // Not of the plugin's making.
        thread::sleep(Duration::from_millis(100));
        let before = told.get();
        process.write_all(b"\n").expect("it listens");
        let mut text = [0; 4];
        process.read_exact(&mut text).expect("it is said");
        assert_eq!((&text, told.get()), (b"a\nb\n", 1));
        assert!(before <= 1);
    }

    #[test]
    fn a_plugin_that_ended_is_not_waited_for_because_of_its_children() {
        let (_folder, process) = start("#!/bin/sh\nsleep 20 &\nexit 5\n", patient());
        let mut process = process.expect("it runs");
        let begin = Instant::now();
        assert!(matches!(Incoming::new(1).read(&mut process), Err(Fault::Ended)));
        assert_eq!(process.end(&Secrets::default()).0.and_then(|exit| exit.code()), Some(5));
        assert!(begin.elapsed() < Duration::from_secs(15));
    }

    /// Whether a process runs.
    fn runs(pid: &str) -> bool {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_plugin_that_is_given_up_ends_with_its_children() {
        for script in [
            "sleep 61 & echo $$ $!; sleep 60",
            "sleep 61 & echo $$ $!; sleep 60 & wait",
            "sleep 61 & echo $$ $!; trap '' TERM; while :; do sleep 0.05; done",
            // Its children ignore it too.
            "trap '' TERM; sleep 61 & echo $$ $!; while :; do sleep 0.05; done",
            "(trap '' TERM; exec sleep 61) & sleep 0.2; echo $$ $!; sleep 60",
        ] {
            let (_folder, process) = start(format!("#!/bin/sh\n{script}\n"), patient());
            let mut process = process.expect("it runs");
            let mut line = Vec::new();
            let mut byte = [0];
            while byte != *b"\n" {
                process.read_exact(&mut byte).expect("it is said");
                line.extend(byte);
            }
            let line = String::from_utf8(line).expect("it is text");
            let pids: Vec<_> = line.split_whitespace().collect();
            assert!(pids.iter().all(|pid| runs(pid)), "{script}");
            drop(process);
            let begin = Instant::now();
            while pids.iter().any(|pid| runs(pid)) {
                assert!(begin.elapsed() < Duration::from_secs(10), "{script}: {pids:?}");
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
