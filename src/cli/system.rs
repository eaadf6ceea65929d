//! What each operating system does in its own way. The only file that names rustix.

use std::{fs::File, io};

#[cfg(target_os = "linux")]
pub(super) use linux::{create_unnamed, enlarge_pipe, forget, has_access_list, link, read_ahead};
#[cfg(unix)]
pub(super) use unix::{
    TerminalState, columns, is_disk, is_stdin, keep_memory_private, names, others_may_read, path, read_at,
    read_exact_at, stdin, stdout, umask, was_closed, write_all_at,
};
#[cfg(windows)]
pub(super) use windows::{
    columns, is_disk, is_stdin, keep_memory_private, names, others_may_read, path, read_at, read_exact_at, stdin,
    stdout, was_closed, write_all_at,
};

/// Makes a pipe hold more. A convenience: where it cannot be done, it is not.
#[cfg(not(target_os = "linux"))]
pub(super) fn enlarge_pipe(_: &File) {}

/// Where there are such lists, they are not in the bits of a mode.
#[cfg(not(target_os = "linux"))]
pub(super) fn has_access_list(_: &std::path::Path) -> bool {
    false
}

/// Gives up what is in memory of a file, so that reading it reads the disk. Where it cannot be done, it is not.
#[cfg(not(target_os = "linux"))]
pub(super) fn forget(_: &File) {}

/// Says that a file will be read from its start to its end. A convenience: where it cannot be done, it is not.
#[cfg(not(target_os = "linux"))]
pub(super) fn read_ahead(_: &File) {}

#[cfg(unix)]
mod unix {
    use std::{
        ffi::OsString,
        fs::Metadata,
        os::{
            fd::AsFd,
            unix::{
                ffi::OsStringExt,
                fs::{FileExt, FileTypeExt, MetadataExt},
            },
        },
        path::{Path, PathBuf},
        sync::OnceLock,
    };

    use rustix::{
        fs::{OFlags, fcntl_getfl},
        process::{Resource, Rlimit, setrlimit},
        termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr},
    };

    use super::{File, io};

    /// From now on, this program's memory goes to no core file, and no program of the same user can read it. Where the
    /// system has no such rule, it keeps to its own.
    pub(in super::super) fn keep_memory_private() {
        // Programs that this one starts, plugins, have the limit too, and the privacy not: it ends where another begins.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        // Beside the limit, which does not hold for cores that go to a crash collector's pipe. With this, what is in
        // /proc/PID is root's; the process itself may still go through its own /proc/self/fd.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }

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

    /// How wide the terminal is that standard error goes to. None if it goes to none, or that does not tell.
    pub(in super::super) fn columns() -> Option<u16> {
        let size = tcgetwinsize(io::stderr()).ok()?;
        (size.ws_col > 0).then_some(size.ws_col)
    }

    /// Standard input without the library's buffer, so that nothing is read ahead of what is used.
    pub(in super::super) fn stdin() -> io::Result<File> {
        Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
    }

    /// Whether what a path names is standard input, and what is read of it there is gone here: of a file it is not. Nothing is
    /// opened, for a pipe that is opened waits for its other end.
    pub(in super::super) fn is_stdin(path: &Path) -> bool {
        let same = |one: &Metadata, two: &Metadata| (one.dev(), one.ino()) == (two.dev(), two.ino());
        let is_stdin =
            |named: &Metadata| stdin().and_then(|stdin| stdin.metadata()).is_ok_and(|stdin| same(named, &stdin));
        std::fs::metadata(path).is_ok_and(|named| !named.is_file() && is_stdin(&named))
    }

    /// Standard output without the library's line buffer.
    pub(in super::super) fn stdout() -> io::Result<File> {
        Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
    }

    /// Whether a standard stream was closed when the program started, or might have been.
    ///
    /// In the place of a closed one (`>&-`) the standard library has opened `/dev/null`, for reading and writing, where
    /// output is lost without an error. Who means to lose it mostly opens that in one direction, as `>/dev/null` does.
    pub(in super::super) fn was_closed(stream: &File) -> io::Result<bool> {
        Ok(fcntl_getfl(stream)?.contains(OFlags::RDWR) && is_null(&stream.metadata()?))
    }

    /// Whether this is a device with blocks, whose contents last.
    pub(in super::super) fn is_disk(metadata: &Metadata) -> bool {
        metadata.file_type().is_block_device()
    }

    fn is_null(metadata: &Metadata) -> bool {
        metadata.file_type().is_char_device()
            && std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev())
    }

    /// The path that these bytes are.
    pub(in super::super) fn path(bytes: Vec<u8>) -> io::Result<PathBuf> {
        Ok(PathBuf::from(OsString::from_vec(bytes)))
    }

    /// Reads from `offset`; 0 bytes mean the end.
    pub(in super::super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(file, buffer, offset)
    }

    /// Fills `buffer` from `offset`.
    pub(in super::super) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(file, buffer, offset)
    }

    /// Writes all of `bytes` at `offset`.
    pub(in super::super) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(file, bytes, offset)
    }

    /// Whether this is a file that users other than its owner have the right to read.
    pub(in super::super) fn others_may_read(metadata: &Metadata) -> bool {
        metadata.is_file() && metadata.mode() & 0o044 != 0
    }

    /// How many names a file has.
    pub(in super::super) fn names(metadata: &Metadata) -> u64 {
        metadata.nlink()
    }

    static UMASK: OnceLock<u32> = OnceLock::new();

    /// The mode bits that new files do not get. To be asked first while there is but one thread: the mask can only be read by
    /// setting it, and others may make files by it.
    pub(in super::super) fn umask() -> u32 {
        *UMASK.get_or_init(|| {
            let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
            rustix::process::umask(mask);
            #[allow(clippy::useless_conversion, reason = "mode_t has other widths elsewhere")]
            mask.as_raw_mode().into()
        })
    }
}

