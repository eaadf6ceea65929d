//! Names that change hands while the program works, and file systems that know fewer names or fewer ways to make one.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use crate::{
    requirements::{installed, skip, which},
    rounds,
    sandbox::{CHUNK, Outcome, SEGMENT, SOLEKEY, Sandbox, data, finish, is_root, wait_until},
};

/// Milliseconds for which a system call is held up. Enough to run the program once more.
const DELAY: u32 = 600;

/// Runs the program with arguments, and `act` while its first call of `call` is held up.
///
/// Calls of `refused` fail as on a file system that does not have them.
fn while_held_up(sandbox: &Sandbox, call: &str, refused: &str, arguments: &str, act: impl FnOnce()) -> Outcome {
    let trace = format!("{call}.trace");
    let _ = fs::remove_file(sandbox.path(&trace));
    let delay = format!("inject={call}:delay_enter={DELAY}000:when=1");
    let mut command = sandbox.detached("strace");
    command.args([
        "-f",
        "-qqq",
        "-o",
        &trace,
        "-e",
        &format!("trace={call},{}", if refused.is_empty() { call } else { refused }),
        "-e",
        &delay,
    ]);
    if !refused.is_empty() {
        command.args(["-e", &format!("inject={refused}:error=EOPNOTSUPP")]);
    }
    command.arg(SOLEKEY);
    let started = format!("{call}(");
    let mut child = command.args(arguments.split(' ')).spawn().expect("strace starts");
    let is_held_up = || fs::read_to_string(sandbox.path(&trace)).is_ok_and(|text| text.contains(&started));
    wait_until("the call is held up", || is_held_up() || matches!(child.try_wait(), Ok(Some(_))));
    if is_held_up() {
        act();
    }
    let outcome = finish(child);
    fs::remove_file(sandbox.path(&trace)).expect("strace made it");
    outcome
}

/// Two keys `old.txt` and `new.txt`, and a file `x.age` for both.
fn with_two_recipients() -> (Sandbox, String, String) {
    let (sandbox, recipient) = Sandbox::with_key();
    let revoked = sandbox.keygen("revoked.txt");
    sandbox.write("x", "text");
    sandbox.run(["encrypt", "-r", &recipient, "-r", &revoked, "x"]).is_silent_success();
    (sandbox, recipient, revoked)
}

fn opens(sandbox: &Sandbox, key: &str) -> bool {
    sandbox.run(["decrypt", "-i", key, "-c", "x.age"]).status == 0
}

#[test]
fn what_takes_the_name_during_the_sync_is_not_lost() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient, _) = with_two_recipients();
    let more = sandbox.keygen("more.txt");
    let rekeyed = "solekey: error: cannot replace 'x.age': it changed while it was being read\n\
                   solekey: hint: 'x.age' was left as it was\n";
    let replaced = "solekey: error: 'x.age' was replaced by another program\n\
                    solekey: hint: the new file was left alone\n";
    let old = sandbox.read("x.age");
    for (arguments, said) in [
        (format!("rekey -i key.txt -r {recipient} -r {more} x.age"), rekeyed),
        (format!("encrypt -f -r {recipient} x"), replaced),
        (format!("encrypt -f -r {recipient} -o x.age x"), replaced),
    ] {
        let newer = || {
            sandbox.write("newer", "newer text");
            fs::rename(sandbox.path("newer"), sandbox.path("x.age")).expect("the folder takes it");
        };
        while_held_up(&sandbox, "fsync", "", &arguments, newer).fails(1, said);
        assert_eq!(sandbox.text("x.age"), "newer text", "{arguments}");
        sandbox.write("x.age", &old);
    }
    fs::remove_file(sandbox.path("x.age")).expect("it is there");
    let created = || sandbox.write("x.age", "newer text");
    while_held_up(&sandbox, "fsync", "", &format!("encrypt -r {recipient} x"), created).fails(
        1,
        "solekey: error: 'x.age' was created by another program during the run\n\
         solekey: hint: it was left as it is\n",
    );
    assert_eq!(sandbox.text("x.age"), "newer text");
}

