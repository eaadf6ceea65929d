//! Input and output files: which are read, which are written, under which name and mode, and which are refused.

use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::MetadataExt,
    path::Path,
    thread,
};

use crate::{
    requirements::{installed, skip},
    sandbox::{LENGTHS, Outcome, Sandbox, data, feed, finish, os, unprivileged},
    texts::{CHOOSE_ANOTHER_OUTPUT, MISSING_RECIPIENTS, OUTPUT_EXISTS},
};

/// Creates a folder with `key.txt` and `note`, and returns it with the recipient.
fn with_note() -> (Sandbox, String) {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("note", "a note\n");
    (sandbox, recipient)
}

#[test]
fn data_of_every_length_round_trips_through_files() {
    let (sandbox, recipient) = Sandbox::with_key();
    for length in LENGTHS {
        for armor in [&[][..], &["-a"]] {
            let plaintext = data(length);
            sandbox.write("x", &plaintext);
            let arguments = ["encrypt", "-r", &recipient, "x"];
            sandbox.run(arguments.iter().chain(armor)).is_silent_success();
            fs::remove_file(sandbox.path("x")).expect("the file exists");
            sandbox.run(["decrypt", "-i", "key.txt", "x.age"]).is_silent_success();
            assert!(sandbox.read("x") == plaintext, "{length}");
            assert_eq!(sandbox.names(), ["key.txt", "x", "x.age"]);
            fs::remove_file(sandbox.path("x.age")).expect("the file exists");
        }
    }
}

#[test]
fn data_of_every_length_round_trips_through_pipes() {
    let (sandbox, recipient) = Sandbox::with_key();
    for length in LENGTHS {
        for armor in [&[][..], &["-a"]] {
            let plaintext = data(length);
            let arguments = ["encrypt", "-r", &recipient];
            let sealed = sandbox.run_with(arguments.iter().chain(armor), &plaintext);
            let opened = sandbox.run_with(["decrypt", "-i", "key.txt"], sealed.gave());
            assert!(opened.gave() == plaintext, "{length}");
        }
    }
    assert_eq!(sandbox.names(), ["key.txt"]);
}

#[test]
fn any_number_of_threads_decrypts_files_encrypted_with_any_other() {
    let (sandbox, recipient) = Sandbox::with_key();
    let plaintext = data(LENGTHS[8]);
    for threads in ["1", "2", "7", "0"] {
        let sealed = sandbox.run_with(["encrypt", "-r", &recipient, "-T", threads], &plaintext);
        for threads in ["1", "3"] {
            let opened = sandbox.run_with(["decrypt", "-i", "key.txt", "-T", threads], sealed.gave());
            assert!(opened.gave() == plaintext);
        }
    }
}

#[test]
fn each_of_many_files_gets_its_own_output_and_is_kept() {
    let (sandbox, recipient) = Sandbox::with_key();
    for name in ["a", "b.txt", "c.age"] {
        sandbox.write(name, name);
    }
    sandbox.run(["e", "-k", "-r", &recipient, "a", "b.txt", "c.age"]).is_silent_success();
    assert_eq!(sandbox.names(), ["a", "a.age", "b.txt", "b.txt.age", "c.age", "c.age.age", "key.txt"]);
    for name in ["a", "b.txt", "c.age"] {
        assert_eq!(sandbox.text(name), name);
        fs::remove_file(sandbox.path(name)).expect("the file exists");
    }
    sandbox.run(["d", "-i", "key.txt", "a.age", "b.txt.age", "c.age.age"]).is_silent_success();
    for name in ["a", "b.txt", "c.age"] {
        assert_eq!(sandbox.text(name), name);
    }
}

#[test]
fn a_file_in_a_folder_gets_its_output_beside_it() {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir(sandbox.path("folder")).expect("the name is free");
    sandbox.write("folder/x", "x");
    sandbox.run(["encrypt", "-r", &recipient, "folder/x"]).is_silent_success();
    assert!(sandbox.path("folder/x.age").is_file());
    assert_eq!(sandbox.names(), ["folder", "key.txt"]);
}

#[test]
fn writing_to_standard_output_creates_no_file() {
    let (sandbox, recipient) = with_note();
    let sealed = sandbox.run(["encrypt", "-c", "-r", &recipient, "note"]);
    assert!(sealed.gave().starts_with(b"age-encryption.org/v1\n"));
    for (arguments, file) in [(vec!["-c"], "x"), (vec!["-o", "-"], "x"), (vec!["--stdout"], "x")] {
        sandbox.write(file, sealed.gave());
        let opened = sandbox.run([&["decrypt", "-i", "key.txt", file], &arguments[..]].concat());
        opened.is(0, "a note\n", "");
    }
    assert_eq!(sandbox.names(), ["key.txt", "note", "x"]);
}

