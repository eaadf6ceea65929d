//! The target of an output: computed once, before any work; opened once the keys are proven; committed when it is complete.
//!
//! This is the one place that decides what an output may be.
//!
//! A name that the user typed may be a link, a device or a pipe. A derived name may not: anything under it is replaced by a file,
//! or the output fails.

mod compare;
mod open;
mod place;
mod take;
mod taken;

use std::{
    fs::{self, File},
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

pub(crate) use place::{OutputFolder, Place};
pub(crate) use taken::{Claim, FileSet, FixedFileSet, Taken};

use anyhow::{Context, Result, anyhow};

use crate::cli::{
    args::DASH,
    files::{
        input::check_is_open,
        naming::{is_descriptor, is_stdout, parent_folder, resolve},
        pending::Overwrite,
    },
    platform::{self, FileHandle},
    terminal::{
        advice::{Advise, advised, misuse},
        command,
        errors::Misuse,
        escape::quoted,
        persona,
    },
};

/// Which bytes may go to a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnTerminal {
    /// Any bytes: they are text, or the user insists.
    Anything,
    /// Text only.
    Text,
    /// None: the output is binary.
    Nothing,
}

/// Where an output goes: checked, but not opened.
pub(crate) enum Target {
    Stdout(OnTerminal),
    /// A device, a pipe or an open descriptor, which is written directly.
    Direct {
        /// As the user wrote it, for messages.
        typed: PathBuf,
        /// With links resolved.
        path: PathBuf,
        existing: FileHandle,
    },
    /// A file that appears when it is committed.
    File {
        /// As the user wrote it, for messages.
        typed: PathBuf,
        place: Place,
        overwrite: Overwrite,
        /// The file that has the name now. Held, so that no other file can be mistaken for it.
        existing: Option<FileHandle>,
        /// Ensures that no other output of the run gets the name, if there are several.
        claim: Option<Claim>,
        /// An advisory lock on what is replaced: other runs leave it alone until this one is done.
        lock: OnceLock<File>,
        /// Whether the command can write to standard output instead.
        can_stream: bool,
    },
}

impl Target {
    /// Standard output.
    ///
    /// # Errors
    ///
    /// [`Misuse`] if it is a terminal and must not get the output.
    pub(crate) fn stdout(allowed: OnTerminal) -> Result<Self> {
        if allowed == OnTerminal::Nothing && io::stdout().is_terminal() {
            return Err(advised(
                Misuse::BinaryToTerminal,
                "send it to a file with -o FILE, write text with -a, or insist with -o -",
            ));
        }
        // Scripts written for age are trusted to know what they do.
        if platform::WINDOWS && allowed == OnTerminal::Nothing && !persona::is_drop_in() {
            return misuse(
                "refusing to write binary data to a redirected standard output: PowerShell would convert it to text",
                "send it to a file with -o FILE, write text with -a, or insist with -o -",
            );
        }
        Ok(Self::Stdout(allowed))
    }

    /// The file that `typed` names, with links followed; standard output for `-`.
    ///
    /// # Errors
    ///
    /// If it is a directory, exists and must not be replaced, or cannot be created.
    pub(crate) fn path(typed: &Path, overwrite: Overwrite) -> Result<Self> {
        if typed == Path::new(DASH) {
            return Ok(Self::Stdout(OnTerminal::Anything));
        }
        let path = resolve(typed)?;
        if is_stdout(&path) {
            return Ok(Self::Stdout(OnTerminal::Anything));
        }
        if path.as_os_str().as_encoded_bytes().ends_with(b"/") && !path.is_dir() {
            return misuse(format!("{} is the name of a directory, not of a file", quoted(typed)), "name a file");
        }
        match FileHandle::at(&path) {
            Ok(existing) if is_written_directly(&existing, &path) => {
                Ok(Self::Direct { typed: typed.to_owned(), path, existing })
            }
            _ => Self::file(typed, Place::named(path), overwrite),
        }
    }

    /// The file in a derived place. An existing file there is not opened, and is replaced only if `overwrite` allows it.
    ///
    /// # Errors
    ///
    /// If a directory has the name, an existing file must not be replaced, or the file cannot be created.
    pub(crate) fn file(typed: &Path, place: Place, overwrite: Overwrite) -> Result<Self> {
        let typed = typed.to_owned();
        let existing = match place.existing() {
            Ok(found) if found.metadata().is_dir() => {
                return misuse(format!("{} is a directory", quoted(&typed)), "name a file in it");
            }
            Ok(existing) => Some(existing),
            Err(error) => {
                // Reported now, not after the work: a name that is too long, a folder that is missing or not accessible.
                let checked = match error.kind() {
                    io::ErrorKind::NotFound if place.creates_folder() => Ok(()),
                    io::ErrorKind::NotFound => fs::metadata(parent_folder(&place.reachable())).map(drop),
                    _ => Err(error),
                };
                let is_missing = checked.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
                match checked.with_context(|| format!("cannot create {}", quoted(&typed))) {
                    Err(error) if is_missing => return Err(error).hint(create_folder(parent_folder(place.path()))),
                    checked => checked?,
                }
                None
            }
        };
        let exists = existing.is_some();
        let already_exists = || Err(anyhow!("{} already exists", quoted(&typed)));
        match overwrite {
            Overwrite::Never if exists => already_exists().hint("choose another name with -o"),
            Overwrite::Refuse if exists && command::has_option("output-dir") => {
                already_exists().hint("overwrite it with -f, or choose another name with -o, or another folder with -O")
            }
            Overwrite::Refuse if exists => {
                already_exists().hint("overwrite it with -f, or choose another name with -o")
            }
            _ => Ok(Self::File {
                typed,
                place,
                overwrite,
                existing,
                claim: None,
                lock: OnceLock::new(),
                can_stream: false,
            }),
        }
    }

