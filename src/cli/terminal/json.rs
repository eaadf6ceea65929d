//! JSON Lines for other programs: one object per line. The owner of serde_json.

use std::path::Path;

use serde::Serialize;

use crate::cli::terminal::{escape::may_be_shown, key_material::NOT_SHOWN};

/// The object and a line feed.
pub(crate) fn line(object: &impl Serialize) -> String {
    let mut text = serde_json::to_string(object).expect("records have string keys and serialize without errors");
    text.push('\n');
    text
}

/// A file name as JSON text: bytes that are not UTF-8 become `\xff`. Key material is not repeated.
pub(crate) fn path(path: &Path) -> String {
    if !may_be_shown(path) {
        return NOT_SHOWN.to_owned();
    }
    let mut text = String::new();
    for part in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(part.valid());
        text.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}
