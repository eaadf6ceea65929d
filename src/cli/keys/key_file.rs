//! Reads key files, within limits. `identity_file` and `recipients` parse their lines.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    mem,
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{
    cli::{
        args::DASH,
        files::{
            input::{Input, announce_typed, is_stdin},
            naming::display_name,
            target::Target,
        },
        keys::plugins::Plugins,
        platform::{self, FileHandle, FileId},
        terminal::{
            advice::{Advise, KEEP_IN_FILE, SAVE_AS_UTF_8, misuse},
            errors::Line,
            escape::may_be_shown,
            messages::Messages,
            prompt::Prompt,
        },
    },
    crypto::{Recipient, secrecy::Zeroizing},
};

/// Bytes in the longest key file, as in other age tools: 16 MiB. A longer file is surely the wrong one.
const KEY_FILE_LIMIT: usize = 16 << 20;
/// Bytes in the longest line, as in other age tools: 8 KiB. No recipient is longer.
const LINE_LIMIT: usize = 8 << 10;

/// Reads the key files of a run. Standard input is read at most once, and no key file may become an output or be deleted.
pub(crate) struct KeyFiles {
    pub(crate) prompt: Arc<Prompt>,
    pub(crate) messages: Messages,
    pub(crate) plugins: Plugins,
    /// The files that were read, with their names. Held, for comparing them with outputs.
    read: Vec<(FileHandle, String)>,
    stdin_is_taken: bool,
}

/// The contents of a key file.
pub(crate) struct KeyFile {
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// Whether users other than its owner may read it.
    pub(crate) others_may_read: bool,
}

impl KeyFiles {
    /// `stdin_is_taken` if standard input carries data or names of files.
    pub(crate) fn new(prompt: Arc<Prompt>, messages: &Messages, plugins: Plugins, stdin_is_taken: bool) -> Self {
        let stdin_is_taken = stdin_is_taken || prompt.takes_stdin();
        Self { prompt, messages: *messages, plugins, read: Vec::new(), stdin_is_taken }
    }

    /// Refuses an output that is one of the key files, or the file of the passphrase.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse).
    pub(crate) fn check_is_not_output(&self, target: &Target) -> Result<()> {
        self.check_each(|id, name| target.check_is_not(id, name))
    }

    /// Refuses to delete a key file: whatever was encrypted to it would be lost with it.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse).
    pub(crate) fn check_is_not_deleted(&self, input: &Input) -> Result<()> {
        self.check_each(|id, _| {
            if id != input.id() {
                return Ok(());
            }
            misuse(
                format!("{} holds keys or the passphrase of this run, and --rm would delete it", input.name()),
                "leave out --rm, or keep that file elsewhere",
            )
        })
    }

    fn check_each(&self, check: impl Fn(&FileId, &str) -> Result<()>) -> Result<()> {
        if let Some(path) = self.prompt.file()
            && path.is_file()
        {
            let name = display_name(path);
            let handle = FileHandle::at(path).with_context(|| format!("cannot read {name}"))?;
            check(handle.id(), &name)?;
        }
        self.read.iter().try_for_each(|(handle, name)| check(handle.id(), name))
    }

    /// Reads a key file, or standard input for `-`.
    ///
    /// # Errors
    ///
    /// If it is longer than 16 MiB, or standard input is taken; errors from the system.
    pub(crate) fn read(&mut self, path: &Path) -> Result<KeyFile> {
        let cannot_read = || format!("cannot read {}", display_name(path));
        if is_stdin(path) && mem::replace(&mut self.stdin_is_taken, true) {
            return misuse("standard input cannot be both keys and data", "put one of them into a file");
        }
        announce_typed(path, &self.messages);
        // Not through the library's standard input, whose buffer is never wiped.
        let file = if path == Path::new(DASH) { platform::stdin() } else { File::open(path) };
        let file = match file.with_context(cannot_read) {
            Err(error) if !may_be_shown(path) => return Err(error).hint(KEEP_IN_FILE),
            Err(error) if path.to_str().is_some_and(|text| text.parse::<Recipient>().is_ok()) => {
                return Err(error)
                    .hint("-R and -i take the name of a file; to encrypt to a key itself, give it with -r");
            }
            file => file?,
        };
        // Not by name: opening a pipe twice would wait for a second writer.
        let is_named = path != Path::new(DASH);
        let handle = if is_named { FileHandle::opened(path, &file) } else { FileHandle::of(&file) };
        let handle = handle.with_context(cannot_read)?;
        let others_may_read = is_named && platform::others_may_read(handle.metadata());
        let expected = if is_named { usize::try_from(handle.metadata().len()).unwrap_or(KEY_FILE_LIMIT) } else { 0 };
        self.read.push((handle, display_name(path)));
        let text = read_secret(file, expected).with_context(cannot_read)?;
        if text.len() > KEY_FILE_LIMIT {
            bail!("{} is longer than 16 MiB, which no key file is", display_name(path));
        }
        Ok(KeyFile { text, others_may_read })
    }
}

/// A line of a key file, for messages.
#[derive(Clone, Copy)]
pub(crate) struct Location<'a> {
    pub(crate) path: &'a Path,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", display_name(self.path), self.line)
    }
}

/// Parses the lines of a key file, skipping empty lines and comments. An error names the line, and never repeats its text.
///
/// # Errors
///
/// If the file is not UTF-8, begins with a byte order mark, or has a line longer than 8 KiB; those of `parse`.
pub(crate) fn parse_lines<T>(
    path: &Path,
    text: &[u8],
    parse: impl Fn(&str, Location<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let encoding = match text {
        [0xff, 0xfe, _, 0, ..] | [0xfe, 0xff, 0, ..] => Some("is text in UTF-16"),
        [0xef, 0xbb, 0xbf, ..] => Some("begins with a byte order mark"),
        _ => None,
    };
    if let Some(encoding) = encoding {
        let error = anyhow!("{} {encoding}", display_name(path));
        return Err(error).hint(SAVE_AS_UTF_8);
    }
    let mut parsed = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let location = Location { path, line: index + 1 };
        let at = || location.to_string();
        if line.len() > LINE_LIMIT {
            return Err(anyhow!("it is longer than 8 KiB, which no key is")).with_context(at);
        }
        let line = std::str::from_utf8(line).map_err(|_| anyhow!("it is not text")).with_context(at)?.trim();
        if !line.is_empty() && !line.starts_with('#') {
            parsed.push(parse(line, location).context(Line(location.line)).with_context(at)?);
        }
    }
    Ok(parsed)
}

/// Reads up to one byte more than the limit. Leaves no copies in memory when the buffer grows.
fn read_secret(mut file: File, expected: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(vec![0; expected.min(KEY_FILE_LIMIT) + 1]);
    let mut filled = 0;
    loop {
        match file.read(&mut text[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => platform::wait_to_read(&file)?,
            Err(error) => return Err(error),
        }
        if filled > KEY_FILE_LIMIT {
            break;
        }
        if filled == text.len() {
            let mut larger = Zeroizing::new(vec![0; (filled * 2).clamp(4096, KEY_FILE_LIMIT + 1)]);
            larger[..filled].copy_from_slice(&text);
            text = larger;
        }
    }
    text.truncate(filled);
    Ok(text)
}
