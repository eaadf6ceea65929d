//! `inspect`: print what a header says, as text or as JSON. Decrypts no payload.

mod attribution;
mod parts;
mod text;

use std::{io::Write as _, path::Path};

use anyhow::{Context, Error, Result};
use serde::Serialize;

use crate::{
    cli::{
        args::{self, Inspect},
        batch::scheduler,
        commands::{
            inspect::{
                attribution::{Absent, Attribution, Attributor, Owner},
                parts::{Parts, Sizes},
            },
            session::Session,
        },
        files::{
            input::announce_typed,
            naming::display_name,
            target::{OnTerminal, Target},
            walk::{self, Selection, Skipped, any_is_stdin, check_stdin_is_named_once},
        },
        keys::recipients::check_count,
        terminal::{
            advice::find,
            errors::{During, Misuse},
            exit_status::ExitStatus,
            json::{self, Failed, Failure},
        },
    },
    crypto::{Header, VERSION_LINE, stanza_type},
};

/// Inspects all files, and returns the status of a failure.
///
/// # Errors
///
/// Errors that stop the command before it processes files.
pub(crate) fn inspect(args: &Inspect, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    check_stdin_is_named_once(&args.files)?;
    let mut session = Session::new(messages, &args.passphrases, args.plugins, any_is_stdin(&args.files))?;
    let mut attributor = Attributor::new(&mut session.key_files, args)?;
    let skipped = Skipped::new(&session.messages, None);
    let inputs: Vec<_> = walk::inputs(&args.inputs(), Selection::Encrypted, &skipped)?.collect();
    attributor.announce(&inputs);
    // This lists the files that open; files that do not open are not failures.
    let lists_opened = args.recursive && !args.identities.is_empty();
    let mut opened = 0_u64;
    let tally = scheduler::run_in_sequence(inputs, &session.messages, |input| {
        let path = match input {
            Ok(input) => input.path,
            Err(error) => return print_failed(args, None, error),
        };
        announce_typed(&path, &session.messages);
        let name = display_name(&path);
        let cannot_inspect = || format!("cannot inspect {name}");
        let parts = Parts::read(&path, session.progress()).map_err(|error| {
            let names_file = matches!(find(&error), Some(During::OpeningInput(_)))
                || matches!(find(&error), Some(Misuse::Directory(_)));
            if names_file { error } else { error.context(cannot_inspect()) }
        });
        let mut parts = match parts {
            Ok(parts) => parts,
            Err(error) => return print_failed(args, Some(&path), error),
        };
        if args.padded {
            parts.sizes.iter_mut().for_each(Sizes::add_padding);
        }
        let yours = attributor.yours(&parts.decryptor);
        let found = yours.as_ref().ok().and_then(Option::as_ref);
        let is_opened = found.is_some_and(|yours| !yours.is_empty());
        opened += u64::from(is_opened);
        if lists_opened && !is_opened && yours.is_ok() {
            return Ok(());
        }
        let mut facts = Facts::new(&parts, found, attributor.attribute(&parts.decryptor, found));
        let stanzas = facts.stanzas.len();
        let verdict = || {
            parts.check_is_whole().with_context(cannot_inspect)?;
            let yours = yours.with_context(|| format!("cannot tell which stanza of {name} is yours"))?;
            attributor.check_opens(&parts.decryptor, yours.as_ref()).with_context(|| name.clone())?;
            let hint = "every stanza is a way to open the file; ask its sender who they are for";
            check_count(stanzas, args.expect_recipients, hint).with_context(|| name.clone())
        };
        let verdict: Result<()> = verdict();
        // Whatever fails, the facts are printed.
        facts.failure = verdict.as_ref().err().map(Failure::of);
        facts.ok = verdict.is_ok();
        print(&match () {
            () if args.json => json::line(&facts),
            () if args.recursive => facts.to_line(&path),
            () => facts.to_text(&path),
        })?;
        verdict
    });
    session.warn_if_nothing_found(&tally, &args.inputs(), Selection::Encrypted);
    if lists_opened && opened == 0 && tally.status().is_none() {
        session.messages.note("none of these identities opens any of the files");
        return Ok(Some(ExitStatus::NoMatch));
    }
    Ok(tally.status())
}

