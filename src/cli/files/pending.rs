//! A file in the making: nothing is visible under its final name until it is whole.
//!
//! Where the system can (Linux, most file systems) it has no name at all until then, so that not even a killed process leaves
//! anything behind. Elsewhere it has a hidden name in the same folder, which is removed on failure and on signals that end
//! the program.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Seek, SeekFrom, Write},
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use tempfile::{Builder, PathPersistError, TempPath};

use crate::{
    cli::{
        files::{
            naming::parent_folder,
            permissions::{self, Permissions},
            sparse::each_run,
        },
        platform::{self, FileHandle, FileId, Links, signals},
        terminal::messages,
    },
    crypto::WriteAt,
};

/// What to do if the final name is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overwrite {
    /// Refuse; no option permits it.
    Never,
    /// Refuse; `-f` would permit it.
    Refuse,
    Replace,
}

/// A file in the making. Dropping it removes it.
pub(crate) struct Pending {
    file: File,
    name: TemporaryName,
    target: PathBuf,
    /// The offset of the next byte that is written in sequence.
    cursor: u64,
    /// With holes, the length of the file so far: a hole at its end writes nothing.
    sparse_length: Option<AtomicU64>,
    /// Bytes written so far, in any order.
    written: AtomicU64,
    /// Whether the system keeps what is written in memory, because it knows no other way.
    always_cached: AtomicBool,
}

/// After so many bytes of a file, the system starts to write them to the disk, so that syncing the file at its end finds little
/// to do.
const WRITEBACK: u64 = 8 << 20;

/// What follows so many bytes of a file is not kept in memory: a large backup would push out everything else.
const CACHED: u64 = 1 << 30;

enum TemporaryName {
    None,
    Hidden(TempPath),
}

/// Hidden names are recognisable, should one be left behind.
const PREFIX: &str = ".solekey-";
const SUFFIX: &str = ".part";
/// Random letters and digits between the two.
const RANDOM: usize = 6;

fn hidden_name() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    builder
}

/// Whether `path` is a hidden name that some run is using or has left behind.
pub(crate) fn is_hidden_name(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let random = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl Pending {
    /// Creates a file in the folder of `target`, with mode 0600.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) fn new(target: &Path) -> io::Result<Self> {
        match platform::create_unnamed(parent_folder(target)) {
            Ok(file) => Ok(Self::of(file, TemporaryName::None, target)),
            Err(_) => Self::with_hidden_name(target),
        }
    }

    fn with_hidden_name(target: &Path) -> io::Result<Self> {
        signals::clean_up_on_signals()?;
        // Not `tempfile_in`: its errors name the hidden file, which tells the user nothing.
        let create = |path: &Path| signals::create_temporary(path, platform::create_private);
        let (file, path) = hidden_name().make_in(parent_folder(target), create)?.into_parts();
        Ok(Self::of(file, TemporaryName::Hidden(path), target))
    }

    fn of(file: File, name: TemporaryName, target: &Path) -> Self {
        Self {
            file,
            name,
            target: target.to_owned(),
            cursor: 0,
            sparse_length: None,
            written: AtomicU64::new(0),
            always_cached: AtomicBool::new(false),
        }
    }

    /// From now on, blocks of zeros become holes.
    pub(crate) fn leave_holes(&mut self) {
        self.sparse_length = Some(AtomicU64::new(self.cursor));
    }

    /// Returns a synced file for reading. Where possible, reads come from the disk, not from memory.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) fn read_back(&self) -> io::Result<File> {
        platform::write_back(&self.file, 0, None);
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
        self.file.set_len(length)
    }

    /// Appends the rest of `file`. The kernel copies where it can.
    pub(crate) fn copy(&mut self, file: &mut File) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.cursor))?;
        self.cursor += io::copy(file, &mut self.file)?;
        Ok(())
    }

    /// Fills `buffer` from `offset`.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        platform::read_exact_at(&self.file, buffer, offset)
    }

    /// Extends a file that ends in a hole to its length.
    fn set_length(&self) -> io::Result<()> {
        match &self.sparse_length {
            Some(length) => self.file.set_len(length.load(Ordering::Relaxed)),
            None => Ok(()),
        }
    }

    /// Which file this is, now and once it has its name.
    pub(crate) fn id(&self) -> io::Result<FileId> {
        FileId::of(&self.file)
    }

    /// Sets length and permissions, which are no more than those of the file that is `replaced`, and starts to write the file to
    /// the disk.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) fn finish(&self, permissions: &Permissions, replaced: Option<&FileHandle>) -> io::Result<()> {
        self.set_length()?;
        permissions::set(&self.file, permissions, replaced, &self.target)?;
        platform::write_back(&self.file, 0, None);
        Ok(())
    }

    /// Makes the file durable, and asks for failures of writing that show only when a file is closed.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        platform::close_duplicate(&self.file)
    }

    /// Gives the file its name, which is not durable before its folder is synced.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken and must not be replaced; those of the system.
    pub(crate) fn persist(self, overwrite: Overwrite) -> io::Result<()> {
        match (self.name, overwrite) {
            (TemporaryName::None, Overwrite::Never | Overwrite::Refuse) => platform::link(&self.file, &self.target)?,
            (TemporaryName::None, Overwrite::Replace) => {
                // A link cannot replace a file, but a rename can: for an instant, there is a hidden name.
                signals::clean_up_on_signals()?;
                let link = |path: &Path| signals::create_temporary(path, |path| platform::link(&self.file, path));
                let linked: tempfile::NamedTempFile<()> = hidden_name().make_in(parent_folder(&self.target), link)?;
                rename(linked.into_temp_path(), &self.target, overwrite)?;
            }
            (TemporaryName::Hidden(path), overwrite) => rename(path, &self.target, overwrite)?,
        }
        Ok(())
    }

    fn write_run(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.written.load(Ordering::Relaxed) >= CACHED && !self.always_cached.load(Ordering::Relaxed) {
            match platform::write_all_at_uncached(&self.file, bytes, offset) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    self.always_cached.store(true, Ordering::Relaxed);
                }
                written => return written,
            }
        }
        platform::write_all_at(&self.file, bytes, offset)
    }

    /// Counts bytes that were written up to `end`. Once there are many, the system starts to write them to the disk.
    fn count(&self, bytes: u64, end: u64) {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before / WRITEBACK != (before + bytes) / WRITEBACK {
            // Twice as many, because several threads write near the end.
            platform::write_back(&self.file, end.saturating_sub(2 * WRITEBACK), NonZeroU64::new(2 * WRITEBACK));
        }
    }
}

