//! The command lines of age and rage. Called by one of their names, through a link or as its first word, the program accepts
//! what that tool's manual describes (age 1.3, rage 0.12).
//!
//! Nothing is done here: one command line is translated into another, and errors get the words that scripts look for.

mod flags;
mod usage;
mod words;

use std::{ffi::OsString, path::Path};

use anyhow::Result;

use crate::cli::{
    drop_in::flags::{Flag, Flags, Given, Grammar, Stop, option, switch},
    terminal::{advice::misuse, persona::Persona},
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

/// What a command line of another tool means.
pub(crate) enum Translation {
    /// These arguments on this program's own command line.
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
        Persona { name: self.name, words_for: words::words_for }
    }

    /// Translates the arguments of this tool.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse), in the words of the tool where it has some.
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
                let version = if self.flags.grammar == Grammar::Go { "1.3.0" } else { "0.12.1" };
                Ok(Translation::Version(format!("{version} (solekey {})", env!("CARGO_PKG_VERSION"))))
            }
            Ok(given) => Ok(Translation::Words((self.translate)(&given)?)),
        }
    }
}

impl Given {
    /// The only input, or `None` for standard input.
    fn input(&self) -> Result<Option<&OsString>> {
        match self.inputs.as_slice() {
            [] => Ok(None),
            [input] => Ok(Some(input).filter(|input| !input.is_empty())),
            _ => misuse("too many INPUT arguments", "a single input file may be named, after all flags"),
        }
    }

    /// The flags with these names, as this program spells them, in command-line order.
    fn pass_on<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = OsString> + 'a {
        self.flags.iter().filter(|(name, _)| names.contains(name)).map(|(name, value)| {
            // Those tools accept anybody's authorized_keys as a recipients file.
            let name = if *name == "recipients-file" { "authorized-keys" } else { name };
            let mut word = OsString::from(format!("--{name}"));
            if let Some(value) = value {
                word.push("=");
                word.push(value);
            }
            word
        })
    }

    /// Whether a key may be that of a plugin, which has all rights under those tools.
    fn may_name_a_plugin(&self) -> bool {
        self.flags.iter().any(|(name, value)| match *name {
            "identity" | "plugin" | "recipients-file" => true,
            // `age1NAME1…`. No digit 1 is in the data of a key.
            "recipient" => value.as_ref().is_some_and(|key| key.to_string_lossy().matches('1').count() > 1),
            _ => false,
        })
    }

    /// The output that was named last. None at all, or an empty name, is standard output.
    fn output(&self) -> Option<OsString> {
        let (_, last) = self.flags.iter().rfind(|(name, _)| *name == "output")?;
        let last = last.as_ref()?;
        let mut word = OsString::from("--output=");
        word.push(last);
        Some(word).filter(|_| !last.is_empty())
    }
}

/// Appends the input.
fn with_input(mut words: Vec<OsString>, input: Option<&OsString>) -> Vec<OsString> {
    words.push(OsString::from("--"));
    words.extend(input.cloned());
    words
}

/// `age` and `rage`.
fn age(given: &Given) -> Result<Vec<OsString>> {
    let input = given.input()?;
    let names = ["recipient", "recipients-file", "identity", "plugin", "passphrase", "armor", "max-work-factor"];
    let mut words = if given.has("decrypt") { decryption(given)? } else { encryption(given)? };
    words.extend(["--force", "--no-preserve", "--progress=never"].map(OsString::from));
    words.push(given.output().unwrap_or_else(|| OsString::from("--stdout")));
    words.extend(given.pass_on(&names));
    if given.may_name_a_plugin() {
        words.push(OsString::from("--allow-plugin-network"));
    }
    Ok(with_input(words, input))
}

fn decryption(given: &Given) -> Result<Vec<OsString>> {
    let detected = "armored and passphrase-encrypted files are detected automatically";
    let identity = "did you mean to use -i/--identity to specify a private key?";
    for (flag, name, hint) in [
        ("encrypt", "-e/--encrypt", "leave out one of them"),
        ("armor", "-a/--armor", detected),
        ("passphrase", "-p/--passphrase", detected),
        ("recipient", "-r/--recipient", identity),
        ("recipients-file", "-R/--recipients-file", identity),
    ] {
        if given.has(flag) {
            return misuse(format!("{name} can't be used with -d/--decrypt"), hint);
        }
    }
    // Scripts rely on only the named identities being tried.
    let mut words = vec!["decrypt", "--no-default-identity"];
    if given.has("identity") || given.has("plugin") {
        words.push("--identities-only");
    }
    Ok(words.into_iter().map(OsString::from).collect())
}

fn encryption(given: &Given) -> Result<Vec<OsString>> {
    let from_identities = given.has("identity") || given.has("plugin");
    if from_identities && !given.has("encrypt") {
        return misuse(
            "-i/--identity and -j can't be used in encryption mode unless it is selected with -e/--encrypt",
            "did you forget to specify -d/--decrypt?",
        );
    }
    if !from_identities && !["recipient", "recipients-file", "passphrase"].iter().any(|name| given.has(name)) {
        return misuse(
            "missing recipients",
            "did you forget to specify -r/--recipient, -R/--recipients-file or -p/--passphrase?",
        );
    }
    for (flag, name) in [
        ("recipient", "-r/--recipient"),
        ("recipients-file", "-R/--recipients-file"),
        ("identity", "-i/--identity"),
        ("plugin", "-j"),
    ] {
        if given.has("passphrase") && given.has(flag) {
            return misuse(format!("-p/--passphrase can't be combined with {name}"), "a passphrase stands alone");
        }
    }
    if given.has("max-work-factor") {
        return misuse("--max-work-factor can't be used with -e/--encrypt", "it is for -d/--decrypt");
    }
    Ok(vec![OsString::from("encrypt")])
}

/// `age-keygen` and `rage-keygen`.
fn keygen(given: &Given) -> Result<Vec<OsString>> {
    let input = given.input()?;
    let mut words = vec![OsString::from("keygen")];
    if given.has("to-public") {
        if given.has("pq") {
            return misuse("-pq can't be used with -y", "-y tells from the keys what they are");
        }
    } else {
        if input.is_some() {
            return misuse("too many arguments", "an input is for -y");
        }
        words.push(OsString::from("--announce"));
    }
    words.extend(given.output());
    words.extend(given.pass_on(&["to-public", "pq"]));
    Ok(with_input(words, input))
}

/// `age-inspect`.
fn inspect(given: &Given) -> Result<Vec<OsString>> {
    let input = given.input()?;
    let words = ["inspect", "--padded", "--no-default-identity"]
        .map(OsString::from)
        .into_iter()
        .chain(given.pass_on(&["json"]));
    Ok(with_input(words.collect(), input))
}
