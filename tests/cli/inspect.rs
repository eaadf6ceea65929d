//! The report of `inspect` on a file, as text and as JSON.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    requirements::installed,
    sandbox::{CHUNK, LENGTHS, Outcome, Sandbox, data, finish, os},
    texts::{FETCH_AGAIN, GIVE_PASSPHRASE, NAME_MATCHING_IDENTITY, SALVAGE},
};

/// Returns the arguments of the only stanza in an encrypted file.
fn share(sealed: &[u8]) -> String {
    let header = String::from_utf8_lossy(sealed);
    let line = header.lines().nth(1).expect("the header has a second line");
    line.strip_prefix("-> X25519 ").expect("the stanza is X25519").to_owned()
}

fn parse(output: &[u8]) -> Value {
    serde_json::from_slice(output).expect("the output is JSON")
}

#[test]
fn the_text_report_lists_the_stanzas_and_sizes() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], &data(CHUNK + 1));
    sandbox.write("x.age", sealed.gave());
    let share = share(sealed.gave());
    let facts = format!(
        ": age-encryption.org/v1
  armor         no
  post-quantum  no
  stanzas       1
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
fn the_json_report_has_the_same_facts() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], b"hello\n");
    sandbox.write("x.age", sealed.gave());
    let mut expected = json!({
        "file": "x.age",
        "ok": true,
        "version": "age-encryption.org/v1",
        "armor": false,
        "postquantum": "no",
        "stanza_types": ["X25519"],
        "stanzas": [{"type": "X25519", "arguments": [share(sealed.gave())], "class": "known"}],
        "yours": null,
        "header_authenticated": false,
        "absent": [],
        "sizes": {"header": 168, "armor": 0, "overhead": 32, "payload": 6},
    });
    let outcome = sandbox.run(["inspect", "--json", "x.age"]);
    assert_eq!(parse(outcome.gave()), expected);
    let two = sandbox.run(["inspect", "--json", "x.age", "x.age"]);
    let lines: Vec<_> = two.gave().split_inclusive(|byte| *byte == b'\n').map(parse).collect();
    assert_eq!(lines, [expected.clone(), expected.clone()]);
    expected.as_object_mut().expect("it is a JSON object").remove("file");
    let outcome = sandbox.run_with(["inspect", "--json"], sealed.gave());
    assert_eq!(parse(outcome.gave()), expected);
}

#[test]
fn the_sizes_add_up_to_the_file_size_for_every_length() {
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
            let sizes = from_file["sizes"].as_object().expect("it is a JSON object");
            let sum: u64 = sizes.values().map(|size| size.as_u64().expect("sizes are numbers")).sum();
            assert_eq!(sum, sealed.gave().len() as u64, "{length}");
            assert_eq!(sizes["payload"], length);
            assert_eq!(sizes["armor"] == 0, !armor);
        }
    }
}

#[test]
fn a_truncated_file_is_described_and_fails() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], &data(2 * CHUNK));
    for (length, said) in [
        (168, "the file is truncated: it ends before its first chunk"),
        (190, "the file is truncated: it ends before its first chunk"),
        (184 + CHUNK + 20, "the file is truncated: it ends after chunk 1, which is not its final one"),
    ] {
        sandbox.write("x.age", &sealed.gave()[..length]);
        let outcome = sandbox.run(["inspect", "--json", "x.age"]);
        assert_eq!(
            (outcome.status, &outcome.stderr),
            (4, &format!("solekey: error: cannot inspect 'x.age': {said}\n{FETCH_AGAIN}"))
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
         solekey: error: cannot open 'missing': No such file or directory\n"
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
            assert_eq!(outcome.status, 4, "{stanza:?}");
            assert!(outcome.stdout.iter().all(|byte| (b' '..=b'~').contains(byte) || *byte == b'\n'), "{stanza:?}");
            assert!(outcome.stderr.starts_with("solekey: error: cannot inspect 'x.age': malformed header, line 2: "));
            assert!(!outcome.stderr.contains('\x1b'));
        }
    }
    sandbox.write("x.age", file("\"quoted\" \\back' {}"));
    let facts = parse(sandbox.run(["inspect", "--json", "x.age"]).gave());
    assert_eq!(facts["stanzas"], json!([{"type": "\"quoted\"", "arguments": ["\\back'", "{}"], "class": "unknown"}]));
    assert_eq!(facts["postquantum"], "unknown");
    let name = os(b"\x1b[2J\n\xff.age");
    sandbox.write(&name, file("x"));
    let outcome = sandbox.run(["inspect".as_ref(), name.as_os_str()]);
    assert!(outcome.gave().starts_with(br"'\u{1b}[2J\n\xff.age': age-encryption.org/v1"));
    let outcome = sandbox.run(["inspect".as_ref(), "--json".as_ref(), name.as_os_str()]);
    assert_eq!(parse(outcome.gave())["file"], "\u{1b}[2J\n\\xff.age");
    assert!(!outcome.stdout.contains(&0x1b));
}

