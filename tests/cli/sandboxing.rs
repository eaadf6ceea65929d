//! Sandboxing: no core files, private memory, no network, and no files except those being worked on.

#![cfg(target_os = "linux")]

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, chown},
        process::ExitStatusExt,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use bech32::{Bech32, Hrp};

use crate::{
    requirements::{installed, skip},
    sandbox::{AS_NOBODY, NOBODY, SEGMENT, SOLEKEY, Sandbox, data, finish, is_root, unprivileged, wait_until},
};

#[test]
fn the_sandbox_leaves_an_unprivileged_user_free_to_encrypt_and_decrypt() {
    let script = r"
        PATH=$PWD:$PATH
        umask 077
        solekey keygen -o key > public
        recipient=$(cat public)
        echo one > x
        solekey encrypt -r $recipient x
        echo two > x
        solekey encrypt -f -r $recipient x
        solekey decrypt -i key -o y x.age
        solekey decrypt -f -i key -o y x.age
        cmp x y
        solekey encrypt -r $recipient < x | solekey decrypt -i key | cmp - x
        solekey encrypt -R <(cat public) -o /dev/fd/3 x 3> third
        solekey decrypt -i <(cat key) -o - <(cat third) | cmp - x
        solekey decrypt -i key -o >(cat > fourth) x.age
        until cmp -s fourth x; do sleep 0.01; done
        echo correct horse > pass
        solekey encrypt -p --passphrase-fd 3 -o sealed x 3< pass
        solekey decrypt --passphrase-fd 4 -o - sealed 4< <(cat pass) | cmp - x
        mkdir folder
        cp x folder
        cd folder
        solekey encrypt -r $recipient x
        solekey decrypt -f -i ../key x.age
    ";
    let Some((sandbox, outcome)) = unprivileged(script) else { return };
    outcome.is_silent_success();
    let expected =
        ["folder", "fourth", "key", "pass", "public", "script", "sealed", "solekey", "third", "x", "x.age", "y"];
    assert_eq!(sandbox.names(), expected);
}

/// Starts the program and waits until it reads its input, when its sandbox is set up.
fn stalled(sandbox: &Sandbox, mut command: Command) -> (Child, PathBuf) {
    command.stdin(Stdio::piped());
    let child = command.spawn().expect("the program starts");
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    wait_until("the program reads its input", || {
        // The shell and `setpriv` become the program by `exec`, so its name identifies it.
        let is_ours = fs::read(process.join("comm")).is_ok_and(|name| name == b"solekey\n");
        is_ours && fs::read_to_string(process.join("syscall")).is_ok_and(|call| waits_to_read(&call))
    });
    assert!(!sandbox.names().is_empty());
    (child, process)
}

/// Whether a line of `/proc/PID/syscall` shows a process that waits in `read`, `poll` or `ppoll` for standard input.
fn waits_to_read(call: &str) -> bool {
    let numbers: &[&str] = if cfg!(target_arch = "x86_64") { &["0 ", "7 ", "271 "] } else { &["63 ", "73 "] };
    numbers.iter().any(|number| call.starts_with(number))
}

