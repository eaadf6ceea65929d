//! Backups: many files, ranges, sparse outputs, read-back checks and verification.

use std::{
    fs,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use age::Identity as _;
use age_core::secrecy::ExposeSecret;
use solekey::crypto::{Encryptor, Recipient};

use crate::{
    requirements::{installed, skip, which},
    sandbox::{CHUNK, SEGMENT, SOLEKEY, Sandbox, data, feed, finish, is_root, os},
    texts::{FETCH_AGAIN, NAME_MATCHING_IDENTITY, OUTPUT_EXISTS},
};

/// Bytes in a sealed chunk.
const SEALED: u64 = CHUNK as u64 + 16;

/// Creates a folder with a key, and a tree of files of many lengths in `tree`. Also returns the recipient.
fn with_tree() -> (Sandbox, String) {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir_all(sandbox.path("tree/sub/empty")).expect("the sandbox is writable");
    for (index, length) in [0, 1, 5000, CHUNK, SEGMENT + 1, 2 * SEGMENT + 7].into_iter().enumerate() {
        sandbox.write(format!("tree/{index}"), data(length));
        sandbox.write(format!("tree/sub/{index}.x"), data(length + 3));
    }
    sandbox.set_mode("tree/1", 0o640);
    std::os::unix::fs::symlink("1", sandbox.path("tree/link")).expect("the sandbox is writable");
    (sandbox, recipient)
}

/// Lists all regular files in a folder and its subfolders: path, contents, mode, and modification time in seconds.
fn tree(folder: &Path) -> Vec<(String, Vec<u8>, u32, i64)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).expect("the folder exists") {
            let path = entry.expect("the folder can be listed").path();
            let metadata = path.symlink_metadata().expect("the file exists");
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_file() {
                let name =
                    path.strip_prefix(folder).expect("the path is inside the folder").to_string_lossy().into_owned();
                files.push((name, fs::read(&path).expect("the file is readable"), metadata.mode(), metadata.mtime()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_tree_round_trips_with_contents_modes_and_times() {
    let (sandbox, recipient) = with_tree();
    let before = tree(&sandbox.path("tree"));
    sandbox.run(["encrypt", "-r", &recipient, "--recursive", "-O", "safe", "tree"]).is(
        0,
        "",
        "solekey: warning: skipped in the folders: 1 link; -v names them\n",
    );
    let sealed = tree(&sandbox.path("safe/tree"));
    assert_eq!(sealed.len(), before.len());
    assert!(sealed.iter().all(|(name, ..)| name.ends_with(".age")));
    sandbox.run(["decrypt", "-i", "key.txt", "--recursive", "-O", "back", "safe"]).is_silent_success();
    assert_eq!(tree(&sandbox.path("back/safe/tree")), before);

    // In place, then again: files that are already encrypted are skipped.
    sandbox.run(["encrypt", "-r", &recipient, "--recursive", "tree"]).is_silent_success();
    let again = sandbox.run(["encrypt", "-r", &recipient, "-f", "--recursive", "tree"]);
    again.is_silent_success();
    assert_eq!(tree(&sandbox.path("tree")).len(), 2 * before.len());
    let verified = sandbox.run(["verify", "-i", "key.txt", "--recursive", "tree"]);
    let lines = String::from_utf8(verified.gave().to_vec()).expect("the output is UTF-8");
    assert_eq!(lines.lines().filter(|line| line.ends_with(".age: OK")).count(), before.len());
}

#[test]
fn reports_come_in_the_order_of_the_inputs_with_any_number_of_threads() {
    let (sandbox, recipient) = with_tree();
    sandbox.run(["encrypt", "-r", &recipient, "--recursive", "tree"]).is_silent_success();
    let mut bad = sandbox.read("tree/5.age");
    bad[200_000] ^= 1;
    sandbox.write("tree/5.age", &bad);
    let outcomes: Vec<_> = ["1", "2", "3", "8"]
        .map(|threads| {
            sandbox.run(["verify", "-i", "key.txt", "-T", threads, "--recursive", "tree", "none", "key.txt"])
        })
        .into();
    let first = &outcomes[0];
    assert_eq!(first.status, 6);
    let printed = String::from_utf8_lossy(&first.stdout);
    assert!(
        printed.contains("tree/4.age: OK\ntree/5.age: FAILED chunk 4 of 33: it is corrupted or was tampered with\n")
    );
    assert!(
        printed.ends_with("none: CANNOT OPEN No such file or directory\nkey.txt: FAILED not an age file\n"),
        "{printed}"
    );
    assert!(outcomes.iter().all(|outcome| outcome == first));
}

#[test]
fn names_in_a_list_end_in_newlines_or_zero_bytes() {
    let (sandbox, recipient) = Sandbox::with_key();
    let odd = os(b"line\nfeed \xff");
    sandbox.write(&odd, "odd");
    sandbox.write("plain", "plain");
    let encrypt = |list: &[u8], more: &[&str]| {
        let mut arguments = vec!["encrypt", "-r", &recipient, "--files-from", "-"];
        arguments.extend(more);
        sandbox.run_with(arguments, list)
    };
    encrypt(b"plain\n\n", &[]).is_silent_success();
    encrypt(b"line\nfeed \xff\0", &["-0"]).is_silent_success();
    assert_eq!(sandbox.names().len(), 5);
    // `-` in a list names a file. Taken as standard input, it would read the rest of the list as data.
    sandbox.write("-", "dash");
    encrypt(b"-\nplain\n", &["-f"]).is_silent_success();
    assert!(sandbox.names().contains(&"-.age".to_owned()));
    sandbox.write("list", "plain\ngone\n");
    let outcome = sandbox.run(["encrypt", "-f", "-r", &recipient, "--files-from", "list"]);
    outcome.fails(6, "solekey: error: cannot open 'gone': No such file or directory\n");
    let missing = sandbox.run(["encrypt", "-r", &recipient, "--files-from", "nowhere"]);
    missing.fails(1, "solekey: error: cannot read 'nowhere': No such file or directory\n");
}

#[test]
fn files_beside_the_inputs_do_not_affect_outputs_in_another_folder() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-O", "out", "x.age"]).is_silent_success();
    assert_eq!(sandbox.text("out/x"), "x");
    sandbox.run(["encrypt", "-r", &recipient, "--receipt", "out/receipt", "-O", "out", "x"]).is_silent_success();
    sandbox
        .run(["encrypt", "-r", &recipient, "-O", "out", "x"])
        .fails(1, &format!("solekey: error: 'out/x.age' already exists\n{OUTPUT_EXISTS}"));
    let outcome = sandbox.run_with(["encrypt", "-r", &recipient, "-O", "out"], b"x");
    assert_eq!(outcome.status, 2);
    assert!(outcome.stderr.starts_with("solekey: error: standard input has no name for an output in a folder\n"));
}

#[test]
fn key_files_in_use_are_never_deleted() {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir(sandbox.path("home")).expect("the sandbox is writable");
    sandbox.write("home/x", "x");
    sandbox.write("home/key.txt", sandbox.read("key.txt"));
    sandbox.set_mode("home/key.txt", 0o600);
    sandbox.run(["encrypt", "--rm", "--recursive", "-i", "home/key.txt", "home"]).fails(
        6,
        "solekey: error: 'home/key.txt' holds keys or the passphrase of this run, and --rm would delete it\n\
         solekey: hint: leave out --rm, or keep that file elsewhere\n",
    );
    sandbox.run(["decrypt", "-i", "home/key.txt", "-c", "home/x.age"]).is(0, "x", "");
    assert!(!sandbox.path("home/x").exists() && !sandbox.path("home/key.txt.age").exists());

    sandbox.write("word", "correct horse\n");
    fs::hard_link(sandbox.path("word"), sandbox.path("same")).expect("the sandbox is writable");
    assert_eq!(sandbox.run(["encrypt", "--rm", "-p", "--passphrase-file", "word", "same"]).status, 2);
    sandbox.write("friends", &recipient);
    assert_eq!(sandbox.run(["encrypt", "--rm", "-R", "friends", "friends"]).status, 2);
    sandbox.run(["encrypt", "-r", &recipient, "key.txt"]).is_silent_success();
    assert_eq!(sandbox.run(["decrypt", "--rm", "-i", "key.txt", "-o", "copy", "key.txt.age"]).status, 0);
}

#[test]
fn links_with_the_names_of_outputs_are_replaced_and_not_followed() {
    let (sandbox, recipient) = Sandbox::with_key();
    for more in [&["-T1"][..], &["-T8"], &["-O", "out"]] {
        for (file, text) in [("a", "first"), ("b", "second"), ("t", "")] {
            sandbox.write(file, text);
        }
        let links = "mkdir -p out; for link in a.age b.age; do ln -sf t $link; ln -sf ../t out/$link; done";
        sandbox.shell(links).is_silent_success();
        sandbox.run([&["encrypt", "-f", "--rm", "-r", &recipient], more, &["a", "b"]].concat()).is_silent_success();
        assert_eq!(sandbox.text("t"), "");
        let folder = more.get(1).map_or(".", |folder| folder);
        for (output, text) in [("a.age", "first"), ("b.age", "second")] {
            let opened = sandbox.run(["decrypt", "-i", "key.txt", "-c", &format!("{folder}/{output}")]);
            assert_eq!(opened.gave(), text.as_bytes());
        }
    }
}

#[test]
fn an_input_is_not_replaced_by_the_output_of_another() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("a", "first");
    sandbox.write("a.age", "read before it is replaced");
    for more in ["-T1", "-T8"] {
        let outcome = sandbox.run(["encrypt", "-f", more, "-r", &recipient, "a", "./a.age"]);
        outcome.fails(
            6,
            "solekey: error: 'a.age' would be both read and written\n\
             solekey: hint: give the outputs a folder of their own with -O\n",
        );
        assert_eq!(sandbox.text("a.age"), "read before it is replaced");
        assert_eq!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "a.age.age"]).gave(), b"read before it is replaced");
    }
    sandbox.run(["encrypt", "-f", "-r", &recipient, "-O", "out", "a", "a.age"]).is_silent_success();
}

