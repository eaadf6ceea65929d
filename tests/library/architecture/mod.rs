//! The architecture: what each file in `src` may use. Tests inside the sources may use more than the code that they test.
//!
//! [`source`] reads one file, [`tree`] resolves its paths to other files and crates, [`rules`] holds the tables and the rules.
//! The rules see only what a file names: methods and values that pass through it unnamed go unnoticed.

mod caught;
mod rules;
mod source;
mod tree;

use std::{collections::BTreeSet, fs, path::Path, process::Command, sync::LazyLock};

use self::{
    rules::{MOST_LINES, MOST_MODULES},
    tree::Tree,
};

/// The names of all dependencies of the program, as code writes them.
static DEPENDENCIES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.args(["metadata", "--no-deps", "--format-version=1"]).output().expect("cargo starts");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("the workspace has packages");
    let program =
        packages.iter().find(|package| package["name"] == env!("CARGO_PKG_NAME")).expect("this is one of them");
    let dependencies = program["dependencies"].as_array().expect("the package has dependencies");
    // Dependencies of tests and of the build script have a kind; those of the program have none.
    let shipped = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
    let named = |dependency: &serde_json::Value, key: &str| dependency[key].as_str().map(str::to_owned);
    let names = shipped.map(|dependency| {
        named(dependency, "rename").or_else(|| named(dependency, "name")).expect("a dependency has a name")
    });
    names.map(|name| name.replace('-', "_")).collect()
});

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    Tree::load(|file| fs::read_to_string(root.join(file)).ok(), DEPENDENCIES.clone())
});

/// Asserts that there are no violations of a rule. Panics with all of them, and advice on how to fix them.
#[track_caller]
fn obeyed(violations: &[String], advice: &str) {
    let list: String = violations.iter().map(|violation| format!("\n  - {violation}")).collect();
    assert!(violations.is_empty(), "{} violations:{list}\n\n{advice}\n", violations.len());
}

#[test]
fn every_source_file_is_reached() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is a folder") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let file = path.strip_prefix(&root).expect("it is below").to_string_lossy().replace('\\', "/");
                assert!(TREE.files.contains_key(&file), "no module declares {file}");
            }
        }
    }
    let uses: usize = TREE.files.values().map(|parts| parts.uses.len()).sum();
    assert!(uses > 1000, "only {uses} paths lead anywhere");
}

#[test]
fn a_room_of_cli_imports_only_from_rooms_below() {
    obeyed(
        &rules::order_of_cli(&TREE),
        "The order is platform < terminal < files < keys < batch < commands, with args free to all. Move the item down to the \
         lowest room that needs it, or hand it in from above as an argument. `CLI_ROOMS` in rules.rs is the table.",
    );
}

#[test]
fn a_room_of_crypto_imports_only_from_rooms_below() {
    obeyed(
        &rules::order_of_crypto(&TREE),
        "The order is {primitives, parallel} < format < keys < payload < {encrypt, decrypt}, with error below all. Name the \
         file that defines the item, and move it down if that file is above. `CRYPTO_ROOMS` in rules.rs is the table.",
    );
}

#[test]
fn the_parallel_core_knows_no_cryptography() {
    obeyed(
        &rules::parallel_is_plain(&TREE),
        "crypto/parallel moves bytes through a step that its caller hands in, with `std` alone.",
    );
}

#[test]
fn crypto_knows_nothing_of_the_operating_system_or_the_command_line() {
    obeyed(
        &rules::crypto_is_pure(&TREE),
        "crypto turns bytes into bytes. Take a reader, a writer or a value as an argument, and let cli open it.",
    );
}

#[test]
fn no_files_import_each_other() {
    obeyed(
        &rules::cycles(&TREE),
        "Cut the weakest tie: move the shared item into a file of its own below both, or pass it as an argument. A mod.rs that \
         both defines items and uses its children's is the usual cause.",
    );
}

#[test]
fn commands_never_import_each_other() {
    obeyed(
        &rules::commands_are_apart(&TREE),
        "What two commands share belongs in commands/session.rs or in a room below.",
    );
}

#[test]
fn default_identities_never_reach_the_code_that_decides_who_can_open_a_file() {
    obeyed(&rules::deciding_files_exist(&TREE), "Name the file's new place in `DECIDE_RECIPIENTS` in rules.rs.");
    obeyed(
        &rules::defaults_open_only(&TREE),
        "Default identities open files and never widen who can open one. Only keys/keyring.rs may use them, and encryption must \
         not reach the keyring. Move what it needs there into a file of its own, such as keys/identity_file.rs.",
    );
}

#[test]
fn every_dependency_has_an_owner() {
    obeyed(
        &rules::one_owner(&TREE, &DEPENDENCIES),
        "One file owns each crate and wraps it for the others. Use the owner's wrapper or extend it. Enter a new dependency, or a \
         new place of an owner, in `OWNERS` in rules.rs, and argue it in the commit.",
    );
}

#[test]
fn only_the_platform_room_has_conditions_on_the_operating_system() {
    obeyed(
        &rules::systems_are_apart(&TREE),
        "Give cli/platform a function or constant with one meaning and a body for each system, and call it without a condition.",
    );
}

#[test]
fn no_path_climbs_two_modules() {
    obeyed(&rules::no_grandparents(&TREE), "Write the path from `crate`.");
}

#[test]
fn no_import_is_a_glob() {
    obeyed(
        &rules::no_globs(&TREE),
        "Import each name: a glob hides from the reader, and from these rules, which items are used.",
    );
}

#[test]
fn no_file_names_a_socket() {
    obeyed(&rules::no_sockets(&TREE), "solekey never opens a connection, and the sandbox would refuse it.");
}

#[test]
fn only_the_edge_reads_the_environment() {
    obeyed(
        &rules::environment_is_read_at_the_edge(&TREE),
        "No variable may add a recipient or change what a command line means. Pass the value as an argument. `ENVIRONMENT` in \
         rules.rs lists who may read one.",
    );
}

#[test]
fn no_file_or_folder_is_too_large() {
    obeyed(
        &rules::sizes(&TREE),
        &format!(
            "A file over {MOST_LINES} lines holds two ideas, a folder over {MOST_MODULES} modules is two rooms. Split it."
        ),
    );
}
