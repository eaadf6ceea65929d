//! The inputs of a run: those that the command line names, those in a list, those in a folder. The owner of walkdir.

mod once;

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    iter, mem,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Error, Result};
use walkdir::{DirEntry, WalkDir};

pub(crate) use once::{Inputs, once};

use crate::cli::{
    args::{DASH, InputArgs, is_name_of_stdin},
    files::{
        input::{announce_typed, is_stdin},
        naming::{InputPath, display_name, without_age},
        pending,
    },
    platform::{self, Folder},
    terminal::{
        advice::{KEEP_IN_FILE, misuse},
        escape::{may_be_shown, quoted},
        messages::Messages,
        progress::Total,
    },
};

/// Bytes in the longest name in a list. No system has longer ones.
const NAME_LIMIT: u64 = 64 << 10;
/// Empty names in a row before a list is found to have no more: it may be an endless device.
const EMPTY_LIMIT: usize = 1_000_000;

/// Which files of a folder a walk selects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Names that end in `.age`.
    Encrypted,
    /// All other names.
    Plain,
}

impl Selection {
    /// The warning for a walk that found nothing, which may be due to a mistyped name.
    pub(crate) fn nothing_found(self) -> &'static str {
        match self {
            Self::Encrypted => "nothing was done: no file was found whose name ends in .age",
            Self::Plain => "nothing was done: no file was found but those whose names end in .age",
        }
    }
}

/// Counts the files that a walk skips, and reports them with `--verbose`.
#[derive(Clone, Default)]
pub(crate) struct Skipped {
    messages: Messages,
    count: Arc<AtomicU64>,
}

impl Skipped {
    pub(crate) fn new(messages: &Messages) -> Self {
        Self { messages: *messages, count: Arc::default() }
    }

    fn skip(&self, path: &Path, why: &str) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.messages.verbose(&format!("left {} aside: {why}", quoted(path)));
    }

    /// Warns that a copy of the folders is not complete.
    pub(crate) fn warn(&self) {
        let count = self.count.load(Ordering::Relaxed);
        if count > 0 {
            self.messages.warning(&format!(
                "left aside in the folders: {count} (links, devices, and what ends in .age already; -v names them)"
            ));
        }
    }
}

/// Finds the inputs of a run as they are asked for: a list or a folder may be larger than memory.
///
/// # Errors
///
/// [`Misuse`](crate::cli::terminal::errors::Misuse); those of opening a list.
pub(crate) fn inputs(args: &InputArgs, selection: Selection, skipped: &Skipped) -> Result<Inputs> {
    if args.recursive && args.files.is_empty() && args.files_from.is_none() {
        return misuse("--recursive walks folders, and none is named", "name the folders");
    }
    if args.null && args.files_from.is_none() {
        return misuse("-0 says how the names in a list end, and none is named", "name it with --files-from");
    }
    let named: Inputs = match &args.files_from {
        Some(list) => {
            announce_typed(list, &skipped.messages);
            listed(list, if args.null { 0 } else { b'\n' })?
        }
        None if args.files.is_empty() => Box::new(iter::once(Ok(InputPath::new(DASH.into())))),
        None => Box::new(args.files.clone().into_iter().map(|path| Ok(InputPath::new(path)))),
    };
    if !args.recursive {
        return Ok(named);
    }
    let skipped = skipped.clone();
    Ok(Box::new(named.flat_map(move |input| match input {
        Ok(folder) if folder.path.is_dir() => walk(&folder.path, selection, skipped.clone()),
        other => Box::new(iter::once(other)),
    })))
}

/// Whether standard input carries data, or names of files.
pub(crate) fn reads_stdin(args: &InputArgs) -> bool {
    match &args.files_from {
        Some(list) => is_stdin(list),
        None => any_is_stdin(&args.files),
    }
}

/// Whether standard input is one of these files. It is if there are none.
pub(crate) fn any_is_stdin(files: &[PathBuf]) -> bool {
    files.is_empty() || files.iter().any(|file| is_stdin(file))
}

/// Refuses inputs that name standard input twice: nothing would be left for the second.
///
/// # Errors
///
/// [`Misuse`](crate::cli::terminal::errors::Misuse).
pub(crate) fn check_stdin_is_named_once(files: &[PathBuf]) -> Result<()> {
    if files.iter().filter(|file| **file == Path::new(DASH)).count() > 1 {
        return misuse("standard input is named more than once", "name it once");
    }
    Ok(())
}

/// Returns a closure that totals the inputs, or `None` if the total cannot be known: of a pipe, or of a list that can be read
/// only once. There is none for a single input either.
pub(crate) fn measure(args: &InputArgs, selection: Selection) -> impl FnOnce() -> Option<Total> + Send + use<> {
    let args = args.clone();
    move || {
        if !are_known(&args) {
            return None;
        }
        let inputs = inputs(&args, selection, &Skipped::default()).ok()?;
        if yields_one(&inputs) {
            return None;
        }
        let mut total = Total::default();
        for input in inputs.flatten() {
            match fs::metadata(&input.path) {
                Ok(metadata) if metadata.is_file() => {
                    total.files += 1;
                    total.bytes += metadata.len();
                }
                // An input that is missing fails when its turn comes.
                Err(_) if !input.is_stdin() => {}
                _ => return None,
            }
        }
        Some(total)
    }
}

