//! Keys and passphrases: generating them, reading them, and never showing them.

use std::{fs, os::unix::fs::symlink};

use crate::{
    texts::{GIVE_PASSPHRASE, MISSING_RECIPIENTS, SAVE_AS_UTF_8, mistyped_recipient},
    {requirements::installed, sandbox::Sandbox},
};

const NO_ECHO: &str = "solekey: error: a secret key is on the command line, where other users and logs can see it\n\
                       solekey: hint: put it into a file and name that with -i; treat this key as disclosed\n";

/// The secret key of an identity file.
fn secret(sandbox: &Sandbox, name: &str) -> String {
    let text = sandbox.text(name);
    text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-1")).expect("an identity file has a key").to_owned()
}

/// The stanza types of a file, in order.
fn stanza_types(sandbox: &Sandbox, name: &str) -> Vec<String> {
    let json = sandbox.run(["inspect", "--json", name]);
    let json: serde_json::Value = serde_json::from_slice(json.gave()).expect("it is JSON");
    let types = json["stanzas"].as_array().expect("it is an array").iter();
    types.map(|stanza| stanza["type"].as_str().expect("it is a string").to_owned()).collect()
}

/// The hint for a secret key in a list of recipients.
const PUBLIC: &str = "solekey: hint: to encrypt to the public key of an identity file, name that with -i\n";

#[test]
fn a_key_file_is_private_and_states_its_public_key() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.shell("umask 0; \"$SOLEKEY\" keygen -o key.txt");
    let recipient = String::from_utf8(outcome.gave().to_vec()).expect("it is text");
    let recipient = recipient.strip_suffix('\n').expect("the output ends with a line feed");
    assert_eq!(sandbox.mode("key.txt"), 0o600);
    let text = sandbox.text("key.txt");
    let lines: Vec<_> = text.lines().collect();
    let [created, public, key] = lines[..] else { panic!("a key file has three lines") };
    let created = created.strip_prefix("# created: ").expect("the first line says when the key was created");
    assert!(created.len() == "2026-01-01T00:00:00Z".len() && created.ends_with('Z'), "{created}");
    assert_eq!(public, format!("# public key: {recipient}"));
    assert!(recipient.starts_with("age1") && recipient.len() == 62);
    assert!(key.starts_with("AGE-SECRET-KEY-1") && key.len() == 74);
    assert!(text.ends_with('\n'));
    sandbox.run(["keygen", "-y", "key.txt"]).is(0, &format!("{recipient}\n"), "");
    sandbox.run_with(["keygen", "-y"], text.as_bytes()).is(0, &format!("{recipient}\n"), "");
    assert_eq!(sandbox.names(), ["key.txt"]);
}

#[test]
fn keygen_warns_if_standard_output_is_a_file_that_others_can_read() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(["keygen"]);
    let text = String::from_utf8(outcome.gave().to_vec()).expect("it is text");
    assert_eq!(text.lines().count(), 3);
    sandbox.shell("umask 022; \"$SOLEKEY\" keygen >key.txt").is(
        0,
        "",
        "solekey: warning: the secret key goes to a file that other users may read; use -o FILE for a private one\n",
    );
    sandbox.shell("umask 077; \"$SOLEKEY\" keygen >private.txt").is_silent_success();
}

#[test]
fn a_key_file_is_never_overwritten() {
    let (sandbox, _) = Sandbox::with_key();
    let key = sandbox.read("key.txt");
    for _ in 0..2 {
        sandbox
            .run(["keygen", "-o", "key.txt"])
            .fails(1, "solekey: error: 'key.txt' already exists\nsolekey: hint: choose another name with -o\n");
    }
    let forced = sandbox.run(["keygen", "-f", "-o", "key.txt"]);
    assert_eq!((forced.status, forced.stdout.len()), (2, 0));
    symlink("key.txt", sandbox.path("link")).expect("the name is free");
    assert_eq!(sandbox.run(["keygen", "-o", "link"]).status, 1);
    assert_eq!(sandbox.read("key.txt"), key);
    assert_eq!(sandbox.names(), ["key.txt", "link"]);
}

