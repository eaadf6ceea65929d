//! Attacks on the built program and the library. Nothing may be lost, forged or hung.
//!
//! The short form runs with the other tests. `tests/torture/run --long` runs the same with many more rounds, and
//! `README.md` says what came of it.

#[path = "../cli/requirements.rs"]
mod requirements;
#[path = "../cli/sandbox.rs"]
mod sandbox;

mod bytes;
mod disk;
mod hostile;
mod kill;
mod load;
mod properties;

use std::{env, io::Write, sync::LazyLock};

/// Whether this is the long form.
static LONG: LazyLock<bool> = LazyLock::new(|| env::var_os("TORTURE").is_some_and(|form| form == "long"));

/// How many rounds an attack has.
fn rounds(short: usize, long: usize) -> usize {
    if *LONG { long } else { short }
}

/// Says in the long form, past the test harness's capture, what an attack came to.
fn record(attack: &str, figures: &str) {
    if *LONG {
        let _ = writeln!(std::io::stderr(), "RECORD {attack}: {figures}");
    }
}
