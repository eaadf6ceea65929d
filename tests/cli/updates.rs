//! Repeated backups: `--update` and `--skip-existing`.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use crate::sandbox::{CHUNK, Sandbox, data};

/// Creates a folder with a key, and a tree in `tree`. Also returns the recipient.
fn with_tree() -> (Sandbox, String) {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir_all(sandbox.path("tree/sub")).expect("the sandbox is writable");
    for (index, length) in [0, 1, 47, 48, 5000, CHUNK, CHUNK + 1].into_iter().enumerate() {
        sandbox.write(format!("tree/sub/{index}"), data(length));
    }
    (sandbox, recipient)
}

fn time_of(path: &Path) -> SystemTime {
    path.metadata().expect("the file exists").modified().expect("the system keeps times")
}

fn set_time(path: &Path, time: SystemTime) {
    let file = File::options().append(true).open(path).expect("the file exists");
    file.set_modified(time).expect("the system keeps times");
}

/// Changes a file's length, but not its time. Armor has groups of three bytes.
fn grow_unnoticed(sandbox: &Sandbox, name: &str) {
    let (path, bytes) = (sandbox.path(name), sandbox.read(name));
    let time = time_of(&path);
    sandbox.write(name, [&bytes[..], b"!!!"].concat());
    set_time(&path, time);
}

/// The words that `--json` has for the results, in order.
fn results(json: &[u8]) -> Vec<String> {
    let lines = String::from_utf8(json.to_vec()).expect("the output is UTF-8");
    let object = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("each line is an object");
    lines.lines().map(|line| object(line)["result"].as_str().unwrap_or("failed").to_owned()).collect()
}

fn counts(json: &[u8], word: &str) -> usize {
    results(json).iter().filter(|result| *result == word).count()
}

#[test]
fn a_repeated_backup_encrypts_what_is_new_or_changed_and_leaves_the_rest() {
    for armor in [&[][..], &["--armor"]] {
        let (sandbox, recipient) = with_tree();
        let backup = |more: &[&str]| {
            let base = ["encrypt", "-r", &recipient, "--recursive", "--update", "--json", "-O", "safe", "tree"];
            let outcome = sandbox.run([&base[..], armor, more].concat());
            assert_eq!((outcome.status, &outcome.stderr[..]), (0, ""));
            outcome.stdout
        };
        assert_eq!(counts(&backup(&[]), "encrypted"), 7);
        let before = sandbox.read("safe/tree/sub/4.age");
        assert_eq!(counts(&backup(&[]), "unchanged"), 7);
        assert_eq!(sandbox.read("safe/tree/sub/4.age"), before);

        // Another length, another time, an output that is cut, one that is missing, and a file that is new.
        grow_unnoticed(&sandbox, "tree/sub/2");
        set_time(&sandbox.path("tree/sub/3"), SystemTime::UNIX_EPOCH + Duration::from_nanos(1));
        let cut = sandbox.read("safe/tree/sub/4.age");
        let time = time_of(&sandbox.path("tree/sub/4"));
        sandbox.write("safe/tree/sub/4.age", &cut[1..]);
        set_time(&sandbox.path("safe/tree/sub/4.age"), time);
        fs::remove_file(sandbox.path("safe/tree/sub/5.age")).expect("the file exists");
        sandbox.write("tree/sub/7", "new");
        let json = backup(&[]);
        let done =
            ["unchanged", "unchanged", "encrypted", "encrypted", "encrypted", "encrypted", "unchanged", "encrypted"];
        assert_eq!(results(&json), done);

        // Other recipients make headers of another length.
        let other = sandbox.keygen("other.txt");
        assert_eq!(counts(&backup(&["-r", &other]), "encrypted"), 8);
        sandbox.run(["decrypt", "-i", "other.txt", "--recursive", "-O", "back", "safe"]).is_silent_success();
        for index in 0..8 {
            assert_eq!(sandbox.read(format!("back/safe/tree/sub/{index}")), sandbox.read(format!("tree/sub/{index}")));
        }
    }
}

#[test]
fn decrypting_again_leaves_what_is_there_and_never_replaces_newer_files() {
    let (sandbox, recipient) = with_tree();
    sandbox.run(["encrypt", "-r", &recipient, "--recursive", "-O", "safe", "tree"]).is_silent_success();
    let restore = |more: &[&str]| {
        let base = ["decrypt", "-i", "key.txt", "--recursive", "--update", "--json", "-O", "back", "safe"];
        sandbox.run([&base[..], more].concat())
    };
    assert_eq!(counts(restore(&[]).gave(), "decrypted"), 7);
    assert_eq!(counts(restore(&[]).gave(), "unchanged"), 7);
    grow_unnoticed(&sandbox, "back/safe/tree/sub/1");
    let old = sandbox.path("back/safe/tree/sub/2");
    set_time(&old, SystemTime::UNIX_EPOCH);
    sandbox.write("back/safe/tree/sub/3", "work of today");
    set_time(&sandbox.path("back/safe/tree/sub/3"), SystemTime::now() + Duration::from_secs(60));

    let outcome = restore(&[]);
    assert_eq!(outcome.status, 6);
    let json = results(&outcome.stdout);
    assert_eq!(json[..5], ["unchanged", "decrypted", "decrypted", "failed", "unchanged"]);
    let plain = sandbox.run(["decrypt", "-i", "key.txt", "--recursive", "--update", "-O", "back", "safe"]);
    assert_eq!(
        plain.stderr,
        "solekey: error: cannot decrypt 'safe/tree/sub/3.age': 'back/safe/tree/sub/3' is newer than 'safe/tree/sub/3.age'\n\
         solekey: hint: replace it with -f, or move it away\n"
    );
    assert_eq!(sandbox.read("back/safe/tree/sub/3"), b"work of today");
    assert_eq!(counts(restore(&["-f"]).gave(), "decrypted"), 1);
    assert_eq!(sandbox.read("back/safe/tree/sub/3"), sandbox.read("tree/sub/3"));
}