#[test]
fn recipients_files_may_have_comments_empty_lines_and_either_line_ending() {
    let (sandbox, one) = Sandbox::with_key();
    let two = sandbox.keygen("key2.txt");
    sandbox.write("friends", format!("# friends\r\n\r\n  {one}  \r\n\n# {two}\n\t{two}"));
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-R", "friends", "x"]).is_silent_success();
    assert_eq!(stanza_types(&sandbox, "x.age"), ["X25519", "X25519"]);
    for key in ["key.txt", "key2.txt"] {
        sandbox.run(["decrypt", "-i", key, "-c", "x.age"]).is(0, "x", "");
    }
    sandbox.run_with(["encrypt", "-f", "-R", "-", "x"], one.as_bytes()).is_silent_success();
    assert_eq!(stanza_types(&sandbox, "x.age"), ["X25519"]);
}

#[test]
fn a_bad_recipient_is_reported_by_line_number_and_never_shown() {
    let (sandbox, recipient) = Sandbox::with_key();
    let secret = secret(&sandbox, "key.txt");
    sandbox.write("x", "x");
    let last = if recipient.ends_with('q') { 'p' } else { 'q' };
    let mistyped = format!("{}{last}", &recipient[..recipient.len() - 1]);
    for (line, said) in [
        (secret.as_str(), "not a recipient (it looks like a secret key)"),
        (&secret.to_lowercase(), "not a recipient (it looks like a secret key)"),
        (&mistyped, "the key's checksum is wrong; it was mistyped or cut off"),
        (&recipient[..40], "the key's checksum is wrong; it was mistyped or cut off"),
        ("hunter2", "not a recipient"),
        ("two words", "not a recipient"),
        ("ssh-ed25519 AAAA", "not a valid SSH public key: its base64 holds a key of another type, or none"),
        ("ecdsa-sha2-nistp256 AAA", "not a valid SSH public key: its base64 is mistyped or cut off"),
        (&"x".repeat(9000), "it is longer than 8 KiB, which no key is"),
        ("age1yubikey1q", "the key's checksum is wrong; it was mistyped or cut off"),
    ] {
        sandbox.write("friends", format!("# one\n{recipient}\n{line}\n"));
        let outcome = sandbox.run(["encrypt", "-R", "friends", "x"]);
        let hint = match () {
            () if said.contains("secret key") => PUBLIC,
            () if said == "not a recipient" => "solekey: hint: a recipient begins with age1, ssh-ed25519 or ssh-rsa\n",
            () if said.contains("8 KiB") => "",
            () => "solekey: hint: copy the whole key again\n",
        };
        outcome.fails(1, &format!("solekey: error: 'friends', line 3: {said}\n{hint}"));
        assert_eq!(sandbox.names(), ["friends", "key.txt", "x"]);
    }
    sandbox.write("friends", b"\xff\xfe\n");
    let outcome = sandbox.run(["encrypt", "-R", "friends", "x"]);
    outcome.fails(1, "solekey: error: 'friends', line 1: it is not text\n");
    sandbox.write("friends", "# nobody\n");
    let outcome = sandbox.run(["encrypt", "-R", "friends", "x"]);
    outcome.fails(1, "solekey: error: 'friends' names no recipients\n");
    let outcome = sandbox.run(["encrypt", "-R", "missing", "x"]);
    outcome.fails(1, "solekey: error: cannot read 'missing': No such file or directory\n");
}

