//! Keys and passphrases checked against an implementation that shares no code with this one: npm's `age-encryption`.
//!
//! `SOLEKEY_NPM` names a folder in which `npm install age-encryption` was run. Without it, these tests are skipped.

use std::{path::Path, process::Command};

use crate::{
    requirements::{skip, which},
    sandbox::{CHUNK, Sandbox, data, feed},
};

/// Runs a JavaScript module with `input` on standard input and returns its standard output.
///
/// Returns `None` if the other implementation is missing.
fn node(script: &str, arguments: &[&Path], input: &[u8]) -> Option<Vec<u8>> {
    let (Some(node), Some(folder)) = (which("node"), std::env::var_os("SOLEKEY_NPM")) else {
        skip("npm's age-encryption is missing: install it with npm in a folder and set SOLEKEY_NPM to that folder");
        return None;
    };
    let script = format!(
        "import {{ Encrypter, Decrypter }} from 'age-encryption'; import {{ readFileSync, writeSync }} from 'node:fs'; \
         const input = readFileSync(0), text = (at) => readFileSync(process.argv[at], 'utf8').trim(); \
         const write = (bytes) => {{ let at = 0; while (at < bytes.length) at += writeSync(1, bytes, at); }}; {script}"
    );
    let mut command = Command::new(node);
    command.current_dir(folder).args(["--input-type=module", "-e", &script]).args(arguments);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let outcome = feed(command, input);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    Some(outcome.stdout)
}

#[test]
fn keys_of_both_kinds_work_in_both_directions() {
    let plaintext = data(3 * CHUNK + 5);
    for flags in [&["--pq"][..], &[]] {
        let sandbox = Sandbox::new();
        let made = sandbox.run(["keygen", "-o", "key"].iter().chain(flags));
        sandbox.write("public", made.gave());

        let seal = "const e = new Encrypter(); e.addRecipient(text(1)); write(await e.encrypt(new Uint8Array(input)));";
        let Some(theirs) = node(seal, &[&sandbox.path("public")], &plaintext) else { return };
        assert_eq!(sandbox.run_with(["decrypt", "-i", "key"], &theirs).gave(), plaintext);

        let ours = sandbox.run_with(["encrypt", "-R", "public"], &plaintext);
        sandbox.write("secret", sandbox.text("key").lines().last().expect("the last line is the key"));
        let open = "const d = new Decrypter(); d.addIdentity(text(1)); write(await d.decrypt(new Uint8Array(input)));";
        assert_eq!(node(open, &[&sandbox.path("secret")], ours.gave()), Some(plaintext.clone()));
    }
}

#[test]
fn passphrases_work_in_both_directions() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "correct horse");
    let ours = sandbox.run_with(["encrypt", "-p", "--passphrase-file", "pass"], b"secret");
    let open = "const d = new Decrypter(); d.addPassphrase(text(1)); write(await d.decrypt(new Uint8Array(input)));";
    let Some(opened) = node(open, &[&sandbox.path("pass")], ours.gave()) else { return };
    assert_eq!(opened, b"secret");
    let seal = "const e = new Encrypter(); e.setPassphrase(text(1)); e.setScryptWorkFactor(12); \
                write(await e.encrypt(new Uint8Array(input)));";
    let theirs = node(seal, &[&sandbox.path("pass")], b"secret").expect("the other implementation ran just before");
    assert_eq!(sandbox.run_with(["decrypt", "--passphrase-file", "pass"], &theirs).gave(), b"secret");
}
