//! Commit groups: files that become durable together are each whole or absent, and no source goes before its output is durable.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    disk::{shimmed, under},
    record,
    requirements::{installed, skip},
    rounds,
    sandbox::{Sandbox, data, finish, is_root, numbers, wait_until},
};

/// Files in a run: more than one group takes.
const FILES: usize = 150;

fn plaintext(index: usize) -> Vec<u8> {
    data(100 * index)
}

/// Writes the files `src/f0` to `src/f149`.
fn write_sources(sandbox: &Sandbox) {
    fs::create_dir_all(sandbox.path("src")).expect("the folder can be made");
    (0..FILES).for_each(|index| sandbox.write(format!("src/f{index}"), plaintext(index)));
}

/// Which outputs `f0.age` to `f149.age` of a folder exist. Asserts that each opens to its source, or is `old`.
fn outputs(sandbox: &Sandbox, folder: &str, old: &[u8]) -> Vec<bool> {
    let is_new = |index: &usize| {
        let sealed = fs::read(sandbox.path(format!("{folder}/f{index}.age")));
        sealed.is_ok_and(|sealed| sealed != old)
    };
    let new: Vec<_> = (0..FILES).map(|index| is_new(&index)).collect();
    let names: Vec<_> = (0..FILES).filter(|index| new[*index]).map(|index| format!("{folder}/f{index}.age")).collect();
    if !names.is_empty() {
        let options = ["decrypt", "-i", "key.txt", "-f", "-O", "opened"].map(str::to_owned);
        sandbox.run(options.into_iter().chain(names)).is_silent_success();
    }
    for index in (0..FILES).filter(|index| new[*index]) {
        assert!(sandbox.read(format!("opened/f{index}")) == plaintext(index), "f{index} is not whole");
    }
    new
}

/// Puts every source back, and the old outputs in their place, or none.
fn restore(sandbox: &Sandbox, old: &[u8]) {
    write_sources(sandbox);
    for index in 0..FILES {
        let _ = fs::remove_file(sandbox.path(format!("out/src/f{index}.age")));
        if !old.is_empty() {
            sandbox.write(format!("out/src/f{index}.age"), old);
        }
    }
    let _ = fs::remove_file(sandbox.path("r.json"));
}

/// Asserts that every output is old or whole, that every source is there unless its output is, and that the receipt has a line for
/// every source that is not. Returns how many outputs are new.
fn new_ones(sandbox: &Sandbox, old: &[u8], has_receipt: bool) -> usize {
    let new = outputs(sandbox, "out/src", old);
    let receipt = fs::read_to_string(sandbox.path("r.json")).unwrap_or_default();
    for (index, is_new) in new.iter().enumerate() {
        let source = fs::read(sandbox.path(format!("src/f{index}")));
        let is_there = source.is_ok_and(|source| source == plaintext(index));
        assert!(*is_new || is_there, "f{index} is lost");
        let line = format!("out/src/f{index}.age\"");
        assert!(!has_receipt || is_there || receipt.contains(&line), "f{index} has no line: {receipt}");
    }
    new.into_iter().filter(|is_new| *is_new).count()
}

/// Kills runs at moments that are spread over their whole length.
fn kill_runs(options: &str, old: &[u8], rounds: usize) {
    let (sandbox, recipient) = Sandbox::with_key();
    let arguments = format!("encrypt {options} -r {recipient} -O out --recursive src");
    write_sources(&sandbox);
    let start = Instant::now();
    assert_eq!(sandbox.run(arguments.split(' ')).status, 0);
    let micros = usize::try_from(start.elapsed().as_micros()).expect("a run takes seconds");
    let (mut kills, mut committed) = (0, 0);
    for moment in numbers(rounds, micros) {
        restore(&sandbox, old);
        let mut child = sandbox.command(arguments.split(' ')).spawn().expect("the program starts");
        thread::sleep(Duration::from_micros(moment as u64));
        let _ = child.kill();
        kills += usize::from(finish(child).status == 137);
        committed += new_ones(&sandbox, old, options.contains("receipt"));
    }
    assert!(kills > 0 && committed > 0);
    let figures = format!("{kills} runs over {FILES} files killed, {committed} outputs new and whole, 0 lost");
    record(&format!("groups, encrypt {options}"), &figures);
}

#[test]
fn a_kill_during_a_group_leaves_each_file_old_or_new() {
    kill_runs("-f", b"old", rounds(4, 500));
}

#[test]
fn a_kill_during_a_group_that_deletes_loses_no_source_and_no_line_of_the_receipt() {
    kill_runs("-f --rm --receipt r.json", b"old", rounds(6, 600));
}

#[test]
fn a_failing_disk_during_a_group_loses_no_source_and_no_line_of_the_receipt() {
    let Some((sandbox, recipient, _)) = shimmed() else { return };
    let encrypt = format!("encrypt -f --rm --receipt r.json -r {recipient} -O out --recursive src");
    let (eio, enospc) = (5, 28);
    fs::create_dir_all(sandbox.path("out/src")).expect("the folder takes it");
    let (mut failed, mut committed) = (0, 0);
    for call in numbers(rounds(1, 100), FILES) {
        for fault in [
            format!("FAIL_WRITE={call} ERROR={enospc}"),
            format!("FAIL_WRITE={call} ERROR={eio}"),
            format!("FAIL_READ={call} ERROR={eio}"),
            format!("FAIL_SYNC_CALL={call}"),
        ] {
            restore(&sandbox, b"old");
            let outcome = under(&sandbox, &fault, &encrypt);
            assert!(matches!(outcome.status, 0 | 1 | 6), "{fault}: {outcome:?}");
            failed += usize::from(outcome.status != 0);
            committed += new_ones(&sandbox, b"old", true);
        }
    }
    assert!(failed > 0 && committed > 0);
    record("groups on a failing disk", &format!("{failed} runs failed, {committed} outputs new and whole, 0 lost"));
}

