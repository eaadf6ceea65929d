//! Damage is reported and stops the work, and unfinished work leaves nothing behind.

use std::{
    fs,
    io::Write,
    process::{Child, ChildStdin, Command, Stdio},
};

use crate::{
    requirements::{installed, skip},
    sandbox::{CHUNK, SEGMENT, Sandbox, data, feed, finish, is_root, numbers},
    texts::{FETCH_AGAIN, MISSING_IDENTITIES, NAME_MATCHING_IDENTITY, SALVAGE},
};

/// Bytes in a sealed chunk.
const SEALED: usize = CHUNK + 16;

/// Creates a folder with `key.txt`, and `plaintext` encrypted as `x.age`. Also returns the recipient and the encrypted bytes.
fn with_sealed(plaintext: &[u8]) -> (Sandbox, String, Vec<u8>) {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], plaintext).gave().to_vec();
    sandbox.write("x.age", &sealed);
    (sandbox, recipient, sealed)
}

#[test]
fn a_file_truncated_anywhere_leaves_no_output_and_keeps_an_existing_one() {
    let plaintext = data(2 * SEGMENT + 500);
    let (sandbox, _, sealed) = with_sealed(&plaintext);
    let lengths = numbers(20, sealed.len());
    for cut in lengths.into_iter().chain([1, 21, 22, 167, 168, 183, 184, sealed.len() - 1]) {
        sandbox.write("x.age", &sealed[..cut]);
        let outcome = sandbox.run(["decrypt", "-i", "key.txt", "x.age"]);
        assert_eq!((outcome.status, outcome.stdout.len()), (4, 0), "{cut}");
        assert!(outcome.stderr.starts_with("solekey: error: cannot decrypt 'x.age': "), "{}", outcome.stderr);
        assert_eq!(sandbox.names(), ["key.txt", "x.age"]);

        sandbox.write("x", "old");
        let outcome = sandbox.run(["decrypt", "-f", "-i", "key.txt", "x.age"]);
        assert_eq!((outcome.status, outcome.stdout.len()), (4, 0), "{cut}");
        assert_eq!(sandbox.text("x"), "old");
        assert_eq!(sandbox.names(), ["key.txt", "x", "x.age"]);
        fs::remove_file(sandbox.path("x")).expect("the file exists");
    }
}

#[test]
fn a_file_truncated_anywhere_writes_only_whole_chunks_to_standard_output() {
    let plaintext = data(2 * SEGMENT + 500);
    let (sandbox, _, sealed) = with_sealed(&plaintext);
    // Each takes up to a second: the end of a file that others follow is searched for in the last chunk.
    for cut in numbers(6, sealed.len()) {
        let outcome = sandbox.run_with(["decrypt", "-i", "key.txt"], &sealed[..cut]);
        assert_eq!(outcome.status, 4, "{cut}");
        assert!(plaintext.starts_with(&outcome.stdout), "{cut}");
        // Every whole chunk, and not a byte more.
        let chunks = cut.saturating_sub(184) / SEALED;
        assert_eq!(outcome.stdout.len(), chunks * CHUNK, "{cut}");
    }
}

