//! Hostile input costs little: headers and passphrases demand bounded work and memory, and no key text ends the program.

use std::{fmt::Write as _, fs};

use crate::sandbox::Sandbox;

/// 32 bytes in base64, different for each number.
fn encoded(number: usize) -> String {
    format!("{number:A>8}").replace(|c: char| !c.is_ascii_digit(), "A") + &"B".repeat(34) + "A"
}

/// A file with this many X25519 stanzas for nobody.
fn file_with_stanzas(count: usize) -> String {
    let mut file = "age-encryption.org/v1\n".to_owned();
    for number in 0..count {
        writeln!(file, "-> X25519 {}\n{}", encoded(number + 1), encoded(number))
            .expect("writing to memory cannot fail");
    }
    file + &format!("--- {}\n{}", encoded(0), "x".repeat(100))
}

/// A file with a passphrase stanza that has this argument for its work factor.
fn file_with_work_factor(factor: &str) -> String {
    let (salt, key) = ("A".repeat(22), encoded(1));
    format!("age-encryption.org/v1\n-> scrypt {salt} {factor}\n{key}\n--- {key}\n{}", "x".repeat(100))
}

#[test]
fn a_header_has_at_most_16384_stanzas() {
    let (sandbox, _) = Sandbox::with_key();
    sandbox.write("most", file_with_stanzas(16_384));
    let outcome = sandbox.run(["inspect", "--json", "most"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    assert!(outcome.stdout.len() < 6 << 20);
    sandbox.write("more", file_with_stanzas(16_385));
    for words in [
        &["decrypt", "-i", "key.txt", "-o", "out", "more"][..],
        &["inspect", "more"],
        &["salvage", "-i", "key.txt", "-o", "out", "more"],
    ] {
        let outcome = sandbox.run(words);
        assert_eq!(outcome.status, 4, "{outcome:?}");
        assert!(outcome.stderr.contains("there are more than 16,384 recipient stanzas"), "{outcome:?}");
        assert!(!outcome.stderr.contains("'solekey salvage'"), "{outcome:?}");
    }
}

#[test]
fn a_stanza_has_at_most_256_words() {
    let sandbox = Sandbox::new();
    for (count, status) in [(256, 0), (257, 4)] {
        let file = file_with_stanzas(1).replace("X25519", &vec!["a"; count - 1].join(" "));
        sandbox.write("words", file);
        assert_eq!(sandbox.run(["inspect", "words"]).status, status);
    }
}

#[test]
fn a_malformed_work_factor_is_damage() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "pass\n");
    for factor in ["1e1", "+1", "0", "01", "64", "-1", "300"] {
        sandbox.write("x.age", file_with_work_factor(factor));
        sandbox.run(["decrypt", "--passphrase-file", "pass", "-c", "x.age"]).fails(
            4,
            "solekey: error: cannot decrypt 'x.age': malformed header: a recipient stanza breaks the rules of its type\n",
        );
    }
}

#[test]
fn memory_for_a_passphrase_that_is_not_granted_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "pass\n");
    sandbox.write("x.age", file_with_work_factor("22"));
    let hint = "solekey: hint: close other programs, raise the limit on memory (ulimit -v), or use a larger machine\n";
    let said = |factor, mebibytes| {
        format!(
            "the passphrase's work factor is 2^{factor}, which takes {mebibytes} MiB of memory, more than the system grants\n{hint}"
        )
    };
    let limited = |command: &str| sandbox.shell(&format!("ulimit -v 2000000; exec \"$SOLEKEY\" {command}"));
    limited("decrypt --passphrase-file pass -c x.age")
        .fails(1, &format!("solekey: error: cannot decrypt 'x.age': {}", said(22, 4096)));
    let limited = |command: &str| sandbox.shell(&format!("ulimit -v 200000; exec \"$SOLEKEY\" {command}"));
    limited("encrypt -p --passphrase-file pass pass")
        .fails(1, &format!("solekey: error: cannot encrypt 'pass': {}", said(18, 256)));
}

#[test]
fn salvage_tries_one_passphrase_stanza_of_a_damaged_header() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "right\n");
    sandbox.write_protected("right.age", "x", "right");
    sandbox.write_protected("wrong.age", "x", "wrong");
    let right = String::from_utf8_lossy(&sandbox.read("right.age")).into_owned();
    let stanza_of = |file: &str| {
        let start = file.find("-> scrypt").expect("it has a stanza");
        file[start..file.find("---").expect("it has a MAC")].to_owned()
    };
    let wrong = stanza_of(&String::from_utf8_lossy(&sandbox.read("wrong.age")));
    let at = right.find("-> scrypt").expect("it has a stanza");
    let mut both = sandbox.read("right.age");
    both.splice(at..at, wrong.bytes());
    sandbox.write("both.age", both);
    let outcome = sandbox.run(["salvage", "--passphrase-file", "pass", "-o", "out", "both.age"]);
    assert_eq!(outcome.status, 3, "{outcome:?}");
    assert!(fs::metadata(sandbox.path("out")).is_err());
}

#[test]
fn an_ssh_key_of_zeros_is_no_recipient() {
    let sandbox = Sandbox::new();
    sandbox.write("x", "x");
    let key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA=";
    sandbox.write("team.txt", format!("{key}\n"));
    sandbox.run(["encrypt", "-R", "team.txt", "x"]).fails(
        1,
        "solekey: error: 'team.txt', line 1: not a valid SSH public key: its numbers are malformed or cut off\n\
         solekey: hint: copy the whole key again\n",
    );
    sandbox.run(["encrypt", "-r", key, "x"]).fails(
        2,
        "solekey: error: -r: not a valid SSH public key: its numbers are malformed or cut off\n\
         solekey: hint: copy the whole key again\n",
    );
}

#[test]
fn an_endless_list_of_files_is_an_error() {
    let (sandbox, recipient) = Sandbox::with_key();
    let encrypt = ["encrypt", "-r", &recipient, "--files-from", "/dev/zero"];
    sandbox.run(encrypt).fails(
        1,
        "solekey: error: cannot read '/dev/zero': it is not a list of files: a name in it is longer than 64 KiB\n",
    );
    sandbox
        .run(encrypt.iter().chain(&["-0"]))
        .fails(1, "solekey: error: cannot read '/dev/zero': more than a million names in a row are empty\n");
}

#[test]
fn a_limit_on_open_files_is_named_with_its_remedy() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    let outcome = sandbox.shell(&format!("ulimit -n 4; exec \"$SOLEKEY\" encrypt -r {recipient} x"));
    let hint = "solekey: hint: close other programs, or raise the limit on open files (ulimit -n)\n";
    assert_eq!(outcome.status, 1, "{outcome:?}");
    assert!(outcome.stderr.ends_with(&format!("Too many open files\n{hint}")), "{outcome:?}");
    assert_eq!(sandbox.names(), ["key.txt", "x"]);
}

#[test]
fn any_number_of_threads_can_be_asked_for() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", vec![0; 3 << 20]);
    sandbox.run(["encrypt", "-T", "18446744073709551615", "-r", &recipient, "x"]).is_silent_success();
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    let sandbox = Sandbox::new();
    let said = "solekey: error: cannot write to standard output: No space left on device\n";
    for words in ["--help", "encrypt --help", "--version", "--version -v"] {
        sandbox.shell(&format!("\"$SOLEKEY\" {words} >/dev/full")).fails(1, said);
    }
    sandbox.shell("\"$SOLEKEY\" age --version >/dev/full").fails(1, &said.replace("solekey", "age"));
}