#[test]
fn a_dash_means_standard_input() {
    let (sandbox, recipient) = with_note();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient, "-"], b"piped");
    let opened = sandbox.run_with(["decrypt", "-i", "key.txt", "-o", "out", "-"], sealed.gave());
    opened.is_silent_success();
    assert_eq!(sandbox.text("out"), "piped");

    let both = sandbox.run_with(["encrypt", "-r", &recipient, "-", "note"], b"piped");
    assert!(both.gave().starts_with(b"age-encryption.org/v1\n"));
    assert!(sandbox.path("note.age").is_file());
    let twice = sandbox.run(["encrypt", "-r", &recipient, "-", "-"]);
    twice.fails(2, "solekey: error: standard input is named more than once\nsolekey: hint: name it once\n");
}

#[test]
fn several_inputs_are_refused_for_one_output() {
    let (sandbox, recipient) = with_note();
    sandbox.write("x", "x");
    for output in [&["-c"][..], &["-o", "out"]] {
        let outcome = sandbox.run([&["encrypt", "-r", &recipient, "note", "x"], output].concat());
        outcome.fails(
            2,
            "solekey: error: several inputs cannot go to one output\n\
             solekey: hint: leave out -o and -c: each file gets its own output beside it\n",
        );
    }
    assert_eq!(sandbox.names(), ["key.txt", "note", "x"]);
}

#[test]
fn an_existing_output_is_refused_and_kept() {
    let (sandbox, recipient) = with_note();
    sandbox.write("note.age", "old");
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "note"]);
    outcome.fails(1, &format!("solekey: error: 'note.age' already exists\n{OUTPUT_EXISTS}"));
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "note", "-o", "note.age"]);
    outcome.fails(1, &format!("solekey: error: 'note.age' already exists\n{OUTPUT_EXISTS}"));
    assert_eq!(sandbox.text("note.age"), "old");

    sandbox.run(["encrypt", "-f", "-r", &recipient, "note"]).is_silent_success();
    assert!(sandbox.read("note.age").starts_with(b"age-encryption.org/v1\n"));
    let outcome = sandbox.run(["decrypt", "-i", "key.txt", "note.age"]);
    outcome.fails(1, &format!("solekey: error: 'note' already exists\n{OUTPUT_EXISTS}"));
    assert_eq!(sandbox.names(), ["key.txt", "note", "note.age"]);
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let (sandbox, recipient) = with_note();
    sandbox.write("x", "x");
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "note", "missing", "x"]);
    outcome.fails(6, "solekey: error: cannot open 'missing': No such file or directory\n");
    assert_eq!(sandbox.names(), ["key.txt", "note", "note.age", "x", "x.age"]);
}

#[test]
fn files_that_all_fail_the_same_way_give_that_status() {
    let (sandbox, recipient) = with_note();
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "m1", "m2"]);
    outcome.fails(
        1,
        "solekey: error: cannot open 'm1': No such file or directory\n\
         solekey: error: cannot open 'm2': No such file or directory\n",
    );
    sandbox.write("e1.age", "");
    sandbox.write("e2.age", "");
    let outcome = sandbox.run(["decrypt", "-i", "key.txt", "e1.age", "e2.age"]);
    assert_eq!(outcome.status, 4);
    let outcome = sandbox.run(["decrypt", "-i", "key.txt", "e1.age", "m2.age"]);
    assert_eq!(outcome.status, 6, "the two files fail in different ways");
    assert_eq!(sandbox.names(), ["e1.age", "e2.age", "key.txt", "note"]);
}

#[test]
fn a_directory_is_refused_as_input() {
    let (sandbox, recipient) = with_note();
    fs::create_dir(sandbox.path("folder")).expect("the name is free");
    sandbox.run(["encrypt", "-r", &recipient, "folder"]).fails(
        2,
        "solekey: error: 'folder' is a directory\n\
         solekey: hint: add --recursive, or make one archive: tar c DIR | solekey encrypt -r KEY -o DIR.tar.age\n",
    );
    assert_eq!(sandbox.names(), ["folder", "key.txt", "note"]);
}

#[test]
fn a_directory_is_refused_as_output() {
    let (sandbox, recipient) = with_note();
    fs::create_dir(sandbox.path("note.age")).expect("the name is free");
    let hint = "solekey: hint: name a file in it\n";
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "note"]);
    outcome.fails(2, &format!("solekey: error: 'note.age' is a directory\n{hint}"));
    let outcome = sandbox.run(["encrypt", "-f", "-r", &recipient, "note", "-o", "note.age"]);
    outcome.fails(2, &format!("solekey: error: 'note.age' is a directory\n{hint}"));
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "note", "-o", "new/"]);
    outcome.fails(2, "solekey: error: 'new/' is the name of a directory, not of a file\nsolekey: hint: name a file\n");
    assert_eq!(sandbox.names(), ["key.txt", "note", "note.age"]);
}