#[test]
fn no_input_in_a_list_or_tree_is_replaced_by_the_output_of_another() {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir(sandbox.path("tree")).expect("the sandbox is writable");
    sandbox.write("tree/f", "inner");
    sandbox.run(["encrypt", "-r", &recipient, "-o", "tree/f.age", "tree/f"]).is_silent_success();
    sandbox.write("tree/f", "outer");
    sandbox.run(["encrypt", "-r", &recipient, "-o", "tree/f.age.age", "tree/f"]).is_silent_success();
    let inner = sandbox.read("tree/f.age");
    for (files, more) in [("--files-from list", "-T1"), ("--files-from list", "-T8"), ("--recursive tree", "-T8")] {
        for list in ["tree/f.age.age\ntree/f.age\n", "tree/f.age\ntree/f.age.age\n"] {
            sandbox.write("list", list);
            let outcome = sandbox.shell(&format!("\"$SOLEKEY\" decrypt -f -i key.txt {more} {files}"));
            outcome.fails(
                6,
                "solekey: error: 'tree/f.age' would be both read and written\n\
                 solekey: hint: give the outputs a folder of their own with -O\n",
            );
            assert!(sandbox.read("tree/f.age") == inner && sandbox.text("tree/f") == "inner", "{files}");
        }
    }
}

