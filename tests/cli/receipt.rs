//! Receipts and stanza counts: one stanza for each distinct recipient, and a record of who it is for.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    requirements::{installed, skip},
    sandbox::{CHUNK, Outcome, SEGMENT, Sandbox, data},
    texts::CHOOSE_ANOTHER_OUTPUT,
};

fn lines(text: &[u8]) -> Vec<Value> {
    text.split_inclusive(|byte| *byte == b'\n').map(|line| serde_json::from_slice(line).expect("it is JSON")).collect()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asserts that a receipt describes an output with these bytes, and contains nothing else.
#[track_caller]
fn receipt_is(receipt: &Value, output: Value, bytes: &[u8], armor: bool, stanzas: Value) {
    let expected = json!({
        "output": output,
        "sha256": hash(bytes),
        "size": bytes.len(),
        "armor": armor,
        "stanzas": stanzas,
        "program": concat!("solekey ", env!("CARGO_PKG_VERSION")),
    });
    assert_eq!(*receipt, expected);
}

#[test]
fn a_receipt_records_each_stanzas_recipient_and_the_output() {
    let (sandbox, first) = Sandbox::with_key();
    let second = sandbox.keygen("second.txt");
    let third = sandbox.keygen("third.txt");
    sandbox.write("friends", format!("# friends\n\n{second}\n"));
    let stanzas = json!([
        {"stanza": 1, "type": "X25519", "recipient": first, "named": {"flag": "-r"}},
        {"stanza": 2, "type": "X25519", "recipient": second, "named": {"flag": "-R", "file": "friends", "line": 3}},
        {"stanza": 3, "type": "X25519", "recipient": third, "named": {"flag": "-i", "file": "third.txt"}},
    ]);
    let named = ["encrypt", "-r", &first, "-R", "friends", "-i", "third.txt", "--receipt", "r.json", "-f"];
    for length in [0, CHUNK + 1, 2 * SEGMENT + 500] {
        sandbox.write("x", data(length));
        for armor in [&["-a"][..], &[]] {
            sandbox.run([&named, armor, &["x"]].concat()).is_silent_success();
            let receipt = lines(&sandbox.read("r.json"));
            receipt_is(&receipt[0], json!("x.age"), &sandbox.read("x.age"), !armor.is_empty(), stanzas.clone());
            let sealed = sandbox.run_with([&named, armor].concat(), &data(length));
            let receipt = lines(&sandbox.read("r.json"));
            receipt_is(&receipt[0], Value::Null, sealed.gave(), !armor.is_empty(), stanzas.clone());
        }
    }
    sandbox.write("y", "y");
    sandbox.run([&named[..], &["x", "y"]].concat()).is_silent_success();
    let receipt = lines(&sandbox.read("r.json"));
    assert_eq!(receipt.len(), 2);
    receipt_is(&receipt[0], json!("x.age"), &sandbox.read("x.age"), false, stanzas.clone());
    receipt_is(&receipt[1], json!("y.age"), &sandbox.read("y.age"), false, stanzas);
    assert!(!sandbox.text("r.json").contains("SECRET"));
}

#[test]
fn a_receipt_overwrites_nothing_and_cannot_be_another_file_of_the_run() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    sandbox.write("y", "y");
    sandbox.write("r.json", "old");
    let run = |more: &[&str]| -> Outcome { sandbox.run([&["encrypt", "-r", &recipient][..], more].concat()) };
    run(&["--receipt", "r.json", "x"]).fails(
        1,
        "solekey: error: the receipt 'r.json' already exists\n\
         solekey: hint: overwrite it with -f, or choose another file for --receipt\n",
    );
    run(&["-f", "--receipt", "./y", "x", "y"])
        .fails(2, &format!("solekey: error: 'y' and './y' are the same file\n{CHOOSE_ANOTHER_OUTPUT}"));
    let outcome = sandbox.run(["encrypt", "-f", "-i", "key.txt", "--receipt", "key.txt", "x"]);
    outcome.fails(2, &format!("solekey: error: 'key.txt' would be both read and written\n{CHOOSE_ANOTHER_OUTPUT}"));
    run(&["--receipt", "./y.age", "x", "y"]).fails(
        2,
        "solekey: error: the receipt and an output would both go to './y.age'\n\
         solekey: hint: nothing was written; choose another file for --receipt\n",
    );
    run(&["--receipt", "-", "-c", "x"]).fails(
        2,
        "solekey: error: the receipt and an output would both go to standard output\n\
         solekey: hint: nothing was written; choose another file for --receipt\n",
    );
    assert_eq!(run(&["--receipt", "new.json", "missing"]).status, 1);
    assert_eq!(sandbox.names(), ["key.txt", "r.json", "x", "y"]);
    assert_eq!((sandbox.text("r.json"), sandbox.text("y")), ("old".to_owned(), "y".to_owned()));
}

