//! New recipients for existing files.

use std::{fs, os::unix::fs::MetadataExt};

use crate::{
    requirements::{installed, skip},
    sandbox::{CHUNK, SEGMENT, Sandbox, data, finish, is_root, numbers},
};

/// A folder with the keys `key.txt` and `new.txt`, and their recipients.
fn with_keys() -> (Sandbox, String, String) {
    let (sandbox, old) = Sandbox::with_key();
    let new = sandbox.keygen("new.txt");
    (sandbox, old, new)
}

fn opens(sandbox: &Sandbox, key: &str, file: &str) -> bool {
    sandbox.run(["verify", "-q", "-i", key, file]).status == 0
}

#[test]
fn a_full_set_of_recipients_replaces_the_old_one_under_a_fresh_key() {
    let (sandbox, old, new) = with_keys();
    for (armor, length) in [(false, 0), (false, 2 * SEGMENT + 500), (true, CHUNK + 1)] {
        sandbox.write("x", data(length));
        sandbox.set_mode("x", 0o640);
        let mut encrypt = vec!["encrypt", "-f", "-r", &old, "-o", "x.age", "x"];
        encrypt.extend(armor.then_some("-a"));
        sandbox.run(encrypt).is_silent_success();
        let (before, sealed) = (fs::metadata(sandbox.path("x.age")).expect("it exists"), sandbox.read("x.age"));

        sandbox.run(["rekey", "-f", "--check", "-i", "key.txt", "-r", &new, "x.age"]).is_silent_success();
        assert!(!opens(&sandbox, "key.txt", "x.age") && opens(&sandbox, "new.txt", "x.age"));
        assert!(sandbox.run(["decrypt", "-i", "new.txt", "-c", "x.age"]).gave() == data(length));
        let after = fs::metadata(sandbox.path("x.age")).expect("it exists");
        assert_eq!((after.mode(), after.mtime(), after.len()), (before.mode(), before.mtime(), before.len()));
        let now = sandbox.read("x.age");
        assert_eq!(now.starts_with(b"-----"), armor);
        // The payload is encrypted under a new key.
        assert!(length == 0 || now[now.len() - 64..] != sealed[sealed.len() - 64..] || armor);
    }
}

#[test]
fn rekeying_keeps_the_owner_of_a_file() {
    if !is_root() {
        return skip("only root may give files away");
    }
    let (sandbox, old, new) = with_keys();
    sandbox.write("x", "text");
    sandbox.run(["encrypt", "-r", &old, "x"]).is_silent_success();
    std::os::unix::fs::chown(sandbox.path("x.age"), Some(12345), Some(54321)).expect("root may change the owner");
    sandbox.set_mode("x.age", 0o600);
    sandbox.run(["rekey", "-f", "-i", "key.txt", "-r", &new, "x.age"]).is_silent_success();
    let metadata = fs::metadata(sandbox.path("x.age")).expect("it exists");
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o777), (12345, 54321, 0o600));
}

#[test]
fn a_recipient_that_a_stanza_names_is_not_added_again() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let (sandbox, old, _) = with_keys();
    sandbox.shell("ssh-keygen -q -t ed25519 -N '' -C '' -f ed").is_silent_success();
    let public = sandbox.text("ed.pub").trim().to_owned();
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", &old, "-R", "ed.pub", "x"]).is_silent_success();
    let added = sandbox.run(["rekey", "-i", "key.txt", "--add", "--header-only", "-R", "ed.pub", "x.age"]);
    assert_eq!(added.status, 0);
    let said = format!(
        "solekey: warning: stanza 2 already names {public}, but solekey cannot tell whether that key opens the file\n"
    );
    assert!(added.stderr.ends_with(&said), "{}", added.stderr);
    assert!(opens(&sandbox, "key.txt", "x.age") && opens(&sandbox, "ed", "x.age"));
}

