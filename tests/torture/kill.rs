//! Signals at any moment: each output is either the whole old file or the whole new one, and nothing is left over.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    record, rounds,
    sandbox::{Outcome, SEGMENT, Sandbox, data, finish, numbers},
};

const OLD: &[u8] = b"an old file";

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).stderr(Stdio::null()).status();
    sent.expect("kill can be run");
}

/// A run of one verb, with outputs that already exist.
struct Victim {
    arguments: Vec<String>,
    outputs: Vec<&'static str>,
    old: Vec<u8>,
}

fn victims(recipient: &str, sealed: &[u8]) -> Vec<Victim> {
    let victim = |arguments: &str, outputs: &'static str| Victim {
        arguments: arguments.split(' ').map(str::to_owned).collect(),
        outputs: outputs.split(' ').collect(),
        old: OLD.to_vec(),
    };
    vec![
        victim(&format!("encrypt -f -r {recipient} a"), "a.age"),
        victim("decrypt -f -i key.txt s.age", "s"),
        victim(&format!("encrypt -f -r {recipient} a b c"), "a.age b.age c.age"),
        victim(&format!("encrypt -f -a -r {recipient} a"), "a.age"),
        victim(&format!("encrypt -f --check -T 3 -r {recipient} a b c"), "a.age b.age c.age"),
        victim("salvage -f -i key.txt -o s s.age", "s"),
        Victim {
            old: sealed.to_vec(),
            ..victim(&format!("rekey -i key.txt -r {recipient} a.age b.age"), "a.age b.age")
        },
    ]
}

/// Asserts that each output is the old file or a whole new one, and returns how many are new.
fn whole_ones(sandbox: &Sandbox, outputs: &[&str], old: &[u8], plaintext: &[u8]) -> usize {
    let is_new = |name: &&&str| {
        let found = sandbox.read(name);
        if found == old {
            return false;
        }
        if name.ends_with(".age") {
            assert!(sandbox.run(["decrypt", "-i", "key.txt", "-c", name]).gave() == plaintext, "{name} is not whole");
        } else {
            assert!(found == plaintext, "{name} is not whole");
        }
        true
    };
    outputs.iter().filter(is_new).count()
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_file_or_the_new_one() {
    let (sandbox, recipient) = Sandbox::with_key();
    let plaintext = data(6 * SEGMENT + 1);
    for name in ["a", "b", "c", "plain"] {
        sandbox.write(name, &plaintext);
    }
    sandbox.run(["encrypt", "-r", &recipient, "plain", "-o", "s.age"]).is_silent_success();
    let (mut kills, mut new, mut left) = (0, 0, 0);
    for victim in victims(&recipient, &sandbox.read("s.age")) {
        victim.outputs.iter().for_each(|name| sandbox.write(name, &victim.old));
        let expected = sandbox.names();
        let start = Instant::now();
        assert_eq!(sandbox.run(&victim.arguments).status, 0);
        // Kills are spread over the whole run and a little beyond.
        let micros = usize::try_from(start.elapsed().as_micros()).expect("a run takes seconds") * 11 / 10;
        for moment in numbers(rounds(8, 500), micros.max(1)) {
            victim.outputs.iter().for_each(|name| sandbox.write(name, &victim.old));
            let mut child = sandbox.command(&victim.arguments).spawn().expect("the program starts");
            thread::sleep(Duration::from_micros(moment as u64));
            let _ = child.kill();
            let outcome = finish(child);
            assert!(matches!(outcome, Outcome { status: 0 | 137, .. }), "{outcome:?}");
            kills += usize::from(outcome.status == 137);
            new += whole_ones(&sandbox, &victim.outputs, &victim.old, &plaintext);
            // A file has a hidden name only for an instant, right before it replaces the old one.
            let leftovers: Vec<_> = sandbox.names().into_iter().filter(|name| !expected.contains(name)).collect();
            assert!(leftovers.len() <= 1, "{leftovers:?}");
            for name in &leftovers {
                assert!(name.starts_with(".solekey-") && name.ends_with(".part"), "{name}");
                fs::remove_file(sandbox.path(name)).expect("the file belongs to this user");
            }
            left += leftovers.len();
        }
    }
    record("kill", &format!("{kills} runs killed, {new} outputs new and whole, {left} hidden leftovers, 0 lost"));
}

#[test]
fn a_termination_signal_ends_the_program_and_leaves_nothing() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("a", data(6 * SEGMENT));
    let mut ended = 0;
    let usual = [("INT", 2), ("TERM", 15), ("HUP", 1)].map(|(name, number)| (name, number, rounds(8, 200)));
    let others = [("USR1", 10), ("USR2", 12), ("ALRM", 14), ("VTALRM", 26), ("PROF", 27), ("XCPU", 24)];
    let others = others.map(|(name, number)| (name, number, rounds(2, 50)));
    for (name, number, rounds) in usual.into_iter().chain(others) {
        for moment in numbers(rounds, 15_000) {
            sandbox.write("a.age", OLD);
            let child = sandbox.command(["encrypt", "-f", "-r", &recipient, "a"]).spawn().expect("the program starts");
            thread::sleep(Duration::from_micros(moment as u64));
            signal(&child, name);
            let outcome = finish(child);
            assert!(outcome.status == 0 || outcome.status == 128 + number, "{name}: {outcome:?}");
            assert_eq!(outcome.stderr, "");
            ended += usize::from(outcome.status != 0);
            whole_ones(&sandbox, &["a.age"], OLD, &data(6 * SEGMENT));
            assert_eq!(sandbox.names(), ["a", "a.age", "key.txt"]);
        }
    }
    record("end by signal", &format!("{ended} runs ended by one of nine signals, 0 lost"));
}

#[test]
fn a_run_that_is_stopped_and_continued_gives_the_same_output() {
    let (sandbox, recipient) = Sandbox::with_key();
    let plaintext = data(24 * SEGMENT);
    sandbox.write("a", &plaintext);
    for _ in 0..rounds(2, 30) {
        let child = sandbox.command(["encrypt", "-f", "-r", &recipient, "a"]).spawn().expect("the program starts");
        for _ in 0..20 {
            signal(&child, "STOP");
            thread::sleep(Duration::from_micros(500));
            signal(&child, "CONT");
            thread::sleep(Duration::from_micros(500));
        }
        finish(child).is_silent_success();
        assert!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "a.age"]).gave() == plaintext);
    }
}