#[test]
fn a_bad_identity_is_reported_by_line_number_and_never_shown() {
    let (sandbox, recipient) = Sandbox::with_key();
    let secret = secret(&sandbox, "key.txt");
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    for (line, said) in [
        (&secret[..60], "not a valid age secret key (mistyped or cut off)"),
        (&recipient, "not an identity (it looks like a public key)"),
        ("hunter2", "not an identity"),
    ] {
        sandbox.write("bad", format!("{secret}\n\n{line}\n"));
        let outcome = sandbox.run(["decrypt", "-c", "-i", "bad", "x.age"]);
        let hint = if said.contains("public") {
            "solekey: hint: name the file of its secret key; to encrypt to this one, name it with -R\n"
        } else {
            ""
        };
        outcome.fails(1, &format!("solekey: error: 'bad', line 3: {said}\n{hint}"));
    }
    sandbox.write("bad", "");
    let outcome = sandbox.run(["decrypt", "-c", "-i", "bad", "x.age"]);
    outcome.fails(1, "solekey: error: 'bad' has no identities\n");
    sandbox.run(["encrypt", "-f", "-i", "key.txt", "x"]).is_silent_success();
    let outcome = sandbox.run(["decrypt", "-c", "-i", "x.age", "x.age"]);
    outcome.fails(
        1,
        "solekey: error: cannot decrypt 'x.age': 'x.age' is an encrypted file, not a key file\n\
         solekey: hint: an identity file may be encrypted, but only with a passphrase\n",
    );
}

#[test]
fn a_secret_key_among_the_arguments_is_refused_and_never_shown() {
    let (sandbox, _) = Sandbox::with_key();
    let secret = secret(&sandbox, "key.txt");
    sandbox.write("x", "x");
    for secret in [secret.clone(), secret.to_lowercase(), format!("--recipient={secret}"), format!("-r{secret}")] {
        for arguments in [
            &["encrypt", "-r", &secret, "x"][..],
            &["decrypt", "-i", &secret, "x"],
            &[&secret],
            &["keygen", "-y", &secret],
        ] {
            sandbox.run(arguments).fails(2, NO_ECHO);
        }
    }
    assert_eq!(sandbox.names(), ["key.txt", "x"]);
}

#[test]
fn an_invalid_recipient_is_never_shown() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    let outcome = sandbox.run(["encrypt", "-r", "hunter2", "x"]);
    outcome.fails(
        2,
        "solekey: error: -r: not a recipient\nsolekey: hint: a recipient begins with age1, ssh-ed25519 or ssh-rsa\n",
    );
    let outcome = sandbox.run(["encrypt", "-r", &recipient[..50], "x"]);
    outcome.fails(2, &mistyped_recipient(&recipient));
    let outcome = sandbox.run(["encrypt", "-r", "key.txt", "x"]);
    outcome.fails(
        2,
        "solekey: error: a file is named with -r, which takes a key\n\
         solekey: hint: name the file with -R if it holds recipients, or with -i if it holds identities\n",
    );
    assert_eq!(sandbox.names(), ["key.txt", "x"]);
}

#[test]
fn a_recipient_named_twice_gets_one_stanza_and_a_warning() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("friends", format!("{recipient}\n"));
    sandbox.write("x", "x");
    let warning = format!("solekey: warning: {recipient} is named more than once; it gets one stanza\n");
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "-R", "friends", "-i", "key.txt", "x"]);
    outcome.is(0, "", &warning.repeat(2));
    assert_eq!(stanza_types(&sandbox, "x.age"), ["X25519"]);
}

#[test]
fn encrypting_without_recipients_is_misuse() {
    let (sandbox, _) = Sandbox::with_key();
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "x"]).fails(2, MISSING_RECIPIENTS);
    assert_eq!(sandbox.names(), ["key.txt", "x"]);
}

#[test]
fn a_passphrase_cannot_be_combined_with_recipients() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    for others in [["-r", &recipient], ["-R", "x"], ["-i", "key.txt"]] {
        let outcome = sandbox.run([&["encrypt", "-p", "x"], &others[..]].concat());
        assert_eq!((outcome.status, outcome.stdout.len()), (2, 0));
        let said = "solekey: error: the argument '--passphrase' cannot be used with '--";
        assert!(outcome.stderr.starts_with(said), "{}", outcome.stderr);
    }
    assert_eq!(sandbox.names(), ["key.txt", "x"]);
}