#[test]
fn recipients_are_added_and_removed_if_their_stanzas_can_be_identified() {
    let (sandbox, old, new) = with_keys();
    sandbox.write("x", data(SEGMENT + 1));
    sandbox.run(["encrypt", "-r", &old, "x"]).is_silent_success();
    sandbox.run(["rekey", "-i", "key.txt", "--add", "-r", &new, "x.age"]).is_silent_success();
    assert!(opens(&sandbox, "key.txt", "x.age") && opens(&sandbox, "new.txt", "x.age"));

    let again = sandbox.run(["rekey", "-i", "key.txt", "-i", "new.txt", "--add", "-r", &new, "x.age"]);
    again.is(0, "", &format!("solekey: warning: {new} can open the file already\n"));

    // The recipient of an X25519 stanza cannot be identified without its identity.
    let before = sandbox.read("x.age");
    sandbox.run(["rekey", "-i", "key.txt", "--remove", "-r", &old, "x.age"]).fails(
        1,
        "solekey: error: cannot rekey 'x.age': cannot identify the recipient of stanza 2 (X25519), so a new file key cannot be wrapped to them\n\
         solekey: hint: 'x.age' was left as it was\n\
         solekey: hint: name every recipient to keep with -r and -R, without --add or --remove; or give their identities with -i; or keep the file key with --header-only\n",
    );
    let outcome = sandbox.run(["rekey", "-i", "key.txt", "--remove", "-r", &new, "x.age"]);
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.contains(&format!("cannot tell which stanza is for {new}\n")), "{}", outcome.stderr);
    assert!(sandbox.read("x.age") == before);

    sandbox.run(["rekey", "-i", "key.txt", "-i", "new.txt", "--remove", "-r", &old, "x.age"]).is_silent_success();
    assert!(!opens(&sandbox, "key.txt", "x.age") && opens(&sandbox, "new.txt", "x.age"));
    let outcome = sandbox.run(["rekey", "-i", "new.txt", "--remove", "-r", &new, "x.age"]);
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.contains("nobody would be left who can open it\n"), "{}", outcome.stderr);
}

#[test]
fn header_only_keeps_the_payload_and_warns_that_old_recipients_keep_access() {
    let (sandbox, old, new) = with_keys();
    const WARNING: &str = "solekey: warning: --header-only keeps the file key: anyone who could open the file still can, if they kept a copy of that key\n";
    for armor in [false, true] {
        sandbox.write("x", data(SEGMENT + 1));
        let mut encrypt = vec!["encrypt", "-f", "-r", &old, "-o", "x.age", "x"];
        encrypt.extend(armor.then_some("-a"));
        sandbox.run(encrypt).is_silent_success();
        let before = sandbox.read("x.age");
        let add = ["rekey", "-i", "key.txt", "--add", "--header-only", "--check", "-r", &new, "x.age"];
        sandbox.run(add).is(0, "", WARNING);
        assert!(opens(&sandbox, "key.txt", "x.age") && opens(&sandbox, "new.txt", "x.age"));
        let after = sandbox.read("x.age");
        assert!(armor || after.ends_with(&before[before.len() - SEGMENT..]));
        let remove = ["rekey", "-f", "-i", "key.txt", "--remove", "--header-only", "-r", &old, "x.age"];
        sandbox.run(remove).is(0, "", WARNING);
        assert!(!opens(&sandbox, "key.txt", "x.age") && opens(&sandbox, "new.txt", "x.age"));
    }
    // Post-quantum recipients cannot be added to a file with classic ones.
    assert_eq!(sandbox.run(["keygen", "--pq", "-o", "pq.txt"]).status, 0);
    let outcome = sandbox.run(["rekey", "-i", "new.txt", "--add", "--header-only", "-R", "pq.txt.pub", "x.age"]);
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.contains("post-quantum and classic recipients cannot share a file"), "{}", outcome.stderr);
}

/// The age crate, and so rage, adds a grease stanza that belongs to no recipient.
#[test]
fn a_grease_stanza_is_neither_an_obstacle_nor_a_recipient() {
    let (sandbox, old, new) = with_keys();
    let key: age::x25519::Recipient = old.parse().expect("it is a recipient");
    let sealed = age::encrypt(&key, b"text").expect("the age crate encrypts");
    assert!(String::from_utf8_lossy(&sealed).contains("-grease"), "the age crate no longer adds such a stanza");
    sandbox.write("x.age", &sealed);
    let remove = ["rekey", "-f", "-i", "key.txt", "--remove", "--header-only", "-r", &old, "x.age"];
    let outcome = sandbox.run(remove);
    assert_eq!(outcome.status, 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("nobody would be left who can open it"), "{}", outcome.stderr);
    assert!(sandbox.read("x.age") == sealed);

    sandbox.run(["rekey", "-i", "key.txt", "--add", "-r", &new, "x.age"]).is_silent_success();
    assert!(opens(&sandbox, "key.txt", "x.age") && opens(&sandbox, "new.txt", "x.age"));
    let inspected = sandbox.run(["inspect", "--expect-recipients", "2", "x.age"]);
    assert_eq!(inspected.status, 0, "{}", inspected.stderr);
}

