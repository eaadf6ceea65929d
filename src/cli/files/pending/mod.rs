//! An unfinished file: nothing is visible under its final name until it is complete.
//!
//! Where the system can (Linux, most file systems) it has no name at all until then, so that not even a killed process leaves
//! anything behind. Elsewhere it has a hidden name in the same folder, which is removed on failure and on signals that end
//! the program.

mod hidden_name;
mod sparse;
mod temporary_name;
mod writing;

use std::{
    fs::File,
    io::{self, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64},
};

pub(crate) use hidden_name::{CannotDelete, check_is_not_append_only, is_hidden_name};
pub(crate) use temporary_name::Overwrite;

use crate::{
    cli::{
        files::{
            naming::parent_folder,
            pending::temporary_name::TemporaryName,
            permissions::{self, Permissions},
        },
        platform::{self, FileHandle, FileId, FileSystem},
    },
    crypto::Sink,
};

/// An unfinished file. Dropping it removes it.
pub(crate) struct Pending {
    file: File,
    id: FileId,
    name: TemporaryName,
    target: PathBuf,
    /// The offset of the next byte that is written in sequence.
    cursor: u64,
    /// With holes, the length of the file so far: a hole at its end writes nothing.
    sparse_length: Option<AtomicU64>,
    /// Bytes written so far, in any order.
    written: AtomicU64,
    /// Whether the system keeps written data in memory, because it cannot do otherwise.
    always_cached: AtomicBool,
    /// The end of the written data, where all data must be written in order.
    in_order: Option<AtomicU64>,
}

impl Pending {
    /// Creates a file in the folder of `target`, with mode 0600.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn new(target: &Path) -> io::Result<Self> {
        match platform::create_unnamed(parent_folder(target)) {
            Ok(file) => Self::of(file, TemporaryName::None, target),
            // Not every file system has such files.
            Err(_) => Self::with_hidden_name(target),
        }
    }

    fn with_hidden_name(target: &Path) -> io::Result<Self> {
        let (file, name) = TemporaryName::hidden(target)?;
        // Some of these file systems send written data at once, to a network or a tape. Others write no faster out of order.
        let in_order = platform::is_in_user_space(parent_folder(target)).then(AtomicU64::default);
        Ok(Self { in_order, ..Self::of(file, name, target)? })
    }

    fn of(file: File, name: TemporaryName, target: &Path) -> io::Result<Self> {
        Ok(Self {
            id: FileId::of(&file)?,
            file,
            name,
            target: target.to_owned(),
            cursor: 0,
            sparse_length: None,
            written: AtomicU64::new(0),
            always_cached: AtomicBool::new(false),
            in_order: None,
        })
    }

    /// From now on, blocks of zeros become holes.
    pub(crate) fn leave_holes(&mut self) {
        self.sparse_length = Some(AtomicU64::new(self.cursor));
    }

    /// Returns a synced file for reading. Where possible, reads come from the disk, not from memory.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn read_back(&self) -> io::Result<File> {
        platform::drop_cached(&self.file, 0, None);
        self.file.try_clone()
    }

    /// Another descriptor of the file, which stays when this one gets its name.
    pub(crate) fn another_handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Bytes in the file.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Cuts the file to `length` bytes.
    pub(crate) fn truncate(&self, length: u64) -> io::Result<()> {
        // Not every file system can, even if there is nothing to cut.
        if self.length()? == length { Ok(()) } else { self.file.set_len(length) }
    }

    /// Appends the rest of `file`. The kernel copies where it can.
    pub(crate) fn copy(&mut self, file: &mut File) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.cursor))?;
        self.cursor += io::copy(file, &mut self.file)?;
        // The kernel stops at the size of a file, which may be longer.
        io::copy(file, self).map(drop)
    }

    /// Fills `buffer` from `offset`.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        platform::read_exact_at(&self.file, buffer, offset)
    }

    /// The sink for the pipeline: at offsets, or in sequence where necessary.
    pub(crate) fn sink(&mut self) -> Sink<'_> {
        if self.in_order.is_some() { Sink::Sequential(self) } else { Sink::AtOffsets { file: self, start: 0 } }
    }

    /// Which file this is, now and once it has its name.
    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    /// The file system that it is on, if that can be synced as a whole.
    pub(crate) fn file_system(&self) -> Option<FileSystem> {
        FileSystem::of(&self.id, parent_folder(&self.target))
    }

    /// Sets length and permissions, which are no more than those of the file that is `replaced`, and starts to write the file to
    /// the disk.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn finish(&self, permissions: &Permissions, replaced: Option<&FileHandle>) -> io::Result<()> {
        self.set_length()?;
        permissions::set(&self.file, permissions, replaced, &self.target)?;
        platform::drop_cached(&self.file, 0, None);
        Ok(())
    }

    /// Makes the file durable, and asks for failures of writing that show only when a file is closed.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        platform::close_duplicate(&self.file)
    }

    /// Gives the file its name, which is not durable before its folder is synced.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken and must not be replaced; errors from the system.
    pub(crate) fn persist(self, overwrite: Overwrite) -> io::Result<()> {
        self.name.persist(&self.file, &self.target, overwrite)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{
        fs,
        io::Write,
        os::unix::fs::{MetadataExt, PermissionsExt},
    };

    use super::*;
    use crate::cli::files::permissions::Owner;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned()).collect()
    }

    fn commit(pending: Pending, permissions: &Permissions, overwrite: Overwrite) -> io::Result<()> {
        let replaced = FileHandle::named(&pending.target).ok().filter(|_| overwrite == Overwrite::Replace);
        pending.finish(permissions, replaced.as_ref())?;
        pending.sync()?;
        pending.persist(overwrite)
    }

    #[test]
    fn nothing_appears_before_commit_and_nothing_stays_without() {
        for make in [Pending::new, Pending::with_hidden_name] {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let target = folder.path().join("x");
            let mut pending = make(&target).expect("a file can be made");
            pending.write_all(b"half").expect("the file takes it");
            assert!(!target.exists());
            drop(pending);
            assert!(names(folder.path()).is_empty());

            let mut pending = make(&target).expect("a file can be made");
            pending.write_all(b"whole").expect("the file takes it");
            commit(pending, &Permissions::Private, Overwrite::Refuse).expect("the name is free");
            assert_eq!(fs::read(&target).expect("it is there"), b"whole");
            assert_eq!(target.metadata().expect("it is there").mode() & 0o7777, 0o600);
            assert_eq!(names(folder.path()), ["x"]);
        }
    }

    #[test]
    fn an_existing_file_is_replaced_only_on_demand() {
        for make in [Pending::new, Pending::with_hidden_name] {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let target = folder.path().join("x");
            fs::write(&target, "old").expect("the folder takes it");
            fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("it is ours");
            let model = target.metadata().expect("it is there");

            let pending = make(&target).expect("a file can be made");
            let refused = commit(pending, &Permissions::Umask, Overwrite::Refuse);
            assert_eq!(refused.expect_err("the name is taken").kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&target).expect("it is there"), b"old");

            let permissions = Permissions::Like { source: model.clone(), access_list: false, owner: Owner::New };
            make(&target).and_then(|pending| commit(pending, &permissions, Overwrite::Replace)).expect("it may");
            assert_eq!(fs::read(&target).expect("it is there"), b"");
            let replaced = target.metadata().expect("it is there");
            assert_eq!(replaced.mode() & 0o7777, 0o640);
            assert_eq!(replaced.modified().ok(), model.modified().ok());
            assert_eq!(names(folder.path()), ["x"]);
        }
    }
}
