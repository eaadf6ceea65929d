//! Malicious files, names and environments.

use std::{
    fs::{self, File, Permissions},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    time::Duration,
};

use crate::{
    record,
    requirements::{installed, skip},
    rounds,
    sandbox::{Outcome, Sandbox, data, finish, finish_within, is_root, unprivileged},
};

const VERSION: &str = "age-encryption.org/v1\n";

/// Runs a command with at most 100 MB of data memory.
fn in_bounds(sandbox: &Sandbox, arguments: &str) -> Outcome {
    sandbox.shell(&format!("ulimit -d 100000; exec \"$SOLEKEY\" {arguments}"))
}

fn mac() -> String {
    format!("--- {}\n", "A".repeat(43))
}

#[test]
fn work_factors_that_would_take_years_are_refused_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write("pass", "x\n");
    let body = "A".repeat(43);
    for factor in ["23", "63", "64", "255", "99999999999", "0", "-1", "018"] {
        let file = format!("{VERSION}-> scrypt {} {factor}\n{body}\n{}", "A".repeat(22), mac());
        sandbox.write("x.age", file);
        let outcome = in_bounds(&sandbox, "decrypt --passphrase-file pass x.age");
        assert!(matches!(outcome.status, 1 | 4) && outcome.stdout.is_empty(), "2^{factor}: {outcome:?}");
        assert_eq!(sandbox.names(), ["pass", "x.age"]);
    }
}

#[test]
fn endless_headers_are_refused_in_bounded_memory() {
    let (sandbox, _) = Sandbox::with_key();
    // Several times the size of the longest header that is read.
    let length = rounds(50_000_000, 100_000_000);
    let endless_line = "a".repeat(length);
    let body_lines = format!("{}\n", "A".repeat(64)).repeat(length / 65);
    let stanzas = "-> a\n\n".repeat(length / 6);
    for (endless, header) in [
        ("a line", format!("{VERSION}-> {endless_line}")),
        ("a body", format!("{VERSION}-> a\n{body_lines}")),
        ("stanzas", format!("{VERSION}{stanzas}")),
        ("armor", format!("-----BEGIN AGE ENCRYPTED FILE-----\n{endless_line}")),
        ("space", format!("{}-----BEGIN AGE ENCRYPTED FILE-----\n", " ".repeat(100_000))),
        ("a version", format!("age-encryption.org/{endless_line}")),
    ] {
        sandbox.write("x.age", header);
        for verb in ["decrypt -i key.txt x.age", "inspect x.age", "decrypt -i key.txt <x.age"] {
            let outcome = sandbox.shell(&format!("ulimit -v 2000000; exec \"$SOLEKEY\" {verb}"));
            assert_eq!((outcome.status, outcome.stdout.len()), (4, 0), "{endless}: {}", outcome.stderr);
            assert!(outcome.stderr.len() < 500, "{endless}: {}", outcome.stderr);
        }
    }
    assert_eq!(sandbox.names(), ["key.txt", "x.age"]);
}

/// The most stanzas that a header may have.
const MOST_STANZAS: usize = 16_384;

#[test]
fn as_many_stanzas_as_are_allowed_are_skipped_and_more_are_refused() {
    let (sandbox, _) = Sandbox::with_key();
    let header = |stanzas: usize| format!("{VERSION}{}{}", "-> a\n\n".repeat(stanzas), mac());
    sandbox.write("x.age", header(MOST_STANZAS));
    let hint = "solekey: hint: name the matching identity file with -i\n";
    in_bounds(&sandbox, "decrypt -i key.txt x.age").fails(
        3,
        &format!("solekey: error: cannot decrypt 'x.age': none of these identities can open it; it is for: a\n{hint}"),
    );
    for stanzas in [MOST_STANZAS + 1, 1_000_000] {
        sandbox.write("x.age", header(stanzas));
        let outcome = in_bounds(&sandbox, "decrypt -i key.txt x.age");
        assert_eq!(outcome.status, 4, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("there are more than 16,384 recipient stanzas"), "{}", outcome.stderr);
    }
}