#[test]
fn a_file_replaced_during_rekeying_is_not_overwritten() {
    let (sandbox, _, new) = with_keys();
    sandbox.write("word", "correct horse\n");
    sandbox.write_protected("x.age", "old text", "correct horse");
    sandbox.write("newer", "newer text");
    // The program has opened the file when it waits for the passphrase.
    let script = format!(
        "mkfifo fifo; \"$SOLEKEY\" rekey -f --passphrase-file fifo -r {new} x.age & \
         {{ mv newer x.age; cat word; }} >fifo; wait $!"
    );
    sandbox.shell(&script).fails(
        1,
        "solekey: error: cannot replace 'x.age': it changed while it was being read\n\
         solekey: hint: 'x.age' was left as it was\n",
    );
    assert_eq!(sandbox.text("x.age"), "newer text");
}

#[test]
fn rekeying_a_file_with_hard_links_gives_a_warning() {
    let (sandbox, old, new) = with_keys();
    sandbox.write("x", "text");
    sandbox.run(["encrypt", "-r", &old, "x"]).is_silent_success();
    fs::hard_link(sandbox.path("x.age"), sandbox.path("y.age")).expect("the folder is writable");
    sandbox.run(["rekey", "-f", "-i", "key.txt", "-r", &new, "x.age"]).is(
        0,
        "",
        "solekey: warning: 'x.age' has other names (hard links), which still refer to the old file with its recipients\n",
    );
    assert!(opens(&sandbox, "key.txt", "y.age") && !opens(&sandbox, "key.txt", "x.age"));
}