#[test]
fn a_crash_writes_no_core_file_and_memory_is_private() {
    if !installed(&["setpriv"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write_program("solekey", fs::read(SOLEKEY).expect("the built program is readable"));
    chown(sandbox.path(""), is_root().then_some(NOBODY), None).expect("root may change the owner");
    let user = if is_root() { AS_NOBODY } else { "" };
    let with_cores = |program: &str| {
        let mut shell = sandbox.detached("bash");
        shell.args(["-c", &format!("ulimit -c unlimited 2>/dev/null; exec {user} {program}")]);
        shell
    };

    // First see whether a crash of another program would write a core file at all.
    let mut other = with_cores("sleep 60").spawn().expect("the program starts");
    let name = format!("/proc/{}/comm", other.id());
    wait_until("sleep runs", || fs::read(&name).is_ok_and(|name| name == b"sleep\n"));
    quit(&other);
    if !other.wait().expect("the process can be waited for").core_dumped() {
        skip("no program writes core files here, so this one's missing core proves nothing");
    }

    let (mut child, process) = stalled(&sandbox, with_cores(&format!("./solekey encrypt -r {recipient}")));
    let limits = fs::read_to_string(process.join("limits")).expect("the process is running");
    let cores: Vec<_> = limits
        .lines()
        .filter_map(|line| line.strip_prefix("Max core file size"))
        .flat_map(str::split_whitespace)
        .collect();
    assert_eq!(cores, ["0", "0", "bytes"]);
    // The kernel gives these files to root if other programs of the user may not read the memory.
    let owner = |name| fs::metadata(process.join(name)).expect("the process is running").uid();
    assert_eq!((owner("mem"), owner("environ")), (0, 0));
    quit(&child);
    let ended = child.wait().expect("the process can be waited for");
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(3), false));
}

fn quit(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, rustix::process::Signal::QUIT).expect("it is still running");
}

#[test]
fn no_verb_makes_a_network_call() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", data(3 * SEGMENT));
    sandbox.write("pass", "correct horse");
    let runs = [
        format!("encrypt -r {recipient} x"),
        format!("encrypt -a -T 1 -r {recipient} -o armored x"),
        "encrypt -p --passphrase-file pass -o sealed x".to_owned(),
        "decrypt -i key.txt -o y x.age".to_owned(),
        "decrypt --passphrase-file pass -o z sealed".to_owned(),
        "keygen -o other.txt".to_owned(),
        "keygen --pq -o pq.txt".to_owned(),
        "keygen -y key.txt".to_owned(),
        "inspect x.age armored".to_owned(),
    ];
    for run in runs {
        let mut traced = sandbox.detached("strace");
        traced.args(["-f", "-qq", "-e", "trace=%network,io_uring_setup", "-e", "signal=none", "-o", "calls", SOLEKEY]);
        traced.args(run.split(' '));
        let ended = finish(traced.spawn().expect("strace starts"));
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{run}");
        assert_eq!(sandbox.text("calls"), "", "{run}");
    }
    // The trace does show such calls.
    sandbox.shell("strace -f -qq -e trace=%network -o calls bash -c ': < /dev/tcp/127.0.0.1/1'");
    assert!(sandbox.text("calls").contains("socket(AF_INET"));
}

#[test]
fn without_seccomp_the_program_works_and_verbose_says_so() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "secret");
    let without = |arguments: &str| {
        let old_kernel = "strace -f -qq -o calls -e trace=seccomp -e inject=seccomp:error=ENOSYS";
        sandbox.shell(&format!("{old_kernel} \"$SOLEKEY\" {arguments}"))
    };
    without(&format!("encrypt -r {recipient} x")).is_silent_success();
    let said = without("decrypt -v -i key.txt -o y x.age").stderr;
    let missing = "Error calling `seccomp`: Function not implemented (os error 38)";
    assert!(said.starts_with(&format!("solekey: solekey cannot deny itself network sockets: {missing}\n")), "{said}");
    assert!(said.ends_with("solekey: decrypted 'x.age' to 'y': 6 bytes\n"), "{said}");
}

/// Runs the program, and returns the system calls that open, link or rename files after Landlock took effect.
///
/// `None` if Landlock was not used.
fn calls_once_all_is_open(sandbox: &Sandbox, inject: &str, arguments: &str) -> Option<String> {
    let trace = "trace=open,openat,openat2,execve,link,linkat,rename,renameat,renameat2,landlock_restrict_self";
    let strace = format!("strace -f -qq -y -o calls -e {trace} {inject}");
    sandbox.shell(&format!("{strace} \"$SOLEKEY\" {arguments}")).is_silent_success();
    let calls = sandbox.text("calls");
    calls.split_once("landlock_restrict_self(").map(|(_, after)| after.lines().skip(1).collect::<Vec<_>>().join("\n"))
}

