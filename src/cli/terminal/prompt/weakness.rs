//! A plain rule for passphrases that are easy to guess.
//!
//! It finds the plainest ones and no others: no list of passwords and no model of how people choose them is built in. The best of those
//! models, `zxcvbn`, brings fifteen crates and keeps copies of the passphrase.

/// Characters that have to count.
const LEAST: usize = 12;
/// Characters that have to count if all are digits, as in dates and telephone numbers.
const LEAST_DIGITS: usize = 16;
/// Neighbors on a keyboard.
const ROWS: [&[u8]; 3] = [b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];

/// Whether a passphrase is easy to guess: too few of its characters count.
///
/// A character does not count if it repeats the one before, or is next to it in the alphabet, in counting, or in a row of letters on
/// the keyboard, in either direction and any case. Of a text that is repeated, the first part counts. Copies nothing.
pub(super) fn is_weak(passphrase: &str) -> bool {
    let once = without_repetition(passphrase);
    let pairs = once.chars().zip(once.chars().skip(1));
    let counted = once.chars().take(1).count() + pairs.filter(|(before, next)| !are_neighbors(*before, *next)).count();
    let digits_only = once.chars().all(|character| character.is_ascii_digit());
    counted < if digits_only { LEAST_DIGITS } else { LEAST }
}

/// Returns the shortest beginning that, repeated, gives all of `text`; `text` itself if there is none.
fn without_repetition(text: &str) -> &str {
    let bytes = text.as_bytes();
    let period = (1..=bytes.len() / 2).find(|period| bytes[*period..] == bytes[..bytes.len() - period]);
    // It ends where the first character is found again.
    period.map_or(text, |period| &text[..period])
}

fn are_neighbors(before: char, next: char) -> bool {
    let (before, next) = (before.to_ascii_lowercase(), next.to_ascii_lowercase());
    let in_row = |row: &[u8]| {
        let place = |character: char| row.iter().position(|key| char::from(*key) == character);
        place(before).zip(place(next)).is_some_and(|(before, next)| before.abs_diff(next) == 1)
    };
    u32::from(before).abs_diff(u32::from(next)) <= 1 || ROWS.into_iter().any(in_row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terminal::words;

    #[test]
    fn plain_passphrases_are_weak() {
        for weak in [
            "x",
            "secret",
            "Password123!",
            "password1234567890",
            "passwordpasswordpassword",
            "qwertyuiopasdfghjklzxcvbnm",
            "QWERTYUIOPlkjhgfdsa",
            "abcdefghijklmnopqrstuvwxyz",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "31121999",
            "012345678901234567890123456789",
            "0049301234567",
            "äöüäöüäöüäöüäöü",
            "correct horse",
        ] {
            assert!(is_weak(weak), "{weak}");
        }
    }

    #[test]
    fn long_and_varied_passphrases_are_not_weak() {
        for strong in [
            "correct horse battery staple",
            "nT7)vq2Lw0#zB",
            "meet me where the old oak stood",
            "91740283615072649382",
            "żółta łódź płynie nocą",
        ] {
            assert!(!is_weak(strong), "{strong}");
        }
        assert!(!is_weak(&words::generate()));
    }
}
