//! What `solekey --version --verbose` says of the build. The same for the same sources, wherever they are built.

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
    // With these, cargo watches nothing else.
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

/// The commit that the sources are, and whether they have been changed since. Not known outside a clone of the project.
fn commit(root: &Path) -> String {
    // Every commit would compile and link everything anew while the program is worked on.
    if variable("PROFILE") != "release" {
        return format!("{UNKNOWN}, as this is no release build");
    }
    // Sources that lie in some other project's clone have not that project's commit.
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

/// What git says. None if there is no git, or nothing for it to say.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The compiler's name for itself. Another one makes another program from the same sources.
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

/// The hash of the lock file, and so of the hashes of all sources that the program is made of.
fn lock(root: &Path) -> String {
    let Ok(lock) = fs::read(root.join("Cargo.lock")) else { return UNKNOWN.to_owned() };
    let hash = Sha256::digest(lock);
    format!("sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
