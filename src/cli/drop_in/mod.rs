//! The command lines of age and rage. Called by one of their names, through a link or as its first argument, the program accepts
//! the options in that tool's manual (age 1.3, rage 0.12).
//!
//! This module only translates one command line into another, and gives errors the words that scripts look for.

mod flags;
mod translate;
mod usage;
mod words;

use std::{ffi::OsString, path::Path};

use anyhow::Result;

use crate::cli::{
    drop_in::{
        flags::{Flag, Flags, Given, Grammar, Stop, option, switch},
        translate::{age, inspect, keygen},
    },
    terminal::persona::{Family, Persona},
};

/// A tool that solekey stands in for.
pub(crate) struct Tool {
    name: &'static str,
    flags: Flags,
    translate: fn(&Given) -> Result<Vec<OsString>>,
    usage: &'static str,
}

/// Most have the same names here, so they can be passed on.
const AGE_FLAGS: &[Flag] = &[
    switch("e", "encrypt"),
    switch("d", "decrypt"),
    switch("p", "passphrase"),
    switch("a", "armor"),
    option("r", "recipient"),
    option("R", "recipients-file"),
    option("i", "identity"),
    option("j", "plugin"),
    option("o", "output"),
    switch("", "version"),
];

const RAGE_FLAGS: &[Flag] = &[
    switch("e", "encrypt"),
    switch("d", "decrypt"),
    switch("p", "passphrase"),
    switch("a", "armor"),
    option("r", "recipient"),
    option("R", "recipients-file"),
    option("i", "identity"),
    option("j", "plugin"),
    option("o", "output"),
    option("", "max-work-factor"),
    switch("V", "version"),
];

const AGE_KEYGEN_FLAGS: &[Flag] =
    &[option("o", "output"), switch("y", "to-public"), switch("", "pq"), switch("", "version")];

const RAGE_KEYGEN_FLAGS: &[Flag] = &[option("o", "output"), switch("y", "to-public"), switch("V", "version")];

const AGE_INSPECT_FLAGS: &[Flag] = &[switch("", "json"), switch("v", "version")];

const TOOLS: &[Tool] = &[
    Tool { name: "age", flags: Flags { known: AGE_FLAGS, grammar: Grammar::Go }, translate: age, usage: usage::AGE },
    Tool {
        name: "rage",
        flags: Flags { known: RAGE_FLAGS, grammar: Grammar::Gnu },
        translate: age,
        usage: usage::RAGE,
    },
    Tool {
        name: "age-keygen",
        flags: Flags { known: AGE_KEYGEN_FLAGS, grammar: Grammar::Go },
        translate: keygen,
        usage: usage::AGE_KEYGEN,
    },
    Tool {
        name: "rage-keygen",
        flags: Flags { known: RAGE_KEYGEN_FLAGS, grammar: Grammar::Gnu },
        translate: keygen,
        usage: usage::RAGE_KEYGEN,
    },
    Tool {
        name: "age-inspect",
        flags: Flags { known: AGE_INSPECT_FLAGS, grammar: Grammar::Go },
        translate: inspect,
        usage: usage::AGE_INSPECT,
    },
];

/// A command line of another tool, parsed.
pub(crate) enum Translation {
    /// Run with these arguments on this program's own command line.
    Words(Vec<OsString>),
    /// Print this version.
    Version(String),
    /// Print what is wrong, if anything is, and the usage; exit with `status`.
    Usage { fault: Option<String>, usage: &'static str, status: u8 },
}

impl Tool {
    /// The tool that the program was called as, and the arguments that follow its name.
    pub(crate) fn called(typed: &[OsString]) -> Option<(&'static Self, &[OsString])> {
        let (program, words) = typed.split_first()?;
        let named = |name: &str| TOOLS.iter().find(|tool| tool.name == name);
        // Without `.exe`.
        if let Some(tool) = named(Path::new(program).file_stem()?.to_str()?) {
            return Some((tool, words));
        }
        let (first, rest) = words.split_first()?;
        Some((named(first.to_str()?)?, rest))
    }

    pub(crate) fn persona(&self) -> Persona {
        let words_for = match (self.family(), self.name) {
            (Family::Age, "age-keygen") => words::of_age_keygen,
            (Family::Age, "age-inspect") => words::of_age_inspect,
            (Family::Age, _) => words::of_age,
            (Family::Rage, "rage-keygen") => words::of_rage_keygen,
            (Family::Rage, _) => words::of_rage,
        };
        Persona { name: self.name, family: self.family(), words_for }
    }

    fn family(&self) -> Family {
        match self.flags.grammar {
            Grammar::Go => Family::Age,
            Grammar::Gnu => Family::Rage,
        }
    }

    /// Translates the arguments of this tool.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse), in the tool's own words if there are any.
    pub(crate) fn translate(&self, words: &[OsString]) -> Result<Translation> {
        let usage = |fault, status| Ok(Translation::Usage { fault, usage: self.usage, status });
        // Only for the two tools that can do nothing without flags.
        if words.is_empty() && self.flags.known.iter().any(|flag| flag.name == "encrypt") {
            return usage(None, 1);
        }
        match self.flags.read(words) {
            Err(Stop::Help) => usage(None, 0),
            Err(Stop::Fault(fault)) => usage(Some(fault), 2),
            Ok(given) if given.has("version") => {
                let version = if self.family() == Family::Age { "1.3.0" } else { "0.12.1" };
                Ok(Translation::Version(format!("{version} (solekey {})", env!("CARGO_PKG_VERSION"))))
            }
            // age-inspect alone prints its usage then.
            Ok(given) if self.name == "age-inspect" && given.inputs.len() > 1 => usage(None, 1),
            Ok(given) => {
                if given.family == Family::Rage {
                    given.check_output_name(self.name)?;
                }
                let words = (self.translate)(&given)?;
                if given.family == Family::Age {
                    given.warn_of_duplicates();
                }
                Ok(Translation::Words(words))
            }
        }
    }
}