#[test]
fn a_missing_input_is_not_created_as_the_output_of_another() {
    let (sandbox, recipient) = Sandbox::with_key();
    for _ in 0..20 {
        sandbox.write("a", "first");
        sandbox.run(["encrypt", "-f", "-T8", "-r", &recipient, "a", "a.age"]).fails(
            6,
            "solekey: error: 'a.age' would be both read and written\n\
             solekey: hint: give the outputs a folder of their own with -O\n\
             solekey: error: cannot open 'a.age': No such file or directory\n",
        );
        assert_eq!(sandbox.names(), ["a", "key.txt"]);
    }
}

#[test]
fn partial_files_in_a_tree_are_skipped() {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir(sandbox.path("tree")).expect("the sandbox is writable");
    sandbox.write("tree/.solekey-Ab3dEf.part", "half");
    sandbox.write("tree/.solekey-notes", "whole");
    sandbox.run(["encrypt", "-r", &recipient, "--recursive", "-O", "out", "tree"]).is_silent_success();
    let made: Vec<_> = fs::read_dir(sandbox.path("out/tree")).expect("the folder exists").flatten().collect();
    assert_eq!(made.iter().map(|entry| entry.file_name()).collect::<Vec<_>>(), [".solekey-notes.age"]);
}

#[test]
fn two_inputs_with_the_same_output_are_refused_even_with_force() {
    let (sandbox, recipient) = Sandbox::with_key();
    for folder in ["a", "b"] {
        fs::create_dir(sandbox.path(folder)).expect("the sandbox is writable");
        sandbox.write(format!("{folder}/x"), folder);
    }
    let outcome = sandbox.run(["encrypt", "-f", "-T1", "-r", &recipient, "-O", "out", "a/x", "b/x"]);
    outcome.fails(
        6,
        "solekey: error: 'out/x.age' would be the output of two inputs\n\
         solekey: hint: give them different folders; --recursive and --files-from keep the folders of their files\n",
    );
    assert_eq!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "out/x.age"]).gave(), b"a");
}

#[test]
fn many_small_files_among_large_ones_all_round_trip() {
    let (sandbox, recipient) = Sandbox::with_key();
    let names: Vec<_> = (0..300).map(|index| format!("f{index}")).collect();
    for (index, name) in names.iter().enumerate() {
        sandbox.write(name, data(if index % 100 == 50 { 3 * SEGMENT } else { index }));
    }
    let with = |verb: &[&str], ending: &str| {
        let words = verb.iter().map(ToString::to_string);
        words.chain(names.iter().map(|name| format!("{name}{ending}"))).collect::<Vec<_>>()
    };
    sandbox.run(with(&["encrypt", "-T8", "--rm", "-r", &recipient], "")).is_silent_success();
    assert!(names.iter().all(|name| !sandbox.path(name).exists()), "all sources were deleted");
    sandbox.run(with(&["decrypt", "-T8", "--rm", "-i", "key.txt"], ".age")).is_silent_success();
    for (index, name) in names.iter().enumerate() {
        assert!(sandbox.read(name) == data(if index % 100 == 50 { 3 * SEGMENT } else { index }), "{name}");
    }
    assert_eq!(sandbox.names().len(), 301);
}

