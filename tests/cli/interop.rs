//! Interoperation with age and rage, where they are installed: each program decrypts the files of the others.

use crate::{
    requirements::installed,
    sandbox::{LENGTHS, Outcome, Sandbox, data, feed},
};

/// The other implementations.
const OTHERS: [&str; 2] = ["age", "rage"];

/// Runs another implementation.
fn run(sandbox: &Sandbox, program: &str, arguments: &[&str], stdin: &[u8]) -> Outcome {
    let mut command = sandbox.detached(program);
    command.args(arguments);
    feed(command, stdin)
}

/// Exchanges data of these lengths with `other` in both directions, through pipes, armored and not.
fn exchange(sandbox: &Sandbox, other: &str, recipient: &str, identity: &str, lengths: &[usize]) {
    for length in lengths {
        let plaintext = data(*length);
        for armor in [&["-r", recipient][..], &["-a", "-r", recipient]] {
            let sealed = sandbox.run_with([&["encrypt"], armor].concat(), &plaintext);
            let opened = run(sandbox, other, &["-d", "-i", identity], sealed.gave());
            assert!(opened.gave() == plaintext, "to {other}: {length}");

            let sealed = run(sandbox, other, &[&["-e"], armor].concat(), &plaintext);
            assert_eq!(sealed.status, 0, "{}", sealed.stderr);
            let opened = sandbox.run_with(["decrypt", "-i", identity], &sealed.stdout);
            assert!(opened.gave() == plaintext, "from {other}: {length}");
        }
    }
}

#[test]
fn data_of_every_length_decrypts_in_both_directions() {
    for other in OTHERS.into_iter().filter(|other| installed(&[other])) {
        let (sandbox, recipient) = Sandbox::with_key();
        exchange(&sandbox, other, &recipient, "key.txt", &LENGTHS);
    }
}

#[test]
fn ssh_keys_work_in_both_directions() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let sandbox = Sandbox::new();
    for (name, options) in [("ed", "-t ed25519"), ("rsa", "-t rsa -b 2048")] {
        sandbox.shell(&format!("ssh-keygen -q {options} -N '' -f {name}")).is_silent_success();
        for other in OTHERS.into_iter().filter(|other| installed(&[other])) {
            let recipient = sandbox.text(format!("{name}.pub"));
            exchange(&sandbox, other, recipient.trim(), name, &[0, 1, LENGTHS[4]]);
        }
    }
}

#[test]
fn files_decrypt_in_both_directions() {
    for other in OTHERS.into_iter().filter(|other| installed(&[other])) {
        let (sandbox, recipient) = Sandbox::with_key();
        sandbox.keygen("second.txt");
        // No empty file, because age 1.1 creates no output for it.
        for length in LENGTHS.into_iter().filter(|length| *length > 0) {
            let plaintext = data(length);
            sandbox.write("x", &plaintext);
            sandbox.run(["encrypt", "-f", "-i", "second.txt", "-r", &recipient, "x"]).is_silent_success();
            run(&sandbox, other, &["-d", "-i", "key.txt", "-o", "theirs", "x.age"], b"").is_silent_success();
            assert!(sandbox.read("theirs") == plaintext, "to {other}: {length}");
            let sealed = run(&sandbox, other, &["-e", "-r", &recipient, "-o", "y.age", "x"], b"");
            assert_eq!(sealed.status, 0, "{}", sealed.stderr);
            sandbox.run(["decrypt", "-f", "-i", "key.txt", "y.age"]).is_silent_success();
            assert!(sandbox.read("y") == plaintext, "from {other}: {length}");
            for name in ["theirs", "y.age"] {
                std::fs::remove_file(sandbox.path(name)).expect("the file exists");
            }
        }
    }
}

#[test]
fn key_files_work_in_both_directions() {
    for keygen in ["age-keygen", "rage-keygen"].into_iter().filter(|keygen| installed(&[keygen])) {
        let (sandbox, recipient) = Sandbox::with_key();
        let theirs = run(&sandbox, keygen, &["-y", "key.txt"], b"");
        theirs.is(0, &format!("{recipient}\n"), "");
        let made = run(&sandbox, keygen, &["-o", "their.txt"], b"");
        assert_eq!(made.status, 0);
        let theirs = run(&sandbox, keygen, &["-y", "their.txt"], b"");
        sandbox.run(["keygen", "-y", "their.txt"]).is(0, &String::from_utf8_lossy(theirs.gave()), "");
    }
}

/// Returns an expect script that answers each passphrase prompt of `command` and exits with its status.
fn with_passphrase(command: &str) -> String {
    format!(
        r#"log_user 0
set timeout 100
# rage would ask in a window of its own.
set env(PINENTRY_PROGRAM) ""
spawn -noecho {command}
expect {{
  -nocase -re {{passphrase[^\n]*:}} {{ after 300; send "correct horse\r"; exp_continue }}
  timeout {{ exit 99 }}
  eof
}}
catch wait result
exit [lindex $result 3]
"#
    )
}

#[test]
fn passphrases_work_in_both_directions() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse\n");
    sandbox.write("x", "sealed under a passphrase");
    sandbox.run(["encrypt", "-p", "--passphrase-file", "pass", "x"]).is_silent_success();
    for other in OTHERS.into_iter().filter(|other| installed(&[other, "expect"])) {
        let expect = |command: &str| {
            sandbox.write("script", with_passphrase(command));
            run(&sandbox, "expect", &["script"], b"")
        };
        let opened = expect(&format!("{other} -d -o {other}.out x.age"));
        assert_eq!((opened.status, opened.stderr.as_str()), (0, ""), "to {other}");
        assert_eq!(sandbox.read(format!("{other}.out")), sandbox.read("x"));
        let sealed = expect(&format!("{other} -e -p -o {other}.age x"));
        assert_eq!((sealed.status, sealed.stderr.as_str()), (0, ""), "from {other}");
        let opened = sandbox.run(["decrypt", "-c", "--passphrase-file", "pass", &format!("{other}.age")]);
        opened.is(0, "sealed under a passphrase", "");
    }
}
