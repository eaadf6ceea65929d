//! An input: a file or standard input, with its name and, where it is known, its length.

mod check;
mod place;
mod source_file;
mod tracked;

use std::{
    borrow::Borrow,
    fs::{File, Metadata},
    io::{self, BufReader, IsTerminal, Seek},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, bail};

use crate::{
    cli::{
        args::DASH,
        files::{
            naming::{InputPath, display_name},
            permissions::{Owner, Permissions},
        },
        platform::{self, FileId},
        terminal::{errors::During, messages::Messages, progress::Progress},
    },
    crypto::Source,
};

use check::refuse_directory;
pub(crate) use check::{check_exists, check_single, check_some_exist};
use place::Place;
pub(crate) use source_file::{Removal, SourceFile};
pub(crate) use tracked::Tracked;

/// Bytes in the buffer for reading in sequence.
const BUFFER: usize = 64 * 1024;
/// Minimum size in bytes of files that the system is told are read in sequence.
const READ_AHEAD: u64 = 128 * 1024;

/// A file or stream to read.
pub(crate) struct Input {
    /// `None` for standard input.
    place: Option<Place>,
    /// For messages.
    name: String,
    /// `None` if the system has none, such as for a console on Windows.
    metadata: Option<Metadata>,
    /// Offset at which reading begins, in a file that was redirected to standard input.
    start: u64,
    /// Bytes from there to the end, as far as the system tells.
    length: Option<u64>,
    id: FileId,
    pub(crate) reader: BufReader<Tracked>,
    pub(crate) progress: Arc<Progress>,
}

impl Input {
    /// Opens what `path` names, or standard input for `-`.
    ///
    /// # Errors
    ///
    /// Those of the system; [`Misuse`](crate::cli::terminal::errors::Misuse) for a directory.
    pub(crate) fn open(input: &InputPath, progress: Arc<Progress>) -> Result<Self> {
        let path = &input.path;
        let name = display_name(path);
        let cannot_read = || format!("cannot read {name}");
        let input = if input.is_stdin() {
            let file = platform::stdin().context("cannot use standard input")?;
            let metadata = file.metadata().ok();
            if metadata.as_ref().is_some_and(Metadata::is_dir) {
                return refuse_directory(&name);
            }
            Self::new(file, name.clone(), metadata, None, progress).with_context(cannot_read)?
        } else {
            // Not every system can open a directory, and a walk yields none.
            if !input.was_found() && path.is_dir() {
                return refuse_directory(&name);
            }
            let opened = input.folder().and_then(|folder| {
                let place = Place { path: path.clone(), folder };
                place.open().map(|opened| (opened, place))
            });
            let opened = opened.with_context(|| format!("cannot open {name}"));
            let ((file, metadata), place) = opened.with_context(|| During::OpeningInput(path.clone()))?;
            Self::new(file, name.clone(), Some(metadata), Some(place), progress).with_context(cannot_read)?
        };
        input.progress.open(&name, input.length());
        Ok(input)
    }

