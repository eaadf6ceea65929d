//! The inputs of a run: from the command line, a list or a folder. The owner of walkdir.

mod once;
mod skipped;
pub(crate) mod total;

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    iter, mem,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Error, Result};
use walkdir::{DirEntry, WalkDir};

pub(crate) use once::{Inputs, once};

use crate::cli::{
    args::{DASH, InputArgs, is_name_of_stdin},
    files::{
        input::{announce_typed, is_stdin},
        naming::{Below, InputPath, below, display_name, without_age},
        pending,
        walk::skipped::Reason,
    },
    platform::{self, Folder},
    terminal::{
        advice::{KEEP_IN_FILE, SAVE_AS_UTF_8, misuse},
        escape::{may_be_shown, quoted},
    },
};

pub(crate) use skipped::Skipped;

/// Bytes in the longest name in a list. No system has longer ones.
const NAME_LIMIT: u64 = 64 << 10;
/// Number of consecutive empty names after which a list counts as ended: it may be an endless device.
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
            Self::Encrypted => "nothing was done: no file name ends in .age",
            Self::Plain => "nothing was done: there are no files, or all names end in .age already",
        }
    }
}

/// Finds the inputs of a run lazily: a list or a folder may be larger than memory.
///
/// # Errors
///
/// [`Misuse`](crate::cli::terminal::errors::Misuse); those of opening a list.
pub(crate) fn inputs(args: &InputArgs, selection: Selection, skipped: &Skipped) -> Result<Inputs> {
    if args.recursive && args.files.is_empty() && args.files_from.is_none() {
        return misuse("--recursive needs the name of a folder", "name the folders");
    }
    if args.null && args.files_from.is_none() {
        return misuse("-0 applies to a list of names, and there is none", "name the list with --files-from");
    }
    let named: Inputs = match &args.files_from {
        Some(list) => {
            announce_typed(list, &skipped.messages);
            listed(list, if args.null { 0 } else { b'\n' }, skipped)?
        }
        None if args.files.is_empty() => Box::new(iter::once(Ok(InputPath::new(DASH.into())))),
        None => Box::new(args.files.clone().into_iter().map(|path| Ok(InputPath::new(path)))),
    };
    if !args.recursive {
        return Ok(named);
    }
    let skipped = skipped.clone();
    let is_listed = args.files_from.is_some();
    Ok(Box::new(named.flat_map(move |input| match input {
        Ok(folder) if folder.path.is_dir() => {
            // As with `cp -r`, the name of a folder that is typed is part of the relative path. `.` has none.
            let typed = || folder.path.file_name().map(PathBuf::from).unwrap_or_default();
            let root = if is_listed { below(&folder.path).path } else { typed() };
            walk(&folder.path, root, selection, skipped.clone())
        }
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

/// Whether standard input is one of these files. True if there are none.
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
                return Some(Err(io::Error::other("it is not a list of files: a name in it is longer than 64 KiB")));
            }
            line.pop_if(|byte| *byte == terminator);
            if !line.is_empty() {
                return Some(Ok(line));
            }
        }
        Some(Err(io::Error::other("more than a million names in a row are empty")))
    })
}

/// Whether the names of all inputs are already available. A list from a pipe may still be growing while the first inputs are
/// processed.
pub(crate) fn are_known(args: &InputArgs) -> bool {
    args.files_from.as_ref().is_none_or(|list| *list != Path::new(DASH) && list.is_file())
}