#[test]
fn truncation_and_corruption_are_told_apart_and_released_bytes_are_reported() {
    let plaintext = data(3 * CHUNK);
    let (sandbox, _, sealed) = with_sealed(&plaintext);
    let kept = "solekey: hint: nothing was written to 'x'\n";
    let header = 184;
    for (bytes, said) in [
        (
            sealed[..header + 2 * SEALED].to_vec(),
            "the file is truncated: it ends after chunk 2, which is not its final one",
        ),
        (
            sealed[..header + 2 * SEALED + 100].to_vec(),
            "chunk 3, the last, failed authentication; the file is truncated or corrupted",
        ),
        (sealed[..header].to_vec(), "the file is truncated: it ends before its first chunk"),
    ] {
        sandbox.write("x.age", &bytes);
        let outcome = sandbox.run(["decrypt", "-i", "key.txt", "x.age"]);
        outcome.fails(4, &format!("solekey: error: cannot decrypt 'x.age': {said}\n{kept}{FETCH_AGAIN}"));
    }
    let released = sandbox.run_with(["decrypt", "-i", "key.txt"], &sealed[..header + 2 * SEALED]);
    assert_eq!(
        (released.status, released.stdout.len(), released.stderr),
        (
            4,
            2 * CHUNK,
            format!(
                "solekey: error: cannot decrypt standard input: the file is truncated: it ends after chunk 2, which is \
                 not its final one\nsolekey: hint: 131072 bytes had already been written to standard output; do not use \
                 them\n{FETCH_AGAIN}"
            )
        )
    );
    let mut flipped = sealed.clone();
    flipped[header + SEALED + 7] ^= 1;
    sandbox.write("x.age", &flipped);
    let said = "chunk 2 failed authentication; the file is corrupted or was tampered with";
    let outcome = sandbox.run(["decrypt", "-i", "key.txt", "x.age"]);
    outcome.fails(4, &format!("solekey: error: cannot decrypt 'x.age': {said}\n{kept}{SALVAGE}"));

    sandbox.write("x.age", [&sealed[..], b"more"].concat());
    let outcome = sandbox.run(["decrypt", "-i", "key.txt", "x.age"]);
    assert_eq!((outcome.status, outcome.stdout.len()), (4, 0));
    let said = "solekey: error: cannot decrypt 'x.age': chunk 4, the last, failed authentication; ";
    let also = "solekey: error: cannot decrypt 'x.age': data follows chunk 3, the final one; ";
    assert!(outcome.stderr.starts_with(said) || outcome.stderr.starts_with(also), "{}", outcome.stderr);
    assert_eq!(sandbox.names(), ["key.txt", "x.age"]);
}

#[test]
fn a_flipped_bit_anywhere_is_detected() {
    let plaintext = data(CHUNK + 100);
    let (sandbox, _, sealed) = with_sealed(&plaintext);
    for (index, place) in [0, 20, 30, 100, 160, 170].into_iter().chain(numbers(20, sealed.len())).enumerate() {
        let mut flipped = sealed.clone();
        flipped[place] ^= 4;
        sandbox.write("x.age", &flipped);
        let outcome = sandbox.run(["decrypt", "-i", "key.txt", "x.age"]);
        // An altered stanza may no longer match any identity.
        assert!(matches!(outcome.status, 3 | 4), "{place}: {outcome:?}");
        assert!(outcome.stdout.is_empty());
        assert_eq!(sandbox.names(), ["key.txt", "x.age"]);
        // From a pipe, a damaged chunk takes a second: the end of a file that others follow is searched for in it.
        if index < 9 {
            let outcome = sandbox.run_with(["decrypt", "-i", "key.txt"], &flipped);
            assert!(matches!(outcome.status, 3 | 4) && plaintext.starts_with(&outcome.stdout));
        }
    }
}

#[test]
fn files_in_other_formats_are_rejected() {
    let (sandbox, _) = Sandbox::with_key();
    for (bytes, said) in [
        (&b""[..], "not an age file: it is empty"),
        (b"hello\n", "not an age file"),
        (b"\x7fELF\x02\x01\x01", "not an age file"),
        (b"age-encryption.org/v2\n", "unsupported version of the age format: age-encryption.org/v2"),
        (b"age-encryption.org/v1\n", "malformed header, line 2: "),
        (b"age-encryption.org/v1\r\n", "malformed header, line 1: it ends in CR LF; "),
        (b"age-encryption.org/v1\n--- AAAA\n", "malformed header, line 2: the MAC is not "),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "malformed armor, line 2: the text ends before "),
    ] {
        sandbox.write("x.age", bytes);
        let outcome = sandbox.run(["decrypt", "-i", "key.txt", "x.age"]);
        assert_eq!((outcome.status, outcome.stdout.len()), (4, 0), "{said}");
        let start = format!("solekey: error: cannot decrypt 'x.age': {said}");
        assert!(outcome.stderr.starts_with(&start), "{}", outcome.stderr);
        assert_eq!(sandbox.names(), ["key.txt", "x.age"]);
    }
}

