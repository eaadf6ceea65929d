//! Checks of an input before it is opened to be read.

use std::{
    fs::{self, File, Metadata},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::cli::{
    args::{DASH, InputArgs},
    files::naming::display_name,
    terminal::{
        advice::advised,
        command,
        errors::{During, Misuse},
        messages::Messages,
    },
};

pub(super) fn refuse_directory<T>(name: &str) -> Result<T> {
    let hint = if command::has_option("recursive") {
        if command::is("encrypt") {
            "add --recursive, or make one archive: tar c DIR | solekey encrypt -r KEY -o DIR.tar.age"
        } else {
            "add --recursive, or name its files"
        }
    } else {
        "name a file in it"
    };
    Err(advised(Misuse::Directory(name.to_owned()), hint))
}

/// Fails if all of several named inputs are missing, before asking anything: reports all but the last.
///
/// # Errors
///
/// The last one's.
pub(crate) fn check_some_exist(inputs: &InputArgs, messages: &Messages) -> Result<()> {
    let [others @ .., last] = inputs.files.as_slice() else { return Ok(()) };
    let is_missing = |file: &PathBuf| {
        file != Path::new(DASH) && file.metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
    };
    if others.is_empty() || !inputs.files.iter().all(is_missing) {
        return Ok(());
    }
    for file in others {
        messages.failure(check_exists(file));
    }
    check_exists(last)
}

/// Fails if the only input of a run cannot be opened, before looking at an output or asking anything. With `--json`, the error
/// belongs in the file's object.
///
/// # Errors
///
/// Those of [`Input::open`](crate::cli::files::input::Input::open), for a file or a folder. A pipe or a device only has to exist.
pub(crate) fn check_single(inputs: &InputArgs, json: bool) -> Result<()> {
    let [path] = inputs.files.as_slice() else { return Ok(()) };
    if json || !inputs.is_single() || path == Path::new(DASH) {
        return Ok(());
    }
    let name = display_name(path);
    let metadata = path.metadata();
    if metadata.as_ref().is_ok_and(Metadata::is_dir) {
        return refuse_directory(&name);
    }
    // A pipe is opened once, and a device only to be read.
    let opened = metadata.and_then(|metadata| if metadata.is_file() { File::open(path).map(drop) } else { Ok(()) });
    opened.with_context(|| format!("cannot open {name}")).with_context(|| During::OpeningInput(path.clone()))
}

/// Fails if there is no such input.
///
/// # Errors
///
/// Errors from the system.
pub(crate) fn check_exists(path: &Path) -> Result<()> {
    let found = fs::metadata(path).map(drop).with_context(|| format!("cannot open {}", display_name(path)));
    found.with_context(|| During::OpeningInput(path.to_owned()))
}
