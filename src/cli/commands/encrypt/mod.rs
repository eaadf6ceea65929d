//! `encrypt`: seal files or a stream to the recipients that the command line names.

mod recipients;
mod sealed;

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};

use crate::{
    cli::{
        args::{self, Encrypt},
        batch::{
            cores::Cores,
            encryptors::{Encryptors, output_size},
            groups::groups,
            quick_check::{Pair, is_done},
            reports::{Done, Outcome, Reports},
            scheduler, space,
        },
        commands::{
            encrypt::sealed::{Disposal, Encrypted, Proven, Sealed},
            session::Session,
        },
        files::{
            commit::{Committer, Durability, DurableFolders, Proof, Written},
            input::{Input, announce_typed, check_single, check_some_exist, check_stdin_is_open},
            naming::{InputPath, Naming},
            output::Output,
            outputs::Outputs,
            permissions::Owner,
            read_back::{self, Discard},
            receipt::{self, Receipt},
            target::{OnTerminal, Target},
            walk::{self, Inputs, Selection, Skipped},
        },
        keys::recipients::{Recipients, StanzaOwner, check_count},
        platform::Links,
        terminal::{exit_status::ExitStatus, progress::Progress},
    },
    crypto::{Encryptor, Recipient, Sha256, Sink, armor::ArmorWriter, plaintext_length},
};

/// Encrypts all inputs, and returns the status of a failure.
///
/// # Errors
///
/// Errors that stop the command before or after it processes files.
pub(crate) fn encrypt(args: &Encrypt, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    let (request, inputs) = Request::new(args, messages)?;
    let Request { session, .. } = &request;
    let input_args = &args.files.inputs;
    let mut receipt_lines = String::new();
    let mut reports = Reports::new("encrypted", &args.files, &session.messages)?;
    let report = |Encrypted { outcome, receipt_line }| {
        receipt_lines.extend(receipt_line);
        reports.add(outcome)
    };
    let write = |input: Result<InputPath>| {
        let input = input.map_err(|error| Outcome::failed(None, error))?;
        let path = || Some(input.path.clone());
        let written = request.write(&input).map_err(|error| Outcome::failed(path(), error))?;
        written.map_err(|done| Outcome::done(path(), done).into())
    };
    let announced = request.recipients.keys.iter().any(Recipient::is_external) && walk::are_known(input_args);
    let inputs = groups(inputs, announced, |files| request.encryptors.announce(files.len()));
    // Without --rm, the receipt has the order of the inputs, and appears at the end.
    let receipt_as_it_grows = request.receipt.as_ref().filter(|_| args.files.rm);
    let tally = scheduler::run_in_groups(
        inputs,
        input_args.threads(),
        request.outputs.descriptors(),
        write,
        |group| sealed::commit(group, &request.committer, receipt_as_it_grows, &request.progress, &session.messages),
        report,
    );
    session.warn_if_nothing_found(&tally, input_args, Selection::Plain);
    let completed = session.complete_copy(&request.skipped, &args.files);
    if reports.skipped() > 0 && args.files.update {
        session.messages.hint_on_terminal(KEPT_RECIPIENTS);
    }
    reports.finish();
    if let Some(receipt) = request.receipt.as_ref().filter(|receipt| !receipt.is_refused()) {
        receipt.append(&receipt_lines, Durability::IfPossible, &session.messages)?;
    }
    Ok(tally.status().or(completed))
}

/// Warns of consequences that might surprise the user.
const KEPT_RECIPIENTS: &str = "unchanged files keep the recipients they have: 'solekey inspect --recursive' lists them, 'solekey rekey --recursive' changes them";

/// The checked command line, shared by all files of the run.
struct Request<'a> {
    args: &'a Encrypt,
    session: Session<'a>,
    recipients: Recipients,
    encryptors: Encryptors,
    receipt: Option<Receipt>,
    outputs: Outputs<'a>,
    committer: Committer,
    durable_folders: DurableFolders,
    skipped: Skipped,
    progress: Arc<Progress>,
    cores: Cores,
}

/// An encryptor, and the stanzas and their owners as the receipt will list them.
struct Sealing<'a> {
    encryptor: Encryptor,
    stanza_owners: Option<Vec<StanzaOwner<'a>>>,
}

