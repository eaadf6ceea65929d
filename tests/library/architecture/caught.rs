//! Every rule can fail: in small sources, each kind of violation is caught, and allowed code is not.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DEPENDENCIES, rules,
    tree::{Target, Tree},
};

/// A tree of these files. Their parent modules are declared, and created if they are missing.
fn tree(files: &[(&str, &str)]) -> Tree {
    let mut texts: BTreeMap<String, String> = BTreeMap::from([("lib.rs".to_owned(), String::new())]);
    texts.extend(files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())));
    let mut declared = BTreeSet::new();
    for (file, _) in files.iter().filter(|(file, _)| *file != "lib.rs") {
        let mut parent = "lib.rs".to_owned();
        let parts: Vec<_> = file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
        for (depth, name) in parts.iter().enumerate() {
            if declared.insert((parent.clone(), *name)) {
                *texts.entry(parent).or_default() += &format!("\nmod {name};\n");
            }
            parent = format!("{}/mod.rs", parts[..=depth].join("/"));
        }
    }
    Tree::load(|file| texts.get(file).cloned(), DEPENDENCIES.clone())
}

/// Asserts that a rule finds exactly one violation, and that it contains these words.
#[track_caller]
fn caught(violations: &[String], words: &[&str]) {
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(words.iter().all(|word| violations[0].contains(word)), "{violations:?}");
}

/// Asserts that a rule finds nothing.
#[track_caller]
fn allowed(violations: &[String]) {
    assert!(violations.is_empty(), "{violations:?}");
}

/// A file that holds `code` in a low room, and a command that it must not name.
fn low(code: &str) -> Tree {
    tree(&[("cli/files/walk.rs", code), ("cli/commands/keygen.rs", "pub fn run() {}")])
}

#[test]
fn a_path_is_caught_however_it_is_written() {
    for code in [
        "use crate::cli::commands::keygen::run;",
        "use crate::{cli::{commands::{keygen::{run as other}}}};",
        "use crate::cli::commands::keygen::*;",
        "pub(crate) use crate::cli::commands::keygen;",
        "fn f() { use crate::cli::commands::keygen::run; }",
        "fn f() { crate::cli::commands::keygen::run(); }",
        "fn f() { <u8 as crate::cli::commands::keygen::Trait>::run(); }",
        "fn f() { println!(\"{}\", [crate::cli::commands::keygen::run()]); }",
        "fn f() { crate::cli::commands::keygen::run!(); }",
        "fn f() { g::<crate::cli::commands::keygen::Type>(); }",
        "struct S(Vec<crate::cli::commands::keygen::Type>);",
        "#[derive(crate::cli::commands::keygen::Derive)] struct S;",
        "mod inner { fn f() { super::super::walk::g(); crate::cli::commands::keygen::run(); } }",
        "#[cfg(not(test))] use crate::cli::commands::keygen::run;",
        "#[cfg(any(test, unix))] use crate::cli::commands::keygen::run;",
    ] {
        caught(&rules::order_of_cli(&low(code)), &["cli/files/walk.rs", "cli/commands/keygen.rs", "keygen"]);
    }
    // Through an imported module, an alias or `super`, more than one path is found.
    for code in [
        "use crate::cli::commands::keygen; fn f() { keygen::run(); }",
        "use crate::cli::commands as other; fn f() { other::keygen::run(); }",
        "use crate::cli; fn f() { vec![cli::commands::keygen::run()]; }",
        "fn f() { super::super::commands::keygen::run(); }",
    ] {
        let found = rules::order_of_cli(&low(code));
        assert!(found.iter().any(|violation| violation.contains("cli/commands/keygen.rs")), "{code}: {found:?}");
    }
}

#[test]
fn tests_comments_strings_and_visibility_do_not_count_as_uses() {
    for code in [
        "#[cfg(test)] mod tests { use crate::cli::commands::keygen::run; }",
        "#[cfg(all(test, unix))] mod tests { use crate::cli::commands::keygen::run; }",
        "#[cfg(test)] use crate::cli::commands::keygen::run;",
        "struct S; impl S { #[cfg(test)] fn f() { crate::cli::commands::keygen::run(); } }",
        "fn f() { #[cfg(test)] let x = crate::cli::commands::keygen::run(); }",
        "#[cfg(test)] mod not_there;",
        "//! See [`crate::cli::commands::keygen::run`].\n// crate::cli::commands::keygen::run",
        "fn f() { println!(\"crate::cli::commands::keygen::run\"); }",
        "pub(in crate::cli) fn f() {}",
        "fn f(commands: u8) { g(commands, std::fs::read); Local::run(); }",
    ] {
        allowed(&rules::order_of_cli(&low(code)));
    }
}

