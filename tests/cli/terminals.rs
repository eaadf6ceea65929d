//! The terminal is left as it was found: suspended and interrupted prompts, typed and pasted input, and passphrases with
//! control characters. `expect` provides the terminal.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::{
    prompts::on_terminal,
    requirements::installed,
    sandbox::{SEGMENT, Sandbox, data, finish, finish_within},
    texts::SAVE_AS_UTF_8,
};

const QUESTION: &str = "Enter passphrase for 'x.age': ";
const NEW: &str = "Enter passphrase (leave empty to generate one): ";

const AGAIN: &str = "Confirm passphrase: ";

/// Prints `echo` or `-echo`.
const ECHO: &str = "stty -a | tr \" ;\" \"\\n\\n\" | grep -x -e -echo -e echo";

/// Runs an interactive bash on a terminal with this `expect` script, in which `$` of Tcl need no escape.
fn in_bash(sandbox: &Sandbox, script: &str) -> String {
    let script = format!(
        "set timeout 60\nspawn -noecho bash --norc --noprofile -i\n\
         proc see {{text}} {{ expect -ex $text {{}} timeout {{ exit 99 }} eof {{ exit 98 }} }}\n\
         send \"PS1='ready'; PS2=\\r\"\nsee \"PS2=\"\nsee \"ready\"\n{script}\nsend \"exit\\r\"\nexpect eof {{}}\nexit 0\n"
    );
    sandbox.write(".script", script);
    let mut command = sandbox.detached("expect");
    let outcome = finish(command.arg(".script").env("TERM", "dumb").spawn().expect("expect starts"));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    String::from_utf8_lossy(&outcome.stdout).replace("\r\n", "\n")
}

