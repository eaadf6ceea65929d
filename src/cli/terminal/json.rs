//! JSON Lines for other programs: one object per line. The owner of serde_json.

use std::path::{MAIN_SEPARATOR, Path};

use serde::Serialize;

use crate::cli::terminal::{
    advice,
    escape::{is_invisible, may_be_shown},
    exit_status::ExitStatus,
    key_material::{NOT_SHOWN, Suspicion, redacted},
    messages::one_line,
};

/// The object and a line feed. Characters that control a terminal or print nothing are escaped.
pub(crate) fn line(object: &impl Serialize) -> String {
    let text = serde_json::to_string(object).expect("records have string keys and serialize without errors");
    let mut line = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // Such characters can only be in strings, and all of them have four hexadecimal digits.
        if character.is_control() || is_invisible(character) {
            line.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            line.push(character);
        }
    }
    line.push('\n');
    line
}

/// What went wrong with a file: a part of its object.
#[derive(Serialize)]
pub(crate) struct Failure {
    /// The exit status that this file alone would have.
    status: u8,
    error: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
}

impl Failure {
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let hints = advice::hints(error).map(|hint| redacted(hint, Suspicion::Key).into_owned()).collect();
        Self { status: ExitStatus::of(error) as u8, error: one_line(error), hints }
    }
}

/// The object for a file that failed, or for a run that failed before its first file.
#[derive(Serialize)]
pub(crate) struct Failed {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    ok: bool,
    #[serde(flatten)]
    failure: Failure,
}

impl Failed {
    pub(crate) fn new(file: Option<&Path>, error: &anyhow::Error) -> Self {
        Self { file: file.map(path), ok: false, failure: Failure::of(error) }
    }
}

/// A file name as JSON text. Bytes that are not UTF-8 become `\xff`, and the text `\x` becomes `\x5cx`, so that different names
/// stay different. Key material is not repeated.
pub(crate) fn path(path: &Path) -> String {
    if !may_be_shown(path) {
        return NOT_SHOWN.to_owned();
    }
    let mut text = String::new();
    for part in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        // Where a backslash separates folders, names are not bytes.
        let valid = part.valid();
        text.push_str(&if MAIN_SEPARATOR == '\\' { valid.to_owned() } else { valid.replace("\\x", "\\x5cx") });
        text.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let text = line(&["a\u{9b}2J\u{7f}\u{202e}\u{e9}\n"]);
        assert_eq!(text, "[\"a\\u009b2J\\u007f\\u202e\u{e9}\\n\"]\n");
    }

    #[cfg(unix)]
    #[test]
    fn different_names_have_different_texts() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

        let name = |bytes| super::path(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(name(b"\xff"), r"\xff");
        assert_eq!(name(br"\xff"), r"\x5cxff");
        assert_eq!(name(br"\x5cxff"), r"\x5cx5cxff");
        assert_eq!(name(br"a\b"), r"a\b");
    }
}