#[test]
fn errors_in_armor_name_the_line() {
    let (sandbox, recipient) = Sandbox::with_key();
    let armored = sandbox.run_with(["encrypt", "-a", "-r", &recipient], &data(5000));
    let armored = String::from_utf8(armored.gave().to_vec()).expect("armor is ASCII");
    let lines: Vec<&str> = armored.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let bad = [&lines[..8], &["!!!!"], &lines[9..]].concat();
    for (text, said) in [
        (joined(&lines[..lines.len() - 1]), format!("line {}: the text ends before ", lines.len())),
        (joined(&bad), "line 9: it is not canonical base64".to_owned()),
        (armored.clone() + "more\n", format!("line {}: text follows the armor's end", lines.len() + 1)),
        (joined(&[&lines[..5], &[""], &lines[5..]].concat()), "line 6: it does not have 1 to 64 characters".to_owned()),
    ] {
        sandbox.write("x.age", &text);
        let outcome = sandbox.run(["decrypt", "-i", "key.txt", "x.age"]);
        assert_eq!((outcome.status, outcome.stdout.len()), (4, 0), "{said}");
        let start = format!("solekey: error: cannot decrypt 'x.age': malformed armor, {said}");
        assert!(outcome.stderr.starts_with(&start), "expected {start}, got {}", outcome.stderr);
        assert_eq!(sandbox.names(), ["key.txt", "x.age"]);
    }
}

#[test]
fn the_error_for_a_wrong_identity_names_the_stanza_types() {
    let (sandbox, _, sealed) = with_sealed(b"x");
    sandbox.keygen("other.txt");
    let said = "none of these identities can open it; it is for: X25519 (an age1... key)";
    let outcome = sandbox.run(["decrypt", "-i", "other.txt", "x.age"]);
    outcome.fails(3, &format!("solekey: error: cannot decrypt 'x.age': {said}\n{NAME_MATCHING_IDENTITY}"));
    let outcome = sandbox.run_with(["decrypt", "-i", "other.txt"], &sealed);
    outcome.fails(3, &format!("solekey: error: cannot decrypt standard input: {said}\n{NAME_MATCHING_IDENTITY}"));
    assert_eq!(sandbox.names(), ["key.txt", "other.txt", "x.age"]);

    let outcome = sandbox.run(["decrypt", "x.age"]);
    outcome.fails(2, MISSING_IDENTITIES);
}

#[test]
fn a_wrong_passphrase_leaves_no_output() {
    let sandbox = Sandbox::new();
    sandbox.write("right", "correct horse\n");
    sandbox.write("wrong", "battery staple\n");
    let sealed = sandbox.run_with(["encrypt", "-p", "--passphrase-file", "right"], b"x");
    sandbox.write("x.age", sealed.gave());
    sandbox
        .run(["decrypt", "--passphrase-file", "wrong", "x.age"])
        .fails(3, "solekey: error: cannot decrypt 'x.age': incorrect passphrase\n");
    assert_eq!(sandbox.names(), ["right", "wrong", "x.age"]);
    sandbox.run(["decrypt", "--max-work-factor", "10", "--passphrase-file", "right", "x.age"]).fails(
        1,
        "solekey: error: cannot decrypt 'x.age': the passphrase's work factor is 2^18, more than the 2^10 that is \
         allowed\nsolekey: hint: if you trust the file, allow the work with --max-work-factor\n",
    );
    sandbox.run(["decrypt", "--passphrase-file", "right", "x.age"]).is_silent_success();
    assert_eq!(sandbox.text("x"), "x");
}