#[test]
fn a_suspended_prompt_shows_what_is_typed_and_hides_it_when_it_is_continued() {
    if !installed(&["expect", "bash", "stty"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write_protected("x.age", "plain text\n", "right");
    let shown = in_bash(
        &sandbox,
        &format!(
            "send \"\\\"\\$SOLEKEY\\\" decrypt -c x.age\\r\"\nsee \"{QUESTION}\"\nafter 300\nsend \"\\032\"\n\
             see \"Stopped\"\nsee \"ready\"\nsend {{{ECHO}}}\nsend \"\\r\"\nsee \"\\necho\"\nsee \"ready\"\n\
             send \"fg\\r\"\nsee \"{QUESTION}\"\nafter 300\nsend \"right\\r\"\nsee \"plain text\"\nsee \"ready\"\n\
             send {{{ECHO}}}\nsend \"\\r\"\nsee \"\\necho\"\nsee \"ready\""
        ),
    );
    assert!(!shown.contains("right"), "{shown}");
}

#[test]
fn signals_at_a_prompt_restore_the_terminal() {
    if !installed(&["expect", "stty", "timeout"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write_protected("x.age", "x", "right");
    for signal in ["INT", "TERM", "HUP", "QUIT"] {
        let command = format!("timeout --foreground -s {signal} 1 \"$SOLEKEY\" decrypt -c x.age; {ECHO}");
        let outcome = on_terminal(&sandbox, &command, &[]);
        let shown = String::from_utf8_lossy(&outcome.stdout).into_owned();
        assert!(shown.contains(QUESTION) && shown.ends_with("echo\n") && !shown.ends_with("-echo\n"), "{shown:?}");
    }
    // The terminal itself sends this one.
    let command = format!("trap : QUIT; \"$SOLEKEY\" decrypt -c x.age; {ECHO}");
    let shown = String::from_utf8(on_terminal(&sandbox, &command, &[(QUESTION, "\\034")]).stdout);
    let is_restored = |shown: &String| shown.ends_with("echo\n") && !shown.ends_with("-echo\n");
    assert!(shown.as_ref().is_ok_and(is_restored), "{shown:?}");
}

#[test]
fn nothing_typed_while_a_key_is_derived_is_shown_or_left_for_the_shell() {
    if !installed(&["expect", "timeout"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("x", "x\n");
    sandbox.write("pass", "right\n");
    // With the work factor of new files, it takes a second.
    sandbox.run(["encrypt", "-p", "--passphrase-file", "pass", "x"]).is_silent_success();
    let outcome = on_terminal(
        &sandbox,
        "\"$SOLEKEY\" decrypt -c x.age; echo \"left: $(timeout --foreground 1 head -n 1)\"",
        &[(QUESTION, "right\\r\"; after 100; send \"once more\\r")],
    );
    outcome.is(0, &format!("{QUESTION}\nx\nleft: \n"), "");
}

/// Programs that drive age write the answers at once, and the data on the same terminal.
#[test]
fn in_the_place_of_age_answers_and_data_may_be_typed_ahead() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    let age = |arguments: &str, typed: &str| {
        let command = format!("printf ready; sleep 0.4; exec \"$SOLEKEY\" age {arguments} 2>said");
        let outcome = on_terminal(&sandbox, &command, &[("ready", typed)]);
        assert_eq!((outcome.status, sandbox.text("said").as_str()), (0, ""), "{outcome:?}");
    };
    age("-p -a -o x.age", "right\\rright\\rplain text\\r\\004");
    age("-d -o x x.age", "right\\r");
    assert_eq!(sandbox.text("x"), "plain text\n");

    // `send` takes a text that begins with a dash for a flag.
    let pasted = format!("\n{}right\n", sandbox.text("x.age")).replace('\n', "\\r");
    age("-d -o y", &pasted);
    assert_eq!(sandbox.text("y"), "plain text\n");

    sandbox.write_protected("key.age", sandbox.run(["keygen"]).gave(), "right");
    age("-e -i key.age -o z.age x", "right\\r");
    age("-d -i key.age -o z z.age", "right\\r");
    assert_eq!(sandbox.text("z"), "plain text\n");
}

#[test]
fn nothing_typed_while_keys_are_derived_for_further_files_is_shown() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse battery\n");
    sandbox.write("first", "x\n");
    let start = Instant::now();
    sandbox.run(["encrypt", "-p", "--passphrase-file", "pass", "first"]).is_silent_success();
    let key = start.elapsed().as_millis();
    let names = ["w", "x", "y", "z"];
    for name in names {
        sandbox.write(name, "x\n");
    }

    // Typed while the first key is derived, and the second or third. On one thread, so that they come one after the other.
    let right = "correct horse battery\\r";
    let (first, later) = (key / 3, key);
    let typed = format!("{right}\"; after {first}; send \"ONE\"; after {later}; send \"TWO\"; send \"TWO\\r");
    let sealed = on_terminal(
        &sandbox,
        "exec \"$SOLEKEY\" encrypt -q -T1 --progress never -p w x y z",
        &[(NEW, right), (AGAIN, &typed)],
    );
    sealed.is(0, &format!("{NEW}\n{AGAIN}\n"), "");
    let command = format!("\"$SOLEKEY\" verify -T1 --progress never w.age x.age y.age z.age 2>said; {ECHO}");
    let question = "Enter passphrase for 'w.age': ";
    let opened = on_terminal(&sandbox, &command, &[(question, &typed)]);
    let verified: String = names.iter().map(|name| format!("{name}.age: OK\n")).collect();
    assert_eq!(String::from_utf8_lossy(&opened.stdout), format!("{question}\n{verified}echo\n"));
}

#[test]
fn every_character_counts_when_opening_and_control_characters_are_refused_when_sealing() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("x", "x");
    for (passphrase, typed) in
        [("my\tpass", "my\\tpass"), ("a\u{1b}b", "a\\033b"), (" blank ", " blank "), ("é\u{7}", "é\\007")]
    {
        sandbox.write_protected("x.age", "x\n", passphrase);
        let command = "exec \"$SOLEKEY\" decrypt -c x.age";
        on_terminal(&sandbox, command, &[(QUESTION, &format!("{typed}\\r"))]).is(0, &format!("{QUESTION}\nx\n"), "");
    }
    fs::remove_file(sandbox.path("x.age")).expect("it exists");
    let said = "solekey: error: the new passphrase has a control character, such as a tab or an arrow key\n\
                solekey: hint: nothing was done; use letters, digits, punctuation and spaces\n";
    for typed in ["my\\tpass\\r", "\\033\\133A\\r"] {
        on_terminal(&sandbox, "exec \"$SOLEKEY\" encrypt -p x", &[(NEW, typed)]).is(1, &format!("{NEW}\n{said}"), "");
    }
    sandbox.write("pass", "my\tpass\n");
    sandbox.run(["encrypt", "-p", "--passphrase-file", "pass", "x"]).fails(1, said);
    assert_eq!(sandbox.names(), ["pass", "x"]);
}

#[test]
fn a_passphrase_file_with_a_byte_order_mark_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write_protected("x.age", "x", "right");
    for mark in [&b"\xef\xbb\xbfright\n"[..], b"\xff\xfer\0i\0g\0h\0t\0\n\0"] {
        sandbox.write("pass", mark);
        let error = "solekey: error: cannot decrypt 'x.age': the passphrase in 'pass' begins with a byte order mark\n";
        sandbox
            .run(["decrypt", "--passphrase-file", "pass", "-c", "x.age"])
            .fails(1, &format!("{error}{SAVE_AS_UTF_8}"));
    }
}

#[test]
fn a_descriptor_is_read_from_where_it_stands_whatever_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write_protected("x.age", "x", "right");
    sandbox.write("pass", "first\nright\n");
    let decrypt = "\"$SOLEKEY\" decrypt -c --passphrase-fd";
    sandbox.bash(&format!("exec 3<pass; read line <&3; {decrypt} 3 x.age")).is(0, "x", "");
    sandbox.bash(&format!("{decrypt} 0 x.age < <(echo right)")).is(0, "x", "");
    sandbox.bash(&format!("{decrypt} 1 x.age | cat; exit ${{PIPESTATUS[0]}}")).fails(
        1,
        "solekey: error: cannot decrypt 'x.age': cannot read a passphrase from descriptor 1: Bad file descriptor\n",
    );
    // A socket, as Node gives its children, that does not block.
    let (mut ours, theirs) = UnixStream::pair().expect("sockets can be made");
    ours.set_nonblocking(true).expect("it is open");
    theirs.set_nonblocking(true).expect("it is open");
    let mut command = sandbox.command(["decrypt", "-c", "--passphrase-fd", "0", "x.age"]);
    let child = command.stdin(std::os::fd::OwnedFd::from(theirs)).spawn().expect("the program starts");
    thread::sleep(Duration::from_millis(200));
    ours.write_all(b"right\n").expect("the program reads it");
    finish(child).is(0, "x", "");
}

#[test]
fn streams_that_do_not_block_are_waited_for() {
    let (sandbox, recipient) = Sandbox::with_key();
    let (mut to_stdin, stdin) = UnixStream::pair().expect("sockets can be made");
    let (mut from_stdout, stdout) = UnixStream::pair().expect("sockets can be made");
    for stream in [&stdin, &stdout] {
        stream.set_nonblocking(true).expect("it is open");
    }
    let mut command = sandbox.command(["encrypt", "-r", &recipient]);
    command.stdin(std::os::fd::OwnedFd::from(stdin)).stdout(std::os::fd::OwnedFd::from(stdout)).stderr(Stdio::piped());
    let child = command.spawn().expect("the program starts");
    drop(command);
    let length = 5 << 20;
    let sender = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        to_stdin.write_all(&vec![7; length]).expect("the program reads it");
    });
    thread::sleep(Duration::from_millis(400));
    let mut sealed = Vec::new();
    from_stdout.read_to_end(&mut sealed).expect("the program ends");
    sender.join().expect("the sender does not panic");
    finish(child).is_silent_success();
    let opened = sandbox.run_with(["decrypt", "-i", "key.txt"], &sealed);
    assert!(opened.gave() == vec![7; length]);
}