fn rename(from: TempPath, to: &Path, overwrite: Overwrite) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    let hidden = from.to_path_buf();
    match overwrite {
        Overwrite::Never | Overwrite::Refuse => match from.persist_noclobber(to) {
            Err(PathPersistError { error, path })
                if matches!(error.kind(), PermissionDenied | InvalidInput | Unsupported) =>
            {
                replace_placeholder(path, to)?;
            }
            renamed => renamed?,
        },
        Overwrite::Replace => from.persist(to)?,
    }
    signals::keep(&hidden);
    Ok(())
}

/// Renames a file where the file system has neither hard links nor a rename that replaces nothing: an empty file takes the
/// name first, and is replaced if it still is the same.
fn replace_placeholder(from: TempPath, to: &Path) -> io::Result<()> {
    messages::lacks(
        "the file system cannot name a file in one step without replacing another: a run that is killed can leave an empty file",
    );
    signals::create_temporary(to, platform::create_placeholder)?;
    // Held: no other file can get its inode number.
    let placeholder = FileHandle::named(to)?;
    let is_ours = || {
        let named = FileId::of_name(to, Links::Hold);
        named.is_ok_and(|(id, metadata)| id == *placeholder.id() && metadata.is_file() && metadata.len() == 0)
    };
    let renamed =
        if is_ours() { from.persist(to).map_err(io::Error::from) } else { Err(io::ErrorKind::AlreadyExists.into()) };
    if renamed.is_err() && is_ours() {
        let _ = fs::remove_file(to);
    }
    signals::keep(to);
    renamed
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all_at(bytes, self.cursor)?;
        self.cursor += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteAt for Pending {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let end = offset + bytes.len() as u64;
        match &self.sparse_length {
            None => self.write_run(bytes, offset)?,
            Some(length) => {
                length.fetch_max(end, Ordering::Relaxed);
                each_run(bytes, offset, |run, offset| self.write_run(run, offset))?;
            }
        }
        self.count(bytes.len() as u64, end);
        Ok(())
    }
}

/// Creates a folder and the missing ones above it, each durable.
///
/// # Errors
///
/// Those of the system.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = parent_folder(path);
    create_folders(above)?;
    match platform::create_folder(path, None) {
        // Another file of the run may have needed it too.
        Err(_) if path.is_dir() => {}
        created => created?,
    }
    match platform::sync_folder(above) {
        // Said of the outputs in it.
        Err(error) if platform::cannot_be_synced(&error) => Ok(()),
        synced => synced,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        fs,
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
