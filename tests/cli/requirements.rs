//! What a test needs from the machine it runs on. Without it the test is skipped, except in CI, where it fails.

#![allow(dead_code, reason = "the other test programs use a part of it")]

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    thread,
};

/// Skips a test: says so on standard error, past the test harness's capture. The caller then returns.
///
/// # Panics
///
/// If the environment variable `CI` is set: in CI every test must run.
#[track_caller]
pub(crate) fn skip(why: &str) {
    let name = thread::current().name().unwrap_or("a test").to_owned();
    assert!(env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{name} must not be skipped in CI: {why}");
    let _ = writeln!(io::stderr(), "SKIPPED {name}: {why}");
}

/// Whether all these programs are installed. If not, the test is skipped.
#[track_caller]
pub(crate) fn installed(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| which(program).is_none()).collect();
    if !missing.is_empty() {
        skip(&format!("not installed: {missing:?}"));
    }
    missing.is_empty()
}

/// Where a program is, if it is installed.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let search = env::var_os("PATH")?;
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&search).map(|folder| folder.join(&file)).find(|path| path.is_file())
}
