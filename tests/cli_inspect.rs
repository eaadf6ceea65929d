//! What `inspect` says of a file, to people and to programs.

mod sandbox;

use sandbox::{CHUNK, LENGTHS, Sandbox, data, installed};
use serde_json::{Value, json};

/// The arguments of a sealed file's only stanza.
fn share(sealed: &[u8]) -> String {
    let header = String::from_utf8_lossy(sealed);
    let line = header.lines().nth(1).expect("it has a second line");
    line.strip_prefix("-> X25519 ").expect("it is an X25519 stanza").to_owned()
}

fn parse(output: &[u8]) -> Value {
    serde_json::from_slice(output).expect("it is JSON")
}

#[test]
fn people_are_told_who_can_open_a_file_and_how_long_its_parts_are() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], &data(CHUNK + 1));
    sandbox.write("x.age", sealed.gave());
    let share = share(sealed.gave());
    let facts = format!(
        ": age-encryption.org/v1
  armor         no
  post-quantum  no
  stanzas       1, one for each recipient
    1           X25519 {share}
  header                    168 bytes
  armor                       0 bytes
  overhead                   48 bytes
  payload                 65537 bytes
  total                   65753 bytes
"
    );
    sandbox.run(["inspect", "x.age"]).is(0, &format!("'x.age'{facts}"), "");
    sandbox.run_with(["inspect"], sealed.gave()).is(0, &format!("standard input{facts}"), "");
    sandbox.shell("\"$SOLEKEY\" inspect - <x.age").is(0, &format!("standard input{facts}"), "");
    let twice = sandbox.run(["inspect", "x.age", "./x.age"]);
    twice.is(0, &format!("'x.age'{facts}'./x.age'{facts}"), "");
}

#[test]
fn programs_are_told_the_same_in_json() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], b"hello\n");
    sandbox.write("x.age", sealed.gave());
    let mut expected = json!({
        "file": "x.age",
        "version": "age-encryption.org/v1",
        "armor": false,
        "postquantum": "no",
        "stanza_types": ["X25519"],
        "stanzas": [{"type": "X25519", "arguments": [share(sealed.gave())]}],
        "sizes": {"header": 168, "armor": 0, "overhead": 32, "payload": 6},
    });
    let outcome = sandbox.run(["inspect", "--json", "x.age"]);
    assert_eq!(parse(outcome.gave()), expected);
    let two = sandbox.run(["inspect", "--json", "x.age", "x.age"]);
    let lines: Vec<_> = two.gave().split_inclusive(|byte| *byte == b'\n').map(parse).collect();
    assert_eq!(lines, [expected.clone(), expected.clone()]);
    expected.as_object_mut().expect("it is an object").remove("file");
    let outcome = sandbox.run_with(["inspect", "--json"], sealed.gave());
    assert_eq!(parse(outcome.gave()), expected);
}

#[test]
fn the_sizes_sum_to_the_file_for_every_length() {
    let (sandbox, recipient) = Sandbox::with_key();
    for length in LENGTHS {
        for armor in [false, true] {
            let arguments = ["encrypt", "-r", &recipient, "-a"];
            let arguments = if armor { &arguments[..] } else { &arguments[..3] };
            let sealed = sandbox.run_with(arguments, &data(length));
            sandbox.write("x.age", sealed.gave());
            let from_file = parse(sandbox.run(["inspect", "--json", "x.age"]).gave());
            let from_pipe = parse(sandbox.run_with(["inspect", "--json"], sealed.gave()).gave());
            assert_eq!(from_file["sizes"], from_pipe["sizes"]);
            assert_eq!(from_file["armor"], armor);
            let sizes = from_file["sizes"].as_object().expect("it is an object");
            let sum: u64 = sizes.values().map(|size| size.as_u64().expect("it is a number")).sum();
            assert_eq!(sum, sealed.gave().len() as u64, "{length}");
            assert_eq!(sizes["payload"], length);
            assert_eq!(sizes["armor"] == 0, !armor);
        }
    }
}

#[test]
fn a_cut_file_is_described_and_fails() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], &data(2 * CHUNK));
    let hint = "solekey: hint: fetch the file again, or compare its size with the original's\n";
    for (length, said) in [
        (168, "the file is truncated: it ends before its first chunk"),
        (190, "the file is truncated: it ends before its first chunk"),
        (184 + CHUNK + 20, "the file is truncated: it ends after chunk 1, which is not its final one"),
    ] {
        sandbox.write("x.age", &sealed.gave()[..length]);
        let outcome = sandbox.run(["inspect", "--json", "x.age"]);
        assert_eq!(
            (outcome.status, &outcome.stderr),
            (4, &format!("solekey: error: cannot inspect 'x.age': {said}\n{hint}"))
        );
        let facts = parse(&outcome.stdout);
        assert_eq!(facts["stanza_types"], json!(["X25519"]));
        assert_eq!(facts["sizes"], Value::Null);
    }
    for length in [0, 1, 100, 167] {
        sandbox.write("x.age", &sealed.gave()[..length]);
        let outcome = sandbox.run(["inspect", "x.age"]);
        assert_eq!((outcome.status, outcome.stdout.len()), (4, 0), "{length}");
    }
}

