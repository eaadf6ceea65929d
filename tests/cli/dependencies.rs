//! The crates in the program: `deny.toml` allows them all, and SECURITY.md lists the direct dependencies.
//!
//! These tests list them with `cargo tree`. cargo-deny checks more, but takes minutes to build.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::{requirements::installed, sandbox::SOLEKEY};

/// A crate from the lock file that is part of the program, or is needed to build it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    licence: String,
    features: Vec<String>,
}

/// Lists the crates that `cargo tree` prints with these arguments, without those only for tests and benches.
fn tree(arguments: &[&str]) -> BTreeSet<Crate> {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--locked", "--edges", "normal,build"]);
    command.args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{l}|{f}"]).args(arguments);
    let output = command.output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    let parse = |line: &str| {
        let [package, licence, features] =
            line.split('|').collect::<Vec<_>>().try_into().expect("the format has 3 parts");
        let (name, version) = package.split_once(' ').expect("a package is a name and a version");
        let features = features.split(',').map(str::to_owned).collect();
        Crate { name: name.to_owned(), version: version.to_owned(), licence: licence.to_owned(), features }
    };
    listed.lines().map(parse).collect()
}

/// Lists the crates for all systems, without optional features: `openssl` links a library that can do much more than it is used
/// for.
fn shipped() -> BTreeSet<Crate> {
    tree(&["--target", "all"])
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect("the repository has this file")
}

/// Returns the strings in the first TOML array after `before`.
fn array<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let (_, text) = text.split_once(before).expect("the text has this line");
    let (_, text) = text.split_once('[').expect("an array has a beginning");
    let (text, _) = text.split_once(']').expect("an array has an end");
    let strings: Vec<_> = text.split('"').skip(1).step_by(2).collect();
    assert!(!strings.is_empty(), "no strings after {before}");
    strings
}

#[test]
fn no_banned_crate_or_feature_is_used() {
    let rules = read("deny.toml");
    let banned = array(&rules, "\ndeny = ");
    let banned_features: Vec<_> = rules
        .split("[[bans.features]]")
        .skip(1)
        .map(|rule| (rule.split('"').nth(1).expect("a rule names a crate"), array(rule, "\ndeny = ")))
        .collect();
    assert!(banned.contains(&"tokio") && banned_features.iter().any(|(name, _)| *name == "rustix"));

    let shipped = shipped();
    for Crate { name, features, .. } in &shipped {
        assert!(!banned.contains(&name.as_str()), "{name} is banned");
        for (_, banned) in banned_features.iter().filter(|(banned, _)| banned == name) {
            let used: Vec<_> = features.iter().filter(|feature| banned.contains(&feature.as_str())).collect();
            assert!(used.is_empty(), "{name} with {used:?} is banned");
        }
    }
    // The list covers crates of every kind, those for other systems included, and none that only tests use.
    let is_shipped = |name: &str| shipped.iter().any(|found| found.name == name);
    for name in ["solekey", "age", "aws-lc-sys", "cc", "rustix", "windows-sys"] {
        assert!(is_shipped(name), "{name} is missing from the list");
    }
    assert!(!is_shipped("criterion"));
}

/// Returns whether the `allowed` licences satisfy an SPDX expression. Reads OR as if it bound tighter than AND, which never
/// allows more than the expression does.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace(['(', ')'], "").replace('/', " OR ");
    expression.split(" AND ").all(|choice| choice.split(" OR ").any(|licence| allowed.contains(&licence)))
}

#[test]
fn every_crate_has_an_allowed_licence() {
    let rules = read("deny.toml");
    let allowed = array(&rules, "\nallow = ");
    for Crate { name, licence, .. } in shipped() {
        assert!(is_allowed(&licence, &allowed), "{name}: {licence:?}");
    }
    for refused in ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "(MIT OR ISC) AND GPL-3.0-only", "MIT WITH exception"] {
        assert!(!is_allowed(refused, &allowed), "{refused:?}");
    }
}

#[test]
fn the_security_policy_lists_every_direct_dependency_and_counts_all_crates() {
    let policy = read("SECURITY.md");
    let (_, section) = policy.split_once("\n## Dependencies\n").expect("SECURITY.md has this section");
    let section = section.split("\n## ").next().expect("split yields at least one part");
    let listed: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let found = tree(&["--target", "all", "--all-features", "--depth", "1"]);
    let direct: Vec<_> = found.iter().map(|found| found.name.as_str()).filter(|name| *name != "solekey").collect();
    assert_eq!(listed, direct, "SECURITY.md and Cargo.toml, in alphabetical order");

    let linux = tree(&["--target", "x86_64-unknown-linux-gnu"]);
    // A crate may be listed twice, with different features.
    let count = linux.iter().map(|found| (&found.name, &found.version)).collect::<BTreeSet<_>>().len();
    assert!(section.contains(&format!("{count} crates")), "{count} crates");
}

#[test]
fn the_program_links_no_function_that_opens_a_connection() {
    if !cfg!(target_os = "linux") || !installed(&["nm"]) {
        return;
    }
    let listed = Command::new("nm").args(["-D", "--undefined-only", SOLEKEY]).output().expect("nm starts");
    let listed = String::from_utf8(listed.stdout).expect("nm prints UTF-8");
    let called: BTreeSet<_> =
        listed.lines().filter_map(|line| line.split_whitespace().last()?.split('@').next()).collect();
    assert!(called.contains("read"), "{listed}");
    for call in ["socket", "connect", "bind", "listen", "accept", "accept4", "getaddrinfo"] {
        assert!(!called.contains(call), "{call} is linked");
    }
}
