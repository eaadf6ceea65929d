//! `completions`: print the completion script for a shell.

use std::io::Write as _;

use anyhow::{Context, Result};

use crate::cli::{
    args::{Completions, Shell},
    files::target::{OnTerminal, Target},
    terminal::exit_status::ExitStatus,
};

/// Prints the script that packages install. A test keeps the scripts up to date.
///
/// # Errors
///
/// Errors writing to standard output.
pub(crate) fn completions(args: &Completions) -> Result<Option<ExitStatus>> {
    let script = match args.shell {
        Shell::Bash => include_str!("../../../completions/solekey.bash"),
        Shell::Elvish => include_str!("../../../completions/solekey.elv"),
        Shell::Fish => include_str!("../../../completions/solekey.fish"),
        Shell::Powershell => include_str!("../../../completions/_solekey.ps1"),
        Shell::Zsh => include_str!("../../../completions/_solekey"),
    };
    let mut stdout = Target::stdout(OnTerminal::Anything)?.open()?;
    stdout.write_all(script.as_bytes()).context("cannot write to standard output")?;
    Ok(None)
}
