//! The platform functions for Unix.

use std::{
    ffi::OsString,
    fs::{DirBuilder, File, Metadata, Permissions, TryLockError},
    io,
    os::{
        fd::AsFd,
        unix::{
            ffi::OsStringExt,
            fs::{DirBuilderExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
        },
    },
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl},
    io::Errno,
    process::{Resource, Rlimit, getrlimit, setrlimit},
    termios::tcgetwinsize,
};

use crate::cli::platform::{
    held::{links::Links, spelling::as_listed},
    metadata::is_block_device,
};

/// The terminal, whatever standard input is.
pub(crate) const TERMINAL_INPUT: &str = "/dev/tty";
/// The terminal, whatever standard output is.
pub(crate) const TERMINAL_OUTPUT: &str = "/dev/tty";

/// Device and inode: equal for two descriptors of one file, however it was named. Only meaningful while one of them is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The identity of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// The identity of the file that `path` names, the same for all spellings of its name.
    pub(super) fn at(path: &Path, _: Option<&File>, metadata: &Metadata) -> io::Result<Self> {
        Ok(as_listed(path, metadata).map_or_else(|| Self::from(metadata), |listed| Self::from(&listed)))
    }

    /// The identity of an open file that `path` named, with its metadata.
    pub(crate) fn of_opened(path: &Path, file: &File, metadata: &Metadata) -> io::Result<Self> {
        Self::at(path, Some(file), metadata)
    }

    /// The identity of what has a name now, with its metadata. Nothing is held.
    pub(crate) fn of_name(path: &Path, links: Links) -> io::Result<(Self, Metadata)> {
        let metadata = links.metadata(path)?;
        Ok((Self::at(path, None, &metadata)?, metadata))
    }

    /// Both numbers. Always there; elsewhere, a console has none.
    pub(crate) fn numbers(&self) -> Option<(u64, u64)> {
        Some((self.device, self.inode))
    }
}

