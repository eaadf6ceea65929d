//! Disks that fill up or fail, short reads and writes, and files that vanish.

use std::{fs, os::unix::fs::symlink};

use crate::{
    record,
    requirements::{installed, skip},
    rounds,
    sandbox::{SEGMENT, Sandbox, data, feed, finish, is_root, wait_until},
};

/// Source of a library that makes reads and writes short, or makes them fail with EIO or another error after a number of
/// calls. Loaded before the C library with `LD_PRELOAD`.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int calls;
static int number(const char *name) { const char *text = getenv(name); return text ? atoi(text) : -1; }

/* Only affects large transfers, which carry data. Returns 1 for a failure. */
static int meddle(size_t *count, const char *failing) {
    if (*count < 8192) return 0;
    int call = atomic_fetch_add(&calls, 1);
    int at = number(failing);
    if (at >= 0 && call >= at) { errno = getenv("ERROR") ? number("ERROR") : EIO; return 1; }
    if (getenv("SHORT")) *count = *count / 3 + 1;
    if (getenv("INTERRUPTED") && call % 3 == 0) { errno = EINTR; return 1; }
    return 0;
}

#define WRAP(type, name, failing, parameters, arguments) \
    ssize_t name parameters { \
        static ssize_t (*real) parameters; \
        if (!real) real = dlsym(RTLD_NEXT, #name); \
        if (meddle(&count, failing)) return -1; \
        return real arguments; \
    }
WRAP(, read, "FAIL_READ", (int fd, void *bytes, size_t count), (fd, bytes, count))
WRAP(, pread64, "FAIL_READ", (int fd, void *bytes, size_t count, off_t at), (fd, bytes, count, at))
WRAP(, write, "FAIL_WRITE", (int fd, const void *bytes, size_t count), (fd, bytes, count))
WRAP(, pwrite64, "FAIL_WRITE", (int fd, const void *bytes, size_t count, off_t at), (fd, bytes, count, at))

/* Closes a file that is open for writing, and says that this failed. */
int close(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "close");
    struct stat is;
    int written = fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
    int failed = real(fd);
    if (getenv("FAIL_CLOSE") && written && is.st_size > 0) { errno = EIO; return -1; }
    return failed;
}

/* A file system that cannot write one of its files says so, but not which. */
int syncfs(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "syncfs");
    if (getenv("FAIL_SYNC") || getenv("FAIL_SYNC_CALL")) { errno = EIO; return -1; }
    return real(fd);
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    static atomic_int syncs;
    struct stat is;
    int folder = fstat(fd, &is) == 0 && S_ISDIR(is.st_mode);
    int fails = folder ? getenv("FAIL_FOLDER_SYNC") != NULL : getenv("FAIL_SYNC") != NULL;
    if (!folder && atomic_fetch_add(&syncs, 1) == number("FAIL_SYNC_CALL")) fails = 1;
    if (fails) { errno = EIO; return -1; }
    return real(fd);
}
"#;

