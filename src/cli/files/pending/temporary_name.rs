//! Names of files in the making, which are hidden where a file must have one, and their change to final names.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::Path,
};

use tempfile::{Builder, PathPersistError, TempPath};

use crate::cli::{
    files::naming::parent_folder,
    platform::{self, FileHandle, FileId, Links, signals},
    terminal::messages,
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

/// The name of a file in the making.
pub(super) enum TemporaryName {
    None,
    Hidden(TempPath),
}

impl TemporaryName {
    /// Creates a file with a hidden name in the folder of `target`, with mode 0600.
    pub(super) fn hidden(target: &Path) -> io::Result<(File, Self)> {
        signals::clean_up_on_signals()?;
        // Not `tempfile_in`: its errors name the hidden file, which tells the user nothing.
        let create = |path: &Path| signals::create_temporary(path, platform::create_private);
        let (file, path) = hidden_name().make_in(parent_folder(target), create)?.into_parts();
        Ok((file, Self::Hidden(path)))
    }

    /// Gives `file`, which has this name, the name `target`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if that is taken and must not be replaced; those of the system.
    pub(super) fn persist(self, file: &File, target: &Path, overwrite: Overwrite) -> io::Result<()> {
        match (self, overwrite) {
            (Self::None, Overwrite::Never | Overwrite::Refuse) => platform::link(file, target),
            (Self::None, Overwrite::Replace) => {
                // A link cannot replace a file, but a rename can: for an instant, there is a hidden name.
                signals::clean_up_on_signals()?;
                let link = |path: &Path| signals::create_temporary(path, |path| platform::link(file, path));
                let linked: tempfile::NamedTempFile<()> = hidden_name().make_in(parent_folder(target), link)?;
                rename(linked.into_temp_path(), target, overwrite)
            }
            (Self::Hidden(path), overwrite) => rename(path, target, overwrite),
        }
    }
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
