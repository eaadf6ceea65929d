//! The man pages and shell completions match the definition of the command line.

mod completions;
mod man;
mod man_texts;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::requirements::installed;

use self::{completions::completions, man::man_pages};

/// Asserts that a folder holds exactly the expected files. With `BLESS=1`, writes them first.
fn assert_folder_is(folder: &str, expected: &BTreeMap<PathBuf, Vec<u8>>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        for (path, content) in expected {
            fs::write(root.join(path), content).expect("the folder is writable");
        }
    }
    let entries = fs::read_dir(root.join(folder)).expect("the folder exists");
    let found: BTreeMap<_, _> = entries
        .map(|entry| {
            let path = entry.expect("the folder can be read").path();
            let content = fs::read(&path).expect("the file can be read");
            (path.strip_prefix(root).expect("it is in the project").to_owned(), content)
        })
        .collect();
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected), "files in {folder}");
    for (path, content) in expected {
        assert!(
            found[path] == *content,
            "{} is out of date: run BLESS=1 cargo test --test library generated",
            path.display()
        );
    }
}

#[test]
fn man_pages_are_up_to_date_and_render_without_warnings() {
    assert_folder_is("man", &man_pages());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages: Vec<PathBuf> = man_pages().into_keys().collect();
    for (program, arguments) in [("mandoc", &["-Tlint"][..]), ("groff", &["-man", "-ww", "-Tutf8", "-rLL=80n", "-z"])] {
        if !installed(&[program]) {
            continue;
        }
        let output = Command::new(program).args(arguments).args(&pages).current_dir(root).output().expect("it starts");
        let said = [output.stdout, output.stderr].concat();
        assert!(said.is_empty(), "{program}: {}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn completions_are_up_to_date() {
    assert_folder_is("completions", &completions());
}