fn print(text: &str) -> Result<()> {
    let mut output = Target::stdout(OnTerminal::Anything)?.open()?;
    output.write_all(text.as_bytes()).context("cannot write to standard output")
}

/// Passes on an error, after printing its object if `--json` was given.
fn print_failed(args: &Inspect, path: Option<&Path>, error: Error) -> Result<()> {
    if args.json {
        print(&json::line(&Failed::new(path, &error)))?;
    }
    Err(error)
}

/// Everything that is known about a file without opening its payload.
#[derive(Serialize)]
struct Facts<'k> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    ok: bool,
    version: &'static str,
    armor: bool,
    postquantum: PostQuantum,
    stanza_types: Vec<String>,
    stanzas: Vec<StanzaFacts<'k>>,
    /// Numbers of the stanzas, counted from 1, that the identities open. `None` if there are no identities.
    yours: Option<Vec<usize>>,
    /// Whether the MAC was verified, with the file key from one of the stanzas.
    header_authenticated: bool,
    /// Recipients that are named and certainly have no stanza.
    absent: Vec<Absent<'k>>,
    /// `None` if the file is truncated.
    sizes: Option<Sizes>,
    /// What is wrong, if anything is.
    #[serde(flatten)]
    failure: Option<Failure>,
}

#[derive(Serialize)]
struct StanzaFacts<'k> {
    #[serde(rename = "type")]
    kind: String,
    arguments: Vec<String>,
    class: Class,
    #[serde(flatten)]
    owner: Owner<'k>,
}

/// The group of a stanza's type.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Class {
    /// One of the age format's types.
    Known,
    /// A private type of some program.
    Unknown,
    /// A type named as a decoy, which programs add so that others stay tolerant of unknown types.
    Grease,
}

impl Class {
    fn of(kind: &str) -> Self {
        if stanza_type::is_known(kind) {
            Self::Known
        } else if stanza_type::is_grease(kind) {
            Self::Grease
        } else {
            Self::Unknown
        }
    }
}

/// Whether a future quantum computer would open the file.
#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum PostQuantum {
    Yes,
    No,
    Unknown,
}

impl PostQuantum {
    /// A file is as safe as its weakest stanza.
    fn of(header: &Header) -> Self {
        let mut weakest = Self::Yes;
        for stanza in header.stanzas() {
            match stanza_type::is_post_quantum(&stanza.tag) {
                Some(false) => return Self::No,
                Some(true) => {}
                None => weakest = Self::Unknown,
            }
        }
        weakest
    }

    fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

impl<'k> Facts<'k> {
    fn new(parts: &Parts, yours: Option<&Vec<usize>>, attribution: Attribution<'k>) -> Self {
        let header = parts.decryptor.header();
        let stanzas = header.stanzas();
        Self {
            file: parts.file.clone(),
            version: VERSION_LINE,
            armor: parts.armored,
            postquantum: PostQuantum::of(header),
            stanza_types: stanzas.iter().map(|stanza| stanza.tag.clone()).collect(),
            stanzas: stanzas
                .iter()
                .zip(attribution.owners)
                .map(|(stanza, owner)| StanzaFacts {
                    kind: stanza.tag.clone(),
                    arguments: stanza.args.clone(),
                    class: Class::of(&stanza.tag),
                    owner,
                })
                .collect(),
            yours: yours.map(|yours| yours.iter().map(|index| index + 1).collect()),
            header_authenticated: yours.is_some_and(|yours| !yours.is_empty()),
            absent: attribution.absent,
            sizes: parts.sizes,
            ok: true,
            failure: None,
        }
    }
}