#[test]
fn a_name_that_is_too_long_is_refused_before_any_prompt() {
    let (sandbox, _) = with_note();
    let name = "n".repeat(255);
    sandbox.write(&name, "x");
    // Without a terminal, a prompt would fail with status 5.
    let outcome = sandbox.run(["encrypt", "-p", &name]);
    outcome.fails(1, &format!("solekey: error: cannot create '{name}.age': File name too long\n"));
    let outcome = sandbox.run(["encrypt", "-p", "note", "-o", "missing/x"]);
    outcome.fails(
        1,
        "solekey: error: cannot create 'missing/x': No such file or directory\n\
         solekey: hint: the folder 'missing' is missing; create it with mkdir -p; only -O creates folders\n",
    );
    assert_eq!(sandbox.names(), ["key.txt", &name, "note"]);
}

#[test]
fn a_missing_output_folder_is_reported_and_not_created() {
    let (sandbox, recipient) = with_note();
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "note", "-o", "missing/x"]);
    outcome.fails(
        1,
        "solekey: error: cannot create 'missing/x': No such file or directory\n\
         solekey: hint: the folder 'missing' is missing; create it with mkdir -p; only -O creates folders\n",
    );
    assert_eq!(sandbox.names(), ["key.txt", "note"]);
}

#[test]
fn decrypting_a_file_not_named_age_needs_an_output_name() {
    let (sandbox, recipient) = with_note();
    sandbox.run(["encrypt", "-r", &recipient, "note", "-o", "sealed"]).is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "sealed"]).fails(
        2,
        "solekey: error: 'sealed' does not end in '.age', so the name of its output is not known\n\
         solekey: hint: name the output with -o FILE, or send it to standard output with -c\n",
    );
    sandbox.run(["decrypt", "-i", "key.txt", "sealed", "-o", "out"]).is_silent_success();
    assert_eq!(sandbox.text("out"), "a note\n");
}

#[test]
fn unusual_file_names_work() {
    let (sandbox, recipient) = Sandbox::with_key();
    for name in [&b"two words"[..], b"line\nfeed", b"caf\xe9", b"it's", b"\x1b[31m", b"-dash", b"--", b"*"] {
        let name = os(name);
        let with_age = [name.as_os_str(), ".age".as_ref()].concat_os();
        sandbox.write(&name, "x");
        let arguments = ["encrypt", "-r", &recipient, "--"].map(Into::into);
        sandbox.run(arguments.iter().chain([&name])).is_silent_success();
        fs::remove_file(sandbox.path(&name)).expect("the file exists");
        let arguments = ["decrypt", "-i", "key.txt", "--"].map(Into::into);
        sandbox.run(arguments.iter().chain([&with_age])).is_silent_success();
        assert_eq!(sandbox.text(&name), "x");
    }
}

/// Concatenation of file names.
trait ConcatOs {
    fn concat_os(&self) -> std::ffi::OsString;
}

impl ConcatOs for [&std::ffi::OsStr; 2] {
    fn concat_os(&self) -> std::ffi::OsString {
        let mut whole = self[0].to_owned();
        whole.push(self[1]);
        whole
    }
}

#[test]
fn a_name_with_a_leading_dash_is_a_flag_unless_it_is_given_as_a_path() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("-x", "x");
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "-x"]);
    outcome.fails(
        2,
        "solekey: error: unknown option '-x'\n\
         solekey: hint: if you mean the file '-x', write './-x'\n",
    );
    sandbox.run(["encrypt", "-r", &recipient, "./-x"]).is_silent_success();
    assert_eq!(sandbox.names(), ["-x", "-x.age", "key.txt"]);
}

#[test]
fn names_in_messages_are_escaped() {
    let (sandbox, recipient) = Sandbox::with_key();
    let name = os(b"a\nb\x1b[2J\xff'");
    let arguments = ["encrypt", "-r", &recipient].map(Into::into);
    let outcome = sandbox.run(arguments.iter().chain([&name]));
    let escaped = r"'a\nb\u{1b}[2J\xff\''";
    outcome.fails(1, &format!("solekey: error: cannot open {escaped}: No such file or directory\n"));
}

#[test]
fn an_unreadable_file_is_reported() {
    let script =
        "./solekey keygen -o key.txt >public; echo secret >note; chmod 200 note; ./solekey encrypt -R public note";
    let Some((sandbox, outcome)) = unprivileged(script) else { return };
    outcome.fails(1, "solekey: error: cannot open 'note': Permission denied\n");
    assert_eq!(sandbox.names(), ["key.txt", "note", "public", "script", "solekey"]);
}

