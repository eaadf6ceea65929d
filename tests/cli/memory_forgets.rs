//! Keys are erased from the program's memory as soon as they have been used.

#![cfg(target_os = "linux")]

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use age::{Identity as _, secrecy::ExposeSecret};
use bech32::primitives::decode::CheckedHrpstring;
use solekey::crypto::{Decryptor, PAYLOAD_NONCE};

use crate::{
    requirements::{installed, skip},
    sandbox::{SEGMENT, SOLEKEY, Sandbox, data, is_root, wait_until},
};

/// The name of a secret, and bytes that identify it in memory.
type Secret = (&'static str, Vec<u8>);

/// The secrets of an identity file with one key: its text, and its bytes as they are and as X25519 uses them.
fn identity(text: &str) -> Vec<Secret> {
    let line = text.lines().last().expect("the key is the last line");
    let decoded =
        CheckedHrpstring::new::<bech32::Bech32>(line).or_else(|_| CheckedHrpstring::new::<bech32::NoChecksum>(line));
    let key: Vec<u8> = decoded.expect("it is a key").byte_iter().collect();
    let mut clamped = key.clone();
    clamped[0] &= 248;
    clamped[31] = clamped[31] & 127 | 64;
    // Half a key is enough to recognize it, and the allocator may overwrite the first bytes of a freed block.
    let half = |bytes: &[u8]| bytes[16..].to_vec();
    vec![
        ("the identity's text", line[line.len() - 32..].into()),
        ("the identity", half(&key)),
        ("the identity, clamped", half(&clamped)),
    ]
}

/// The file key of a file, and the keys derived from it.
fn file_keys(identity: &str, mut file: &[u8]) -> Vec<Secret> {
    let identity: age::x25519::Identity =
        identity.lines().last().expect("the key is the last line").parse().expect("it is a key");
    let decryptor = Decryptor::read(&mut file).expect("it is an age file");
    let unwrapped = decryptor.header().stanzas().iter().find_map(|stanza| identity.unwrap_stanza(stanza));
    let key = unwrapped.expect("the file is encrypted to this identity").expect("its own stanza opens");
    let key = key.expose_secret();
    vec![
        ("the file key", key.to_vec()),
        ("the header's key", derived(key, &[], b"header")),
        ("the payload key", derived(key, &file[..PAYLOAD_NONCE], b"payload")),
    ]
}

/// Derives 32 bytes with HKDF-SHA-256.
fn derived(key: &[u8], salt: &[u8], info: &[u8]) -> Vec<u8> {
    use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
    let mut derived = vec![0; 32];
    let extracted = Salt::new(HKDF_SHA256, salt).extract(key);
    extracted.expand(&[info], HKDF_SHA256).and_then(|okm| okm.fill(&mut derived)).expect("32 bytes is a valid length");
    derived
}

/// A process with readable memory.
struct Memory {
    process: PathBuf,
}

impl Memory {
    /// Returns the name and address of each secret found in writable memory.
    fn holds(&self, secrets: &[Secret]) -> Vec<String> {
        let memory = File::open(self.process.join("mem")).expect("root may read any memory");
        let maps = || fs::read_to_string(self.process.join("maps")).expect("the process is running");
        let mut found = Vec::new();
        for map in maps().lines() {
            let mut words = map.split_whitespace();
            let (range, rights) =
                (words.next().expect("a mapping has a range"), words.next().expect("a mapping has permissions"));
            // Secrets can only be in writable memory.
            if !rights.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').expect("a range has two ends");
            let number = |text| u64::from_str_radix(text, 16).expect("it is a number");
            let (start, end) = (number(start), number(end));
            let mut bytes = vec![0; usize::try_from(end - start).expect("a mapping's size fits in usize")];
            if let Err(error) = memory.read_exact_at(&mut bytes, start) {
                // A thread that is ending may unmap its memory in the meantime.
                assert!(!maps().contains(range), "{map}: {error}");
                continue;
            }
            for (name, secret) in secrets {
                for at in memchr::memmem::find_iter(&bytes, secret) {
                    found.push(format!("{name} at {at:#x} in {map}"));
                }
            }
        }
        found
    }
}

/// Whether this process can read another one's memory. If not, the test counts as skipped.
fn can_read_memory() -> bool {
    let can = is_root() && installed(&["strace"]);
    if !can {
        skip("only root reads the memory of a program that keeps it private");
    }
    can
}

/// Starts the program and suspends it right before it exits.
fn stopped_at_its_end(sandbox: &Sandbox, arguments: &str) -> (Child, Memory) {
    stopped_at_its_end_from(sandbox, arguments, Path::new("/dev/null"))
}

/// Like [`stopped_at_its_end`], with a file as standard input.
fn stopped_at_its_end_from(sandbox: &Sandbox, arguments: &str, stdin: &Path) -> (Child, Memory) {
    let mut traced: Command = sandbox.detached("strace");
    traced.args(["-f", "-qq", "-o", "calls", "-e", "trace=exit_group", "-e", "inject=exit_group:delay_enter=60s"]);
    traced.arg(SOLEKEY).args(arguments.split(' '));
    traced.stdin(File::open(stdin).expect("it exists"));
    let tracer = traced.spawn().expect("strace starts");
    let children = format!("/proc/{0}/task/{0}/children", tracer.id());
    let exit_group = if cfg!(target_arch = "x86_64") { "231 " } else { "94 " };
    let mut process = PathBuf::new();
    wait_until("the program is done", || {
        let Ok(child) = fs::read_to_string(&children) else { return false };
        process = PathBuf::from(format!("/proc/{}", child.trim()));
        // strace first starts a copy of itself to probe its own abilities.
        let is_ours = fs::read(process.join("comm")).is_ok_and(|name| name == b"solekey\n");
        is_ours && fs::read_to_string(process.join("syscall")).is_ok_and(|call| call.starts_with(exit_group))
    });
    (tracer, Memory { process })
}

fn kill(mut child: Child, memory: &Memory) {
    let pid = memory.process.file_name().and_then(|pid| pid.to_str()?.parse().ok()).expect("it is a number");
    let pid = rustix::process::Pid::from_raw(pid).expect("the number is not zero");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it still runs");
    // strace would wait until the delay has passed.
    child.kill().expect("it still runs");
    child.wait().expect("the process can be waited for");
}

#[test]
fn memory_holds_only_the_payload_key_while_a_payload_is_sealed() {
    if !can_read_memory() {
        return;
    }
    let (sandbox, _) = Sandbox::with_key();
    let text = sandbox.text("key.txt");
    let mut command = sandbox.command(["encrypt", "-i", "key.txt"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    let memory = Memory { process: PathBuf::from(format!("/proc/{}", child.id())) };
    // Enough input to occupy every worker; then the program waits for more.
    let mut input = child.stdin.take().expect("it is a pipe");
    let mut output = child.stdout.take().expect("it is a pipe");
    let plaintext = data(9 * SEGMENT);
    let sender = std::thread::spawn(move || {
        input.write_all(&plaintext).expect("the reader is still open");
        input
    });
    let mut sealed = vec![0; 8 * SEGMENT];
    output.read_exact(&mut sealed).expect("the program is still writing");
    let input = sender.join().expect("the sender does not panic");

    let found = memory.holds(&identity(&text));
    assert!(found.is_empty(), "{found:#?}");
    let [file_key, header_key, payload_key] = file_keys(&text, &sealed).try_into().expect("there are three secrets");
    let found = memory.holds(&[file_key, header_key]);
    assert!(found.is_empty(), "{found:#?}");
    // The payload key is still in use. Finding it shows that the search works.
    assert!(!memory.holds(&[payload_key]).is_empty());
    drop(input);
    child.kill().expect("it has not been waited for");
    child.wait().expect("the process can be waited for");
}

/// Runs the program, and asserts that none of the `secrets` is in its memory when it exits.
///
/// `secrets` runs after the program has written its files, and may read them.
#[track_caller]
fn forgets(sandbox: &Sandbox, arguments: &str, secrets: impl FnOnce() -> Vec<Secret>) {
    let (child, memory) = stopped_at_its_end(sandbox, arguments);
    let found = memory.holds(&secrets());
    // The environment is not secret. Finding it shows that the search works.
    let environment = memory.holds(&[("the environment", b"SOLEKEY=".into())]);
    kill(child, &memory);
    assert!(found.is_empty(), "{arguments}: {found:#?}");
    assert!(!environment.is_empty());
}

#[test]
fn no_key_is_left_in_memory_when_a_command_ends() {
    if !can_read_memory() {
        return;
    }
    let (sandbox, _) = Sandbox::with_key();
    let text = sandbox.text("key.txt");
    sandbox.write("x", data(5 * SEGMENT));
    let friend = sandbox.keygen("friend.txt");
    sandbox.write("friend.pub", friend);
    let secrets = || [identity(&text), file_keys(&text, &sandbox.read("x.age"))].concat();
    forgets(&sandbox, "encrypt -i key.txt x", secrets);
    forgets(&sandbox, "decrypt -i key.txt -o y x.age", secrets);
    forgets(&sandbox, "inspect -i key.txt x.age", secrets);
    forgets(&sandbox, "verify -i key.txt x.age", secrets);
    forgets(&sandbox, "decrypt -i key.txt -o part --range 1:70000 x.age", secrets);
    forgets(&sandbox, "salvage -i key.txt -o whole x.age", secrets);
    forgets(&sandbox, "rekey --add --header-only -i key.txt -R friend.pub x.age", secrets);
    // With a single thread, and to a sequential output.
    forgets(&sandbox, "encrypt -f -T 1 -i key.txt x", secrets);
    forgets(&sandbox, "decrypt -T 1 -i key.txt -o /dev/null x.age", secrets);
}

#[test]
fn keys_from_standard_input_are_forgotten_too() {
    if !can_read_memory() {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    let text = sandbox.text("key.txt");
    sandbox.write("x", data(5 * SEGMENT));
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    let (child, memory) = stopped_at_its_end_from(&sandbox, "decrypt -i - -o y x.age", &sandbox.path("key.txt"));
    let found = memory.holds(&identity(&text));
    kill(child, &memory);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn post_quantum_keys_are_forgotten_too() {
    if !can_read_memory() {
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(["keygen", "--pq", "-o", "pq.txt"]).status, 0);
    let text = sandbox.text("pq.txt");
    sandbox.write("x", "secret");
    forgets(&sandbox, "encrypt -i pq.txt x", || identity(&text));
    forgets(&sandbox, "decrypt -i pq.txt -o y x.age", || identity(&text));
}

#[test]
fn a_protected_key_and_its_passphrase_are_both_forgotten() {
    if !can_read_memory() {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    let text = sandbox.text("key.txt");
    let passphrase = "a passphrase that nothing else contains";
    sandbox.write("pass", format!("{passphrase}\n"));
    sandbox.write("x", "secret");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    // The allocator overwrites the first bytes of a freed block.
    let middle = || vec![("the passphrase", passphrase.as_bytes()[16..32].to_vec())];
    // Not a key, so only the copies of the file's text have it.
    let comment = text.lines().next().expect("the file begins with a comment").as_bytes()[4..].to_vec();
    let secrets = || [identity(&text), middle(), vec![("the identity file", comment.clone())]].concat();
    forgets(&sandbox, "encrypt -p --passphrase-file pass -o locked key.txt", || {
        [middle(), vec![("the plaintext", comment.clone())]].concat()
    });
    forgets(&sandbox, "decrypt -i locked --passphrase-file pass -o y x.age", secrets);
}

#[test]
fn an_encrypted_ssh_key_and_its_passphrase_are_forgotten() {
    if !can_read_memory() || !installed(&["ssh-keygen", "base64"]) {
        return;
    }
    let sandbox = Sandbox::new();
    let passphrase = "a passphrase that nothing else contains";
    sandbox.write("pass", passphrase);
    sandbox.write("x", "secret");
    sandbox.shell("ssh-keygen -q -t ed25519 -N '' -f key; sed /^--/d key | base64 -d >plain").is_silent_success();
    let plain = sandbox.read("plain");
    // The public key is there twice, and once more after the private one.
    let start = plain.windows(4).rposition(|bytes| bytes == [0, 0, 0, 64]).expect("an Ed25519 key has 64 bytes") + 4;
    let secrets = || {
        let private = ("the private key", plain[start + 16..start + 32].to_vec());
        vec![private, ("the passphrase", passphrase.as_bytes()[16..32].to_vec())]
    };
    sandbox.run(["encrypt", "-R", "key.pub", "x"]).is_silent_success();
    forgets(&sandbox, "decrypt -i key -o y x.age", || vec![secrets().remove(0)]);
    for cipher in ["aes256-ctr", "aes256-gcm@openssh.com"] {
        let protect = format!("cp key {cipher}; ssh-keygen -q -p -a 1 -Z {cipher} -P '' -N '{passphrase}' -f {cipher}");
        assert_eq!(sandbox.shell(&protect).status, 0);
        forgets(&sandbox, &format!("decrypt -i {cipher} --passphrase-file pass -f -o y x.age"), secrets);
    }
}

#[test]
fn plaintext_is_forgotten() {
    if !can_read_memory() {
        return;
    }
    let (sandbox, _) = Sandbox::with_key();
    // Buffers for a short file come from the heap, where they stay mapped when they are freed.
    let plaintext = data(60_000);
    sandbox.write("x", &plaintext);
    let recipient = sandbox.keygen("other.txt");
    sandbox.write("x.pub", recipient);
    let secrets = || vec![("the plaintext", plaintext[30_000..30_032].to_vec())];
    forgets(&sandbox, "encrypt -i key.txt x", secrets);
    forgets(&sandbox, "encrypt -T 1 -a -i key.txt -o y x", secrets);
    forgets(&sandbox, "decrypt -i key.txt -o z x.age", secrets);
    forgets(&sandbox, "decrypt -i key.txt -o z2 y", secrets);
    forgets(&sandbox, "verify -i key.txt x.age", secrets);
    forgets(&sandbox, "decrypt -i key.txt --range 20000:30000 -o part x.age", secrets);
    forgets(&sandbox, "salvage -i key.txt -o whole x.age", secrets);
    forgets(&sandbox, "rekey --add -i key.txt -R x.pub x.age", secrets);
}

#[test]
fn a_new_key_is_forgotten() {
    if !can_read_memory() {
        return;
    }
    for options in ["keygen -o new.txt", "keygen --pq -o new.txt"] {
        let sandbox = Sandbox::new();
        forgets(&sandbox, options, || identity(&sandbox.text("new.txt")));
    }
    let (sandbox, _) = Sandbox::with_key();
    forgets(&sandbox, "keygen -y key.txt", || identity(&sandbox.text("key.txt")));
}
