//! Key files: which file, which line, and limits on both. What stands on the lines is for others to say.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    mem,
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use same_file::Handle;
use zeroize::Zeroizing;

use crate::cli::{
    files::{
        input::{DASH, Input, is_stdin, name},
        target::Plan,
    },
    keys::plugins::Plugins,
    platform,
    terminal::{
        messages::{Advise, Report, misuse},
        prompt::Prompt,
    },
};

/// 16 MiB, as other age tools; beyond it is surely the wrong file.
const KEY_FILE_LIMIT: usize = 16 << 20;
/// 8 KiB, as other age tools; no recipient is longer.
const LINE_LIMIT: usize = 8 << 10;

/// Key files as they are read: each at most once from standard input, and none of them may become an output or be deleted.
pub(crate) struct KeyFiles<'a> {
    pub(crate) prompt: Arc<Prompt>,
    pub(crate) report: &'a Report,
    pub(crate) plugins: Plugins,
    /// What was read, for comparing it with an output.
    read: Vec<(Handle, String)>,
    stdin_taken: bool,
}

/// All of a key file.
pub(crate) struct KeyFile {
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// Whether users other than its owner have the right to read it.
    pub(crate) others_may_read: bool,
}

impl<'a> KeyFiles<'a> {
    /// `stdin_taken` says whether standard input carries data.
    pub(crate) fn new(prompt: Arc<Prompt>, report: &'a Report, plugins: Plugins, stdin_taken: bool) -> Self {
        let stdin_taken = stdin_taken || prompt.takes_stdin();
        Self { prompt, report, plugins, read: Vec::new(), stdin_taken }
    }

    /// Refuses an output that is one of the key files, or the file of the passphrase.
    pub(crate) fn must_differ_from(&self, plan: &Plan) -> Result<()> {
        self.each(|handle, name| plan.must_differ_from(handle, name))
    }

    /// Refuses to delete one of them: what was encrypted to it would be lost with it.
    pub(crate) fn must_outlast(&self, input: &Input) -> Result<()> {
        self.each(|handle, _| {
            if *handle != input.handle {
                return Ok(());
            }
            misuse(
                format!("{} holds keys or the passphrase of this run, and --rm would delete it", input.name()),
                "leave out --rm, or keep that file elsewhere",
            )
        })
    }

    fn each(&self, check: impl Fn(&Handle, &str) -> Result<()>) -> Result<()> {
        if let Some(path) = self.prompt.file()
            && path.is_file()
        {
            let handle = Handle::from_path(path).with_context(|| format!("cannot read {}", name(path)))?;
            check(&handle, &name(path))?;
        }
        self.read.iter().try_for_each(|(handle, name)| check(handle, name))
    }

    /// Reads all of a key file.
    pub(crate) fn read(&mut self, path: &Path) -> Result<KeyFile> {
        let cannot_read = || format!("cannot read {}", name(path));
        let mut others_may_read = false;
        if is_stdin(path) && mem::replace(&mut self.stdin_taken, true) {
            return misuse("standard input cannot be both keys and data", "put one of them into a file");
        }
        let (handle, text) = if path == Path::new(DASH) {
            // Not through the library's buffer, which is never wiped.
            (Handle::stdin(), read_secret(platform::stdin().with_context(cannot_read)?, 0))
        } else {
            let file = File::open(path).with_context(cannot_read)?;
            let metadata = file.metadata().with_context(cannot_read)?;
            others_may_read = platform::others_may_read(&metadata);
            // Not by its name: to open a pipe twice is to wait for a second writer.
            let handle = file.try_clone().and_then(Handle::from_file);
            (handle, read_secret(file, usize::try_from(metadata.len()).unwrap_or(KEY_FILE_LIMIT)))
        };
        self.read.push((handle.with_context(cannot_read)?, name(path)));
        let text = text.with_context(cannot_read)?;
        if text.len() > KEY_FILE_LIMIT {
            bail!("{} is longer than 16 MiB, which no key file is", name(path));
        }
        Ok(KeyFile { text, others_may_read })
    }
}

/// Where in a key file something stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a Path,
    /// From 1.
    pub(crate) line: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", name(self.path), self.line)
    }
}

/// Parses what stands on the lines of a key file, but for empty lines and comments. A fault is named by its line's place,
/// never by its text.
pub(crate) fn parse_lines<T>(path: &Path, text: &[u8], parse: impl Fn(&str, Place<'_>) -> Result<T>) -> Result<Vec<T>> {
    let encoding = match text {
        [0xff, 0xfe, _, 0, ..] | [0xfe, 0xff, 0, ..] => Some("is text in UTF-16"),
        [0xef, 0xbb, 0xbf, ..] => Some("begins with a byte order mark"),
        _ => None,
    };
    if let Some(encoding) = encoding {
        return Err(anyhow!("{} {encoding}", name(path))).hint("save it as UTF-8, without a byte order mark");
    }
    let mut parsed = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let at = Place { path, line: index + 1 };
        let place = || at.to_string();
        if line.len() > LINE_LIMIT {
            return Err(anyhow!("it is longer than 8 KiB, which no key is")).with_context(place);
        }
        let line = std::str::from_utf8(line).map_err(|_| anyhow!("it is not text")).with_context(place)?.trim();
        if !line.is_empty() && !line.starts_with('#') {
            parsed.push(parse(line, at).with_context(place)?);
        }
    }
    Ok(parsed)
}

/// Reads up to the limit and a byte, leaving no copies behind as the buffer grows.
fn read_secret(mut file: impl Read, expected: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(vec![0; expected.min(KEY_FILE_LIMIT) + 1]);
    let mut filled = 0;
    loop {
        match file.read(&mut text[filled..])? {
            0 => break,
            count => filled += count,
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