#[test]
fn a_recipient_that_was_removed_does_not_come_back() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, _, revoked) = with_two_recipients();
    let more = sandbox.keygen("more.txt");
    let change = |how: &str| format!("rekey -i key.txt -i revoked.txt -i more.txt --header-only {how} x.age");
    let remove = |who: &str| sandbox.run(change(&format!("--remove -r {who}")).split(' '));
    let add = change(&format!("--add -r {more}"));
    let kept = "solekey: warning: --header-only keeps the file key: \
                anyone who could open the file still can, if they kept a copy of that key\n";
    // The slow run has the lock.
    let added = while_held_up(&sandbox, "fsync", "", &add, || {
        remove(&revoked).fails(
            1,
            &format!(
                "{kept}solekey: error: 'x.age' is locked by another program\n\
                 solekey: hint: wait until that program has finished, then try again\n"
            ),
        );
    });
    added.is(0, "", kept);
    assert!(opens(&sandbox, "revoked.txt") && opens(&sandbox, "more.txt"));

    // The slow run has no lock, as on a file system that knows none: the other one is faster.
    remove(&more).is(0, "", kept);
    let delayed = while_held_up(&sandbox, "fsync", "flock", &add, || {
        remove(&revoked).is(0, "", kept);
    });
    let said = "solekey: error: cannot replace 'x.age': it changed while it was being read\n\
                solekey: hint: 'x.age' was left as it was\n";
    delayed.fails(1, &format!("{kept}{said}"));
    assert!(!opens(&sandbox, "revoked.txt") && opens(&sandbox, "key.txt"));
}

#[test]
fn nothing_outside_of_a_folder_is_reached_while_its_parts_are_swapped() {
    if !installed(&["strace"]) {
        return;
    }
    let swaps = [
        "mv tree/sub moved && ln -s ../victim tree/sub",
        "rm tree/sub/f && ln -s ../../victim/f tree/sub/f",
        "rm tree/sub/f && mkfifo tree/sub/f",
        "mv tree/sub moved && mkfifo tree/sub",
    ];
    thread::scope(|scope| {
        for swap in swaps {
            scope.spawn(move || {
                let (sandbox, recipient) = Sandbox::with_key();
                sandbox
                    .shell("mkdir -p tree/sub victim; echo ours >tree/sub/f; echo theirs >victim/f")
                    .is_silent_success();
                let arguments = format!("encrypt -T1 -r {recipient} --recursive tree");
                let swapped = || sandbox.shell(swap).is_silent_success();
                let outcome = while_held_up(&sandbox, "openat2", "", &arguments, swapped);
                assert_eq!((outcome.status, outcome.stdout.len()), (1, 0), "{swap}: {outcome:?}");
                assert!(outcome.stderr.contains("tree/sub/f"), "{swap}: {outcome:?}");
                assert_eq!(fs::read_dir(sandbox.path("victim")).expect("it is there").count(), 1, "{swap}");
                assert!(!sandbox.path("tree/sub/f.age").exists(), "{swap}");
            });
        }
        // Once the file is open, everything happens in the folder that it was found in, wherever that is now.
        for run in ["encrypt --rm -r {} --recursive tree", "rekey -i key.txt -r {} --recursive tree"] {
            scope.spawn(move || {
                let (sandbox, recipient) = Sandbox::with_key();
                let name = if run.starts_with("rekey") { "f.age" } else { "f" };
                sandbox.shell("mkdir -p tree/sub victim; echo ours >f").is_silent_success();
                if name == "f.age" {
                    sandbox.run(["encrypt", "-r", &recipient, "f"]).is_silent_success();
                }
                for folder in ["tree/sub", "victim"] {
                    fs::copy(sandbox.path(name), sandbox.path(folder).join(name)).expect("it is there");
                }
                let before = sandbox.read(Path::new("victim").join(name));
                let swapped = || sandbox.shell("mv tree/sub moved && ln -s ../victim tree/sub").is_silent_success();
                while_held_up(&sandbox, "fsync", "", &run.replace("{}", &recipient), swapped).is_silent_success();
                assert_eq!(fs::read_dir(sandbox.path("victim")).expect("it is there").count(), 1, "{run}");
                assert!(sandbox.read(Path::new("victim").join(name)) == before, "{run}");
                assert_eq!(fs::read_dir(sandbox.path("moved")).expect("it is there").count(), 1, "{run}");
                assert!(sandbox.read("moved/f.age") != before, "{run}");
            });
        }
    });
}

/// A loop device with a file in the sandbox behind it, detached at the end.
struct Loop(String);

impl Loop {
    fn new(image: &Path) -> Option<Self> {
        let attached = Command::new("losetup").args(["-f", "--show"]).arg(image).output().ok()?;
        let device = String::from_utf8(attached.stdout).ok()?.trim().to_owned();
        if attached.status.success() { Some(Self(device)) } else { None }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["-d", &self.0]).status();
    }
}