/// Whether the program can use Landlock here. If not, the test counts as skipped.
fn has_landlock(sandbox: &Sandbox) -> bool {
    let said = sandbox.run(["encrypt", "-v", "-i", "key.txt", "-c", "key.txt"]).stderr;
    let has = !said.contains("other files cannot be closed off here");
    if !has {
        skip(&said);
    }
    has
}

#[test]
fn once_the_files_are_open_only_the_output_folder_stays_accessible() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    if !has_landlock(&sandbox) {
        return;
    }
    sandbox.write("x", data(3 * SEGMENT));
    let runs = [
        format!("encrypt -r {recipient} x"),
        format!("encrypt -f -r {recipient} x"),
        format!("encrypt -a -r {recipient} -o armored x"),
        "decrypt -i key.txt -o y x.age".to_owned(),
        "decrypt -i key.txt -o z armored".to_owned(),
        "decrypt -f -i key.txt -o z < x.age".to_owned(),
    ];
    for run in &runs {
        let calls = calls_once_all_is_open(&sandbox, "", run).expect("Landlock is used for a single input");
        // A lookup reads nothing: before a file is replaced, it must still be there.
        let opens = |call: &&str| (call.contains("open") && !call.contains("O_PATH")) || call.contains("execve");
        let opened: Vec<_> = calls.lines().filter(opens).collect();
        let [folder] = opened[..] else { panic!("{run}: {calls}") };
        assert!(folder.contains("\".\", O_RDONLY|O_CLOEXEC) = "), "{run}: {calls}");
    }
    // Before a file is replaced, its name is looked up once more, without opening the file for reading.
    let rekey = format!("rekey -i key.txt -r {recipient} x.age");
    let calls = calls_once_all_is_open(&sandbox, "", &rekey).expect("rekey of one file is confined too");
    for call in calls.lines().filter(|call| call.contains("open") || call.contains("execve")) {
        let is_lookup = call.contains("\"x.age\"") && call.contains("O_PATH");
        assert!(is_lookup || call.contains("\".\", O_RDONLY|O_CLOEXEC) = "), "{calls}");
    }
    // An existing device needs no new name, so nothing at all is opened.
    let calls = calls_once_all_is_open(&sandbox, "", "decrypt -i key.txt x.age -o /dev/null");
    assert_eq!(calls.as_deref(), Some(""));
    // With several inputs, the later ones are still to be opened.
    sandbox.write("w", "secret");
    assert_eq!(calls_once_all_is_open(&sandbox, "", &format!("encrypt -f -r {recipient} w x")), None);
}

/// Landlock binds the thread that asks for it and those that it starts later, so the one that handles signals is replaced.
#[test]
fn once_the_files_are_open_no_thread_is_left_that_may_open_others() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    if !has_landlock(&sandbox) {
        return;
    }
    let strace = "strace -f -qq -o calls -e trace=clone,clone3,exit,landlock_restrict_self";
    // To replace a file, signals are handled before. The thread has some time to end.
    sandbox.write("y", "old");
    let run = format!("sleep 0.3 | {strace} \"$SOLEKEY\" encrypt -f -r {recipient} -o y");
    sandbox.shell(&run).is_silent_success();
    let calls = sandbox.text("calls");
    let (before, after) = calls.split_once(" landlock_restrict_self(").expect("Landlock is used for a single input");
    // Each line begins with the number of its thread, and ends with that of a new one.
    let started = |calls: &str| -> Vec<String> {
        let new = calls.lines().filter(|call| call.contains(" clone")).filter_map(|call| call.rsplit(" = ").next());
        new.map(str::to_owned).collect()
    };
    let ends = |call: &str, thread: &str| call.split_whitespace().take(2).eq([thread, "exit(0)"]);
    let has_ended = |thread: &String| after.lines().any(|call| ends(call, thread));
    assert!(!started(before).is_empty() && !started(after).is_empty(), "{calls}");
    assert!(started(before).iter().all(has_ended), "{calls}");
}