#[test]
fn passphrase_and_ssh_stanzas_are_reported_by_type() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\n");
    let sealed = sandbox.run_with(["encrypt", "-p", "--passphrase-file", "pass"], b"x");
    let facts = parse(sandbox.run_with(["inspect", "--json"], sealed.gave()).gave());
    assert_eq!(facts["stanza_types"], json!(["scrypt"]));
    let shown = sandbox.run_with(["inspect"], sealed.gave());
    let note = "work factor 18: each guess at the passphrase takes 2^18 steps of scrypt\n";
    assert!(String::from_utf8_lossy(shown.gave()).contains(note), "{shown:?}");
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
fn armor_is_decoded_and_counted() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-a", "-r", &recipient], b"x");
    let text = String::from_utf8(sealed.gave().to_vec()).expect("armor is ASCII");
    let padded = format!("\r\n  {}  \n", text.replace('\n', "\r\n"));
    let facts = parse(sandbox.run_with(["inspect", "--json"], padded.as_bytes()).gave());
    let sizes = facts["sizes"].as_object().expect("it is a JSON object");
    let sum: u64 = sizes.values().map(|size| size.as_u64().expect("sizes are numbers")).sum();
    assert_eq!(sum, padded.len() as u64);
    let cut = &text[..text.len() - 20];
    let outcome = sandbox.run_with(["inspect"], cut.as_bytes());
    assert_eq!((outcome.status, outcome.stdout.len()), (4, 0));
    assert!(outcome.stderr.starts_with("solekey: error: cannot inspect standard input: malformed armor, line "));
}

/// The recipient for a hardware key that nobody has.
const TAG: &str = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";

/// Creates a folder with the identities `a` and `b`, and `x.age` encrypted to both in this order. Also returns their recipients.
fn for_two() -> (Sandbox, String, String) {
    let sandbox = Sandbox::new();
    let (a, b) = (sandbox.keygen("a"), sandbox.keygen("b"));
    sandbox.write("x", data(CHUNK + 1));
    sandbox.run(["encrypt", "-r", &a, "-r", &b, "x"]).is_silent_success();
    (sandbox, a, b)
}

/// Runs a command until it exits.
fn run(mut command: Command) -> Outcome {
    finish(command.spawn().expect("the program starts"))
}

/// Returns the lines from the one that begins with `first` up to the one before `end`. Indentation is ignored.
fn lines_between(text: &[u8], first: &str, end: &str) -> String {
    let text = String::from_utf8(text.to_vec()).expect("the output is UTF-8");
    let lines = text.split_inclusive('\n').skip_while(|line| !line.trim_start().starts_with(first));
    lines.take_while(|line| !line.trim_start().starts_with(end)).collect()
}