#[test]
fn an_unwritable_output_folder_is_reported() {
    let script = "./solekey keygen -o key.txt >public; mkdir folder; chmod 500 folder; echo secret >note; \
                  ./solekey encrypt -R public note -o folder/x";
    let Some((_, outcome)) = unprivileged(script) else { return };
    outcome.fails(1, "solekey: error: cannot create 'folder/x': Permission denied\n");
}

#[test]
fn a_link_as_output_stays_a_link() {
    let (sandbox, recipient) = with_note();
    fs::create_dir(sandbox.path("folder")).expect("the name is free");
    sandbox.write("target", "old");
    for (target, link) in [("target", "link"), ("link", "chain"), ("folder/new", "dangling"), ("dangling", "dangling2")]
    {
        std::os::unix::fs::symlink(target, sandbox.path(link)).expect("the name is free");
    }
    let seal = |output| sandbox.run(["encrypt", "-f", "-r", &recipient, "note", "-o", output]);
    let refused = sandbox.run(["encrypt", "-r", &recipient, "note", "-o", "link"]);
    refused.fails(1, &format!("solekey: error: 'link' already exists\n{OUTPUT_EXISTS}"));
    assert_eq!(sandbox.text("target"), "old");
    for output in ["link", "chain"] {
        sandbox.write("target", "old");
        seal(output).is_silent_success();
        assert!(sandbox.read("target").starts_with(b"age-encryption.org/v1\n"));
    }
    seal("dangling2").is_silent_success();
    assert!(sandbox.read("folder/new").starts_with(b"age-encryption.org/v1\n"));
    for link in ["link", "chain", "dangling", "dangling2"] {
        assert!(sandbox.path(link).is_symlink(), "{link}");
    }
    assert_eq!(fs::read_dir(sandbox.path("folder")).expect("the folder exists").count(), 1);
}

#[test]
fn a_loop_of_links_is_refused() {
    let (sandbox, recipient) = with_note();
    std::os::unix::fs::symlink("l2", sandbox.path("l1")).expect("the name is free");
    std::os::unix::fs::symlink("l1", sandbox.path("l2")).expect("the name is free");
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "note", "-o", "l1"]);
    outcome.fails(1, "solekey: error: too many links from 'l1'\n");
}

#[test]
fn devices_and_pipes_are_written_directly() {
    let (sandbox, recipient) = with_note();
    sandbox.run(["encrypt", "-r", &recipient, "note", "-o", "/dev/null"]).is_silent_success();
    assert!(!fs::metadata("/dev/null").expect("every Unix has this device").is_file());

    let outcome = sandbox.shell(&format!(
        "mkfifo fifo; cat fifo >copy & \"$SOLEKEY\" encrypt -r {recipient} note -o fifo; wait; test -p fifo"
    ));
    outcome.is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "copy"]).is(0, "a note\n", "");

    let outcome = sandbox.shell(&format!("\"$SOLEKEY\" encrypt -r {recipient} note -o /dev/stdout | cat >copy2"));
    outcome.is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "copy2"]).is(0, "a note\n", "");
}

#[test]
fn writing_to_a_descriptor_keeps_existing_data() {
    let (sandbox, recipient) = with_note();
    for (output, redirection) in
        [("/dev/stdout", ">>log"), ("/dev/fd/1", ">>log"), ("/dev/fd/3", "3>>log"), ("/proc/self/fd/3", "3>>log")]
    {
        sandbox.write("log", "before\n");
        let script = format!("\"$SOLEKEY\" encrypt -r {recipient} note -o {output} {redirection}");
        sandbox.shell(&script).is_silent_success();
        let log = sandbox.read("log");
        assert!(log.starts_with(b"before\nage-encryption.org/v1\n"), "{output} {redirection}");
        sandbox.run_with(["decrypt", "-i", "key.txt"], &log[7..]).is(0, "a note\n", "");
    }
    let script = format!("exec >log; echo before; \"$SOLEKEY\" encrypt -r {recipient} note -o /dev/stdout; echo after");
    sandbox.shell(&script).is_silent_success();
    let log = sandbox.read("log");
    assert!(log.starts_with(b"before\nage-encryption.org/v1\n") && log.ends_with(b"after\n"));
}

#[test]
fn a_fifo_is_read_to_its_end() {
    let (sandbox, recipient) = with_note();
    let script = format!("mkfifo fifo; cat note >fifo & \"$SOLEKEY\" encrypt -r {recipient} fifo; wait");
    sandbox.shell(&script).is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "fifo.age"]).is(0, "a note\n", "");
}

#[test]
fn files_that_report_a_size_of_zero_are_read_to_the_end() {
    let path = Path::new("/proc/version");
    let Ok(text) = fs::read_to_string(path) else { return skip("there is no /proc") };
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.run(["encrypt", "-r", &recipient, "/proc/version", "-o", "x"]).is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "x"]).is(0, &text, "");
}

