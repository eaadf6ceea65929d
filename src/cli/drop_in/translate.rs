//! Command lines of other tools as command lines of this program.

use std::{ffi::OsString, path::Path};

use anyhow::Result;

use crate::{
    cli::{
        drop_in::flags::Given,
        terminal::{advice::misuse, escape::quoted, messages::Messages, persona::Family},
    },
    crypto::{ParseRecipientError, Recipient},
};

impl Given {
    /// The only input, or `None` for standard input.
    fn input(&self) -> Result<Option<&OsString>> {
        match self.inputs.as_slice() {
            [] => Ok(None),
            // age treats an empty name as standard input, rage as a file name.
            [input] if input.is_empty() && self.family == Family::Rage => {
                misuse("No such file or directory: the input has an empty name", "leave it out for standard input")
            }
            [input] => Ok(Some(input).filter(|input| !input.is_empty())),
            [_, next, ..] if next.as_encoded_bytes().starts_with(b"-") => {
                misuse("too many INPUT arguments", "the input file must be specified after all flags")
            }
            _ => misuse("too many INPUT arguments", "only a single input file may be specified at a time"),
        }
    }

    /// Refuses an empty output name, as rage does: a secret key would go to standard output.
    pub(super) fn check_output_name(&self, tool: &str) -> Result<()> {
        if self
            .flags
            .iter()
            .any(|(name, value)| *name == "output" && value.as_ref().is_some_and(|name| name.is_empty()))
        {
            let opening = if tool == "rage-keygen" { "Failed to open output: " } else { "" };
            return misuse(
                format!("{opening}invalid filename ''."),
                "leave it out for standard output, or name a file",
            );
        }
        Ok(())
    }

    /// Refuses empty names of key files and plugins, in the words of the tool.
    fn check_key_names(&self) -> Result<()> {
        for (flag, of_age, of_rage) in [
            (
                "recipients-file",
                "failed to parse recipient file \"\": failed to open recipient file",
                "Recipients file not found: ",
            ),
            ("identity", "reading \"\": failed to open file", "Identity file not found: "),
            ("plugin", "initializing \"\": invalid plugin name: \"\"", "Invalid plugin name ''."),
        ] {
            let is_empty = |value: &Option<OsString>| value.as_ref().is_some_and(|value| value.is_empty());
            if self.flags.iter().any(|(name, value)| *name == flag && is_empty(value)) {
                return misuse(if self.family == Family::Age { of_age } else { of_rage }, "the name is empty");
            }
        }
        Ok(())
    }

