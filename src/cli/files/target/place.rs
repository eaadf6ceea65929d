//! The place of an existing or future file: a name in a folder.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use crate::cli::{
    files::{
        naming::{InputPath, parent_folder},
        permissions::folder_mode,
    },
    platform::{self, FileHandle, Folder},
};

/// The folder of `-O`, held once it exists.
pub(crate) struct OutputFolder {
    path: PathBuf,
    held: OnceLock<Arc<Folder>>,
}

impl OutputFolder {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), held: OnceLock::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn hold(&self) -> io::Result<&Arc<Folder>> {
        if let Some(held) = self.held.get() {
            return Ok(held);
        }
        let folder = Arc::new(Folder::at(&self.path)?);
        Ok(self.held.get_or_init(|| folder))
    }
}

/// A name in a folder. The name itself is never followed if it is a link.
pub(crate) struct Place {
    /// As a path that is the same for all names in the folder.
    path: PathBuf,
    /// The folder, if it must be reached without following links.
    folder: OnceLock<Arc<Folder>>,
    /// How to create the folder if it is missing.
    missing: Option<Missing>,
}

struct Missing {
    top: Arc<OutputFolder>,
    /// The path of the folder below `top`.
    below: PathBuf,
    /// The folder of the source. The new folder and those above it, as far as their names match, get its permissions.
    model: PathBuf,
}

impl Missing {
    fn create(&self) -> io::Result<Arc<Folder>> {
        create_folders(&self.top.path)?;
        let depth = self.below.components().count();
        let mode = |folder: &Path| {
            let model = self.model.ancestors().nth(depth - folder.components().count())?;
            folder_mode(model.ends_with(folder).then_some(model))
        };
        self.top.hold()?.create(&self.below, &mode)
    }
}

impl Place {
    /// A place that the user named. Links to its folder are followed.
    pub(crate) fn named(path: PathBuf) -> Self {
        Self { path, folder: OnceLock::new(), missing: None }
    }

    /// A place beside an input.
    ///
    /// # Errors
    ///
    /// Those of [`InputPath::folder`].
    pub(crate) fn beside(input: &InputPath, path: PathBuf) -> io::Result<Self> {
        let folder = input.folder()?.map_or_else(OnceLock::new, OnceLock::from);
        Ok(Self { path, folder, missing: None })
    }

    /// The place `below` the folder of `-O`, which may not exist yet.
    ///
    /// # Errors
    ///
    /// If a link is in the path; errors from the system.
    pub(crate) fn in_output_dir(top: &Arc<OutputFolder>, below: &Path, source: &Path) -> io::Result<Self> {
        let folder = below.parent().unwrap_or(Path::new(""));
        let held = top.hold().and_then(|top| top.below(folder));
        let held = match held {
            Ok(held) => OnceLock::from(held),
            Err(error) if error.kind() == io::ErrorKind::NotFound => OnceLock::new(),
            Err(error) => return Err(error),
        };
        let missing = Missing { top: top.clone(), below: folder.to_owned(), model: parent_folder(source).to_owned() };
        Ok(Self { path: top.path.join(below), folder: held, missing: Some(missing) })
    }

    /// The path for comparisons and messages.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path to use: it leads to the folder that is held, wherever that is now.
    pub(crate) fn reachable(&self) -> PathBuf {
        match (self.folder.get(), self.path.file_name()) {
            (Some(folder), Some(name)) => folder.path().join(name),
            _ => self.path.clone(),
        }
    }

    /// Creates the folder, if that is wanted and it is missing.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn create_folder(&self) -> io::Result<()> {
        if let (None, Some(missing)) = (self.folder.get(), &self.missing) {
            let created = missing.create()?;
            self.folder.get_or_init(|| created);
        }
        Ok(())
    }

    /// Whether the folder will be created if it is missing.
    pub(crate) fn creates_folder(&self) -> bool {
        self.missing.is_some()
    }

    /// Holds the file that has the name.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if nothing has it; errors from the system.
    pub(crate) fn existing(&self) -> io::Result<FileHandle> {
        if self.folder.get().is_none() && self.missing.is_some() {
            return Err(io::ErrorKind::NotFound.into());
        }
        FileHandle::named(&self.reachable())
    }
}

/// Creates a folder and the missing ones above it, each durable.
///
/// # Errors
///
/// Errors from the system.
pub(crate) fn create_folders(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = parent_folder(path);
    create_folders(above)?;
    match platform::create_folder(path, None) {
        // Another file of the run may have created it.
        Err(_) if path.is_dir() => {}
        created => created?,
    }
    match platform::sync_folder(above) {
        // Reported for the outputs in it.
        Err(error) if platform::cannot_be_synced(&error) => Ok(()),
        synced => synced,
    }
}
