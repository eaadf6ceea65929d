//! SSH keys in every format that OpenSSH and OpenSSL write or wrote, and public lines as people have them.

use crate::{
    requirements::installed,
    sandbox::{Outcome, Sandbox},
};

/// Who reads a private key besides solekey.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Age,
    AgeAndRage,
    /// They ask for its passphrase, or do not know its format.
    Nobody,
}

/// Names of private keys, the commands that make them, and who reads them. `K` is the key's name; `rsa` and `ed` are made first.
/// The passphrase of encrypted keys is `correct horse`.
const KEYS: [(&str, &str, Others); 26] = [
    ("openssh-ed25519", "cp ed K", Others::AgeAndRage),
    ("openssh-rsa", "cp rsa K", Others::AgeAndRage),
    ("openssh-rsa-4224", "ssh-keygen -q -t rsa -b 4224 -N '' -f K", Others::AgeAndRage),
    ("openssh-crlf", "sed 's/$/\\r/' rsa >K", Others::AgeAndRage),
    ("openssh-spaces", "sed 's/$/ \\t/' ed >K", Others::Age),
    ("openssh-encrypted", "cp ed K; ssh-keygen -q -p -P '' -N 'correct horse' -f K", Others::Nobody),
    (
        "openssh-aes128-ctr",
        "cp ed K; ssh-keygen -q -p -a 1 -Z aes128-ctr -P '' -N 'correct horse' -f K",
        Others::Nobody,
    ),
    (
        "openssh-aes192-ctr",
        "cp ed K; ssh-keygen -q -p -a 1 -Z aes192-ctr -P '' -N 'correct horse' -f K",
        Others::Nobody,
    ),
    (
        "openssh-aes256-cbc",
        "cp ed K; ssh-keygen -q -p -a 1 -Z aes256-cbc -P '' -N 'correct horse' -f K",
        Others::Nobody,
    ),
    (
        "openssh-rsa-gcm",
        "cp rsa K; ssh-keygen -q -p -a 1 -Z aes256-gcm@openssh.com -P '' -N 'correct horse' -f K",
        Others::Nobody,
    ),
    ("pkcs1", "cp rsa K; ssh-keygen -q -p -m PEM -P '' -N '' -f K", Others::AgeAndRage),
    ("pkcs1-crlf", "openssl rsa -in pkcs1 -traditional 2>/dev/null | sed 's/$/\\r/' >K", Others::AgeAndRage),
    ("pkcs1-spaces", "sed 's/$/   /' pkcs1 >K", Others::Age),
    ("pkcs1-ssh-keygen", "cp rsa K; ssh-keygen -q -p -m PEM -P '' -N 'correct horse' -f K", Others::Nobody),
    ("pkcs1-aes128", "openssl rsa -in pkcs1 -traditional -aes128 -passout file:pass -out K", Others::Nobody),
    ("pkcs1-aes192", "openssl rsa -in pkcs1 -traditional -aes192 -passout file:pass -out K", Others::Nobody),
    ("pkcs1-aes256", "openssl rsa -in pkcs1 -traditional -aes256 -passout file:pass -out K", Others::Nobody),
    ("pkcs1-3des", "openssl rsa -in pkcs1 -traditional -des3 -passout file:pass -out K", Others::Nobody),
    (
        "pkcs1-des",
        "openssl rsa -in pkcs1 -traditional -des -provider legacy -provider default -passout file:pass -out K",
        Others::Nobody,
    ),
    ("pkcs8-rsa", "cp rsa K; ssh-keygen -q -p -m PKCS8 -P '' -N '' -f K", Others::Age),
    ("pkcs8-ed25519", "openssl genpkey -algorithm ed25519 -out K", Others::Age),
    ("pkcs8-ssh-keygen", "cp rsa K; ssh-keygen -q -p -m PKCS8 -P '' -N 'correct horse' -f K", Others::Nobody),
    (
        "pkcs8-aes256",
        "openssl pkcs8 -topk8 -in pkcs8-ed25519 -v2 aes-256-cbc -passout file:pass -out K",
        Others::Nobody,
    ),
    (
        "pkcs8-sha1",
        "openssl pkcs8 -topk8 -in pkcs8-ed25519 -v2 aes-128-cbc -v2prf hmacWithSHA1 -passout file:pass -out K",
        Others::Nobody,
    ),
    ("pkcs8-3des", "openssl pkcs8 -topk8 -in pkcs8-ed25519 -v2 des3 -passout file:pass -out K", Others::Nobody),
    ("pkcs8-scrypt", "openssl pkcs8 -topk8 -in pkcs8-ed25519 -scrypt -passout file:pass -out K", Others::Nobody),
];

