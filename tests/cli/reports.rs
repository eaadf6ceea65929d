//! What programs and careful people read: `--json`, `--dry-run`, `inspect --recursive`, and outputs that are joined.

use serde_json::{Value, json};

use crate::sandbox::{Outcome, Sandbox};

/// The objects that were printed.
fn objects(outcome: &Outcome) -> Vec<Value> {
    let lines = std::str::from_utf8(&outcome.stdout).expect("the output is UTF-8").lines();
    lines.map(|line| serde_json::from_str(line).expect("each line is an object")).collect()
}

/// Creates a folder with two keys, and three encrypted files in `tree`: for the first, the second, and both. Returns the recipients.
fn with_tree() -> (Sandbox, String, String) {
    let (sandbox, first) = Sandbox::with_key();
    let second = sandbox.keygen("second.txt");
    std::fs::create_dir(sandbox.path("tree")).expect("the sandbox is writable");
    for (name, recipients) in [("1", vec![&first]), ("2", vec![&second]), ("3", vec![&first, &second])] {
        sandbox.write(format!("tree/{name}"), name);
        let recipients = recipients.into_iter().flat_map(|recipient| ["-r", recipient]);
        let arguments = ["encrypt", "--rm"].into_iter().chain(recipients).map(str::to_owned);
        sandbox.run(arguments.chain([format!("tree/{name}")])).is_silent_success();
    }
    (sandbox, first, second)
}

#[test]
fn every_verb_that_reports_prints_an_object_for_a_failure() {
    let (sandbox, recipient, _) = with_tree();
    sandbox.write("x", "x");
    for words in [
        &["encrypt", "-r", &recipient, "none"][..],
        &["decrypt", "-i", "key.txt", "none.age"],
        &["verify", "-i", "key.txt", "none.age"],
        &["inspect", "none.age"],
        &["rekey", "-i", "key.txt", "-r", &recipient, "none.age"],
    ] {
        let outcome = sandbox.run([words, &["--json"]].concat());
        let [object] = &objects(&outcome)[..] else { panic!("{words:?}: {outcome:?}") };
        assert_eq!(
            (&object["file"], &object["ok"], &object["status"]),
            (&json!(words[words.len() - 1]), &json!(false), &json!(1))
        );
        assert!(object["error"].as_str().is_some_and(|error| error.contains("No such file")), "{object}");
        // What inspect prints may be about more than the failure.
        assert_eq!((outcome.status, outcome.stderr.is_empty()), (1, words[0] != "inspect"));
    }
    // Before the first file: no file is named.
    for words in [&["encrypt", "--json", "x"][..], &["salvage", "--json", "-i", "none", "-o", "out", "tree/1.age"]] {
        let outcome = sandbox.run(words);
        let [object] = &objects(&outcome)[..] else { panic!("{words:?}: {outcome:?}") };
        assert_eq!(
            (object.get("file"), &object["ok"], &object["status"]),
            (None, &json!(false), &json!(outcome.status))
        );
    }
}

#[test]
fn objects_for_files_say_what_was_done() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "four");
    let encrypted = sandbox.run(["encrypt", "--json", "-r", &recipient, "x"]);
    assert_eq!(
        objects(&encrypted),
        [json!({"file": "x", "ok": true, "result": "encrypted", "output": "x.age", "bytes": 4})]
    );
    let refused = sandbox.run(["encrypt", "--json", "-r", &recipient, "x"]);
    let object = &objects(&refused)[0];
    assert_eq!(
        (&object["file"], &object["ok"], object["hints"].as_array().map(Vec::len)),
        (&json!("x"), &json!(false), Some(1))
    );
    assert_eq!(refused.stderr, "");
    let decrypted = sandbox.run(["decrypt", "--json", "-i", "key.txt", "-O", "out", "x.age"]);
    assert_eq!(
        objects(&decrypted),
        [json!({"file": "x.age", "ok": true, "result": "decrypted", "output": "out/x", "bytes": 4})]
    );
}