#[test]
fn only_files_with_outputs_that_can_be_read_back_are_deleted() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "secret");
    std::os::unix::fs::symlink("x", sandbox.path("link")).expect("the sandbox is writable");
    let outcome = sandbox.run_with(["encrypt", "--rm", "-r", &recipient, "-o", "out"], b"data");
    outcome
        .fails(2, "solekey: error: standard input is not a file that --rm can delete\nsolekey: hint: leave out --rm\n");
    let outcome = sandbox.run(["encrypt", "--rm", "-r", &recipient, "-o", "/dev/null", "x"]);
    outcome.fails(
        2,
        "solekey: error: '/dev/null' cannot be read back, as --check and --rm do\n\
         solekey: hint: write to a regular file, or leave out --check and --rm\n",
    );
    let outcome = sandbox.run(["encrypt", "--rm", "-r", &recipient, "link"]);
    outcome.is(0, "", "solekey: warning: 'link' was not deleted: it is a link\n");
    sandbox.run(["encrypt", "--check", "-a", "-r", &recipient, "-o", "x.asc", "x"]).is_silent_success();
    sandbox.run(["decrypt", "--rm", "-i", "key.txt", "-o", "y", "x.asc"]).is_silent_success();
    assert_eq!(sandbox.names(), ["key.txt", "link", "link.age", "x", "y"]);
}

#[test]
fn a_range_of_a_100_gib_file_reads_less_than_1_mib() {
    let (sandbox, public_key) = Sandbox::with_key();
    sandbox.run(["encrypt", "-r", &public_key, "key.txt"]).is_silent_success();
    let key: age::x25519::Identity = sandbox
        .text("key.txt")
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"))
        .and_then(|line| line.parse().ok())
        .expect("the file has a secret key");

    // All chunks but two are holes, so the file as a whole is not authentic, but ranges of those two are.
    let recipient: Recipient = key.to_public().to_string().parse().expect("a public key is a recipient");
    let encryptor = Encryptor::new([&recipient]).expect("one recipient is enough");
    let header = encryptor.header().as_bytes();
    let file_key = key
        .unwrap_stanzas(encryptor.header().stanzas())
        .expect("the stanza is for this key")
        .expect("the stanza is intact");
    let nonce = [7; 16];
    let chunk =
        |index: u64, last: bool, plaintext: &[u8]| seal(file_key.expose_secret(), &nonce, index, last, plaintext);
    let (middle, last) = (1_000_000, (100 << 30) / CHUNK as u64);
    let file = fs::File::create(sandbox.path("huge.age")).expect("the sandbox is writable");
    let place = |index: u64| header.len() as u64 + 16 + index * SEALED;
    let plaintext = data(CHUNK);
    file.write_all_at(&[header, &nonce].concat(), 0).expect("the file is writable");
    file.write_all_at(&chunk(middle, false, &plaintext), place(middle)).expect("the file is writable");
    file.write_all_at(&chunk(last, true, b"the end"), place(last)).expect("the file is writable");

    let range = format!("{}:1000", middle * CHUNK as u64 + 5);
    let decrypt = ["decrypt", "-i", "key.txt", "-c", "--range", &range, "huge.age"];
    assert!(sandbox.run(decrypt).gave() == &plaintext[5..1005]);
    let tail = format!("{}:", last * CHUNK as u64 + 4);
    assert_eq!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "--range", &tail, "huge.age"]).gave(), b"end");

    feed(sandbox.command(["decrypt", "-i", "key.txt", "--range", "0:1"]), &sandbox.read("key.txt.age")).fails(
        2,
        "solekey: error: cannot decrypt standard input: --range reads a part of the file, which pipes and armored files do not allow\n\
         solekey: hint: nothing was written to standard output\n\
         solekey: hint: put it into a regular file, or decrypt all of it\n",
    );

    if !installed(&["strace"]) {
        return;
    }
    let mut traced = sandbox.detached("strace");
    traced.args(["-f", "-y", "-o", "trace", "-e", "trace=read,pread64,readv,preadv"]).arg(SOLEKEY).args(decrypt);
    assert!(finish(traced.spawn().expect("strace starts")).gave() == &plaintext[5..1005]);
    let trace = String::from_utf8_lossy(&sandbox.read("trace")).into_owned();
    let counts = trace.lines().filter(|line| line.contains("huge.age>"));
    let read: u64 = counts.filter_map(|line| line.rsplit(" = ").next()?.trim().parse::<u64>().ok()).sum();
    assert!((1..1 << 20).contains(&read), "{read} bytes were read");
}

