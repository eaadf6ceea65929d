//! Committing sealed files, and deleting their sources.

use anyhow::{Result, anyhow};

use crate::cli::{
    files::{
        commit::{Durability, Written, commit_group},
        input::{Removal, SourceFile},
        receipt::Receipt,
    },
    terminal::{
        advice::Advise,
        messages::{Messages, one_line},
        progress::Progress,
    },
};

/// What is known of a file that is sealed but not committed.
pub(super) struct Sealed {
    pub(super) source: Disposal,
    /// For `--verbose`.
    pub(super) summary: String,
}

/// What becomes of a source.
pub(super) enum Disposal {
    /// It stays.
    Stays,
    /// It stays, because it changed while it was read.
    Changed,
    /// It is to be deleted.
    Goes(Box<SourceFile>),
}

/// What the proof of an output tells.
#[derive(Default)]
pub(super) struct Proven {
    /// Its line of the receipt, if there is one.
    pub(super) receipt_line: Option<String>,
    /// The hash of its plaintext, if its source is to be deleted.
    pub(super) plaintext_sha256: Option<[u8; 32]>,
}

/// A file whose output is committed.
pub(super) struct Encrypted {
    /// For `--verbose`.
    pub(super) summary: String,
    /// Its line of the receipt, unless that is written already.
    pub(super) receipt_line: Option<String>,
    /// What became of the source.
    pub(super) removal: Result<Removal>,
}

/// Commits files together. Lines for `receipt` are durable before the first source goes.
pub(super) fn commit(
    group: Vec<(Written<'_, Proven>, Sealed)>,
    receipt: Option<&Receipt>,
    progress: &Progress,
    messages: &Messages,
) -> Vec<Result<Encrypted>> {
    let mut committed = commit_group(group, messages, |proven, sealed| (proven, sealed));
    let receipt_error = receipt.and_then(|receipt| {
        let lines: String =
            committed.iter_mut().filter_map(|(proven, _)| proven.as_mut().ok()?.receipt_line.take()).collect();
        receipt.append(&lines, Durability::Required, messages).err()
    });
    let finish = |(proven, Sealed { source, summary }): (Result<Proven>, Sealed)| {
        let Proven { receipt_line, plaintext_sha256 } = proven?;
        let removal = match source {
            Disposal::Stays => Ok(Removal::Removed),
            Disposal::Changed => Ok(Removal::Kept),
            Disposal::Goes(source) => match &receipt_error {
                None => source.remove(plaintext_sha256, messages),
                Some(error) => Err(anyhow!("{} was not deleted: {}", source.name(), one_line(error)))
                    .hint("what was encrypted is whole; only the receipt is missing"),
            },
        };
        progress.done();
        Ok(Encrypted { summary, receipt_line, removal })
    };
    committed.into_iter().map(finish).collect()
}
