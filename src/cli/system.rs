//! What each operating system does in its own way. The only file that names rustix.

use std::{fs::File, io};

#[cfg(target_os = "linux")]
pub(super) use linux::{create_unnamed, enlarge_pipe, link, read_ahead};
#[cfg(unix)]
pub(super) use unix::{TerminalState, others_may_read, stdin, stdout, umask};
#[cfg(windows)]
pub(super) use windows::{others_may_read, stdin, stdout};

/// Makes a pipe hold more. A convenience: where it cannot be done, it is not.
#[cfg(not(target_os = "linux"))]
pub(super) fn enlarge_pipe(_: &File) {}

/// Says that a file will be read from its start to its end. A convenience: where it cannot be done, it is not.
#[cfg(not(target_os = "linux"))]
pub(super) fn read_ahead(_: &File) {}

#[cfg(unix)]
mod unix {
    use std::{
        fs::Metadata,
        os::{
            fd::{AsFd, BorrowedFd},
            unix::fs::{FileTypeExt, MetadataExt},
        },
    };

    use rustix::{
        fs::{OFlags, fcntl_getfl},
        termios::{OptionalActions, Termios, tcgetattr, tcsetattr},
    };

    use super::{File, io};

    /// How the controlling terminal is set: whether it echoes, above all.
    pub(in super::super) struct TerminalState(File, Termios);

    impl TerminalState {
        /// As it is now. None if there is no terminal.
        pub(in super::super) fn now() -> Option<Self> {
            let terminal = File::open("/dev/tty").ok()?;
            let state = tcgetattr(&terminal).ok()?;
            Some(Self(terminal, state))
        }

        /// Sets the terminal back to this.
        pub(in super::super) fn restore(&self) {
            let _ = tcsetattr(&self.0, OptionalActions::Now, &self.1);
        }
    }

    /// Standard input without the library's buffer, so that nothing is read ahead of what is used.
    pub(in super::super) fn stdin() -> io::Result<File> {
        standard(io::stdin().as_fd())
    }

    /// Standard output without the library's line buffer.
    pub(in super::super) fn stdout() -> io::Result<File> {
        standard(io::stdout().as_fd())
    }

    /// A standard stream. Fails if it was closed when the program started.
    ///
    /// In the place of a closed one (`>&-`) the standard library has opened `/dev/null`, for reading and writing, where
    /// output is lost without an error. Who means to lose it opens that in one direction, as `>/dev/null` does.
    fn standard(stream: BorrowedFd<'_>) -> io::Result<File> {
        let file = File::from(stream.try_clone_to_owned()?);
        if fcntl_getfl(&file)?.contains(OFlags::RDWR) && is_null(&file.metadata()?) {
            return Err(io::Error::other("it is closed, or /dev/null opened for both reading and writing"));
        }
        Ok(file)
    }

    fn is_null(metadata: &Metadata) -> bool {
        metadata.file_type().is_char_device()
            && std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev())
    }

    /// Whether this is a file that users other than its owner have the right to read.
    pub(in super::super) fn others_may_read(metadata: &Metadata) -> bool {
        metadata.is_file() && metadata.mode() & 0o044 != 0
    }

    /// The mode bits that new files do not get.
    pub(in super::super) fn umask() -> u32 {
        // The mask can only be read by setting it. No other thread of this program makes files by its rule.
        let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        rustix::process::umask(mask);
        #[allow(clippy::useless_conversion, reason = "mode_t has other widths elsewhere")]
        mask.as_raw_mode().into()
    }
}

#[cfg(windows)]
mod windows {
    use std::{fs::Metadata, os::windows::io::AsHandle};

    use super::{File, io};

    /// Rights are not bits of a mode here, and nothing is said of them.
    pub(in super::super) fn others_may_read(_: &Metadata) -> bool {
        false
    }

    /// Standard input without the library's buffer, so that nothing is read ahead of what is used.
    pub(in super::super) fn stdin() -> io::Result<File> {
        Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
    }

    /// Standard output without the library's line buffer.
    pub(in super::super) fn stdout() -> io::Result<File> {
        Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{os::fd::AsRawFd, path::Path};

    use rustix::{
        fs::{Advice, AtFlags, CWD, Mode, OFlags, fadvise, linkat, open},
        pipe::fcntl_setpipe_size,
    };

    use super::{File, io};

    /// The system's own limit for a pipe of an unprivileged user, unless it was changed.
    const PIPE: usize = 1 << 20;

    /// Makes a pipe hold more: fewer switches between its two programs. Where it cannot be done, it is not.
    pub(in super::super) fn enlarge_pipe(file: &File) {
        let _ = fcntl_setpipe_size(file, PIPE);
    }

    /// Says that a file will be read from its start to its end, so that the system reads further ahead.
    pub(in super::super) fn read_ahead(file: &File) {
        let _ = fadvise(file, 0, None, Advice::Sequential);
    }

    /// Makes a file without a name. Fails where it could not be given one later.
    pub(in super::super) fn create_unnamed(folder: &Path) -> io::Result<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = File::from(open(folder, flags, Mode::RUSR | Mode::WUSR)?);
        std::fs::metadata(handle(&file))?;
        Ok(file)
    }

    /// Gives a file without a name one, which must be free.
    pub(in super::super) fn link(file: &File, path: &Path) -> io::Result<()> {
        Ok(linkat(CWD, handle(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }

    fn handle(file: &File) -> String {
        format!("/proc/self/fd/{}", file.as_raw_fd())
    }
}