#[test]
fn a_pasted_armored_file_ends_at_its_last_line() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write_protected("x.age", "plain text\n", "right");
    let mut armored = b"-----BEGIN AGE ENCRYPTED FILE-----\n".to_vec();
    let body = sandbox.shell("base64 -w 64 x.age").stdout;
    armored.extend(body);
    armored.extend(b"-----END AGE ENCRYPTED FILE-----\n");
    let pasted = String::from_utf8(armored).expect("it is text").replace('\n', "\\r");
    let reading = "solekey: reading from standard input; press Ctrl-D to end\n";
    let question = "Enter passphrase for standard input: ";
    let dialog = [(reading.trim_end(), pasted.as_str()), (question, "right\\r")];
    let outcome = on_terminal(&sandbox, "exec \"$SOLEKEY\" decrypt", &dialog);
    let shown = String::from_utf8(outcome.stdout).expect("it is text");
    assert!(shown.ends_with(&format!("-----END AGE ENCRYPTED FILE-----\n{question}\nplain text\n")), "{shown}");
    assert_eq!((outcome.status, shown.matches("right").count()), (0, 0), "{shown}");
    let outcome = on_terminal(&sandbox, "exec \"$SOLEKEY\" inspect", &[(reading.trim_end(), &pasted)]);
    let shown = String::from_utf8(outcome.stdout).expect("it is text");
    assert!(outcome.status == 0 && shown.contains("armor         yes"), "{shown}");
}

