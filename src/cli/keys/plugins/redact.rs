//! A plugin's own words, made fit to be shown: without key material, in bounded length, and unable to control the terminal.

use std::collections::VecDeque;

use crate::{
    cli::terminal::escape::plain,
    crypto::{
        FileKey, base64,
        secrecy::{ExposeSecret, Zeroizing},
    },
};

/// Replaces lines with key material.
const LEFT_OUT: &str = "[key material]";
/// The most characters of a line of standard error that are shown.
const LINE_SHOWN: usize = 200;
/// Bytes of such a line that are kept, and searched for keys. More than are shown, so that no part of a key is shown.
const LINE_KEPT: usize = 1024;
/// Lines of standard error that are kept.
const LINES_KEPT: usize = 8;
/// Lines of standard error that are shown.
const LINES_SHOWN: usize = 3;
/// The most characters of an error, a message or a question that are shown.
const TEXT_SHOWN: usize = 2000;

/// The file keys of a session, in the encodings in which a plugin may reveal one.
#[derive(Default)]
pub(crate) struct Secrets(Vec<Zeroizing<String>>);

impl Secrets {
    /// Adds a file key.
    pub(super) fn add(&mut self, file_key: &FileKey) {
        let key = file_key.expose_secret();
        let mut buffer = Zeroizing::new([0; 22]);
        let standard = base64::encode_into(key, &mut buffer[..]);
        let url_safe = |byte: &u8| match byte {
            b'+' => '-',
            b'/' => '_',
            byte => char::from(*byte),
        };
        self.0.push(Zeroizing::new(standard.iter().copied().map(char::from).collect()));
        self.0.push(Zeroizing::new(standard.iter().map(url_safe).collect()));
        let digit = |digit: u8| char::from_digit(digit.into(), 16).expect("four bits are a hexadecimal digit");
        self.0.push(Zeroizing::new(key.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()));
    }

    fn are_in(&self, line: &str) -> bool {
        let lower = Zeroizing::new(line.to_ascii_lowercase());
        self.0.iter().any(|secret| line.contains(secret.as_str()) || lower.contains(secret.as_str()))
    }

    /// A text in one line, without the lines that have key material.
    pub(super) fn shown(&self, text: &str) -> String {
        let mut markers = Markers::default();
        let mut lines = Vec::new();
        for line in text.lines() {
            if markers.is_secret(line) || self.are_in(line) {
                if lines.last().is_none_or(|last| last != LEFT_OUT) {
                    lines.push(LEFT_OUT.to_owned());
                }
            } else {
                lines.push(line.to_owned());
            }
        }
        cut(&plain(&lines.join(" ")), TEXT_SHOWN)
    }
}

/// Finds keys by their markers, in lines that come in turn.
#[derive(Default)]
struct Markers {
    /// Whether the lines are in a PEM private key.
    in_pem: bool,
}

impl Markers {
    fn is_secret(&mut self, line: &str) -> bool {
        let upper = Zeroizing::new(line.to_ascii_uppercase());
        let begins = upper.contains("-----BEGIN") && upper.contains("PRIVATE KEY");
        let ends = upper.contains("-----END");
        let secret = self.in_pem || begins || (ends && upper.contains("PRIVATE KEY"));
        self.in_pem = (self.in_pem || begins) && !ends;
        secret || upper.contains("AGE-SECRET-KEY-") || line.contains("AGE-PLUGIN-") || has_plugin_key(&upper)
    }
}

/// Whether a line in upper case has an identity `AGE-PLUGIN-NAME-1…`, and not just a plugin's name.
fn has_plugin_key(upper: &str) -> bool {
    const PREFIX: &str = "AGE-PLUGIN-";
    upper.match_indices(PREFIX).any(|(at, _)| {
        let word =
            upper[at + PREFIX.len()..].split(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c))).next();
        word.and_then(|word| word.rsplit_once("-1")).is_some_and(|(_, data)| {
            // A checksum has six characters.
            data.len() >= 6 && data.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    })
}

/// The last lines of a plugin's standard error.
pub(super) struct Tail {
    lines: VecDeque<Zeroizing<String>>,
    /// The beginning of a line that is not complete.
    line: Zeroizing<Vec<u8>>,
    markers: Markers,
}

impl Tail {
    pub(super) fn new() -> Self {
        Self {
            lines: VecDeque::new(),
            line: Zeroizing::new(Vec::with_capacity(LINE_KEPT)),
            markers: Markers::default(),
        }
    }