    /// The target of an output in a run of several: no other output of the run gets the same.
    ///
    /// # Errors
    ///
    /// If another has it.
    pub(crate) fn claimed(mut self, taken: &Arc<Taken>) -> Result<Self> {
        if let Self::File { typed, place, existing, claim, .. } = &mut self {
            let is_made = existing.as_ref().is_some_and(|existing| taken.contains(existing.id()));
            *claim = if is_made { None } else { taken.claim(place.path().to_owned()) };
            if claim.is_none() {
                return two_inputs(typed);
            }
        }
        Ok(self)
    }

    /// The folder in which a name will appear, if one will.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Stdout(_) | Self::Direct { .. } => None,
            Self::File { place, .. } => Some(parent_folder(place.path())),
        }
    }

    /// A path that leads to that folder, as long as this target exists.
    pub(crate) fn reachable_folder(&self) -> Option<PathBuf> {
        match self {
            Self::Stdout(_) | Self::Direct { .. } => None,
            Self::File { place, .. } => Some(parent_folder(&place.reachable()).to_owned()),
        }
    }

    /// Whether this is a file, which appears when it is committed and can be read back before.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// The path as the user wrote it, or `None` for standard output.
    pub(crate) fn typed(&self) -> Option<&Path> {
        match self {
            Self::Stdout(_) => None,
            Self::Direct { typed, .. } | Self::File { typed, .. } => Some(typed),
        }
    }

    /// The name for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdout(_) => "standard output".to_owned(),
            Self::Direct { typed, .. } | Self::File { typed, .. } => quoted(typed),
        }
    }

    /// Adds a hint to a failure that says what happened to the output. `released` is the number of bytes that
    /// [a reader may have](Output::released).
    pub(crate) fn explain<T>(&self, result: Result<T>, released: u64) -> Result<T> {
        match self {
            _ if result.is_ok() => result,
            Self::File { existing: Some(_), .. } => result.hint(format!("{} was left as it was", self.name())),
            _ if released == 0 => result.hint(format!("nothing was written to {}", self.name())),
            _ => result.hint(format!("{released} bytes had already been written to {}; do not use them", self.name())),
        }
    }

    /// What the commit may do if the name is taken. A file that appeared after the target was computed may be an output of this
    /// run, so it is never replaced.
    pub(crate) fn overwrite(&self) -> Overwrite {
        match self {
            Self::File { overwrite, existing: Some(_), .. } => *overwrite,
            _ => Overwrite::Never,
        }
    }

    /// The file, link or device that this replaces.
    pub(crate) fn replaces(&self) -> Option<&FileHandle> {
        match self {
            Self::File { overwrite: Overwrite::Replace, existing, .. } => existing.as_ref(),
            _ => None,
        }
    }

    /// The regular file that this replaces.
    pub(crate) fn replaced_file(&self) -> Option<&FileHandle> {
        self.replaces().filter(|existing| existing.metadata().is_file())
    }

    /// Says that the command can write to standard output instead.
    pub(crate) fn or_stdout(mut self) -> Self {
        if let Self::File { can_stream, .. } = &mut self {
            *can_stream = true;
        }
        self
    }

    /// Fails if standard output is closed. Used for output that exists nowhere else: decrypted data still has its source, and some
    /// scripts want only the exit status.
    ///
    /// # Errors
    ///
    /// If it is closed.
    pub(crate) fn check_is_open(&self) -> Result<()> {
        match self {
            Self::Stdout(_) => check_is_open(platform::stdout(), "standard output"),
            Self::Direct { .. } | Self::File { .. } => Ok(()),
        }
    }
}

/// Whether an existing file is written directly, and not replaced.
fn is_written_directly(existing: &FileHandle, path: &Path) -> bool {
    let metadata = existing.metadata();
    is_descriptor(path) || !(metadata.is_file() || metadata.is_dir() || metadata.is_symlink())
}

/// The hint for an output whose folder is missing.
fn create_folder(folder: &Path) -> String {
    let folder = quoted(folder);
    let creates = if command::has_option("output-dir") { "; only -O creates folders" } else { "" };
    format!("the folder {folder} is missing; create it with mkdir -p{creates}")
}

pub(crate) fn two_inputs<T>(output: &Path) -> Result<T> {
    misuse(
        format!("{} would be the output of two inputs", quoted(output)),
        "give them different folders; --recursive and --files-from keep the folders of their files",
    )
}
