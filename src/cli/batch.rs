//! One file or many: which input goes where, and what all of it comes to.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{
    args::Files,
    input::{DASH, name},
    output::{Plan, Terminal},
    pending::Overwrite,
    report::{Report, Status, misuse, status},
};

/// The inputs: the files, or standard input without any.
pub(crate) fn inputs(files: &[PathBuf]) -> impl Iterator<Item = &Path> {
    let stdin = files.is_empty().then_some(Path::new(DASH));
    files.iter().map(PathBuf::as_path).chain(stdin)
}

/// Does `work` for each input, reports what fails, and goes on. Without inputs, the input is standard input.
///
/// None if all went well. If all failed alike, that status; else the one that says some failed.
pub(crate) fn each(files: &[PathBuf], report: &Report, mut work: impl FnMut(&Path) -> Result<()>) -> Option<Status> {
    let stdin = [PathBuf::from(DASH)];
    let files = if files.is_empty() { &stdin } else { files };
    let mut statuses = Vec::new();
    for file in files {
        if let Err(error) = work(file) {
            report.error(&error);
            statuses.push(status(&error));
        }
    }
    let first = *statuses.first()?;
    let alike = statuses.len() == files.len() && statuses.iter().all(|status| *status == first);
    Some(if alike { first } else { Status::SomeFailed })
}

/// Checks what can be said of the command line before anything is read or asked; for a single input, its output too.
pub(crate) fn check(files: &Files, plan: impl Fn(&Path) -> Result<Plan>) -> Result<()> {
    match files.files.as_slice() {
        [] => plan(Path::new(DASH)).map(drop),
        [file] => plan(file).map(drop),
        _ if files.output.is_some() || files.stdout => misuse(
            "several inputs cannot go to one output",
            "leave out -o and -c: each file gets its own output beside it",
        ),
        several if several.iter().filter(|file| **file == Path::new(DASH)).count() > 1 => {
            misuse("standard input is named more than once", "name it once")
        }
        _ => Ok(()),
    }
}

/// Whether standard input carries data.
pub(crate) fn reads_stdin(files: &[PathBuf]) -> bool {
    files.is_empty() || files.iter().any(|file| file == Path::new(DASH))
}

/// Where the output for `input` goes. `derive` makes a file's name from the input's; None if it cannot.
pub(crate) fn plan(
    files: &Files,
    input: &Path,
    terminal: Terminal,
    derive: impl Fn(&Path) -> Option<PathBuf>,
) -> Result<Plan> {
    let overwrite = if files.force { Overwrite::Replace } else { Overwrite::Refuse };
    if let Some(output) = &files.output {
        return Plan::path(output, overwrite);
    }
    if files.stdout || input == Path::new(DASH) {
        return Plan::stdout(terminal);
    }
    match derive(input) {
        Some(output) => Plan::path(&output, overwrite),
        None => misuse(
            format!("{} does not end in '.age', so the name of its output is not known", name(input)),
            "name the output with -o FILE, or send it to standard output with -c",
        ),
    }
}