/// Whether the iterator is known to yield exactly one input.
pub(crate) fn yields_one(inputs: &impl Iterator) -> bool {
    inputs.size_hint().1 == Some(1)
}

/// The lines of a list that are not empty, without their terminators.
fn lines(mut reader: Box<dyn BufRead + Send>, terminator: u8) -> impl Iterator<Item = io::Result<Vec<u8>>> + Send {
    iter::from_fn(move || {
        for _ in 0..EMPTY_LIMIT {
            let mut line = Vec::new();
            match reader.by_ref().take(NAME_LIMIT + 1).read_until(terminator, &mut line) {
                Ok(0) => return None,
                Err(error) => return Some(Err(error)),
                Ok(_) => {}
            }
            if line.len() as u64 > NAME_LIMIT {
                return Some(Err(io::Error::other("a name is longer than 64 KiB, which no file's is")));
            }
            line.pop_if(|byte| *byte == terminator);
            if !line.is_empty() {
                return Some(Ok(line));
            }
        }
        Some(Err(io::Error::other("more than a million names in a row are empty")))
    })
}

/// Whether the names of all inputs are there already. A list that comes through a pipe may be written while others are worked on.
pub(crate) fn are_known(args: &InputArgs) -> bool {
    args.files_from.as_ref().is_none_or(|list| *list != Path::new(DASH) && list.is_file())
}

fn listed(list: &Path, terminator: u8) -> Result<Inputs> {
    let cannot_read = format!("cannot read {}", display_name(list));
    let reader: Box<dyn BufRead + Send> = if list == Path::new(DASH) {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(list).with_context(|| cannot_read.clone())?))
    };
    let lines = lines(reader, terminator);
    let names = lines.map(move |line| {
        let mut line = line.with_context(|| cannot_read.clone())?;
        // No name on Windows ends in a carriage return.
        if platform::WINDOWS && line.ends_with(b"\r") {
            line.pop();
        }
        if line.contains(&0) {
            return misuse("the names in the list end in zero bytes, not in lines", "say so with -0");
        }
        let path = platform::path(line)?;
        if !may_be_shown(&path) {
            return misuse("the list holds a secret key, not names of files", KEEP_IN_FILE);
        }
        if is_name_of_stdin(&path) {
            return misuse(
                format!("the list names {}, and standard input is not a file", quoted(&path)),
                "name '-' on the command line instead",
            );
        }
        // A list names files only, so `-` is a file. Standard input may be the list itself.
        Ok(InputPath::new(if path == Path::new(DASH) { Path::new(".").join(path) } else { path }))
    });
    // A read that failed once would fail forever, and the lines after a wrong one are wrong too.
    let mut failed = false;
    Ok(Box::new(names.take_while(move |name| !mem::replace(&mut failed, name.is_err()))))
}

fn walk(folder: &Path, selection: Selection, skipped: Skipped) -> Inputs {
    // As with `cp -r`, the folder's own name is part of the relative path. `.` has none.
    let root = folder.file_name().map(PathBuf::from).unwrap_or_default();
    let named = folder.to_owned();
    let held = Folder::at(folder).map(Arc::new).with_context(|| format!("cannot read {}", quoted(folder)));
    let top = match held {
        Ok(top) => top,
        Err(error) => return Box::new(iter::once(Err(error))),
    };
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter().filter(move |entry| match entry {
        Ok(entry) => is_selected(entry, selection, &skipped),
        Err(_) => true,
    });
    Box::new(entries.map(move |entry| {
        let path = entry.map_err(walk_error)?.into_path();
        let below = path.strip_prefix(&named).expect("the walk yields paths below its folder").to_owned();
        Ok(InputPath::found(path, root.join(&below), top.clone(), below))
    }))
}

fn is_selected(entry: &DirEntry, selection: Selection, skipped: &Skipped) -> bool {
    if entry.file_type().is_dir() || pending::is_hidden_name(entry.path()) {
        return false;
    }
    let found = if without_age(entry.path()).is_some() { Selection::Encrypted } else { Selection::Plain };
    let why = if !entry.file_type().is_file() {
        "it is not a regular file"
    } else if found == selection {
        return true;
    } else if found == Selection::Encrypted {
        "its name ends in .age"
    } else {
        "its name does not end in .age"
    };
    skipped.skip(entry.path(), why);
    false
}

fn walk_error(error: walkdir::Error) -> Error {
    let place = error.path().map_or_else(|| "a folder".to_owned(), quoted);
    let context = format!("cannot read {place}");
    match error.into_io_error() {
        Some(error) => Error::new(error).context(context),
        None => Error::msg(context),
    }
}