#[test]
fn a_re_export_leads_to_the_file_that_defines_the_item() {
    let tree = tree(&[
        ("cli/mod.rs", "use files::{Walk, walk::start as begin}; fn f() { Walk::new(); begin(); }"),
        ("cli/files/mod.rs", "pub use self::walk::Walk; pub use anyhow::Error;"),
        ("cli/files/walk.rs", "fn f() -> crate::cli::files::Error { super::Walk::new(); }"),
        ("cli/args/mod.rs", "use crate::cli::args::kind::{Local, Variant}; fn f() { Local::new() }"),
        ("cli/args/kind.rs", "pub use Kind::Variant; pub use Local::Local; fn f() { Local::Local }"),
    ]);
    let found = |file: &str| tree.neighbours(file).into_keys().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(found("cli/mod.rs"), ["cli/files/walk.rs"]);
    assert_eq!(found("cli/args/mod.rs"), ["cli/args/kind.rs"]);
    // Another crate's item counts as the item of the file that re-exports it.
    assert_eq!(found("cli/files/walk.rs"), ["cli/files/mod.rs"]);
    let outside = |file: &str| tree.files[file].uses.iter().any(|used| matches!(used.target, Target::Outside(_)));
    assert!(outside("cli/files/mod.rs") && !outside("cli/files/walk.rs"));
}

#[test]
fn a_wrong_order_of_rooms_is_caught() {
    let cli = |from: &str, to: &str| {
        let code = format!("use crate::cli::{to}::file::item;");
        rules::order_of_cli(&tree(&[(&format!("cli/{from}/file.rs"), &code), (&format!("cli/{to}/file.rs"), "")]))
    };
    let order = ["args", "platform", "terminal", "files", "keys", "batch", "commands"];
    for (height, room) in order.iter().enumerate() {
        for (other, to) in order.iter().enumerate().filter(|(other, _)| *other != height) {
            assert_eq!(cli(room, to).is_empty(), other < height, "{room} imports {to}");
        }
        caught(&cli(room, "drop_in"), &["may not import drop_in"]);
    }
    for (room, may) in [("keys", true), ("terminal", true), ("commands", false), ("batch", false), ("platform", false)]
    {
        assert_eq!(cli("drop_in", room).is_empty(), may, "drop_in imports {room}");
    }
    let lent =
        [("cli/files/walk.rs", "use crate::cli::batch::item;"), ("cli/batch/mod.rs", "use crate::cli::args::item;")];
    let found = rules::order_of_cli(&tree(&[lent[0], lent[1], ("cli/args/mod.rs", "")]));
    caught(&found, &["crate::cli::batch::item", "files may not import batch"]);
    caught(&rules::order_of_cli(&tree(&[("cli/util.rs", "")])), &["cli/util.rs is in no room"]);

    let crypto = |from: &str, to: &str| {
        let code = format!("use crate::crypto::{to}::item;");
        rules::order_of_crypto(&tree(&[(&format!("crypto/{from}.rs"), &code), (&format!("crypto/{to}.rs"), "")]))
    };
    let order = ["error", "primitives", "format", "keys", "payload", "decrypt"];
    for (height, room) in order.iter().enumerate() {
        for (other, to) in order.iter().enumerate().filter(|(other, _)| *other != height) {
            assert_eq!(crypto(room, to).is_empty(), other < height, "{room} imports {to}");
        }
    }
    for (from, to) in [("parallel", "primitives"), ("primitives", "parallel"), ("decrypt", "encrypt")] {
        caught(&crypto(from, to), &["may not import"]);
    }
}

#[test]
fn impure_code_in_crypto_is_caught() {
    for name in ["aws_lc_rs::aead", "age_core::format", "thiserror::Error"] {
        caught(&rules::parallel_is_plain(&tree(&[("crypto/parallel/pipeline.rs", &format!("use {name};"))])), &[name]);
    }
    let rule = |code: &str| rules::crypto_is_pure(&tree(&[("crypto/format/armor.rs", code), ("cli/args/mod.rs", "")]));
    for name in
        ["clap::Parser", "rustix::fs", "std::fs", "core::net::Ipv4Addr", "std::os::fd::AsFd", "crate::cli::args"]
    {
        let last = name.rsplit("::").next().expect("a split yields at least one part");
        caught(&rule(&format!("use {name};")), &["crypto/format/armor.rs", last]);
    }
    caught(&rule("use std::{io, path::{Path}};"), &["std::path::Path"]);
    allowed(&rule("use std::{io, thread}; use base64::Engine; #[cfg(test)] use std::fs;"));
}

