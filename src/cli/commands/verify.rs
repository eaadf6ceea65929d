//! `verify`: authenticate every chunk of each file, and write nothing but a verdict.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Error, Result, anyhow};
use serde::Serialize;

use crate::{
    cli::{
        args::{self, DASH, Verify},
        batch::{cores::Cores, groups::groups, scheduler, summary::Summary},
        commands::session::Session,
        files::{
            encrypted_input::EncryptedInput,
            input::{Input, announce_typed},
            naming::{InputPath, display_name},
            read_back::Discard,
            target::{OnTerminal, Target},
            walk::{self, Inputs, Selection, Skipped},
        },
        keys::keyring::Keyring,
        terminal::{
            advice::{Advise, find},
            errors::{During, Misuse},
            escape::escaped,
            exit_status::ExitStatus,
            json::{self, Failed, Failure},
            messages::{
                color::{Stream, Tone},
                one_cause, one_line,
            },
            progress::{Progress, hidden_while},
        },
    },
    crypto::Error as CryptoError,
};

/// Verifies all inputs, and returns the status of a failure.
///
/// # Errors
///
/// If there is no file to verify; errors that stop the command before it processes files.
pub(crate) fn verify(args: &Verify, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    let (request, inputs) = Request::new(args, messages)?;
    let Request { session, .. } = &request;
    let mut stdout = Target::stdout(OnTerminal::Anything)?.open()?;
    let summary = Summary::new(&args.inputs, false, &session.messages);
    let (mut intact, mut failed, mut closed, mut bytes) = (0, 0, 0, 0);
    let report = |verdict: Result<Verdict>| {
        match &verdict {
            Ok(Verdict { payload: Ok(length), .. }) => {
                intact += 1;
                bytes += length;
            }
            Ok(verdict) if verdict.is_judged() => failed += 1,
            _ => closed += 1,
        }
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error) => {
                if args.json {
                    let line = json::line(&Failed::new(None, &error));
                    let _ = hidden_while(|| stdout.write_all(line.as_bytes()));
                }
                return session.messages.failure(Err(error));
            }
        };
        let failure = verdict.payload.as_ref().err().map(ExitStatus::of);
        if session.is_quiet() && failure.is_none() {
            return None;
        }
        let text = if args.json { verdict.to_json() } else { verdict.to_text() };
        let printed = hidden_while(|| stdout.write_all(text.as_bytes())).context("cannot write to standard output");
        if let (Err(error), false) = (&verdict.payload, args.json) {
            session.messages.hints(error);
        }
        session.messages.failure(printed).or(failure)
    };
    let announced = request.keyring.may_ask_plugins() && walk::are_known(&args.inputs);
    let inputs = groups(inputs, announced, |files| request.keyring.announce(files));
    let tally =
        scheduler::run(inputs, args.inputs.threads(), |input| input.map(|input| request.verify(&input)), report);
    if tally.is_empty() {
        return Err(anyhow!("nothing was verified: there was no file to verify"))
            .hint("--recursive looks for names that end in .age");
    }
    summary.print(&[(intact, "OK"), (failed, "failed"), (closed, "not opened")], Some(bytes));
    Ok(tally.status())
}

/// The checked command line, shared by all files of the run.
struct Request<'a> {
    args: &'a Verify,
    session: Session<'a>,
    keyring: Keyring,
    progress: Arc<Progress>,
    cores: Cores,
}

/// The result for a file.
struct Verdict {
    path: PathBuf,
    /// Whether an identity or a passphrase opened the file. If not, nothing is known about its content.
    is_open: bool,
    /// Chunks in the file, if that is known.
    chunks: Option<u64>,
    /// Bytes of plaintext.
    payload: Result<u64>,
}

/// A verdict as JSON.
#[derive(Serialize)]
struct Record {
    file: String,
    ok: bool,
    chunks: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<u64>,
    /// The first chunk that is not authentic, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    chunk: Option<u64>,
    #[serde(flatten)]
    failure: Option<Failure>,
}

