//! The BIP-39 list of words, of which generated passphrases and keys on paper are made. Owner of bip39, with `paper`.

use std::ops::Range;

use bip39::Language;

use crate::crypto::{random, secrecy::Zeroizing};

/// Words in a generated passphrase: ten out of 2048 are 110 bits.
pub(super) const PASSPHRASE_WORDS: usize = 10;

/// Returns ten random words, joined by dashes.
pub(super) fn generate() -> Zeroizing<String> {
    let words = Language::English.word_list();
    let mut bytes = Zeroizing::new([0; 2 * PASSPHRASE_WORDS]);
    random(bytes.as_mut());
    let mut passphrase = Zeroizing::new(String::with_capacity(PASSPHRASE_WORDS * 9));
    for pair in bytes.chunks_exact(2) {
        if !passphrase.is_empty() {
            passphrase.push('-');
        }
        // 2048 divides 2^16, so each word is equally likely.
        let number = usize::from(u16::from_le_bytes([pair[0], pair[1]]));
        passphrase.push_str(words[number % words.len()]);
    }
    passphrase
}

/// Finds runs of words in `text` that are long enough to be a generated passphrase or a key on paper, in any case and with anything but
/// letters between the words.
pub(super) fn secret_runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let is_letter = u8::is_ascii_alphabetic;
    let mut at = 0;
    std::iter::from_fn(move || {
        let mut run = 0..0;
        let mut words = 0;
        while let Some(start) = text[at..].iter().position(is_letter).map(|letter| at + letter) {
            at = start + text[start..].iter().take_while(|byte| is_letter(byte)).count();
            if is_in_list(&text[start..at]) {
                run = if words == 0 { start..at } else { run.start..at };
                words += 1;
            } else if words >= PASSPHRASE_WORDS {
                return Some(run);
            } else {
                words = 0;
            }
        }
        (words >= PASSPHRASE_WORDS).then_some(run)
    })
}

fn is_in_list(word: &[u8]) -> bool {
    // The words of the list have 3 to 8 letters.
    let mut lower = [0; 8];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    str::from_utf8(lower).is_ok_and(|word| Language::English.find_word(word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passphrases_are_ten_words_and_differ() {
        let (one, two) = (generate(), generate());
        assert_eq!(one.split('-').count(), PASSPHRASE_WORDS);
        assert_ne!(*one, *two);
        assert_eq!(Language::English.word_list().len(), 2048);
    }

    #[test]
    fn ten_words_in_a_row_are_a_secret() {
        let found = |text: &str| secret_runs(text.as_bytes()).map(|run| text[run].to_owned()).collect::<Vec<_>>();
        let generated = generate();
        for text in [generated.to_string(), generated.to_uppercase(), generated.replace('-', "\n 7. ")] {
            assert_eq!(found(&text), [&*text], "{text}");
            let around = format!("xx'{text}' xx");
            assert_eq!(found(&around), [&*text], "{around}");
            let twice = format!("{text} xx {text}");
            assert_eq!(found(&twice), [&*text, &*text], "{twice}");
        }
        let (first, rest) = generated.split_once('-').expect("there are ten words");
        for text in
            [rest.to_owned(), format!("{first}-xx-{rest}"), format!("{first}{}", "-xx".repeat(20)), String::new()]
        {
            assert!(found(&text).is_empty(), "{text}");
        }
    }
}