#[test]
fn a_file_that_cannot_be_rekeyed_stays_unchanged() {
    let (sandbox, old, new) = with_keys();
    sandbox.write("x", data(2 * SEGMENT));
    sandbox.run(["encrypt", "-r", &old, "x"]).is_silent_success();
    let mut bad = sandbox.read("x.age");
    bad[SEGMENT] ^= 1;
    sandbox.write("bad.age", &bad);
    sandbox.write("cut.age", &bad[..SEGMENT]);
    sandbox.write("no.age", "no age file");
    let outcome =
        sandbox.run(["rekey", "-f", "--json", "-i", "key.txt", "-r", &new, "bad.age", "x.age", "cut.age", "no.age"]);
    let printed = String::from_utf8_lossy(&outcome.stdout);
    let (mut lines, none) = (printed.lines(), Some(""));
    assert_eq!((outcome.status, outcome.stderr.as_str()), (6, ""));
    assert!(
        lines.next().or(none).is_some_and(|line| line
            .starts_with(r#"{"file":"bad.age","ok":false,"status":4,"error":"cannot rekey 'bad.age': chunk 16 "#)),
        "{printed}"
    );
    assert_eq!(lines.next(), Some(r#"{"file":"x.age","ok":true,"result":"rekeyed","stanza_types":["X25519"]}"#));
    assert!(sandbox.read("bad.age") == bad && sandbox.read("cut.age") == bad[..SEGMENT]);
    assert_eq!(sandbox.text("no.age"), "no age file");

    sandbox.run(["rekey", "-i", "key.txt", "x.age"]).fails(
        2,
        "solekey: error: missing recipients: nobody is named\nsolekey: hint: name public keys with -r, or a file of them with -R, or use a new passphrase with -p\n",
    );
    assert_eq!(sandbox.run(["rekey", "-i", "key.txt", "-r", &new]).status, 2);
    assert_eq!(sandbox.run(["rekey", "-i", "key.txt", "-r", &new, "/dev/null"]).status, 2);
    assert_eq!(sandbox.run(["rekey", "-i", "key.txt", "--header-only", "-r", &new, "x.age"]).status, 2);
    assert_eq!(sandbox.names(), ["bad.age", "cut.age", "key.txt", "new.txt", "no.age", "x", "x.age"]);
}

#[test]
fn a_killed_rekey_leaves_each_file_either_old_or_new() {
    let (sandbox, old, new) = with_keys();
    let plaintext = data(4 * SEGMENT);
    let files: Vec<_> = (0..6).map(|index| format!("{index}.age")).collect();
    for delay in numbers(5, 40) {
        for file in &files {
            let seal = sandbox.run_with(["encrypt", "-f", "-r", &old, "-o", file], &plaintext);
            seal.is_silent_success();
        }
        let mut rekey = sandbox.command(["rekey", "-i", "key.txt", "-r", &new]);
        let mut running = rekey.args(&files).spawn().expect("the program starts");
        std::thread::sleep(std::time::Duration::from_millis(delay as u64));
        // It may have finished already.
        let _ = running.kill();
        finish(running);
        for file in &files {
            assert!(opens(&sandbox, "key.txt", file) != opens(&sandbox, "new.txt", file), "{file} after {delay} ms");
        }
        assert!(sandbox.names().iter().all(|name| name.ends_with(".age") || name.ends_with(".txt")));
    }
}

#[test]
fn a_change_that_locks_out_the_user_needs_force() {
    let (sandbox, old, new) = with_keys();
    sandbox.write("x", "text");
    sandbox.write("word", "correct horse\n");
    sandbox.write("colleague.pub", &new);
    sandbox.write_protected("locked.txt", sandbox.read("key.txt"), "correct horse");
    sandbox.write_protected("secret.age", "text", "correct horse");
    let warning = "solekey: warning: solekey cannot tell whether one of your keys opens the new file; keep a copy until you have \
                   tried, or name your own public key too\n";
    let refused = |file: &str| {
        format!(
            "solekey: error: cannot rekey '{file}': none of your identities could open it any more\n\
             solekey: hint: '{file}' was left as it was\n\
             solekey: hint: name your own public key too, with -r or -R; if you have named a new one, name its identity with -i \
             too; to give the file away, use --force\n"
        )
    };
    let denied = Some(refused("x.age"));
    let error_alone = |text: String| text.lines().take(1).map(|line| format!("{line}\n")).collect::<String>();
    for (arguments, denied, said) in [
        (&["-i", "key.txt", "-R", "colleague.pub"][..], denied.clone(), ""),
        (&["-i", "key.txt", "-R", "colleague.pub", "--force"], None, ""),
        (&["-i", "key.txt", "-R", "colleague.pub", "-r", &old], None, ""),
        (&["-i", "key.txt", "-i", "new.txt", "-R", "colleague.pub"], None, ""),
        (&["-i", "key.txt", "-i", "new.txt", "-R", "colleague.pub", "--remove"], None, ""),
        (&["-q", "-i", "key.txt", "-r", &old, "--remove", "--header-only"], denied.map(error_alone), ""),
        (&["-i", "key.txt", "-i", "locked.txt", "-R", "colleague.pub"], None, warning),
        (&["-i", "key.txt", "-i", "locked.txt", "-R", "colleague.pub", "-f"], None, ""),
    ] {
        sandbox.run(["encrypt", "-f", "-r", &old, "-r", &new, "x"]).is_silent_success();
        let before = sandbox.read("x.age");
        let outcome = sandbox.run([&["rekey"], arguments, &["x.age"]].concat());
        outcome.fails(i32::from(denied.is_some()), denied.as_deref().unwrap_or(said));
        assert_eq!(sandbox.read("x.age") == before, denied.is_some(), "{arguments:?}");
    }
    let with_word = ["rekey", "--passphrase-file", "word", "-R", "colleague.pub", "secret.age"];
    sandbox.run(with_word).is(0, "", warning);
}

#[test]
fn a_key_that_age_was_given_twice_does_not_stop_adding_another() {
    if !installed(&["age"]) {
        return;
    }
    let (sandbox, old, new) = with_keys();
    sandbox.shell(&format!("echo text | age -r {old} -r {old} >x.age")).is_silent_success();
    sandbox.run(["rekey", "--add", "-i", "key.txt", "-r", &new, "x.age"]).is_silent_success();
    assert!(opens(&sandbox, "key.txt", "x.age") && opens(&sandbox, "new.txt", "x.age"));
    sandbox.run(["inspect", "--expect-recipients", "2", "-q", "x.age"]).gave();
}
