//! The README's tour: its commands run, and print what the README shows.

use std::{fs, path::Path};

use crate::{
    requirements::installed,
    sandbox::{SOLEKEY, Sandbox},
};

/// The public key in the README, a placeholder for the reader's own.
const KEY: &str = "age1r6ta7p6w28w5yyz62lt8mgqfsd4yf9yygeltcff8xfxjzwjz45dqkxdy4q";

/// A command and its output.
struct Step {
    command: String,
    printed: String,
}

/// The steps of all the README's console blocks, in order.
fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let blocks = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.to_owned(), printed: String::new() }),
            (None, Some(step)) => step.printed += &format!("{line}\n"),
            (None, None) => panic!("a block begins with output: {line}"),
        }
    }
    steps
}

/// The words of a text, with placeholders for keys and key shares, which differ from run to run.
///
/// Comparing words ignores how a terminal wraps lines.
fn constant(text: &str) -> Vec<&str> {
    let is_key = |word: &str| word.starts_with("age1");
    let is_share =
        |word: &str| word.len() == 43 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b));
    text.split_whitespace()
        .map(|word| match word {
            word if is_key(word) => "KEY",
            word if is_share(word) => "SHARE",
            word => word,
        })
        .collect()
}

#[test]
fn every_command_of_the_tour_prints_what_the_readme_says() {
    if !installed(&["age", "tar"]) {
        return;
    }
    let sandbox = Sandbox::new();
    let folder = Path::new(SOLEKEY).parent().expect("the program is in a folder").display();
    let shell = |command: &str| {
        // Nobody has the tour's backup machine: `ssh HOST` runs the command here.
        sandbox.bash(&format!("PATH={folder}:$PATH; ssh() {{ shift; \"$@\"; }}\nexec 2>&1\n{command}"))
    };
    let steps = steps(include_str!("../../README.md"));
    assert!(steps.len() > 12, "there is a tour");
    let mut key = KEY.to_owned();
    for Step { command, printed } in steps {
        // Set up the files that the tour takes for granted.
        if command.starts_with("tar c photos") {
            shell("mkdir photos && for number in 1 2 3; do echo sun >photos/$number.jpg; done && solekey keygen -y key.txt >friends.txt").is_silent_success();
        }
        if command.contains("new.pub") && !sandbox.path("new.pub").exists() {
            shell("solekey keygen -o new.txt >new.pub").is_silent_success();
        }
        if command.contains("other.txt") && !sandbox.path("other.txt").exists() {
            shell("solekey keygen -o other.txt >/dev/null").is_silent_success();
        }
        if command.starts_with("strace") && !installed(&["strace"]) {
            continue;
        }
        let outcome = shell(&command.replace(KEY, &key));
        let said = String::from_utf8(outcome.stdout).expect("the tour prints text");
        assert_eq!(constant(&said), constant(&printed), "$ {command}");
        if command == "solekey keygen -o key.txt" {
            key = said.trim_end().to_owned();
        }
    }
    assert_eq!(sandbox.text("photos/1.jpg"), "sun\n");
}

#[test]
fn the_tests_that_the_documents_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for document in ["README.md", "SECURITY.md", "CONTRIBUTING.md", "tests/torture/README.md"] {
        let text = fs::read_to_string(root.join(document)).expect("the document can be read");
        for named in text.split("--test ").skip(1) {
            // `--test cli MODULE`, up to the end of the command.
            let command = named.split('`').next().expect("a split gives a first part");
            let mut words = command.split_whitespace();
            let program = words.next().expect("a test program is named");
            let module = words.next().filter(|module| *module != "NAME");
            let module = root.join("tests").join(program).join(module.unwrap_or("main"));
            let exists = module.with_extension("rs").is_file() || module.join("mod.rs").is_file();
            assert!(exists, "{document} names the test {command:?}");
            count += 1;
        }
    }
    assert!(count >= 5, "there are {count} commands");
}