#[test]
fn standard_input_is_read_from_its_current_position() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("lines", "first\nsecond\n");
    let script = format!("{{ read line; \"$SOLEKEY\" encrypt -r {recipient} >x; }} <lines");
    sandbox.shell(&script).is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "x"]).is(0, "second\n", "");

    let sealed = sandbox.read("x");
    sandbox.write("prefixed", [b"#!line\n", &sealed[..]].concat());
    let script = "{ read line; \"$SOLEKEY\" decrypt -i key.txt; } <prefixed";
    sandbox.shell(script).is(0, "second\n", "");
}

/// Starts encrypting a file to a pipe that nobody reads, so that the program stalls halfway.
fn stalled_encryption(sandbox: &Sandbox, recipient: &str) -> std::process::Child {
    let file = File::create(sandbox.path("big")).expect("the sandbox is writable");
    file.set_len(64 << 20).expect("a file can be extended");
    let mut child = sandbox.command(["encrypt", "-c", "-r", recipient, "big"]).spawn().expect("the program starts");
    let mut first = [0];
    child
        .stdout
        .as_mut()
        .expect("standard output is piped")
        .read_exact(&mut first)
        .expect("the program writes a header");
    child
}

#[test]
fn an_input_that_grows_is_encrypted_to_its_new_end_with_a_warning() {
    let (sandbox, recipient) = Sandbox::with_key();
    let child = stalled_encryption(&sandbox, &recipient);
    File::options()
        .write(true)
        .open(sandbox.path("big"))
        .and_then(|file| file.set_len(65 << 20))
        .expect("the file is ours");
    let mut outcome = finish(child);
    outcome.stdout.insert(0, b'a');
    assert_eq!(outcome.status, 1);
    assert_eq!(
        outcome.stderr,
        "solekey: warning: 'big' changed while it was being read; the bytes read were encrypted\n"
    );
    let opened = sandbox.run_with(["decrypt", "-i", "key.txt"], &outcome.stdout);
    assert_eq!(opened.gave().len(), 65 << 20);
}

#[test]
fn an_input_that_shrinks_is_an_error() {
    let (sandbox, recipient) = Sandbox::with_key();
    let child = stalled_encryption(&sandbox, &recipient);
    File::options()
        .write(true)
        .open(sandbox.path("big"))
        .and_then(|file| file.set_len(40 << 20))
        .expect("the file is ours");
    let outcome = finish(child);
    assert_eq!(outcome.status, 1);
    let said = "solekey: error: cannot encrypt 'big': cannot read: it became shorter while it was being read\n\
                solekey: hint: ";
    assert!(outcome.stderr.starts_with(said), "{}", outcome.stderr);
    let seen = " bytes had already been written to standard output; do not use them\n";
    assert!(outcome.stderr.contains(seen), "{}", outcome.stderr);
}

#[test]
fn outputs_get_the_mode_and_time_of_their_inputs() {
    let (sandbox, recipient) = with_note();
    for mode in [0o600, 0o640, 0o644, 0o666, 0o755, 0o400, 0o4755, 0o2750] {
        sandbox.set_mode("note", mode);
        sandbox.shell("touch -d 2001-02-03T04:05:06.789 note").is_silent_success();
        let script = format!("umask 027; \"$SOLEKEY\" encrypt -r {recipient} note");
        sandbox.shell(&script).is_silent_success();
        assert_eq!(sandbox.mode("note.age"), mode & 0o777, "{mode:o}");
        let modified = |name| {
            fs::metadata(sandbox.path(name)).and_then(|data| data.modified()).expect("the file has a modification time")
        };
        assert_eq!(modified("note.age"), modified("note"));

        sandbox.run(["decrypt", "-i", "key.txt", "note.age", "-o", "out"]).is_silent_success();
        assert_eq!(sandbox.mode("out"), mode & 0o777);
        assert_eq!(modified("out"), modified("note"));
        for name in ["note.age", "out"] {
            fs::remove_file(sandbox.path(name)).expect("the file exists");
        }
    }
}

#[test]
fn the_output_of_a_stream_gets_its_mode_from_the_umask() {
    let (sandbox, recipient) = with_note();
    for (umask, mode) in [("022", 0o644), ("027", 0o640), ("077", 0o600), ("000", 0o666)] {
        let script = format!("umask {umask}; cat note | \"$SOLEKEY\" encrypt -f -r {recipient} -o x");
        sandbox.shell(&script).is_silent_success();
        assert_eq!(sandbox.mode("x"), mode, "{umask}");
        let script = format!("umask {umask}; cat x | \"$SOLEKEY\" decrypt -f -i key.txt -o y");
        sandbox.shell(&script).is_silent_success();
        assert_eq!(sandbox.mode("y"), mode, "{umask}");
        for made in ["x", "y"] {
            fs::remove_file(sandbox.path(made)).expect("the file exists");
        }
    }
}