#[test]
fn thousands_of_stanza_types_are_summed_up_in_a_readable_line() {
    let (sandbox, _) = Sandbox::with_key();
    let stanzas: String = (0..MOST_STANZAS).map(|kind| format!("-> kind{kind}\n\n")).collect();
    sandbox.write("x.age", format!("{VERSION}{stanzas}{}", mac()));
    let outcome = in_bounds(&sandbox, "decrypt -i key.txt x.age");
    assert_eq!(outcome.status, 3);
    assert!(outcome.stderr.len() < 2000, "the message has {} bytes", outcome.stderr.len());
}

#[test]
fn key_files_of_a_gigabyte_are_refused_in_bounded_memory() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("in", "x");
    sandbox.run(["encrypt", "-r", &recipient, "in"]).is_silent_success();
    let mut huge = File::create(sandbox.path("huge")).expect("the folder is writable");
    huge.write_all(b"# a comment\n")
        .and_then(|()| huge.seek(SeekFrom::Start(1 << 30)))
        .expect("the file system supports holes");
    huge.write_all(b"x").expect("the file system supports holes");
    let said = "solekey: error: 'huge' is longer than 16 MiB, which no key file is\n";
    for verb in
        ["decrypt -i huge in.age -o out", "encrypt -R huge in -o out", "encrypt -i huge in -o out", "keygen -y huge"]
    {
        in_bounds(&sandbox, verb).fails(1, said);
    }
    let endless = in_bounds(&sandbox, "decrypt -i /dev/zero in.age -o out");
    endless.fails(1, "solekey: error: '/dev/zero' is longer than 16 MiB, which no key file is\n");
    let endless = in_bounds(&sandbox, "decrypt --passphrase-file /dev/zero in.age -o out");
    assert!(endless.status != 0);
    assert_eq!(sandbox.names(), ["huge", "in", "in.age", "key.txt"]);
}

#[test]
fn a_closed_standard_stream_is_an_error_only_if_it_is_needed() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("in", "hello\n");
    let closed = |stream| {
        format!(
            "solekey: error: cannot use standard {stream}: it is closed, or /dev/null opened for both reading and writing\n"
        )
    };
    let encrypt = format!("\"$SOLEKEY\" encrypt -r {recipient}");
    sandbox.shell(&format!("{encrypt} <in >&-")).fails(1, &closed("output"));
    sandbox.shell(&format!("{encrypt} -a in -c >&-")).fails(1, &closed("output"));
    sandbox.shell(&format!("{encrypt} in -o /dev/stdout >&-")).fails(1, &closed("output"));
    sandbox.shell("\"$SOLEKEY\" keygen >&-").fails(1, &closed("output"));
    sandbox.shell(&format!("{encrypt} -o x <&-")).fails(1, &closed("input"));
    assert_eq!(sandbox.names(), ["in", "key.txt"]);
    // Files need no standard streams, and output may be discarded.
    sandbox.shell(&format!("{encrypt} in <&- >&- 2>&-")).is_silent_success();
    // Discarding plaintext loses nothing, and some callers open /dev/null in both directions to see only the status.
    sandbox.shell("\"$SOLEKEY\" decrypt -i key.txt -c in.age <>/dev/null >&0").is_silent_success();
    sandbox.shell("\"$SOLEKEY\" verify -i key.txt in.age <>/dev/null >&0").is_silent_success();
    sandbox.shell("\"$SOLEKEY\" decrypt -i key.txt -c in.age >/dev/null").is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "in.age"]).is(0, "hello\n", "");
    // An error that nobody can see still sets the exit status.
    let mute = sandbox.shell("\"$SOLEKEY\" encrypt -r nonsense in -o y 2>&-");
    mute.fails(2, "");
}

