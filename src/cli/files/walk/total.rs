//! The number of inputs and bytes of a run, for its progress.

use std::fs;

use crate::cli::{
    args::InputArgs,
    files::walk::{Selection, Skipped, are_known, inputs, once::Seen, yields_one},
    platform::Links,
    terminal::progress::Total,
};

/// Returns a closure that totals the inputs, or `None` if the total cannot be known, as for a pipe or a list that can be read only
/// once, or if there is a single input. An input that is named twice counts once, unless it is read each time.
pub(crate) fn measure(
    args: &InputArgs,
    selection: Selection,
    once: Option<Links>,
) -> impl FnOnce() -> Option<Total> + Send + use<> {
    let args = args.clone();
    move || {
        if !are_known(&args) {
            return None;
        }
        let inputs = inputs(&args, selection, &Skipped::default()).ok()?;
        if yields_one(&inputs) {
            return None;
        }
        let mut total = Total::default();
        let mut seen = Seen::default();
        for input in inputs.flatten() {
            if once.is_some_and(|links| !seen.is_new(&input, links)) {
                continue;
            }
            match fs::metadata(&input.path) {
                Ok(metadata) if metadata.is_file() => {
                    total.files += 1;
                    total.bytes += metadata.len();
                }
                // An input that is missing fails when its turn comes.
                Err(_) if !input.is_stdin() => {}
                _ => return None,
            }
        }
        Some(total)
    }
}
