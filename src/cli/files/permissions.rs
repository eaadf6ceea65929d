//! Who may do what with a file or a folder that is made, and since when it is said to be: as with what it was made from, and
//! never more than with what it takes the place of.

use std::{
    fs::{DirBuilder, File, FileTimes, Metadata},
    io,
    path::Path,
};

/// What a file is like when it gets its name.
#[derive(Clone, Copy)]
pub(crate) enum Mode<'a> {
    /// Mode bits and modification time of the file it was made from.
    Like {
        model: &'a Metadata,
        /// Whether that has an access control list: then the bits of the group are not the group's.
        #[cfg_attr(not(unix), allow(dead_code, reason = "there are no bits of a group"))]
        access_list: bool,
    },
    /// Readable by whom the umask lets.
    Umask,
    /// Readable by its owner alone.
    Private,
}

/// Gives a file that will be `target` its mode and time. One that takes another's place gets its owner too, where that may be
/// set, and no rights that the other had not given.
pub(crate) fn set(file: &File, mode: Mode<'_>, replaced: Option<&Metadata>, target: &Path) -> io::Result<()> {
    set_mode(file, mode, replaced, target)?;
    match mode {
        Mode::Like { model, .. } => match model.modified() {
            Ok(modified) => unless_impossible(file.set_times(FileTimes::new().set_modified(modified))),
            Err(_) => Ok(()),
        },
        Mode::Umask | Mode::Private => Ok(()),
    }
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: Mode<'_>, _: Option<&Metadata>, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn set_mode(file: &File, mode: Mode<'_>, replaced: Option<&Metadata>, target: &Path) -> io::Result<()> {
    use std::{
        fs::Permissions,
        os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    };

    use crate::cli::{files::pending::folder, platform};

    /// Everybody may put files into the folder, and nobody take away another's: what stands there may be a trap.
    const SHARED_FOLDER: u32 = 0o1002;

    let set_group =
        |group| file.metadata().is_ok_and(|now| now.gid() == group) || fchown(file, None, Some(group)).is_ok();
    // Without set-user-ID and its like, which are not for copies. The bits of a group are not for another group: its members
    // may do what all others may.
    let shared = |model: &Metadata, for_its_group: bool| {
        let bits = model.mode() & 0o777;
        if for_its_group { bits } else { bits & (0o707 | bits << 3) }
    };
    let kept = match replaced {
        None => 0o777,
        Some(replaced) => {
            let same_group = if folder(target).metadata()?.mode() & SHARED_FOLDER == SHARED_FOLDER {
                file.metadata()?.gid() == replaced.gid()
            } else {
                // Others than root may not give files away, and then they own what they make.
                let _ = fchown(file, Some(replaced.uid()), None);
                set_group(replaced.gid())
            };
            shared(replaced, same_group && !platform::has_access_list(target))
        }
    };
    let bits = match mode {
        Mode::Like { model, access_list } => {
            let same_group =
                if replaced.is_some() { file.metadata()?.gid() == model.gid() } else { set_group(model.gid()) };
            shared(model, same_group && !access_list)
        }
        Mode::Umask => 0o666 & !platform::umask(),
        Mode::Private => 0o600,
    };
    unless_impossible(file.set_permissions(Permissions::from_mode(bits & kept)))
}

/// Passes over what a file system refuses that has no such thing: the file stays as it is, for its owner alone.
fn unless_impossible(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) => Ok(()),
        set => set,
    }
}

/// What makes a folder that gives the rights of `model`, as a copy of it does, and its owner those to put files there.
#[cfg(unix)]
pub(crate) fn folder_like(model: Option<&Path>) -> DirBuilder {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let mut builder = DirBuilder::new();
    if let Some(model) = model.and_then(|model| model.metadata().ok()) {
        builder.mode(model.mode() & 0o777 | 0o700);
    }
    builder
}

#[cfg(not(unix))]
pub(crate) fn folder_like(_: Option<&Path>) -> DirBuilder {
    DirBuilder::new()
}