#[test]
fn one_bad_file_does_not_silence_the_others() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    let outcome = sandbox.run(["inspect", "x", "x.age", "missing"]);
    assert_eq!(outcome.status, 6);
    assert_eq!(
        outcome.stderr,
        "solekey: error: cannot inspect 'x': not an age file\n\
         solekey: error: cannot inspect 'missing': cannot open 'missing': No such file or directory (os error 2)\n"
    );
    assert!(outcome.stdout.starts_with(b"'x.age': age-encryption.org/v1\n"));
}

#[test]
fn nothing_in_a_header_reaches_the_terminal_unescaped() {
    let sandbox = Sandbox::new();
    let mac = "A".repeat(43);
    let file = |stanza: &str| format!("age-encryption.org/v1\n-> {stanza}\n\n--- {mac}\n{}", "x".repeat(32));
    for stanza in ["bell \x07", "escape \x1b[2J", "two  spaces", "caf\u{e9}", "tab\t", "trailing "] {
        sandbox.write("x.age", file(stanza));
        for json in [&["inspect", "x.age"][..], &["inspect", "--json", "x.age"]] {
            let outcome = sandbox.run(json);
            assert_eq!((outcome.status, outcome.stdout.len()), (4, 0), "{stanza:?}");
            assert!(outcome.stderr.starts_with("solekey: error: cannot inspect 'x.age': malformed header, line 2: "));
            assert!(!outcome.stderr.contains('\x1b'));
        }
    }
    sandbox.write("x.age", file("\"quoted\" \\back' {}"));
    let facts = parse(sandbox.run(["inspect", "--json", "x.age"]).gave());
    assert_eq!(facts["stanzas"], json!([{"type": "\"quoted\"", "arguments": ["\\back'", "{}"]}]));
    assert_eq!(facts["postquantum"], "unknown");
    let name = sandbox::os(b"\x1b[2J\n\xff.age");
    sandbox.write(&name, file("x"));
    let outcome = sandbox.run(["inspect".as_ref(), name.as_os_str()]);
    assert!(outcome.gave().starts_with(br"'\u{1b}[2J\n\xff.age': age-encryption.org/v1"));
    let outcome = sandbox.run(["inspect".as_ref(), "--json".as_ref(), name.as_os_str()]);
    assert_eq!(parse(outcome.gave())["file"], "\u{1b}[2J\n\u{fffd}.age");
    assert!(!outcome.stdout.contains(&0x1b));
}

#[test]
fn a_passphrase_and_ssh_keys_are_shown_as_what_they_are() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\n");
    let sealed = sandbox.run_with(["encrypt", "-p", "--passphrase-file", "pass"], b"x");
    let facts = parse(sandbox.run_with(["inspect", "--json"], sealed.gave()).gave());
    assert_eq!(facts["stanza_types"], json!(["scrypt"]));
    assert_eq!(facts["stanzas"][0]["arguments"][1], "18");
    assert_eq!(facts["postquantum"], "yes");
    if !installed(&["ssh-keygen"]) {
        return;
    }
    sandbox.shell("ssh-keygen -q -t ed25519 -N '' -f ed").is_silent_success();
    let sealed = sandbox.run_with(["encrypt", "-R", "ed.pub", "-i", "ed"], b"x");
    assert_eq!(sealed.status, 0);
    assert!(sealed.stderr.starts_with("solekey: warning: ssh-ed25519 "));
    let facts = parse(sandbox.run_with(["inspect", "--json"], &sealed.stdout).gave());
    assert_eq!(facts["stanza_types"], json!(["ssh-ed25519"]));
    assert_eq!(facts["stanzas"].as_array().map(Vec::len), Some(1));
}

#[test]
fn armor_is_looked_through() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-a", "-r", &recipient], b"x");
    let text = String::from_utf8(sealed.gave().to_vec()).expect("armor is ASCII");
    let padded = format!("\r\n  {}  \n", text.replace('\n', "\r\n"));
    let facts = parse(sandbox.run_with(["inspect", "--json"], padded.as_bytes()).gave());
    let sizes = facts["sizes"].as_object().expect("it is an object");
    let sum: u64 = sizes.values().map(|size| size.as_u64().expect("it is a number")).sum();
    assert_eq!(sum, padded.len() as u64);
    let cut = &text[..text.len() - 20];
    let outcome = sandbox.run_with(["inspect"], cut.as_bytes());
    assert_eq!((outcome.status, outcome.stdout.len()), (4, 0));
    assert!(outcome.stderr.starts_with("solekey: error: cannot inspect standard input: malformed armor, line "));
}
