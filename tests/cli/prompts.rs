//! Behavior on a terminal: prompts, refusals and the progress bar. `expect` provides the terminal.

use std::{fs, io::Write, process::Stdio, thread, time::Duration};

use crate::{
    requirements::installed,
    sandbox::{Outcome, SOLEKEY, Sandbox, data, finish},
};

/// Runs a shell command on a terminal. Types each answer after its prompt has appeared.
pub(crate) fn on_terminal(sandbox: &Sandbox, command: &str, dialog: &[(&str, &str)]) -> Outcome {
    let mut script = format!("set timeout 100\nspawn -noecho sh -c {{{command}}}\n");
    for (question, answer) in dialog {
        // An answer typed too early would be discarded when the prompt turns echo off.
        script += &format!("expect -ex {{{question}}} {{ after 200; send -- \"{answer}\" }} timeout {{ exit 99 }}\n");
    }
    script += "expect eof {} timeout { exit 99 }\ncatch wait result\nexit [lindex $result 3]\n";
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    fs::write(file.path(), script).expect("a temporary file is writable");
    let mut command = sandbox.detached("expect");
    command.arg(file.path()).env("TERM", "xterm");
    let mut outcome = finish(command.spawn().expect("expect starts"));
    let shown = String::from_utf8_lossy(&outcome.stdout).replace("\r\n", "\n");
    outcome.stdout = shown.into_bytes();
    outcome
}

const NEW: &str = "Enter passphrase (leave empty to generate one): ";
const AGAIN: &str = "Confirm passphrase: ";

#[test]
fn a_new_passphrase_is_typed_twice_and_never_shown() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("x", "x");
    sandbox.write("pass", "correct horse\n");
    let dialog = [(NEW, "correct horse\\r"), (AGAIN, "correct horse\\r")];
    let outcome = on_terminal(&sandbox, "exec \"$SOLEKEY\" encrypt -p x", &dialog);
    outcome.is(0, &format!("{NEW}\n{AGAIN}\n"), "");
    sandbox.run(["decrypt", "--passphrase-file", "pass", "-c", "x.age"]).is(0, "x", "");

    sandbox.write_protected("x.age", "x", "correct horse");
    let question = "Enter passphrase for 'x.age': ";
    let outcome = on_terminal(&sandbox, "exec \"$SOLEKEY\" decrypt x.age -o y", &[(question, "correct horse\\r")]);
    outcome.is(0, &format!("{question}\n"), "");
    assert_eq!(sandbox.text("y"), "x");
    // There are three attempts, but only one as `age`, since programs that drive age expect a single prompt.
    let decrypt = "exec \"$SOLEKEY\" decrypt x.age -o z";
    let (again, said) = ("That is not the passphrase.", "solekey: error: cannot decrypt 'x.age': incorrect passphrase");
    let outcome = on_terminal(&sandbox, decrypt, &[(question, "wrong\\r"); 3]);
    outcome.is(3, &format!("{question}\n{again}\n{question}\n{again}\n{question}\n{said}\n"), "");
    assert_eq!(sandbox.names(), ["pass", "x", "x.age", "y"]);
    let outcome = on_terminal(&sandbox, decrypt, &[(question, "wrong\\r"), (question, "correct horse\\r")]);
    outcome.is(0, &format!("{question}\n{again}\n{question}\n"), "");
    let outcome = on_terminal(&sandbox, "exec \"$SOLEKEY\" age -d x.age", &[(question, "wrong\\r")]);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    let outcome = on_terminal(&sandbox, "exec \"$SOLEKEY\" decrypt x.age -o w", &[(question, "\\x04")]);
    assert!(outcome.status == 5 && String::from_utf8_lossy(&outcome.stdout).contains("none was typed"), "{outcome:?}");
}

#[test]
fn two_different_passphrases_are_refused() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("x", "x");
    let outcome =
        on_terminal(&sandbox, "exec \"$SOLEKEY\" encrypt -p x", &[(NEW, "correct horse\\r"), (AGAIN, "horse\\r")]);
    let said = "solekey: error: the two passphrases differ\nsolekey: hint: nothing was done; try again\n";
    outcome.is(1, &format!("{NEW}\n{AGAIN}\n{said}"), "");
    assert_eq!(sandbox.names(), ["x"]);
}

