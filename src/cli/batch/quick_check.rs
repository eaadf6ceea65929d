//! The quick check of `--update`: whether an input's output already exists, by size and time, without opening either.

use std::{
    fs::{self, Metadata},
    path::Path,
};

use anyhow::{Result, bail};

use crate::cli::{
    args::FileArgs,
    files::{naming::InputPath, outputs::Outputs},
    platform,
    terminal::{advice::Advise, escape::quoted},
};

/// A regular file, and the regular file under the name of its output.
pub(crate) struct Pair {
    pub(crate) input: Metadata,
    pub(crate) output: Metadata,
}

impl Pair {
    fn of(input: &InputPath, output: &Path) -> Option<Self> {
        // If a derived name is a link, its target is not the output.
        let output = fs::symlink_metadata(output).ok().filter(Metadata::is_file)?;
        let input = fs::metadata(&input.path).ok().filter(Metadata::is_file)?;
        Some(Self { input, output })
    }

    /// Whether both have the same modification time, to the last digit that the systems store.
    fn has_one_time(&self) -> bool {
        match (self.input.modified(), self.output.modified()) {
            (Ok(input), Ok(output)) => input == output,
            _ => false,
        }
    }

    /// Whether the output was changed after the input.
    pub(crate) fn output_is_newer(&self) -> bool {
        match (self.input.modified(), self.output.modified()) {
            (Ok(input), Ok(output)) => output > input,
            _ => true,
        }
    }

    /// Whether both are the same file.
    fn is_one_file(&self) -> bool {
        let number = platform::file_number(&self.input);
        number.is_some() && number == platform::file_number(&self.output)
    }
}

/// Returns the length of an input that is skipped because its output exists, or `None` if there is work to do. `has_right_size` is
/// called only if both have the same time.
///
/// # Errors
///
/// With `--skip-existing`, if a folder has the name of the output; with `--update`, if another input replaces it.
pub(crate) fn is_done(
    args: &FileArgs,
    outputs: &Outputs<'_>,
    input: &InputPath,
    output: Option<&Path>,
    has_right_size: impl FnOnce(&Pair) -> bool,
) -> Result<Option<u64>> {
    if args.skip_existing {
        let found = output.and_then(|path| Some((path, fs::symlink_metadata(path).ok()?)));
        if let Some((path, _)) = found.as_ref().filter(|(_, found)| found.is_dir()) {
            return Err(anyhow::anyhow!("{} is a directory", quoted(path)))
                .hint("move it away, or name another folder with -O");
        }
        return Ok(found.map(|_| fs::metadata(&input.path).map_or(0, |input| input.len())));
    }
    let Some(path) = output.filter(|_| args.update) else { return Ok(None) };
    let Some(pair) = Pair::of(input, path) else { return Ok(None) };
    if !pair.has_one_time() || pair.is_one_file() || !has_right_size(&pair) {
        return Ok(None);
    }
    outputs.keep(&pair.output, path)?;
    Ok(Some(pair.input.len()))
}

/// Fails if the output was changed after the input: it may hold work that is nowhere else.
///
/// # Errors
///
/// Then, unless `-f` is given.
pub(crate) fn check_is_not_newer(args: &FileArgs, input: &InputPath, output: Option<&Path>) -> Result<()> {
    let Some(path) = output.filter(|_| args.update && !args.force) else { return Ok(()) };
    if Pair::of(input, path).is_some_and(|pair| pair.output_is_newer()) {
        let newer = || bail!("{} is newer than {}", quoted(path), quoted(&input.path));
        return newer().hint("replace it with -f, or move it away");
    }
    Ok(())
}
