//! File systems that can be synced as a whole.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::{io, path::Path};

#[cfg(target_os = "linux")]
use rustix::{fs::fstatfs, system::uname};

use crate::cli::platform::FileId;

/// A file system that reports all failures when it is synced. Elsewhere than on Linux there is none.
#[cfg(target_os = "linux")]
pub(crate) struct FileSystem(File);
#[cfg(not(target_os = "linux"))]
pub(crate) enum FileSystem {}

#[cfg(target_os = "linux")]
impl FileSystem {
    /// Opens the file system of `file` through the folder that `file` is in. `None` if syncing it might tell less than syncing each of
    /// its files, or if the folder is on another one.
    pub(crate) fn of(file: &FileId, folder: &Path) -> Option<Self> {
        /// `EXT4_SUPER_MAGIC`, `XFS_SUPER_MAGIC`, `BTRFS_SUPER_MAGIC`. For others it is not known: FUSE, for one, does not ask its
        /// server. Syncing ext2, which has the number of ext4, does not flush the disk; syncing the folders of the files does.
        const KNOWN: [u64; 3] = [0xef53, 0x5846_5342, 0x9123_683e];
        /// From then on, syncfs(2) reports failures to write data (5.8) and to commit the journal (5.17).
        const REPORTS_ALL: (u32, u32) = (5, 17);
        let folder = File::open(folder).ok()?;
        // The folder may have been replaced, or something mounted on it.
        let device = |id: &FileId| id.numbers().map(|(device, _)| device);
        device(&FileId::of(&folder).ok()?).filter(|found| device(file) == Some(*found))?;
        let magic = u64::try_from(fstatfs(&folder).ok()?.f_type).ok()?;
        (KNOWN.contains(&magic) && kernel_version()? >= REPORTS_ALL).then_some(Self(folder))
    }

    /// Makes everything on it durable, that of other programs too.
    ///
    /// # Errors
    ///
    /// A failure to write any of it since the file system was opened, which is reported once; others of syncfs(2).
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(nix::unistd::syncfs(&self.0)?)
    }
}

/// The first two numbers of the kernel's version.
#[cfg(target_os = "linux")]
fn kernel_version() -> Option<(u32, u32)> {
    let name = uname();
    let mut numbers = name.release().to_str().ok()?.split(|character: char| !character.is_ascii_digit());
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

#[cfg(not(target_os = "linux"))]
impl FileSystem {
    pub(crate) fn of(_: &FileId, _: &Path) -> Option<Self> {
        None
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        match *self {}
    }
}