#[test]
fn a_dry_run_says_what_it_would_do_and_changes_nothing() {
    let (sandbox, first, second) = with_tree();
    sandbox.write("new", "new");
    sandbox.write("old", "old");
    sandbox.write("old.age", "precious");
    let before = sandbox.shell("find . | sort; cat old.age tree/*").gave().to_vec();
    let dry = |words: &[&str]| sandbox.run([words, &["--dry-run"]].concat());
    dry(&["encrypt", "-f", "--rm", "-r", &first, "new", "old"]).is(
        0,
        "'new' would be encrypted to 'new.age'; 'new' would be deleted\n\
         'old' would be encrypted to 'old.age', which would be replaced; 'old' would be deleted\n",
        "",
    );
    let outcome = dry(&["decrypt", "-i", "key.txt", "--recursive", "-O", "out", "tree"]);
    assert_eq!(outcome.status, 6);
    assert_eq!(
        outcome.stdout,
        b"'tree/1.age' would be decrypted to 'out/tree/1'\n'tree/3.age' would be decrypted to 'out/tree/3'\n"
    );
    dry(&["rekey", "-i", "key.txt", "-i", "second.txt", "-r", &second, "tree/1.age"]).is(
        0,
        "'tree/1.age' would get new recipients\n",
        "",
    );
    let json = dry(&["encrypt", "--json", "-r", &first, "new"]);
    assert_eq!(
        objects(&json),
        [
            json!({"file": "new", "ok": true, "result": "planned", "output": "new.age", "replaces": false, "deletes": false})
        ]
    );
    let salvaged = dry(&["salvage", "-i", "key.txt", "-o", "rescued", "tree/1.age"]);
    assert_eq!(objects(&salvaged)[0]["recovered"], 1);
    assert_eq!(sandbox.shell("find . | sort; cat old.age tree/*").gave(), before);
    // What would fail, fails.
    assert_eq!(dry(&["encrypt", "-r", &first, "old"]).status, 1);
}

#[test]
fn a_recursive_inspection_has_a_line_for_each_file() {
    let (sandbox, first, second) = with_tree();
    sandbox.run(["inspect", "--recursive", "tree"]).is(
        0,
        "tree/1.age: X25519\ntree/2.age: X25519\ntree/3.age: X25519, X25519\n",
        "",
    );
    sandbox.run(["inspect", "--recursive", "-i", "second.txt", "tree"]).is(
        0,
        &format!(
            "tree/2.age: {second}; stanza 1 of 1 is yours\ntree/3.age: X25519, {second}; stanza 2 of 2 is yours\n"
        ),
        "",
    );
    let _ = sandbox.keygen("third.txt");
    sandbox.run(["inspect", "--recursive", "-i", "third.txt", "tree"]).is(
        3,
        "",
        "solekey: none of these identities opens any of the files\n",
    );
    sandbox.write("tree/bad.age", "bad");
    let outcome = sandbox.run(["inspect", "--recursive", "--json", "tree"]);
    let oks: Vec<_> = objects(&outcome).iter().map(|object| object["ok"].clone()).collect();
    assert_eq!((outcome.status, oks), (6, vec![json!(true), json!(true), json!(true), json!(false)]));
    let _ = first;
}

#[test]
fn rekeying_again_passes_over_what_is_done() {
    let (sandbox, _, second) = with_tree();
    let rekey = || {
        let words = ["rekey", "--json", "--recursive", "-i", "second.txt", "-i", "key.txt", "-r", &second, "tree"];
        let outcome = sandbox.run(words);
        assert_eq!(outcome.status, 0);
        objects(&outcome)
            .iter()
            .map(|object| object["result"].as_str().expect("there is one").to_owned())
            .collect::<Vec<_>>()
    };
    let done = sandbox.read("tree/2.age");
    // One was the new identity's alone already.
    assert_eq!(rekey(), ["rekeyed", "unchanged", "rekeyed"]);
    assert_eq!(rekey(), ["unchanged", "unchanged", "unchanged"]);
    assert_eq!(sandbox.read("tree/2.age"), done);
    assert_eq!(sandbox.run(["inspect", "--recursive", "-i", "key.txt", "tree"]).status, 3);
    // With no other identity, what is wanted is a new file key.
    let alone = sandbox.run(["rekey", "-i", "second.txt", "-r", &second, "tree/2.age"]);
    alone.is_silent_success();
    assert_ne!(sandbox.read("tree/2.age"), done);
}

#[test]
fn decrypted_outputs_are_joined_up_to_the_first_failure() {
    let (sandbox, _, _) = with_tree();
    let join = |files: &[&str]| sandbox.run([&["decrypt", "-c", "-i", "key.txt", "-i", "second.txt"], files].concat());
    join(&["tree/1.age", "tree/2.age", "tree/3.age"]).is(0, "123", "");
    let outcome = join(&["tree/3.age", "none.age", "tree/1.age"]);
    assert_eq!((outcome.status, &outcome.stdout[..]), (6, &b"3"[..]));
    assert!(outcome.stderr.contains("the files after it were not decrypted"), "{}", outcome.stderr);
    let encrypting = sandbox.run(["encrypt", "-c", "-a", "-p", "tree/1.age", "tree/2.age"]);
    assert_eq!(encrypting.status, 2);
}
