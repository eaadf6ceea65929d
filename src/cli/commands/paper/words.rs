//! Keys as words: 32 bytes are 24 words of the BIP-39 list, the last with a checksum.

use std::fmt;

use anyhow::{Result, anyhow, bail};
use bip39::{Error as Bip39Error, Language, Mnemonic};

use crate::{
    cli::terminal::{advice::Advise, messages::similar::edits},
    crypto::{SEED, secrecy::Zeroizing},
};

/// Words of a key.
pub(super) const WORDS: usize = 24;
/// Number of suggestions for a word that is not in the list.
const SUGGESTIONS: usize = 3;

/// The words of a key, with a space between them.
pub(super) fn of_seed(seed: &[u8; SEED]) -> Zeroizing<String> {
    let mnemonic = Zeroizing::new(Mnemonic::from_entropy(seed).expect("32 bytes are 24 words"));
    let mut text = Zeroizing::new(String::with_capacity(WORDS * 9));
    for word in mnemonic.words() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// The bytes of a key, from its words. Errors give the number of a word, never the word itself: they may end up in a log.
///
/// # Errors
///
/// If there are not 24 words, one is not in the list, or the checksum is wrong.
pub(super) fn to_seed(words: &[Zeroizing<String>]) -> Result<Zeroizing<[u8; SEED]>> {
    if words.len() != WORDS {
        let bytes = words.len() * 4 / 3;
        let error = match words.len() {
            12 | 15 | 18 | 21 => {
                format!("{} words hold {bytes} bytes, but an age key has 32", words.len())
            }
            count => format!("{count} words were given, but a key has {WORDS}"),
        };
        return Err(anyhow!(error)).hint("give all words of the sheet in order; numbers between them are ignored");
    }
    if let Some(index) = words.iter().position(|word| !is_known(word)) {
        return Err(anyhow!("word {} is not in the list of words", index + 1))
            .hint("compare it with the sheet; 'solekey paper --read' on a terminal suggests words");
    }
    let mut text = Zeroizing::new(String::with_capacity(WORDS * 9));
    for word in words {
        text.push_str(word);
        text.push(' ');
    }
    match Mnemonic::parse_in_normalized(Language::English, text.trim_end()) {
        Ok(mnemonic) => {
            let (bytes, _) = Zeroizing::new(mnemonic).to_entropy_array();
            let bytes = Zeroizing::new(bytes);
            let mut seed = Zeroizing::new([0; SEED]);
            seed.copy_from_slice(&bytes[..SEED]);
            Ok(seed)
        }
        Err(Bip39Error::InvalidChecksum) => Err(anyhow!("the checksum of the words is wrong"))
            .hint("a word is wrong, or two are swapped; compare them with the sheet"),
        Err(_) => bail!("these are not the words of a key"),
    }
}

/// Splits text into words, in lower case, without the numbers of a sheet.
pub(super) fn split(text: &str) -> impl Iterator<Item = Zeroizing<String>> {
    let is_number = |word: &&str| word.trim_end_matches(['.', ':', ')']).bytes().all(|byte| byte.is_ascii_digit());
    text.split_whitespace().filter(move |word| !is_number(word)).map(|word| Zeroizing::new(word.to_ascii_lowercase()))
}

/// Whether a word is in the list.
pub(super) fn is_known(word: &str) -> bool {
    Language::English.find_word(word).is_some()
}

/// Words of the list that a mistyped word may stand for, the likeliest first: those that begin with it, then those that resemble it.
pub(super) struct Suggestions(Vec<&'static str>);

impl Suggestions {
    pub(super) fn of(word: &str) -> Self {
        let mut near: Vec<_> = Language::English
            .word_list()
            .iter()
            .map(|known| (!known.starts_with(word), edits(word, known), *known))
            .filter(|(is_other, edits, _)| !is_other || *edits <= 2)
            .collect();
        near.sort_unstable();
        Self(near.into_iter().take(SUGGESTIONS).map(|(_, _, known)| known).collect())
    }
}

impl fmt::Display for Suggestions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => Ok(()),
            near => write!(f, "; is it {}?", near.join(" or ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of the reference implementation: <https://github.com/trezor/python-mnemonic/blob/master/vectors.json>.
    #[test]
    fn words_are_those_of_the_reference_implementation() {
        let abandon = format!("{}art", "abandon ".repeat(23));
        let zoo = format!("{}vote", "zoo ".repeat(23));
        let legal = format!(
            "{}title",
            "legal winner thank year wave sausage worth useful "
                .repeat(3)
                .trim_end()
                .strip_suffix("useful")
                .expect("it ends so")
        );
        for (seed, words) in [([0; SEED], abandon), ([0xff; SEED], zoo), ([0x7f; SEED], legal)] {
            assert_eq!(*of_seed(&seed), words);
            let parts: Vec<_> = split(&words).collect();
            assert_eq!(*to_seed(&parts).expect("they are the words of a key"), seed);
        }
    }

    #[test]
    fn suggestions_are_words_of_the_list() {
        assert_eq!(Suggestions::of("abandn").to_string(), "; is it abandon?");
        assert_eq!(Suggestions::of("zo").0[0], "zoo");
        assert_eq!(Suggestions::of("purch").0[0], "purchase");
        assert_eq!(Suggestions::of("pur").0, ["purse", "purity", "purpose"]);
        assert_eq!(Suggestions::of("humr").0[0], "humor");
        assert_eq!(Suggestions::of("xxxxxxxxx").to_string(), "");
    }

    #[test]
    fn numbers_of_a_sheet_are_no_words() {
        let words: Vec<_> = split(" 1 Zoo\t2. art\n 3) abandon").map(|word| word.to_string()).collect();
        assert_eq!(words, ["zoo", "art", "abandon"]);
    }
}
