//! Names of inputs, the output names derived from them, and the files they refer to.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, anyhow};

use crate::cli::{
    args::{DASH, FileArgs},
    platform::Folder,
    terminal::{advice::misuse, escape::quoted},
};

/// The name of an input.
#[derive(Clone)]
pub(crate) struct InputPath {
    /// The path that names it, or `-` for standard input.
    pub(crate) path: PathBuf,
    /// The path of its output below `-O`: the file's name, preceded by its place in the folder that was walked.
    pub(crate) relative: PathBuf,
    /// For a file that a walk found, the folder that was named and the path below it.
    found: Option<(Arc<Folder>, PathBuf)>,
}

impl InputPath {
    /// An input that was named itself.
    pub(crate) fn new(path: PathBuf) -> Self {
        let relative = path.file_name().map_or_else(|| path.clone(), PathBuf::from);
        Self { path, relative, found: None }
    }

    /// An input that a list names, with its place below `-O`.
    pub(crate) fn placed(path: PathBuf, relative: PathBuf) -> Self {
        Self { path, relative, found: None }
    }

    /// An input that a walk through `top` found as `below`.
    pub(crate) fn found(path: PathBuf, relative: PathBuf, top: Arc<Folder>, below: PathBuf) -> Self {
        Self { path, relative, found: Some((top, below)) }
    }

    pub(crate) fn is_stdin(&self) -> bool {
        self.path == Path::new(DASH)
    }

    /// Whether a walk found it. If so, nobody typed its name, and links to it are not followed.
    pub(crate) fn was_found(&self) -> bool {
        self.found.is_some()
    }

    /// Holds the folder of a file that a walk found, without following links. `None` for an input that was named itself.
    ///
    /// # Errors
    ///
    /// Those of [`Folder::below`].
    pub(crate) fn folder(&self) -> io::Result<Option<Arc<Folder>>> {
        let Some((top, below)) = &self.found else { return Ok(None) };
        top.below(below.parent().unwrap_or(Path::new(""))).map(Some)
    }
}

/// The place of a listed file below the output folder.
pub(crate) struct Below {
    pub(crate) path: PathBuf,
    /// The part of the name that had to go, for messages.
    pub(crate) without: Option<&'static str>,
}

/// Returns the path of a listed file below the output folder, as tar does: without the parts that would lead out of the folder.
/// Empty if nothing else is left.
pub(crate) fn below(name: &Path) -> Below {
    let mut below = Below { path: PathBuf::new(), without: None };
    for component in name.components() {
        match component {
            Component::Normal(part) => below.path.push(part),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir => below.without = Some("the leading '/'"),
            Component::ParentDir => {
                below = Below { path: PathBuf::new(), without: Some("'..' and everything before it") }
            }
        }
    }
    below
}

/// The destination of an output, by name only. The file system has not been consulted.
pub(crate) enum Destination {
    /// Standard output, because `-c` asks for it or the input is standard input.
    Stdout,
    /// A name that the user typed.
    Typed(PathBuf),
    /// A name derived from an input's, in the same folder.
    Derived { path: PathBuf, input: InputPath },
    /// A name below the folder of `-O`. Missing folders are created like those of `source`.
    InOutputDir { below: PathBuf, source: PathBuf },
}

/// Derives the output's name for each input of a run.
#[derive(Clone, Copy)]
pub(crate) struct Naming<'a> {
    args: &'a FileArgs,
    /// The output's name for an input's, or `None` if it cannot be derived.
    derive: fn(&Path) -> Option<PathBuf>,
}

impl<'a> Naming<'a> {
    /// `notes` becomes `notes.age`.
    pub(crate) fn encrypting(args: &'a FileArgs) -> Self {
        Self { args, derive: |path| Some(with_age(path)) }
    }

    /// `notes.age` becomes `notes`.
    pub(crate) fn decrypting(args: &'a FileArgs) -> Self {
        Self { args, derive: without_age }
    }

    /// Whether outputs may be concatenated. Age files may not: data after the first file does not belong to it.
    pub(crate) fn may_join(&self) -> bool {
        (self.derive)(Path::new("a.age")) == Some(PathBuf::from("a"))
    }