#[test]
fn a_block_device_is_not_both_read_and_written() {
    if !is_root() || !installed(&["losetup"]) {
        return skip("only root may make devices");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("image", vec![7; 1 << 20]);
    let Some(device) = Loop::new(&sandbox.path("image")) else { return skip("there is no loop device") };
    sandbox.shell(&format!("mknod other b $(stat -c '0x%t 0x%T' {})", device.0)).is_silent_success();
    for run in [
        format!("encrypt -f -r {recipient} -o {0} {0}", device.0),
        format!("encrypt -r {recipient} -o other {}", device.0),
        format!("encrypt -c -r {recipient} other >{}", device.0),
        format!("encrypt -r {recipient} <other >{}", device.0),
    ] {
        let outcome = sandbox.shell(&format!("\"$SOLEKEY\" {run}"));
        assert_eq!(outcome.status, 2, "{run}: {outcome:?}");
        assert!(sandbox.read(&device.0).iter().all(|byte| *byte == 7), "{run}");
    }
}

#[test]
fn a_file_on_a_device_or_in_a_pipe_is_found_beside_other_data() {
    if !is_root() || !installed(&["losetup"]) {
        return skip("only root may make devices");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("image", vec![7; 4 << 20]);
    // The end of the final chunk is searched for from the longest one down, which takes a second for a short one.
    let length = SEGMENT + CHUNK - 100;
    let plaintext = data(length);
    sandbox.write("a", &plaintext);
    let Some(device) = Loop::new(&sandbox.path("image")) else { return skip("there is no loop device") };
    let device = &device.0;
    let outcome = sandbox.shell(&format!("\"$SOLEKEY\" encrypt -r {recipient} -o {device} a"));
    let length = length + 17 * 16 + 16 + 168;
    let said = format!("the first {length} bytes of '{device}' were written; read them with head -c {length}\n");
    outcome.fails(0, &format!("solekey: {said}"));
    let opened = sandbox.shell(&format!("head -c {length} {device} | \"$SOLEKEY\" decrypt -i key.txt"));
    assert!(opened.gave() == plaintext);
    let follows = "chunk 17 is the final one, and other data follows it\n";
    let hint = "solekey: hint: 'solekey salvage' recovers the data before the appended part\n";
    for (input, name, redirected) in [
        (device.as_str(), format!("'{device}'"), ""),
        ("-", "standard input".to_owned(), &format!("<{device}")),
        ("-", "standard input".to_owned(), &format!("<{device} cat |")),
    ] {
        let run = |run: String| match redirected.strip_suffix(" cat |") {
            Some(from) => sandbox.shell(&format!("cat {from} | \"$SOLEKEY\" {run}")),
            None => sandbox.shell(&format!("\"$SOLEKEY\" {run} {redirected}")),
        };
        let outcome = run(format!("decrypt -i key.txt -o x {input}"));
        let kept = "solekey: hint: nothing was written to 'x'\n";
        outcome.fails(4, &format!("solekey: error: cannot decrypt {name}: {follows}{kept}{hint}"));
        let outcome = run(format!("verify -i key.txt {input}"));
        assert_eq!((outcome.status, outcome.stderr.as_str()), (4, hint), "{input}");
        assert!(
            String::from_utf8_lossy(&outcome.stdout)
                .ends_with("FAILED chunk 17 is the final one, and other data follows it\n")
        );
        let outcome = run(format!("salvage -f -i key.txt -o x {input}"));
        let ignored = format!("solekey: warning: {name} has data after its final chunk, which was ignored\n");
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ignored.as_str()), "{input}");
        assert!(sandbox.read("x") == plaintext, "{input}");
        fs::remove_file(sandbox.path("x")).expect("it is there");
    }
}

/// Mounts an exFAT file system on `m` in the sandbox while `script` runs.
fn on_exfat(sandbox: &Sandbox, script: &str) -> Option<Outcome> {
    let is_there = |program: &str| which(program).is_some() || Path::new("/sbin").join(program).exists();
    if !is_root() || !is_there("mount.exfat-fuse") || !is_there("mkfs.exfat") || !Path::new("/dev/fuse").exists() {
        skip("exFAT needs root, exfat-fuse and exfatprogs");
        return None;
    }
    let mounted = format!(
        "PATH=$PATH:/sbin:/usr/sbin; exec 2>&1; truncate -s 8M image; mkfs.exfat image >/dev/null; mkdir m
         device=$(losetup -f --show image) && mount.exfat-fuse $device m >/dev/null 2>&1 || exit 99
         ( {script} ); status=$?; umount m; losetup -d $device; rm -r image m; exit $status"
    );
    let outcome = sandbox.shell(&mounted);
    if outcome.status == 99 {
        skip("exFAT cannot be mounted here");
        return None;
    }
    Some(outcome)
}