impl<'a> Request<'a> {
    fn new(args: &'a Verify, messages: &'a args::MessageArgs) -> Result<(Self, Inputs)> {
        walk::check_stdin_is_named_once(&args.inputs.files)?;
        let stdin_is_taken = walk::reads_stdin(&args.inputs);
        let mut session = Session::new(messages, &args.passphrases, args.plugins, stdin_is_taken)?;
        let keyring = Keyring::new(&mut session.key_files, &args.identities)?;
        let inputs = walk::inputs(&args.inputs, Selection::Encrypted, &Skipped::new(&session.messages, None))?;
        let progress = session.progress_of_inputs(&args.inputs, Selection::Encrypted, None, 1);
        let cores = Cores::new(&args.inputs);
        Ok((Self { args, session, keyring, progress, cores }, inputs))
    }

    fn verify(&self, path: &InputPath) -> Verdict {
        announce_typed(&path.path, &self.session.messages);
        let mut verdict = Verdict { path: path.path.clone(), is_open: false, chunks: None, payload: Ok(0) };
        let input = Input::open(path, self.progress.clone());
        verdict.payload = input.and_then(|input| self.authenticate(path, input, &mut verdict));
        self.progress.done();
        verdict
    }

    fn authenticate(&self, path: &InputPath, mut input: Input, verdict: &mut Verdict) -> Result<u64> {
        let payload = self.authenticate_open(path, &mut input, verdict);
        // Data that was authentic when it was read may no longer be, and vice versa.
        if !input.into_source_file().has_changed() {
            return payload;
        }
        let changed = match payload {
            Ok(_) => Err(anyhow!("it changed while it was being read")),
            Err(error) => Err(error.context("it changed while it was being read")),
        };
        changed.hint("verify it again once nothing writes to it")
    }

    fn authenticate_open(&self, path: &InputPath, input: &mut Input, verdict: &mut Verdict) -> Result<u64> {
        let length = input.length();
        let mut input = EncryptedInput::read(input)?;
        let unlocked = self.keyring.unlock(&input.decryptor, &display_name(&path.path))?;
        verdict.is_open = true;
        let permit = self.cores.acquire(length);
        if self.args.inputs.is_single() {
            self.session.confine([]);
        }
        self.progress.begin();
        let payload = input.open(&unlocked)?;
        verdict.chunks = payload.chunks();
        Ok(payload.decrypt(Discard.sink(), permit.threads)?)
    }
}

impl Verdict {
    fn to_text(&self) -> String {
        let file = if self.path == Path::new(DASH) { display_name(&self.path) } else { escaped(&self.path) };
        let Err(error) = &self.payload else {
            return format!("{file}: {}\n", Stream::Stdout.painted("OK", Tone::Good));
        };
        if !self.is_judged() {
            return format!("{file}: {} {}\n", Stream::Stdout.painted("CANNOT OPEN", Tone::Bad), reason(error));
        }
        let failed = Stream::Stdout.painted("FAILED", Tone::Bad);
        match (faulty_chunk(error), self.chunks) {
            (Some((number, fault)), Some(chunks)) if number <= chunks => {
                format!("{file}: {failed} chunk {number} of {chunks}: {fault}\n")
            }
            _ => format!("{file}: {failed} {}\n", one_line(error)),
        }
    }

    /// Whether the file is known to be intact or not. A file that has no matching key may be whole.
    fn is_judged(&self) -> bool {
        self.is_open || self.payload.as_ref().is_err_and(|error| ExitStatus::of(error) == ExitStatus::Damaged)
    }

    fn to_json(&self) -> String {
        let error = self.payload.as_ref().err();
        json::line(&Record {
            file: json::path(&self.path),
            ok: error.is_none(),
            chunks: self.chunks,
            payload: self.payload.as_ref().ok().copied(),
            chunk: error.and_then(faulty_chunk).map(|(number, _)| number),
            failure: error.map(Failure::of),
        })
    }
}

/// Why a file cannot be opened, without its name.
fn reason(error: &Error) -> String {
    match (find(error), find(error)) {
        (Some(Misuse::Directory(_)), _) => "it is a directory".to_owned(),
        (_, Some(During::OpeningInput(_))) => one_cause(error),
        _ => one_line(error),
    }
}

/// The chunk at fault, counted from 1, and what is wrong with it.
fn faulty_chunk(error: &Error) -> Option<(u64, &'static str)> {
    match error.downcast_ref()? {
        CryptoError::Payload { chunk, fault } => Some((chunk + 1, fault.in_short())),
        _ => None,
    }
}
