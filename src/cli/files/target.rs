//! Where an output will go: checked before any work, opened after the keys are proven, committed when it is whole.

use std::{
    fs::{self, File},
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use same_file::Handle;

use crate::cli::{
    files::{
        input::DASH,
        output::{Output, Stream},
        pending::{self, Overwrite, Pending, folder},
        permissions::Mode,
    },
    platform::{self, signals},
    terminal::messages::{Advise, Misuse, misuse, quoted, speaks_as_another},
};

/// Links that are followed from a name to the file it stands for; the system's own limit.
const LINK_LIMIT: usize = 40;

/// Whether bytes may go to a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terminal {
    /// Any bytes: they are text anyhow, or the user insists.
    Any,
    /// Text alone.
    TextOnly,
    /// None: these are sure not to be text.
    Refuse,
}

/// Where the output will go, checked but not opened.
pub(crate) enum Plan {
    Stdout(Terminal),
    /// A device or a pipe: written directly.
    Direct {
        /// As the user wrote it, for messages.
        typed: PathBuf,
        /// With links resolved.
        path: PathBuf,
    },
    /// A file.
    File {
        /// As the user wrote it, for messages.
        typed: PathBuf,
        /// With links resolved.
        path: PathBuf,
        overwrite: Overwrite,
        exists: bool,
        /// If its folder is made when it is opened, should it be missing: the folder that the source is in.
        make_folder: Option<PathBuf>,
    },
}

impl Plan {
    /// Standard output.
    pub(crate) fn stdout(terminal: Terminal) -> Result<Self> {
        if terminal == Terminal::Refuse && io::stdout().is_terminal() {
            return misuse(
                "refusing to write binary data to the terminal",
                "send it to a file with -o FILE, write text with -a, or insist with -o -",
            );
        }
        // Scripts that were written for age know what they do.
        if cfg!(windows) && terminal == Terminal::Refuse && !speaks_as_another() {
            return misuse(
                "refusing to write binary data to a redirected standard output: PowerShell would make text of it",
                "send it to a file with -o FILE, write text with -a, or insist with -o -",
            );
        }
        Ok(Self::Stdout(terminal))
    }

    /// The file that `typed` names; standard output for `-`.
    pub(crate) fn path(typed: &Path, overwrite: Overwrite) -> Result<Self> {
        Self::checked(typed, overwrite, None)
    }

    /// The file that `typed` names, in a folder that is made if it is missing, like that of `source`.
    pub(crate) fn in_folder(typed: &Path, source: &Path, overwrite: Overwrite) -> Result<Self> {
        Self::checked(typed, overwrite, Some(folder(source).to_owned()))
    }

