//! Names of unfinished files (hidden, where a file must have a name), and their change to final names.

use std::{fs::File, io, path::Path};

use crate::cli::{
    files::{
        naming::parent_folder,
        pending::hidden_name::{HiddenName, check_deletion},
    },
    platform,
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

/// The name of an unfinished file.
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
    /// [`io::ErrorKind::AlreadyExists`] if that is taken and must not be replaced; errors from the system.
    pub(super) fn persist(self, file: &File, target: &Path, overwrite: Overwrite) -> io::Result<()> {
        match (self, overwrite) {
            (Self::None, Overwrite::Never | Overwrite::Refuse) => platform::link(file, target),
            (Self::None, Overwrite::Replace) => {
                // A link cannot replace a file, but a rename can: for an instant, there is a hidden name.
                let ((), name) = HiddenName::create(parent_folder(target), |path| platform::link(file, path))?;
                name.replace(target)
            }
            (Self::Hidden(name), Overwrite::Never | Overwrite::Refuse) => name.rename(target),
            (Self::Hidden(name), Overwrite::Replace) => name.replace(target),
        }
    }
}
