//! Finds a plugin on the PATH, and says why one does not run.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

use crate::cli::{
    keys::plugins::error::{Reason, StartError},
    platform::child::{is_executable, is_not_a_program},
    terminal::errors::PluginNotFound,
};

/// Bytes at the beginning of a program that are looked at. No system reads a longer first line of a script.
const BEGINNING: u64 = 512;

/// Returns the path of a plugin's program.
///
/// Only absolute entries of the PATH count. Relative ones, such as `.` and an empty one, would let anybody who can
/// write to the current folder choose the program.
///
/// # Errors
///
/// [`StartError::NotFound`]; [`StartError::Unusable`] if the only files of that name cannot be run.
pub(super) fn find(program: &str) -> Result<PathBuf, StartError> {
    find_on(&env::var_os("PATH").unwrap_or_default(), program)
}

fn find_on(search: &OsStr, program: &str) -> Result<PathBuf, StartError> {
    let mut unusable = None;
    for folder in env::split_paths(search).filter(|folder| folder.is_absolute()) {
        // Under the Windows Subsystem for Linux, plugins of Windows run too.
        for path in [folder.join(program), folder.join(format!("{program}.exe"))] {
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let reason = if !metadata.is_file() {
                Reason::NotRegular
            } else if !is_executable(&metadata) {
                Reason::NotExecutable
            } else {
                return Ok(path);
            };
            unusable.get_or_insert(StartError::Unusable { program: program.to_owned(), path, reason });
        }
    }
    Err(unusable.unwrap_or_else(|| StartError::NotFound(PluginNotFound(program.to_owned()))))
}

/// Why a file cannot be run, as far as its beginning tells before it is tried.
pub(super) fn fault_of(path: &Path) -> Option<Reason> {
    let beginning = beginning(path)?;
    if beginning.is_empty() {
        return Some(Reason::Empty);
    }
    interpreter(&beginning).is_some_and(|line| line.ends_with(b"\r")).then_some(Reason::CarriageReturn)
}

/// Why a file could not be started, given the system's error.
pub(super) fn reason_for(path: &Path, error: std::io::Error) -> Reason {
    let Some(beginning) = beginning(path) else { return error.into() };
    let script = interpreter(&beginning);
    if is_not_a_program(&error) {
        let is_binary = ["\u{7f}ELF".as_bytes(), b"MZ", &[0xcf, 0xfa, 0xed, 0xfe], &[0xca, 0xfe, 0xba, 0xbe]]
            .iter()
            .any(|magic| beginning.starts_with(magic));
        return if is_binary { Reason::OtherProcessor } else { Reason::NotProgram };
    }
    match (error.kind(), script) {
        (ErrorKind::NotFound, Some(line)) => {
            let line = String::from_utf8_lossy(line);
            Reason::Interpreter(line.split_whitespace().next().unwrap_or_default().into())
        }
        // The file itself is there.
        (ErrorKind::NotFound, None) => Reason::Loader,
        _ => error.into(),
    }
}

fn beginning(path: &Path) -> Option<Vec<u8>> {
    let mut beginning = Vec::new();
    File::open(path).ok()?.take(BEGINNING).read_to_end(&mut beginning).ok()?;
    Some(beginning)
}

/// The first line of a script after its `#!`.
fn interpreter(beginning: &[u8]) -> Option<&[u8]> {
    beginning.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn write(path: &Path, text: impl AsRef<[u8]>, mode: u32) {
        fs::write(path, text).expect("the folder takes it");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    }

    fn search(folders: &[&Path]) -> std::ffi::OsString {
        env::join_paths(folders).expect("none has a colon")
    }

    #[test]
    fn the_first_program_on_the_path_is_found() {
        let (one, two) = (tempfile::tempdir().expect("it can be made"), tempfile::tempdir().expect("it can be made"));
        let (one, two) = (one.path(), two.path());
        let path = search(&[one, two]);
        let found = || find_on(&path, "age-plugin-x");
        assert!(matches!(found(), Err(StartError::NotFound(error)) if error.0 == "age-plugin-x"));
        write(&two.join("age-plugin-x.exe"), "x", 0o755);
        assert_eq!(found().expect("it is there"), two.join("age-plugin-x.exe"));
        write(&two.join("age-plugin-x"), "x", 0o755);
        assert_eq!(found().expect("it is there"), two.join("age-plugin-x"));
        // What cannot be run does not hide what can.
        write(&one.join("age-plugin-x"), "x", 0o644);
        assert_eq!(found().expect("it is there"), two.join("age-plugin-x"));
        write(&one.join("age-plugin-x"), "x", 0o700);
        assert_eq!(found().expect("it is there"), one.join("age-plugin-x"));
    }

    #[test]
    fn relative_entries_of_the_path_do_not_count() {
        let current = env::current_dir().expect("there is one");
        let folder = tempfile::tempdir_in(&current).expect("it can be made");
        write(&folder.path().join("age-plugin-x"), "x", 0o755);
        let relative = folder.path().strip_prefix(&current).expect("it is in there");
        for path in [relative, &Path::new(".").join(relative), Path::new(""), Path::new(".")] {
            assert!(matches!(find_on(&search(&[path]), "age-plugin-x"), Err(StartError::NotFound(_))));
        }
        assert!(find_on(&search(&[relative, folder.path()]), "age-plugin-x").is_ok_and(|path| path.is_absolute()));
        assert!(matches!(find_on("".as_ref(), "age-plugin-x"), Err(StartError::NotFound(_))));
    }

    #[test]
    fn a_file_that_cannot_be_run_is_named_with_the_reason() {
        let folder = tempfile::tempdir().expect("it can be made");
        let (folder, file) = (folder.path(), folder.path().join("age-plugin-x"));
        let said = || find_on(&search(&[folder]), "age-plugin-x").expect_err("it cannot be run").to_string();
        write(&file, "x", 0o644);
        let named = format!("age-plugin-x cannot be started: '{}'", file.display());
        assert_eq!(said(), format!("{named} is not executable; fix it with chmod +x"));
        fs::remove_file(&file).expect("it is there");
        fs::create_dir(&file).expect("the folder takes it");
        assert_eq!(said(), format!("{named} is not a regular file; remove it from the PATH"));
    }
}