    /// Warns once about each repeated value, as age does. Unreadable values are left to the error that follows.
    pub(super) fn warn_of_duplicates(&self) {
        for (flag, noun) in
            [("recipient", "recipient"), ("recipients-file", "recipients file"), ("identity", "identity file")]
        {
            let values: Vec<_> =
                self.flags.iter().filter(|(name, _)| *name == flag).filter_map(|(_, value)| value.as_ref()).collect();
            for (index, value) in values.iter().enumerate() {
                // The second of them.
                let is_shown = flag != "recipient" || is_recipient(value);
                if is_shown && values[..index].iter().filter(|earlier| earlier == &value).count() == 1 {
                    Messages::default().warning(&format!("duplicate {noun} {}", quoted(Path::new(value))));
                }
            }
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

    /// Whether a key may belong to a plugin, which has all rights under those tools.
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

/// Whether a value is a public key, which may be shown.
fn is_recipient(value: &OsString) -> bool {
    let parsed = value.to_str().map(str::parse::<Recipient>);
    matches!(parsed, Some(Ok(_) | Err(ParseRecipientError::Plugin(_))))
}

/// Appends the input.
fn with_input(mut words: Vec<OsString>, input: Option<&OsString>) -> Vec<OsString> {
    words.push(OsString::from("--"));
    words.extend(input.cloned());
    words
}

/// `age` and `rage`.
pub(super) fn age(given: &Given) -> Result<Vec<OsString>> {
    let input = given.input()?;
    given.check_key_names()?;
    let names = ["recipient", "recipients-file", "identity", "plugin", "passphrase", "armor", "max-work-factor"];
    let mut words = match (given.has("decrypt"), given.family) {
        (true, _) => decryption(given)?,
        (false, Family::Age) => encryption_of_age(given)?,
        (false, Family::Rage) => encryption_of_rage(given)?,
    };
    words.extend(["--force", "--no-preserve", "--progress=never"].map(OsString::from));
    words.push(given.output().unwrap_or_else(|| OsString::from("--stdout")));
    words.extend(given.pass_on(&names));
    if given.may_name_a_plugin() {
        words.push(OsString::from("--allow-plugin-network"));
    }
    Ok(with_input(words, input))
}

fn decryption(given: &Given) -> Result<Vec<OsString>> {
    let armored = "note that armored files are detected automatically, try again without -a/--armor";
    let protected = "note that password protected files are detected automatically";
    let identity = "did you mean to use -i/--identity to specify a private key?";
    for (flag, name, hint) in [
        ("encrypt", "-e/--encrypt", "leave out one of them"),
        ("armor", "-a/--armor", armored),
        ("passphrase", "-p/--passphrase", protected),
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

fn encryption_of_age(given: &Given) -> Result<Vec<OsString>> {
    let from_identities = given.has("identity") || given.has("plugin");
    if from_identities && !given.has("encrypt") {
        return misuse(
            "-i/--identity and -j can't be used in encryption mode unless symmetric encryption is explicitly selected with -e/--encrypt",
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
        ("identity", "-i/--identity and -j"),
        ("plugin", "-i/--identity and -j"),
    ] {
        if given.has("passphrase") && given.has(flag) {
            return misuse(format!("-p/--passphrase can't be combined with {name}"), "a passphrase stands alone");
        }
    }
    Ok(vec![OsString::from("encrypt")])
}

fn encryption_of_rage(given: &Given) -> Result<Vec<OsString>> {
    if given.has("identity") && !given.has("encrypt") {
        let message = "-i/--identity requires either -e/--encrypt or -d/--decrypt.";
        return misuse(message, "did you forget to specify -d/--decrypt?");
    }
    for (flag, name) in [
        ("recipient", "-r/--recipient"),
        ("recipients-file", "-R/--recipients-file"),
        ("identity", "-i/--identity"),
        ("plugin", "-j"),
    ] {
        if given.has("passphrase") && given.has(flag) {
            return misuse(format!("{name} can't be used with -p/--passphrase."), "a passphrase stands alone");
        }
    }
    if !["recipient", "recipients-file", "passphrase", "identity", "plugin"].iter().any(|name| given.has(name)) {
        return misuse("Missing recipients.", "did you forget to specify -r/--recipient?");
    }
    if given.has("max-work-factor") {
        return misuse("--max-work-factor can't be used with -e/--encrypt", "it is for -d/--decrypt");
    }
    Ok(vec![OsString::from("encrypt")])
}

/// `age-keygen` and `rage-keygen`.
pub(super) fn keygen(given: &Given) -> Result<Vec<OsString>> {
    if given.inputs.len() > 1 {
        return misuse("too many arguments", "name one input");
    }
    let input = given.input()?;
    let mut words = vec![OsString::from("keygen")];
    if given.has("to-public") {
        if given.has("pq") {
            return misuse("-pq cannot be used with -y", "-y recognizes the kind of each key");
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
pub(super) fn inspect(given: &Given) -> Result<Vec<OsString>> {
    let input = given.input()?;
    let words = ["inspect", "--padded", "--no-default-identity"]
        .map(OsString::from)
        .into_iter()
        .chain(given.pass_on(&["json"]));
    Ok(with_input(words.collect(), input))
}