/// A sandbox with the shim built, a key, a file `a` of five segments, and its sealed form `a.age`.
pub(crate) fn shimmed() -> Option<(Sandbox, String, Vec<u8>)> {
    if !cfg!(target_os = "linux") || !installed(&["cc"]) {
        skip("the shim cannot be built");
        return None;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("shim.c", SHIM);
    sandbox.shell("cc -shared -fPIC -O1 -o shim.so shim.c -ldl").is_silent_success();
    let plaintext = data(5 * SEGMENT + 77);
    sandbox.write("a", &plaintext);
    sandbox.run(["encrypt", "-r", &recipient, "a"]).is_silent_success();
    Some((sandbox, recipient, plaintext))
}

/// Runs a shell command with `$SOLEKEY` under the shim.
pub(crate) fn under(sandbox: &Sandbox, meddling: &str, command: &str) -> crate::sandbox::Outcome {
    sandbox.shell(&format!("export {meddling} LD_PRELOAD=\"$PWD/shim.so\"; exec \"$SOLEKEY\" {command}"))
}

#[test]
fn short_and_interrupted_reads_and_writes_change_nothing() {
    let Some((sandbox, recipient, plaintext)) = shimmed() else { return };
    for meddling in ["SHORT=1", "INTERRUPTED=1", "SHORT=1 INTERRUPTED=1"] {
        for threads in [1, 3] {
            for armor in ["", "-a"] {
                let encrypt = format!("encrypt -T {threads} {armor} -r {recipient}");
                under(&sandbox, meddling, &format!("{encrypt} a -f -o x")).is_silent_success();
                under(&sandbox, meddling, &format!("{encrypt} <a >y")).is_silent_success();
                for sealed in ["x", "y"] {
                    let decrypt = format!("decrypt -T {threads} -i key.txt");
                    under(&sandbox, meddling, &format!("{decrypt} {sealed} -f -o z")).is_silent_success();
                    assert!(sandbox.read("z") == plaintext, "{meddling}, {threads} threads");
                    under(&sandbox, meddling, &format!("{decrypt} <{sealed} >w")).is_silent_success();
                    assert!(sandbox.read("w") == plaintext, "{meddling}, {threads} threads");
                }
            }
        }
    }
}

fn open(sandbox: &Sandbox, file: &str) -> Vec<u8> {
    sandbox.run(["decrypt", "-i", "key.txt", "-c", file]).gave().to_vec()
}

#[test]
fn a_disk_error_at_any_call_is_reported_and_keeps_the_old_file() {
    let Some((sandbox, recipient, plaintext)) = shimmed() else { return };
    let mut faults = 0;
    for (failing, said) in [("FAIL_READ", "cannot read: "), ("FAIL_WRITE", "cannot write: ")] {
        for call in 0..rounds(4, 40) {
            for (verb, output) in
                [(format!("encrypt -f -r {recipient} a"), "a.age"), ("decrypt -f -i key.txt s.age".into(), "s")]
            {
                fs::copy(sandbox.path("a.age"), sandbox.path("s.age")).ok();
                let sealed = sandbox.read("s.age");
                sandbox.write(output, "old");
                let names = sandbox.names();
                let outcome = under(&sandbox, &format!("{failing}={call}"), &verb);
                if outcome.status == 0 {
                    // The run ended before the fault, so its output must be whole.
                    let made = sandbox.read(output);
                    let opened = if output == "s" { made } else { open(&sandbox, "a.age") };
                    assert!(opened == plaintext, "{failing}={call} {verb}");
                    sandbox.write("a.age", &sealed);
                    fs::remove_file(sandbox.path("s")).ok();
                    continue;
                }
                faults += 1;
                assert_eq!((outcome.status, outcome.stdout.len()), (1, 0), "{outcome:?}");
                assert!(outcome.stderr.contains("Input/output error"), "{}", outcome.stderr);
                assert!(call == 0 || outcome.stderr.contains(said), "{}", outcome.stderr);
                assert_eq!(sandbox.text(output), "old");
                assert_eq!(sandbox.names(), names);
                sandbox.write("a.age", &sealed);
            }
        }
    }
    sandbox.write("b", "old");
    let outcome = under(&sandbox, "FAIL_SYNC=1", &format!("encrypt -f -r {recipient} a -o b"));
    outcome.fails(1, "solekey: error: cannot finish 'b': Input/output error\nsolekey: hint: 'b' was left as it was\n");
    assert_eq!(sandbox.text("b"), "old");
    // Error 122 is EDQUOT.
    let outcome = under(&sandbox, "FAIL_WRITE=2 ERROR=122", &format!("encrypt -f -r {recipient} a -o b"));
    outcome.fails(
        1,
        "solekey: error: cannot encrypt 'a': cannot write: Disk quota exceeded\n\
         solekey: hint: 'b' was left as it was\n",
    );
    assert_eq!(sandbox.text("b"), "old");
    assert!(sandbox.read("a") == plaintext && faults > 4, "{faults}");
    record("disk errors", &format!("{faults} faults of reading and writing, 0 lost"));
}

#[test]
fn writing_through_a_link_to_another_file_system_keeps_the_link() {
    let (sandbox, recipient) = Sandbox::with_key();
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return skip("there is no /dev/shm") };
    sandbox.write("a", "text");
    let there = elsewhere.path().join("x");
    fs::write(&there, "old").expect("the folder is writable");
    symlink(&there, sandbox.path("a.age")).expect("the folder is writable");
    sandbox.run(["encrypt", "-f", "-r", &recipient, "-o", "a.age", "a"]).is_silent_success();
    assert!(sandbox.path("a.age").is_symlink());
    assert_eq!(sandbox.run_with(["decrypt", "-i", "key.txt"], &fs::read(&there).expect("it exists")).gave(), b"text");
    assert_eq!(fs::read_dir(elsewhere.path()).expect("it exists").count(), 1);
}

