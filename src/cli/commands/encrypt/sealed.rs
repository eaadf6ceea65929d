//! Committing sealed files, and deleting their sources.

use std::path::PathBuf;

use anyhow::{Result, anyhow};

use crate::cli::{
    batch::reports::{Done, Outcome},
    files::{
        commit::{Committer, Durability, Written},
        input::{Removal, SourceFile},
        receipt::Receipt,
    },
    terminal::{
        advice::Advise,
        messages::{Messages, one_line},
        progress::Progress,
    },
};

/// Results for a file that is sealed but not committed.
pub(super) struct Sealed {
    pub(super) source: Disposal,
    pub(super) path: PathBuf,
    pub(super) done: Done,
}

/// What happens to a source.
pub(super) enum Disposal {
    /// It stays.
    Stays,
    /// It stays, because it changed while it was being read.
    Changed,
    /// It is to be deleted.
    Goes(Box<SourceFile>),
}

impl Disposal {
    /// Warns if the source has changed.
    pub(super) fn of(source: SourceFile, removes: bool, messages: &Messages) -> Self {
        if source.has_changed() {
            let kept = if removes { ", and it was not deleted" } else { "" };
            messages.warning(&format!(
                "{} changed while it was being read; the bytes read were encrypted{kept}",
                source.name()
            ));
            return Self::Changed;
        }
        if removes { Self::Goes(Box::new(source)) } else { Self::Stays }
    }
}

/// Results of proving an output.
#[derive(Default)]
pub(super) struct Proven {
    /// Its line of the receipt, if there is one.
    pub(super) receipt_line: Option<String>,
    /// The hash of its plaintext, if its source is to be deleted.
    pub(super) plaintext_sha256: Option<[u8; 32]>,
}

/// A file that was encrypted, or that will not be.
pub(super) struct Encrypted {
    pub(super) outcome: Outcome,
    /// Its line of the receipt, unless already written.
    pub(super) receipt_line: Option<String>,
}

impl From<Outcome> for Encrypted {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, receipt_line: None }
    }
}

/// Commits files together. Lines for `receipt` are durable before the first source is deleted.
pub(super) fn commit(
    group: Vec<(Written<'_, Proven>, Sealed)>,
    committer: &Committer,
    receipt: Option<&Receipt>,
    progress: &Progress,
    messages: &Messages,
) -> Vec<Encrypted> {
    let mut committed = committer.commit(group, |proven, sealed| (proven, sealed));
    let receipt_error = receipt.and_then(|receipt| {
        let lines: String =
            committed.iter_mut().filter_map(|(proven, _)| proven.as_mut().ok()?.receipt_line.take()).collect();
        receipt.append(&lines, Durability::Required, messages).err()
    });
    let finish = |(proven, Sealed { source, path, done }): (Result<Proven>, Sealed)| {
        let Proven { receipt_line, plaintext_sha256 } = match proven {
            Ok(proven) => proven,
            Err(error) => return Outcome::failed(Some(path), error).into(),
        };
        let source_changed = match source {
            Disposal::Stays => Ok(false),
            Disposal::Changed => Ok(true),
            Disposal::Goes(source) => match &receipt_error {
                None => source.remove(plaintext_sha256, messages).map(|removal| removal == Removal::Kept),
                Some(error) => Err(anyhow!("{} was not deleted: {}", source.name(), one_line(error)))
                    .hint("the encrypted files are whole; only the receipt is missing"),
            },
        };
        progress.done();
        let outcome = match source_changed {
            Ok(source_changed) => Outcome { input: Some(path), result: Ok(done), source_changed },
            Err(error) => Outcome::failed(Some(path), error),
        };
        Encrypted { outcome, receipt_line }
    };
    committed.into_iter().map(finish).collect()
}