fn listed(list: &Path, terminator: u8, skipped: &Skipped) -> Result<Inputs> {
    let cannot_read = format!("cannot read {}", display_name(list));
    let reader: Box<dyn BufRead + Send> = if list == Path::new(DASH) {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(list).with_context(|| cannot_read.clone())?))
    };
    let lines = lines(reader, terminator);
    let skipped = skipped.clone();
    let (mut is_first, mut told) = (true, BTreeSet::new());
    let names = lines.map(move |line| {
        let mut line = line.with_context(|| cannot_read.clone())?;
        check_encoding(&line, mem::replace(&mut is_first, false))?;
        // No name on Windows ends in a carriage return.
        if platform::WINDOWS && line.ends_with(b"\r") {
            line.pop();
        }
        let path = platform::path(line)?;
        if !may_be_shown(&path) {
            return misuse("the list holds a secret key, not names of files", KEEP_IN_FILE);
        }
        if terminator == b'\n' && path.as_os_str().as_encoded_bytes().ends_with(b"\r") && !exists(&path) {
            return misuse(
                "the lines of the list end in CR LF, as on Windows",
                "remove the carriage returns: tr -d '\\r'",
            );
        }
        if is_name_of_stdin(&path) {
            return misuse(
                format!("the list names {}, and standard input is not a file", quoted(&path)),
                "name '-' on the command line instead",
            );
        }
        // A list names files only, so `-` is a file. Standard input may be the list itself.
        let path = if path == Path::new(DASH) { Path::new(".").join(path) } else { path };
        let Below { path: relative, without } = below(&path);
        if let Some(without) = without.filter(|without| skipped.is_copy() && told.insert(*without)) {
            skipped.messages.warning(&format!("output names omit {without}"));
        }
        Ok(if relative.as_os_str().is_empty() { InputPath::new(path) } else { InputPath::placed(path, relative) })
    });
    // A failed read would fail forever, and the lines after a wrong one are wrong too.
    let mut failed = false;
    Ok(Box::new(names.take_while(move |name| !mem::replace(&mut failed, name.is_err()))))
}

/// Refuses a list that is not plain text. No name contains zero bytes, and hardly any begins with a byte order mark.
fn check_encoding(line: &[u8], is_first: bool) -> Result<()> {
    if is_first && [&b"\xff\xfe"[..], b"\xfe\xff"].iter().any(|mark| line.starts_with(mark)) {
        return misuse("the list is in UTF-16", SAVE_AS_UTF_8);
    }
    if is_first && line.starts_with(b"\xef\xbb\xbf") && !platform::path(line.to_vec()).is_ok_and(|path| exists(&path)) {
        return misuse("the list begins with a byte order mark", SAVE_AS_UTF_8);
    }
    if line.contains(&0) {
        return misuse("the names in the list are separated by zero bytes, not lines", "add -0");
    }
    Ok(())
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Walks a folder. `root` is its place below the output folder.
fn walk(folder: &Path, root: PathBuf, selection: Selection, skipped: Skipped) -> Inputs {
    let held = Folder::at(folder).map(Arc::new).with_context(|| format!("cannot read {}", quoted(folder)));
    let top = match held {
        Ok(top) => top,
        Err(error) => return Box::new(iter::once(Err(error))),
    };
    let named = folder.to_owned();
    let below =
        move |path: &Path| path.strip_prefix(&named).expect("the walk yields paths below its folder").to_owned();
    let (below_again, root_again) = (below.clone(), root.clone());
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter();
    let in_folder = skipped.clone();
    let is_apart = !skipped.is_output_dir(folder);
    let entries = entries.filter_entry(move |entry| {
        if !entry.file_type().is_dir() {
            return true;
        }
        let is_input = entry.depth() == 0 || !in_folder.is_output_dir(entry.path());
        if is_input && is_apart {
            let below = below_again(entry.path());
            // Joining nothing would append a separator.
            let below_root = below.as_os_str().is_empty();
            let place = if below_root { root_again.clone() } else { root_again.join(below) };
            in_folder.add_folder(entry.path(), place);
        }
        is_input
    });
    let entries = entries.filter(move |entry| match entry {
        Ok(entry) => is_selected(entry, selection, &skipped),
        Err(_) => true,
    });
    Box::new(entries.map(move |entry| {
        let path = entry.map_err(walk_error)?.into_path();
        let below = below(&path);
        Ok(InputPath::found(path, root.join(&below), top.clone(), below))
    }))
}

fn is_selected(entry: &DirEntry, selection: Selection, skipped: &Skipped) -> bool {
    if entry.file_type().is_dir() || pending::is_hidden_name(entry.path()) {
        return false;
    }
    let found = if without_age(entry.path()).is_some() { Selection::Encrypted } else { Selection::Plain };
    let reason = match (entry.file_type(), found) {
        (kind, _) if kind.is_symlink() => Reason::Link,
        (kind, _) if !kind.is_file() => Reason::Special,
        (_, found) if found == selection => {
            skipped.add_input(entry.path());
            return true;
        }
        (_, Selection::Encrypted) => Reason::InAge,
        (_, Selection::Plain) => Reason::NotInAge,
    };
    skipped.add(entry.path(), reason);
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