#[test]
fn a_partial_output_is_not_visible() {
    let (sandbox, recipient) = with_note();
    let mut child = sandbox
        .command(["encrypt", "-r", &recipient, "-o", "x"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("standard input is piped");
    std::io::Write::write_all(&mut pipe, &data(3 << 20)).expect("the program reads its input");
    assert_eq!(sandbox.names().iter().filter(|name| !name.starts_with(".solekey-")).count(), 2);
    drop(pipe);
    finish(child).is_silent_success();
    assert_eq!(sandbox.names(), ["key.txt", "note", "x"]);
}

#[test]
fn an_output_created_by_someone_else_meanwhile_is_left_alone() {
    let (sandbox, recipient) = with_note();
    let mut child = sandbox
        .command(["encrypt", "-r", &recipient, "-o", "x"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("standard input is piped");
    std::io::Write::write_all(&mut pipe, &data(3 << 20)).expect("the program reads its input");
    sandbox.write("x", "somebody else's");
    drop(pipe);
    let said =
        "solekey: error: 'x' was created by another program during the run\nsolekey: hint: it was left as it is\n";
    finish(child).fails(1, said);
    assert_eq!(sandbox.text("x"), "somebody else's");
    assert_eq!(sandbox.names(), ["key.txt", "note", "x"]);
}

#[test]
fn reading_and_writing_the_same_file_is_refused_under_any_name() {
    let (sandbox, recipient) = with_note();
    fs::hard_link(sandbox.path("note"), sandbox.path("hard")).expect("the name is free");
    std::os::unix::fs::symlink("note", sandbox.path("soft")).expect("the name is free");
    let whole = sandbox.path("note").display().to_string();
    let inode = fs::metadata(sandbox.path("note")).expect("the file exists").ino();
    let stream = format!("\"$SOLEKEY\" encrypt -r {recipient}");
    let encrypt = format!("{stream} -f");
    for (script, said) in [
        (format!("{encrypt} note -o note"), "'note' would be both read and written".to_owned()),
        (format!("{encrypt} note -o ./note"), "'note' and './note' are the same file".to_owned()),
        (format!("{encrypt} note -o {whole}"), format!("'note' and '{whole}' are the same file")),
        (format!("{encrypt} note -o hard"), "'note' and 'hard' are the same file".to_owned()),
        (format!("{encrypt} hard -o note"), "'hard' and 'note' are the same file".to_owned()),
        (format!("{encrypt} note -o soft"), "'note' and 'soft' are the same file".to_owned()),
        (format!("{encrypt} soft -o note"), "'soft' and 'note' are the same file".to_owned()),
        (format!("{encrypt} -o note <note"), "standard input and 'note' are the same file".to_owned()),
        (format!("{encrypt} -o hard <note"), "standard input and 'hard' are the same file".to_owned()),
        (format!("{stream} -c note >>note"), "'note' and standard output are the same file".to_owned()),
        (format!("{encrypt} note -o /dev/stdout >>hard"), "'note' and standard output are the same file".to_owned()),
        (format!("{encrypt} note -o /dev/fd/3 3>>note"), "'note' and '/dev/fd/3' are the same file".to_owned()),
        (format!("{stream} <note >>note"), "standard input and standard output are the same file".to_owned()),
        (format!("{stream} <note 1<>note"), "standard input and standard output are the same file".to_owned()),
    ] {
        sandbox.shell(&script).fails(2, &format!("solekey: error: {said}\n{CHOOSE_ANOTHER_OUTPUT}"));
        assert_eq!(sandbox.text("note"), "a note\n", "{script}");
    }
    assert_eq!(fs::metadata(sandbox.path("note")).expect("the file exists").ino(), inode);
    assert_eq!(sandbox.names(), ["hard", "key.txt", "note", "soft"]);
}

#[test]
fn key_files_are_never_overwritten() {
    let (sandbox, recipient) = with_note();
    sandbox.write("friends", format!("{recipient}\n"));
    sandbox.write("pass", "secret\n");
    std::os::unix::fs::symlink("key.txt", sandbox.path("link")).expect("the name is free");
    sandbox.run(["encrypt", "-r", &recipient, "note"]).is_silent_success();
    let key = sandbox.read("key.txt");
    let both = |name: &str| format!("solekey: error: '{name}' would be both read and written\n{CHOOSE_ANOTHER_OUTPUT}");
    sandbox.run(["decrypt", "-f", "-i", "key.txt", "note.age", "-o", "key.txt"]).fails(2, &both("key.txt"));
    sandbox
        .run(["decrypt", "-f", "-i", "key.txt", "note.age", "-o", "link"])
        .fails(2, &format!("solekey: error: 'key.txt' and 'link' are the same file\n{CHOOSE_ANOTHER_OUTPUT}"));
    sandbox.run(["encrypt", "-f", "-i", "key.txt", "note", "-o", "key.txt"]).fails(2, &both("key.txt"));
    sandbox.run(["encrypt", "-f", "-R", "friends", "note", "-o", "friends"]).fails(2, &both("friends"));
    sandbox
        .run(["keygen", "-y", "key.txt", "-o", "key.txt"])
        .fails(1, "solekey: error: 'key.txt' already exists\nsolekey: hint: choose another name with -o\n");
    sandbox
        .shell("\"$SOLEKEY\" keygen -y key.txt >>key.txt")
        .fails(2, &format!("solekey: error: 'key.txt' and standard output are the same file\n{CHOOSE_ANOTHER_OUTPUT}"));
    sandbox
        .shell("\"$SOLEKEY\" decrypt -i key.txt note.age -c >>key.txt")
        .fails(2, &format!("solekey: error: 'key.txt' and standard output are the same file\n{CHOOSE_ANOTHER_OUTPUT}"));
    assert_eq!(sandbox.read("key.txt"), key);
    assert_eq!(sandbox.text("friends"), format!("{recipient}\n"));

    let arguments = ["encrypt", "-f", "-p", "--passphrase-file", "pass", "note", "-o", "pass"];
    sandbox.run(arguments).fails(2, &both("pass"));
    assert_eq!(sandbox.text("pass"), "secret\n");
}

#[test]
fn a_long_stream_is_processed_in_bounded_memory() {
    let (sandbox, recipient) = Sandbox::with_key();
    // 200 MB of data through processes limited to 100 MB of data memory each.
    let script = format!(
        "ulimit -d 100000; head -c 200000000 /dev/zero | \"$SOLEKEY\" encrypt -T 2 -r {recipient} \
         | \"$SOLEKEY\" decrypt -T 2 -i key.txt | tail -c 1 | wc -c"
    );
    let outcome = sandbox.shell(&script);
    assert_eq!(String::from_utf8_lossy(outcome.gave()).trim(), "1");
}

#[test]
fn quiet_prints_only_errors_and_verbose_reports_each_file() {
    let (sandbox, recipient) = with_note();
    // Earlier lines may report features that the system lacks.
    let says = |outcome: Outcome, done| {
        assert!(outcome.status == 0 && outcome.stderr.ends_with(done), "{}", outcome.stderr);
    };
    let outcome = sandbox.run(["encrypt", "-v", "-r", &recipient, "note"]);
    says(outcome, "solekey: encrypted 'note' to 'note.age': 207 bytes, recipients: 1\n");
    let outcome = sandbox.run(["decrypt", "-v", "-i", "key.txt", "note.age", "-o", "out"]);
    says(outcome, "solekey: decrypted 'note.age' to 'out': 7 bytes\n");
    let outcome = sandbox.run(["encrypt", "-q", "-r", &recipient, "note"]);
    outcome.fails(1, "solekey: error: 'note.age' already exists\n");
    sandbox.run(["encrypt", "-q", "-f", "-r", &recipient, "-r", &recipient, "note"]).is_silent_success();
}

#[test]
fn a_slow_producer_is_waited_for() {
    let (sandbox, recipient) = with_note();
    let script = format!("{{ echo one; sleep 0.3; echo two; }} | \"$SOLEKEY\" encrypt -r {recipient} -o x");
    sandbox.shell(&script).is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "x"]).is(0, "one\ntwo\n", "");
}

#[test]
fn concurrent_runs_with_the_same_output_leave_one_complete_file() {
    let (sandbox, recipient) = with_note();
    let statuses: Vec<_> = thread::scope(|scope| {
        let run = || sandbox.run(["encrypt", "-r", &recipient, "note"]).status;
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        runs.into_iter().map(|run| run.join().expect("the thread does not panic")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 0).count(), 1, "{statuses:?}");
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "note.age"]).is(0, "a note\n", "");
    assert_eq!(sandbox.names(), ["key.txt", "note", "note.age"]);
}

#[test]
fn a_bad_flag_is_a_usage_error() {
    let sandbox = Sandbox::new();
    for arguments in
        [&["encrypt", "--frobnicate"][..], &["frobnicate"], &["encrypt", "-T", "x"], &["encrypt", "-c", "-o", "x"]]
    {
        let outcome = sandbox.run(arguments);
        assert_eq!((outcome.status, outcome.stdout.len()), (2, 0));
        assert!(outcome.stderr.starts_with("solekey: error: "), "{}", outcome.stderr);
    }
    let bare = sandbox.run([] as [&str; 0]);
    assert_eq!(bare.status, 2);
    assert!(bare.stderr.starts_with("Encrypt files"), "{}", bare.stderr);
    let help = sandbox.run(["--help"]);
    assert!(help.gave().starts_with(b"Encrypt files"));
    assert!(sandbox.names().is_empty());
    let mut piped = sandbox.command(["encrypt"]);
    piped.env("AGE_RECIPIENTS", "age1");
    feed(piped, b"data").fails(2, MISSING_RECIPIENTS);
}

#[test]
fn armor_may_follow_white_space_that_arrives_first() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    sandbox.run(["encrypt", "-a", "-r", &recipient, "x"]).is_silent_success();
    let pipe = "{ echo; sleep 0.2; cat x.age; } |";
    sandbox.shell(&format!("{pipe} \"$SOLEKEY\" decrypt -i key.txt")).is(0, "text", "");
    assert_eq!(sandbox.shell(&format!("{pipe} \"$SOLEKEY\" inspect")).status, 0);
}

