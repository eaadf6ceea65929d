//! `inspect`: print what a header says, as text or as JSON. Decrypts no payload.

mod attribution;
mod parts;
mod text;

use std::io::Write as _;

use anyhow::{Context, Result};
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
            walk::{any_is_stdin, check_stdin_is_named_once},
        },
        keys::recipients::check_count,
        terminal::{advice::find, errors::During, exit_status::ExitStatus, json},
    },
    crypto::{Header, VERSION_LINE, stanza_type},
};

/// Inspects all files, and returns the status of a failure.
///
/// # Errors
///
/// Those that stop the command before it works on files.
pub(crate) fn inspect(args: &Inspect, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    check_stdin_is_named_once(&args.files)?;
    let mut session = Session::new(messages, &args.passphrases, args.plugins, any_is_stdin(&args.files))?;
    let mut attributor = Attributor::new(&mut session.key_files, args)?;
    let tally = scheduler::run_in_sequence(&args.files, &session.messages, |path| {
        let name = display_name(path);
        let cannot_inspect = || format!("cannot inspect {name}");
        announce_typed(path, &session.messages);
        let parts = Parts::read(path, session.progress());
        let mut parts = parts.map_err(|error| match find(&error) {
            // It names the file itself.
            Some(During::OpeningInput(_)) => error,
            _ => error.context(cannot_inspect()),
        })?;
        if args.padded {
            parts.sizes.iter_mut().for_each(Sizes::add_padding);
        }
        let yours = attributor.yours(&parts.decryptor);
        let opened = yours.as_ref().ok().and_then(Option::as_ref);
        let facts = Facts::new(&parts, opened, attributor.attribute(&parts.decryptor, opened));
        let text = if args.json { json::line(&facts) } else { facts.to_text(path) };
        let mut output = Target::stdout(OnTerminal::Anything)?.open()?;
        output.write_all(text.as_bytes()).context("cannot write to standard output")?;

        // Whatever fails below, the facts have been printed.
        parts.check_is_whole().with_context(cannot_inspect)?;
        let yours = yours.with_context(|| format!("cannot tell which stanza of {name} is yours"))?;
        attributor.check_opens(&parts.decryptor, yours.as_ref()).with_context(|| name.clone())?;
        let hint = "every stanza is a way to open the file; ask its sender whose they are";
        check_count(facts.stanzas.len(), args.expect_recipients, hint).with_context(|| name.clone())
    });
    Ok(tally.status())
}

/// Everything that is known about a file without opening its payload.
#[derive(Serialize)]
struct Facts<'k> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
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

/// What a stanza's type says about it.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Class {
    /// One of the age format's types.
    Known,
    /// A type of some program's own.
    Unknown,
    /// A decoy by its name, with which programs keep others tolerant of unknown types.
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
        }
    }
}
