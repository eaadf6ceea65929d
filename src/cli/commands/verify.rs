//! `verify`: authenticate all of each file, and write nothing but what came of it.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Error, Result, anyhow};
use serde::Serialize;

use crate::{
    cli::{
        args::{Talk, Verify},
        batch::{self, Cores},
        files::{
            encrypted_input::Sealed,
            input::{DASH, Input, name},
            read_back::Nowhere,
            target::{Plan, Terminal},
            walk::{Aside, Named, Wanted, measure, names},
        },
        keys::{key_file::KeyFiles, keyring::Identities, plugins::Plugins},
        terminal::{
            json,
            messages::{Advise, Report, Status, escaped, in_words, status},
            progress::{Progress, aside},
            prompt::Prompt,
        },
    },
    crypto::Error as CryptoError,
};

pub(crate) fn verify(what: &Verify, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    batch::name_stdin_once(&what.inputs.files)?;
    let reads_stdin = batch::reads_stdin(&what.inputs);
    let prompt = Arc::new(Prompt::new(&what.answers, reads_stdin)?);
    let plugins = Plugins::new(what.plugins.into(), prompt.clone(), report);
    let mut keys = KeyFiles::new(prompt, report, plugins, reads_stdin);
    let identities = Identities::new(&mut keys, &what.identities)?;
    let names = names(&what.inputs, Wanted::Encrypted, &Aside::new(report))?;
    let threads = what.inputs.threads();
    let job = Job {
        what,
        report,
        identities,
        progress: Arc::new(Progress::of_many(talk, measure(&what.inputs, Wanted::Encrypted))),
        cores: Cores::new(threads),
    };

    let mut stdout = Plan::stdout(Terminal::Any)?.open()?;
    let say = |verdict: Result<Verdict>| {
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error) => return batch::reported(Err(error), report),
        };
        let failed = verdict.payload.as_ref().err().map(status);
        if talk.quiet && failed.is_none() {
            return None;
        }
        let text = if what.json { verdict.for_programs() } else { verdict.for_people() };
        let written = aside(|| stdout.write_all(text.as_bytes())).context("cannot write to standard output");
        if let (Err(error), false) = (&verdict.payload, what.json) {
            report.hints(error);
        }
        batch::reported(written, report).or(failed)
    };
    let tally = batch::all(names, threads, |input| Ok(job.verify(input)), say);
    if tally.files == 0 {
        return Err(anyhow!("nothing was verified: there was no file to verify"))
            .hint("--recursive looks for names that end in .age");
    }
    Ok(tally.status())
}

/// What all files of a run share.
struct Job<'a> {
    what: &'a Verify,
    report: &'a Report,
    identities: Identities,
    progress: Arc<Progress>,
    cores: Cores,
}

/// What came of a file.
struct Verdict {
    path: PathBuf,
    /// How many chunks there are, where that is known.
    chunks: Option<u64>,
    /// How many bytes of plaintext there are.
    payload: Result<u64>,
}

/// A verdict for programs.
#[derive(Serialize)]
struct Record {
    file: String,
    ok: bool,
    chunks: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<u64>,
    /// The exit status that this alone would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u8>,
    /// The first chunk that is not authentic, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    chunk: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Job<'_> {
    fn verify(&self, input: &Named) -> Verdict {
        let mut chunks = None;
        let payload = self.authenticate(&input.path, &mut chunks);
        self.progress.done();
        Verdict { path: input.path.clone(), chunks, payload }
    }

    fn authenticate(&self, path: &Path, chunks: &mut Option<u64>) -> Result<u64> {
        let mut input = Input::open(path, self.progress.clone())?;
        let length = input.length();
        let mut sealed = Sealed::read(&mut input)?;
        let unlocked = self.identities.unlock(&sealed.decryptor, &name(path))?;
        let share = self.cores.share(length);
        if batch::is_one(&self.what.inputs) {
            batch::confine([], self.report);
        }
        self.progress.begin();
        let payload = unlocked.payload(sealed.payload())?;
        *chunks = payload.chunks();
        Ok(payload.decrypt(Nowhere.sink(), share.threads)?)
    }
}

impl Verdict {
    fn for_people(&self) -> String {
        let file = if self.path == Path::new(DASH) { name(&self.path) } else { escaped(&self.path) };
        let Err(error) = &self.payload else { return format!("{file}: OK\n") };
        match (chunk_of(error), self.chunks) {
            (Some((number, fault)), Some(chunks)) if number <= chunks => {
                format!("{file}: FAILED chunk {number} of {chunks}: {fault}\n")
            }
            _ => format!("{file}: FAILED {}\n", in_words(error)),
        }
    }

    fn for_programs(&self) -> String {
        let error = self.payload.as_ref().err();
        json::line(&Record {
            file: json::path(&self.path),
            ok: error.is_none(),
            chunks: self.chunks,
            payload: self.payload.as_ref().ok().copied(),
            status: error.map(|error| status(error) as u8),
            chunk: error.and_then(chunk_of).map(|(number, _)| number),
            error: error.map(in_words),
        })
    }
}

/// Which chunk is at fault, from 1, and what is wrong with it.
fn chunk_of(error: &Error) -> Option<(u64, &'static str)> {
    match error.downcast_ref()? {
        CryptoError::Payload { chunk, fault } => Some((chunk + 1, fault.in_short())),
        _ => None,
    }
}
