//! Hidden names, and folders where files with such a name could not be deleted.

use std::{
    collections::BTreeSet,
    error,
    ffi::OsStr,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tempfile::{Builder, PathPersistError, TempPath};

use crate::cli::{
    platform::{self, FileHandle, FileId, Links, signals},
    terminal::{escape::quoted, messages},
};

/// Makes hidden names recognisable, should one be left behind.
const PREFIX: &str = ".solekey-";
const SUFFIX: &str = ".part";
/// Random letters and digits between the two.
const RANDOM: usize = 6;

/// Whether `path` is a hidden name that some run is using or has left behind.
pub(crate) fn is_hidden_name(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let random = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The hidden name of an unfinished file. Dropping it deletes the file, or reports that it stays.
pub(super) struct HiddenName(Option<TempPath>);

/// Why the path is there.
const NOT_TAKEN: &str = "it is taken at the end";

impl HiddenName {
    /// Creates a file with a hidden name in `folder`. A signal that ends the program deletes it.
    ///
    /// # Errors
    ///
    /// Those of `create`.
    pub(super) fn create<T>(folder: &Path, mut create: impl FnMut(&Path) -> io::Result<T>) -> io::Result<(T, Self)> {
        signals::clean_up_on_signals()?;
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
        // Not `tempfile_in`: its errors name the hidden file, which tells the user nothing.
        let created = builder.make_in(folder, |path| signals::create_temporary(path, &mut create))?;
        let (created, path) = created.into_parts();
        Ok((created, Self(Some(path))))
    }

    /// Gives the file the name `to`, which must be free.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if it is not; errors from the system. Then the file is deleted.
    pub(super) fn rename(self, to: &Path) -> io::Result<()> {
        use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
        self.rename_by(|path| {
            path.persist_noclobber(to).or_else(|failed| {
                let lacks_such_a_rename = matches!(failed.error.kind(), PermissionDenied | InvalidInput | Unsupported);
                if lacks_such_a_rename { replace_placeholder(failed.path, to) } else { Err(failed) }
            })
        })
    }

    /// Gives the file the name `to`, replacing any file of that name.
    ///
    /// # Errors
    ///
    /// Errors from the system. Then the file is deleted.
    pub(super) fn replace(self, to: &Path) -> io::Result<()> {
        self.rename_by(|path| path.persist(to))
    }

    fn rename_by(mut self, rename: impl FnOnce(TempPath) -> Result<(), PathPersistError>) -> io::Result<()> {
        let path = self.0.take().expect(NOT_TAKEN);
        let hidden = path.to_path_buf();
        match rename(path) {
            Ok(()) => signals::keep(&hidden),
            Err(PathPersistError { error, path }) => {
                self.0 = Some(path);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Deletes the file, or returns its path with the error.
    fn delete(&mut self) -> Result<(), (io::Error, PathBuf)> {
        let Some(path) = self.0.take() else { return Ok(()) };
        let hidden = path.to_path_buf();
        if let Err(error) = path.keep().map_err(|failed| failed.error).and_then(fs::remove_file)
            && hidden.symlink_metadata().is_ok()
        {
            // The path may lead through a descriptor, which means nothing to the user.
            return Err((error, hidden.canonicalize().unwrap_or(hidden)));
        }
        signals::keep(&hidden);
        Ok(())
    }
}

impl Drop for HiddenName {
    fn drop(&mut self) {
        if let Err((error, left)) = self.delete() {
            messages::left_behind(&left, &error);
        }
    }
}

/// Files in a folder cannot be deleted, so partial output would stay there after a failure.
#[derive(Debug)]
pub(crate) enum CannotDelete {
    /// The folder is append-only.
    AppendOnly,
    /// An empty file was tried, and is left.
    Tried { error: io::Error, left: PathBuf },
}

impl fmt::Display for CannotDelete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AppendOnly => {
                write!(f, "its folder is append-only, and a file in it can be neither replaced nor deleted")
            }
            Self::Tried { error, left } => {
                let left = quoted(left);
                write!(f, "files in its folder cannot be deleted: {error}; the empty {left} is left there")
            }
        }
    }
}

impl error::Error for CannotDelete {}

impl From<CannotDelete> for io::Error {
    fn from(error: CannotDelete) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, error)
    }
}

/// Fails if files in `folder` can be neither replaced nor deleted, as far as the system tells.
pub(crate) fn check_is_not_append_only(folder: &Path) -> io::Result<()> {
    if platform::is_append_only(folder) { Err(CannotDelete::AppendOnly.into()) } else { Ok(()) }
}

/// Tries to delete an empty file in `folder`. Each folder is tried once.
///
/// # Errors
///
/// [`CannotDelete`]; those of creating the file.
pub(super) fn check_deletion(folder: &Path) -> io::Result<()> {
    static TRIED: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());
    let numbers = platform::file_number(&fs::metadata(folder)?);
    let tried = || TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    if numbers.is_some_and(|numbers| tried().contains(&numbers)) {
        return Ok(());
    }
    check_is_not_append_only(folder)?;
    let (_, mut name) = HiddenName::create(folder, platform::create_private)?;
    name.delete().map_err(|(error, left)| CannotDelete::Tried { error, left })?;
    tried().extend(numbers);
    Ok(())
}

/// Renames a file where the file system has neither hard links nor a rename that replaces nothing: an empty file takes the
/// name first, and is replaced if it still is the same.
fn replace_placeholder(from: TempPath, to: &Path) -> Result<(), PathPersistError> {
    messages::lacks(
        "the file system cannot rename a file without possibly replacing another: a killed run can leave an empty file behind",
    );
    // Held: no other file can get its inode number.
    let placeholder = signals::create_temporary(to, platform::create_placeholder).and_then(|()| FileHandle::named(to));
    let placeholder = match placeholder {
        Ok(placeholder) => placeholder,
        Err(error) => return Err(PathPersistError { error, path: from }),
    };
    let is_ours = || {
        let named = FileId::of_name(to, Links::Hold);
        named.is_ok_and(|(id, metadata)| id == *placeholder.id() && metadata.is_file() && metadata.len() == 0)
    };
    let taken = io::ErrorKind::AlreadyExists.into();
    let renamed = if is_ours() { from.persist(to) } else { Err(PathPersistError { error: taken, path: from }) };
    if renamed.is_err() && is_ours() {
        let _ = fs::remove_file(to);
    }
    signals::keep(to);
    renamed
}
