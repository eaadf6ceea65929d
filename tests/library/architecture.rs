//! The law of the house: which file may name what.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("sources are text");
                // Tests may reach further than the code that they test.
                let code = text.split("\nmod tests {").next().expect("a split gives a first part").to_owned();
                sources.push((path.strip_prefix(&root).expect("it is below").to_owned(), code));
            }
        }
    }
    assert!(!sources.is_empty(), "no sources in {folder}");
    sources
}

/// Whether code (not comments) names a path that begins with `name`.
fn names(code: &str, name: &str) -> bool {
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let boundary = |character: Option<char>| !character.is_some_and(|c| c.is_alphanumeric() || c == '_');
            boundary(line[..at].chars().next_back()) && line[at + name.len()..].starts_with("::")
        })
    }) || code.lines().any(|line| line.trim_start().starts_with(&format!("use {name};")))
}

/// The names in `use std::{…}` and elsewhere that begin with `std`.
fn uses_std(code: &str, module: &str) -> bool {
    let flat: String = code.split_whitespace().collect();
    let grouped = flat.split("usestd::{").skip(1).filter_map(|rest| rest.split(';').next());
    names(code, &format!("std::{module}"))
        || flat.contains(&format!("std::{module}::"))
        || grouped.flat_map(|group| group.split([',', '{'])).any(|part| part.split("::").next() == Some(module))
}

#[test]
fn crypto_has_never_heard_of_the_operating_system() {
    for (path, code) in sources("crypto") {
        for name in [
            "clap",
            "anyhow",
            "indicatif",
            "rpassword",
            "tempfile",
            "same_file",
            "signal_hook",
            "rustix",
            "libc",
            "seccompiler",
        ] {
            assert!(!names(&code, name), "{} names {name}", path.display());
        }
        for module in ["fs", "env", "path", "process", "os", "net"] {
            assert!(!uses_std(&code, module), "{} names std::{module}", path.display());
        }
    }
}

#[test]
fn no_file_names_a_socket() {
    for (path, code) in sources("") {
        let flat: String = code.split_whitespace().collect();
        let unix = ["os::unix::net", "unix::{net", "os::linux::net"].iter().any(|name| flat.contains(name));
        assert!(!unix && !uses_std(&code, "net"), "{} can make a socket", path.display());
    }
}

#[test]
fn the_pipeline_knows_no_cryptography() {
    let code = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/crypto/pipeline.rs"));
    let code = code.expect("the pipeline is there");
    for name in ["header", "stream", "primitives", "segment", "armor", "age", "age_core", "aws_lc_rs", "openssl"] {
        assert!(!names(&code, name) && !names(&code, &format!("super::{name}")), "the pipeline names {name}");
    }
}

#[test]
fn one_file_names_each_crate() {
    let owners = [
        ("aws_lc_rs", "crypto/primitives/aws_lc.rs"),
        ("openssl", "crypto/primitives/libcrypto.rs"),
        ("clap", "cli/args.rs"),
        ("indicatif", "cli/progress.rs"),
        ("rpassword", "cli/prompt.rs"),
        ("bip39", "cli/prompt.rs"),
        ("tempfile", "cli/pending.rs"),
        ("rustix", "cli/system.rs"),
        ("libc", "cli/guard.rs"),
        ("seccompiler", "cli/guard.rs"),
        ("landlock", "cli/guard.rs"),
        ("signal_hook", "cli/interrupt.rs"),
        ("humantime", "cli/keygen.rs"),
        ("serde_json", "cli/json.rs"),
        ("walkdir", "cli/names.rs"),
    ];
    for (name, owner) in owners {
        let found: Vec<_> = sources("")
            .into_iter()
            .filter(|(_, code)| names(code, name))
            .map(|(path, _)| path.to_string_lossy().replace('\\', "/"))
            // A part of the parser; what runs it, and what asks its error what it is.
            .filter(|path| {
                !(name == "clap" && (path == "cli/mod.rs" || path == "cli/report.rs" || path.starts_with("cli/args/")))
            })
            .collect();
        assert_eq!(found, [owner], "files that name {name}");
    }
}

#[test]
fn nothing_but_the_command_line_can_name_a_recipient() {
    for (path, code) in sources("") {
        let text = path.to_string_lossy().replace('\\', "/");
        if !["cli/mod.rs", "cli/defaults.rs"].contains(&text.as_str()) {
            assert!(!uses_std(&code, "env"), "{text} reads the environment");
        }
        // Default identities open files, and what `encrypt` uses cannot name them.
        if !["cli/mod.rs", "cli/identities.rs"].contains(&text.as_str()) {
            assert!(!names(&code, "defaults"), "{text} knows the default identities");
        }
        if ["cli/encrypt.rs", "cli/recipients.rs", "cli/keys.rs"].contains(&text.as_str()) {
            assert!(!code.contains("Identities"), "{text} reaches the default identities");
        }
    }
}