#[test]
fn a_file_that_grows_while_it_is_read_as_standard_input_gets_a_warning() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("log", data(8 << 20));
    // The reader of the FIFO starts late and pauses, so the file grows while it is still being read. It is longer than all buffers.
    let script = format!(
        "mkfifo out; \"$SOLEKEY\" encrypt -o out -r {recipient} < log & sleep 0.3; exec 3< out; head -c 1000 <&3; \
         sleep 0.3; echo more >> log; cat <&3; wait $!"
    );
    let outcome = sandbox.bash(&script);
    let warning = "solekey: warning: standard input changed while it was being read; the bytes read were encrypted\n";
    assert_eq!((outcome.status, outcome.stderr.as_str()), (1, warning));
    let grown = [&data(8 << 20)[..], b"more\n"].concat();
    assert!(sandbox.run_with(["decrypt", "-i", "key.txt"], &outcome.stdout).gave() == grown);
}

#[test]
fn a_failed_sync_of_redirected_output_is_an_error() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    let script = format!(
        "strace -f -qq -o calls -e trace=fsync -e inject=fsync:error=EIO \"$SOLEKEY\" encrypt -c -r {recipient} x > x.age"
    );
    let outcome = sandbox.shell(&script);
    assert_eq!(outcome.status, 1, "{}", outcome.stderr);
    let said = "solekey: error: cannot finish standard output: Input/output error\nsolekey: hint: ";
    assert!(outcome.stderr.starts_with(said), "{}", outcome.stderr);
    assert!(outcome.stderr.ends_with(" bytes had already been written to standard output; do not use them\n"));
}

