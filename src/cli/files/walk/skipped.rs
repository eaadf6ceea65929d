//! Names that a walk skips, and the folders that a copy must have to be complete.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result};

use crate::cli::{
    files::target::{OutputFolder, Place},
    platform,
    terminal::{escape::quoted, messages::Messages},
};

/// Why a walk skips a name.
#[derive(Clone, Copy)]
pub(super) enum Reason {
    Link,
    /// A device, a pipe or a socket.
    Special,
    InAge,
    NotInAge,
}

impl Reason {
    const ALL: [Self; 4] = [Self::Link, Self::Special, Self::InAge, Self::NotInAge];

    /// Why one name is skipped.
    fn of_one(self) -> &'static str {
        match self {
            Self::Link => "it is a link",
            Self::Special => "it is not a regular file",
            Self::InAge => "its name ends in .age",
            Self::NotInAge => "its name does not end in .age",
        }
    }

    fn of_many(self, count: u64) -> String {
        let (one, many) = match self {
            Self::Link => ("link", "links"),
            Self::Special => ("device, pipe or socket", "devices, pipes or sockets"),
            Self::InAge => ("name that ends in .age", "names that end in .age"),
            Self::NotInAge => ("name that does not end in .age", "names that do not end in .age"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// Counts the names that walks skip, and lists them with `--verbose`. If outputs go to a folder of their own, also remembers the folders
/// in which there was no input.
#[derive(Clone, Default)]
pub(crate) struct Skipped {
    pub(super) messages: Messages,
    counts: Arc<[AtomicU64; Reason::ALL.len()]>,
    output_dir: Option<PathBuf>,
    /// Folders in which no input was found, and the place of each below the output folder.
    folders: Arc<Mutex<BTreeMap<PathBuf, PathBuf>>>,
}

impl Skipped {
    pub(crate) fn new(messages: &Messages, output_dir: Option<&Path>) -> Self {
        Self { messages: *messages, output_dir: output_dir.map(Path::to_owned), ..Self::default() }
    }

    /// Whether outputs go to a folder of their own.
    pub(super) fn is_copy(&self) -> bool {
        self.output_dir.is_some()
    }

    pub(super) fn add(&self, path: &Path, reason: Reason) {
        self.counts[reason as usize].fetch_add(1, Ordering::Relaxed);
        self.messages.verbose(&format!("skipped {}: {}", quoted(path), reason.of_one()));
    }

    pub(super) fn add_folder(&self, source: &Path, relative: PathBuf) {
        if self.is_copy() {
            self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(source.to_owned(), relative);
        }
    }

    /// Notes an input. Its output creates the folder, or has its own error.
    pub(super) fn add_input(&self, source: &Path) {
        if self.is_copy()
            && let Some(folder) = source.parent()
        {
            self.folders.lock().unwrap_or_else(PoisonError::into_inner).remove(folder);
        }
    }

    /// Whether a folder is the output folder, which is not an input: it would grow with each run.
    pub(super) fn is_output_dir(&self, folder: &Path) -> bool {
        let number = |path: &Path| fs::metadata(path).ok().as_ref().and_then(platform::file_number);
        let output_dir = self.output_dir.as_deref().and_then(number);
        output_dir.is_some() && output_dir == number(folder)
    }

    /// Warns about files missing from a copy. Outputs beside their sources are not a copy, so nothing can be missing.
    pub(crate) fn warn(&self) {
        if !self.is_copy() {
            return;
        }
        let counts =
            Reason::ALL.into_iter().map(|reason| (reason, self.counts[reason as usize].load(Ordering::Relaxed)));
        let texts: Vec<_> =
            counts.filter(|(_, count)| *count > 0).map(|(reason, count)| reason.of_many(count)).collect();
        if !texts.is_empty() {
            self.messages.warning(&format!("skipped in the folders: {}; -v names them", texts.join(", ")));
        }
    }

    /// Creates the folders of a copy that no output creates.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn make_folders(&self) -> Result<()> {
        let Some(output_dir) = &self.output_dir else { return Ok(()) };
        let output_dir = Arc::new(OutputFolder::new(output_dir));
        for (source, relative) in &*self.folders.lock().unwrap_or_else(PoisonError::into_inner) {
            // The place of a file in it, whose folder is made as for any output.
            let inside = |folder: &Path| folder.join("file");
            let made = Place::in_output_dir(&output_dir, &inside(relative), &inside(source))
                .and_then(|place| place.create_folder());
            let name = || quoted(&output_dir.path().join(relative));
            made.with_context(|| format!("cannot create the folder {}", name()))?;
        }
        Ok(())
    }
}
