//! The ending `.age`, from which a file's name in its other form is known.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// `path` with `.age` at its end.
pub(crate) fn with_age(path: &Path) -> PathBuf {
    with_ending(path, ".age")
}

/// `path` with `ending` at its end.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// `path` without `.age` at its end. None if it has no such end, or nothing before it.
pub(crate) fn without_age(path: &Path) -> Option<PathBuf> {
    if path.extension() != Some(OsStr::new("age")) {
        return None;
    }
    Some(path.with_extension(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_names_are_inverse() {
        for name in ["a", "a.txt", "dir/a b", "-x", "a.age", "..."] {
            assert_eq!(without_age(&with_age(Path::new(name))).as_deref(), Some(Path::new(name)), "{name}");
        }
        for name in [".age", "age", "a.AGE", "dir/.age", "a.age.txt"] {
            assert_eq!(without_age(Path::new(name)), None, "{name}");
        }
    }
}