#[test]
fn a_file_system_that_ignores_case_loses_nothing() {
    let (sandbox, recipient) = Sandbox::with_key();
    for round in 0..rounds(1, 20) {
        let threads = if round % 2 == 0 { "-T1" } else { "-T8" };
        let Some(outcome) = on_exfat(
            &sandbox,
            &format!(
                "mkdir -p s/A s/b m/out; echo first >s/A/Data.txt; echo second >s/b/data.txt; echo old >m/out/data.txt.age
                 \"$SOLEKEY\" encrypt {threads} -r {recipient} -f --rm -O m/out s/A/Data.txt s/b/data.txt; echo $?
                 cat s/A/Data.txt s/b/data.txt 2>/dev/null; \"$SOLEKEY\" decrypt -i key.txt -c m/out/*; rm -r s"
            ),
        ) else {
            return;
        };
        let printed = String::from_utf8_lossy(&outcome.stdout).into_owned();
        let said = "solekey: error: 'm/out/data.txt.age' would be the output of two inputs\n";
        assert!(printed.to_lowercase().contains(said) && printed.contains("\n6\n"), "{printed}");
        assert!(printed.contains("first\n") && printed.contains("second\n"), "{printed}");
    }
    let Some(outcome) = on_exfat(
        &sandbox,
        &format!(
            "echo text >m/Note; echo more >m/other; cp key.txt m/Key.txt; cp key.txt m/secret
             for run in \"encrypt -f -r {recipient} -o m/NOTE m/Note\" \"encrypt -f -r {recipient} -O m m/Other m/OTHER.AGE\" \
                 \"encrypt -f -i m/Key.txt -o m/KEY.TXT m/Note\" \"encrypt -f -r {recipient} --receipt m/RECEIPT.AGE -O m m/receipt\"
             do echo >m/receipt; echo still >m/other.age; echo >m/receipt.age; \"$SOLEKEY\" $run; echo $?; cat m/note m/other.age
             grep -c AGE-SECRET m/key.txt; done"
        ),
    ) else {
        return;
    };
    let printed = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert_eq!(printed.matches("text\nstill\n1\n").count(), 4, "{printed}");
    assert_eq!(printed.matches("\n2\n").count(), 3, "{printed}");
    assert_eq!(
        printed.matches("are the same file").count() + printed.matches("both read and written").count(),
        3,
        "{printed}"
    );
}

#[test]
fn a_file_system_without_links_and_exclusive_renames_takes_new_files() {
    let (sandbox, recipient) = Sandbox::with_key();
    let Some(outcome) = on_exfat(
        &sandbox,
        &format!(
            "echo text >m/x; \"$SOLEKEY\" encrypt -r {recipient} m/x && \"$SOLEKEY\" decrypt -i key.txt -o m/y m/x.age && cat m/y
             \"$SOLEKEY\" keygen -o m/k >/dev/null && \"$SOLEKEY\" encrypt -v --rm -r {recipient} m/y; echo $?; ls -A m"
        ),
    ) else {
        return;
    };
    let printed = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(printed.starts_with("text\n") && printed.ends_with("\n0\nk\nx\nx.age\ny.age\n"), "{printed}");
    assert!(
        printed.contains("solekey: the file system cannot rename a file without possibly replacing another"),
        "{printed}"
    );
}

#[test]
fn a_placeholder_that_another_program_replaces_is_left_alone() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    // As on exFAT: no unnamed files, no exclusive renames, no links.
    let lacks =
        "-e inject=renameat2:error=EINVAL -e inject=link,linkat:error=EPERM -e inject=open:error=EOPNOTSUPP:when=1";
    let run = format!("encrypt -r {recipient} -o y x");
    let run = |inject: &str| {
        let script = format!("exec strace -f -qqq -o trace {lacks} {inject} \"$SOLEKEY\" {run}");
        sandbox.detached("sh").args(["-c", &script]).stdin(Stdio::null()).spawn().expect("the shell starts")
    };
    finish(run("")).is_silent_success();
    assert_eq!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "y"]).gave(), b"text");
    assert!(sandbox.text("trace").contains("renameat2"), "the fault is where it should be");
    finish(run("")).fails(
        1,
        "solekey: error: 'y' already exists\n\
         solekey: hint: overwrite it with -f, or choose another name with -o, or another folder with -O\n",
    );
    fs::remove_file(sandbox.path("y")).expect("it is there");
    assert_eq!(sandbox.names(), ["key.txt", "trace", "x"]);
    // Killed before the rename, it leaves nothing but an empty file with the name.
    finish(run("-e inject=rename,renameat:signal=KILL"));
    let left: Vec<_> = sandbox.names().into_iter().filter(|name| !name.starts_with(".solekey-")).collect();
    assert_eq!((left, sandbox.read("y").len()), (["key.txt", "trace", "x", "y"].map(String::from).to_vec(), 0));
}
