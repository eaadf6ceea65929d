//! Load: many processes at once, many files in one run, and slow producers.

use std::{
    fs::{self, File},
    io::Write,
    process::Stdio,
    thread,
    time::Duration,
};

use crate::{
    LONG, record,
    requirements::installed,
    rounds,
    sandbox::{Outcome, SEGMENT, Sandbox, data, finish, finish_within},
};

/// Runs a shell script that may take up to 15 minutes.
fn in_time(sandbox: &Sandbox, script: &str) -> Outcome {
    let child = sandbox.detached("sh").args(["-c", script]).spawn().expect("the shell starts");
    finish_within(Duration::from_secs(15 * 60), child)
}

#[test]
fn a_hundred_processes_at_once_on_one_input_all_succeed() {
    let (sandbox, recipient) = Sandbox::with_key();
    let plaintext = data(SEGMENT + 5);
    sandbox.write("a", &plaintext);
    let count = rounds(30, 100);
    let start = |index| sandbox.command(["encrypt", "-r", &recipient, "a", "-o", &format!("x{index}")]).spawn();
    let started: Vec<_> = (0..count).map(|index| start(index).expect("the program starts")).collect();
    started.into_iter().for_each(|child| finish(child).is_silent_success());
    let start = |index| sandbox.command(["decrypt", "-i", "key.txt", "-c", &format!("x{index}")]).spawn();
    let started: Vec<_> = (0..count).map(|index| start(index).expect("the program starts")).collect();
    assert!(started.into_iter().all(|child| finish(child).gave() == plaintext));
    record("at once", &format!("{count} processes encrypt one file, {count} decrypt, 0 fail"));
}

#[test]
fn thousands_of_files_in_one_run_leave_nothing_open() {
    let (sandbox, recipient) = Sandbox::with_key();
    let count = rounds(500, 5_000);
    for index in 0..count {
        sandbox.write(format!("f{index}"), index.to_string());
    }
    // With no more than 40 descriptors and 100 MB of memory.
    let limits = "ulimit -n 40; ulimit -d 100000";
    let patience = if *LONG { "timeout 25" } else { "" };
    let outcome = sandbox.shell(&format!("{limits}; {patience} \"$SOLEKEY\" encrypt -r {recipient} f*"));
    outcome.is_silent_success();
    (0..count).for_each(|index| fs::remove_file(sandbox.path(format!("f{index}"))).expect("it exists"));
    let outcome = sandbox.shell(&format!("{limits}; {patience} \"$SOLEKEY\" decrypt -i key.txt f*.age"));
    outcome.is_silent_success();
    (0..count).for_each(|index| assert_eq!(sandbox.text(format!("f{index}")), index.to_string()));
    record("files in one run", &format!("{count} there and back, 40 descriptors"));
}

#[test]
fn a_list_of_names_is_processed_in_constant_memory() {
    let (sandbox, recipient) = Sandbox::with_key();
    for index in 0..100 {
        sandbox.write(format!("f{index}"), index.to_string());
    }
    sandbox.shell(&format!("\"$SOLEKEY\" encrypt -r {recipient} f*")).is_silent_success();
    let count = rounds(1_500, 1_000_000);
    // Each name is four thousand bytes long: keeping fifteen hundred of them would exceed the limit.
    let list =
        "up=$(printf './%.0s' $(seq 2000)); i=0; while [ $i -lt 100 ]; do echo ${up}f$i.age; i=$((i+1)); done >names";
    let lists = format!("{list}; i=0; while [ $i -lt {} ]; do cat names; i=$((i+1)); done", count / 100);
    let script = format!("{lists} | (ulimit -d 5000; \"$SOLEKEY\" verify -i key.txt --files-from -) | grep -c OK");
    in_time(&sandbox, &script).is(0, &format!("{count}\n"), "");
    record("names in a list", &format!("{count} verified in 5 MB of memory"));
}

#[test]
fn a_producer_that_sends_one_byte_at_a_time_is_waited_for() {
    let (sandbox, recipient) = Sandbox::with_key();
    let pause = Duration::from_millis(if *LONG { 1000 } else { 40 });
    let mut command = sandbox.command(["encrypt", "-r", &recipient, "-o", "x"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("it is a pipe");
    for byte in b"a byte at a time" {
        pipe.write_all(&[*byte]).expect("the program reads it");
        thread::sleep(pause);
    }
    drop(pipe);
    finish(child).is_silent_success();
    sandbox.run(["decrypt", "-i", "key.txt", "-c", "x"]).is(0, "a byte at a time", "");
}

#[test]
fn a_large_input_leaves_the_memory_to_other_files() {
    if !installed(&["fincore"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    let on_tmpfs = sandbox.shell("stat -f -c %T .").gave() == b"tmpfs\n";
    if on_tmpfs {
        // Its files are in memory and nowhere else.
        return;
    }
    let holes = File::create(sandbox.path("holes"));
    holes.and_then(|file| file.set_len(1500 << 20)).expect("the file system supports holes");
    let resident = |run: &str| {
        sandbox.shell(&format!("\"$SOLEKEY\" {run} >/dev/null")).is_silent_success();
        let mebibytes = String::from_utf8_lossy(sandbox.shell("fincore -nb -o RES holes").gave()).trim().parse::<u64>();
        mebibytes.expect("fincore prints a number") >> 20
    };
    let left = resident(&format!("encrypt -c -r {recipient} holes"));
    assert!((256..1100).contains(&left), "{left} MiB");
    record("memory of a large input", &format!("{left} of 1500 MiB stay"));
}

#[test]
fn a_sparse_file_beyond_four_gibibytes_round_trips() {
    if !*LONG {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    let length = (5_u64 << 30) + 1;
    File::create(sandbox.path("holes")).and_then(|file| file.set_len(length)).expect("the file system supports holes");
    let script = format!(
        "ulimit -d 100000; \"$SOLEKEY\" encrypt -c -r {recipient} holes | \"$SOLEKEY\" decrypt -i key.txt | cmp - holes"
    );
    in_time(&sandbox, &script).is_silent_success();
    record("holes", &format!("{length} bytes there and back in 100 MB of memory"));

    let length = 100_u64 << 30;
    File::create(sandbox.path("more")).and_then(|file| file.set_len(length)).expect("the file system supports holes");
    let script = format!(
        "ulimit -d 100000; \"$SOLEKEY\" encrypt -c -r {recipient} more | \"$SOLEKEY\" decrypt -i key.txt | wc -c"
    );
    in_time(&sandbox, &script).is(0, &format!("{length}\n"), "");
    record("more holes", &format!("{length} bytes there and back in 100 MB of memory"));
}
