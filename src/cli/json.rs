//! What programs read: one JSON object to a line. The only file that names serde_json.

use serde::Serialize;

/// The object with a line feed.
pub(crate) fn line(object: &impl Serialize) -> String {
    let mut text = serde_json::to_string(object).expect("records have nothing that JSON cannot say");
    text.push('\n');
    text
}