#[test]
fn the_stanza_for_a_named_identity_is_identified() {
    let (sandbox, a, b) = for_two();
    let before = parse(sandbox.run(["inspect", "--json", "x.age"]).gave());
    let argument =
        |index: usize| before["stanzas"][index]["arguments"][0].as_str().expect("the output is UTF-8").to_owned();
    assert_eq!(
        lines_between(sandbox.run(["inspect", "-i", "b", "x.age"]).gave(), "stanzas", "header  "),
        format!(
            "  stanzas       2
    1           X25519 {}
    2           X25519 {}
                  yours: {b}
  yours         stanza 2 of 2 is yours
  header MAC    authentic; the payload was not decrypted
",
            argument(0),
            argument(1)
        )
    );
    let facts = parse(sandbox.run(["inspect", "--json", "-i", "b", "x.age"]).gave());
    assert_eq!((&facts["yours"], &facts["header_authenticated"]), (&json!([2]), &json!(true)));
    assert_eq!((&facts["stanzas"][0]["recipient"], &facts["stanzas"][1]["recipient"]), (&Value::Null, &json!(b)));
    let facts = parse(sandbox.run(["inspect", "--json", "-i", "b", "-i", "a", "x.age"]).gave());
    assert_eq!((&facts["yours"], &facts["stanzas"][0]["recipient"]), (&json!([1, 2]), &json!(a)));
    let text = sandbox.run(["inspect", "-i", "b", "-i", "a", "x.age"]);
    assert_eq!(lines_between(text.gave(), "yours  ", "header MAC"), "  yours         stanzas 1 and 2 of 2 are yours\n");
    // Armored files from a pipe give the same result, and so do keys from a pipe.
    sandbox
        .shell("\"$SOLEKEY\" encrypt -a -i a -i b <x | \"$SOLEKEY\" inspect -i b | grep -c 'stanza 2 of 2 is yours'")
        .is(0, "1\n", "");
    sandbox.shell("\"$SOLEKEY\" inspect -i - x.age <b | grep -c 'stanza 2 of 2 is yours'").is(0, "1\n", "");
}

#[test]
fn the_header_is_authenticated_and_the_payload_is_ignored() {
    let (sandbox, ..) = for_two();
    let whole = sandbox.read("x.age");
    let mut damaged = whole.clone();
    damaged.iter_mut().rev().take(CHUNK).for_each(|byte| *byte ^= 1);
    sandbox.write("damaged.age", &damaged);
    let facts = parse(sandbox.run(["inspect", "--json", "-i", "a", "damaged.age"]).gave());
    assert_eq!((&facts["yours"], &facts["header_authenticated"]), (&json!([1]), &json!(true)));

    // One stanza more than the sender wrote.
    let at = whole.windows(4).position(|window| window == b"\n---").expect("the header ends");
    sandbox.write("more.age", [&whole[..at], b"\n-> somebody else\n", &whole[at..]].concat());
    let outcome = sandbox.run(["inspect", "--json", "-i", "a", "more.age"]);
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (
            4,
            &*format!(
                "solekey: error: cannot tell which stanza of 'more.age' is yours: the header failed authentication; it was \
                 corrupted or tampered with\n{SALVAGE}"
            )
        )
    );
    let facts = parse(&outcome.stdout);
    assert_eq!((&facts["yours"], &facts["header_authenticated"]), (&Value::Null, &json!(false)));
    assert_eq!(facts["stanzas"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_named_identity_that_matches_nothing_is_an_error_after_the_report() {
    let (sandbox, ..) = for_two();
    sandbox.keygen("c");
    let said = &*format!(
        "solekey: error: 'x.age': none of these identities can open it; it is for: X25519 (an age1... key)\n{NAME_MATCHING_IDENTITY}"
    );
    let outcome = sandbox.run(["inspect", "-i", "c", "x.age"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (3, said));
    assert_eq!(
        lines_between(&outcome.stdout, "yours", "header  "),
        "  yours         none of 2\n  header MAC    not checked; that takes an identity that opens a stanza\n"
    );
    let outcome = sandbox.run(["inspect", "--json", "-i", "c", "x.age"]);
    let facts = parse(&outcome.stdout);
    assert_eq!((outcome.status, &facts["yours"], &facts["header_authenticated"]), (3, &json!([]), &json!(false)));
    // There is no prompt, because a passphrase is not an identity.
    sandbox.write("pass", "correct horse\n");
    sandbox.write_protected("p.age", "x", "correct horse");
    let outcome = sandbox.run(["inspect", "--json", "-i", "a", "p.age"]);
    assert_eq!((outcome.status, &parse(&outcome.stdout)["yours"]), (3, &json!([])));
}

#[test]
fn default_identities_are_tried_without_a_prompt_and_need_not_match() {
    let (sandbox, ..) = for_two();
    sandbox.keygen("c");
    let with = |files: &str, arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command.env("SOLEKEY_IDENTITY", files);
        run(command)
    };
    let yours = |outcome: &Outcome| parse(outcome.gave())["yours"].clone();
    let json = ["inspect", "--json", "x.age"];
    assert_eq!(yours(&with("c:b", &json)), json!([2]));
    assert_eq!(yours(&with("c", &json)), json!([]));
    assert_eq!(yours(&with("c:b", &["inspect", "--json", "--no-default-identity", "x.age"])), Value::Null);
    assert_eq!(with("b", &["inspect", "-i", "c", "x.age"]).status, 3);
    let verbose = with("b", &["inspect", "-v", "x.age"]);
    assert_eq!(verbose.stderr, "solekey: using the default identity file 'b'\n");

    sandbox.write("pass", "correct horse\n");
    sandbox.write_protected("protected", sandbox.read("a"), "correct horse");
    assert_eq!(yours(&with("protected", &json)), Value::Null);
    assert_eq!(yours(&with("protected:b", &json)), json!([2]));
    let named = with("b", &["inspect", "--json", "-i", "protected", "--passphrase-file", "pass", "x.age"]);
    assert_eq!(yours(&named), json!([1]));

    let outcome = with("missing:x:b", &json);
    assert_eq!(parse(&outcome.stdout)["yours"], json!([2]));
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (
            0,
            "solekey: warning: a default identity file cannot be used: cannot read 'missing': No such file or directory\n\
             solekey: warning: a default identity file cannot be used: 'x', line 1: it is not text\n"
        )
    );
}

#[test]
fn an_unanswered_prompt_does_not_hide_the_report() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let (sandbox, a, _) = for_two();
    sandbox.shell("ssh-keygen -q -t ed25519 -N secret -f ed && echo secret >pass").is_silent_success();
    sandbox.run(["encrypt", "-r", &a, "-R", "ed.pub", "-o", "y.age", "x"]).is_silent_success();
    let outcome = sandbox.run(["inspect", "--json", "-i", "ed", "--batch", "y.age"]);
    assert_eq!((outcome.status, &parse(&outcome.stdout)["yours"]), (5, &Value::Null));
    assert_eq!(
        outcome.stderr,
        format!(
            "solekey: error: cannot tell which stanza of 'y.age' is yours: a passphrase is needed for 'ed', and --batch forbids \
             asking\n{GIVE_PASSPHRASE}"
        )
    );
    let opened = sandbox.run(["inspect", "--json", "-i", "ed", "--passphrase-file", "pass", "y.age"]);
    assert_eq!(parse(opened.gave())["yours"], json!([2]));
    // The public key shows that the file is not for it, so there is no need to ask.
    assert_eq!(sandbox.run(["inspect", "-i", "ed", "--batch", "x.age"]).status, 3);
}