    /// Where the output for `input` goes.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse) if no name can be derived.
    pub(crate) fn destination(&self, input: &InputPath) -> Result<Destination> {
        if let Some(output) = &self.args.output {
            return Ok(Destination::Typed(output.clone()));
        }
        if self.args.output_dir.is_some() {
            if input.is_stdin() {
                return misuse("standard input has no name for an output in a folder", "name the output with -o FILE");
            }
            let below = self.derived(&input.relative, input)?;
            return Ok(Destination::InOutputDir { below, source: input.path.clone() });
        }
        if self.args.stdout || input.is_stdin() {
            return Ok(Destination::Stdout);
        }
        Ok(Destination::Derived { path: self.derived(&input.path, input)?, input: input.clone() })
    }

    /// Whether no output can have this name.
    pub(crate) fn never_makes(&self, name: &Path) -> bool {
        !self.may_join() && !ends_in_age(name)
    }

    /// The output name for `name`, which `input` is known by.
    fn derived(&self, name: &Path, input: &InputPath) -> Result<PathBuf> {
        if let Some(output) = (self.derive)(name) {
            return Ok(output);
        }
        let fault = if ends_in_age_only(name) { "has nothing before its '.age'" } else { "does not end in '.age'" };
        // Among several inputs, the file beside it may be one of them.
        let beside = Some(with_age(&input.path)).filter(|beside| self.args.inputs.is_single() && beside.is_file());
        let meant = beside.map(|beside| format!("did you mean {}? Otherwise ", quoted(&beside))).unwrap_or_default();
        misuse(
            format!("{} {fault}, so the name of its output is not known", display_name(name)),
            format!("{meant}name the output with -o FILE, or send it to standard output with -c"),
        )
    }
}

/// The name of an input for messages.
pub(crate) fn display_name(path: &Path) -> String {
    if path == Path::new(DASH) { "standard input".to_owned() } else { quoted(path) }
}

/// `path` with `.age` appended.
pub(crate) fn with_age(path: &Path) -> PathBuf {
    with_suffix(path, ".age")
}

/// `path` with `suffix` appended.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// `path` without its `.age`, or `None` if it does not end in `.age` or has nothing before it.
pub(crate) fn without_age(path: &Path) -> Option<PathBuf> {
    if path.extension() != Some(OsStr::new("age")) {
        return None;
    }
    Some(path.with_extension(""))
}

/// Whether `.age` is the whole name.
fn ends_in_age_only(path: &Path) -> bool {
    path.file_name() == Some(OsStr::new(".age"))
}

/// Whether a name ends in `.age`, in any case: some file systems ignore it.
pub(crate) fn ends_in_age(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("age"))
}

/// The folder that a file is in.
pub(crate) fn parent_folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Symlinks that are followed from a name to its file: the system's own limit.
const LINK_LIMIT: usize = 40;

/// Follows symlinks to the path of their file, which may not exist yet: a rename would replace the link, not the file.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINK_LIMIT {
        if is_descriptor(&path) {
            return Ok(path);
        }
        let Ok(target) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(anyhow!("too many links from {}", quoted(&path)))
}

/// A path that is the same for all spellings of a name, even if no file has it yet. `None` if its folder does not exist.
pub(crate) fn canonical(path: &Path) -> Option<PathBuf> {
    Some(fs::canonicalize(parent_folder(path)).ok()?.join(path.file_name()?))
}

/// Whether a name refers to an open descriptor, which is written directly, not replaced.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    let listed = ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.parent() == Some(Path::new(folder)));
    listed || ["/dev/stdout", "/dev/stderr"].iter().any(|name| path == Path::new(name))
}

/// Whether a name refers to standard output, which is written from its current offset.
pub(crate) fn is_stdout(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_names_stay_below_the_output_folder() {
        let cases =
            [("a/b", "a/b"), ("./a//b", "a/b"), ("/a/b", "a/b"), ("../a", "a"), ("a/../b/c", "b/c"), ("/a/..", "")];
        for (name, place) in cases {
            let Below { path, without } = below(Path::new(name));
            assert_eq!(
                (path.as_path(), without.is_some()),
                (Path::new(place), name.starts_with('/') || name.contains(".."))
            );
        }
    }

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
