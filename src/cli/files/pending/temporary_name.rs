//! Names of files in the making, which are hidden where a file must have one, and their change to final names.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use tempfile::{PathPersistError, TempPath};

use crate::cli::{
    files::{
        naming::parent_folder,
        pending::hidden_name::{HiddenName, check_deletion},
    },
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
    Hidden(HiddenName),
}

impl TemporaryName {
    /// Creates a file with a hidden name in the folder of `target`, with mode 0600.
    pub(super) fn hidden(target: &Path) -> io::Result<(File, Self)> {
        let folder = parent_folder(target);
        check_deletion(folder)?;
        let (file, name) = HiddenName::create(folder, platform::create_private)?;
        Ok((file, Self::Hidden(name)))
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
                let ((), name) = HiddenName::create(parent_folder(target), |path| platform::link(file, path))?;
                rename(name, target, overwrite)
            }
            (Self::Hidden(name), overwrite) => rename(name, target, overwrite),
        }
    }
}

fn rename(name: HiddenName, to: &Path, overwrite: Overwrite) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    name.rename(|path| match overwrite {
        Overwrite::Never | Overwrite::Refuse => path.persist_noclobber(to).or_else(|failed| {
            let lacks_such_a_rename = matches!(failed.error.kind(), PermissionDenied | InvalidInput | Unsupported);
            if lacks_such_a_rename { replace_placeholder(failed.path, to) } else { Err(failed) }
        }),
        Overwrite::Replace => path.persist(to),
    })
}

/// Renames a file where the file system has neither hard links nor a rename that replaces nothing: an empty file takes the
/// name first, and is replaced if it still is the same.
fn replace_placeholder(from: TempPath, to: &Path) -> Result<(), PathPersistError> {
    messages::lacks(
        "the file system cannot name a file in one step without replacing another: a run that is killed can leave an empty file",
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