#[test]
fn an_empty_answer_generates_ten_words_that_open_the_file() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("x", "x");
    let outcome = on_terminal(&sandbox, "exec \"$SOLEKEY\" encrypt -p x 2>log >&2", &[(NEW, "\\r")]);
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let shown = String::from_utf8(outcome.stdout).expect("it is text");
    let words = shown.strip_prefix(&format!("{NEW}\nYour passphrase, which nobody can recover for you:\n"));
    let words = words.unwrap_or_else(|| panic!("{shown:?}"));
    assert_eq!(words.trim_end().split('-').count(), 10);
    assert_eq!(sandbox.text("log"), "", "it is shown on the terminal and nowhere else");
    sandbox.write("pass", words);
    sandbox.run(["decrypt", "--passphrase-file", "pass", "-c", "x.age"]).is(0, "x", "");
}

#[test]
fn a_passphrase_is_asked_for_on_the_terminal_while_pipes_carry_data() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write_protected("x.age", "x\n", "correct horse");
    let question = "Enter passphrase for standard input: ";
    let command = "cat x.age | \"$SOLEKEY\" decrypt 2>log | cat >out";
    on_terminal(&sandbox, command, &[(question, "correct horse\\r")]).is(0, &format!("{question}\n"), "");
    assert_eq!((sandbox.text("out"), sandbox.text("log")), ("x\n".to_owned(), String::new()));
}