#[test]
fn a_typed_list_needs_only_one_end_of_file() {
    if !installed(&["expect"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    // With more threads than names, every thread asks for another name.
    let mut script = format!(
        "set timeout 100\nspawn -noecho sh -c {{exec \"$SOLEKEY\" encrypt -T4 -r {recipient} --files-from -}}\n"
    );
    script += "after 300\nsend \"x\\r\"\nafter 300\nsend \"\\x04\"\nexpect eof {} timeout { exit 99 }\n";
    script += "catch wait result\nexit [lindex $result 3]\n";
    sandbox.write("script", script);
    let outcome = finish(sandbox.detached("expect").arg("script").spawn().expect("expect starts"));
    assert_eq!(outcome.status, 0, "{outcome:?}");
    assert_eq!(sandbox.names(), ["key.txt", "script", "x", "x.age"]);
}

#[test]
fn verbose_reports_come_in_the_order_of_the_inputs() {
    let (sandbox, recipient) = Sandbox::with_key();
    let names: Vec<_> = (0..40).map(|number| format!("{number:02}")).collect();
    for (number, name) in names.iter().enumerate() {
        sandbox.write(name, data(if number % 2 == 0 { 200_000 } else { 0 }));
    }
    let encrypt = ["encrypt", "-v", "-T4", "-r", &recipient].into_iter().chain(names.iter().map(String::as_str));
    let said = |outcome: &Outcome, verb: &str| {
        let lines = outcome.stderr.lines().filter_map(|line| line.strip_prefix(verb));
        lines.map(|line| line[1..3].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(said(&sandbox.run(encrypt), "solekey: encrypted "), names);
    let sealed: Vec<_> = names.iter().map(|name| format!("{name}.age")).collect();
    let sealed = || sealed.iter().map(String::as_str);
    let rekey = ["rekey", "-v", "-T4", "-i", "key.txt", "-r", &recipient].into_iter().chain(sealed());
    assert_eq!(said(&sandbox.run(rekey), "solekey: gave "), names);
    let decrypt = ["decrypt", "-v", "-T4", "-i", "key.txt", "-O", "out"].into_iter().chain(sealed());
    assert_eq!(said(&sandbox.run(decrypt), "solekey: decrypted "), names);
}

#[test]
fn standard_input_can_be_named_only_once() {
    let sandbox = Sandbox::new();
    for verb in ["verify", "inspect"] {
        let said = "solekey: error: standard input is named more than once\nsolekey: hint: name it once\n";
        sandbox.run([verb, "-", "-"]).fails(2, said);
    }
}