#[test]
fn standard_input_cannot_be_both_keys_and_data() {
    let (sandbox, recipient) = Sandbox::with_key();
    let said = "solekey: error: standard input cannot be both keys and data\n\
                solekey: hint: put one of them into a file\n";
    sandbox.run_with(["encrypt", "-R", "-"], recipient.as_bytes()).fails(2, said);
    sandbox.run_with(["encrypt", "-i", "-"], &sandbox.read("key.txt")).fails(2, said);
    sandbox.run_with(["decrypt", "-i", "-"], &sandbox.read("key.txt")).fails(2, said);
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    sandbox.run_with(["decrypt", "-i", "-", "-c", "x.age"], &sandbox.read("key.txt")).is(0, "x", "");
}

#[test]
fn a_passphrase_is_read_from_a_file_or_a_descriptor() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\r\nsecond line\n");
    sandbox.write("same", "correct horse");
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-p", "--passphrase-file", "pass", "x"]).is_silent_success();
    assert_eq!(stanza_types(&sandbox, "x.age"), ["scrypt"]);
    sandbox.shell("\"$SOLEKEY\" decrypt --passphrase-fd 7 -c x.age 7<same").is(0, "x", "");
    sandbox.shell("cat same | \"$SOLEKEY\" decrypt --batch --passphrase-fd 3 -c x.age 3<&0 </dev/null").is(0, "x", "");
}

#[test]
fn one_passphrase_opens_several_files() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\n");
    sandbox.write("a", "a");
    sandbox.write("b", "b");
    sandbox.run(["encrypt", "-p", "--passphrase-file", "pass", "a", "b"]).is_silent_success();
    for name in ["a", "b"] {
        fs::remove_file(sandbox.path(name)).expect("it exists");
    }
    // The passphrase can be read from a pipe only once.
    sandbox.shell("cat pass | \"$SOLEKEY\" decrypt --passphrase-fd 3 a.age b.age 3<&0 </dev/null").is_silent_success();
    assert_eq!((sandbox.text("a"), sandbox.text("b")), ("a".to_owned(), "b".to_owned()));
}

#[test]
fn an_invalid_passphrase_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("x", "x");
    let encrypt = |file: &str| sandbox.run(["encrypt", "-p", "--passphrase-file", file, "x"]);
    sandbox.write("empty", "\nsecond\n");
    encrypt("empty").fails(1, "solekey: error: the passphrase is empty\n");
    sandbox.write("binary", b"\xff\n");
    encrypt("binary").fails(1, "solekey: error: the passphrase in 'binary' is not UTF-8\n");
    sandbox.write("long", "x".repeat(5000));
    let said = "solekey: error: the first line of 'long' is longer than a passphrase may be, 4096 bytes\n";
    encrypt("long").fails(1, said);
    let said = "solekey: error: cannot read a passphrase from 'missing': No such file or directory\n";
    encrypt("missing").fails(1, said);
    sandbox.run(["encrypt", "-p", "--passphrase-fd", "0"]).fails(
        2,
        "solekey: error: --passphrase-fd 0 is standard input, which carries data\n\
         solekey: hint: use another descriptor, or a file\n",
    );
    assert_eq!(sandbox.names(), ["binary", "empty", "long", "x"]);
}

#[test]
fn a_passphrase_that_cannot_be_asked_for_exits_with_status_5() {
    if !installed(&["setsid"]) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\n");
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-p", "x"]).fails(
        5,
        &format!("solekey: error: a passphrase is needed, and there is no terminal to ask on\n{GIVE_PASSPHRASE}"),
    );
    sandbox.run(["encrypt", "-p", "--batch", "x"]).fails(
        5,
        &format!(
            "solekey: error: a passphrase is needed for the encryption, and --batch forbids asking\n{GIVE_PASSPHRASE}"
        ),
    );
    sandbox.write_protected("x.age", "x", "correct horse");
    sandbox.run(["decrypt", "-c", "x.age"]).fails(
        5,
        &format!(
            "solekey: error: cannot decrypt 'x.age': a passphrase is needed, and there is no terminal to ask on\n{GIVE_PASSPHRASE}"
        ),
    );
    sandbox.run(["decrypt", "--batch", "-c", "x.age"]).fails(
        5,
        &format!(
            "solekey: error: cannot decrypt 'x.age': a passphrase is needed for 'x.age', and --batch forbids asking\n\
             {GIVE_PASSPHRASE}"
        ),
    );
    assert_eq!(sandbox.names(), ["pass", "x", "x.age"]);
}