    /// Adds bytes that were read.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE_KEPT - self.line.len();
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = Zeroizing::new(String::from_utf8_lossy(&self.line).trim().to_owned());
        self.line.clear();
        let line = if self.markers.is_secret(&line) { Zeroizing::new(LEFT_OUT.to_owned()) } else { line };
        let repeats = *line == LEFT_OUT && self.lines.back().is_some_and(|last| **last == LEFT_OUT);
        if line.is_empty() || repeats {
            return;
        }
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The last lines, without those that have key material.
    pub(super) fn shown(mut self, secrets: &Secrets) -> Vec<String> {
        self.end_line();
        let mut shown = Vec::new();
        for line in &self.lines {
            let line = if secrets.are_in(line) { LEFT_OUT.to_owned() } else { cut(&plain(line), LINE_SHOWN) };
            if line != LEFT_OUT || shown.last() != Some(&line) {
                shown.push(line);
            }
        }
        shown.split_off(shown.len().saturating_sub(LINES_SHOWN))
    }
}

/// The first `limit` characters.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add(&FileKey::new(Box::new([0xfb; 16])));
        secrets
    }

    fn tail(text: &str) -> Vec<String> {
        let mut tail = Tail::new();
        // In pieces, as a pipe gives them.
        for part in text.as_bytes().chunks(7) {
            tail.add(part);
        }
        tail.shown(&secrets())
    }

    #[test]
    fn only_the_last_lines_are_shown() {
        assert_eq!(tail(""), [""; 0]);
        assert_eq!(tail("one"), ["one"]);
        assert_eq!(tail("one\r\n\n  two \n"), ["one", "two"]);
        assert_eq!(tail("one\ntwo\nthree\nfour\n"), ["two", "three", "four"]);
        let long = tail(&"é".repeat(100_000));
        assert_eq!(long, [format!("{}...", "é".repeat(LINE_SHOWN))]);
        assert_eq!(tail("\u{1b}[2Jgone\u{202e}"), [" [2Jgone"]);
    }

    #[test]
    fn endless_standard_error_is_kept_in_bounded_memory() {
        let mut tail = Tail::new();
        for number in 0..100_000 {
            tail.add(format!("{number}\n").as_bytes());
        }
        tail.add(&[b'x'; 100_000]);
        assert_eq!((tail.lines.len(), tail.line.len(), tail.line.capacity()), (LINES_KEPT, LINE_KEPT, LINE_KEPT));
    }

    #[test]
    fn key_material_is_left_out() {
        let key = "+/v7+/v7+/v7+/v7+/v7+w";
        assert_eq!(secrets().0.len(), 3);
        for line in [
            "AGE-SECRET-KEY-1QQQ",
            "the key is age-secret-key-1qqq, alas",
            "AGE-PLUGIN-YUBIKEY-1QQQ",
            "age-plugin-yubikey-1qqqqqq",
            "AGE-PLUGIN-X",
            &format!("-> wrap-file-key {key}"),
            &format!("{key}=="),
            "-_v7-_v7-_v7-_v7-_v7-w",
            "FBfbFBFBfbfbfbfbfbfbfbfbfbfbfbfb",
            "-----BEGIN OPENSSH PRIVATE KEY----- b3Blbn",
        ] {
            assert_eq!(tail(&format!("before\n{line}\n")), ["before", LEFT_OUT], "{line}");
            assert_eq!(secrets().shown(line), LEFT_OUT, "{line}");
        }
        let pem = "before\n-----BEGIN PRIVATE KEY-----\nb3Blbn\nb3Blbn\n-----END PRIVATE KEY-----\nafter\n";
        assert_eq!(tail(pem), ["before", LEFT_OUT, "after"]);
        assert_eq!(secrets().shown(pem), format!("before {LEFT_OUT} after"));
        // The beginning may be long gone.
        assert_eq!(tail(&format!("-----BEGIN PRIVATE KEY-----\n{}", "b3Blbn\n".repeat(100))), [LEFT_OUT]);
        // No part of a key is shown where a line is cut.
        let cut = format!("{}{key}", "x".repeat(LINE_SHOWN - 10));
        assert_eq!(tail(&cut), [LEFT_OUT]);
    }

    #[test]
    fn other_lines_are_shown_as_they_are() {
        for line in ["age-plugin-yubikey: no card", "age-plugin-x-1.0.0", "-----BEGIN CERTIFICATE-----"] {
            assert_eq!(tail(line), [line]);
            assert_eq!(secrets().shown(line), line);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(secrets().shown(&"x".repeat(100_000)).len(), TEXT_SHOWN + 3);
    }
}