/// Seals a chunk as the specification says, independently of the program's own code.
fn seal(file_key: &[u8; 16], nonce: &[u8; 16], index: u64, last: bool, plaintext: &[u8]) -> Vec<u8> {
    use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
    use chacha20poly1305::{ChaCha20Poly1305, KeyInit, aead::Aead};
    let mut key = [0; 32];
    let extracted = Salt::new(HKDF_SHA256, nonce).extract(file_key);
    let expanded = extracted.expand(&[b"payload"], HKDF_SHA256).expect("HKDF can produce 32 bytes");
    expanded.fill(&mut key).expect("32 bytes were requested");
    let counter = [&[0; 3][..], &index.to_be_bytes(), &[u8::from(last)]].concat();
    let cipher = ChaCha20Poly1305::new_from_slice(&key).expect("the key is 32 bytes");
    cipher.encrypt(counter.as_slice().into(), plaintext).expect("the plaintext is short")
}

#[test]
fn an_invalid_range_is_a_usage_error() {
    let sandbox = Sandbox::new();
    for (range, fault) in [
        ("5", "it is not OFFSET:LENGTH or OFFSET:"),
        ("5x5:", "'5x5' is not a number of bytes, such as 4096, 4K or 1G"),
        (":5", "'' is not a number of bytes, such as 4096, 4K or 1G"),
        ("1Q:", "'Q' is not one of K, M, G and T"),
        ("99999999T:", "the number of bytes is too large"),
    ] {
        let outcome = sandbox.run(["decrypt", "--range", range]);
        assert_eq!(outcome.status, 2);
        assert!(outcome.stderr.contains(fault), "{}", outcome.stderr);
    }
}

#[test]
fn a_truncated_file_releases_nothing_if_its_end_can_be_read_first() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], &data(5 * SEGMENT)).gave().to_vec();
    let cut = &sealed[..3 * SEGMENT];
    sandbox.write("cut.age", cut);
    let from_file = sandbox.run(["decrypt", "-i", "key.txt", "-c", "cut.age"]);
    from_file.fails(
        4,
        &format!(
            "solekey: error: cannot decrypt 'cut.age': chunk 48, the last, failed authentication; the file is truncated or corrupted\n\
             solekey: hint: nothing was written to standard output\n{FETCH_AGAIN}"
        ),
    );
    let from_pipe = sandbox.run_with(["decrypt", "-i", "key.txt"], cut);
    assert_eq!((from_pipe.status, from_pipe.stdout.len()), (4, 47 * CHUNK));
}

#[test]
fn verify_first_authenticates_everything_before_writing() {
    let (sandbox, recipient) = Sandbox::with_key();
    let plaintext = data(3 * SEGMENT);
    let mut sealed = sandbox.run_with(["encrypt", "-r", &recipient], &plaintext).gave().to_vec();
    sandbox.write("x.age", &sealed);
    let verified = ["decrypt", "-i", "key.txt", "-c", "--verify-first", "x.age"];
    assert!(sandbox.run(verified).gave() == plaintext);
    sealed[2 * SEGMENT] ^= 1;
    sandbox.write("x.age", &sealed);
    let outcome = sandbox.run(verified);
    assert_eq!((outcome.status, outcome.stdout.len()), (4, 0));
    assert!(outcome.stderr.contains("hint: nothing was written to standard output\n"), "{}", outcome.stderr);
    let outcome = feed(sandbox.command(["decrypt", "-i", "key.txt", "--verify-first"]), &sealed);
    assert_eq!((outcome.status, outcome.stdout.len()), (2, 0));
}

#[test]
fn sparse_outputs_have_holes_only_for_zeros() {
    let (sandbox, recipient) = Sandbox::with_key();
    let mut plaintext = vec![0; 4 * SEGMENT + 100];
    for (at, byte) in [(0, 1), (4095, 2), (CHUNK, 3), (SEGMENT + 5000, 4), (3 * SEGMENT - 1, 5)] {
        plaintext[at] = byte;
    }
    let seal = ["encrypt", "-r", &recipient, "-o", "x.age"];
    sandbox.run_with(seal, &plaintext).is_silent_success();
    for threads in ["-T1", "-T3"] {
        let open = ["decrypt", "-f", "--sparse", threads, "-i", "key.txt", "x.age"];
        sandbox.run(open).is_silent_success();
        assert!(sandbox.read("x") == plaintext);
        let blocks = fs::metadata(sandbox.path("x")).expect("the file exists").blocks();
        assert!(blocks * 512 <= 64 * 1024, "{blocks} blocks");
    }
    sandbox
        .run(["decrypt", "-f", "--sparse", "--range", "1M:2M", "-i", "key.txt", "-o", "x", "x.age"])
        .is_silent_success();
    assert!(sandbox.read("x") == plaintext[SEGMENT..3 * SEGMENT]);
}

