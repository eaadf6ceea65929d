//! Attacks on the built program and the library. No file may be lost or forged, and nothing may hang.
//!
//! The short form runs with the other tests. `tests/torture/run --long` runs the same attacks with many more rounds, and
//! `README.md` records the results.

#[path = "../cli/requirements.rs"]
mod requirements;
#[path = "../cli/sandbox.rs"]
mod sandbox;

mod bytes;
mod disk;
mod groups;
mod hostile;
mod kill;
mod load;
mod pass_through;
mod power_loss;
mod properties;
mod recipes;
mod removal;
mod swaps;
mod user_space;

use std::{env, io::Write, sync::LazyLock};

/// Whether this is the long form.
static LONG: LazyLock<bool> = LazyLock::new(|| env::var_os("TORTURE").is_some_and(|form| form == "long"));

/// Returns the number of rounds of an attack.
fn rounds(short: usize, long: usize) -> usize {
    if *LONG { long } else { short }
}

/// Prints the figures of an attack in the long form, bypassing the test harness's capture.
fn record(attack: &str, figures: &str) {
    if *LONG {
        let _ = writeln!(std::io::stderr(), "RECORD {attack}: {figures}");
    }
}
