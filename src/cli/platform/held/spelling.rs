//! File systems in user space that ignore case, and give each spelling of a name an inode number of its own.

use std::{
    collections::HashMap,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Mutex, PoisonError},
};

use crate::cli::platform::is_in_user_space;

/// The metadata of a file under the name that its folder lists, if `path` is another spelling of that.
pub(in crate::cli::platform) fn as_listed(path: &Path, metadata: &Metadata) -> Option<Metadata> {
    if !numbers_may_differ(path, metadata) {
        return None;
    }
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // A folder that knows case has no such name, most likely, and need not be read.
    let swapped: String = name.chars().flat_map(swap_case).collect();
    if swapped == name || fs::symlink_metadata(folder.join(swapped)).is_err() {
        return None;
    }
    let folded = name.to_lowercase();
    let names = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name());
    let mut spellings = names.filter(|listed| listed.to_str().is_some_and(|listed| listed.to_lowercase() == folded));
    let listed = spellings.next()?;
    // More than one: the folder does know case.
    if spellings.next().is_some() || listed == name {
        return None;
    }
    fs::symlink_metadata(folder.join(listed)).ok().filter(|listed| listed.file_type() == metadata.file_type())
}

fn swap_case(letter: char) -> impl Iterator<Item = char> {
    let upper = letter.is_lowercase().then(|| letter.to_uppercase());
    let lower = letter.is_uppercase().then(|| letter.to_lowercase());
    let same = (upper.is_none() && lower.is_none()).then_some(letter);
    upper.into_iter().flatten().chain(lower.into_iter().flatten()).chain(same)
}

/// Whether the file system may do so. Each is asked once.
fn numbers_may_differ(path: &Path, metadata: &Metadata) -> bool {
    static ASKED: Mutex<Option<HashMap<u64, bool>>> = Mutex::new(None);
    let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    *asked.get_or_insert_default().entry(metadata.dev()).or_insert_with(|| is_in_user_space(path))
}
