//! The platform functions that only Linux has.

use std::{
    ffi::OsStr,
    fs::{File, Metadata},
    io::{self, IoSlice},
    num::NonZeroU64,
    os::{
        fd::AsRawFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{
        Advice, AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxAttributes, StatxFlags, fadvise, fgetxattr,
        fremovexattr, getxattr, linkat, mknodat, open, openat, openat2, statfs, statx,
    },
    io::{Errno, ReadWriteFlags, pwritev2, retry_on_intr},
    pipe::fcntl_setpipe_size,
    process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open},
};

use crate::cli::platform::held::links::Links;

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

/// Drops a part of a file from memory, so that reading it reads the disk. What is not on the disk yet stays, and the system starts to
/// write it. Without a length, the part goes to the end. Waits for nothing, and ignores failures.
pub(crate) fn drop_cached(file: &File, offset: u64, length: Option<NonZeroU64>) {
    let _ = fadvise(file, offset, length, Advice::DontNeed);
}

/// Writes all of `bytes` at `offset`, and keeps none of it in memory once it is on the disk.
///
/// # Errors
///
/// [`io::ErrorKind::Unsupported`] before Linux 6.14 and on some file systems; those of pwritev2(2).
pub(crate) fn write_all_at_uncached(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    let uncached = ReadWriteFlags::from_bits_retain(libc::RWF_DONTCACHE.cast_unsigned());
    while !bytes.is_empty() {
        let count = retry_on_intr(|| pwritev2(file, &[IoSlice::new(bytes)], offset, uncached))?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
        offset += count as u64;
    }
    Ok(())
}

/// Takes hold of what `path` names with `O_PATH`: nothing is opened for reading, and pipes do not wait.
///
/// # Errors
///
/// Those of open(2) and fstat(2).
pub(crate) fn hold(path: &Path, links: Links) -> io::Result<(Option<File>, Metadata)> {
    let links = match links {
        Links::Follow => OFlags::empty(),
        Links::Hold => OFlags::NOFOLLOW,
    };
    let file = File::from(openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC | links, Mode::empty())?);
    let metadata = file.metadata()?;
    Ok((Some(file), metadata))
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Takes hold of a folder.
pub(super) fn hold_folder(path: &Path) -> io::Result<Option<File>> {
    Ok(Some(File::from(open(path, FOLDER, Mode::empty())?)))
}

/// Takes hold of a folder below another, without following links.
pub(super) fn hold_folder_beneath(above: Option<&File>, _: &Path, relative: &Path) -> io::Result<Option<File>> {
    let above = above.ok_or(Errno::BADF)?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match openat2(above, relative, FOLDER, Mode::empty(), resolve) {
        Ok(folder) => Ok(Some(File::from(folder))),
        // Older systems, and containers that refuse the call.
        Err(Errno::NOSYS | Errno::PERM) => {
            let mut folder = above.try_clone()?;
            for component in relative.components() {
                folder = File::from(openat(&folder, component.as_os_str(), FOLDER | OFlags::NOFOLLOW, Mode::empty())?);
            }
            Ok(Some(folder))
        }
        Err(error) => Err(explain_link(error)),
    }
}

/// The reason why a link was not followed, in other words than those for a circle of links.
fn explain_link(error: Errno) -> io::Error {
    if error == Errno::LOOP {
        io::Error::other("its path contains a link, which solekey does not follow")
    } else {
        error.into()
    }
}

/// Opens a file of a folder for reading. It is not followed if it is a link, and not waited for if it is a pipe.
pub(super) fn open_beneath(folder: Option<&File>, _: &Path, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(folder.ok_or(Errno::BADF)?, name, flags, Mode::empty()).map_err(explain_link)?;
    Ok(File::from(file))
}

/// A path that leads to an open file, whatever its name is now. `None` without /proc.
pub(super) fn path_of(file: &File) -> Option<PathBuf> {
    let path = PathBuf::from(descriptor_path(file));
    let (named, held) = (std::fs::metadata(&path).ok()?, file.metadata().ok()?);
    ((named.dev(), named.ino()) == (held.dev(), held.ino())).then_some(path)
}

/// Creates an empty file with mode 0600, which is not opened: where other files are refused, nothing can be opened any more. Its
/// name must be free.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`] if it is not; those of mknod(2).
pub(crate) fn create_placeholder(path: &Path) -> io::Result<()> {
    Ok(mknodat(CWD, path, FileType::RegularFile, Mode::RUSR | Mode::WUSR, 0)?)
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

/// Whether a file is on a file system in user space (FUSE).
pub(crate) fn is_in_user_space(path: &Path) -> bool {
    /// `FUSE_SUPER_MAGIC`.
    const FUSE: u64 = 0x6573_5546;
    statfs(path).is_ok_and(|found| u64::try_from(found.f_type) == Ok(FUSE))
}

/// Whether names in a folder can be neither changed nor removed.
pub(crate) fn is_append_only(folder: &Path) -> bool {
    let found = statx(CWD, folder, AtFlags::empty(), StatxFlags::empty());
    found.is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::APPEND))
}

/// Whether a file has an access control list. If so, the group bits of its mode are the list's mask, which may be more than
/// the group itself has.
pub(crate) fn has_access_list(file: &File) -> bool {
    let list = match fgetxattr(file, ACCESS_LIST, &mut [0; 1]) {
        // It is only held.
        Err(Errno::BADF) => getxattr(descriptor_path(file), ACCESS_LIST, &mut [0; 1]),
        list => list,
    };
    // Any list is longer than this.
    matches!(list, Ok(_) | Err(Errno::RANGE))
}

/// Removes the access control list that a new file has from its folder. Failures are ignored: most have none.
pub(crate) fn drop_access_list(file: &File) {
    let _ = fremovexattr(file, ACCESS_LIST);
}

const ACCESS_LIST: &str = "system.posix_acl_access";

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
