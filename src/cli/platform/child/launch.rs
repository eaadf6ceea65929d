//! The launcher's own process. [`launcher`](crate::cli::platform::child::launcher) has the protocol.

use std::{
    ffi::OsStr,
    io::{self, BufRead, Write},
    os::{
        fd::AsRawFd,
        unix::{ffi::OsStrExt, process::ExitStatusExt},
    },
};

use rustix::io::Errno;

use crate::cli::platform::{
    child::{
        launcher::{hear, say},
        program::{Program, command},
        running::{self, Shared},
    },
    signals,
};

/// Starts programs until standard input ends, and ends the last one then.
pub(super) fn serve() {
    let mut program = None;
    // After an error the other process is gone, so there is nothing to report.
    let _ = signals::clean_up_on_signals()
        .and_then(|()| answer(&mut io::stdin().lock(), &mut io::stdout().lock(), &mut program));
    if let Some(program) = program {
        running::finish(&program);
    }
}

fn answer(asked: &mut impl BufRead, answers: &mut impl Write, program: &mut Option<Shared>) -> io::Result<()> {
    loop {
        match hear(asked)?.as_slice() {
            b"start" => {
                let (path, argument) = (hear(asked)?, hear(asked)?);
                let mut command = command(OsStr::from_bytes(&path), OsStr::from_bytes(&argument));
                let started = running::start(|| Ok((Program::Own(command.spawn()?), ())));
                let started = match started {
                    Ok((started, ())) => program.insert(started),
                    Err(error) => {
                        let number = error.raw_os_error().unwrap_or_else(|| Errno::INVAL.raw_os_error());
                        say(answers, &[b"failed", number.to_string().as_bytes()])?;
                        continue;
                    }
                };
                let pipes = match &mut *running::lock(started) {
                    Program::Own(child) => (child.stdin.take(), child.stdout.take(), child.stderr.take()),
                    Program::Launched(_) => (None, None, None),
                };
                let (Some(stdin), Some(stdout), Some(stderr)) = &pipes else {
                    return Err(io::ErrorKind::NotFound.into());
                };
                let numbers = [stdin.as_raw_fd(), stdout.as_raw_fd(), stderr.as_raw_fd()].map(|fd| fd.to_string());
                let [stdin, stdout, stderr] = numbers.each_ref().map(String::as_bytes);
                say(answers, &[b"started", stdin, stdout, stderr])?;
                // Held until they were opened by the other process, or it gave up.
                if hear(asked)? != b"opened"
                    && let Some(program) = program.take()
                {
                    running::finish(&program);
                }
            }
            b"exit" => match program.as_ref().and_then(|program| running::lock(program).exit()) {
                Some(status) => say(answers, &[b"exited", status.into_raw().to_string().as_bytes()])?,
                None => say(answers, &[b"running"])?,
            },
            b"end" => {
                if let Some(program) = program.take() {
                    running::finish(&program);
                }
                say(answers, &[b"ended"])?;
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}
