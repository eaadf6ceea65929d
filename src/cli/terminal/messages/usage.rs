//! Errors of the form of a command line, as clap finds them, in this program's style: what is wrong, and what may have been meant.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{
    Arg, Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::cli::{
    args,
    terminal::{
        escape::{escaped, may_be_shown},
        messages::similar::similar,
    },
};

/// Words that other programs have for a command of this one.
const SYNONYMS: &[(&[&str], &str)] = &[
    (&["-e", "--encrypt", "enc", "seal", "lock"], "encrypt"),
    (&["-d", "--decrypt", "dec", "open", "unlock"], "decrypt"),
    (&["gen", "generate", "genkey", "key-gen", "new"], "keygen"),
    (&["check", "test"], "verify"),
    (&["info", "list", "show"], "inspect"),
    (&["reencrypt", "re-encrypt"], "rekey"),
    (&["recover", "repair"], "salvage"),
];

/// Describes the fault of a command line in one line.
pub(super) fn message(error: &Error) -> String {
    let words = |kind| context(error, kind).unwrap_or_default();
    let shown = |word: &str| escaped(Path::new(word));
    match (error.kind(), words(ContextKind::InvalidSubcommand).first(), words(ContextKind::InvalidArg).as_slice()) {
        (ErrorKind::InvalidSubcommand, Some(word), _) => return format!("'{}' is not a command", shown(word)),
        (ErrorKind::UnknownArgument, _, [word]) if word.starts_with('-') => {
            return format!("unknown option '{}'", shown(word));
        }
        (ErrorKind::UnknownArgument, _, [word]) => return format!("unexpected argument '{}'", shown(word)),
        (ErrorKind::MissingRequiredArgument, _, missing) if !missing.is_empty() => {
            return format!("missing {}", missing.join(" and ").replace(['<', '>'], ""));
        }
        _ => {}
    }
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<_> = first.lines().map(str::trim).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

/// Suggests a command line for the words that follow the name of the program.
pub(super) fn hint(error: &Error, typed: &[OsString]) -> String {
    let program = args::command();
    let asked = if typed.first().is_some_and(|word| word == "help") { &typed[1..] } else { typed };
    let Some(verb) = verb(&program, asked) else {
        return wrong_verb(&program, asked).unwrap_or_else(|| "see 'solekey --help'".to_owned());
    };
    let word = context(error, ContextKind::InvalidArg).and_then(|words| words.into_iter().next());
    match (error.kind(), word.as_deref()) {
        (ErrorKind::MissingRequiredArgument, Some("--to-public")) => {
            "to make a key: solekey keygen -o FILE; to print the public key of one: solekey keygen -y FILE".to_owned()
        }
        (ErrorKind::MissingRequiredArgument, _) => {
            let usages: Vec<_> = args::usage(&verb).collect();
            format!("usage: {}", usages.join(", or "))
        }
        (ErrorKind::UnknownArgument, Some("-p" | "--passphrase")) if verb != "encrypt" && verb != "keygen" => {
            "leave it out: solekey asks for a passphrase if the file needs one".to_owned()
        }
        (ErrorKind::UnknownArgument, Some(word)) if let Some(file) = file_named_like(word, asked) => {
            let name = escaped(&file);
            format!("if you mean the file '{name}', write './{name}'")
        }
        (ErrorKind::UnknownArgument, Some(word)) => {
            match program.find_subcommand(&verb).and_then(|verb| option(verb, word)) {
                Some(similar) => format!("did you mean '--{similar}'? Otherwise see 'solekey {verb} --help'"),
                None => format!("see 'solekey {verb} --help'"),
            }
        }
        _ => format!("see 'solekey {verb} --help'"),
    }
}

/// The file that clap took for options, one for each letter, and rejected for `option`.
fn file_named_like(option: &str, typed: &[OsString]) -> Option<PathBuf> {
    let letter = option.strip_prefix('-')?;
    let files = typed.iter().map(PathBuf::from).filter(|word| word.symlink_metadata().is_ok() && may_be_shown(word));
    files.into_iter().find(|file| {
        let letters = file.to_str().and_then(|name| name.strip_prefix('-'));
        letters.is_some_and(|letters| letters.contains(letter))
    })
}

/// The command that a command line names.
fn verb(program: &Command, typed: &[OsString]) -> Option<String> {
    let first = typed.iter().find(|word| !word.as_encoded_bytes().starts_with(b"-"))?.to_str()?;
    let named = program
        .get_subcommands()
        .find(|command| command.get_name() == first || command.get_all_aliases().any(|alias| alias == first));
    named.map(|command| command.get_name().to_owned())
}

/// What to write in place of a first word that names no command.
fn wrong_verb(program: &Command, typed: &[OsString]) -> Option<String> {
    let word = typed.first()?;
    let last = PathBuf::from(typed.last()?);
    // A name that is there already tells more than a placeholder.
    let file = if last.is_file() && may_be_shown(&last) { escaped(&last) } else { "FILE".to_owned() };
    let usage = |verb: &str| match verb {
        "encrypt" => format!("to encrypt: solekey encrypt -r RECIPIENT {file}"),
        "decrypt" => format!("to decrypt: solekey decrypt {file}"),
        verb => format!("did you mean 'solekey {verb}'?"),
    };
    if Path::new(word).is_file() {
        let is_encrypted = Path::new(word).extension().is_some_and(|extension| extension == "age");
        return Some(usage(if is_encrypted { "decrypt" } else { "encrypt" }));
    }
    let word = word.to_str()?;
    if word == "version" {
        return Some("did you mean 'solekey --version'?".to_owned());
    }
    let synonym = SYNONYMS.iter().find(|(words, _)| words.contains(&word)).map(|(_, verb)| *verb);
    let similar = || match option(program, word) {
        Some(option) => Some(format!("--{option}")),
        None => similar(word, program.get_subcommands().map(Command::get_name)).map(str::to_owned),
    };
    synonym.map(usage).or_else(|| similar().map(|words| format!("did you mean 'solekey {words}'?")))
}

/// The option of a command that was probably meant by a word.
fn option<'c>(command: &'c Command, word: &str) -> Option<&'c str> {
    let name = word.strip_prefix("--")?;
    let name = name.split('=').next().unwrap_or_default();
    similar(name, command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(Arg::get_long))
}

fn context(error: &Error, kind: ContextKind) -> Option<Vec<String>> {
    match error.get(kind)? {
        ContextValue::String(word) => Some(vec![word.clone()]),
        ContextValue::Strings(words) => Some(words.clone()),
        _ => None,
    }
}