#[test]
#[cfg(target_arch = "x86_64")] // Other architectures use a different system call.
fn without_unnamed_files_the_output_is_still_committed() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "secret");
    // Simulates a file system without unnamed temporary files (`O_TMPFILE`).
    let named = "-e inject=open:error=EOPNOTSUPP:when=1";
    for run in [format!("encrypt -r {recipient} x"), format!("encrypt -f -r {recipient} x")] {
        calls_once_all_is_open(&sandbox, named, &run);
        assert!(sandbox.text("calls").contains(".part"), "{run}");
        assert_eq!(sandbox.names(), ["calls", "key.txt", "x", "x.age"]);
    }
}

/// A plugin that runs `probe`, then "wraps" the file key by copying it into a stanza.
fn plugin(probe: &str) -> String {
    format!(
        r#"#!/usr/bin/env bash
{probe}
while IFS= read -r line; do
    case $line in
    '-> done') IFS= read -r line; break ;;
    '-> wrap-file-key') IFS= read -r key ;;
    esac
done
printf -- '-> recipient-stanza 0 written\n%s\n' "$key"
read -r _; read -r _
printf -- '-> done\n\n'
"#
    )
}

/// Runs `probe` by itself, then in a plugin that must succeed. Returns the contents of the file `$SAID` after each run.
fn alone_and_in_a_plugin(probe: &str) -> (String, String) {
    let sandbox = Sandbox::new();
    // A plugin is started in a folder of its own.
    let probe = &format!("SAID='{}'\n{probe}", sandbox.path("said").display());
    sandbox.write_program("age-plugin-probe", plugin(probe));
    sandbox.write("x", "secret");
    sandbox.bash(probe);
    let alone = sandbox.text("said");
    fs::remove_file(sandbox.path("said")).expect("it exists");
    let prefix = Hrp::parse("age1probe").expect("it is a prefix");
    let recipient = bech32::encode::<Bech32>(prefix, b"somebody").expect("the text is short enough");
    sandbox.shell(&format!("PATH=$PWD:$PATH exec \"$SOLEKEY\" encrypt -r {recipient} x")).is_silent_success();
    assert!(sandbox.read("x.age").starts_with(b"age-encryption.org/v1\n-> written\n"));
    (alone, sandbox.text("said"))
}

#[test]
fn a_plugin_gets_no_network_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a loopback interface");
    let port = listener.local_addr().expect("it is bound").port();
    let probe = format!("{{ exec 3<>/dev/tcp/127.0.0.1/{port}; }} 2>\"$SAID\" && echo connected >>\"$SAID\"");
    let (alone, inside) = alone_and_in_a_plugin(&probe);
    assert_eq!(alone, "connected\n");
    assert!(inside.contains("socket: Operation not permitted") && !inside.contains("connected"), "{inside}");
}

#[test]
fn a_plugin_can_create_only_unix_sockets() {
    if !installed(&["python3"]) {
        return;
    }
    // Numeric address families, since not every build of Python defines every name.
    let probe = r#"python3 - >"$SAID" 2>&1 <<'END'
import errno, socket
def attempt(name, make):
    try:
        made = make()
    except OSError as error:
        print(name, errno.errorcode[error.errno])
    else:
        print(name, "made")
stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
attempt("unix", lambda: socket.socket(1, stream))
attempt("pair", lambda: socket.socketpair(1, stream))
attempt("inet", lambda: socket.socket(2, stream))
attempt("datagram", lambda: socket.socket(2, datagram))
attempt("inet6", lambda: socket.socket(10, stream))
attempt("netlink", lambda: socket.socket(16, socket.SOCK_RAW))
attempt("other pair", lambda: socket.socketpair(2, stream))
END"#;
    let (alone, inside) = alone_and_in_a_plugin(probe);
    assert!(alone.contains("inet made\n") && alone.contains("netlink made\n"), "{alone}");
    let expected = "unix made\npair made\ninet EPERM\ndatagram EPERM\ninet6 EPERM\nnetlink EPERM\nother pair EPERM\n";
    assert_eq!(inside, expected);
}