impl<'a> Request<'a> {
    fn new(args: &'a Encrypt, messages: &'a args::MessageArgs) -> Result<(Self, Inputs)> {
        let input_args = &args.files.inputs;
        let on_terminal = if args.armor { OnTerminal::Anything } else { OnTerminal::Nothing };
        let stdin_is_taken = walk::reads_stdin(input_args);
        let mut session = Session::new(messages, &args.passphrases, args.plugins, stdin_is_taken)?;
        // Ask questions last.
        let named = recipients::read(args, &mut session)?;
        let skipped = Skipped::new(&session.messages, args.files.output_dir.as_deref());
        let again = || walk::inputs(input_args, Selection::Plain, &Skipped::default()).ok();
        let inputs = walk::inputs(input_args, Selection::Plain, &skipped)?;
        check_single(input_args, args.files.json)?;
        let mut outputs = Outputs::new(&args.files, Naming::encrypting(&args.files), on_terminal, Owner::Sealed)?;
        // With --json, the errors belong in the files' objects. With --skip-existing, an output may be all that is left of a file.
        if !args.files.json && !args.files.skip_existing {
            check_some_exist(input_args, &session.messages)?;
        }
        let recipients = recipients::complete(args, named, &mut session)?;
        let receipt = args.receipt.as_deref().map(|path| open_receipt(path, args, &session, &outputs)).transpose()?;
        let inputs = outputs.protect(inputs, again);
        let inputs = walk::once(inputs, input_args, Links::Hold, &session.messages);
        let progress = session.progress_beside(&outputs, input_args, Selection::Plain, 1);
        let cores = Cores::new(input_args);
        let request = Self {
            args,
            committer: Committer::new(&session.messages),
            session,
            recipients,
            encryptors: Encryptors::default(),
            receipt,
            outputs,
            durable_folders: DurableFolders::default(),
            skipped,
            progress,
            cores,
        };
        Ok((request, inputs))
    }

    /// Encrypts a file up to its commit. Returns [`Done`] for a file that is not to be written.
    fn write(&self, path: &InputPath) -> Result<Result<(Written<'_, Proven>, Sealed), Done>> {
        let output = self.outputs.name(path)?;
        let has_right_size = |pair: &Pair| {
            let size = self.encryptors.output_size(&self.recipients.keys, pair.input.len(), self.args.armor);
            size == Some(pair.output.len())
        };
        if let Some(bytes) = is_done(&self.args.files, &self.outputs, path, output.as_deref(), has_right_size)? {
            self.progress.skipped(bytes);
            return Ok(Err(Done::Skipped));
        }
        let target = self.outputs.target(path)?;
        let mut input = self.open(path, &target)?;
        let (name, length, permissions) = (input.name().to_owned(), input.length(), self.outputs.permissions(&input));
        let cannot_encrypt = || format!("cannot encrypt {name}");
        let prompt = &self.session.key_files.prompt;
        // A key is derived from the passphrase for each file.
        let hidden = if self.args.passphrase { prompt.hide_input() } else { None };
        let Sealing { encryptor, stanza_owners } = self.wrap().with_context(cannot_encrypt)?;
        drop(hidden);
        prompt.show_input();
        let size = length.and_then(|length| output_size(&encryptor, length, self.args.armor));
        space::check(&target, size).with_context(cannot_encrypt)?;
        if self.args.files.dry_run {
            return Ok(Err(Done::planned(&target)));
        }

        let header = encryptor.header().as_bytes().len() as u64;
        let permit = self.cores.acquire(length);
        let mut output = self.open_output(&target)?;
        if input.is_terminal() {
            output.hold_back();
        }
        self.progress.begin();
        let proof = self.proof(&encryptor, stanza_owners, &name, length);
        let written = self.seal(encryptor, &mut input, &mut output, permit.threads);
        let written = target.explain(written.with_context(cannot_encrypt), output.released())?;
        drop(permit);
        self.session.note_device(&target, &output);

        let removes = self.args.files.rm;
        let messages = &self.session.messages;
        let source = Disposal::of(input.into_source_file(), removes, messages);
        let summary = messages.if_verbose(|| {
            let recipients = self.recipients.keys.len();
            format!("encrypted {name} to {}: {written} bytes, recipients: {recipients}", target.name())
        });
        let bytes = plaintext_length(written - header).expect("it was written");
        let done = Done::Written { output: target.typed().map(PathBuf::from), bytes, summary };
        let mut written = Written::new(target, output, &permissions)?.proven_by(proof);
        if removes {
            written = written.with(Durability::Required);
        }
        Ok(Ok((written, Sealed { source, path: path.path.clone(), done })))
    }