#[test]
fn a_cycle_is_caught_and_its_imports_are_listed() {
    let files = |last| {
        tree(&[
            ("cli/files/input.rs", "use crate::cli::files::walk::Walk;"),
            ("cli/files/walk.rs", "fn f() { super::output::write(); }"),
            ("cli/files/output.rs", last),
        ])
    };
    let ties = [
        "3 files",
        "input.rs uses crate::cli::files::walk::Walk",
        "walk.rs -> cli/files/output.rs: super::output::write",
    ];
    caught(&rules::cycles(&files("use crate::cli::files::input::Input;")), &ties);
    // Importing a module and using something else through it is not a cycle, nor is a file that names itself.
    allowed(&rules::cycles(&files("use crate::cli::files; fn f() { files::other(); self::f(); }")));
    allowed(&rules::cycles(&files("#[cfg(test)] mod tests { use crate::cli::files::input::Input; }")));
    let parent = [("cli/batch/mod.rs", "use queue::Queue;"), ("cli/batch/queue.rs", "use super::Job;")];
    caught(&rules::cycles(&tree(&parent)), &["2 files", "super::Job"]);
}

#[test]
fn a_command_that_imports_another_is_caught() {
    let rule = |file, code| {
        let others = [("cli/commands/encrypt.rs", ""), ("cli/commands/session.rs", ""), (file, code)];
        rules::commands_are_apart(&tree(&others))
    };
    caught(&rule("cli/commands/decrypt.rs", "use super::encrypt::run;"), &["cli/commands/encrypt.rs"]);
    caught(&rule("cli/commands/inspect/text.rs", "fn f() { crate::cli::commands::encrypt::run() }"), &["encrypt::run"]);
    allowed(&rule("cli/commands/decrypt.rs", "use crate::cli::commands::session::Session;"));
    allowed(&rule("cli/commands/inspect/text.rs", "use crate::cli::commands::inspect::parts;"));
}

#[test]
fn a_chain_of_imports_from_encryption_to_the_default_identities_is_caught() {
    let rule = |recipients, key_file| {
        rules::defaults_open_only(&tree(&[
            ("cli/commands/encrypt/recipients.rs", "use crate::cli::keys::recipients::Recipients;"),
            ("cli/keys/recipients.rs", recipients),
            ("cli/keys/key_file.rs", key_file),
            ("cli/keys/keyring.rs", "use crate::cli::keys::key_set::KeySet;"),
            ("cli/keys/key_set.rs", "fn f() { super::default_identities::files() }"),
            ("cli/keys/default_identities.rs", ""),
        ]))
    };
    allowed(&rule("use crate::cli::keys::key_file::KeyFile;", ""));
    // Three files reach the keyring, its keys and the default identities, and one of them names the keyring.
    let found = rule("use crate::cli::keys::key_file::KeyFile;", "use crate::cli::keys::keyring::Keyring;");
    assert_eq!(found.len(), 10, "{found:?}");
    let way = [
        "encrypt/recipients.rs uses",
        "recipients.rs uses",
        "key_file.rs uses",
        "keyring.rs uses",
        "key_set.rs uses super::default_identities::files",
    ];
    assert!(found.iter().any(|violation| way.iter().all(|step| violation.contains(step))), "{found:?}");
    caught(&rule("", "fn f(_: crate::cli::args::Identities) {}"), &["args::Identities"]);
    // An item that the keyring only re-exports must not be imported through it either.
    let lent = [
        ("cli/keys/recipients.rs", "use crate::cli::keys::keyring::parse;"),
        ("cli/keys/keyring.rs", "pub(crate) use crate::cli::keys::identity_file::parse;"),
        ("cli/keys/identity_file.rs", ""),
    ];
    caught(&rules::defaults_open_only(&tree(&lent)), &["cli/keys/recipients.rs names", "keyring::parse"]);
    let other = [
        ("cli/batch/mod.rs", "use crate::cli::keys::default_identities::files;"),
        ("cli/keys/default_identities.rs", ""),
    ];
    caught(&rules::defaults_open_only(&tree(&other)), &["cli/batch/mod.rs names"]);
    let moved = [
        ("cli/keys/recipients.rs", ""),
        ("cli/keys/public_keys.rs", ""),
        ("cli/keys/key_file.rs", ""),
        ("cli/commands/encrypt.rs", ""),
        ("cli/commands/session.rs", ""),
    ];
    caught(&rules::deciding_files_exist(&tree(&moved)), &["cli/commands/encrypt/ decides"]);
}