    fn checked(typed: &Path, overwrite: Overwrite, make_folder: Option<PathBuf>) -> Result<Self> {
        if typed == Path::new(DASH) {
            return Ok(Self::Stdout(Terminal::Any));
        }
        let path = resolve(typed)?;
        let typed = typed.to_owned();
        if is_stdout(&path) {
            return Ok(Self::Stdout(Terminal::Any));
        }
        let exists = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                return misuse(format!("{} is a directory", quoted(&typed)), "name a file in it");
            }
            Err(_) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                return misuse(format!("{} is the name of a directory, not of a file", quoted(&typed)), "name a file");
            }
            Ok(metadata) if !metadata.is_file() || is_descriptor(&path) => return Ok(Self::Direct { typed, path }),
            Ok(_) => true,
            Err(error) => {
                // Found out now, not after the work: a name that is too long, a folder that is missing or closed to us.
                let missing = error.kind() == io::ErrorKind::NotFound;
                let checked = match missing {
                    true if make_folder.is_some() => Ok(()),
                    true => fs::metadata(folder(&path)).map(drop),
                    false => Err(error),
                };
                checked.with_context(|| format!("cannot create {}", quoted(&typed)))?;
                false
            }
        };
        let exists_already = || Err(anyhow::anyhow!("{} already exists", quoted(&typed)));
        match overwrite {
            Overwrite::Never if exists => exists_already().hint("choose another name with -o"),
            Overwrite::Refuse if exists => {
                exists_already().hint("overwrite it with -f, or choose another name with -o, or another folder with -O")
            }
            _ => Ok(Self::File { typed, path, overwrite, exists, make_folder }),
        }
    }

    /// Refuses an output that is also read. By device and inode, whatever the spelling.
    pub(crate) fn must_differ_from(&self, input: &Handle, input_name: &str) -> Result<()> {
        let handle = match self {
            Self::Stdout(_) => Handle::stdout(),
            // Not opened: that would wait for a pipe's other end.
            Self::Direct { path, .. } | Self::File { path, .. } if !path.is_file() => return Ok(()),
            Self::Direct { path, .. } | Self::File { path, .. } => Handle::from_path(path),
        };
        match handle {
            Ok(handle) if handle == *input && is_regular(&handle) => {
                let name = self.name();
                let message = if input_name == name {
                    format!("{name} is to be both read and written")
                } else {
                    format!("{input_name} and {name} are the same file")
                };
                Err(Misuse(message)).hint("nothing was written; choose another output with -o")
            }
            _ => Ok(()),
        }
    }

    /// The folder in which a name is to appear, if one is.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Stdout(_) | Self::Direct { .. } => None,
            Self::File { path, .. } => Some(folder(path)),
        }
    }

    /// Whether this goes where `other` goes, also if nothing is there yet.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Stdout(_), Self::Stdout(_)) => true,
            (
                Self::Direct { path: one, .. } | Self::File { path: one, .. },
                Self::Direct { path: two, .. } | Self::File { path: two, .. },
            ) => one == two || place(one).is_some_and(|one| place(two) == Some(one)),
            _ => false,
        }
    }

    /// The file that will be there, by a name that is the same for all spellings; if its folder is still to be made, by the
    /// name that it has. None for what is no file.
    pub(crate) fn place(&self) -> Option<PathBuf> {
        let Self::File { path, .. } = self else { return None };
        // Of a file that is there, the name that its folder has: letters may be told apart by case there, or not.
        Some(fs::canonicalize(path).ok().or_else(|| place(path)).unwrap_or_else(|| path.clone()))
    }

    /// The file's path as the user wrote it. None for standard output.
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

    /// Adds to a failure what it leaves: what a file keeps, or how many bytes somebody has [seen](Output::seen).
    pub(crate) fn after<T>(&self, result: Result<T>, seen: u64) -> Result<T> {
        match self {
            Self::File { exists: true, .. } => result.hint(format!("{} was left as it was", self.name())),
            _ if seen == 0 => result.hint(format!("nothing was written to {}", self.name())),
            _ => result.hint(format!("{seen} bytes had already been written to {}; do not use them", self.name())),
        }
    }

    /// Makes a file durable and has it appear under its name; what went to a stream, as durable as it can be.
    pub(crate) fn commit(&self, output: Output, mode: Mode<'_>) -> Result<()> {
        let seen = output.seen();
        let committed = match output {
            Output::Stream(stream) => stream.finish(),
            Output::File(pending) => pending.commit(mode, self.overwrite()),
        };
        if matches!(&committed, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
            return Err(anyhow::anyhow!("{} has come into being meanwhile", self.name())).hint("it was left as it is");
        }
        self.after(committed.with_context(|| format!("cannot finish {}", self.name())), seen)
    }

    /// What was not there when this was planned was made meanwhile, perhaps by this very run, and is never replaced.
    fn overwrite(&self) -> Overwrite {
        match self {
            Self::File { overwrite, exists: true, .. } => *overwrite,
            _ => Overwrite::Never,
        }
    }

    /// Refuses a standard output that is closed: what goes there would be lost. For what is nowhere else; what is decrypted
    /// still is where it came from, and some look at its exit status alone.
    pub(crate) fn must_not_be_closed(&self) -> Result<()> {
        match self {
            Self::Stdout(_) => must_not_be_closed(platform::stdout(), "standard output"),
            Self::Direct { .. } | Self::File { .. } => Ok(()),
        }
    }

    /// Opens the output. A file gets its name only by [`commit`](Self::commit).
    pub(crate) fn open(&self) -> Result<Output> {
        let name = self.name();
        Ok(match self {
            Self::Stdout(terminal) => {
                let file = platform::stdout().context("cannot use standard output")?;
                let text_only = *terminal != Terminal::Any && file.is_terminal();
                Output::Stream(Stream::new(file, text_only))
            }
            Self::Direct { path, .. } => {
                // A descriptor's name opens its file anew, at the start: appending spares what is there already. A device
                // is written from its start, for its end is the end of its space.
                let append = path.is_file();
                let file = File::options().write(true).append(append).open(path);
                let file = file.with_context(|| format!("cannot open {name}"))?;
                Output::Stream(Stream::new(file, false))
            }
            Self::File { path, make_folder, overwrite, .. } => {
                let cannot_create = || format!("cannot create {name}");
                if *overwrite == Overwrite::Replace {
                    // The commit needs it, when nothing can be opened any more.
                    signals::tidy_up_on_signals().with_context(cannot_create)?;
                }
                if let Some(model) = make_folder {
                    pending::make_folder(folder(path), Some(model)).with_context(cannot_create)?;
                }
                Output::File(Pending::new(path).with_context(cannot_create)?)
            }
        })
    }
}

/// Refuses a standard stream that was closed when the program started.
pub(crate) fn must_not_be_closed(stream: io::Result<File>, name: &str) -> Result<()> {
    let closed = stream.and_then(|stream| platform::was_closed(&stream));
    if closed.with_context(|| format!("cannot use {name}"))? {
        bail!("cannot use {name}: it is closed, or /dev/null opened for both reading and writing");
    }
    Ok(())
}

/// The path that a name stands for when it is a link, also to a file that is not there yet: a rename would replace the
/// link, not the file.
fn resolve(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINK_LIMIT {
        if is_descriptor(&path) {
            return Ok(path);
        }
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(anyhow::anyhow!("too many links behind {}", quoted(&path)))
}

/// A name that is the same for all spellings, also of a file that is not there yet. None if its folder is not there.
pub(crate) fn place(path: &Path) -> Option<PathBuf> {
    Some(fs::canonicalize(folder(path)).ok()?.join(path.file_name()?))
}

/// Whether a name stands for an open descriptor. What is behind it is written as it is, not replaced.
fn is_descriptor(path: &Path) -> bool {
    let listed = ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.parent() == Some(Path::new(folder)));
    listed || ["/dev/stdout", "/dev/stderr"].iter().any(|name| path == Path::new(name))
}

/// Whether a name stands for standard output, which is written where it stands.
fn is_stdout(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

fn is_regular(handle: &Handle) -> bool {
    handle.as_file().metadata().is_ok_and(|metadata| metadata.is_file())
}