#[test]
fn a_file_size_limit_at_any_mebibyte_leaves_nothing_new() {
    let (sandbox, recipient) = Sandbox::with_key();
    let plaintext = data(6 * SEGMENT);
    sandbox.write("a", &plaintext);
    for armor in ["", "-a"] {
        for mebibytes in 0..=9 {
            sandbox.write("a.age", "old");
            let kibibytes = mebibytes * 2048;
            let script = format!("ulimit -f {kibibytes}; exec \"$SOLEKEY\" encrypt -f {armor} -r {recipient} a");
            let outcome = sandbox.shell(&script);
            if outcome.status == 0 {
                assert!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "a.age"]).gave() == plaintext);
            } else {
                assert_eq!(outcome.status, 1);
                assert!(outcome.stderr.contains("File too large"), "{}", outcome.stderr);
                assert_eq!(sandbox.text("a.age"), "old");
            }
            assert_eq!(sandbox.names(), ["a", "a.age", "key.txt"]);
        }
    }
}

#[test]
fn a_disk_that_fills_at_any_mebibyte_keeps_the_old_file() {
    if !is_root() || !installed(&["unshare"]) {
        return skip("only root may mount a small disk");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("a", data(6 * SEGMENT));
    fs::create_dir(sandbox.path("disk")).expect("the name is free");
    if sandbox.shell("unshare -m sh -c 'mount -t tmpfs -o size=1m none disk'").status != 0 {
        return skip("mounting is not permitted here");
    }
    for verb in [format!("encrypt -f -r {recipient} a"), "decrypt -f -i key.txt s.age".to_owned()] {
        sandbox.run(["encrypt", "-f", "-r", &recipient, "a", "-o", "s.age"]).is_silent_success();
        let script = format!(
            "set -e; for size in 1 2 3 4 5 6 8 9; do
                mount -t tmpfs -o size=${{size}}m none disk; echo old >disk/x
                if \"$SOLEKEY\" {verb} -o disk/x 2>log; then echo whole; else cat disk/x; grep -c 'No space left' log; fi
                ls -A disk; umount disk
             done"
        );
        let outcome =
            sandbox.detached("unshare").args(["-m", "sh", "-c", &script]).spawn().expect("the program starts");
        finish(outcome).is(0, &("old\n1\nx\n".repeat(6) + &"whole\nx\n".repeat(2)), "");
    }
}

#[test]
fn removing_the_output_folder_during_a_run_is_an_error() {
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir(sandbox.path("folder")).expect("the name is free");
    let mut command = sandbox.command(["encrypt", "-r", &recipient, "-o", "folder/x"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("it is a pipe");
    std::io::Write::write_all(&mut pipe, &data(3 * SEGMENT)).expect("the program reads it");
    wait_until("the folder can be removed", || {
        fs::read_dir(sandbox.path("folder")).into_iter().flatten().flatten().for_each(|entry| {
            let _ = fs::remove_file(entry.path());
        });
        fs::remove_dir(sandbox.path("folder")).is_ok()
    });
    drop(pipe);
    let outcome = finish(child);
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.starts_with("solekey: error: cannot finish 'folder/x': "), "{}", outcome.stderr);
    assert_eq!(sandbox.names(), ["key.txt"]);
}

#[test]
fn an_input_deleted_while_it_is_read_is_encrypted_whole() {
    let (sandbox, recipient) = Sandbox::with_key();
    let plaintext = data(8 * SEGMENT);
    sandbox.write("a", &plaintext);
    // The file is deleted before the first byte is read from the pipe, while the program still has it open.
    let script = format!("\"$SOLEKEY\" encrypt -c -r {recipient} a | {{ sleep 0.2; rm a; cat >x; }}");
    sandbox.shell(&script).is_silent_success();
    assert!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "x"]).gave() == plaintext);
}

