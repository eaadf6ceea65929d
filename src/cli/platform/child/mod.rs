//! A program with pipes to it: started by this process or by its launcher, listened to on two of them at once, and ended in any case.
//!
//! It stays in this program's process group. In a group of its own it would get no Ctrl-C from the terminal, and reading from
//! `/dev/tty`, as a plugin that asks for a PIN may do, would stop it. So the group cannot be killed as a whole: what ends the
//! program's own children is that their pipes close, and on Linux a signal to each.

#[cfg(target_os = "linux")]
mod descendants;
mod event;
#[cfg(target_os = "linux")]
mod launch;
#[cfg(target_os = "linux")]
mod launcher;
#[cfg(unix)]
mod pipes;
mod program;
pub(super) mod running;
#[cfg(windows)]
mod threads;

use std::{
    fs::Metadata,
    io,
    path::Path,
    process::ExitStatus,
    thread,
    time::{Duration, Instant},
};

pub(crate) use event::Event;
#[cfg(unix)]
use pipes::Pipes;
use program::{PAUSE, Program, command};
use running::Shared;
#[cfg(windows)]
use threads::Pipes;

/// The only argument of the launcher, a process that starts programs for another one.
pub(crate) const LAUNCHER: &str = "--launch-plugins";

/// Starts the launcher: from now on, programs have the rights that this process has now. It is a process of this program, and
/// ends with this one. On systems other than Linux, where no rights are given up, this does nothing.
///
/// # Errors
///
/// Errors from the system.
pub(crate) fn start_launcher() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    launcher::start(LAUNCHER)?;
    Ok(())
}

/// Acts as the launcher, until the other process ends.
pub(crate) fn serve_as_launcher() {
    #[cfg(target_os = "linux")]
    launch::serve();
}

/// Whether programs have the rights that this process had, rather than those that it has.
pub(crate) fn has_launcher() -> bool {
    #[cfg(target_os = "linux")]
    return launcher::running().is_some();
    #[cfg(not(target_os = "linux"))]
    false
}

/// The program. Dropping it ends it.
pub(crate) struct Child {
    program: Shared,
    pipes: Pipes,
}

impl Child {
    /// Starts the program at `path`, in the root folder, where other users cannot leave files for it to find.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn start(path: &Path, argument: &str) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(launcher) = launcher::running() {
            let start = || Ok((Program::Launched(launcher), launcher.launch(path.as_ref(), argument.as_ref())?));
            let (program, pipes) = running::start(start)?;
            return Ok(Self { program, pipes: Pipes::opened(pipes.stdin, pipes.stdout, pipes.stderr) });
        }
        let (program, (stdin, stdout, stderr)) = running::start(|| {
            let mut child = command(path.as_ref(), argument.as_ref()).spawn()?;
            let given = "it was started with pipes";
            let pipes = (
                child.stdin.take().expect(given),
                child.stdout.take().expect(given),
                child.stderr.take().expect(given),
            );
            Ok((Program::Own(child), pipes))
        })?;
        match Pipes::new(stdin, stdout, stderr) {
            Ok(pipes) => Ok(Self { program, pipes }),
            Err(error) => {
                running::finish(&program);
                Err(error)
            }
        }
    }

    /// Waits until one of the pipes is ready, and serves it: writes `input`, if there is any, or reads into a buffer. Gives up
    /// after `patience`; waits for ever without one.
    ///
    /// # Errors
    ///
    /// Those of the system; [`io::ErrorKind::BrokenPipe`] if the program takes no more input.
    pub(crate) fn next(
        &mut self,
        input: Option<&[u8]>,
        output: &mut [u8],
        error: &mut [u8],
        patience: Option<Duration>,
    ) -> io::Result<Event> {
        self.pipes.next(input, output, error, patience)
    }

    /// Closes standard input and output, by which the program learns that the session is over.
    pub(crate) fn hang_up(&mut self) {
        self.pipes.hang_up();
    }

    /// Whether the program itself has ended. Its children may still have its pipes.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.exit().is_some()
    }

    /// How the program ended, if it did.
    fn exit(&self) -> Option<ExitStatus> {
        running::lock(&self.program).exit()
    }

    /// Waits for the program to end by itself, and passes on its standard error until then.
    pub(crate) fn wait(&mut self, patience: Duration, mut on_error: impl FnMut(&[u8])) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        let mut pause = Duration::from_micros(100);
        let mut buffer = [0; 4096];
        loop {
            // First, so that everything is read that an ended program wrote.
            let ended = self.exit();
            let end_of_pause = Instant::now() + pause;
            // A program that writes without end is not listened to for ever.
            while let Some(bytes) = self.pipes.read_error(&mut buffer) {
                on_error(bytes);
                if ended.is_none() && Instant::now() >= end_of_pause || Instant::now() >= end {
                    break;
                }
            }
            if ended.is_some() || Instant::now() >= end {
                return ended;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSE);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.pipes.hang_up();
        running::finish(&self.program);
    }
}

/// Whether some user may run a file.
#[cfg(unix)]
pub(crate) fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

/// Always true: files have no such permission here.
#[cfg(windows)]
pub(crate) fn is_executable(_: &Metadata) -> bool {
    true
}

/// Whether starting a program failed because this system cannot run such a file.
#[cfg(unix)]
pub(crate) fn is_not_a_program(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error())
}

/// The same.
#[cfg(windows)]
pub(crate) fn is_not_a_program(error: &io::Error) -> bool {
    /// `ERROR_BAD_EXE_FORMAT`.
    const BAD_FORMAT: i32 = 193;
    error.raw_os_error() == Some(BAD_FORMAT)
}
