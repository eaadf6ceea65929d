//! The outputs that a run has made, and the names it has reserved: no output replaces another of the same run.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::cli::platform::FileId;

/// A set of files. Takes some 10 to 20 bytes for each.
#[derive(Default)]
pub(crate) struct FileSet(HashMap<u64, HashSet<u64>>);

impl FileSet {
    /// Adds a file. Returns whether it is new, which it always is if the system cannot identify it.
    pub(crate) fn insert(&mut self, id: &FileId) -> bool {
        id.numbers().is_none_or(|(device, inode)| self.0.entry(device).or_default().insert(inode))
    }

    pub(crate) fn contains(&self, id: &FileId) -> bool {
        id.numbers().is_some_and(|(device, inode)| self.0.get(&device).is_some_and(|inodes| inodes.contains(&inode)))
    }

    fn remove(&mut self, id: &FileId) {
        if let Some((device, inode)) = id.numbers()
            && let Some(inodes) = self.0.get_mut(&device)
        {
            inodes.remove(&inode);
        }
    }
}

/// A set of files that does not change. Takes 8 bytes for each.
#[derive(Default)]
pub(crate) struct FixedFileSet(HashMap<u64, Vec<u64>>);

impl FixedFileSet {
    pub(crate) fn contains(&self, id: &FileId) -> bool {
        let has = |(device, inode)| self.0.get(&device).is_some_and(|inodes| inodes.binary_search(&inode).is_ok());
        id.numbers().is_some_and(has)
    }
}

impl FromIterator<FileId> for FixedFileSet {
    fn from_iter<I: IntoIterator<Item = FileId>>(ids: I) -> Self {
        let mut set = Self::default();
        for (device, inode) in ids.into_iter().filter_map(|id| id.numbers()) {
            set.0.entry(device).or_default().push(inode);
        }
        for inodes in set.0.values_mut() {
            inodes.sort_unstable();
            inodes.dedup();
            inodes.shrink_to_fit();
        }
        set
    }
}

/// The outputs of a run: the files that it has made, and the names of those that it is making.
#[derive(Default)]
pub(crate) struct Taken(Mutex<State>);

#[derive(Default)]
struct State {
    made: FileSet,
    /// Where nothing exists yet, there is nothing to compare but names.
    names: HashSet<PathBuf>,
}

impl Taken {
    /// Takes a name, or returns `None` if another output has it.
    pub(crate) fn claim(self: &Arc<Self>, name: PathBuf) -> Option<Claim> {
        let is_free = self.lock().names.insert(name.clone());
        is_free.then(|| Claim { taken: self.clone(), name })
    }

    /// Reserves a name as an output of this run although its file stays unchanged. Returns whether no other output has it.
    /// `numbers` are the file's device and inode.
    pub(crate) fn keep(&self, name: &Path, numbers: Option<(u64, u64)>) -> bool {
        let mut state = self.lock();
        let is_free = !state.names.contains(name);
        is_free && numbers.is_none_or(|(device, inode)| state.made.0.entry(device).or_default().insert(inode))
    }

    /// Whether a file is an output of this run.
    pub(crate) fn contains(&self, id: &FileId) -> bool {
        self.lock().made.contains(id)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name reserved for an output of this run. Dropping it releases the name: by then a file has it, or the output has failed.
pub(crate) struct Claim {
    taken: Arc<Taken>,
    name: PathBuf,
}

impl Claim {
    /// Notes that a file is about to get the name.
    pub(crate) fn make(&self, id: &FileId) {
        self.taken.lock().made.insert(id);
    }

    /// Undoes that.
    pub(crate) fn fail(&self, id: &FileId) {
        self.taken.lock().made.remove(id);
    }

    /// Whether a file is another output of this run.
    pub(crate) fn is_made(&self, id: &FileId) -> bool {
        self.taken.contains(id)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.taken.lock().names.remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_files_take_less_than_fifty_bytes_each() {
        let mut set = FileSet::default();
        (0..1_000_000).for_each(|inode| assert!(set.0.entry(1).or_default().insert(inode)));
        // One byte of control for each slot.
        let slots = set.0.values().map(HashSet::capacity).sum::<usize>() * 8 / 7;
        assert!(slots * (size_of::<u64>() + 1) < 50_000_000 / 2, "{slots} slots");
    }
}