#[test]
fn verify_prints_a_line_or_a_json_object_for_each_file() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", data(CHUNK + 1));
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    sandbox.run(["verify", "-i", "key.txt", "x.age"]).is(0, "x.age: OK\n", "");
    sandbox.run(["verify", "-q", "-i", "key.txt", "x.age"]).is_silent_success();
    let sealed = sandbox.read("x.age");
    feed(sandbox.command(["verify", "-i", "key.txt"]), &sealed).is(0, "standard input: OK\n", "");
    let objects = sandbox.run(["verify", "--json", "-i", "key.txt", "x.age"]);
    objects.is(0, "{\"file\":\"x.age\",\"ok\":true,\"chunks\":2,\"payload\":65537}\n", "");
    sandbox.write("cut.age", &sealed[..sealed.len() - 17]);
    sandbox.run(["verify", "--json", "-i", "key.txt", "cut.age"]).is(
        4,
        "{\"file\":\"cut.age\",\"ok\":false,\"chunks\":1,\"chunk\":2,\"status\":4,\
         \"error\":\"the file is truncated: it ends after chunk 1, which is not its final one\",\"hints\":\
         [\"fetch the file again; without another copy, use 'solekey salvage' to recover the intact parts\"]}\n",
        "",
    );
    sandbox.keygen("other.txt");
    let other = sandbox.run(["verify", "-i", "other.txt", "x.age"]);
    other.is(
        3,
        "x.age: CANNOT OPEN none of these identities can open it; it is for: X25519 (an age1... key)\n",
        NAME_MATCHING_IDENTITY,
    );
    assert_eq!(sandbox.names(), ["cut.age", "key.txt", "other.txt", "x", "x.age"]);
}

#[test]
fn the_recipes_in_the_manual_work() {
    let (sandbox, recipient) = with_tree();
    sandbox.write("friends.txt", format!("{recipient}\n"));
    let before = tree(&sandbox.path("tree"));
    let recipes = [
        // An archive through a pipe, and back.
        "tar c tree | \"$SOLEKEY\" encrypt -R friends.txt -o tree.tar.age && \
         mkdir one && \"$SOLEKEY\" decrypt -i key.txt -c tree.tar.age | tar x -C one && diff -r tree one/tree",
        // A compressed stream, such as a database dump.
        "seq 100000 | gzip | \"$SOLEKEY\" encrypt -R friends.txt > dump.gz.age && \
         \"$SOLEKEY\" decrypt -i key.txt < dump.gz.age | gunzip | cmp - <(seq 100000)",
        // The remote side of a connection has only the recipients.
        "cat tree/5 | sh -c '\"$SOLEKEY\" encrypt -R friends.txt' | cat > far.age && \
         \"$SOLEKEY\" decrypt -i key.txt -c far.age | cmp - tree/5",
        // Volumes.
        "\"$SOLEKEY\" encrypt -R friends.txt -o - tree/5 | split -b 500K - volume. && \
         cat volume.* | \"$SOLEKEY\" decrypt -i key.txt | cmp - tree/5",
        // Several processes at once.
        "find tree -type f -print0 | xargs -0 -n 3 -P 4 \"$SOLEKEY\" encrypt -R friends.txt && \
         find tree -name '*.age' -print0 | \"$SOLEKEY\" verify -q -i key.txt -0 --files-from -",
        // A producer that fails must not pass for success.
        "if (set -o pipefail; (echo half; exit 7) | \"$SOLEKEY\" encrypt -R friends.txt -o half.age); then exit 1; fi",
    ];
    for recipe in recipes {
        if which("bash").is_none() {
            return skip("bash is not installed");
        }
        let outcome = sandbox.bash(&format!("set -e -o pipefail; {recipe}"));
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{recipe}");
    }
    let kept: Vec<_> = tree(&sandbox.path("tree")).into_iter().filter(|(name, ..)| !name.ends_with(".age")).collect();
    assert_eq!(kept, before);
}

#[test]
fn a_recursive_run_that_finds_no_files_says_so() {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir_all(sandbox.path("tree/empty")).expect("the sandbox is writable");
    let walk = |arguments: &[&str]| sandbox.run([arguments, &["--recursive", "tree"]].concat());
    let encrypted = "solekey: warning: nothing was done: no file name ends in .age\n";
    walk(&["decrypt", "-i", "key.txt"]).is(0, "", encrypted);
    walk(&["rekey", "-i", "key.txt", "-r", &recipient]).is(0, "", encrypted);
    let others = "solekey: warning: nothing was done: there are no files, or all names end in .age already\n";
    walk(&["encrypt", "-r", &recipient]).is(0, "", others);
    // Scripts that delete originals after verification rely on the status.
    let none = "solekey: error: nothing was verified: there was no file to verify\n\
        solekey: hint: --recursive looks for names that end in .age\n";
    walk(&["verify", "-i", "key.txt"]).fails(1, none);
    let list = sandbox.run_with(["verify", "-i", "key.txt", "--files-from", "-"], b"");
    assert_eq!((list.status, list.stdout.len()), (1, 0));
    // An empty list is normal: nothing may be new since the last backup.
    sandbox.run_with(["encrypt", "-r", &recipient, "--files-from", "-"], b"").is_silent_success();
}

