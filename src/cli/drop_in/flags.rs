//! The command-line flags of other tools, in the two grammars that they use.

use std::ffi::OsString;

use crate::cli::terminal::persona::Family;

/// How flags are recognised.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// Go's flag package: one dash or two, and no flags after the first other word.
    Go,
    /// Letters can be bundled (`-do out`), and flags can be anywhere.
    Gnu,
}

/// A flag: its letter, which may be empty, and its name.
pub(crate) struct Flag {
    letter: &'static str,
    pub(crate) name: &'static str,
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
}

pub(crate) const fn switch(letter: &'static str, name: &'static str) -> Flag {
    Flag { letter, name, takes: Takes::Nothing }
}

pub(crate) const fn option(letter: &'static str, name: &'static str) -> Flag {
    Flag { letter, name, takes: Takes::Value }
}

/// The flags that a tool knows, in its grammar.
pub(crate) struct Flags {
    pub(crate) known: &'static [Flag],
    pub(crate) grammar: Grammar,
}

impl Flags {
    /// Parses the arguments that follow the tool's name.
    pub(crate) fn read(&self, words: &[OsString]) -> Result<Given, Stop> {
        let family = if self.grammar == Grammar::Go { Family::Age } else { Family::Rage };
        let mut given = Given { family, flags: Vec::new(), inputs: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let dashed = word.to_str().and_then(|word| word.strip_prefix('-')).filter(|rest| !rest.is_empty());
            let Some(dashed) = dashed else {
                if word.as_encoded_bytes().starts_with(b"-") && word.len() > 1 {
                    return Err(Stop::Fault("a flag is not UTF-8; give its value as a separate argument".to_owned()));
                }
                given.inputs.push(word.clone());
                if self.grammar == Grammar::Go {
                    break;
                }
                continue;
            };
            if dashed == "-" {
                break;
            }
            match dashed.strip_prefix('-') {
                Some(long) => self.flag(word, long, &mut words, &mut given)?,
                None if self.grammar == Grammar::Go => self.flag(word, dashed, &mut words, &mut given)?,
                None => self.letters(word, dashed, &mut words, &mut given)?,
            }
        }
        given.inputs.extend(words.cloned());
        Ok(given)
    }

    /// Parses one flag, with its value after `=` or in the next word.
    fn flag<'a>(
        &self,
        word: &OsString,
        text: &str,
        words: &mut impl Iterator<Item = &'a OsString>,
        given: &mut Given,
    ) -> Result<(), Stop> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if ["h", "help"].contains(&name) {
            return Err(Stop::Help);
        }
        let known = self.known.iter().find(|flag| flag.name == name || flag.letter == name);
        let Some(flag) = known.filter(|_| !name.is_empty()) else {
            return Err(Stop::Fault(format!("flag provided but not defined: {}", shown(word))));
        };
        match (flag.takes, value) {
            (Takes::Nothing, None | Some("1" | "t" | "T" | "true" | "TRUE" | "True")) => {
                given.flags.push((flag.name, None));
            }
            (Takes::Nothing, Some("0" | "f" | "F" | "false" | "FALSE" | "False")) => {
                given.flags.retain(|(name, _)| *name != flag.name);
            }
            (Takes::Nothing, Some(_)) => {
                return Err(Stop::Fault(format!("invalid boolean value for -{name}")));
            }
            (Takes::Value, Some(value)) => given.flags.push((flag.name, Some(OsString::from(value)))),
            (Takes::Value, None) => match words.next() {
                Some(value) => given.flags.push((flag.name, Some(value.clone()))),
                None => return Err(Stop::Fault(format!("flag needs an argument: -{name}"))),
            },
        }
        Ok(())
    }

    /// Parses bundled letters. Whatever follows a letter that takes a value is that value.
    fn letters<'a>(
        &self,
        word: &OsString,
        letters: &str,
        words: &mut impl Iterator<Item = &'a OsString>,
        given: &mut Given,
    ) -> Result<(), Stop> {
        for (at, letter) in letters.char_indices() {
            let rest = &letters[at + letter.len_utf8()..];
            let letter = letter.to_string();
            let takes = self.known.iter().find(|flag| flag.letter == letter).map(|flag| flag.takes);
            if takes == Some(Takes::Value) && !rest.is_empty() {
                return self.flag(word, &format!("{letter}={}", rest.strip_prefix('=').unwrap_or(rest)), words, given);
            }
            self.flag(word, &letter, words, given)?;
        }
        Ok(())
    }
}
/// Why parsing stops early.
pub(crate) enum Stop {
    Help,
    Fault(String),
}

/// A flag as it was typed, escaped, without its value, which may be secret.
fn shown(word: &OsString) -> String {
    let text = word.to_string_lossy();
    text.split('=').next().unwrap_or_default().escape_debug().to_string()
}

/// A parsed command line, in its order.
pub(crate) struct Given {
    pub(crate) family: Family,
    pub(crate) flags: Vec<(&'static str, Option<OsString>)>,
    pub(crate) inputs: Vec<OsString>,
}

impl Given {
    /// Whether a flag of this name was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|(given, _)| *given == name)
    }
}
