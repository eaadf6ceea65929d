//! Key files in daily life: the default one, protection by a passphrase, and passphrases that change.

use crate::{prompts::on_terminal, requirements::installed, sandbox::Sandbox};

#[test]
fn the_default_identity_is_made_in_private_folders_and_used() {
    let sandbox = Sandbox::new();
    let made = sandbox.run(["keygen", "--default"]);
    let file = ".config/solekey/identity.txt";
    let name = sandbox.path(file);
    assert_eq!(
        (made.status, made.stderr.clone()),
        (0, format!("solekey: the default identity is in '{}'\n", name.display()))
    );
    for (path, mode) in [(".config", 0o700), (".config/solekey", 0o700), (file, 0o600)] {
        assert_eq!(sandbox.mode(path) & 0o777, mode, "{path}");
    }
    let recipient = String::from_utf8(made.stdout).expect("it is a key");
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", recipient.trim(), "x"]).is_silent_success();
    sandbox.run(["decrypt", "-c", "x.age"]).is(0, "x", "");
    let before = sandbox.read(file);
    let path = sandbox.path(file);
    let path = path.display();
    sandbox.run(["keygen", "--default"]).fails(
        1,
        &format!(
            "solekey: error: '{path}' already exists\n\
             solekey: hint: nothing was changed; this prints its public key: solekey keygen -y '{path}'\n"
        ),
    );
    assert_eq!(sandbox.read(file), before);
}

#[test]
fn a_key_file_gets_a_passphrase_and_another_one_and_never_a_plain_copy() {
    let (sandbox, recipient) = Sandbox::with_key();
    for (name, passphrase) in [("one", "first passphrase\n"), ("two", "second passphrase\n")] {
        sandbox.write(name, passphrase);
    }
    let names = sandbox.names();
    let protect = |more: &[&str]| sandbox.run([&["keygen", "--protect", "key.txt"], more].concat());
    let plain = sandbox.read("key.txt");
    protect(&["--dry-run"]).is(0, "'key.txt' would get a new passphrase\n", "");
    assert_eq!(sandbox.read("key.txt"), plain);
    protect(&["--new-passphrase-file", "one"]).is_silent_success();
    assert!(sandbox.read("key.txt").starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"));
    assert_eq!((sandbox.mode("key.txt") & 0o777, sandbox.names()), (0o600, names));

    let once = sandbox.read("key.txt");
    let wrong = protect(&["--passphrase-file", "two", "--new-passphrase-file", "two"]);
    assert_eq!((wrong.status, sandbox.read("key.txt")), (3, once.clone()));
    protect(&["--passphrase-file", "one", "--new-passphrase-file", "two"]).is_silent_success();
    assert_ne!(sandbox.read("key.txt"), once);
    let public = sandbox.run(["keygen", "-y", "--passphrase-file", "two", "key.txt"]);
    public.is(0, &format!("{recipient}\n"), "");
    assert_eq!(sandbox.run(["keygen", "-y", "--passphrase-file", "one", "key.txt"]).status, 3);
}

#[test]
fn what_is_no_key_file_stays_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.write("one", "first passphrase\n");
    sandbox.write("notes", "no key\n");
    let protect = |name: &str| sandbox.run(["keygen", "--protect", name, "--new-passphrase-file", "one"]);
    assert_eq!(protect("notes").status, 1);
    assert_eq!(sandbox.run(["keygen", "--protect", "notes", "--dry-run"]).status, 1);
    assert_eq!(sandbox.read("notes"), b"no key\n");
    assert_eq!((protect("none").status, protect("/dev/null").status), (1, 2));
    if installed(&["ssh-keygen"]) {
        sandbox.shell("ssh-keygen -q -t ed25519 -N '' -f ed").is_silent_success();
        protect("ed").fails(
            2,
            "solekey: error: 'ed' is an SSH key, which has a protection of its own\n\
             solekey: hint: change its passphrase with ssh-keygen -p -f KEY\n",
        );
    }
    sandbox.run(["keygen", "--new-passphrase-file", "one"]).fails(
        2,
        "solekey: error: --new-passphrase-* changes the passphrase of a key file, and none is named\n\
         solekey: hint: name the key file with --protect\n",
    );
}

#[test]
fn rekey_changes_the_passphrase_of_a_file() {
    let sandbox = Sandbox::new();
    sandbox.write_protected("x.age", "text", "old one");
    sandbox.write("old", "old one\n");
    sandbox.write("new", "new one\n");
    sandbox
        .run(["rekey", "-p", "--passphrase-file", "old", "--new-passphrase-file", "new", "x.age"])
        .is_silent_success();
    sandbox.run(["decrypt", "-c", "--passphrase-file", "new", "x.age"]).is(0, "text", "");
    assert_eq!(sandbox.run(["decrypt", "-c", "--passphrase-file", "old", "x.age"]).status, 3);
    let alone = sandbox.run(["rekey", "-p", "-r", "age1x", "x.age"]);
    assert_eq!(alone.status, 2);
}

#[test]
fn a_key_on_the_terminal_is_explained_and_a_long_one_is_cut() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    let shown = |command: &str| String::from_utf8_lossy(&on_terminal(&sandbox, command, &[]).stdout).into_owned();
    let text = shown("\"$SOLEKEY\" keygen");
    assert!(
        text.starts_with("solekey: this is a secret key, and no file has it; 'solekey keygen -o key.txt'"),
        "{text}"
    );
    assert!(text.contains("AGE-SECRET-KEY-1"), "{text}");
    let text = shown("\"$SOLEKEY\" keygen --pq -o pq.txt");
    assert!(
        text.starts_with("age1pq1") && text.ends_with("... (the whole key is in 'pq.txt.pub')\n") && text.len() < 120,
        "{text}"
    );
    assert!(sandbox.text("pq.txt.pub").len() > 1900);
}

#[test]
fn completions_are_those_that_packages_install() {
    let sandbox = Sandbox::new();
    for (shell, file) in [
        ("bash", "solekey.bash"),
        ("elvish", "solekey.elv"),
        ("fish", "solekey.fish"),
        ("powershell", "_solekey.ps1"),
        ("zsh", "_solekey"),
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
        assert_eq!(
            sandbox.run(["completions", shell]).gave(),
            std::fs::read(path).expect("the script exists"),
            "{shell}"
        );
    }
    assert_eq!(sandbox.run(["completions", "cmd"]).status, 2);
}