#[test]
fn a_failed_sync_fails_its_file_alone_and_keeps_its_source() {
    let Some((sandbox, recipient, _)) = shimmed() else { return };
    write_sources(&sandbox);
    let encrypt = format!("encrypt --rm -r {recipient} -O out --recursive src");
    let outcome = under(&sandbox, "FAIL_SYNC_CALL=7", &encrypt);
    // The files of a group are synced in no particular order.
    let failed: Vec<_> = (0..FILES).filter(|index| sandbox.path(format!("src/f{index}")).exists()).collect();
    let [failed] = failed[..] else { panic!("{failed:?} were kept: {}", outcome.stderr) };
    outcome.fails(
        6,
        &format!(
            "solekey: error: cannot finish 'out/src/f{failed}.age': Input/output error\n\
             solekey: hint: nothing was written to 'out/src/f{failed}.age'\n"
        ),
    );
    let expected: Vec<_> = (0..FILES).map(|index| index != failed).collect();
    assert_eq!(outputs(&sandbox, "out/src", b""), expected);
}

/// Runs a script with a disk mounted at `disk` that takes no more than `room` bytes, though its file system has more. Then gives
/// the disk all its room. Returns the status of the script.
fn on_disk_with_room_for(sandbox: &Sandbox, room: usize, script: &str) -> i32 {
    // The disk is a sparse file in memory. Writing to it fails once the memory is full.
    let script = format!(
        "mkdir -p thin disk && mount -t tmpfs -o size=300M none thin && truncate -s 200M thin/image && mkfs.ext4 -q thin/image &&
         mount -o loop thin/image disk && mkdir disk/out && sync -f disk || exit 99
         mount -o remount,size=$(($(du -B1 thin/image | cut -f1) + {room})) thin || exit 99
         {script}; status=$?
         umount disk; mount -o remount,size=300M thin && mount -o loop thin/image disk || exit 99
         exit $status"
    );
    sandbox.shell(&script).status
}

#[test]
fn a_disk_that_stops_taking_writes_is_reported_and_costs_no_source() {
    if !is_root() || !Path::new("/dev/loop-control").exists() || !installed(&["mkfs.ext4"]) {
        return skip("only root can mount a disk from a file, and only if there are loop devices");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    let run = format!("\"$SOLEKEY\" -q encrypt --rm -r {recipient} -O disk/out --recursive src");
    let (mut failed, mut named) = (0, 0);
    for room in numbers(rounds(2, 60), 2 << 20) {
        write_sources(&sandbox);
        let status = on_disk_with_room_for(&sandbox, room, &run);
        assert_ne!(status, 99, "the disk cannot be made");
        failed += usize::from(status != 0);
        for (index, is_there) in outputs(&sandbox, "disk/out/src", b"").into_iter().enumerate() {
            let is_kept = sandbox.path(format!("src/f{index}")).exists();
            assert!(is_there || is_kept && status != 0, "room for {room} bytes, status {status}: f{index} is lost");
            named += usize::from(is_there);
        }
        sandbox.shell("umount disk; umount thin").is_silent_success();
    }
    assert!(failed > 0);
    record("a disk that stops taking writes", &format!("{failed} runs failed, {named} outputs new and whole, 0 lost"));
}

#[test]
fn a_name_that_is_not_durable_is_an_error() {
    let Some((sandbox, recipient, plaintext)) = shimmed() else { return };
    let outcome = under(&sandbox, "FAIL_FOLDER_SYNC=1", &format!("encrypt -r {recipient} a -o b"));
    outcome.fails(
        1,
        "solekey: error: cannot make the name of 'b' durable: Input/output error\n\
         solekey: hint: the file is there now, but may be gone after a power failure; check the disk, then try again\n",
    );
    assert!(sandbox.read("a") == plaintext && sandbox.path("b").exists());
}

#[test]
fn a_slow_first_file_stops_no_other() {
    let (sandbox, recipient) = Sandbox::with_key();
    write_sources(&sandbox);
    sandbox.shell("mkfifo slow").is_silent_success();
    let names = (0..FILES).map(|index| format!("src/f{index}"));
    let arguments = ["encrypt", "-v", "-T", "2", "-O", "out/src", "-r", &recipient, "slow"].map(str::to_owned);
    let child = sandbox.command(arguments.into_iter().chain(names)).spawn().expect("the program starts");
    wait_until("all other files are encrypted", || {
        (0..FILES).all(|index| sandbox.path(format!("out/src/f{index}.age")).exists())
    });
    fs::write(sandbox.path("slow"), "at last").expect("the program reads it");
    let outcome = finish(child);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    // Reports are still in the order of the inputs.
    assert!(outcome.stderr.starts_with("solekey: encrypted 'slow' to "), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), FILES + 1);
}
