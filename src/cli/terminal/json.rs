//! What programs read: one JSON object to a line. The only file that names serde_json.

use std::path::Path;

use serde::Serialize;

/// The object with a line feed.
pub(crate) fn line(object: &impl Serialize) -> String {
    let mut text = serde_json::to_string(object).expect("records have nothing that JSON cannot say");
    text.push('\n');
    text
}

/// A file's name as JSON can say it: bytes that are no text are written as `\xff`.
pub(crate) fn path(path: &Path) -> String {
    let mut text = String::new();
    for part in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(part.valid());
        text.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}
