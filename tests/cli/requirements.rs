//! Requirements on the machine that runs the tests. A test with unmet requirements is skipped, or fails in CI.

#![allow(dead_code, reason = "the other test programs use only part of it")]

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    thread,
};

/// Reports a test as skipped on standard error, bypassing the test harness's capture. The caller must then return.
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

/// Returns whether all these programs are installed. If not, reports the test as skipped.
#[track_caller]
pub(crate) fn installed(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| which(program).is_none()).collect();
    if !missing.is_empty() {
        skip(&format!("not installed: {missing:?}"));
    }
    missing.is_empty()
}

/// Returns the path of a program, if it is installed.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let search = env::var_os("PATH")?;
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&search).map(|folder| folder.join(&file)).find(|path| path.is_file())
}
