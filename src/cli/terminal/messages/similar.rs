//! Similar words, for suggestions. The owner of strsim.

/// The most typing errors in a word.
const MOST_ERRORS: usize = 2;

/// The shortest start of a word that stands for the word.
const SHORTEST_START: usize = 3;

/// Returns the one of `words` that was probably meant by `typed`, if any: the one with the fewest typing errors (one for each three
/// letters, and two in all, are the limit), or else the shortest that begins with `typed` or that `typed` begins with.
pub(crate) fn similar<'w>(typed: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let words: Vec<_> = words.collect();
    let limit = (typed.chars().count() / 3).min(MOST_ERRORS);
    let close = words.iter().map(|word| (edits(typed, word), *word)).filter(|(edits, _)| *edits <= limit).min();
    let start = |word: &&str| {
        let shorter = typed.len().min(word.len());
        shorter >= SHORTEST_START && typed.as_bytes()[..shorter] == word.as_bytes()[..shorter]
    };
    close.map(|(_, word)| word).or_else(|| words.into_iter().filter(start).min_by_key(|word| word.len()))
}

/// Returns the number of letters that were added, left out, replaced, or swapped with the next one.
pub(crate) fn edits(typed: &str, word: &str) -> usize {
    strsim::osa_distance(typed, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_and_starts_are_similar_and_other_words_are_not() {
        let words = ["encrypt", "decrypt", "inspect", "version", "verbose", "rm", "output", "output-dir"];
        for (typed, meant) in [
            ("verison", Some("version")),
            ("encypt", Some("encrypt")),
            ("rmm", Some("rm")),
            ("out", Some("output")),
            ("output-file", Some("output")),
            ("output-dri", Some("output-dir")),
            ("nope", None),
            ("to", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(similar(typed, words.into_iter()), meant, "{typed}");
        }
    }
}