#[test]
fn armor_goes_to_a_terminal_when_the_input_that_is_typed_there_has_ended() {
    if !installed(&["expect"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    let command = format!("exec \"$SOLEKEY\" encrypt -a -r {recipient}");
    let outcome =
        on_terminal(&sandbox, &command, &[("press Ctrl-D to end", "one\\rtwo\\r\"; after 500; send \"\\004")]);
    let shown = String::from_utf8(outcome.stdout).expect("it is text");
    let start =
        "solekey: reading from standard input; press Ctrl-D to end\none\ntwo\n-----BEGIN AGE ENCRYPTED FILE-----\n";
    assert!(outcome.status == 0 && shown.starts_with(start), "{shown}");
    sandbox.run_with(["decrypt", "-i", "key.txt"], &shown.as_bytes()[start.len() - 35..]).is(0, "one\ntwo\n", "");
}

#[test]
fn messages_of_programs_that_run_at_once_do_not_mix() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.shell("seq 200 | xargs -P 8 -I N \"$SOLEKEY\" inspect missing-N 2>&1 | cat");
    let printed = String::from_utf8(outcome.stdout).expect("it is text");
    assert_eq!(printed.lines().count(), 200);
    for line in printed.lines() {
        assert!(line.starts_with("solekey: error: ") && line.ends_with("No such file or directory"), "{line}");
    }
}

#[test]
fn an_error_does_not_wait_for_a_pipe_that_stays_silent() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", data(3 * SEGMENT));
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    let mut damaged = sandbox.read("x.age");
    damaged[SEGMENT / 2] ^= 1;
    let mut command = sandbox.command(["decrypt", "-T", "2", "-i", "key.txt", "-o", "y"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("it is a pipe");
    // It may fail before it has read everything.
    let _ = pipe.write_all(&damaged[..5 * SEGMENT / 2]);
    let outcome = finish_within(Duration::from_secs(20), child);
    drop(pipe);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(outcome.stderr.contains("chunk 8 failed authentication"), "{outcome:?}");

    // A full disk on the other side.
    let mut command = sandbox.command(["encrypt", "-T", "2", "-r", &recipient, "-o", "/dev/full"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("it is a pipe");
    // It may fail before it has read everything.
    let _ = pipe.write_all(&data(2 * SEGMENT + 5));
    let outcome = finish_within(Duration::from_secs(20), child);
    drop(pipe);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    assert!(outcome.stderr.contains("No space left on device"), "{outcome:?}");

    // A pipe that nobody empties. One thread reads no further than the segment that it writes.
    let stalled = [("1", 24), ("2", 40)].map(|(threads, chunk)| {
        let (mut damaged, name) = (sandbox.read("x.age"), format!("{chunk}.age"));
        damaged[(chunk - 1) * SEGMENT / 16 + 2000] ^= 1;
        sandbox.write(&name, damaged);
        let mut child = sandbox.command(["decrypt", "-T", threads, "-i", "key.txt", "-c", &name]);
        let mut child = child.stdout(Stdio::piped()).spawn().expect("the program starts");
        (child.stdout.take(), child, chunk)
    });
    for (pipe, child, chunk) in stalled {
        let outcome = finish_within(Duration::from_secs(20), child);
        drop(pipe);
        assert_eq!(outcome.status, 4, "{outcome:?}");
        assert!(outcome.stderr.contains(&format!("chunk {chunk} failed authentication")), "{outcome:?}");
    }
}
