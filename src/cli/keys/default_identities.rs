//! Identity files that are used without being named.
//!
//! Defaults may widen what you can open, never who can open: `encrypt` cannot reach this module, and a test enforces it.

use std::{env, path::PathBuf};

use anyhow::{Result, anyhow};

use crate::cli::terminal::{
    advice::{Advise, KEEP_IN_FILE, misuse},
    key_material::{Suspicion, suspicion},
};

/// A list of identity files, separated as in `PATH`.
const VARIABLE: &str = "SOLEKEY_IDENTITY";

/// A hint for a file that cannot be read because `$SOLEKEY_IDENTITY` lists it, not the user's command line.
pub(crate) fn hint(name: &str) -> Option<String> {
    env::var_os(VARIABLE).map(|_| format!("${VARIABLE} lists {name}"))
}

/// The files that `$SOLEKEY_IDENTITY` lists. If it is not set, the one in the configuration folder, if it exists.
///
/// # Errors
///
/// [`Misuse`](crate::cli::terminal::errors::Misuse) if the variable holds a key.
pub(crate) fn files() -> Result<Vec<PathBuf>> {
    if let Some(list) = env::var_os(VARIABLE) {
        // Before it is split: a key may contain the separator.
        if suspicion(list.as_encoded_bytes()) == Suspicion::Key {
            return misuse("$SOLEKEY_IDENTITY holds a secret key, not names of files", KEEP_IN_FILE);
        }
        return Ok(env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect());
    }
    Ok(configured().into_iter().filter(|file| file.is_file()).collect())
}

/// Where a default identity file is to be made.
///
/// # Errors
///
/// If there is neither a configuration folder nor a home.
pub(crate) fn new_file() -> Result<PathBuf> {
    configured()
        .ok_or_else(|| anyhow!("there is no home folder for a default identity"))
        .hint("set XDG_CONFIG_HOME, or name a file with -o")
}

/// Whether other files are used than the one in the configuration folder.
pub(crate) fn is_overridden() -> bool {
    env::var_os(VARIABLE).is_some()
}

/// The file in the configuration folder.
fn configured() -> Option<PathBuf> {
    // https://specifications.freedesktop.org/basedir: relative paths must be ignored.
    let named = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = named.or_else(|| env::home_dir().map(|home| home.join(".config")));
    folder.map(|folder| folder.join("solekey").join("identity.txt"))
}