#[test]
fn no_argument_reaches_the_terminal_unescaped() {
    let (sandbox, recipient) = Sandbox::with_key();
    let escape = "a\u{1b}]0;owned\u{7}b";
    sandbox.write(escape, "x");
    for arguments in [
        vec!["encrypt", "-r", escape, "in"],
        vec!["encrypt", "-R", escape, "in"],
        vec!["encrypt", "-i", escape, "in"],
        vec!["encrypt", "-r", &recipient, "-o", "missing/a\u{1b}[2J", escape],
        vec!["encrypt", "-T", escape, "-r", &recipient],
        vec!["decrypt", "-j", escape, "in"],
        vec!["decrypt", "-i", "key.txt", escape],
        vec!["inspect", escape],
        vec!["keygen", "-o", escape],
        vec!["keygen", "-y", escape],
        vec!["--\u{1b}[2J"],
        vec!["\u{1b}[2J"],
        vec!["encrypt", "--passphrase-file", "\u{1b}[2J", "-p", escape],
    ] {
        let outcome = sandbox.run(&arguments);
        assert!(outcome.status != 0, "{arguments:?}");
        let said = outcome.stderr.chars().find(|c| c.is_control() && *c != '\n');
        assert!(said.is_none() && outcome.stdout.is_empty(), "{arguments:?}: {outcome:?}");
    }
}

#[test]
fn links_in_a_world_writable_folder_are_not_followed_to_other_users_files() {
    if !is_root() || !installed(&["setpriv"]) {
        return skip("only root may make files of another user");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    fs::set_permissions(sandbox.path("."), Permissions::from_mode(0o755)).expect("the folder belongs to this user");
    fs::create_dir(sandbox.path("tmp")).expect("the name is free");
    sandbox.set_mode("tmp", 0o1777);
    sandbox.write("precious", "precious");
    // Another user puts a link at the output's name. Without -f, nothing is written; with it, the link's target is
    // replaced only if the system lets this user do so.
    symlink("../precious", sandbox.path("tmp/out")).expect("the name is free");
    sandbox.shell("chown -h nobody tmp/out").is_silent_success();
    sandbox.write("in", "x");
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "in", "-o", "tmp/out"]);
    assert_eq!(outcome.status, 1, "{outcome:?}");
    assert_eq!(sandbox.text("precious"), "precious");

    // Another user may not replace root's file there, and gets an error; the file stays whole.
    sandbox.write("tmp/root", "root's");
    let run = format!(
        "umask 022; setpriv --reuid=65534 --clear-groups \"$SOLEKEY\" encrypt -f -r {recipient} -o tmp/root <in"
    );
    let outcome = sandbox.shell(&run);
    assert!(outcome.status != 0, "{outcome:?}");
    assert_eq!(sandbox.text("tmp/root"), "root's");
    assert_eq!(fs::metadata(sandbox.path("tmp/root")).expect("it exists").uid(), 0);
    let mut names: Vec<_> =
        fs::read_dir(sandbox.path("tmp")).expect("it exists").flatten().map(|e| e.file_name()).collect();
    names.sort();
    assert_eq!(names, ["out", "root"]);
}

#[test]
fn an_output_replaced_by_a_link_or_folder_during_a_run_harms_nothing() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("precious", "precious");
    for force in [&["-f"][..], &[]] {
        for folder in [false, true] {
            let mut command = sandbox.command(["encrypt", "-r", &recipient, "-o", "x"]);
            let mut child =
                command.args(force).stdin(std::process::Stdio::piped()).spawn().expect("the program starts");
            let mut pipe = child.stdin.take().expect("it is a pipe");
            pipe.write_all(&vec![0; 3 << 20]).expect("the program reads it");
            if folder {
                fs::create_dir(sandbox.path("x")).expect("the name is free");
            } else {
                symlink("precious", sandbox.path("x")).expect("the name is free");
            }
            drop(pipe);
            let outcome = finish(child);
            // Even with -f, only a file that existed at the start is replaced.
            assert_eq!(outcome.status, 1, "{outcome:?}");
            assert_eq!(sandbox.text("precious"), "precious");
            let remove = if folder { fs::remove_dir } else { fs::remove_file };
            remove(sandbox.path("x")).expect("it exists");
            assert_eq!(sandbox.names(), ["key.txt", "precious"]);
        }
    }
}