#[test]
fn a_range_past_the_end_is_empty_and_gets_a_warning() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", data(CHUNK + 5));
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    let range = |range: &str| sandbox.run(["decrypt", "-i", "key.txt", "-c", "--range", range, "x.age"]);
    range("65541:").is_silent_success();
    range("65542:1").is(
        0,
        "",
        "solekey: warning: the range starts after the end of 'x.age', which holds 65541 bytes\n",
    );
}

#[test]
fn a_source_with_other_hard_links_is_deleted_with_a_warning() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    fs::hard_link(sandbox.path("x"), sandbox.path("y")).expect("the sandbox is writable");
    sandbox.run(["encrypt", "--rm", "-r", &recipient, "x"]).is(
        0,
        "",
        "solekey: warning: 'x' was deleted, but the file has other names (hard links), which still have its content\n",
    );
    assert_eq!(sandbox.names(), ["key.txt", "x.age", "y"]);
}

#[test]
fn a_list_that_cannot_be_read_gives_a_single_error() {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir(sandbox.path("folder")).expect("the sandbox is writable");
    for force in [&[][..], &["-f"]] {
        let outcome = sandbox.run([&["encrypt", "-r", &recipient, "--files-from", "folder"], force].concat());
        outcome.fails(1, "solekey: error: cannot read 'folder': Is a directory\n");
    }
}

#[test]
fn a_file_named_dash_can_be_written() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    sandbox.run(["encrypt", "-r", &recipient, "-o", "./-.age", "x"]).is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "--", "-.age"]).is_silent_success();
    sandbox.run_with(["decrypt", "-f", "-i", "key.txt", "--files-from", "-"], b"-.age\n").is_silent_success();
    assert_eq!(sandbox.names(), ["-", "-.age", "key.txt", "x"]);
    assert_eq!(sandbox.read("-"), b"text");
}

#[test]
fn new_folders_get_the_permissions_of_the_source_folders() {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir_all(sandbox.path("tree/private/deep")).expect("the sandbox is writable");
    sandbox.write("tree/private/deep/x", "text");
    sandbox.set_mode("tree/private", 0o500);
    sandbox.set_mode("tree", 0o750);
    sandbox.run(["encrypt", "-r", &recipient, "--recursive", "-O", "safe", "tree"]).is_silent_success();
    assert_eq!((sandbox.mode("safe/tree"), sandbox.mode("safe/tree/private")), (0o750, 0o700));
    assert_eq!(sandbox.mode("safe"), sandbox.mode("safe/tree/private/deep"));
    sandbox.set_mode("tree/private", 0o700);
}

#[test]
fn a_file_redirected_to_standard_input_passes_on_its_mode() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    sandbox.set_mode("x.age", 0o600);
    sandbox.shell("\"$SOLEKEY\" decrypt -i key.txt -o y < x.age").is_silent_success();
    assert_eq!(sandbox.mode("y"), 0o600);
}

#[test]
fn a_replacement_gets_no_more_permissions_than_the_old_file_had() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    for (old, source, new) in
        [(0o600, 0o644, 0o600), (0o644, 0o600, 0o600), (0o640, 0o664, 0o640), (0o777, 0o644, 0o644)]
    {
        sandbox.set_mode("x.age", source);
        for run in
            ["decrypt -f -i key.txt -o y x.age", "age -d -i key.txt -o y x.age", "salvage -f -i key.txt -o y x.age"]
        {
            sandbox.write("y", "old");
            sandbox.set_mode("y", old);
            if is_root() {
                std::os::unix::fs::chown(sandbox.path("y"), Some(12345), None).expect("root may change owners");
            }
            assert_eq!(sandbox.run(run.split(' ')).status, 0);
            // Under the name age, the mode comes from the umask, whatever the source's mode.
            let expected = if run.starts_with("age") { old & 0o644 } else { new };
            assert_eq!(
                (sandbox.mode("y"), sandbox.read("y")),
                (expected, b"text".to_vec()),
                "{old:o} {source:o} {run}"
            );
            let owner = fs::metadata(sandbox.path("y")).expect("the file exists").uid();
            assert!(!is_root() || owner == 12345, "{run}");
            fs::remove_file(sandbox.path("y")).expect("the file exists");
        }
    }
    sandbox.set_mode("x.age", 0o644);
    sandbox.shell("umask 077; \"$SOLEKEY\" decrypt --no-preserve -i key.txt -o y x.age").is_silent_success();
    assert_eq!(sandbox.mode("y"), 0o600);
    sandbox.shell("umask 077; \"$SOLEKEY\" age -d -i key.txt -o z x.age").is_silent_success();
    assert_eq!(sandbox.mode("z"), 0o600);
}

#[test]
fn a_list_with_the_other_terminator_is_a_usage_error() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.run_with(["encrypt", "-r", &recipient, "--files-from", "-"], b"x\0y\0").fails(
        2,
        "solekey: error: the names in the list are separated by zero bytes, not lines\nsolekey: hint: add -0\n",
    );
    sandbox.run(["encrypt", "-0", "-r", &recipient, "x"]).fails(
        2,
        "solekey: error: -0 applies to a list of names, and there is none\nsolekey: hint: name the list with --files-from\n",
    );
}

