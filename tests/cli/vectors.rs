//! Runs every CCTV vector through the program: exit status, released bytes, and no file left after a failure.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{
    cctv::{self, Expect, Vector},
    sandbox::{Outcome, Sandbox},
};

/// Number of vectors tested at once.
const THREADS: usize = 3;

#[test]
fn every_vector_exits_with_the_status_of_its_category() {
    let vectors = cctv::all();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(vector) = vectors.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(vector);
                }
            });
        }
    });
}

fn check(vector: &Vector) {
    let sandbox = Sandbox::new();
    sandbox.keygen("nobody");
    sandbox.write("keys", vector.identities.join("\n"));
    sandbox.set_mode("keys", 0o600);
    sandbox.write("pass", vector.passphrases.join("\n"));
    sandbox.write("x.age", &vector.file);
    let mut arguments = vec!["decrypt", "-i", if vector.identities.is_empty() { "nobody" } else { "keys" }];
    if !vector.passphrases.is_empty() {
        arguments.extend(["--passphrase-file", "pass"]);
    }
    let before = sandbox.names();

    let streamed = sandbox.run_with(&arguments, &vector.file);
    assert_status(vector, &streamed);
    vector.assert_released(&streamed.stdout);

    let to_file = sandbox.run(arguments.iter().chain(&["x.age"]));
    assert_status(vector, &to_file);
    assert_eq!(to_file.stdout, b"", "{}", vector.name);
    if vector.expect == Expect::Success {
        vector.assert_released(&sandbox.read("x"));
    } else {
        assert_eq!(sandbox.names(), before, "{}", vector.name);
    }
}

fn assert_status(vector: &Vector, outcome: &Outcome) {
    // The file may be intact: the program refuses the work.
    let too_much_work = outcome.stderr.contains(": the passphrase's work factor is 2^");
    let status = match vector.expect {
        Expect::Success => 0,
        Expect::NoMatch => 3,
        Expect::HeaderFailure if too_much_work => 1,
        Expect::HmacFailure | Expect::HeaderFailure | Expect::PayloadFailure | Expect::ArmorFailure => 4,
    };
    assert_eq!(outcome.status, status, "{}: {}", vector.name, outcome.stderr);
    assert_eq!(outcome.stderr.is_empty(), status == 0, "{}: {}", vector.name, outcome.stderr);
}
