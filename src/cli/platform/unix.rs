//! What Unix systems do in their own way.

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
use std::{fs::File, io};

use rustix::{
    fs::{OFlags, fcntl_getfl},
    process::{Resource, Rlimit, setrlimit},
    termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr},
};

/// From now on, this program's memory goes to no core file, and no program of the same user can read it. Where the
/// system has no such rule, it keeps to its own.
pub(crate) fn keep_memory_private() {
    // Programs that this one starts, plugins, have the limit too, and the privacy not: it ends where another begins.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // Beside the limit, which does not hold for cores that go to a crash collector's pipe. With this, what is in
    // /proc/PID is root's; the process itself may still go through its own /proc/self/fd.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// How the controlling terminal is set: whether it echoes, above all.
pub(crate) struct TerminalState(File, Termios);

impl TerminalState {
    /// As it is now. None if there is no terminal.
    pub(crate) fn now() -> Option<Self> {
        let terminal = File::open("/dev/tty").ok()?;
        let state = tcgetattr(&terminal).ok()?;
        Some(Self(terminal, state))
    }

    /// Sets the terminal back to this.
    pub(crate) fn restore(&self) {
        let _ = tcsetattr(&self.0, OptionalActions::Now, &self.1);
    }
}

/// How wide the terminal is that standard error goes to. None if it goes to none, or that does not tell.
pub(crate) fn columns() -> Option<u16> {
    let size = tcgetwinsize(io::stderr()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Standard input without the library's buffer, so that nothing is read ahead of what is used.
pub(crate) fn stdin() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Whether what a path names is standard input, and what is read of it there is gone here: of a file it is not. Nothing is
/// opened, for a pipe that is opened waits for its other end.
pub(crate) fn is_stdin(path: &Path) -> bool {
    let same = |one: &Metadata, two: &Metadata| (one.dev(), one.ino()) == (two.dev(), two.ino());
    let is_stdin = |named: &Metadata| stdin().and_then(|stdin| stdin.metadata()).is_ok_and(|stdin| same(named, &stdin));
    std::fs::metadata(path).is_ok_and(|named| !named.is_file() && is_stdin(&named))
}

/// Standard output without the library's line buffer.
pub(crate) fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Whether a standard stream was closed when the program started, or might have been.
///
/// In the place of a closed one (`>&-`) the standard library has opened `/dev/null`, for reading and writing, where
/// output is lost without an error. Who means to lose it mostly opens that in one direction, as `>/dev/null` does.
pub(crate) fn was_closed(stream: &File) -> io::Result<bool> {
    Ok(fcntl_getfl(stream)?.contains(OFlags::RDWR) && is_null(&stream.metadata()?))
}

/// Whether this is a device with blocks, whose contents last.
pub(crate) fn is_disk(metadata: &Metadata) -> bool {
    metadata.file_type().is_block_device()
}

fn is_null(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device()
        && std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev())
}

/// The path that these bytes are.
pub(crate) fn path(bytes: Vec<u8>) -> io::Result<PathBuf> {
    Ok(PathBuf::from(OsString::from_vec(bytes)))
}

/// Reads from `offset`; 0 bytes mean the end.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    FileExt::read_at(file, buffer, offset)
}

/// Fills `buffer` from `offset`.
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    FileExt::read_exact_at(file, buffer, offset)
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    FileExt::write_all_at(file, bytes, offset)
}

/// Whether this is a file that users other than its owner have the right to read.
pub(crate) fn others_may_read(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.mode() & 0o044 != 0
}

/// How many names a file has.
pub(crate) fn names(metadata: &Metadata) -> u64 {
    metadata.nlink()
}

static UMASK: OnceLock<u32> = OnceLock::new();

/// The mode bits that new files do not get. To be asked first while there is but one thread: the mask can only be read by
/// setting it, and others may make files by it.
pub(crate) fn umask() -> u32 {
    *UMASK.get_or_init(|| {
        let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        rustix::process::umask(mask);
        #[allow(clippy::useless_conversion, reason = "mode_t has other widths elsewhere")]
        mask.as_raw_mode().into()
    })
}
