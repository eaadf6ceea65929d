//! Which files there are to work on: those that the command line names, those in a list, those in a folder. The only file
//! that names walkdir.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    iter, mem,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Error, Result};
use walkdir::{DirEntry, WalkDir};

use crate::cli::{
    args::Inputs,
    files::{
        input::{DASH, name},
        naming::without_age,
        pending,
    },
    platform,
    terminal::{
        messages::{Report, misuse, quoted},
        progress::Total,
    },
};

/// An input.
pub(crate) struct Named {
    /// What opens it.
    pub(crate) path: PathBuf,
    /// What becomes of that in another folder: the file's name alone, or its place in the folder that was walked.
    pub(crate) below: PathBuf,
}

impl Named {
    pub(crate) fn new(path: PathBuf) -> Self {
        let below = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
        Self { path, below }
    }
}

/// Which files of a folder are meant, when it is walked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those that are encrypted, by their name.
    Encrypted,
    /// All others.
    Others,
}

/// What a walk through folders leaves aside: counted, and said for `--verbose`.
#[derive(Clone, Default)]
pub(crate) struct Aside {
    report: Report,
    count: Arc<AtomicU64>,
}

impl Aside {
    pub(crate) fn new(report: &Report) -> Self {
        Self { report: *report, count: Arc::default() }
    }

    fn leave(&self, path: &Path, why: &str) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.report.done(&format!("left {} aside: {why}", quoted(path)));
    }

    /// Warns of what a copy of the folders lacks.
    pub(crate) fn warn(&self) {
        let count = self.count.load(Ordering::Relaxed);
        if count > 0 {
            self.report.warning(&format!(
                "left aside in the folders: {count} (links, devices, and what ends in .age already; -v names them)"
            ));
        }
    }
}

/// Inputs, or why there is none.
pub(crate) type Names = Box<dyn Iterator<Item = Result<Named>> + Send>;

/// All inputs, one after the other: a list or a folder may be larger than memory.
pub(crate) fn names(inputs: &Inputs, wanted: Wanted, aside: &Aside) -> Result<Names> {
    if inputs.recursive && inputs.files.is_empty() && inputs.files_from.is_none() {
        return misuse("--recursive walks folders, and none is named", "name the folders");
    }
    if inputs.null && inputs.files_from.is_none() {
        return misuse("-0 says how the names in a list end, and none is named", "name it with --files-from");
    }
    let named: Names = match &inputs.files_from {
        Some(list) => listed(list, if inputs.null { 0 } else { b'\n' })?,
        None if inputs.files.is_empty() => Box::new(iter::once(Ok(Named::new(DASH.into())))),
        None => Box::new(inputs.files.clone().into_iter().map(|path| Ok(Named::new(path)))),
    };
    if !inputs.recursive {
        return Ok(named);
    }
    let aside = aside.clone();
    Ok(Box::new(named.flat_map(move |input| match input {
        Ok(folder) if folder.path.is_dir() => walk(&folder.path, wanted, aside.clone()),
        other => Box::new(iter::once(other)),
    })))
}

/// What adds up all files to read. None comes of it if only reading them tells: of pipes, and a list that can be read once.
pub(crate) fn measure(inputs: &Inputs, wanted: Wanted) -> impl FnOnce() -> Option<Total> + Send + use<> {
    let inputs = inputs.clone();
    move || {
        if inputs.files_from.as_ref().is_some_and(|list| *list == Path::new(DASH) || !list.is_file()) {
            return None;
        }
        let names = names(&inputs, wanted, &Aside::default()).ok()?;
        if names.size_hint().1 == Some(1) {
            return None;
        }
        let mut total = Total::default();
        for input in names.flatten() {
            match fs::metadata(&input.path) {
                Ok(metadata) if metadata.is_file() => {
                    total.files += 1;
                    total.bytes += metadata.len();
                }
                // What cannot be looked at fails when its turn comes.
                Err(_) if input.path != Path::new(DASH) => {}
                _ => return None,
            }
        }
        Some(total)
    }
}

fn listed(list: &Path, end: u8) -> Result<Names> {
    let cannot_read = format!("cannot read {}", name(list));
    let reader: Box<dyn BufRead + Send> = if list == Path::new(DASH) {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(list).with_context(|| cannot_read.clone())?))
    };
    // What cannot be read once cannot be read the next time either.
    let mut failed = false;
    let lines = reader.split(end).take_while(move |line| !mem::replace(&mut failed, line.is_err()));
    let lines = lines.filter(|line| !matches!(line, Ok(line) if line.is_empty()));
    Ok(Box::new(lines.map(move |line| {
        let mut line = line.with_context(|| cannot_read.clone())?;
        // There, no name ends in one.
        if cfg!(windows) && line.ends_with(b"\r") {
            line.pop();
        }
        if line.contains(&0) {
            return misuse("the names in the list end in zero bytes, not in lines", "say so with -0");
        }
        let path = platform::path(line)?;
        // What makes a list knows files alone. Standard input may even be the list.
        Ok(Named::new(if path == Path::new(DASH) { Path::new(".").join(path) } else { path }))
    })))
}

fn walk(folder: &Path, wanted: Wanted, aside: Aside) -> Names {
    // The folder's own name is a part of what is below, as with cp -r; '.' has none.
    let root = folder.file_name().map(PathBuf::from).unwrap_or_default();
    let top = folder.to_owned();
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter().filter(move |entry| match entry {
        Ok(entry) => is_wanted(entry, wanted, &aside),
        Err(_) => true,
    });
    Box::new(entries.map(move |entry| {
        let path = entry.map_err(cannot_walk)?.into_path();
        let below = root.join(path.strip_prefix(&top).expect("it was found below the folder"));
        Ok(Named { path, below })
    }))
}

fn is_wanted(entry: &DirEntry, wanted: Wanted, aside: &Aside) -> bool {
    if entry.file_type().is_dir() || pending::is_in_the_making(entry.path()) {
        return false;
    }
    let found = if without_age(entry.path()).is_some() { Wanted::Encrypted } else { Wanted::Others };
    let why = if !entry.file_type().is_file() {
        "it is no regular file"
    } else if found == wanted {
        return true;
    } else if found == Wanted::Encrypted {
        "its name ends in .age"
    } else {
        "its name does not end in .age"
    };
    aside.leave(entry.path(), why);
    false
}

fn cannot_walk(error: walkdir::Error) -> Error {
    let place = error.path().map_or_else(|| "a folder".to_owned(), quoted);
    let context = format!("cannot read {place}");
    match error.into_io_error() {
        Some(error) => Error::new(error).context(context),
        None => Error::msg(context),
    }
}
