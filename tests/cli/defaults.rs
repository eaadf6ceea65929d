//! Key files of every kind, and default identities, which decrypt files but never become recipients.

use std::{fs, process::Command};

use crate::{
    sandbox::{Outcome, Sandbox, finish},
    texts::MISSING_IDENTITIES,
};

fn run(mut command: Command) -> Outcome {
    finish(command.spawn().expect("the program starts"))
}

/// Creates a folder with an encrypted file, and its key at the default path. Also returns the recipient.
fn with_default_key() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path(".config/solekey")).expect("the sandbox is writable");
    let recipient = sandbox.keygen(".config/solekey/identity.txt");
    sandbox.write("x", "secret");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    (sandbox, recipient)
}

#[test]
fn the_configuration_folder_holds_the_default_identity() {
    let (sandbox, _) = with_default_key();
    assert_eq!(sandbox.run(["decrypt", "-c", "x.age"]).gave(), b"secret");
    let verbose = sandbox.run(["decrypt", "-v", "-c", "x.age"]);
    assert!(verbose.stderr.contains("solekey: using the default identity file '/"), "{}", verbose.stderr);

    fs::create_dir(sandbox.path("elsewhere")).expect("the sandbox is writable");
    let mut elsewhere = sandbox.command(["decrypt", "-c", "x.age"]);
    elsewhere.env("XDG_CONFIG_HOME", sandbox.path("elsewhere"));
    run(elsewhere).fails(2, MISSING_IDENTITIES);
}

#[test]
fn the_environment_names_default_identities() {
    let (sandbox, recipient) = with_default_key();
    sandbox.keygen("other");
    fs::rename(sandbox.path(".config/solekey/identity.txt"), sandbox.path("mine")).expect("the file exists");
    let with = |arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command.env("SOLEKEY_IDENTITY", "other:mine");
        run(command)
    };
    assert_eq!(with(&["decrypt", "-c", "x.age"]).gave(), b"secret");
    // Named identities replace the default ones.
    assert_eq!(with(&["decrypt", "-i", "other", "-c", "x.age"]).status, 3);
    assert_eq!(with(&["decrypt", "--no-default-identity", "-c", "x.age"]).status, 2);

    // Encryption ignores them.
    assert_eq!(with(&["encrypt", "-c", "x"]).status, 2);
    assert_eq!(with(&["encrypt", "-r", &recipient, "-o", "y.age", "x"]).status, 0);
    let header = String::from_utf8_lossy(&sandbox.read("y.age")).into_owned();
    assert_eq!(header.matches("\n-> ").count(), 1);
}

#[test]
fn a_key_file_that_others_can_read_gets_a_warning() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "secret");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    sandbox.set_mode("key.txt", 0o644);
    let opened = sandbox.run(["decrypt", "-i", "key.txt", "-c", "x.age"]);
    opened.is(0, "secret", "solekey: warning: 'key.txt' holds a secret key that other users may read; chmod 600 it\n");
    sandbox.run(["decrypt", "-q", "-i", "key.txt", "x.age", "-o", "y"]).is_silent_success();
}

#[test]
fn a_post_quantum_key_has_a_public_file_and_does_not_mix_with_classic_keys() {
    let (sandbox, classic) = Sandbox::with_key();
    let made = sandbox.run(["keygen", "--pq", "-o", "pq.txt"]);
    let public = String::from_utf8(made.gave().to_vec()).expect("the output is UTF-8");
    assert!(public.starts_with("age1pq1"));
    assert_eq!(sandbox.text("pq.txt.pub"), public);
    assert_eq!((sandbox.mode("pq.txt"), sandbox.mode("pq.txt.pub")), (0o600, 0o644));
    assert_eq!(sandbox.run(["keygen", "-y", "pq.txt"]).gave(), public.as_bytes());

    sandbox.write("x", "secret");
    sandbox.run(["encrypt", "-R", "pq.txt.pub", "x"]).is_silent_success();
    assert_eq!(sandbox.run(["decrypt", "-i", "pq.txt", "-c", "x.age"]).gave(), b"secret");
    sandbox.run(["encrypt", "-R", "pq.txt.pub", "-r", &classic, "-o", "y", "x"]).fails(
        1,
        "solekey: error: cannot encrypt 'x': post-quantum and classic recipients cannot share a file: a quantum computer \
         could open it through the classic ones\n\
         solekey: hint: encrypt a file for each kind of recipient\n",
    );
    // If the public file already exists, no key is created.
    sandbox.write("new.txt.pub", "taken");
    assert_eq!(sandbox.run(["keygen", "--pq", "-o", "new.txt"]).status, 1);
    assert!(!sandbox.names().contains(&"new.txt".to_owned()));
}

#[test]
fn a_passphrase_is_asked_for_only_if_its_key_is_needed() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("pass", "correct horse\n");
    let made = sandbox.run(["keygen", "-p", "-o", "locked.age", "--passphrase-file", "pass"]);
    let locked = String::from_utf8(made.gave().to_vec()).expect("the output is UTF-8");
    assert!(sandbox.text("locked.age").starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
    assert_eq!(sandbox.mode("locked.age"), 0o600);
    for name in ["a", "b", "c"] {
        sandbox.write(name, name);
    }
    sandbox.run(["encrypt", "-r", locked.trim(), "a", "b"]).is_silent_success();
    sandbox.run(["encrypt", "-r", &recipient, "c"]).is_silent_success();

    // A pipe can be read only once, so the passphrase must be read once for all files.
    let opened = sandbox.bash(
        "\"$SOLEKEY\" decrypt -f -i locked.age -i key.txt --passphrase-fd 3 a.age b.age c.age 3< <(echo correct horse)",
    );
    opened.is_silent_success();
    // No passphrase is needed if another key opens the file.
    assert_eq!(sandbox.run(["decrypt", "--batch", "-i", "locked.age", "-i", "key.txt", "-c", "c.age"]).gave(), b"c");
    assert_eq!(sandbox.run(["decrypt", "--batch", "-i", "locked.age", "-c", "a.age"]).status, 5);
}

#[test]
fn many_recipients_and_many_identities_are_tried_in_seconds() {
    let sandbox = Sandbox::new();
    let made = sandbox.bash("umask 077; for i in $(seq 300); do \"$SOLEKEY\" keygen; done > keys");
    made.is_silent_success();
    let recipients = sandbox.run(["keygen", "-y", "keys"]);
    sandbox.write("friends", recipients.gave());
    sandbox.write("x", "secret");
    sandbox.run(["encrypt", "-R", "friends", "x"]).is_silent_success();
    let last = sandbox.text("keys").lines().last().expect("the file has keys").to_owned();
    sandbox.write("last", last);
    sandbox.set_mode("last", 0o600);
    assert_eq!(sandbox.run(["decrypt", "-i", "last", "-c", "x.age"]).gave(), b"secret");
    sandbox.run(["encrypt", "-i", "last", "-o", "y.age", "x"]).is_silent_success();
    assert_eq!(sandbox.run(["decrypt", "-i", "keys", "-c", "y.age"]).gave(), b"secret");
}