#[test]
fn identifiable_stanzas_are_matched_to_the_named_recipients() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let (sandbox, a, b) = for_two();
    sandbox.shell("for key in ed other; do ssh-keygen -q -t ed25519 -N '' -f $key; done").is_silent_success();
    sandbox.shell("ssh-keygen -q -t rsa -b 2048 -N '' -f rsa && cat other.pub rsa.pub >list").is_silent_success();
    let sealed = sandbox.run(["encrypt", "-r", &a, "-R", "ed.pub", "-R", "rsa.pub", "-r", TAG, "-o", "y.age", "x"]);
    sealed.is_silent_success();
    let key = |name: &str| {
        let text = sandbox.text(name);
        let words: Vec<_> = text.split_whitespace().take(2).collect();
        words.join(" ")
    };

    let facts = parse(sandbox.run(["inspect", "--json", "-r", TAG, "-R", "list", "-r", &b, "y.age"]).gave());
    let told: Vec<_> = (0..4).map(|index| &facts["stanzas"][index]["match"]).collect();
    assert_eq!(told, ["untold", "no", "yes", "yes"]);
    let recipients: Vec<_> = (0..4).map(|index| facts["stanzas"][index]["recipient"].clone()).collect();
    assert_eq!(recipients, [Value::Null, Value::Null, json!(key("rsa.pub")), json!(TAG)]);
    assert_eq!(facts["stanzas"][2]["named"], json!({"flag": "-R", "file": "list", "line": 2}));
    assert_eq!(facts["stanzas"][3]["named"], json!({"flag": "-r"}));
    let absent = json!([{"recipient": key("other.pub"), "named": {"flag": "-R", "file": "list", "line": 1}}]);
    assert_eq!((&facts["absent"], &facts["header_authenticated"]), (&absent, &json!(false)));

    let text = sandbox.run(["inspect", "-R", "ed.pub", "-R", "other.pub", "y.age"]);
    let text = String::from_utf8(text.gave().to_vec()).expect("the output is UTF-8");
    let said: Vec<_> = text.lines().filter(|line| line.starts_with("                  ")).map(str::trim).collect();
    let ed = format!("says it is for {}… (-R 'ed.pub', line 1)", &key("ed.pub")[..62]);
    let none = "for none of the named keys";
    assert_eq!(said, [none, &ed, none, none]);
    let absent =
        format!("  absent        {}… (-R 'other.pub', line 1): no stanza is for it\n", &key("other.pub")[..62]);
    assert!(text.contains(&absent), "{text}");
    assert!(text.contains("\n  header MAC    not checked; that takes an identity that opens a stanza\n"), "{text}");

    // A stanza does not say who it is for, but an identity proves that it is for this key, and so for no other.
    let arguments = ["inspect", "--json", "-i", "a", "-r", &b, "y.age"];
    let facts = parse(sandbox.run(arguments).gave());
    assert_eq!((&facts["stanzas"][0]["match"], &facts["stanzas"][0]["recipient"]), (&json!("no"), &json!(a)));
    assert_eq!(facts["absent"], json!([{"recipient": b, "named": {"flag": "-r"}}]));
    let facts = parse(sandbox.run(["inspect", "--json", "-i", "a", "-r", &a, "y.age"]).gave());
    assert_eq!((&facts["stanzas"][0]["match"], &facts["absent"]), (&json!("yes"), &json!([])));
}