#[test]
fn what_is_skipped_is_not_deleted() {
    for (flag, word) in [("--update", "unchanged"), ("--skip-existing", "existed")] {
        let (sandbox, recipient) = with_tree();
        sandbox.run(["encrypt", "-r", &recipient, "--recursive", "tree"]).is_silent_success();
        sandbox.write("tree/sub/7", "new");
        let outcome = sandbox.run(["encrypt", "-r", &recipient, "--recursive", "--json", "--rm", flag, "tree"]);
        assert_eq!(counts(outcome.gave(), word), 7);
        assert!(!sandbox.path("tree/sub/7").exists() && sandbox.path("tree/sub/6").exists());
        let why = if word == "unchanged" { "it is unchanged" } else { "its output exists" };
        let outcome = sandbox.run(["encrypt", "-v", "-r", &recipient, flag, "tree/sub/6"]);
        assert_eq!(outcome.stderr, format!("solekey: skipped 'tree/sub/6': {why}\n"));
    }
}

#[test]
fn an_output_that_exists_is_skipped_whatever_it_is() {
    let (sandbox, recipient) = Sandbox::with_key();
    for name in ["file", "link", "folder"] {
        sandbox.write(name, name);
    }
    sandbox.write("file.age", "other");
    std::os::unix::fs::symlink("nowhere", sandbox.path("link.age")).expect("the sandbox is writable");
    let skip = |name| sandbox.run(["encrypt", "-r", &recipient, "--skip-existing", name]);
    skip("file").is_silent_success();
    skip("link").is_silent_success();
    assert_eq!(sandbox.read("file.age"), b"other");
    assert!(!sandbox.path("nowhere").exists());
    fs::create_dir(sandbox.path("folder.age")).expect("the sandbox is writable");
    skip("folder").fails(
        1,
        "solekey: error: 'folder.age' is a directory\nsolekey: hint: move it away, or name another folder with -O\n",
    );
    let update = sandbox.run(["encrypt", "-r", &recipient, "--update", "folder"]);
    update.fails(2, "solekey: error: 'folder.age' is a directory\nsolekey: hint: name a file in it\n");
}

#[test]
fn comparing_needs_files_that_can_be_compared() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("file", "file");
    for wrong in [&["--update", "--no-preserve"][..], &["--update", "-c"], &["--update", "--skip-existing"]] {
        let outcome = sandbox.run([&["encrypt", "-r", &recipient, "file"], wrong].concat());
        assert_eq!(outcome.status, 2, "{wrong:?}");
        assert!(!sandbox.path("file.age").exists());
    }
    let stream = sandbox.run_with(["encrypt", "-r", &recipient, "-a", "--update"], b"stream");
    stream.fails(
        2,
        "solekey: error: --update and --skip-existing look for existing files, and standard output is not one\n\
         solekey: hint: name an input file, and leave out -c and '-'\n",
    );
    let json = sandbox.run_with(["encrypt", "-r", &recipient, "-a", "--json"], b"stream");
    assert_eq!((json.status, results(&json.stdout)), (2, vec!["failed".to_owned()]));
    assert!(json.stderr.contains("--json and --dry-run print to standard output"), "{}", json.stderr);
}

#[test]
fn two_inputs_never_share_an_output_even_if_one_is_unchanged() {
    let (sandbox, recipient) = Sandbox::with_key();
    for (folder, text) in [("a", "one"), ("b", "another")] {
        fs::create_dir(sandbox.path(folder)).expect("the sandbox is writable");
        sandbox.write(format!("{folder}/x"), text);
    }
    let backup =
        |files: &[&str]| sandbox.run([&["encrypt", "-r", &recipient, "--update", "-T1", "-O", "safe"], files].concat());
    backup(&["a/x"]).is_silent_success();
    let before = sandbox.read("safe/x.age");
    let outcome = backup(&["a/x", "b/x"]);
    assert_eq!(outcome.status, 6);
    assert!(outcome.stderr.contains("would be the output of two inputs"), "{}", outcome.stderr);
    assert_eq!(sandbox.read("safe/x.age"), before);
}