/// Creates a sandbox with two SSH keys, an age key and a passphrase, and a file for the age key.
fn prepared() -> Option<Sandbox> {
    if !installed(&["ssh-keygen", "openssl"]) {
        return None;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("pass", "correct horse\n");
    sandbox.write("x", "hello\n");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    let make = "ssh-keygen -q -t ed25519 -N '' -f ed && ssh-keygen -q -t rsa -b 2048 -N '' -f rsa";
    sandbox.shell(make).is_silent_success();
    Some(sandbox)
}

/// Makes a key of the table.
fn make(sandbox: &Sandbox, name: &str, command: &str) {
    let command = command.replace(" K", &format!(" {name}")).replace(">K", &format!(">{name}"));
    let outcome = sandbox.bash(&format!("{{ {command}; }} >/dev/null; chmod 600 {name}; test -s {name}"));
    assert_eq!(outcome.status, 0, "{name}: {outcome:?}");
}

/// Writes the public key of each key beside it. Those made from another key have that key's.
fn publish(sandbox: &Sandbox, name: &str) {
    let script = format!(
        "case {name} in openssh-rsa-4224) ;; *ed25519) ssh-keygen -y -f {name} >{name}.pub 2>/dev/null || \
         openssl pkey -in {name} -pubout -outform DER | tail -c 32 | \
         (printf '\\0\\0\\0\\13ssh-ed25519\\0\\0\\0\\40'; cat) | base64 -w0 | sed 's/^/ssh-ed25519 /' >{name}.pub;; \
         pkcs8-rsa|pkcs8-ssh*|pkcs1*|openssh-rsa|openssh-rsa-gcm|openssh-crlf) cp rsa.pub {name}.pub;; \
         pkcs8*) cp pkcs8-ed25519.pub {name}.pub;; *) cp ed.pub {name}.pub;; esac"
    );
    sandbox.bash(&script).is_silent_success();
}

#[test]
fn every_kind_of_private_key_opens_files_of_all_programs() {
    let Some(sandbox) = prepared() else { return };
    let programs: Vec<_> = ["age", "rage"].into_iter().filter(|program| installed(&[program])).collect();
    for (name, command, others) in KEYS {
        make(&sandbox, name, command);
        publish(&sandbox, name);
        let public = format!("{name}.pub");
        let open = |file: &str| sandbox.run(["decrypt", "-c", "-i", name, "--passphrase-file", "pass", file]);

        sandbox.run(["encrypt", "-f", "-R", &public, "-o", "ours.age", "x"]).is_silent_success();
        open("ours.age").is(0, "hello\n", "");
        sandbox.run(["encrypt", "-f", "-i", name, "-o", "symmetric.age", "x"]).is_silent_success();
        open("symmetric.age").is(0, "hello\n", "");
        for program in &programs {
            // rage refuses to encrypt to RSA keys of more than 4096 bits.
            if *program == "age" || name != "openssh-rsa-4224" {
                sandbox.shell(&format!("{program} -R {public} -o theirs.age x")).is_silent_success();
                open("theirs.age").is(0, "hello\n", "");
            }
            if others == Others::AgeAndRage || (others == Others::Age && *program == "age") {
                sandbox.shell(&format!("{program} -d -i {name} ours.age")).is(0, "hello\n", "");
            }
        }
    }
}

#[test]
fn the_passphrase_of_a_key_is_asked_for_only_if_the_file_names_that_key() {
    let Some(sandbox) = prepared() else { return };
    sandbox.shell("ssh-keygen -q -t rsa -b 2048 -N '' -f other").is_silent_success();
    for name in ["pkcs1-ssh-keygen", "pkcs8-ssh-keygen"] {
        let (_, command, _) = KEYS.into_iter().find(|(key, ..)| *key == name).expect("it is in the table");
        make(&sandbox, name, command);
        publish(&sandbox, name);
        for (public, status) in [("other.pub", 3), ("rsa.pub", 5)] {
            sandbox.run(["encrypt", "-f", "-R", public, "-o", "sealed.age", "x"]).is_silent_success();
            let outcome = sandbox.run(["decrypt", "-c", "--batch", "-i", name, "sealed.age"]);
            assert_eq!(outcome.status, status, "{outcome:?}");
        }
        sandbox.write("wrong", "battery staple\n");
        sandbox.run(["decrypt", "-c", "--passphrase-file", "wrong", "-i", name, "sealed.age"]).fails(
            3,
            &format!("solekey: error: cannot decrypt 'sealed.age': cannot open '{name}': incorrect passphrase\n"),
        );
        // The key is not that of the public key.
        sandbox.write(format!("{name}.pub"), sandbox.read("other.pub"));
        sandbox.run(["encrypt", "-f", "-R", "other.pub", "-o", "sealed.age", "x"]).is_silent_success();
        sandbox.run(["decrypt", "-c", "--passphrase-file", "pass", "-i", name, "sealed.age"]).fails(
            1,
            &format!(
                "solekey: error: cannot decrypt 'sealed.age': cannot open '{name}': the private key is not that of its \
                 public key file\n"
            ),
        );
        let both = ["decrypt", "-c", "--passphrase-file", "pass", "-i", name, "-i", "other", "sealed.age"];
        sandbox.run(both).is(0, "hello\n", "");
    }
}

#[test]
fn a_key_that_cannot_be_used_is_reported_only_if_no_other_key_opens_the_file() {
    let Some(sandbox) = prepared() else { return };
    sandbox.shell("ssh-keygen -q -t ecdsa -N '' -f ecdsa").is_silent_success();
    make(&sandbox, "pkcs1", "cp rsa K; ssh-keygen -q -p -m PEM -P '' -N '' -f K");
    make(&sandbox, "lone", "openssl rsa -in pkcs1 -traditional -aes128 -passout file:pass -out K");
    sandbox.write("damaged", sandbox.text("ed").replace("AAAA", "A"));
    let needs = "an SSH key encrypted in this format needs its public key beside it: cannot read 'lone.pub': \
                 No such file or directory";
    for (name, said, hint) in [
        ("ecdsa", "SSH private keys of this type are not supported; ssh-ed25519 and ssh-rsa are", ""),
        ("damaged", "not a valid SSH private key", ""),
        ("lone", needs, "solekey: hint: write it there: ssh-keygen -y -f KEY > KEY.pub\n"),
    ] {
        for keys in [["-i", name, "-i", "key.txt"], ["-i", "key.txt", "-i", name]] {
            sandbox.run([&["decrypt", "-c"], &keys[..], &["x.age"]].concat()).is(0, "hello\n", "");
        }
        sandbox
            .run(["decrypt", "-c", "-i", name, "x.age"])
            .fails(1, &format!("solekey: error: '{name}': {said}\n{hint}"));
        let outcome = sandbox.run(["decrypt", "-c", "-i", name, "-i", "ed", "x.age"]);
        assert_eq!(outcome.status, 3, "{outcome:?}");
        let left_out = format!("solekey: hint: one key could not be used: '{name}': {said}\n");
        assert!(outcome.stderr.contains(&left_out), "{outcome:?}");
    }
}

/// Opens a file that was encrypted to `list` with the key `ed`.
fn seal_to_list(sandbox: &Sandbox, list: &str) -> Outcome {
    sandbox.write("list", list);
    let sealed = sandbox.run(["encrypt", "-f", "-R", "list", "-o", "list.age", "x"]);
    if sealed.status != 0 {
        return sealed;
    }
    sandbox.run(["decrypt", "-c", "-i", "ed", "list.age"])
}

#[test]
fn public_lines_are_read_as_they_are_found() {
    let Some(sandbox) = prepared() else { return };
    let public = sandbox.text("ed.pub");
    let (kind, rest) = public.trim().split_once(' ').expect("a public key has a space");
    let (base64, _) = rest.split_once(' ').expect("ssh-keygen writes a comment");
    let age = sandbox.keygen("second.txt");
    for list in [
        format!("{kind} \t {base64}\n"),
        format!("{kind} {base64}\r\n# comment\r\n\r\n"),
        format!("{kind}\t{base64}\tsomebody # at a host\n"),
        format!("no-agent-forwarding,command=\"tar c | age -r \\\"ssh-rsa AAAA\\\"\" {kind} {base64} somebody\n"),
        format!("  {kind} {base64}\n{age} # a second key\n{age}\t#\r\n"),
    ] {
        let outcome = seal_to_list(&sandbox, &list);
        assert_eq!((outcome.status, outcome.stdout.as_slice()), (0, &b"hello\n"[..]), "{list}: {outcome:?}");
    }
    let cut = &base64[..base64.len() - 1];
    let wrong = if age.ends_with('q') { 'p' } else { 'q' };
    let mistyped = format!("{}{wrong}", &age[..age.len() - 1]);
    for (line, said) in [
        (
            format!("{age} alice"),
            "text follows the key\nsolekey: hint: put each key on a line of its own; a note goes after '#'",
        ),
        (
            format!("{age} {age}"),
            "text follows the key\nsolekey: hint: put each key on a line of its own; a note goes after '#'",
        ),
        (format!("{mistyped} # alice"), "the key's checksum is wrong; it was mistyped or cut off"),
        (kind.to_owned(), "not a valid SSH public key: nothing follows its type"),
        (format!("{kind} {cut}"), "not a valid SSH public key: its base64 is mistyped or cut off"),
        (format!("ssh-rsa {base64}"), "not a valid SSH public key: its base64 holds a key of another type, or none"),
    ] {
        let outcome = seal_to_list(&sandbox, &format!("# one\n{public}{line}\n"));
        let hint = if said.contains("hint") { "" } else { "solekey: hint: copy the whole key again\n" };
        outcome.fails(1, &format!("solekey: error: 'list', line 3: {said}\n{hint}"));
    }
}
