//! Workers that take turns: loom checks the sequencer in every order in which their threads can run.
//!
//! The code under test is the program's own file, with loom's locks instead of the standard library's.

use std::{ops::ControlFlow, sync::Arc};

use loom::thread;

mod sync {
    pub(super) use loom::sync::{Condvar, Mutex};
}

#[path = "../../src/crypto/parallel/sequencer.rs"]
mod sequencer;

use self::{sequencer::Sequencer, sync::Mutex};

/// Runs workers as the pipeline does: each claims the next of `segments` numbers and takes its turn with it.
///
/// The turn of number `failing` fails. Returns the numbers that had a turn, in that order.
fn run(workers: usize, segments: u64, failing: Option<u64>) -> Vec<u64> {
    let claims = Arc::new(Mutex::new(0..segments));
    let turns = Arc::new(Sequencer::new(()));
    let turned = Arc::new(Mutex::new(Vec::new()));
    let work = {
        let (claims, turns, turned) = (claims, turns, turned.clone());
        move || {
            let claim = || claims.lock().expect("no worker panics").next();
            while let Some(number) = claim() {
                turns.run(number, |()| {
                    turned.lock().expect("no worker panics").push(number);
                    if failing == Some(number) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
            }
        }
    };
    let others: Vec<_> = (1..workers).map(|_| thread::spawn(work.clone())).collect();
    work();
    for other in others {
        other.join().expect("no worker panics");
    }
    turned.lock().expect("no worker panics").clone()
}

fn every_order(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    // At most three preemptions: enough to find all known bugs of this kind, and quick to check.
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn turns_come_in_order_and_every_worker_ends() {
    every_order(|| assert_eq!(run(2, 4, None), [0, 1, 2, 3]));
    every_order(|| assert_eq!(run(3, 3, None), [0, 1, 2]));
}

#[test]
fn after_a_failure_no_worker_gets_a_turn_and_every_worker_ends() {
    for failing in 0..3 {
        every_order(move || assert_eq!(run(3, 3, Some(failing)), (0..=failing).collect::<Vec<_>>()));
    }
}
