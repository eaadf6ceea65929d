//! The command lines of age and rage. Called by one of their names, through a link or as the first word, the program takes
//! what that tool's manual describes (age 1.3, rage 0.12) and does it by its own verbs.
//!
//! Nothing is done here: one command line becomes another, and messages get the words that scripts look for.

mod flags;
mod usage;

use std::{ffi::OsString, path::Path};

use anyhow::Result;

use crate::cli::{
    drop_in::flags::{Flag, Flags, Given, Grammar, Stop, option, switch},
    terminal::messages::{Persona, misuse},
};

/// A tool whose place is taken.
pub(crate) struct Tool {
    name: &'static str,
    flags: Flags,
    translate: fn(&Given) -> Result<Vec<OsString>>,
    usage: &'static str,
}

/// Most are called as they are here, so they can be passed on.
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

/// What this program says, and what age says of it. The first that fits is said first.
const WORDS: &[(&str, &str)] = &[
    ("not for any of these identities", "no identity matched any of the recipients"),
    ("missing identities", "the file is not passphrase-encrypted, identities are required"),
    (
        "with a passphrase, and only identities are to open it",
        "file is passphrase-encrypted but identities were specified",
    ),
    ("are the same file", "input and output file are the same"),
    ("is to be both read and written", "input and output file are the same"),
    ("cannot share a file", "incompatible recipients"),
    ("the two passphrases differ", "passphrases didn't match"),
    ("refusing to write binary data to the terminal", "refusing to output binary to the terminal"),
    ("-r: not a", "unknown recipient type"),
    ("is not on the PATH", "couldn't start plugin"),
    ("not an age file", "failed to read header"),
    ("malformed header", "failed to read header"),
    ("malformed armor", "invalid armor"),
    ("the header failed authentication", "bad header MAC"),
    ("the file is truncated: it ends", "unexpected EOF"),
    ("failed authentication", "failed to decrypt and authenticate payload chunk"),
];

/// What a command line comes to.
pub(crate) enum Meaning {
    /// These words, after the program's name, on this program's own command line.
    Words(Vec<OsString>),
    /// The version is asked for.
    Version(String),
    /// Help is asked for, or needed. The fault, if there is one, the help, and the status that goes with them.
    Usage { fault: Option<String>, usage: &'static str, status: u8 },
}

impl Tool {
    /// The tool that the program is called as, and the words that follow its name.
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
        Persona { name: self.name, words: WORDS }
    }

    /// What a command line of this tool comes to.
    pub(crate) fn read(&self, words: &[OsString]) -> Result<Meaning> {
        let usage = |fault, status| Ok(Meaning::Usage { fault, usage: self.usage, status });
        // Only for the two that cannot do anything without flags.
        if words.is_empty() && self.flags.known.iter().any(|flag| flag.name == "encrypt") {
            return usage(None, 1);
        }
        match self.flags.read(words) {
            Err(Stop::Help) => usage(None, 0),
            Err(Stop::Fault(fault)) => usage(Some(fault), 2),
            Ok(given) if given.has("version") => {
                let version = if self.flags.grammar == Grammar::Go { "1.3.0" } else { "0.12.1" };
                Ok(Meaning::Version(format!("{version} (solekey {})", env!("CARGO_PKG_VERSION"))))
            }
            Ok(given) => Ok(Meaning::Words((self.translate)(&given)?)),
        }
    }
}

impl Given {
    /// The only input. None for standard input.
    fn input(&self) -> Result<Option<&OsString>> {
        match self.inputs.as_slice() {
            [] => Ok(None),
            [input] => Ok(Some(input).filter(|input| !input.is_empty())),
            _ => misuse("too many INPUT arguments", "a single input file may be named, after all flags"),
        }
    }

    /// The flags of these names, as this program takes them, in their order.
    fn pass_on<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = OsString> + 'a {
        self.flags.iter().filter(|(name, _)| names.contains(name)).map(|(name, value)| {
            // Their files of recipients may be anybody's authorized_keys.
            let name = if *name == "recipients-file" { "authorized-keys" } else { name };
            let mut word = OsString::from(format!("--{name}"));
            if let Some(value) = value {
                word.push("=");
                word.push(value);
            }
            word
        })
    }

    /// The output that was named last; none, and an empty one, is standard output.
    fn output(&self) -> Option<OsString> {
        let (_, last) = self.flags.iter().rfind(|(name, _)| *name == "output")?;
        let last = last.as_ref()?;
        let mut word = OsString::from("--output=");
        word.push(last);
        Some(word).filter(|_| !last.is_empty())
    }
}

/// Words that end in the input.
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
    // Only what is named: that is what scripts rely on.
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
