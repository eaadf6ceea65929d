//! What is read: a file or standard input, with a name, and a length where that is known.

use std::{
    fs::{self, File, Metadata},
    io::{self, BufReader, Read, Seek},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use same_file::Handle;

use crate::{
    cli::{
        files::permissions::Mode,
        platform,
        terminal::{
            messages::{Report, misuse, quoted},
            progress::Progress,
        },
    },
    crypto::{ReadAt, Source},
};

/// What stands for standard input or output on the command line.
pub(crate) const DASH: &str = "-";

const BUFFER: usize = 64 * 1024;

/// Something to read.
pub(crate) struct Input {
    /// None for standard input.
    path: Option<PathBuf>,
    /// None for what the system has nothing to say of, as Windows of a console.
    metadata: Option<Metadata>,
    /// Where reading begins, in a file that was handed over as standard input.
    start: u64,
    /// For comparing it with an output.
    pub(crate) handle: Handle,
    pub(crate) reader: BufReader<Tracked>,
    pub(crate) progress: Arc<Progress>,
}

impl Input {
    /// Opens `path`, or standard input for `-`.
    pub(crate) fn open(path: &Path, progress: Arc<Progress>) -> Result<Self> {
        let name = name(path);
        let cannot_read = || format!("cannot read {name}");
        let a_directory = || {
            misuse(
                format!("{name} is a directory"),
                "name its files; encrypt, decrypt, verify and rekey find them with --recursive; or make one of them: tar c DIR | solekey encrypt -r KEY -o DIR.tar.age",
            )
        };
        let input = if path == Path::new(DASH) {
            let file = platform::stdin().context("cannot use standard input")?;
            let metadata = file.metadata().ok();
            if metadata.as_ref().is_some_and(Metadata::is_dir) {
                return a_directory();
            }
            let handle = Handle::stdin().with_context(cannot_read)?;
            Self::new(file, metadata, handle, None, progress)
        } else {
            // Not all systems open directories.
            if path.is_dir() {
                return a_directory();
            }
            let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
            let metadata = file.metadata().with_context(cannot_read)?;
            let handle = file.try_clone().and_then(Handle::from_file).with_context(cannot_read)?;
            Self::new(file, Some(metadata), handle, Some(path.to_owned()), progress)
        };
        input.progress.open(&name, input.length());
        Ok(input)
    }

    /// What is in an open file, from its start.
    pub(crate) fn of_file(mut file: File, progress: Arc<Progress>) -> io::Result<Self> {
        file.rewind()?;
        let metadata = file.metadata()?;
        let handle = file.try_clone().and_then(Handle::from_file)?;
        Ok(Self::new(file, Some(metadata), handle, None, progress))
    }

    fn new(
        mut file: File,
        metadata: Option<Metadata>,
        handle: Handle,
        path: Option<PathBuf>,
        progress: Arc<Progress>,
    ) -> Self {
        platform::enlarge_pipe(&file);
        platform::read_ahead(&file);
        let is_file = metadata.as_ref().is_some_and(Metadata::is_file);
        let start = if is_file { file.stream_position().unwrap_or(0) } else { 0 };
        let tracked = Tracked { file, progress: progress.clone(), read: 0 };
        Self { path, metadata, start, handle, reader: BufReader::with_capacity(BUFFER, tracked), progress }
    }

    /// The name for messages.
    pub(crate) fn name(&self) -> String {
        name(self.path.as_deref().unwrap_or(Path::new(DASH)))
    }

    /// The metadata of the file that was named. None for standard input, devices and pipes.
    pub(crate) fn model(&self) -> Option<&Metadata> {
        self.path.as_ref().and(self.file())
    }

    /// The metadata of a file, also one that was handed over as standard input.
    fn file(&self) -> Option<&Metadata> {
        self.metadata.as_ref().filter(|metadata| metadata.is_file())
    }

    /// What a file made from this one is like.
    pub(crate) fn mode(&self) -> Mode<'_> {
        let path = self.path.as_deref().unwrap_or(Path::new("/dev/stdin"));
        let like = |model| Mode::Like { model, access_list: platform::has_access_list(path) };
        self.file().map_or(Mode::Umask, like)
    }

    /// How many bytes there are in all. None if only reading them tells.
    pub(crate) fn length(&self) -> Option<u64> {
        let metadata = self.file()?;
        // One that says 0 may be one that the kernel makes up while it is read.
        if metadata.len() > 0 { metadata.len().checked_sub(self.start) } else { None }
    }

    /// What is left after the first `consumed` bytes, which were read through [`reader`](Self::reader).
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

    /// Deletes the file that was named, if it is still the one that was read.
    pub(crate) fn remove(&self, report: &Report) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        if is_link || !self.is_still_named() || self.has_changed() {
            let why = if is_link { "it is a link" } else { "it is not what was read any more" };
            report.warning(&format!("{} was not deleted: {why}", quoted(path)));
            return Ok(());
        }
        fs::remove_file(path).with_context(|| format!("cannot delete {}", quoted(path)))?;
        if self.had_other_names() {
            report.warning(&format!(
                "{} was deleted, but the file has other names (hard links), and they keep what is in it",
                quoted(path)
            ));
        }
        Ok(())
    }

    /// Whether the name that was opened is still that of this file, and not of another that took its place.
    pub(crate) fn is_still_named(&self) -> bool {
        self.path.as_ref().is_none_or(|path| Handle::from_path(path).is_ok_and(|handle| handle == self.handle))
    }

    /// Whether the file had more names than one when it was opened.
    pub(crate) fn had_other_names(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| platform::names(metadata) > 1)
    }

    /// The file itself, to be read on from its byte at `offset`.
    pub(crate) fn file_at(&self, offset: u64) -> Result<File> {
        let file = self.reader.get_ref().file.try_clone();
        let at = file.and_then(|mut file| file.seek(io::SeekFrom::Start(self.start + offset)).map(|_| file));
        at.with_context(|| format!("cannot read {}", self.name()))
    }

    /// Whether the file has changed since it was opened, as far as its length and time tell.
    pub(crate) fn has_changed(&self) -> bool {
        let now = self.reader.get_ref().file.metadata();
        let same =
            |now: Metadata, then: &Metadata| now.len() == then.len() && now.modified().ok() == then.modified().ok();
        self.file().is_some_and(|then| !now.is_ok_and(|now| same(now, then)))
    }
}

/// Whether a name stands for standard input: for the very pipe or terminal, under whatever name.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new(DASH) || platform::is_stdin(path)
}

/// The name of an input or output for messages.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new(DASH) { "standard input".to_owned() } else { quoted(path) }
}

/// A file that counts what is read from it.
pub(crate) struct Tracked {
    file: File,
    progress: Arc<Progress>,
    /// Bytes read in turn.
    pub(crate) read: u64,
}

impl Read for Tracked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Again if a signal cut in: who fills a buffered reader would take that for an error.
        let count = loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.progress.add(count);
        self.read += count as u64;
        Ok(count)
    }
}

impl ReadAt for Tracked {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let count = platform::read_at(&self.file, buffer, offset)?;
        self.progress.add(count);
        Ok(count)
    }
}