#[test]
fn an_identity_file_may_be_protected_by_a_passphrase() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("pass", "correct horse\n");
    sandbox.write("wrong", "battery staple\n");
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    sandbox.write_protected("binary", sandbox.read("key.txt"), "correct horse");
    sandbox.run(["encrypt", "-p", "--passphrase-file", "pass", "-a", "key.txt", "-o", "armored"]).is_silent_success();
    for name in ["binary", "armored"] {
        let decrypt = ["decrypt", "-c", "-i", name, "x.age", "--passphrase-file"];
        sandbox.run(decrypt.iter().chain(&["pass"])).is(0, "x", "");
        let said = format!("solekey: error: cannot decrypt 'x.age': cannot open '{name}': incorrect passphrase\n");
        sandbox.run(decrypt.iter().chain(&["wrong"])).fails(3, &said);
        let public = sandbox.run(["keygen", "-y", name, "--passphrase-file", "pass"]);
        public.is(0, &format!("{recipient}\n"), "");
    }
}

#[test]
fn ssh_keys_of_both_kinds_open_files_encrypted_to_them() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("pass", "correct horse\n");
    sandbox.write("wrong", "battery staple\n");
    sandbox.write("x", "x");
    for (name, options) in [
        ("ed", "-t ed25519 -N ''"),
        ("rsa", "-t rsa -b 2048 -N ''"),
        ("pem", "-t rsa -b 2048 -m PEM -N ''"),
        ("locked", "-t ed25519 -N 'correct horse'"),
        ("locked-rsa", "-t rsa -b 2048 -N 'correct horse'"),
    ] {
        let script = format!("ssh-keygen -q {options} -C somebody@example -f {name}");
        sandbox.shell(&script).is_silent_success();
        let public = sandbox.text(format!("{name}.pub"));
        sandbox.run(["encrypt", "-f", "-r", public.trim(), "x", "-o", "r.age"]).is_silent_success();
        sandbox.run(["encrypt", "-f", "-R", &format!("{name}.pub"), "x", "-o", "R.age"]).is_silent_success();
        for file in ["r.age", "R.age"] {
            let kind = if public.starts_with("ssh-rsa") { "ssh-rsa" } else { "ssh-ed25519" };
            assert_eq!(stanza_types(&sandbox, file), [kind]);
            let outcome = sandbox.run(["decrypt", "-c", "-i", name, "--passphrase-file", "pass", file]);
            outcome.is(0, "x", "");
            if name.starts_with("locked") {
                let outcome = sandbox.run(["decrypt", "-c", "-i", name, "--passphrase-file", "wrong", file]);
                let said =
                    format!("solekey: error: cannot decrypt '{file}': cannot open '{name}': incorrect passphrase\n");
                outcome.fails(3, &said);
                let outcome = sandbox.run(["decrypt", "-c", "-i", name, "--batch", file]);
                assert_eq!(outcome.status, 5);
            }
        }
    }
    // Stanzas follow the order of the command line, whatever the flags.
    sandbox.write("friends", format!("{recipient}\n"));
    let ed = sandbox.text("ed.pub");
    for (arguments, kinds) in [
        (["-r", ed.trim(), "-R", "rsa.pub", "-i", "key.txt"], ["ssh-ed25519", "ssh-rsa", "X25519"]),
        (["-i", "key.txt", "-R", "rsa.pub", "-r", ed.trim()], ["X25519", "ssh-rsa", "ssh-ed25519"]),
        (["-R", "rsa.pub", "-i", "ed", "-r", &recipient], ["ssh-rsa", "ssh-ed25519", "X25519"]),
    ] {
        sandbox.run([&["encrypt", "-f", "x", "-o", "m.age"], &arguments[..]].concat()).is_silent_success();
        assert_eq!(stanza_types(&sandbox, "m.age"), kinds);
        for key in ["key.txt", "ed", "rsa"] {
            sandbox.run(["decrypt", "-c", "-i", key, "m.age"]).is(0, "x", "");
        }
    }
    let public: Vec<_> = ed.split_whitespace().take(2).collect();
    sandbox.run(["keygen", "-y", "ed"]).is(0, &format!("{}\n", public.join(" ")), "");
}

