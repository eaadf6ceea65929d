//! `inspect`: print what a header says, for people or as JSON. Decrypts no payload.

mod attribution;
mod parts;
mod text;

use std::{io::Write as _, sync::Arc};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    cli::{
        args::{Inspect, Talk},
        batch,
        commands::inspect::{
            attribution::{Absent, Attribution, Keys, Whose},
            parts::{Parts, Sizes},
        },
        files::{
            input::{is_stdin, name},
            target::{Plan, Terminal},
        },
        keys::{key_file::KeyFiles, plugins::Plugins, recipients::must_be_as_many},
        terminal::{
            json,
            messages::{Report, Status},
            prompt::Prompt,
        },
    },
    crypto::{Header, VERSION_LINE, stanza_type},
};

pub(crate) fn inspect(what: &Inspect, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    let reads_stdin = what.files.is_empty() || what.files.iter().any(|file| is_stdin(file));
    batch::name_stdin_once(&what.files)?;
    let prompt = Arc::new(Prompt::new(&what.answers, reads_stdin)?);
    let plugins = Plugins::new(what.plugins.into(), prompt.clone(), report);
    let mut keys = Keys::new(&mut KeyFiles::new(prompt, report, plugins, reads_stdin), what)?;
    Ok(batch::each(&what.files, report, |path| {
        let cannot_inspect = || format!("cannot inspect {}", name(path));
        let mut parts = Parts::read(path, talk).with_context(cannot_inspect)?;
        if what.padded {
            parts.sizes.iter_mut().for_each(Sizes::say_padding);
        }
        let yours = keys.yours(&parts.decryptor);
        let opened = yours.as_ref().ok().and_then(Option::as_ref);
        let facts = Facts::new(&parts, opened, keys.attribute(&parts.decryptor, opened));
        let text = if what.json { json::line(&facts) } else { facts.for_people(path) };
        let mut output = Plan::stdout(Terminal::Any)?.open()?;
        output.write_all(text.as_bytes()).context("cannot write to standard output")?;
        parts.must_be_whole().with_context(cannot_inspect)?;
        let yours = yours.with_context(|| format!("cannot tell which stanza of {} is yours", name(path)))?;
        keys.must_open(&parts.decryptor, yours.as_ref()).with_context(|| name(path))?;
        let hint = "every stanza is a way to open the file; ask its sender whose they are";
        must_be_as_many(facts.stanzas.len(), what.expect_recipients, hint).with_context(|| name(path))
    }))
}

/// What is known of a file without opening its payload.
#[derive(Serialize)]
struct Facts<'k> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    version: &'static str,
    armor: bool,
    postquantum: PostQuantum,
    stanza_types: Vec<String>,
    stanzas: Vec<StanzaFacts<'k>>,
    /// The numbers of the stanzas, from 1, that the identities open. None if that is not known.
    yours: Option<Vec<usize>>,
    /// Whether its MAC has been verified, by a key that opens one of the stanzas.
    header_authenticated: bool,
    /// Who is named, and can have no stanza.
    absent: Vec<Absent<'k>>,
    /// None if the file is cut off.
    sizes: Option<Sizes>,
}

#[derive(Serialize)]
struct StanzaFacts<'k> {
    #[serde(rename = "type")]
    kind: String,
    arguments: Vec<String>,
    class: Class,
    #[serde(flatten)]
    whose: Whose<'k>,
}

/// What is known of a stanza's type.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Class {
    /// It is one of the age format's.
    Known,
    /// It is some program's own.
    Unknown,
    /// It calls itself a decoy, by which programs see to it that others stay used to types that they do not know.
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
    /// As safe as the weakest stanza.
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
                .zip(attribution.whose)
                .map(|(stanza, whose)| StanzaFacts {
                    kind: stanza.tag.clone(),
                    arguments: stanza.args.clone(),
                    class: Class::of(&stanza.tag),
                    whose,
                })
                .collect(),
            yours: yours.map(|yours| yours.iter().map(|index| index + 1).collect()),
            header_authenticated: yours.is_some_and(|yours| !yours.is_empty()),
            absent: attribution.absent,
            sizes: parts.sizes,
        }
    }
}