impl From<&Metadata> for FileId {
    /// A block device is known by its own number, since several names can stand for it.
    fn from(metadata: &Metadata) -> Self {
        if is_block_device(metadata) {
            return Self { device: u64::MAX, inode: metadata.rdev() };
        }
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// From now on, this process dumps no core and no other process of the same user can read its memory. Failures are ignored:
/// a system without such rules keeps its own.
pub(crate) fn keep_memory_private() {
    // Child processes, which are plugins, inherit the limit but not the rest, which ends at exec.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit does not hold for cores that are piped to a crash collector; this does. It also makes /proc/PID belong to
    // root; the process itself may still go through /proc/self/fd.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Width in columns of the terminal on standard error, or `None` if there is none or it does not say.
pub(crate) fn columns() -> Option<u16> {
    let size = tcgetwinsize(io::stderr()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Standard input without the library's buffer, so that nothing is read beyond what is used.
pub(crate) fn stdin() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Waits until a descriptor that does not block can be read. Returns at once for a file.
pub(crate) fn wait_to_read(file: &File) -> io::Result<()> {
    wait(file, PollFlags::IN, None).map(drop)
}

/// Waits until a descriptor that does not block can be written. Returns at once for a file.
pub(crate) fn wait_to_write(file: &File) -> io::Result<()> {
    wait(file, PollFlags::OUT, None).map(drop)
}

/// Whether a read returns within some time, be it with an end or an error.
pub(crate) fn can_read_within(file: &File, patience: Duration) -> io::Result<bool> {
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    wait(file, PollFlags::IN, Some(&patience))
}

/// Whether a write returns within some time, be it with an error.
pub(crate) fn can_write_within(file: &File, patience: Duration) -> io::Result<bool> {
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    wait(file, PollFlags::OUT, Some(&patience))
}

fn wait(file: &File, wanted: PollFlags, patience: Option<&Timespec>) -> io::Result<bool> {
    match poll(&mut [PollFd::new(file, wanted)], patience) {
        Err(Errno::INTR) => Ok(false),
        ready => Ok(ready? > 0),
    }
}

/// Standard output without the library's line buffer. It is never closed: on some file systems, nothing can be written after
/// a descriptor of the file was.
pub(crate) fn stdout() -> io::Result<Arc<File>> {
    static STDOUT: OnceLock<Arc<File>> = OnceLock::new();
    if let Some(stdout) = STDOUT.get() {
        return Ok(stdout.clone());
    }
    let stdout = Arc::new(File::from(io::stdout().as_fd().try_clone_to_owned()?));
    Ok(STDOUT.get_or_init(|| stdout).clone())
}

/// Closes a duplicate of the descriptor of a file that is written. Some file systems, such as those of networks, report failures
/// of earlier writes only then.
///
/// # Errors
///
/// Those of dup(2) and close(2).
pub(crate) fn close_duplicate(file: &File) -> io::Result<()> {
    match nix::unistd::close(file.try_clone()?) {
        // The descriptor is closed even then.
        Err(nix::errno::Errno::EINTR) => Ok(()),
        closed => Ok(closed?),
    }
}

/// Standard error without the library's lock.
pub(crate) fn stderr() -> io::Result<File> {
    Ok(File::from(io::stderr().as_fd().try_clone_to_owned()?))
}

/// Whether `path` names the pipe or terminal that is standard input, so that reading it takes data from standard input. A
/// regular file has an offset of its own for each open and never counts. Nothing is opened.
pub(crate) fn is_stdin(path: &Path) -> bool {
    let is_stdin =
        |named: &Metadata| stdin().and_then(|stdin| FileId::of(&stdin)).is_ok_and(|stdin| stdin == FileId::from(named));
    std::fs::metadata(path).is_ok_and(|named| !named.is_file() && is_stdin(&named))
}

/// Whether a standard stream was, or may have been, closed when the program started.
///
/// In place of a closed stream (`>&-`) the standard library opens `/dev/null` for reading and writing, where output vanishes
/// without an error. A user who wants that opens it in one direction, as `>/dev/null` does.
///
/// # Errors
///
/// Those of fcntl(2) and fstat(2).
pub(crate) fn was_closed(stream: &File) -> io::Result<bool> {
    Ok(fcntl_getfl(stream)?.contains(OFlags::RDWR) && is_null(&stream.metadata()?))
}

fn is_null(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device()
        && std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev())
}

/// The path with these bytes.
pub(crate) fn path(bytes: Vec<u8>) -> io::Result<PathBuf> {
    Ok(PathBuf::from(OsString::from_vec(bytes)))
}

/// Reads up to `buffer.len()` bytes from `offset`; 0 means the end.
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

/// Bytes that this user may still write to the file system of a folder.
pub(crate) fn free_space(folder: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(folder).ok()?;
    // Systems that do not know say 0 for everything.
    (system.f_blocks > 0).then(|| system.f_bavail.saturating_mul(system.f_frsize))
}

/// Takes an advisory lock on a file, which lasts until the file is closed. `false` if another process has it.
///
/// # Errors
///
/// Those of flock(2): not every file system has such locks.
pub(crate) fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Opens a regular file for reading. A link is not followed, and a pipe makes nobody wait.
pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    #[allow(clippy::cast_possible_wrap, reason = "the standard library takes the same bits as a signed number")]
    File::options().read(true).custom_flags(flags as i32).open(path)
}

/// The user that this process acts as.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Gives a file to another user, which only root may do.
pub(crate) fn set_owner(file: &File, user: u32) -> io::Result<()> {
    fchown(file, Some(user), None)
}

/// Gives a file to another group of its owner.
pub(crate) fn set_group(file: &File, group: u32) -> io::Result<()> {
    fchown(file, None, Some(group))
}

/// Sets the permission bits of a file.
pub(crate) fn set_mode(file: &File, bits: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(bits))
}

static UMASK: OnceLock<u32> = OnceLock::new();

/// The mode bits that new files do not get. First call it while there is one thread: reading the mask means setting it, and
/// another thread might create a file in between.
pub(crate) fn umask() -> u32 {
    *UMASK.get_or_init(|| {
        let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        rustix::process::umask(mask);
        #[allow(clippy::useless_conversion, reason = "mode_t has other widths elsewhere")]
        mask.as_raw_mode().into()
    })
}

/// Creates a file with mode 0600 for reading and writing. Its name must be free.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Creates a folder, with these mode bits less the umask if any are given.
pub(crate) fn create_folder(path: &Path, mode: Option<u32>) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    if let Some(mode) = mode {
        builder.mode(mode);
    }
    builder.create(path)
}

/// How many files this process may have open at a time, if there is a limit.
pub(crate) fn open_files_limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all())
}
