//! The outcome for a file given to `rekey`.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use crate::cli::{
    files::naming::display_name,
    terminal::json::{self, Failure},
};

/// The result for a file.
pub(super) struct Rekeyed {
    pub(super) path: PathBuf,
    pub(super) result: Result<Done>,
}

/// The change that was made, with the stanza types of the new header.
pub(super) enum Done {
    Rekeyed(Vec<String>),
    /// With `--dry-run`: it would be rekeyed.
    Planned(Vec<String>),
    /// An earlier run has rekeyed it.
    PassedOver(Vec<String>),
}

impl Rekeyed {
    /// The line for `--verbose`, if there is one.
    pub(super) fn summary(&self) -> Option<String> {
        let name = display_name(&self.path);
        match &self.result {
            Ok(Done::Rekeyed(_)) => Some(format!("gave {name} new recipients")),
            Ok(Done::PassedOver(_)) => Some(format!("{name} has these recipients already")),
            Ok(Done::Planned(_)) | Err(_) => None,
        }
    }

    /// The line for standard output: empty if there is none.
    pub(super) fn line(&self, json: bool) -> String {
        match &self.result {
            _ if json => json::line(&Record::new(json::path(&self.path), &self.result)),
            Ok(Done::Planned(_)) => format!("{} would get new recipients\n", display_name(&self.path)),
            _ => String::new(),
        }
    }
}

/// A result as JSON.
#[derive(Serialize)]
struct Record {
    file: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stanza_types: Option<Vec<String>>,
    #[serde(flatten)]
    failure: Option<Failure>,
}

impl Record {
    fn new(file: String, result: &Result<Done>) -> Self {
        let (word, stanza_types) = match result {
            Ok(Done::Rekeyed(types)) => (Some("rekeyed"), Some(types.clone())),
            Ok(Done::Planned(types)) => (Some("planned"), Some(types.clone())),
            Ok(Done::PassedOver(types)) => (Some("unchanged"), Some(types.clone())),
            Err(_) => (None, None),
        };
        let failure = result.as_ref().err().map(Failure::of);
        Self { file, ok: failure.is_none(), result: word, stanza_types, failure }
    }
}
