//! Deletion with `--rm`: a source goes only while it still is what its output opens to, and after all that names it is durable.

use std::{
    fs,
    io::{Read, Write},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    requirements::{installed, skip},
    sandbox::{Outcome, Sandbox, finish, is_root, wait_until},
};

const SOURCE: &[u8; 5000] = &[b'a'; 5000];

/// Runs the program with the strace options `inject`, for faults and delays.
fn strace(inject: &str, arguments: &str) -> String {
    format!("exec strace -f -qqq -o /dev/null {inject} \"$SOLEKEY\" {arguments}")
}

/// A sandbox with a key and a source `a`, if strace is there.
fn traced() -> Option<(Sandbox, String)> {
    if !installed(&["strace"]) {
        return None;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("a", SOURCE);
    Some((sandbox, recipient))
}

#[test]
fn a_source_that_is_edited_before_it_goes_is_kept_with_status_1() {
    // Writes through a mapping that is older than the run, when told to.
    const MAPPING: &str = "import mmap\nf = open('a', 'r+b')\nm = mmap.mmap(f.fileno(), 0)\nm[0] = 97\n\
        print('ready', flush=True)\ninput()\nm[0] = 98\nprint('done', flush=True)\n";
    if !installed(&["python3"]) {
        return;
    }
    let Some((sandbox, recipient)) = traced() else { return };
    let edit = "touch -r a time && printf b | dd of=a conv=notrunc status=none && touch -r time a";
    // The first fsync is that of the folder that is tried beforehand, the second that of the output, the third that of its name.
    for (is_mapped, call, quiet) in [(false, 2, ""), (false, 3, ""), (true, 2, ""), (true, 3, ""), (false, 3, "-q")] {
        sandbox.write("a", SOURCE);
        let _ = fs::remove_file(sandbox.path("a.age"));
        let mut mapping = sandbox.detached("python3");
        let mut mapping = mapping.args(["-c", MAPPING]).stdin(Stdio::piped()).spawn().expect("python starts");
        let ready = mapping.stdout.as_mut().map(|stdout| stdout.read_exact(&mut [0; 6]));
        ready.expect("it is piped").expect("python writes");
        let delay = format!("-e trace=fsync -e inject=fsync:delay_enter=400000:when={call}");
        let script = strace(&delay, &format!("encrypt {quiet} --rm -r {recipient} a"));
        let child = sandbox.detached("sh").args(["-c", &script]).spawn().expect("the shell starts");
        match call {
            3 => wait_until("the output has its name", || sandbox.path("a.age").exists()),
            _ => thread::sleep(Duration::from_millis(200)),
        }
        if is_mapped {
            let pipe = mapping.stdin.as_mut().expect("it is piped");
            pipe.write_all(b"\n").expect("python waits");
        } else {
            sandbox.shell(edit).is_silent_success();
            mapping.kill().expect("python waits");
        }
        let outcome = finish(child);
        finish(mapping);
        let warning = "solekey: warning: 'a' was not deleted: it has changed since it was read\n";
        outcome.fails(1, if quiet.is_empty() { warning } else { "" });
        assert_eq!(sandbox.read("a")[0], b'b', "mapped: {is_mapped}, call {call}");
        assert_eq!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "a.age"]).gave(), SOURCE);
    }
}