#[test]
fn unsupported_ssh_keys_are_refused_with_a_reason() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    sandbox
        .shell("ssh-keygen -q -t ecdsa -N '' -f ecdsa; ssh-keygen -q -t rsa -b 1024 -N '' -f weak")
        .is_silent_success();
    let said = |line: &str| format!("solekey: error: {line}\n");
    sandbox.run(["encrypt", "-c", "-R", "ecdsa.pub", "x"]).fails(
        1,
        &said("'ecdsa.pub', line 1: SSH keys of type ecdsa-sha2-nistp256 cannot be encrypted to; ssh-ed25519 and ssh-rsa can"),
    );
    sandbox
        .run(["decrypt", "-c", "-i", "ecdsa", "x.age"])
        .fails(1, &said("'ecdsa': SSH private keys of this type are not supported; ssh-ed25519 and ssh-rsa are"));
    sandbox
        .run(["encrypt", "-c", "-R", "weak.pub", "x"])
        .fails(1, &said("'weak.pub', line 1: this RSA key is shorter than 2048 bits, which is too weak"));
    sandbox.shell("ssh-keygen -q -t ed25519 -N open -Z chacha20-poly1305@openssh.com -f chacha").is_silent_success();
    sandbox.run(["decrypt", "-c", "-i", "chacha", "x.age"]).fails(
        1,
        "solekey: error: 'chacha': SSH keys encrypted with chacha20-poly1305@openssh.com are not supported\n\
         solekey: hint: re-encrypt a copy of the key: ssh-keygen -p -Z aes256-ctr -f COPY\n",
    );
    let outcome = sandbox.run(["decrypt", "-c", "-i", "ecdsa.pub", "x.age"]);
    outcome.fails(
        1,
        "solekey: error: 'ecdsa.pub', line 1: not an identity (it looks like a public key)\n\
         solekey: hint: name the file of its secret key; to encrypt to this one, name it with -R\n",
    );
    let outcome = sandbox.run(["encrypt", "-c", "-R", "ecdsa", "x"]);
    outcome.fails(1, &(said("'ecdsa', line 1: not a recipient (it looks like a secret key)") + PUBLIC));
}

#[test]
fn a_key_file_may_be_a_pipe_that_its_writer_has_closed() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    let each = "(cat key.txt > pipe) & \"$SOLEKEY\" decrypt -i pipe -c x.age || exit 1";
    sandbox.shell(&format!("mkfifo pipe; for i in 1 2 3 4 5 6 7 8 9; do {each}; done")).is(0, &"x".repeat(9), "");
}

#[test]
fn keygen_exits_quietly_if_nobody_reads_the_public_key() {
    let (sandbox, _) = Sandbox::with_key();
    let script = "{ sleep 0.2; \"$SOLEKEY\" keygen -o new.txt; } | true; echo ${PIPESTATUS[0]}";
    sandbox.bash(script).is(0, "141\n", "");
    assert_eq!(sandbox.names(), ["key.txt", "new.txt"]);
}