#[cfg(windows)]
mod windows {
    use std::{
        fs::Metadata,
        os::windows::{fs::FileExt, io::AsHandle},
        path::PathBuf,
    };

    use super::{File, io};

    /// The path that these bytes are, which must be text here.
    pub(in super::super) fn path(bytes: Vec<u8>) -> io::Result<PathBuf> {
        String::from_utf8(bytes).map(PathBuf::from).map_err(|_| io::Error::other("a name is not UTF-8"))
    }

    /// Reads from `offset`; 0 bytes mean the end.
    pub(in super::super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::seek_read(file, buffer, offset)
    }

    /// Fills `buffer` from `offset`.
    pub(in super::super) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            let count = file.seek_read(buffer, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            buffer = &mut buffer[count..];
            offset += count as u64;
        }
        Ok(())
    }

    /// Writes all of `bytes` at `offset`.
    pub(in super::super) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = file.seek_write(bytes, offset)?;
            bytes = &bytes[count..];
            offset += count as u64;
        }
        Ok(())
    }

    /// There is no such rule here.
    pub(in super::super) fn keep_memory_private() {}

    /// Rights are not bits of a mode here, and nothing is said of them.
    pub(in super::super) fn others_may_read(_: &Metadata) -> bool {
        false
    }

    /// How wide the terminal is, is not asked here.
    pub(in super::super) fn columns() -> Option<u16> {
        None
    }

    /// How many names a file has is not told here.
    pub(in super::super) fn names(_: &Metadata) -> u64 {
        1
    }

    /// Standard input without the library's buffer, so that nothing is read ahead of what is used.
    pub(in super::super) fn stdin() -> io::Result<File> {
        Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
    }

    /// Devices are not told apart here.
    pub(in super::super) fn is_disk(_: &Metadata) -> bool {
        false
    }

    /// Standard input has no other name here.
    pub(in super::super) fn is_stdin(_: &std::path::Path) -> bool {
        false
    }

    /// Standard output without the library's line buffer.
    pub(in super::super) fn stdout() -> io::Result<File> {
        Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
    }

    /// Here, a closed stream fails by itself.
    pub(in super::super) fn was_closed(_: &File) -> io::Result<bool> {
        Ok(false)
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{os::fd::AsRawFd, path::Path};

    use rustix::{
        fs::{Advice, AtFlags, CWD, Mode, OFlags, fadvise, getxattr, linkat, open},
        io::Errno,
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

    /// Gives up what is in memory of a file, so that reading it reads the disk. Where it cannot be done, it is not.
    pub(in super::super) fn forget(file: &File) {
        let _ = fadvise(file, 0, None, Advice::DontNeed);
    }

    /// Makes a file without a name. Fails where it could not be given one later.
    pub(in super::super) fn create_unnamed(folder: &Path) -> io::Result<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = File::from(open(folder, flags, Mode::RUSR | Mode::WUSR)?);
        std::fs::metadata(handle(&file))?;
        Ok(file)
    }

    /// Whether a file has an access control list. If so, the mode's bits of the group are what nobody of the list goes beyond,
    /// which may be more than the group has.
    pub(in super::super) fn has_access_list(path: &Path) -> bool {
        // Any list is longer than this.
        let list = getxattr(path, "system.posix_acl_access", &mut [0; 1]);
        matches!(list, Ok(_) | Err(Errno::RANGE))
    }

    /// Gives a file without a name one, which must be free.
    pub(in super::super) fn link(file: &File, path: &Path) -> io::Result<()> {
        Ok(linkat(CWD, handle(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }

    fn handle(file: &File) -> String {
        format!("/proc/self/fd/{}", file.as_raw_fd())
    }
}
