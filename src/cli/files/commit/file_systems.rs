//! File systems that are synced as a whole, so that many files become durable at the price of one.
//!
//! `fsync` makes the disk flush its cache for each file, and btrfs write a log for each. `syncfs` does that once, but it also
//! writes other programs' data. So it is used only for large groups, and only where it reports every failure.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::cli::{files::pending::Pending, platform::FileSystem};

/// Minimum number of files in a group for syncing their file system. Fewer files are synced one by one.
const MANY: usize = 32;

/// The file systems of a run's outputs, by device number.
#[derive(Default)]
pub(super) struct FileSystems {
    /// `None` for a file system that is not synced as a whole.
    watched: Mutex<BTreeMap<u64, Option<Arc<FileSystem>>>>,
}

impl FileSystems {
    /// Opens the file system of a file, unless it is already open. Call it before writing the file: a file system reports only
    /// failures since it was opened.
    pub(super) fn watch(&self, pending: &Pending) {
        if let Some(device) = device(pending) {
            self.lock().entry(device).or_insert_with(|| pending.file_system().map(Arc::new));
        }
    }

    /// Syncs each file system that has many of these files. Returns the device numbers of those that succeeded: there, all
    /// of the files are durable.
    pub(super) fn sync<'a>(&self, files: impl Iterator<Item = &'a Pending>) -> BTreeSet<u64> {
        let mut counts = BTreeMap::<u64, usize>::new();
        files.filter_map(device).for_each(|device| *counts.entry(device).or_default() += 1);
        counts.retain(|_, count| *count >= MANY);
        counts.into_keys().filter(|device| self.sync_one(*device)).collect()
    }

    fn sync_one(&self, device: u64) -> bool {
        let Some(file_system) = self.lock().get(&device).cloned().flatten() else { return false };
        let synced = file_system.sync();
        if synced.is_err() {
            // A failure is reported only once, and may concern a file in a later group. Each file knows its own failures.
            self.lock().insert(device, None);
        }
        synced.is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Option<Arc<FileSystem>>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The device number of a file's file system.
pub(super) fn device(pending: &Pending) -> Option<u64> {
    pending.id().numbers().map(|(device, _)| device)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_system_is_synced_for_many_files_if_it_was_watched_before() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let new = |number: usize| Pending::new(&folder.path().join(number.to_string())).expect("a file can be made");
        let mut files: Vec<_> = (0..MANY).map(new).collect();
        let file_systems = FileSystems::default();
        assert!(file_systems.sync(files.iter()).is_empty(), "it was not watched");
        file_systems.watch(&files[0]);
        files.iter_mut().for_each(|file| file.write_all(b"text").expect("the file takes it"));
        assert!(file_systems.sync(files[1..].iter()).is_empty(), "too few files");
        let expected: BTreeSet<_> = files[0].file_system().and_then(|_| device(&files[0])).into_iter().collect();
        assert_eq!(file_systems.sync(files.iter()), expected);
    }
}
