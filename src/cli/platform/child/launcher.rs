//! The launcher: a second process of this program, which starts plugins for it.
//!
//! It is started before this process gives up network sockets, and plugins inherit its rights. It never gets a key: this process
//! opens a plugin's pipes for itself, through `/proc`, and the launcher closes its own ends. They speak through the launcher's
//! standard input and output, in words that end in a zero byte:
//!
//! | this process | the launcher |
//! |---|---|
//! | `start` PATH ARGUMENT | `started` and the numbers of three pipes, or `failed` and the number of an error |
//! | `opened`, if it has them | |
//! | `exit` | `running`, or `exited` and a wait status |
//! | `end` | `ended` |
//!
//! When its standard input ends, the launcher ends the plugin and itself.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{ffi::OsStrExt, process::CommandExt, process::ExitStatusExt},
    process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
};

/// Bytes in the longest word: a path.
const WORD_LIMIT: u64 = 64 << 10;

static LAUNCHER: OnceLock<Launcher> = OnceLock::new();

/// A running launcher. It starts one program at a time.
pub(super) struct Launcher {
    process: u32,
    words: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

/// The pipes of a program. Standard input is `None` if the program has closed it or ended.
pub(super) struct LaunchedPipes {
    pub(super) stdin: Option<File>,
    pub(super) stdout: File,
    pub(super) stderr: File,
}

/// Starts the launcher, which starts all programs from now on.
///
/// # Errors
///
/// Errors from the system.
pub(super) fn start(argument: &str) -> io::Result<()> {
    let mut command = Command::new("/proc/self/exe");
    // Not the name that this process was called by: it may be age's.
    command.arg0("solekey").arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let given = "it was started with pipes";
    let words = (child.stdin.take().expect(given), BufReader::new(child.stdout.take().expect(given)));
    let _ = LAUNCHER.set(Launcher { process: child.id(), words: Mutex::new(words) });
    Ok(())
}

/// The launcher, if it was started.
pub(super) fn running() -> Option<&'static Launcher> {
    LAUNCHER.get()
}

impl Launcher {
    /// Starts a program.
    ///
    /// # Errors
    ///
    /// Those of starting it, as if this process had done so.
    pub(super) fn launch(&self, path: &OsStr, argument: &OsStr) -> io::Result<LaunchedPipes> {
        let mut words = self.words();
        say(&mut words.0, &[b"start", path.as_bytes(), argument.as_bytes()])?;
        if hear(&mut words.1)? == b"failed" {
            return Err(io::Error::from_raw_os_error(number(&mut words.1)?));
        }
        let numbers = [number(&mut words.1)?, number(&mut words.1)?, number(&mut words.1)?];
        let open = |number, flags| {
            let path = format!("/proc/{}/fd/{number}", self.process);
            // Without waiting for the other end.
            let flags = flags | OFlags::NONBLOCK | OFlags::CLOEXEC;
            openat(CWD, path, flags, Mode::empty()).map(File::from)
        };
        let opened = || {
            let stdin = match open(numbers[0], OFlags::WRONLY) {
                Err(Errno::NXIO) => None,
                stdin => Some(stdin?),
            };
            let (stdout, stderr) = (open(numbers[1], OFlags::RDONLY)?, open(numbers[2], OFlags::RDONLY)?);
            Ok(LaunchedPipes { stdin, stdout, stderr })
        };
        let pipes = opened();
        say(&mut words.0, &[if pipes.is_ok() { b"opened" } else { b"end" }])?;
        pipes
    }

    /// How the program ended, if it did. A program of a launcher that is gone has ended in some way.
    pub(super) fn exit(&self) -> Option<ExitStatus> {
        let mut words = self.words();
        let asked = say(&mut words.0, &[b"exit"]).and_then(|()| hear(&mut words.1));
        match asked.as_deref() {
            Ok(b"running") => None,
            Ok(b"exited") => Some(ExitStatus::from_raw(number(&mut words.1).unwrap_or_default())),
            _ => Some(ExitStatus::from_raw(0)),
        }
    }

    /// Ends the program if it still runs, and its children.
    pub(super) fn end(&self) {
        let mut words = self.words();
        let _ = say(&mut words.0, &[b"end"]).and_then(|()| hear(&mut words.1));
    }

    fn words(&self) -> MutexGuard<'_, (ChildStdin, BufReader<ChildStdout>)> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends words in one write.
pub(super) fn say(to: &mut impl Write, words: &[&[u8]]) -> io::Result<()> {
    let text: Vec<_> = words.iter().flat_map(|word| word.iter().copied().chain([0])).collect();
    to.write_all(&text)?;
    to.flush()
}

/// Reads a word. An error at the end of input.
pub(super) fn hear(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut word = Vec::new();
    from.take(WORD_LIMIT).read_until(0, &mut word)?;
    if word.pop() != Some(0) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(word)
}

fn number(from: &mut impl BufRead) -> io::Result<i32> {
    let word = String::from_utf8(hear(from)?).ok().and_then(|word| word.parse().ok());
    word.ok_or_else(|| io::ErrorKind::InvalidData.into())
}
