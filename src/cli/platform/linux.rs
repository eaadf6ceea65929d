//! What Linux alone can do.

use std::{fs::File, io};
use std::{os::fd::AsRawFd, path::Path};

use rustix::{
    fs::{Advice, AtFlags, CWD, Mode, OFlags, fadvise, getxattr, linkat, open},
    io::Errno,
    pipe::fcntl_setpipe_size,
};

/// The system's own limit for a pipe of an unprivileged user, unless it was changed.
const PIPE: usize = 1 << 20;

/// Makes a pipe hold more: fewer switches between its two programs. Where it cannot be done, it is not.
pub(crate) fn enlarge_pipe(file: &File) {
    let _ = fcntl_setpipe_size(file, PIPE);
}

/// Says that a file will be read from its start to its end, so that the system reads further ahead.
pub(crate) fn read_ahead(file: &File) {
    let _ = fadvise(file, 0, None, Advice::Sequential);
}

/// Gives up what is in memory of a file, so that reading it reads the disk. Where it cannot be done, it is not.
pub(crate) fn forget(file: &File) {
    let _ = fadvise(file, 0, None, Advice::DontNeed);
}

/// Makes a file without a name. Fails where it could not be given one later.
pub(crate) fn create_unnamed(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(open(folder, flags, Mode::RUSR | Mode::WUSR)?);
    std::fs::metadata(handle(&file))?;
    Ok(file)
}

/// Whether a file has an access control list. If so, the mode's bits of the group are what nobody of the list goes beyond,
/// which may be more than the group has.
pub(crate) fn has_access_list(path: &Path) -> bool {
    // Any list is longer than this.
    let list = getxattr(path, "system.posix_acl_access", &mut [0; 1]);
    matches!(list, Ok(_) | Err(Errno::RANGE))
}

/// Gives a file without a name one, which must be free.
pub(crate) fn link(file: &File, path: &Path) -> io::Result<()> {
    Ok(linkat(CWD, handle(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

fn handle(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
