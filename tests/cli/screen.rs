//! The look of what is printed: sections of the help, examples, widths, and colours on a terminal.

use crate::{
    requirements::installed,
    sandbox::{Sandbox, finish},
};

const COMMANDS: &[&str] =
    &["encrypt", "decrypt", "keygen", "inspect", "verify", "rekey", "salvage", "paper", "completions"];

/// The help of each command, and of the program.
fn helps(sandbox: &Sandbox, flag: &str) -> Vec<(String, String)> {
    let help = |words: &[&str]| {
        let outcome = sandbox.run(words);
        String::from_utf8(outcome.gave().to_vec()).expect("help is text")
    };
    let of_commands = COMMANDS.iter().map(|command| ((*command).to_owned(), help(&[command, flag])));
    of_commands.chain([("solekey".to_owned(), help(&[flag]))]).collect()
}

#[test]
fn the_sections_of_the_help_are_in_the_order_of_need() {
    let sandbox = Sandbox::new();
    let order = ["Arguments", "Key", "Recipients", "Identities", "Output", "Input", "Passphrases", "Plugins"];
    let last = ["Other options", "Examples"];
    for (command, help) in helps(&sandbox, "-h").into_iter().filter(|(command, _)| command != "solekey") {
        let headings: Vec<_> =
            help.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.strip_suffix(':')).collect();
        let expected: Vec<_> =
            order.iter().chain(&last).copied().filter(|heading| headings.contains(heading)).collect();
        assert_eq!(headings, expected, "{command}");
        assert!(headings.ends_with(&last), "{command}: {headings:?}");
        let before_examples: Vec<_> = help.split("\n\nExamples:").next().into_iter().flat_map(str::lines).collect();
        assert!(before_examples.last().is_some_and(|line| line.starts_with("  -h, --help ")), "{command}: {help}");
        assert!(!help.contains("[default: 0]"), "{command}");
    }
}

#[test]
fn every_example_in_the_help_fits_and_is_a_valid_command_line() {
    let sandbox = Sandbox::new();
    let mut count = 0;
    for (command, help) in helps(&sandbox, "--help") {
        let (_, examples) = help.split_once("\nExamples:\n").expect("every command has examples");
        let examples: Vec<_> = examples.lines().take_while(|line| !line.is_empty()).collect();
        assert!(examples.iter().all(|line| line.len() <= 80), "{command}: {examples:?}");
        let lines: Vec<_> = examples.iter().filter_map(|line| line.strip_prefix("    ")).collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("solekey ")), "{command}: {lines:?}");
        for line in lines {
            let (_, words) = line.split_once("solekey ").expect("the line calls the program");
            let words = words.split(['|', '<', '>', ')']).next().unwrap_or_default();
            let parsed =
                solekey::cli::command().try_get_matches_from(["solekey"].into_iter().chain(words.split_whitespace()));
            assert!(parsed.is_ok(), "{line}: {:?}", parsed.err());
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
}

#[test]
fn no_line_of_the_help_is_wider_than_a_terminal_of_80_columns() {
    let sandbox = Sandbox::new();
    for words in COMMANDS.iter().map(|command| vec![*command]).chain([vec![]]) {
        for flag in ["-h", "--help"] {
            let mut command = sandbox.command(words.iter().chain([&flag]));
            command.env("COLUMNS", "80");
            let outcome = finish(command.spawn().expect("the program starts"));
            let help = String::from_utf8(outcome.gave().to_vec()).expect("help is text");
            let wide: Vec<_> = help.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{words:?}: {wide:?}");
        }
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    if !installed(&["script"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "hello");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    sandbox.write("cut.age", &sandbox.read("x.age")[..150]);
    let shown = |variables: &str, words: &str| {
        let command = format!("script -qec 'env {variables} \"$SOLEKEY\" {words}' /dev/null < /dev/null");
        let outcome = sandbox.shell(&command);
        String::from_utf8_lossy(&outcome.stdout).replace("\r\n", "\n")
    };
    let words = "verify -i key.txt x.age cut.age";
    let colored = "x.age: \u{1b}[32mOK\u{1b}[0m\ncut.age: \u{1b}[1m\u{1b}[31mFAILED\u{1b}[0m ";
    let plain = "x.age: OK\ncut.age: FAILED ";
    for (variables, begins) in [
        ("TERM=xterm", colored),
        ("TERM=dumb", plain),
        ("TERM=xterm NO_COLOR=1", plain),
        ("TERM=xterm CLICOLOR=0", plain),
        ("TERM=dumb CLICOLOR_FORCE=1", colored),
    ] {
        let shown = shown(variables, words);
        assert!(shown.starts_with(begins), "{variables}: {shown:?}");
        let hint = if begins == colored { "solekey: \u{1b}[1m\u{1b}[36mhint:\u{1b}[0m " } else { "solekey: hint: " };
        assert!(shown.contains(hint), "{variables}: {shown:?}");
    }
    for (words, contains) in [
        ("decrypt", "solekey: \u{1b}[1m\u{1b}[31merror:\u{1b}[0m "),
        (&format!("encrypt -r {recipient} -r {recipient} -f x"), "solekey: \u{1b}[1m\u{1b}[33mwarning:\u{1b}[0m "),
        ("encrypt --frobnicate", "solekey: \u{1b}[1m\u{1b}[31merror:\u{1b}[0m "),
        ("encrypt -h", "\u{1b}[1m\u{1b}[32mExamples:\u{1b}[0m"),
        ("", "\u{1b}[1m\u{1b}[32mExit status:\u{1b}[0m"),
    ] {
        let shown = shown("TERM=xterm", words);
        assert!(shown.contains(contains), "{words}: {shown:?}");
    }
    // In the place of another tool, the messages are that tool's.
    let shown = shown("TERM=xterm", "age -d -i key.txt cut.age");
    assert!(shown.contains("age: error: ") && !shown.contains('\u{1b}'), "{shown:?}");
    // To a pipe there are none.
    assert!(!sandbox.run(["verify", "-i", "key.txt", "x.age", "cut.age"]).stdout.contains(&0x1b));
}
