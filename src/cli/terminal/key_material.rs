//! Recognizes key material in text, so that no message repeats it.
//!
//! Everything that prints text of the user's goes through this module: paths through [`escape`](crate::cli::terminal::escape),
//! messages and usage errors through [`redacted`].

use std::{borrow::Cow, ops::Range};

use crate::cli::terminal::words::secret_runs;

/// Printed in place of key material.
pub(crate) const NOT_SHOWN: &str = "(not shown: it looks like a secret key)";

/// How much a text looks like key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Suspicion {
    /// It does not.
    None,
    /// It has a long run of random characters, as a part of a key has, or of words, as a key on paper or a generated passphrase has.
    /// It may also be an unusual file name.
    Fragment,
    /// It names itself a secret key: an age key, a plugin's identity, or a PEM private key, whole or cut.
    Key,
}

/// Characters in the shortest run that counts as a fragment. A line of a PEM file has 64 or 70, an age key 58.
const FRAGMENT: usize = 32;
/// The data characters of Bech32: <https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki>.
const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// The shortest data part of a Bech32 text: its checksum.
const CHECKSUM: usize = 6;

/// How much `text` looks like key material. Case and white space make no difference for whole keys.
pub(crate) fn suspicion(text: &[u8]) -> Suspicion {
    let letters: Vec<u8> = text.iter().filter(|byte| !byte.is_ascii_whitespace()).map(u8::to_ascii_uppercase).collect();
    if next_key(&letters, 0).is_some() {
        return Suspicion::Key;
    }
    if fragments(text).next().is_some() || secret_runs(text).next().is_some() {
        Suspicion::Fragment
    } else {
        Suspicion::None
    }
}

/// `text` with everything that is at least as suspicious as `least` replaced by [`NOT_SHOWN`].
pub(crate) fn redacted(text: &str, least: Suspicion) -> Cow<'_, str> {
    if suspicion(text.as_bytes()) < least {
        return Cow::Borrowed(text);
    }
    let upper = text.to_ascii_uppercase();
    let mut hidden = Vec::new();
    let mut from = 0;
    while let Some(key) = next_key(upper.as_bytes(), from) {
        from = key.end;
        hidden.push(key);
    }
    if least <= Suspicion::Fragment {
        hidden.extend(fragments(text.as_bytes()).chain(secret_runs(text.as_bytes())));
        hidden.sort_by_key(|range| range.start);
    }
    // White space inside a key makes it unrecognizable here, so all of the text is hidden.
    if hidden.is_empty() {
        return Cow::Borrowed(NOT_SHOWN);
    }
    let mut shown = String::new();
    let mut end = 0;
    for range in hidden {
        if range.start >= end {
            shown.push_str(&text[end..range.start]);
            shown.push_str(NOT_SHOWN);
        }
        end = end.max(range.end);
    }
    shown.push_str(&text[end..]);
    Cow::Owned(shown)
}

/// The first key in `upper`, which is in upper case, from an offset on. White space between the words of a PEM label may be
/// missing.
fn next_key(upper: &[u8], from: usize) -> Option<Range<usize>> {
    let rest = &upper[from..];
    let keys = [age_key(rest), plugin_identity(rest), pem_key(rest)];
    let key = keys.into_iter().flatten().min_by_key(|key| key.start)?;
    Some(key.start + from..key.end + from)
}

fn age_key(upper: &[u8]) -> Option<Range<usize>> {
    let start = find(upper, b"AGE-SECRET-KEY-")?;
    Some(start..end_of_word(upper, start))
}

fn plugin_identity(upper: &[u8]) -> Option<Range<usize>> {
    const PREFIX: &[u8] = b"AGE-PLUGIN-";
    let mut from = 0;
    loop {
        let start = from + find(&upper[from..], PREFIX)?;
        let end = end_of_word(upper, start);
        let word = &upper[start..end];
        // The last 1 separates the plugin's name from the data.
        let data = word.iter().rposition(|byte| *byte == b'1').map(|one| &word[one + 1..]);
        let is_data = |data: &[u8]| data.iter().all(|byte| BECH32.contains(&byte.to_ascii_lowercase()));
        let follows_dash = |data: &[u8]| word[..word.len() - data.len()].ends_with(b"-1");
        if data.is_some_and(|data| data.get(..CHECKSUM).is_some_and(is_data) && follows_dash(data)) {
            return Some(start..end);
        }
        from = start + PREFIX.len();
    }
}

/// Everything from the marker of a PEM private key on, up to its end marker if that follows. If the beginning is missing,
/// everything before its end.
fn pem_key(upper: &[u8]) -> Option<Range<usize>> {
    let mut from = 0;
    loop {
        let label = from + find(&upper[from..], b"PRIVATE")?;
        let after = &upper[label + b"PRIVATE".len()..];
        let spaces = after.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let Some(after_key) = after[spaces..].strip_prefix(b"KEY") else {
            from = label + 1;
            continue;
        };
        let before = &upper[..label];
        let begin = rfind(before, b"-----BEGIN").filter(|begin| label - begin < 64);
        let is_closed = after_key.starts_with(b"-----");
        if begin.is_none() && !is_closed {
            from = label + 1;
            continue;
        }
        let end = find(after_key, b"PRIVATE KEY-----").map(|end| upper.len() - after_key.len() + end + 16);
        let is_end = rfind(before, b"-----END").is_some_and(|end| label - end < 64);
        let own_end = upper.len() - after_key.len() + 5.min(after_key.len());
        return Some(match begin {
            Some(begin) => begin..end.unwrap_or(upper.len()),
            None if is_end => 0..own_end,
            None => label..end.unwrap_or(upper.len()),
        });
    }
}