/// Starts a command that encrypts to `x`, and feeds it until the output is being written. The pipe stays open.
fn start_halfway(mut command: Command) -> (Child, ChildStdin) {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("standard input is piped");
    pipe.write_all(&data(8 * SEGMENT)).expect("the program reads its input");
    (child, pipe)
}

/// Kills encryptions to `x` halfway, with and without an existing file of that name.
fn signals_leave_nothing_behind(sandbox: &Sandbox, signals: &[(&str, i32)], encrypt: impl Fn() -> Command) {
    for old in [false, true] {
        for (signal, number) in signals {
            if old {
                sandbox.write("x", "old");
            }
            let (child, pipe) = start_halfway(encrypt());
            sandbox.shell(&format!("kill -{signal} {}", child.id())).is_silent_success();
            finish(child).fails(128 + number, "");
            drop(pipe);
            assert_eq!(sandbox.names().join(" "), if old { "key.txt x" } else { "key.txt" }, "{signal}");
            if old {
                assert_eq!(sandbox.text("x"), "old");
            }
        }
    }
}

#[test]
fn a_signal_leaves_nothing_behind() {
    let (sandbox, recipient) = Sandbox::with_key();
    let signals = [("INT", 2), ("TERM", 15), ("HUP", 1), ("KILL", 9)];
    let signals = if cfg!(target_os = "linux") { &signals[..] } else { &signals[..3] };
    signals_leave_nothing_behind(&sandbox, signals, || sandbox.command(["encrypt", "-f", "-r", &recipient, "-o", "x"]));
}

#[test]
fn a_signal_leaves_nothing_behind_where_partial_files_have_names() {
    if !is_root() || !installed(&["unshare"]) {
        return skip("only root may hide /proc");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    if sandbox.shell("unshare -m mount -t tmpfs none /proc").status != 0 {
        return skip("mounting is not permitted here");
    }
    // Without /proc, an unnamed file cannot be given a name.
    let script = format!("mount -t tmpfs none /proc && exec \"$SOLEKEY\" encrypt -f -r {recipient} -o x");
    let encrypt = || {
        let mut command = sandbox.detached("unshare");
        command.args(["-m", "sh", "-c", &script]);
        command
    };
    signals_leave_nothing_behind(&sandbox, &[("INT", 2), ("TERM", 15), ("HUP", 1)], encrypt);
    feed(encrypt(), b"whole").is_silent_success();
    assert_eq!(sandbox.names(), ["key.txt", "x"]);
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "x"]).is(0, "whole", "");
}

#[test]
fn a_closed_pipe_ends_the_program_silently() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("big", data(4 * SEGMENT));
    let script = format!("\"$SOLEKEY\" encrypt -c -r {recipient} big | head -c 1; echo \" ${{PIPESTATUS[0]}}\"");
    sandbox.bash(&script).is(0, "a 141\n", "");
    let script = format!("\"$SOLEKEY\" encrypt -r {recipient} <big | head -c 1; echo \" ${{PIPESTATUS[0]}}\"");
    sandbox.bash(&script).is(0, "a 141\n", "");

    sandbox.run(["encrypt", "-r", &recipient, "big"]).is_silent_success();
    let script = "\"$SOLEKEY\" decrypt -i key.txt <big.age | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}";
    sandbox.bash(script).is(0, "141\n", "");
    let script = "cat big.age | \"$SOLEKEY\" decrypt -i key.txt | head -c 1 >/dev/null; echo ${PIPESTATUS[1]}";
    sandbox.bash(script).is(0, "141\n", "");
    let script = "{ sleep 0.2; \"$SOLEKEY\" inspect --json big.age; } | true; echo ${PIPESTATUS[0]}";
    sandbox.bash(script).is(0, "141\n", "");
}

