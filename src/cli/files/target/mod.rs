//! The target of an output: computed once, before any work; opened once the keys are proven; committed when it is whole.
//!
//! This is the one place that decides what an output may be.
//!
//! A name that the user typed may be a link, a device or a pipe. A name that was derived may not: whatever has it is replaced by
//! a file, or nothing is.

mod place;
mod taken;

use std::{
    fs::{self, File},
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

pub(crate) use place::{OutputFolder, Place};
pub(crate) use taken::{Claim, FileSet, Taken};

use anyhow::{Context, Result, anyhow};

use crate::cli::{
    args::DASH,
    files::{
        input::check_is_open,
        naming::{canonical, is_descriptor, is_stdout, parent_folder, resolve},
        output::{Output, Stream},
        pending::{Overwrite, Pending},
    },
    platform::{self, FileHandle, FileId, Folder, signals},
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
        place: Place,
        overwrite: Overwrite,
        /// What has the name now. Held, so that nothing else can be mistaken for it.
        existing: Option<FileHandle>,
        /// That no other output of the run gets the name, if the run has several.
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
                "refusing to write binary data to a redirected standard output: PowerShell would make text of it",
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

    /// The file in a place that was derived. Whatever is there is not opened; only `overwrite` lets the file replace it.
    ///
    /// # Errors
    ///
    /// If there is a directory, something must not be replaced, or the file cannot be created.
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
        let stdout;
        let existing = match self {
            Self::Stdout(_) => {
                stdout = platform::stdout().and_then(|stdout| FileHandle::of(&stdout)).ok();
                stdout.as_ref()
            }
            Self::Direct { .. } | Self::File { .. } => self.existing(),
        };
        let keeps_data = |found: &FileHandle| found.metadata().is_file() || platform::is_block_device(found.metadata());
        if !existing.is_some_and(|existing| keeps_data(existing) && existing.id() == input) {
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
            Self::File { place, .. } => Some(parent_folder(place.path())),
        }
    }

    /// A path that leads to that folder, as long as [`held_folder`](Self::held_folder) is held.
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

    /// Whether both go to the same place. Where nothing exists yet, the names decide.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        if let (Some(existing), Some(other)) = (self.existing(), other.existing()) {
            return existing.id() == other.id();
        }
        match (self.path_now(), other.path_now()) {
            (Some(path), Some(other)) => {
                path == other || canonical(&path).is_some_and(|path| canonical(&other) == Some(path))
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// The path to use, or `None` for standard output.
    fn path_now(&self) -> Option<PathBuf> {
        match self {
            Self::Stdout(_) => None,
            Self::Direct { path, .. } => Some(path.clone()),
            Self::File { place, .. } => Some(place.reachable()),
        }
    }

    /// The path of a file that does not exist yet, the same for all its spellings.
    pub(crate) fn canonical_if_new(&self) -> Option<PathBuf> {
        match self {
            Self::File { place, existing: None, .. } => canonical(&place.reachable()),
            _ => None,
        }
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

    /// What this replaces: a file, but also a link or a device.
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

    /// Calls `persist`, which gives the file `id` the name, if that still holds what was found there.
    ///
    /// # Errors
    ///
    /// If it does not, or another output of the run has it; those of `persist`.
    pub(crate) fn take_name(&self, id: &FileId, persist: impl FnOnce() -> io::Result<()>) -> Result<()> {
        let Self::File { place, existing, claim, .. } = self else { return Ok(()) };
        let name = self.name();
        let belongs_to_run = || {
            let now = claim.as_ref().zip(place.existing().ok());
            now.is_some_and(|(claim, now)| claim.is_made(now.id()))
        };
        // What has taken the name since would be lost.
        if self.overwrite() == Overwrite::Replace
            && let Some(existing) = existing
            && !place.existing().is_ok_and(|now| now.id() == existing.id())
        {
            if belongs_to_run() {
                return two_inputs(place.path());
            }
            return Err(anyhow!("{name} was replaced by another program")).hint("what it is now was left as it is");
        }
        if let Some(claim) = claim {
            claim.make(id);
        }
        let Err(error) = persist() else { return Ok(()) };
        if let Some(claim) = claim {
            claim.fail(id);
        }
        if error.kind() == io::ErrorKind::AlreadyExists {
            if belongs_to_run() {
                return two_inputs(place.path());
            }
            return Err(anyhow!("{name} was created by another program during the run")).hint("it was left as it is");
        }
        let is_refused = self.refuses_new_file(&error);
        let finished = self.explain(Err(error).with_context(|| format!("cannot finish {name}")), 0);
        if is_refused { finished.hint(self.stream_instead()) } else { finished }
    }

    /// Whether an existing file can be written, but not replaced: its folder takes no new file, or it is a mount point.
    fn refuses_new_file(&self, error: &io::Error) -> bool {
        use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
        let kinds = [CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy];
        matches!(self, Self::File { can_stream: true, existing: Some(_), .. }) && kinds.contains(&error.kind())
    }

    fn stream_instead(&self) -> String {
        format!("the file can only be replaced through its folder; to write into it as it is, use -c > {}", self.name())
    }

    /// Says that the command can write to standard output instead.
    pub(crate) fn or_stdout(mut self) -> Self {
        if let Self::File { can_stream, .. } = &mut self {
            *can_stream = true;
        }
        self
    }

    /// The folder that is held, for as long as its path is used.
    pub(crate) fn held_folder(&self) -> Option<Arc<Folder>> {
        match self {
            Self::File { place, .. } => place.folder(),
            Self::Stdout(_) | Self::Direct { .. } => None,
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
                Output::Stream(Stream::new(file, false))
            }
            Self::File { place, overwrite, existing, lock, .. } => {
                let cannot_create = || format!("cannot create {name}");
                if let (Overwrite::Replace, Some(existing)) = (*overwrite, existing) {
                    let locked =
                        existing.lock(&place.reachable()).map_err(|_| anyhow!("{name} is locked by another program"));
                    let locked = locked.hint("wait until that has written it, then try again")?;
                    locked.map(|file| lock.get_or_init(|| file));
                }
                if *overwrite == Overwrite::Replace {
                    // Needed by the commit, when nothing can be opened any more.
                    signals::clean_up_on_signals().with_context(cannot_create)?;
                }
                place.create_folder().with_context(cannot_create)?;
                let pending = Pending::new(&place.reachable());
                let is_refused = pending.as_ref().is_err_and(|error| self.refuses_new_file(error));
                match pending.with_context(cannot_create) {
                    Err(error) if is_refused => return Err(error).hint(self.stream_instead()),
                    pending => Output::File(pending?),
                }
            }
        })
    }
}

/// Whether an existing file is written directly, and not replaced.
fn is_written_directly(existing: &FileHandle, path: &Path) -> bool {
    let metadata = existing.metadata();
    is_descriptor(path) || !(metadata.is_file() || metadata.is_dir() || metadata.is_symlink())
}

fn two_inputs<T>(output: &Path) -> Result<T> {
    misuse(
        format!("{} would be the output of two inputs", quoted(output)),
        "give them different folders; --recursive, with the folder named and no list, keeps the tree",
    )
}