#[test]
fn an_interrupted_prompt_turns_echo_back_on() {
    if !installed(&["expect", "stty"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("x", "x");
    let command = "trap : INT; \"$SOLEKEY\" encrypt -p x; echo status=$?; stty -a | tr \" ;\" \"\\n\\n\" | grep -x -e -echo -e echo";
    let outcome = on_terminal(&sandbox, command, &[(NEW, "\\003")]);
    let shown = String::from_utf8(outcome.stdout).expect("it is text");
    assert!(shown.ends_with("\necho\n"), "{shown:?}");
    assert!(shown.contains("status=130\n"), "{shown:?}");
    assert_eq!(sandbox.names(), ["x"]);

    // If interrupts are ignored, so they are at the prompt.
    let command = format!("trap '' INT; {}", command.trim_start_matches("trap : INT; "));
    let dialog = [(NEW, "\\003\"; after 200; send \"right\\r"), (AGAIN, "right\\r")];
    let shown = String::from_utf8(on_terminal(&sandbox, &command, &dialog).stdout).expect("it is text");
    assert!(shown.contains("status=0\n") && shown.ends_with("\necho\n"), "{shown:?}");
}

#[test]
fn binary_output_goes_to_a_terminal_only_on_request() {
    if !installed(&["expect"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    let encrypt = format!("exec \"$SOLEKEY\" encrypt -r {recipient}");
    on_terminal(&sandbox, &format!("{encrypt} -c x"), &[]).is(
        2,
        "solekey: error: refusing to write binary data to the terminal\n\
         solekey: hint: send it to a file with -o FILE, write text with -a, or insist with -o -\n",
        "",
    );
    for request in ["-o - x", "-a -c x", "-a <x"] {
        let outcome = on_terminal(&sandbox, &format!("{encrypt} {request}"), &[]);
        assert_eq!(outcome.status, 0);
        assert!(outcome.stdout.starts_with(b"age-encryption") || outcome.stdout.starts_with(b"-----BEGIN"));
    }
    sandbox.write("text", "plain text, \u{e9}\n");
    sandbox.write("binary", "\x1b[2J");
    for name in ["text", "binary"] {
        sandbox.run(["encrypt", "-r", &recipient, name]).is_silent_success();
    }
    on_terminal(&sandbox, "exec \"$SOLEKEY\" decrypt -i key.txt -c text.age", &[]).is(0, "plain text, \u{e9}\n", "");
    let outcome = on_terminal(&sandbox, "exec \"$SOLEKEY\" decrypt -i key.txt -c binary.age", &[]);
    assert_eq!(outcome.status, 1);
    assert!(!outcome.stdout.contains(&0x1b), "{outcome:?}");
    let outcome = on_terminal(&sandbox, "exec \"$SOLEKEY\" decrypt -i key.txt -o - binary.age", &[]);
    outcome.is(0, "\x1b[2J", "");
}

/// Encrypts a stream that takes more than a second, and returns what was written to standard error.
fn slow_encryption(sandbox: &Sandbox, recipient: &str, progress: &str) -> String {
    let mut child = sandbox
        .command(["encrypt", "--progress", progress, "-r", recipient, "-o", "out", "-f"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("it is a pipe");
    for _ in 0..8 {
        pipe.write_all(&data(300_000)).expect("the program reads it");
        thread::sleep(Duration::from_millis(200));
    }
    drop(pipe);
    let outcome = finish(child);
    assert_eq!((outcome.status, outcome.stdout.len()), (0, 0));
    outcome.stderr
}

#[test]
fn without_a_terminal_progress_is_shown_only_on_request() {
    let (sandbox, recipient) = Sandbox::with_key();
    assert_eq!(slow_encryption(&sandbox, &recipient, "auto"), "");
    assert_eq!(slow_encryption(&sandbox, &recipient, "never"), "");
    let shown = slow_encryption(&sandbox, &recipient, "always");
    assert!(shown.contains("standard input") && shown.contains("MiB"), "{shown:?}");
}

#[test]
fn a_long_run_on_a_terminal_shows_progress() {
    if !installed(&["expect"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    let command = format!(
        "for i in 1 2 3 4 5 6 7 8; do head -c 300000 /dev/zero; sleep 0.2; done | {SOLEKEY} encrypt -r {recipient} -o out"
    );
    let outcome = on_terminal(&sandbox, &command, &[]);
    let shown = String::from_utf8(outcome.stdout).expect("it is text");
    assert!(shown.contains("standard input") && shown.contains("MiB"), "{shown:?}");
    let quick = on_terminal(&sandbox, &format!("exec \"$SOLEKEY\" encrypt -r {recipient} key.txt"), &[]);
    quick.is_silent_success();
}

#[test]
fn progress_covers_all_files_of_a_run() {
    let (sandbox, recipient) = Sandbox::with_key();
    let holes = fs::File::create(sandbox.path("x")).and_then(|file| file.set_len(300 << 20));
    holes.expect("the file system supports holes");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    fs::hard_link(sandbox.path("x.age"), sandbox.path("y.age")).expect("the file system supports hard links");
    let outcome = sandbox.run(["verify", "-T1", "--progress", "always", "-i", "key.txt", "x.age", "y.age"]);
    assert_eq!(outcome.status, 0);
    let shown = outcome.stderr;
    assert!(shown.contains("/600.15 MiB") && shown.contains("1/2 'y.age'"), "{shown:?}");
}

#[test]
fn the_progress_bar_never_mixes_with_output_or_a_prompt() {
    if !installed(&["expect"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    let slow = "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done |";
    let outcome = on_terminal(&sandbox, &format!("{slow} {SOLEKEY} encrypt -a -r {recipient}"), &[]);
    let shown = String::from_utf8(outcome.stdout).expect("it is text");
    assert!(shown.starts_with("-----BEGIN") && !shown.contains("standard input"), "{shown:?}");

    // A bar is on the screen when the second prompt appears, and pauses until it is answered.
    for name in ["a", "b"] {
        sandbox.write_protected(&format!("{name}.age"), name, name);
    }
    let verify = "exec \"$SOLEKEY\" verify -T1 --progress always a.age b.age";
    let mut script = format!("set timeout 100\nspawn -noecho sh -c {{{verify}}}\n");
    script += "expect -ex {Enter passphrase for 'a.age': } {after 200; send \"a\\r\"}\n";
    script += "expect -ex {Enter passphrase for 'b.age': } {after 1500; send \"b\\r\"}\n";
    script += "expect eof {}\ncatch wait result\nexit [lindex $result 3]\n";
    sandbox.write("script", script);
    let outcome = finish(sandbox.detached("expect").arg("script").env("TERM", "xterm").spawn().expect("expect starts"));
    let shown = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let asked = shown.rsplit("Enter passphrase for ").next().expect("a split yields at least one part");
    let until_answered = asked.split("\r\n").next().expect("a split yields at least one part");
    assert_eq!((outcome.status, until_answered), (0, "'b.age': "), "{shown:?}");
}
