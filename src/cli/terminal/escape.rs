//! Text from elsewhere, made safe to print.

use std::path::{MAIN_SEPARATOR, Path};

use crate::cli::terminal::{
    key_material::{NOT_SHOWN, Suspicion, redacted, suspicion},
    persona::{self, Family},
};

/// A path in quotes: those of the tool that solekey stands in for. Control characters, invisible characters and bytes that are not
/// UTF-8 are escaped. Key material that stands where a path should is not shown.
pub(crate) fn quoted(path: &Path) -> String {
    if !may_be_shown(path) {
        return NOT_SHOWN.to_owned();
    }
    if persona::family() == Some(Family::Age) {
        return format!("\"{}\"", escape(path).replace("\\'", "'").replace('"', "\\\""));
    }
    format!("'{}'", escape(path))
}

/// The same without the quotes.
pub(crate) fn escaped(path: &Path) -> String {
    if may_be_shown(path) { escape(path) } else { NOT_SHOWN.to_owned() }
}

/// Whether a path can be repeated in messages and records. It cannot be if it looks like key material, except that a file may
/// have a name of random characters.
pub(crate) fn may_be_shown(path: &Path) -> bool {
    match suspicion(path.as_os_str().as_encoded_bytes()) {
        Suspicion::None => true,
        Suspicion::Fragment => path.symlink_metadata().is_ok(),
        Suspicion::Key => false,
    }
}

fn escape(path: &Path) -> String {
    let mut text = String::new();
    for part in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for character in part.valid().chars() {
            match character {
                // Where it separates folders, most paths have one and no name does.
                '\\' if MAIN_SEPARATOR == '\\' => text.push(character),
                '\'' | '\\' => text.extend(['\\', character]),
                _ if character.is_control() || is_invisible(character) => text.extend(character.escape_default()),
                _ => text.push(character),
            }
        }
        text.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

/// Another program's words in one line, without key material and without anything that would control the terminal.
pub(crate) fn plain(text: &str) -> String {
    let text = redacted(text, Suspicion::Fragment);
    let visible = text.trim_end().chars().filter(|c| !is_invisible(*c));
    visible.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Characters that print nothing or change the direction of the text, and so make one name look like another.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printed_safely() {
        assert_eq!(quoted(Path::new("a b")), "'a b'");
        assert_eq!(quoted(Path::new("é\n\u{1b}[2J")), r"'é\n\u{1b}[2J'");
        assert_eq!(quoted(Path::new("it's \u{202e}gpj.exe")), r"'it\'s \u{202e}gpj.exe'");
    }
}