#[test]
fn a_failed_sync_of_a_folder_keeps_the_source() {
    let Some((sandbox, recipient)) = traced() else { return };
    let run = |error: &str, call: u8, arguments: &str| -> Outcome {
        let _ = fs::remove_file(sandbox.path("a.age"));
        let _ = fs::remove_dir_all(sandbox.path("made"));
        let inject = format!("-e trace=fsync -e inject=fsync:error={error}:when={call}");
        sandbox.shell(&strace(&inject, &arguments.replace("KEY", &recipient)))
    };
    let unsupported = |errno: &str| {
        format!(
            "solekey: error: the names in '.' cannot be made durable, as --rm needs: {errno}\n\
             solekey: hint: leave out --rm, and delete the files yourself once their outputs are safe\n"
        )
    };
    let once = |errno: &str| {
        format!(
            "solekey: warning: the names in '.' cannot be made durable: {errno}; files there may be gone after a power failure\n"
        )
    };
    let (invalid, eio) = ("Invalid argument", "Input/output error");
    let not_supported = "Operation not supported";
    let lost = format!(
        "solekey: error: cannot make the name of 'a.age' durable: {eio}\n\
         solekey: hint: the file is there now, but may be gone after a power failure; check the disk, then try again\n"
    );
    for (error, call, arguments, status, said) in [
        ("EINVAL", 1, "encrypt --rm -r KEY a", 2, unsupported(invalid)),
        ("EOPNOTSUPP", 1, "encrypt --rm -r KEY a", 2, unsupported(not_supported)),
        ("EIO", 1, "encrypt --rm -r KEY a", 1, format!("solekey: error: cannot sync the folder '.': {eio}\n")),
        ("EIO", 3, "encrypt --rm -r KEY a", 1, lost.clone()),
        ("EINVAL", 3, "encrypt --rm -r KEY a", 1, lost.replace(eio, invalid)),
        ("EIO", 2, "encrypt -r KEY a", 1, lost),
        ("EINVAL", 2, "encrypt -r KEY a", 0, once(invalid)),
        ("EINVAL", 1, "encrypt -r KEY -O made a", 0, String::new()),
        ("EIO", 1, "encrypt -r KEY -O made a", 1, format!("solekey: error: cannot create 'made/a.age': {eio}\n")),
    ] {
        let outcome = run(error, call, arguments);
        outcome.fails(status, &said);
        assert_eq!(sandbox.read("a"), SOURCE, "{error} {call} {arguments}");
    }
}

#[test]
fn a_folder_that_may_not_be_read_gets_outputs_but_no_deletion() {
    if !is_root() || !installed(&["setpriv"]) {
        return skip("only root can make a folder of another user");
    }
    let script = "./solekey keygen -o k >r; echo text >a; mkdir drop; chmod 300 drop\n\
        ./solekey encrypt -R r -o drop/x a; ./solekey encrypt --rm -R r -o drop/y a || echo $?; cat a; chmod 700 drop; ls drop";
    let Some((_, outcome)) = crate::sandbox::unprivileged(script) else { return };
    assert_eq!(
        (outcome.status, String::from_utf8_lossy(&outcome.stdout).as_ref(), outcome.stderr.as_str()),
        (
            0,
            "2\ntext\nx\n",
            "solekey: warning: the names in 'drop' cannot be made durable: Permission denied; \
             files there may be gone after a power failure\n\
             solekey: error: the names in 'drop' cannot be made durable, as --rm needs: Permission denied\n\
             solekey: hint: leave out --rm, and delete the files yourself once their outputs are safe\n"
        )
    );
}

#[test]
fn the_receipt_grows_and_is_durable_before_a_source_goes() {
    const FILES: usize = 300;
    let Some((sandbox, recipient)) = traced() else { return };
    let sources: Vec<_> = (0..FILES).map(|index| format!("s{index}")).collect();
    sources.iter().for_each(|source| sandbox.write(source, source));
    sandbox.shell("mkfifo slow; printf '%s\\n' s* slow >list").is_silent_success();
    let arguments = ["encrypt", "--rm", "--receipt", "r.json", "--files-from", "list", "-T", "2", "-r", &recipient];
    let mut child = sandbox.command(arguments).spawn().expect("the program starts");
    let gone = || sources.iter().filter(|source| !sandbox.path(source).exists()).count();
    wait_until("sources are deleted", || gone() > 0);
    let start = Instant::now();
    while gone() < FILES && start.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(1));
    }
    // While one input is still awaited, the run is killed.
    child.kill().expect("it runs");
    finish(child);
    let receipt = sandbox.text("r.json");
    let lines: Vec<Value> = receipt.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let missing = sources.iter().filter(|source| !sandbox.path(source).exists()).find(|source| {
        let output = format!("{source}.age");
        !lines.iter().any(|line| line["output"] == output.as_str())
    });
    assert_eq!(missing, None);
    assert_eq!(gone(), FILES);
}

#[test]
fn a_receipt_that_cannot_be_written_keeps_the_source() {
    let Some((sandbox, recipient)) = traced() else { return };
    // Fails the sync of the receipt: after those of its folder, of the output's folder, of the output and of its name.
    let inject = "-e trace=fsync -e inject=fsync:error=ENOSPC:when=5";
    let outcome = sandbox.shell(&strace(inject, &format!("encrypt --rm --receipt r.json -r {recipient} a")));
    outcome.fails(
        1,
        "solekey: error: 'a' was not deleted: cannot finish 'r.json': No space left on device\n\
         solekey: hint: the encrypted files are whole; only the receipt is missing\n",
    );
    assert_eq!(sandbox.names(), ["a", "a.age", "key.txt"]);
}
