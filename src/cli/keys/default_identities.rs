//! Identities that need not be named. Defaults may widen what you can open, never who can open: `encrypt` does not know
//! this file, and a test sees to it.

use std::{env, path::PathBuf};

/// Names key files, as `PATH` names folders.
const VARIABLE: &str = "SOLEKEY_IDENTITY";

/// The files that `$SOLEKEY_IDENTITY` lists; where it is not set, the configuration folder's, if it is there.
pub(crate) fn identities() -> Vec<PathBuf> {
    if let Some(list) = env::var_os(VARIABLE) {
        return env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect();
    }
    // https://specifications.freedesktop.org/basedir: a path that is not absolute is to be ignored.
    let named = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = named.or_else(|| env::home_dir().map(|home| home.join(".config")));
    let file = folder.map(|folder| folder.join("solekey").join("identity.txt"));
    file.into_iter().filter(|file| file.is_file()).collect()
}