#[test]
fn a_replacement_does_not_inherit_an_owner_that_others_can_have_chosen() {
    if !is_root() {
        return skip("only root may give files away");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    fs::create_dir(sandbox.path("shared")).expect("the sandbox is writable");
    for (folder, folder_owner, owner) in
        [(0o1777, 0, 0), (0o777, 0, 0), (0o775, 0, 0), (0o755, 12345, 0), (0o755, 0, 12345), (0o1755, 0, 12345)]
    {
        sandbox.set_mode("shared", folder);
        std::os::unix::fs::chown(sandbox.path("shared"), Some(folder_owner), None).expect("root may change owners");
        sandbox.write("shared/y", "old");
        sandbox.set_mode("shared/y", 0o640);
        std::os::unix::fs::chown(sandbox.path("shared/y"), Some(12345), Some(12345)).expect("root may change owners");
        sandbox.run(["decrypt", "-f", "-i", "key.txt", "-o", "shared/y", "x.age"]).is_silent_success();
        let made = fs::metadata(sandbox.path("shared/y")).expect("the file exists");
        assert_eq!((made.uid(), made.gid()), (owner, owner), "{folder:o}");
        // The old group's permissions are not given to another group.
        assert_eq!(sandbox.mode("shared/y"), if owner == 0 { 0o600 } else { 0o640 }, "{folder:o}");
        fs::remove_file(sandbox.path("shared/y")).expect("the file exists");
    }
}

#[test]
fn verbose_names_the_files_that_a_walk_skips() {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir(sandbox.path("tree")).expect("the sandbox is writable");
    sandbox.write("tree/a", "a");
    sandbox.write("tree/b.age", "b");
    std::os::unix::fs::symlink("a", sandbox.path("tree/link")).expect("the sandbox is writable");
    let outcome = sandbox.run(["encrypt", "-v", "-r", &recipient, "--recursive", "-O", "out", "tree"]);
    assert_eq!(outcome.status, 0);
    for said in [
        "solekey: skipped 'tree/b.age': its name ends in .age\n",
        "solekey: skipped 'tree/link': it is a link\n",
        "solekey: warning: skipped in the folders: 1 link, 1 name that ends in .age; -v names them\n",
    ] {
        assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    }
    // Without -O, .age files are expected: an earlier run created them.
    sandbox.run(["encrypt", "-r", &recipient, "--recursive", "tree"]).is_silent_success();
}

#[test]
fn group_permissions_are_not_given_to_another_group() {
    use std::os::unix::{fs::chown, process::CommandExt};
    if !is_root() {
        return skip("only root may run programs as other users");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    for (name, group) in [(".", 12345), ("key.txt", 12345), ("x.age", 54321)] {
        chown(sandbox.path(name), Some(12345), Some(group)).expect("root may change owners");
    }
    for (mode, copied) in [(0o640, 0o600), (0o664, 0o644), (0o600, 0o600)] {
        sandbox.set_mode("x.age", mode);
        for old in ["y", "z"] {
            let _ = fs::remove_file(sandbox.path(old));
        }
        let mut command = std::process::Command::new(SOLEKEY);
        command.args(["decrypt", "-f", "-i", "key.txt", "-o", "y", "x.age"]).current_dir(sandbox.path("."));
        match command.uid(12345).gid(12345).status() {
            Ok(status) => assert!(status.success()),
            Err(error) => return skip(&format!("other users cannot run the program here: {error}")),
        }
        assert_eq!(sandbox.mode("y"), copied);
        // If the group stays the same, no permissions are removed.
        sandbox.run(["decrypt", "-f", "-i", "key.txt", "-o", "z", "x.age"]).is_silent_success();
        assert_eq!(sandbox.mode("z"), mode);
    }
}

#[test]
fn permissions_from_an_acl_are_not_given_to_the_group() {
    if !installed(&["setfacl"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    sandbox.write("old", "old");
    sandbox.shell("setfacl -m user:1001:rw,group::---,mask::rw,other::--- x old").is_silent_success();
    assert_eq!(sandbox.mode("x"), 0o660, "the group bits show the ACL mask");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    assert_eq!(sandbox.mode("x.age"), 0o600);
    // A replacement gives its group no more than the old file did.
    sandbox.set_mode("x.age", 0o664);
    sandbox.run(["decrypt", "-f", "-i", "key.txt", "-o", "old", "x.age"]).is_silent_success();
    assert_eq!(sandbox.mode("old"), 0o600);
    sandbox.shell("setfacl -m user:1001:rw,group::---,mask::rw,other::--- x.age").is_silent_success();
    sandbox.run(["rekey", "-i", "key.txt", "-r", &recipient, "x.age"]).is_silent_success();
    assert_eq!(sandbox.mode("x.age"), 0o600);
}