#[test]
#[cfg(target_arch = "x86_64")] // Other architectures open files with another system call.
fn a_closed_pipe_leaves_no_partial_file() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("big", data(4 * SEGMENT));
    // As on a file system without support for unnamed files.
    let script = format!(
        "strace -f -o calls -e inject=open:error=EOPNOTSUPP:when=1 \"$SOLEKEY\" encrypt --receipt r.json -c -r {recipient} big |
         head -c 1; echo \" ${{PIPESTATUS[0]}}\""
    );
    sandbox.bash(&script).is(0, "a 141\n", "");
    assert!(sandbox.text("calls").contains(".part"));
    assert_eq!(sandbox.names(), ["big", "calls", "key.txt"]);
}

#[test]
fn a_closed_pipe_ends_the_program_even_if_the_producer_stalls() {
    let (sandbox, recipient) = Sandbox::with_key();
    for threads in [2, 4] {
        let mut child = sandbox
            .command(["encrypt", "-T", &threads.to_string(), "-r", &recipient])
            .stdin(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut pipe = child.stdin.take().expect("standard input is piped");
        drop(child.stdout.take());
        // It may exit before it has read everything.
        let _ = pipe.write_all(&data(3 * SEGMENT));
        finish(child).fails(141, "");
        drop(pipe);
    }
}

#[test]
fn a_full_device_is_reported() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", data(3 * SEGMENT));
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "x", "-o", "/dev/full"]);
    let full = "solekey: error: cannot encrypt 'x': cannot write: No space left on device\n";
    outcome.fails(1, &format!("{full}solekey: hint: nothing was written to '/dev/full'\n"));
    let outcome = sandbox.shell(&format!("\"$SOLEKEY\" encrypt -c -r {recipient} x >/dev/full"));
    outcome.fails(1, &format!("{full}solekey: hint: nothing was written to standard output\n"));
    let outcome = sandbox.shell("\"$SOLEKEY\" keygen -o k >/dev/full");
    outcome
        .fails(1, "solekey: error: the key was made, but its public key cannot be printed: No space left on device\n");
    assert_eq!(sandbox.names(), ["k", "key.txt", "x"]);
}

#[test]
fn a_full_disk_leaves_no_partial_output() {
    if !is_root() || !installed(&["unshare"]) {
        return skip("only root may mount a small disk");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", data(4 * SEGMENT));
    fs::create_dir(sandbox.path("disk")).expect("the name is free");
    if sandbox.shell("unshare -m sh -c 'mount -t tmpfs -o size=1m none disk'").status != 0 {
        return skip("mounting is not permitted here");
    }
    let inside = format!(
        "mount -t tmpfs -o size=1m none disk; echo old >disk/old
         for name in new old; do \"$SOLEKEY\" encrypt -f -r {recipient} x -o disk/$name; echo $?; done
         cat disk/old; ls -A disk"
    );
    let outcome = sandbox.shell(&format!("unshare -m sh -c '{inside}'"));
    let full = "solekey: error: cannot encrypt 'x': cannot write: No space left on device\n";
    outcome.is(
        0,
        "1\n1\nold\nold\n",
        &format!(
            "{full}solekey: hint: nothing was written to 'disk/new'\n\
             {full}solekey: hint: 'disk/old' was left as it was\n"
        ),
    );
}

#[test]
fn a_file_size_limit_leaves_no_partial_output() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", data(4 * SEGMENT));
    let script = format!("ulimit -f 100; \"$SOLEKEY\" encrypt -r {recipient} x");
    sandbox.shell(&script).fails(
        1,
        "solekey: error: cannot encrypt 'x': cannot write: File too large\n\
         solekey: hint: nothing was written to 'x.age'\n",
    );
    assert_eq!(sandbox.names(), ["key.txt", "x"]);
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", data(SEGMENT));
    let script = format!(
        "mkfifo fifo; trap '' HUP; \"$SOLEKEY\" encrypt -r {recipient} -o y <fifo &
         exec 3>fifo; cat x >&3; kill -HUP $!; sleep 0.1; exec 3>&-; wait $!"
    );
    sandbox.shell(&script).is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-o", "z", "y"]).is_silent_success();
    assert!(sandbox.read("z") == data(SEGMENT));
}