    /// Reads an open file from its start.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn of_file(mut file: File, progress: Arc<Progress>) -> io::Result<Self> {
        file.rewind()?;
        let metadata = file.metadata()?;
        let name = display_name(Path::new(DASH));
        Self::new(file, name, Some(metadata), None, progress)
    }

    fn new(
        mut file: File,
        name: String,
        metadata: Option<Metadata>,
        place: Option<Place>,
        progress: Arc<Progress>,
    ) -> io::Result<Self> {
        let (id, start) = match (&place, &metadata) {
            (Some(place), Some(metadata)) => (FileId::of_opened(&place.reachable(), &file, metadata)?, 0),
            _ => (FileId::of(&file)?, file.stream_position().unwrap_or(0)),
        };
        let regular = metadata.as_ref().filter(|metadata| metadata.is_file());
        let is_file = regular.is_some();
        match regular {
            None => platform::enlarge_pipe(&file),
            // The system reads small files at once.
            Some(metadata) if metadata.len() > READ_AHEAD => platform::read_ahead(&file),
            Some(_) => {}
        }
        let length = metadata.as_ref().and_then(|metadata| length_of(&file, metadata)?.checked_sub(start));
        let tracked = Tracked { file, is_file, progress: progress.clone(), read: 0, stays_cached: false };
        Ok(Self {
            place,
            name,
            metadata,
            start,
            length,
            id,
            reader: BufReader::with_capacity(BUFFER, tracked),
            progress,
        })
    }

    /// The name for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Which file this is. The open file keeps its inode number from being reused.
    pub(crate) fn id(&self) -> &FileId {
        &self.id
    }

    /// Whether a regular file was named: not standard input, a device or a pipe.
    pub(crate) fn is_named_file(&self) -> bool {
        self.place.is_some() && self.file_metadata().is_some()
    }

    /// The metadata of a regular file, including one redirected to standard input.
    fn file_metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref().filter(|metadata| metadata.is_file())
    }

    /// Whether it is typed or pasted on a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.file_metadata().is_none() && self.reader.get_ref().file.is_terminal()
    }

    /// The permissions of a file that is made from this one.
    pub(crate) fn permissions(&self, owner: Owner) -> Permissions {
        let access_list = || platform::has_access_list(&self.reader.get_ref().file);
        match self.file_metadata() {
            Some(source) => Permissions::Like { source: source.clone(), access_list: access_list(), owner },
            None => Permissions::Umask,
        }
    }

    /// Bytes to read, or `None` if the length is unknown until the end is reached.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Has the system keep in memory what is read, because it will be read again.
    pub(crate) fn keep_cached(&mut self) {
        self.reader.get_mut().stays_cached = true;
    }

    /// Forgets the length if the file has data beyond it, as on some file systems, for a reader that starts at the end.
    pub(crate) fn check_length(&mut self) {
        let file = &self.reader.get_ref().file;
        let goes_on = |length| matches!(platform::read_at(file, &mut [0], self.start + length), Ok(1));
        self.length = self.length.filter(|length| !goes_on(*length));
    }

    /// Whether it is a device or a pipe, which may have data after the end of the file read from it.
    pub(crate) fn may_go_on(&self) -> bool {
        self.file_metadata().is_none()
    }

    /// Everything after the first `consumed` bytes, which were read through [`reader`](Self::reader).
    pub(crate) fn source(&mut self, consumed: u64) -> Source<'_> {
        match self.length() {
            Some(length) if length >= consumed => Source::AtOffsets {
                file: self.reader.get_ref(),
                start: self.start + consumed,
                length: length - consumed,
            },
            _ => Source::Sequential(&mut self.reader),
        }
    }

    /// Ends reading.
    pub(crate) fn into_source_file(self) -> SourceFile {
        let Self { place, metadata, id, reader, .. } = self;
        SourceFile { place, metadata, id, file: reader.into_inner().file }
    }

    /// The file itself, positioned at `offset`.
    pub(crate) fn file_at(&self, offset: u64) -> Result<File> {
        let file = self.reader.get_ref().file.try_clone();
        let at = file.and_then(|mut file| file.seek(io::SeekFrom::Start(self.start + offset)).map(|_| file));
        at.with_context(|| format!("cannot read {}", self.name()))
    }
}

/// The length of a regular file, or `None` if it is not known until the end is reached.
fn length_of(file: &File, metadata: &Metadata) -> Option<u64> {
    let length = Some(metadata.len()).filter(|length| metadata.is_file() && *length > 0)?;
    // The kernel generates some files while they are read. It reports a size of 0 for those in /proc, and of a page for those in
    // /sys.
    let is_shorter = !platform::takes_space(metadata) && matches!(platform::read_at(file, &mut [0], length - 1), Ok(0));
    (!is_shorter).then_some(length)
}

/// Tells the user if `path` names standard input and it is a terminal.
pub(crate) fn announce_typed(path: &Path, messages: &Messages) {
    if path == Path::new(DASH) && io::stdin().is_terminal() {
        messages.reading_terminal();
    }
}

/// Whether a name stands for standard input: `-`, or any other name of the pipe or terminal that it is.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new(DASH) || platform::is_stdin(path)
}

/// Fails if standard input was closed when the program started.
///
/// # Errors
///
/// See [`check_is_open`].
pub(crate) fn check_stdin_is_open() -> Result<()> {
    check_is_open(platform::stdin(), "standard input")
}

/// Fails if a standard stream was closed when the program started.
///
/// # Errors
///
/// An error that names the stream; errors from the system.
pub(crate) fn check_is_open(stream: io::Result<impl Borrow<File>>, name: &str) -> Result<()> {
    let closed = stream.and_then(|stream| platform::was_closed(stream.borrow()));
    if closed.with_context(|| format!("cannot use {name}"))? {
        bail!("cannot use {name}: it is closed, or /dev/null opened for both reading and writing");
    }
    Ok(())
}