/// Bech32 and base64 without its prefix or its markers.
fn fragments(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let start = at + text[at..].iter().position(is_base64)?;
            let length = text[start..].iter().take_while(|byte| is_base64(byte)).count();
            at = start + length;
            let run = &text[start..at];
            if length >= FRAGMENT && (is_random_base64(run) || has_random_bech32(run)) {
                return Some(start..at);
            }
        }
        None
    })
}

/// Whether base64 changes between its kinds of characters as often as random bytes make it do: 0.65 times per character. Paths
/// do so 0.2 times, and hexadecimal digits have one case.
fn is_random_base64(run: &[u8]) -> bool {
    let kind = |byte: &u8| match byte {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    // Zero bytes, as there are between the fields of an SSH key, say nothing.
    let pairs = || run.windows(2).filter(|pair| *pair != b"AA");
    let changes = pairs().filter(|pair| kind(&pair[0]) != kind(&pair[1])).count();
    (0..3).all(|wanted| run.iter().any(|byte| kind(byte) == wanted)) && changes * 5 >= pairs().count() * 2
}

/// Whether a run has the data part of a Bech32 text in it, other than that of a public key.
fn has_random_bech32(run: &[u8]) -> bool {
    if run.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"age1")) {
        return false;
    }
    let is_data = |byte: &u8| BECH32.contains(&byte.to_ascii_lowercase());
    let one_case = |data: &[u8]| !data.iter().any(u8::is_ascii_lowercase) || !data.iter().any(u8::is_ascii_uppercase);
    // Hexadecimal digits are data characters too. Random data has half as many others as it has characters.
    let others = |data: &[u8]| data.iter().filter(|byte| !byte.is_ascii_hexdigit()).count();
    let has_digit = |data: &[u8]| data.iter().any(u8::is_ascii_digit);
    run.split(|byte| !is_data(byte))
        .any(|data| data.len() >= FRAGMENT && one_case(data) && has_digit(data) && others(data) * 4 >= data.len())
}

fn end_of_word(text: &[u8], start: usize) -> usize {
    let is_in_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-+._".contains(byte);
    start + text[start..].iter().take_while(is_in_word).count()
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

fn rfind(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).rposition(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    const PLUGIN: &str = "AGE-PLUGIN-YUBIKEY-1QGPQYQZ0WTJ58S0K3CN";
    const PEM: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
        b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n\
        QyNTUxOQAAACB7Ci6nqZYaVvrjm8+XbzII89TsXzP111AflR7WeorBjQAAAJCfEwtqnxML\n\
        -----END OPENSSH PRIVATE KEY-----\n";

    #[test]
    fn keys_are_recognized_in_any_case_whole_or_cut_and_with_white_space() {
        for key in [AGE, PLUGIN, PEM] {
            for text in [key.to_owned(), key.to_lowercase(), format!(" x{key}\n"), key.replace('-', "-\n ")] {
                assert_eq!(suspicion(text.as_bytes()), Suspicion::Key, "{text}");
            }
            assert_eq!(suspicion(&key.as_bytes()[..key.len() * 2 / 3]), Suspicion::Key, "{key}");
        }
        assert_eq!(suspicion(&PEM.as_bytes()[14..]), Suspicion::Key);
        assert_eq!(suspicion(PEM.split_whitespace().collect::<Vec<_>>().join(" ").as_bytes()), Suspicion::Key);
    }

    #[test]
    fn a_key_without_its_name_is_a_fragment() {
        for text in [&AGE[16..], &PEM[36..106], &PEM[107..170], &AGE[16..].to_lowercase()] {
            assert_eq!(suspicion(text.as_bytes()), Suspicion::Fragment, "{text}");
        }
    }

    #[test]
    fn names_and_public_keys_are_no_key_material() {
        for text in [
            "notes.txt",
            "my private key.pem --armor",
            "/usr/local/bin/age-plugin-yubikey",
            "age-plugin-yubikey-1.0.0.tar.gz",
            "-----BEGIN AGE ENCRYPTED FILE-----",
            "age1qz4ygj5ygj5ygj5ygj5ygj5ygj5ygj5ygj5ygj5ygj5ygj5ygj5qq9t4ed",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "D41D8CD98F00B204E9800998ECF8427ED41D8CD98F00B204E9800998ECF8427E",
            "/home/Alice/Projects2024/Reports/Quarterly/Final/Version2/Document",
            "IMG_20240101_123456789_with_a_long_name_by_a_camera.jpeg",
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        ] {
            assert_eq!(suspicion(text.as_bytes()), Suspicion::None, "{text}");
        }
    }

    #[test]
    fn only_the_key_is_taken_out_of_a_message() {
        let text = format!("cannot open '{AGE}': not found; nor {PLUGIN}");
        assert_eq!(redacted(&text, Suspicion::Key), format!("cannot open '{NOT_SHOWN}': not found; nor {NOT_SHOWN}"));
        assert_eq!(redacted(&format!("got {PEM}!"), Suspicion::Key), format!("got {NOT_SHOWN}\n!"));
        assert_eq!(redacted(&format!("got {} here", &PEM[36..106]), Suspicion::Key).len(), 79);
        assert_eq!(
            redacted(&format!("got '{}' here", &PEM[36..106]), Suspicion::Fragment),
            format!("got '{NOT_SHOWN}' here")
        );
        assert_eq!(redacted("nothing secret", Suspicion::Fragment), "nothing secret");
        assert_eq!(redacted(&AGE.replace('-', "- "), Suspicion::Key), NOT_SHOWN);
    }
}
