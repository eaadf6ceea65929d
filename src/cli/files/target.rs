//! The target of an output: computed once, before any work; opened once the keys are proven; committed when it is whole.
//!
//! This is the one place that decides what an output may be.

use std::{
    fs::{self, File},
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow};

use crate::cli::{
    args::DASH,
    files::{
        input::check_is_open,
        naming::{Destination, canonical, is_descriptor, is_stdout, parent_folder, resolve},
        output::{Output, Stream},
        pending::{self, Overwrite, Pending},
    },
    platform::{self, FileHandle, FileId, signals},
    terminal::{
        advice::{Advise, advised, misuse},
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
        /// With links resolved.
        path: PathBuf,
        overwrite: Overwrite,
        /// The file that has the name now. Held, so that no other can be mistaken for it.
        existing: Option<FileHandle>,
        /// If missing folders are created, the folder that the source is in.
        source_folder: Option<PathBuf>,
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
                "refusing to write binary data to a redirected standard output: PowerShell would make text of it",
                "send it to a file with -o FILE, write text with -a, or insist with -o -",
            );
        }
        Ok(Self::Stdout(allowed))
    }

    /// The file that `typed` names; standard output for `-`.
    ///
    /// # Errors
    ///
    /// If it is a directory, exists and must not be replaced, or cannot be created.
    pub(crate) fn path(typed: &Path, overwrite: Overwrite) -> Result<Self> {
        Self::look(typed, overwrite, None)
    }

    /// The target of a named output. `allowed` applies to standard output.
    ///
    /// # Errors
    ///
    /// Those of [`stdout`](Self::stdout) and [`path`](Self::path).
    pub(crate) fn of(destination: &Destination, overwrite: Overwrite, allowed: OnTerminal) -> Result<Self> {
        match destination {
            Destination::Stdout => Self::stdout(allowed),
            Destination::Path(path) => Self::path(path, overwrite),
            Destination::InOutputDir { path, source } => {
                Self::look(path, overwrite, Some(parent_folder(source).to_owned()))
            }
        }
    }

    fn look(typed: &Path, overwrite: Overwrite, source_folder: Option<PathBuf>) -> Result<Self> {
        if typed == Path::new(DASH) {
            return Ok(Self::Stdout(OnTerminal::Anything));
        }
        let path = resolve(typed)?;
        let typed = typed.to_owned();
        if is_stdout(&path) {
            return Ok(Self::Stdout(OnTerminal::Anything));
        }
        let existing = match FileHandle::at(&path) {
            Ok(found) if found.metadata().is_dir() => {
                return misuse(format!("{} is a directory", quoted(&typed)), "name a file in it");
            }
            Err(_) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                return misuse(format!("{} is the name of a directory, not of a file", quoted(&typed)), "name a file");
            }
            Ok(existing) if !existing.metadata().is_file() || is_descriptor(&path) => {
                return Ok(Self::Direct { typed, path, existing });
            }
            Ok(existing) => Some(existing),
            Err(error) => {
                // Reported now, not after the work: a name that is too long, a folder that is missing or not accessible.
                let is_missing = error.kind() == io::ErrorKind::NotFound;
                let checked = match is_missing {
                    true if source_folder.is_some() => Ok(()),
                    true => fs::metadata(parent_folder(&path)).map(drop),
                    false => Err(error),
                };
                checked.with_context(|| format!("cannot create {}", quoted(&typed)))?;
                None
            }
        };
        let exists = existing.is_some();
        let already_exists = || Err(anyhow!("{} already exists", quoted(&typed)));
        match overwrite {
            Overwrite::Never if exists => already_exists().hint("choose another name with -o"),
            Overwrite::Refuse if exists => {
                already_exists().hint("overwrite it with -f, or choose another name with -o, or another folder with -O")
            }
            _ => Ok(Self::File { typed, path, overwrite, existing, source_folder }),
        }
    }

    /// The file, device or pipe that is there now.
    fn existing(&self) -> Option<&FileHandle> {
        match self {
            Self::Stdout(_) => None,
            Self::Direct { existing, .. } => Some(existing),
            Self::File { existing, .. } => existing.as_ref(),
        }
    }

    /// Refuses an output that is the file `input`, which is also read. Compares device and inode, whatever the spelling.
    ///
    /// # Errors
    ///
    /// [`Misuse::InputIsOutput`].
    pub(crate) fn check_is_not(&self, input: &FileId, input_name: &str) -> Result<()> {
        let is_same = match self {
            // Not held: on some file systems, closing a descriptor ends all writing.
            Self::Stdout(_) => platform::stdout().is_ok_and(|stdout| {
                stdout.metadata().is_ok_and(|found| found.is_file()) && FileId::of(&stdout).is_ok_and(|id| id == *input)
            }),
            Self::Direct { .. } | Self::File { .. } => {
                self.existing().is_some_and(|existing| existing.metadata().is_file() && existing.id() == input)
            }
        };
        if !is_same {
            return Ok(());
        }
        let name = self.name();
        let message = if input_name == name {
            format!("{name} is to be both read and written")
        } else {
            format!("{input_name} and {name} are the same file")
        };
        Err(Misuse::InputIsOutput(message)).hint("nothing was written; choose another output with -o")
    }

    /// The folder in which a name will appear, if one will.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Stdout(_) | Self::Direct { .. } => None,
            Self::File { path, .. } => Some(parent_folder(path)),
        }
    }

    /// Whether this is a file, which appears when it is committed and can be read back before.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }

    /// Whether both go to the same place, even if nothing is there yet.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Stdout(_), Self::Stdout(_)) => true,
            (Self::Stdout(_), _) | (_, Self::Stdout(_)) => false,
            (
                Self::Direct { path, .. } | Self::File { path, .. },
                Self::Direct { path: other, .. } | Self::File { path: other, .. },
            ) => path == other || canonical(path).is_some_and(|path| canonical(other) == Some(path)),
        }
    }

    /// A path of the file that is the same for all spellings, or `None` if this is not a file. If its folder does not
    /// exist yet, the path unchanged.
    pub(crate) fn canonical(&self) -> Option<PathBuf> {
        let Self::File { path, .. } = self else { return None };
        // An existing file has the spelling that its folder lists: the file system may ignore case.
        Some(fs::canonicalize(path).ok().or_else(|| canonical(path)).unwrap_or_else(|| path.clone()))
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

    /// Whether the name still holds the file that was found there.
    pub(crate) fn is_unchanged(&self) -> bool {
        match self {
            Self::File { path, existing: Some(existing), .. } => {
                FileHandle::at(path).is_ok_and(|now| now.id() == existing.id())
            }
            _ => true,
        }
    }

    /// Fails if standard output is closed. For output that exists nowhere else: decrypted data still has its source, and some
    /// scripts only want the exit status.
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

    /// Opens the output. A file gets its name only by [`commit`](crate::cli::files::commit::commit).
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) fn open(&self) -> Result<Output> {
        let name = self.name();
        Ok(match self {
            Self::Stdout(allowed) => {
                let file = platform::stdout().context("cannot use standard output")?;
                let text_only = *allowed != OnTerminal::Anything && file.is_terminal();
                Output::Stream(Stream::new(file, text_only))
            }
            Self::Direct { path, .. } => {
                // Opening the name of a descriptor opens its file again, at offset 0: appending spares what is there. A
                // device is written from its start, since its end is the end of its space.
                let append = path.is_file();
                let file = File::options().write(true).append(append).open(path);
                let file = file.with_context(|| format!("cannot open {name}"))?;
                Output::Stream(Stream::new(Arc::new(file), false))
            }
            Self::File { path, source_folder, overwrite, .. } => {
                let cannot_create = || format!("cannot create {name}");
                if *overwrite == Overwrite::Replace {
                    // Needed by the commit, when nothing can be opened any more.
                    signals::clean_up_on_signals().with_context(cannot_create)?;
                }
                if let Some(model) = source_folder {
                    pending::create_folders(parent_folder(path), Some(model)).with_context(cannot_create)?;
                }
                Output::File(Pending::new(path).with_context(cannot_create)?)
            }
        })
    }
}