#[test]
fn stanzas_of_x25519_and_post_quantum_keys_are_not_attributable() {
    let (sandbox, a, _) = for_two();
    sandbox.run(["keygen", "--pq", "-o", "pq"]).gave();
    sandbox.run(["encrypt", "-i", "pq", "-o", "pq.age", "x"]).is_silent_success();
    let by_design = "                  does not identify its recipient, by design\n";
    let text = sandbox.run(["inspect", "-r", &a, "x.age"]);
    assert_eq!(String::from_utf8_lossy(text.gave()).matches(by_design).count(), 2);
    let text = sandbox.run(["inspect", "-R", "pq.pub", "pq.age"]);
    assert_eq!(String::from_utf8_lossy(text.gave()).matches(by_design).count(), 1);
    // But none of them can be for a key of the other kind. A recipient named twice is reported once.
    let facts = parse(sandbox.run(["inspect", "--json", "-r", &a, "-r", &a, "pq.age"]).gave());
    assert_eq!(facts["absent"].as_array().map(Vec::len), Some(1));
    assert_eq!((&facts["stanzas"][0]["match"], &facts["absent"][0]["recipient"]), (&json!("no"), &json!(a)));
}

#[test]
fn unknown_types_and_grease_are_reported_as_such() {
    let (sandbox, a, _) = for_two();
    let whole = sandbox.read("x.age");
    let at = whole.windows(4).position(|window| window == b"\n---").expect("the header ends");
    let stanzas = b"\n-> Xx-grease a b\n\n-> corp-recovery q\n";
    sandbox.write("more.age", [&whole[..at], stanzas, &whole[at..]].concat());
    let facts = parse(sandbox.run(["inspect", "--json", "-r", &a, "more.age"]).gave());
    let classes: Vec<_> = (0..4).map(|index| &facts["stanzas"][index]["class"]).collect();
    assert_eq!(classes, ["known", "known", "grease", "unknown"]);
    assert_eq!((&facts["stanzas"][2]["match"], &facts["stanzas"][3]["match"]), (&json!("no"), &json!("no")));
    let text = sandbox.run(["inspect", "more.age"]);
    assert_eq!(
        lines_between(text.gave(), "stanzas", "1 "),
        "  stanzas       4, of which 1 of unknown type, 1 grease\n"
    );
    assert_eq!(
        lines_between(text.gave(), "3 ", "header  "),
        "    3           Xx-grease a b
                  named like grease, a decoy that nobody can open; this cannot be checked
    4           corp-recovery q
                  of unknown type, perhaps a plugin's; its recipient is unknown
"
    );
}