#[test]
fn an_error_of_closing_an_output_is_reported_and_loses_nothing() {
    let Some((sandbox, recipient, plaintext)) = shimmed() else { return };
    let sealed = sandbox.read("a.age");
    sandbox.write("old", "old");
    let names = sandbox.names();
    for (command, status, output) in [
        (format!("encrypt --rm -r {recipient} -o x a"), 1, "'x'"),
        (format!("encrypt -f -r {recipient} -o old a"), 1, "'old'"),
        ("decrypt --rm -i key.txt -o y a.age".to_owned(), 1, "'y'"),
        (format!("rekey -i key.txt -r {recipient} a.age"), 1, "'a.age'"),
        ("salvage -i key.txt -o y a.age".to_owned(), 1, "'y'"),
        ("keygen -o k".to_owned(), 1, "'k'"),
        (format!("encrypt -r {recipient} <a >out"), 1, "standard output"),
        ("decrypt -i key.txt -c a.age >out".to_owned(), 1, "standard output"),
        ("verify -i key.txt a.age >out".to_owned(), 1, ""),
        ("inspect --json a.age >out".to_owned(), 1, ""),
        ("keygen >out".to_owned(), 1, "standard output"),
        ("keygen -y key.txt >out".to_owned(), 1, "standard output"),
    ] {
        let outcome = under(&sandbox, "FAIL_CLOSE=1", &command);
        let said = match output {
            "" => "solekey: error: cannot write to standard output: Input/output error\n".to_owned(),
            output => format!("solekey: error: cannot finish {output}: Input/output error\n"),
        };
        assert_eq!(outcome.status, status, "{command}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(&said), "{command}: {}", outcome.stderr);
        let _ = fs::remove_file(sandbox.path("out"));
        assert_eq!(sandbox.names(), names, "{command}");
    }
    assert!(sandbox.read("a") == plaintext && sandbox.read("a.age") == sealed && sandbox.read("old") == b"old");
}

#[test]
fn standard_output_is_not_closed_before_it_is_written() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("a", "text");
    let script =
        format!("strace -f -qq -y -e trace=write,close -o calls \"$SOLEKEY\" encrypt -c -r {recipient} a >out");
    sandbox.shell(&script).is_silent_success();
    let calls = sandbox.text("calls");
    let of_out = calls.lines().filter(|line| line.contains("/out>")).map(|line| line.contains("write("));
    let of_out: Vec<_> = of_out.collect();
    assert_eq!(of_out.first(), Some(&true), "{calls}");
    // Its failures show when a duplicate is closed at the end.
    assert_eq!(of_out.last(), Some(&false), "{calls}");
}

#[test]
fn a_name_may_be_as_long_as_the_system_allows() {
    let (sandbox, recipient) = Sandbox::with_key();
    let name = "n".repeat(251);
    sandbox.write(&name, "x");
    sandbox.run(["encrypt", "-r", &recipient, &name]).is_silent_success();
    fs::remove_file(sandbox.path(&name)).expect("it exists");
    feed(sandbox.command(["decrypt", "-i", "key.txt", &format!("{name}.age")]), b"").is_silent_success();
    assert_eq!(sandbox.text(&name), "x");
}
