//! The line at the end of a run over several files, for somebody who watches.

use std::{
    io::{self, IsTerminal},
    time::Instant,
};

use crate::cli::{
    args::InputArgs,
    terminal::{
        messages::Messages,
        persona,
        progress::{human_bytes, human_time},
    },
};

/// A run whose end is reported on a terminal.
pub(crate) struct Summary<'a> {
    inputs: &'a InputArgs,
    is_dry_run: bool,
    messages: Messages,
    start: Instant,
}

impl<'a> Summary<'a> {
    /// Starts to measure the time.
    pub(crate) fn new(inputs: &'a InputArgs, is_dry_run: bool, messages: &Messages) -> Self {
        Self { inputs, is_dry_run, messages: *messages, start: Instant::now() }
    }

    /// Prints how many files had each outcome, and the bytes processed, if they were counted.
    pub(crate) fn print(&self, outcomes: &[(u64, &str)], bytes: Option<u64>) {
        if self.inputs.is_single() || persona::is_drop_in() || !io::stderr().is_terminal() {
            return;
        }
        let counts: Vec<_> = outcomes.iter().map(|(files, outcome)| format!("{} {outcome}", grouped(*files))).collect();
        let time = human_time(self.start.elapsed());
        let counts = counts.join(", ");
        self.messages.note(&match bytes {
            _ if self.is_dry_run => format!("dry run: {counts}"),
            Some(bytes) => format!("{counts}; {} in {time}", human_bytes(bytes)),
            None => format!("{counts} in {time}"),
        });
    }
}

/// A number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (19_688, "19,688"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