#[test]
fn a_receipt_lists_an_output_even_if_its_source_cannot_be_deleted() {
    // A file that not even root can delete.
    const SOURCE: &str = "/sys/kernel/notes";
    if !std::path::Path::new(SOURCE).is_file() {
        return skip("there is no /sys/kernel/notes, which nobody can delete");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    let outcome = sandbox.run(["encrypt", "--rm", "-r", &recipient, "--receipt", "receipt", "-o", "x.age", SOURCE]);
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.starts_with("solekey: error: cannot delete '/sys/kernel/notes': "), "{}", outcome.stderr);
    let receipt = lines(&sandbox.read("receipt"));
    assert_eq!((receipt.len(), &receipt[0]["sha256"]), (1, &json!(hash(&sandbox.read("x.age")))));
}

#[test]
fn an_unexpected_number_of_stanzas_writes_nothing() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    let encrypt = |count: &str| {
        sandbox.run(["encrypt", "-r", &recipient, "-i", "key.txt", "-q", "--expect-recipients", count, "x"])
    };
    for count in ["0", "2"] {
        let said = format!(
            "solekey: error: cannot encrypt 'x': the header has 1 stanza, not {count} as --expect-recipients says\n"
        );
        encrypt(count).fails(1, &said);
    }
    assert_eq!(sandbox.names(), ["key.txt", "x"]);
    encrypt("1").is_silent_success();
    assert_eq!(sandbox.run(["inspect", "--expect-recipients", "1", "x.age"]).gave()[..8], *b"'x.age':");
    let outcome = sandbox.run(["inspect", "--expect-recipients", "2", "x.age"]);
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (
            1,
            "solekey: error: 'x.age': the header has 1 stanza, not 2 as --expect-recipients says\n\
             solekey: hint: every stanza is a way to open the file; ask its sender who they are for\n"
        )
    );
}

#[test]
fn different_spellings_of_a_key_are_one_recipient() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    let once = |named: &[&str], warnings: usize| {
        let outcome = sandbox.run([&["encrypt", "-f", "--expect-recipients", "1"], named, &["x"]].concat());
        assert_eq!((outcome.status, outcome.stderr.matches("is named more than once").count()), (0, warnings));
    };
    let upper = recipient.to_uppercase();
    once(&["-r", &recipient, "-r", &upper, "-r", &format!(" {recipient}\t"), "-i", "key.txt"], 3);
    if !installed(&["ssh-keygen"]) {
        return;
    }
    sandbox.shell("ssh-keygen -q -t ed25519 -N '' -C first -f ed").is_silent_success();
    let key = sandbox.text("ed.pub").replace("first", "");
    let (plain, other) = (key.trim().to_owned(), format!("{} second comment", key.trim()));
    once(&["-R", "ed.pub", "-r", &plain, "-r", &other, "-i", "ed"], 3);
}

#[test]
fn a_receipt_can_go_to_standard_output_redirected_to_a_file() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    let script = format!("\"$SOLEKEY\" encrypt -r {recipient} --receipt - x > r.json");
    sandbox.shell(&script).is_silent_success();
    assert_eq!(lines(&sandbox.read("r.json"))[0]["output"], "x.age");
    // The receipt and the ciphertext cannot both go to standard output.
    let script = format!("\"$SOLEKEY\" encrypt -c -r {recipient} --receipt - x > out");
    assert_eq!(sandbox.shell(&script).status, 2);
}

#[test]
fn a_receipt_that_is_an_output_of_several_inputs_is_refused_before_any_work() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("a", "text");
    // Standard input and the receipt would both go to standard output.
    let script = format!("\"$SOLEKEY\" encrypt -r {recipient} --receipt - a - </dev/null");
    assert_eq!(sandbox.shell(&script).status, 2);
    assert_eq!(sandbox.names(), ["a", "key.txt"]);
    // The folder of the output is that of the receipt.
    sandbox.write("b", "text");
    symlink(".", sandbox.path("folder")).expect("the name is free");
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "--receipt", "b.age", "a", "folder/b"]);
    assert_eq!(outcome.status, 2, "{}", outcome.stderr);
    assert_eq!(sandbox.names(), ["a", "b", "folder", "key.txt"]);
}