#[test]
fn standard_input_can_supply_the_passphrase_if_it_carries_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.write("x", "text");
    let passphrase = b"correct horse\n";
    sandbox.run_with(["encrypt", "-p", "--passphrase-fd", "0", "x"], passphrase).is_silent_success();
    sandbox.run_with(["decrypt", "--passphrase-fd", "0", "-c", "x.age"], passphrase).is(0, "text", "");
    sandbox.run_with(["keygen", "-p", "--passphrase-fd", "0", "-o", "key"], passphrase).gave();
    let taken = "solekey: error: --passphrase-fd 0 is standard input, which carries data\nsolekey: hint: use another descriptor, or a file\n";
    sandbox.run_with(["decrypt", "--passphrase-fd", "0"], passphrase).fails(2, taken);
    sandbox.run_with(["decrypt", "--passphrase-fd", "0", "--files-from", "-"], passphrase).fails(2, taken);
    sandbox.run_with(["decrypt", "--passphrase-fd", "0", "-i", "-", "-o", "y", "x.age"], passphrase).fails(
        2,
        "solekey: error: standard input cannot be both keys and data\nsolekey: hint: put one of them into a file\n",
    );
}

#[test]
fn standard_input_under_another_name_cannot_be_both_data_and_secrets() {
    let (sandbox, recipient) = Sandbox::with_key();
    let public = format!("{recipient}\n");
    for name in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        // Reading the passphrase would consume more than the first line of the data to encrypt.
        let said = format!(
            "solekey: error: --passphrase-file '{name}' is standard input, which carries data\n\
             solekey: hint: use another descriptor, or a file\n"
        );
        let encrypt = ["encrypt", "-p", "--passphrase-file", name, "-o", "out.age"];
        sandbox.run_with(encrypt, b"correct horse\ndata").fails(2, &said);
        let said = "solekey: error: standard input cannot be both keys and data\n\
                    solekey: hint: put one of them into a file\n";
        sandbox.run_with(["encrypt", "-R", name, "-o", "out.age"], public.as_bytes()).fails(2, said);
        let twice = ["encrypt", "-R", name, "-R", "-", "-o", "out.age", "key.txt"];
        sandbox.run_with(twice, public.as_bytes()).fails(2, said);
        // If standard input carries nothing else, it is a file like any other.
        sandbox.run_with(["encrypt", "-R", name, "key.txt"], public.as_bytes()).is_silent_success();
        fs::remove_file(sandbox.path("key.txt.age")).expect("it exists");
    }
    sandbox.bash("printf 'p\\ndata' | \"$SOLEKEY\" encrypt -p --passphrase-fd 3 3<&0").fails(
        2,
        "solekey: error: --passphrase-fd 3 is standard input, which carries data\n\
         solekey: hint: use another descriptor, or a file\n",
    );
    assert_eq!(sandbox.names(), ["key.txt"]);
}

#[test]
fn a_byte_order_mark_in_a_key_file_is_reported() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("friends", format!("\u{feff}{recipient}\n"));
    sandbox
        .run_with(["encrypt", "-R", "friends"], b"")
        .fails(1, &format!("solekey: error: 'friends' begins with a byte order mark\n{SAVE_AS_UTF_8}"));
}

#[test]
fn an_identity_file_with_too_high_a_work_factor_is_refused_with_advice() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse");
    sandbox.write("key", "# a key\n");
    sandbox.write_protected("safe.txt", "# a key\n", "correct horse");
    let safe = sandbox.read("safe.txt");
    let end = 3 + safe.windows(4).position(|part| part[0] == b' ' && part[3] == b'\n').expect("the work factor ends");
    let harder = [&safe[..end - 2], b"23", &safe[end..]].concat();
    sandbox.write("safe.txt", harder);
    sandbox.write("x.age", safe);
    sandbox.run(["encrypt", "-i", "safe.txt", "--passphrase-file", "pass", "key"]).fails(
        1,
        "solekey: error: cannot open 'safe.txt': the passphrase's work factor is 2^23, more than the 2^22 that is allowed\n\
         solekey: hint: if you trust it, decrypt it first with --max-work-factor, and name the result\n",
    );
}
