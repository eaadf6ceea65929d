//! Owner, group, mode and mtime of new files: those of the file that a new one was made from, and never more permission
//! than the file that it replaces had.

use std::{
    fs::{File, FileTimes, Metadata},
    io,
    path::Path,
};

use crate::cli::{
    files::naming::parent_folder,
    platform::{self, FileHandle},
    terminal::messages,
};

/// The permissions and mtime that a file has when it gets its name.
pub(crate) enum Permissions {
    /// Mode bits and mtime of the file that it was made from.
    Like {
        source: Metadata,
        /// Whether the source has an access control list. If so, its group bits are not the group's.
        access_list: bool,
        owner: Owner,
    },
    /// Mode 0666 less the umask.
    Umask,
    /// Mode 0600.
    Private,
}

/// The owner of a new file, if the system lets this user choose (that is, for root).
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    /// This user, or the owner of the replaced file, if nobody else could have put that file there.
    New,
    /// The owner of the source, which is deleted: an encrypted file reveals its contents to nobody.
    Sealed,
    /// The same for a decrypted file, but only in a folder where nobody else could have put the source.
    Opened,
    /// The owner of the file that it replaces, which is its source.
    Rewritten,
}

/// The mode bits that let users other than the owner write to a folder.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// Sets permissions and mtime of `file`, which will be `target`. A file that replaces another gets no permission that the old file
/// did not have. It also gets the old file's owner and group, if the system allows it and nobody else could have put the old file
/// there.
///
/// # Errors
///
/// Those of the system, unless the file system has no such attributes.
pub(crate) fn set(
    file: &File,
    permissions: &Permissions,
    replaced: Option<&FileHandle>,
    target: &Path,
) -> io::Result<()> {
    set_mode(file, permissions, replaced, target)?;
    match permissions {
        Permissions::Like { source, .. } => match source.modified() {
            Ok(modified) => ignore_unsupported(file.set_times(FileTimes::new().set_modified(modified))),
            Err(_) => Ok(()),
        },
        Permissions::Umask | Permissions::Private => Ok(()),
    }
}

fn set_mode(file: &File, permissions: &Permissions, replaced: Option<&FileHandle>, target: &Path) -> io::Result<()> {
    let metadata = file.metadata()?;
    if platform::ownership(&metadata).is_none() {
        return Ok(());
    }
    if replaced.is_some() || !matches!(permissions, Permissions::Umask) {
        // A folder can have a list for its new files. They would get permissions that their model does not have.
        platform::drop_access_list(file);
    }
    let (kept, group) = match replaced {
        None => (0o777, group_of(&metadata)),
        Some(replaced) => (take_over_owner(file, permissions, replaced, target)?, group_of(&file.metadata()?)),
    };
    let bits = match permissions {
        Permissions::Like { source, access_list, owner } => {
            if replaced.is_none() && is_kept(*owner, target)? {
                let _ = platform::ownership(source).map(|source| platform::set_owner(file, source.user));
            }
            let same_group = group == group_of(source) || replaced.is_none() && set_group(file, source);
            permission_bits(source, same_group && !access_list)
        }
        Permissions::Umask => 0o666 & !platform::umask(),
        Permissions::Private => 0o600,
    };
    ignore_unsupported(platform::set_mode(file, bits & kept))
}

/// Gives `file` the owner and group of the file that it replaces, and returns the permission bits that it may have.
fn take_over_owner(file: &File, permissions: &Permissions, replaced: &FileHandle, target: &Path) -> io::Result<u32> {
    let metadata = replaced.metadata_now()?;
    let owner = platform::ownership(&metadata).map_or(0, |metadata| metadata.user);
    let is_rewritten = matches!(permissions, Permissions::Like { owner: Owner::Rewritten, .. });
    let may_take_over = is_rewritten || owner == platform::user() || is_ours(parent_folder(target))?;
    if may_take_over {
        // Only root can give files away. Other users stay the owner.
        let _ = platform::set_owner(file, owner);
    }
    // Otherwise, somebody else could have put the old file there, as a trap.
    let same_group = group_of(&file.metadata()?) == group_of(&metadata) || may_take_over && set_group(file, &metadata);
    Ok(permission_bits(&metadata, same_group && !replaced.has_access_list()))
}

/// Whether only this user and root can put files into a folder.
fn is_ours(folder: &Path) -> io::Result<bool> {
    let Some(folder) = platform::ownership(&folder.metadata()?) else { return Ok(false) };
    Ok((folder.user == 0 || folder.user == platform::user()) && folder.mode & OTHERS_MAY_WRITE == 0)
}

fn is_kept(owner: Owner, target: &Path) -> io::Result<bool> {
    match owner {
        Owner::New | Owner::Rewritten => Ok(false),
        Owner::Sealed => Ok(true),
        Owner::Opened => is_ours(parent_folder(target)),
    }
}

fn group_of(metadata: &Metadata) -> Option<u32> {
    platform::ownership(metadata).map(|ownership| ownership.group)
}

/// Gives `file` the group of `model`. Returns whether it has that group now.
fn set_group(file: &File, model: &Metadata) -> bool {
    group_of(model).is_some_and(|group| platform::set_group(file, group).is_ok())
}

/// The permission bits of a copy of `model`, without set-user-ID and the like.
///
/// If the copy belongs to another group, the group bits do not apply to that group: its members get the same permissions as others.
fn permission_bits(model: &Metadata, same_group: bool) -> u32 {
    let bits = platform::ownership(model).map_or(0o600, |model| model.mode) & 0o777;
    if same_group { bits } else { bits & (0o707 | bits << 3) }
}

/// Ignores a refusal by a file system that has no such attributes. The file stays private to its owner.
fn ignore_unsupported(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) => {
            messages::lacks("the file system does not keep the permissions and times of files");
            Ok(())
        }
        set => set,
    }
}

/// The mode of a new folder that is made like `model`: the same permissions, and its owner may put files there. `None` for
/// the default mode.
pub(crate) fn folder_mode(model: Option<&Path>) -> Option<u32> {
    let metadata = model?.metadata().ok()?;
    Some(platform::ownership(&metadata)?.mode & 0o777 | 0o700)
}