#[test]
fn too_little_memory_is_an_error_and_never_a_crash() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("a", data(4 << 20));
    sandbox.run(["encrypt", "-r", &recipient, "-o", "s", "a"]).is_silent_success();
    let limited = |kibibytes: u32, run: &str| {
        let script = format!("ulimit -c 0; ulimit -v {kibibytes}; exec \"$SOLEKEY\" {run}");
        finish_within(Duration::from_secs(60), sandbox.detached("sh").args(["-c", &script]).spawn().expect("it starts"))
    };
    // Below, not even the system's loader or the language's runtime can start. Each program has another size.
    let (mut low, mut high) = (1000, 100_000);
    while high - low > 16 {
        let middle = (low + high) / 2;
        let starts = limited(middle, "--version").status < 2;
        (low, high) = if starts { (low, middle) } else { (middle, high) };
    }
    let (mut failed, mut done) = (0, 0);
    for step in 0..u32::try_from(rounds(12, 400)).expect("it is small") {
        let kibibytes = high + 32 + step * u32::try_from(rounds(700, 21)).expect("it is small");
        for run in [
            format!("encrypt -f -r {recipient} -o x a"),
            "decrypt -f -i key.txt -o y s".to_owned(),
            format!("encrypt -f -a -r {recipient} -O o a s key.txt"),
            format!("rekey -i key.txt -r {recipient} s"),
        ] {
            let outcome = limited(kibibytes, &run);
            assert!(matches!(outcome.status, 0 | 1 | 6), "{kibibytes} KiB: {run}: {outcome:?}");
            assert!(!outcome.stderr.contains("panic"), "{kibibytes} KiB: {run}: {outcome:?}");
            assert_eq!(outcome.status == 0, outcome.stderr.is_empty(), "{kibibytes} KiB: {run}: {outcome:?}");
            *(if outcome.status == 0 { &mut done } else { &mut failed }) += 1;
        }
    }
    assert!(failed > 0 && done > 0, "{failed} failed, {done} did not");
    record("memory", &format!("{failed} runs without the memory they need, {done} with it, 0 crashed"));
    assert!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "s"]).gave() == sandbox.read("a"));
}

#[test]
fn without_another_thread_there_is_an_error_or_less_parallelism() {
    if !installed(&["prlimit"]) {
        return;
    }
    // Root has no such limit.
    let script = "./solekey keygen -o k >r; ulimit -c 0; seq 300000 >a; for i in 1 2 3; do cp a a$i; done; echo old >a.age\n\
        ./solekey encrypt -R r -o s a\n\
        prlimit --nproc=1 ./solekey encrypt -R r a1 a2 a3 || echo many $?\n\
        prlimit --nproc=1 ./solekey encrypt -f -R r a || echo replace $?\n\
        prlimit --nproc=1 ./solekey rekey -i k -R r s || echo rekey $?\n\
        ./solekey verify -q -i k s a1.age a2.age a3.age; cat a.age";
    let Some((_, outcome)) = unprivileged(script) else { return };
    let refused = "Resource temporarily unavailable";
    let (printed, said) = (String::from_utf8_lossy(&outcome.stdout), &outcome.stderr);
    assert_eq!((outcome.status, printed.as_ref()), (0, "replace 1\nrekey 1\nold\n"), "{said}");
    let hint = "close other programs, or raise the limit on processes and threads (ulimit -u)";
    assert!(said.contains(&format!("cannot create 'a.age': {refused}\nsolekey: hint: {hint}\n")), "{said}");
    assert!(!said.contains("panic"), "{said}");
}
