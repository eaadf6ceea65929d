//! What programs read: one JSON object to a line. The only file that names serde_json.

use anyhow::{Context, Result};
use serde::Serialize;

/// The object with a line feed.
pub(crate) fn line(object: &impl Serialize) -> Result<String> {
    let mut text = serde_json::to_string(object).context("cannot write JSON")?;
    text.push('\n');
    Ok(text)
}
