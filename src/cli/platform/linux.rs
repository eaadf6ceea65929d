//! The platform functions that only Linux has.

use std::{
    fs::{File, Metadata},
    io,
    num::NonZeroU64,
    os::{fd::AsRawFd, unix::fs::FileTypeExt},
    path::Path,
};

use rustix::{
    fs::{Advice, AtFlags, CWD, Mode, OFlags, fadvise, getxattr, linkat, open, openat},
    io::Errno,
    pipe::fcntl_setpipe_size,
    process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
};

/// Bytes in a pipe. An unprivileged user gets no more, unless the system's limit was changed.
const PIPE: usize = 1 << 20;

/// Makes a pipe hold more, for fewer switches between its two programs. A convenience: failures are ignored.
pub(crate) fn enlarge_pipe(file: &File) {
    let _ = fcntl_setpipe_size(file, PIPE);
}

/// Duplicates a descriptor that this process inherited: the duplicate reads on where that stands.
///
/// # Errors
///
/// Those of [`pidfd_getfd`], `EBADF` above all.
pub(crate) fn descriptor(number: u32) -> io::Result<File> {
    let number = i32::try_from(number).map_err(|_| Errno::BADF)?;
    let process = pidfd_open(getpid(), PidfdFlags::empty());
    match process.and_then(|process| pidfd_getfd(process, number, PidfdGetfdFlags::empty())) {
        Ok(descriptor) => Ok(File::from(descriptor)),
        // Older systems, and containers that refuse the call. A regular file is read from its start then.
        Err(Errno::NOSYS | Errno::PERM) => File::open(format!("/dev/fd/{number}")),
        Err(error) => Err(error.into()),
    }
}

/// Opens a pipe once more, for writes that do not wait for its reader. Other writers of the pipe wait as before.
///
/// # Errors
///
/// If it is not a pipe, or has no reader; those of open(2).
pub(crate) fn without_blocking(pipe: &File) -> io::Result<File> {
    if !pipe.metadata()?.file_type().is_fifo() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let name = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    Ok(File::from(open(name, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?))
}

/// Announces that a file will be read from start to end, so that the system reads further ahead. A convenience: failures
/// are ignored.
pub(crate) fn read_ahead(file: &File) {
    let _ = fadvise(file, 0, None, Advice::Sequential);
}

/// Starts to write a part of a file from memory to the disk, and drops what is there already from memory, so that reading it
/// reads the disk. Without a length, the part goes to the end. Waits for nothing, and ignores failures.
pub(crate) fn write_back(file: &File, offset: u64, length: Option<NonZeroU64>) {
    let _ = fadvise(file, offset, length, Advice::DontNeed);
}

/// Takes hold of what `path` names with `O_PATH`: nothing is opened for reading, and pipes do not wait.
///
/// # Errors
///
/// Those of open(2) and fstat(2).
pub(crate) fn hold(path: &Path) -> io::Result<(Option<File>, Metadata)> {
    let file = File::from(openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?);
    let metadata = file.metadata()?;
    Ok((Some(file), metadata))
}

/// Creates a file without a name in `folder`, with mode 0600.
///
/// # Errors
///
/// Those of open(2), and of the check that [`link`] will be able to name the file.
pub(crate) fn create_unnamed(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(open(folder, flags, Mode::RUSR | Mode::WUSR)?);
    std::fs::metadata(descriptor_path(&file))?;
    Ok(file)
}

/// Whether a file has an access control list. If so, the group bits of its mode are the list's mask, which may be more than
/// the group itself has.
pub(crate) fn has_access_list(path: &Path) -> bool {
    // Any list is longer than this.
    let list = getxattr(path, "system.posix_acl_access", &mut [0; 1]);
    matches!(list, Ok(_) | Err(Errno::RANGE))
}

/// Gives a file without a name one, which must be free.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`] if it is not; those of linkat(2).
pub(crate) fn link(file: &File, path: &Path) -> io::Result<()> {
    Ok(linkat(CWD, descriptor_path(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

fn descriptor_path(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
