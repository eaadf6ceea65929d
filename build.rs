//! Sets the build details that `solekey --version --verbose` prints.
//!
//! They depend on the sources and the toolchain, never on the place or time of the build.

#![allow(clippy::print_stdout, reason = "a build script talks to cargo this way")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

const UNKNOWN: &str = "unknown";

fn main() {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    // Once any path is named, cargo watches no others.
    for watched in ["build.rs", "src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    println!("cargo:rustc-env=SOLEKEY_COMMIT={}", commit(&root));
    println!("cargo:rustc-env=SOLEKEY_COMPILER={}", compiler());
    println!("cargo:rustc-env=SOLEKEY_TARGET={}", variable("TARGET"));
    println!("cargo:rustc-env=SOLEKEY_FEATURES={}", features());
    println!("cargo:rustc-env=SOLEKEY_LOCK={}", lock(&root));
}

fn variable(name: &str) -> String {
    env::var(name).expect("cargo sets it")
}

/// Returns the commit of the sources, and whether they have been changed since. Unknown outside a clone of the project.
fn commit(root: &Path) -> String {
    // Otherwise every commit during development would recompile and relink the program.
    if variable("PROFILE") != "release" {
        return format!("{UNKNOWN}, as this is no release build");
    }
    // Sources inside a clone of some other project must not report that project's commit.
    let top = git(root, &["rev-parse", "--show-toplevel"]).map(PathBuf::from);
    if top.and_then(|top| top.canonicalize().ok()) != root.canonicalize().ok() {
        return UNKNOWN.to_owned();
    }
    for moves_with_commits in ["logs/HEAD", "index"] {
        if let Some(path) = git(root, &["rev-parse", "--git-path", moves_with_commits]) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    let Some(commit) = git(root, &["rev-parse", "HEAD"]) else { return UNKNOWN.to_owned() };
    match git(root, &["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit}, changed"),
    }
}

/// Returns git's trimmed output, or `None` if git is missing or fails.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Returns the compiler's version, since another compiler builds a different program from the same sources.
fn compiler() -> String {
    let output = Command::new(variable("RUSTC")).arg("--version").output();
    let name = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    name.map_or(UNKNOWN.to_owned(), |name| name.trim().to_owned())
}

fn features() -> String {
    let chosen = env::vars().filter_map(|(name, _)| name.strip_prefix("CARGO_FEATURE_").map(str::to_lowercase));
    let mut chosen: Vec<_> = chosen.collect();
    chosen.sort();
    if chosen.is_empty() { "none".to_owned() } else { chosen.join(", ") }
}

/// Returns the hash of the lock file, which in turn holds the hashes of all dependencies.
fn lock(root: &Path) -> String {
    let Ok(lock) = fs::read(root.join("Cargo.lock")) else { return UNKNOWN.to_owned() };
    let hash = Sha256::digest(lock);
    format!("sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
