//! The man pages and the shell completions are what the command line's definition says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::Command;
use clap_complete::{Shell, generate};

const EXIT_STATUS: &str = "\
.SH EXIT STATUS
.TP
0
Done.
.TP
1
Input/output or another failure.
.TP
2
Misuse of the command line.
.TP
3
No identity matched, or the passphrase was wrong.
.TP
4
The file is not an age file, or is corrupted or truncated.
.TP
5
An answer was needed and nobody could give it.
.TP
6
Some of several files failed. If all failed alike, the status is that of each.
.TP
141
The pipe that was written to was closed.
";

const SEE_ALSO: &str = ".SH SEE ALSO\n\
\\fBsolekey\\fR(1), \\fBsolekey\\-encrypt\\fR(1), \\fBsolekey\\-decrypt\\fR(1), \\fBsolekey\\-keygen\\fR(1), \
\\fBsolekey\\-inspect\\fR(1), \\fBsolekey\\-file\\fR(5), \\fBage\\fR(1)\n.PP\nThe format: https://c2sp.org/age\n";

/// The page that no command line knows of.
const FILE_PAGE: &str = include_str!("../man/solekey-file.5");

/// The pages: one for the program, one for each verb, and one for files.
fn man_pages() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut command = solekey::cli::command();
    command.build();
    let pages = std::iter::once(command.clone()).chain(command.get_subcommands().cloned());
    let written = (Path::new("man").join("solekey-file.5"), FILE_PAGE.as_bytes().to_vec());
    pages
        .map(|page| {
            let name = page.get_display_name().unwrap_or(page.get_name()).to_owned();
            (Path::new("man").join(format!("{name}.1")), man_page(page, &name))
        })
        .chain([written])
        .collect()
}

fn man_page(command: Command, name: &str) -> Vec<u8> {
    let is_program = name == "solekey";
    // What is shown after the help is here a section of its own.
    let man =
        clap_mangen::Man::new(command.after_help("")).title(name.to_uppercase()).manual("solekey manual").date("");
    let mut page = Vec::new();
    let render = |result: std::io::Result<()>| result.expect("memory takes it");
    render(man.render_title(&mut page));
    render(man.render_name_section(&mut page));
    render(man.render_synopsis_section(&mut page));
    render(man.render_description_section(&mut page));
    render(man.render_options_section(&mut page));
    if is_program {
        render(man.render_subcommands_section(&mut page));
    }
    page.extend_from_slice(EXIT_STATUS.as_bytes());
    page.extend_from_slice(SEE_ALSO.as_bytes());
    page
}

fn completions() -> BTreeMap<PathBuf, Vec<u8>> {
    let shells = [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell];
    let files = ["solekey.bash", "_solekey", "solekey.fish", "solekey.elv", "_solekey.ps1"];
    let generated = shells.into_iter().zip(files).map(|(shell, file)| {
        let mut script = Vec::new();
        generate(shell, &mut solekey::cli::command(), "solekey", &mut script);
        (Path::new("completions").join(file), script)
    });
    generated.collect()
}

/// Compares the files of a folder with what they should be; with `BLESS=1`, makes them so.
fn assert_folder_is(folder: &str, expected: &BTreeMap<PathBuf, Vec<u8>>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        for (path, content) in expected {
            fs::write(root.join(path), content).expect("the folder can be written");
        }
    }
    let entries = fs::read_dir(root.join(folder)).expect("the folder is there");
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
        assert!(found[path] == *content, "{} is out of date: run BLESS=1 cargo test --test generated", path.display());
    }
}

#[test]
fn man_pages_are_up_to_date() {
    assert_folder_is("man", &man_pages());
}

#[test]
fn completions_are_up_to_date() {
    assert_folder_is("completions", &completions());
}