#[test]
fn a_crate_outside_its_owner_is_caught() {
    // A small tree lacks the owners, and each is reported for not naming its crate.
    let rule = |code: &str, dependencies: &BTreeSet<String>| {
        let mut found = rules::one_owner(&tree(&[("cli/files/walk/mod.rs", code), ("cli/mod.rs", "")]), dependencies);
        found.retain(|violation| !violation.ends_with("does not name it"));
        found
    };
    for code in [
        "use tempfile::Builder;",
        "fn f() { tempfile::tempfile(); }",
        "fn f() { println!(\"{}\", ::tempfile::tempfile()); }",
        "use tempfile;",
        "extern crate tempfile;",
        "use tempfile as other; ",
        "#[derive(tempfile::Derive)] struct S;",
    ] {
        caught(
            &rule(code, &DEPENDENCIES),
            &["cli/files/walk/mod.rs names tempfile", "cli/files/pending/hidden_name.rs"],
        );
    }
    allowed(&rule("use walkdir::WalkDir; use anyhow::Result; fn f(tempfile: u8) { g(tempfile) }", &DEPENDENCIES));
    let mut dependencies = DEPENDENCIES.clone();
    dependencies.insert("reqwest".to_owned());
    caught(&rule("", &dependencies), &["reqwest is a dependency and not in the table"]);
    dependencies.remove("reqwest");
    dependencies.remove("walkdir");
    caught(&rule("", &dependencies), &["walkdir is in the table and not a dependency"]);
    let idle = rules::one_owner(&tree(&[("cli/mod.rs", "")]), &DEPENDENCIES);
    assert!(idle.iter().any(|violation| violation.starts_with("cli/files/walk/mod.rs owns walkdir")), "{idle:?}");
}

#[test]
fn a_condition_on_the_operating_system_is_caught() {
    let rule = |file, code: &str| rules::systems_are_apart(&tree(&[(file, code)]));
    for code in [
        "#[cfg(unix)] fn f() {}",
        "fn f() { if cfg!(windows) {} }",
        "fn f() { println!(\"{}\", cfg!(windows)) }",
        "struct S { #[cfg_attr(not(unix), allow(dead_code))] x: u8 }",
        "fn f() { match 1 { #[cfg(all(feature = \"x\", not(target_os = \"linux\")))] _ => {} } }",
        "#[cfg(windows)] mod inner {}",
        "#[cfg(unix)] use std::io;",
        "use std::os::unix::fs::MetadataExt;",
    ] {
        caught(&rule("cli/files/walk.rs", code), &["cli/files/walk.rs"]);
        allowed(&rule("cli/platform/unix.rs", code));
    }
    allowed(&rule("cli/files/walk.rs", "#[cfg(feature = \"unix\")] fn f() {} #[cfg(all(test, unix))] mod tests {}"));
}

#[test]
fn a_forbidden_path_is_caught_in_any_file() {
    let at = |file, code: &str| tree(&[(file, code)]);
    let walk = |code: &str| at("cli/files/walk.rs", code);
    caught(&rules::no_grandparents(&walk("use super::super::args;")), &["super::super::args"]);
    allowed(&rules::no_grandparents(&walk("use super::input; #[cfg(test)] mod t { use super::super::input; }")));
    caught(&rules::no_globs(&walk("use crate::cli::*;")), &["crate::cli::*"]);
    caught(&rules::no_globs(&walk("use std::io::prelude::*;")), &["std::io::prelude::*"]);
    allowed(&rules::no_globs(&walk("use std::io; #[cfg(test)] mod tests { use super::*; }")));
    for code in [
        "use std::net::TcpStream;",
        "use std::{os::unix::net};",
        "fn f() { std::os::linux::net::g() }",
        "use rustix::{net};",
    ] {
        caught(&rules::no_sockets(&walk(code)), &["net"]);
    }
    caught(&rules::no_sockets(&walk("use std::net; fn f(_: u8) {}")), &["std::net"]);
    allowed(&rules::no_sockets(&walk("use std::io; use rustix::fs; fn f(net: u8) {}")));
    let variables = "fn f() { std::env::var_os(\"HOME\"); }";
    caught(&rules::environment_is_read_at_the_edge(&walk(variables)), &["std::env::var_os"]);
    caught(&rules::environment_is_read_at_the_edge(&walk("use std::env;")), &["std::env"]);
    allowed(&rules::environment_is_read_at_the_edge(&at("cli/keys/default_identities.rs", variables)));
    allowed(&rules::environment_is_read_at_the_edge(&walk("const NAME: &str = env!(\"CARGO_PKG_NAME\");")));
}

#[test]
fn a_file_or_folder_that_is_too_large_is_caught() {
    let lines = |count: usize, end: &str| "//\n".repeat(count) + end;
    let size = |text: &str| rules::sizes(&tree(&[("cli/files/walk.rs", text)]));
    caught(&size(&lines(rules::MOST_LINES + 1, "")), &["cli/files/walk.rs has 321 lines"]);
    allowed(&size(&lines(rules::MOST_LINES, "#[cfg(test)]\nmod tests {\n\n\n}")));
    let names: Vec<_> = (0..=rules::MOST_MODULES).map(|number| format!("cli/files/f{number}.rs")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    caught(&rules::sizes(&tree(&files)), &["cli/files has 14 modules"]);
    allowed(&rules::sizes(&tree(&files[1..])));
}