    /// Returns the proof of an output, which runs once it is on the disk. It also collects what the receipt and the deletion need.
    fn proof<'r>(
        &'r self,
        encryptor: &Encryptor,
        stanza_owners: Option<Vec<StanzaOwner<'r>>>,
        name: &str,
        length: Option<u64>,
    ) -> Option<Proof<'r, Proven>> {
        let removes = self.args.files.rm;
        let check = (self.args.check || removes)
            .then(|| (encryptor.header().as_bytes().to_vec(), encryptor.unlocked(), name.to_owned()));
        if check.is_none() && stanza_owners.is_none() {
            return None;
        }
        Some(Box::new(move |target, output| {
            let mut plaintext = removes.then(Sha256::new);
            if let Some((header, unlocked, name)) = check {
                self.progress.read_back(&name);
                let permit = self.cores.acquire(length);
                let sink = plaintext.as_mut().map_or(Discard.sink(), |plaintext| Sink::Sequential(plaintext));
                read_back::authenticate(output, &header, &unlocked, sink, permit.threads)
                    .with_context(|| format!("cannot encrypt {name}"))?;
            }
            let receipt_line =
                stanza_owners.map(|owners| receipt::line(target, self.args.armor, output, &owners)).transpose()?;
            Ok(Proven { receipt_line, plaintext_sha256: plaintext.map(Sha256::finish) })
        }))
    }

    /// Opens an input, and checks everything that can be known before work begins.
    fn open(&self, path: &InputPath, target: &Target) -> Result<Input> {
        target.check_is_open()?;
        if path.is_stdin() {
            check_stdin_is_open()?;
        }
        announce_typed(&path.path, &self.session.messages);
        let mut input = Input::open(path, self.progress.clone())?;
        target.check_is_not(input.id(), input.name())?;
        self.session.key_files.check_is_not_output(target)?;
        if let Some(receipt) = &self.receipt {
            receipt.check_is_neither(&input, target)?;
        }
        if self.args.files.rm {
            read_back::check_can_delete(&input, target)?;
            self.durable_folders.check(target)?;
            self.session.key_files.check_is_not_deleted(&input)?;
            input.keep_cached();
        }
        if self.args.check {
            read_back::check_can_read_back(target)?;
        }
        Ok(input)
    }

    /// Makes a file key, and wraps it to the recipients.
    fn wrap(&self) -> Result<Sealing<'_>> {
        let encryptor = self.encryptors.next(&self.recipients.keys)?;
        let hint = "nothing was written; count the keys that -r, -R and -i name, each once";
        check_count(encryptor.header().stanzas().len(), self.args.expect_recipients, hint)?;
        let stanza_owners = self.receipt.as_ref().map(|_| self.recipients.stanza_owners(&encryptor));
        Ok(Sealing { encryptor, stanza_owners })
    }

    fn open_output(&self, target: &Target) -> Result<Output> {
        let mut output = target.open()?;
        if self.receipt.is_some() {
            output.hash();
        }
        if self.args.files.inputs.is_single() && !self.args.files.rm {
            let receipt = self.receipt.as_ref().and_then(Receipt::folder).map(Path::to_owned);
            self.session.confine(target.reachable_folder().into_iter().chain(receipt));
        } else {
            self.committer.expect(&output);
        }
        Ok(output)
    }

    /// Seals the input, and returns the number of bytes written, not counting armor.
    fn seal(&self, encryptor: Encryptor, input: &mut Input, output: &mut Output, threads: NonZeroUsize) -> Result<u64> {
        if !self.args.armor {
            return Ok(encryptor.encrypt(input.source(0), output.sink(), threads)?);
        }
        let mut armored = ArmorWriter::new(output);
        let written = encryptor.encrypt(input.source(0), Sink::Sequential(&mut armored), threads)?;
        armored.finish().context("cannot write the end of the armor")?;
        Ok(written)
    }
}

fn open_receipt(path: &Path, args: &Encrypt, session: &Session<'_>, outputs: &Outputs<'_>) -> Result<Receipt> {
    let target = Receipt::target(path, &args.files, outputs)?;
    session.key_files.check_is_not_output(&target)?;
    if args.files.rm {
        DurableFolders::default().check(&target)?;
    }
    Receipt::open(target)
}
