//! `inspect`: print what a header says, for people or as JSON. Opens nothing.

use std::{
    fmt::Write as _,
    io::{self, BufRead, Write as _},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::crypto::{
    Decryptor, Error, Header, PAYLOAD_NONCE, PayloadFault, SEALED_CHUNK, VERSION_LINE,
    armor::{ArmorReader, looks_armored},
    plaintext_length,
};

use super::{
    args::{Inspect, Talk},
    batch,
    input::{Input, name},
    json,
    output::{Plan, Terminal},
    progress::Progress,
    recipients::must_be_as_many,
    report::{Report, Status},
};

pub(crate) fn inspect(what: &Inspect, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    Ok(batch::each(&what.files, report, |path| {
        let cannot_inspect = || format!("cannot inspect {}", name(path));
        let mut facts = Facts::read(path, talk).with_context(cannot_inspect)?;
        if what.padded {
            facts.sizes.iter_mut().for_each(|sizes| sizes.padded = Some(Padded::without_padding(sizes.payload)));
        }
        let text = if what.json { json::line(&facts) } else { facts.for_people(path) };
        let mut output = Plan::stdout(Terminal::Any)?.open()?;
        output.write_all(text.as_bytes()).context("cannot write to standard output")?;
        facts
            .sizes
            .map(drop)
            .ok_or(Error::Payload { chunk: facts.whole_chunks, fault: PayloadFault::Truncated })
            .with_context(cannot_inspect)?;
        let hint = "every stanza is a way to open the file; ask its sender whose they are";
        must_be_as_many(facts.stanzas.len(), what.expect_recipients, hint).with_context(|| name(path))
    }))
}

/// What can be known of a file without a key.
#[derive(Serialize)]
struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    version: &'static str,
    armor: bool,
    postquantum: PostQuantum,
    stanza_types: Vec<String>,
    stanzas: Vec<StanzaFacts>,
    /// None if the file is cut off.
    sizes: Option<Sizes>,
    #[serde(skip)]
    whole_chunks: u64,
}

#[derive(Serialize)]
struct StanzaFacts {
    #[serde(rename = "type")]
    kind: String,
    arguments: Vec<String>,
}

/// In bytes. They sum to the file.
#[derive(Serialize, Clone, Copy)]
struct Sizes {
    header: u64,
    armor: u64,
    overhead: u64,
    payload: u64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    padded: Option<Padded>,
}

/// The payload in age-inspect's words, which leave room for padding. There is none yet.
#[derive(Serialize, Clone, Copy)]
struct Padded {
    min_payload: u64,
    max_payload: u64,
    min_padding: u64,
    max_padding: u64,
}

impl Padded {
    fn without_padding(payload: u64) -> Self {
        Self { min_payload: payload, max_payload: payload, min_padding: 0, max_padding: 0 }
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
            match stanza.tag.as_str() {
                "X25519" | "ssh-ed25519" | "ssh-rsa" | "p256tag" | "piv-p256" => return Self::No,
                "mlkem768x25519" | "mlkem768p256tag" | "scrypt" => {}
                _ => weakest = Self::Unknown,
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

impl Facts {
    fn read(path: &Path, talk: &Talk) -> Result<Self> {
        let mut input = Input::open(path, Arc::new(Progress::new(talk)))?;
        input.progress.begin();
        let armored = looks_armored(input.reader.fill_buf()?);
        // The sizes before and after the armor is taken off.
        let (header, binary, total) = if armored {
            let mut armor = ArmorReader::new(&mut input.reader);
            let header = Decryptor::read(&mut armor)?;
            let payload = count(&mut armor)?;
            let binary = header.header().as_bytes().len() as u64 + payload;
            (header, binary, input.reader.get_ref().read)
        } else {
            let header = Decryptor::read(&mut input.reader)?;
            let length = match input.length() {
                Some(length) => length,
                None => header.header().as_bytes().len() as u64 + count(&mut input.reader)?,
            };
            (header, length, length)
        };
        let header = header.header();
        let header_length = header.as_bytes().len() as u64;
        let sealed = binary.saturating_sub(header_length);
        let sizes = plaintext_length(sealed).map(|payload| Sizes {
            header: header_length,
            armor: total - binary,
            overhead: sealed - payload,
            payload,
            padded: None,
        });
        let stanzas = header.stanzas();
        Ok(Self {
            file: input.model().map(|_| path.to_string_lossy().into_owned()),
            version: VERSION_LINE,
            armor: armored,
            postquantum: PostQuantum::of(header),
            stanza_types: stanzas.iter().map(|stanza| stanza.tag.clone()).collect(),
            stanzas: stanzas
                .iter()
                .map(|stanza| StanzaFacts { kind: stanza.tag.clone(), arguments: stanza.args.clone() })
                .collect(),
            sizes,
            whole_chunks: sealed.saturating_sub(PAYLOAD_NONCE as u64) / SEALED_CHUNK as u64,
        })
    }

    fn for_people(&self, path: &Path) -> String {
        let mut text = format!("{}: {}\n", name(path), self.version);
        let mut line = |label: &str, value: &str| {
            let _ = writeln!(text, "  {label:<14}{value}");
        };
        line("armor", if self.armor { "yes" } else { "no" });
        line("post-quantum", self.postquantum.word());
        line("stanzas", &format!("{}, one for each recipient", self.stanzas.len()));
        for (index, stanza) in self.stanzas.iter().enumerate() {
            let words: Vec<_> = std::iter::once(&stanza.kind).chain(&stanza.arguments).map(String::as_str).collect();
            line(&format!("  {}", index + 1), &words.join(" "));
        }
        if let Some(sizes) = self.sizes {
            line("header", &format!("{:>15} bytes", sizes.header));
            line("armor", &format!("{:>15} bytes", sizes.armor));
            line("overhead", &format!("{:>15} bytes", sizes.overhead));
            line("payload", &format!("{:>15} bytes", sizes.payload));
            line("total", &format!("{:>15} bytes", sizes.header + sizes.armor + sizes.overhead + sizes.payload));
        }
        text
    }
}

/// Reads to the end, and counts.
fn count(input: &mut dyn BufRead) -> Result<u64> {
    let mut counted = 0;
    loop {
        let available = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other.map_err(Error::reading)?.len(),
        };
        if available == 0 {
            return Ok(counted);
        }
        counted += available as u64;
        input.consume(available);
    }
}
