//! `decrypt`: open files or a stream with identities.

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result};

use crate::{
    cli::{
        args::{self, Decrypt},
        batch::{
            cores::{Cores, Permit},
            groups::groups,
            quick_check::{Pair, check_is_not_newer, is_done},
            reports::{Done, Outcome, Reports},
            scheduler, space,
        },
        commands::session::Session,
        files::{
            commit::{Committer, Durability, DurableFolders, Proof, Written},
            encrypted_input::{EncryptedInput, can_hold},
            input::{Input, Removal, SourceFile, announce_typed, check_single},
            naming::{InputPath, Naming, display_name},
            output::Output,
            outputs::Outputs,
            permissions::Owner,
            read_back::{self, Discard},
            target::{OnTerminal, Target},
            walk::{self, Inputs, Selection, Skipped},
        },
        keys::keyring::Keyring,
        platform::Links,
        terminal::{advice::misuse, exit_status::ExitStatus, messages::one_line, progress::Progress},
    },
    crypto::{Source, Unlocked},
};

/// Decrypts all inputs, and returns the status of a failure.
///
/// # Errors
///
/// Errors that stop the command before it processes files.
pub(crate) fn decrypt(args: &Decrypt, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    let (request, inputs) = Request::new(args, messages)?;
    let Request { session, .. } = &request;
    let input_args = &args.files.inputs;
    let mut reports = Reports::new("decrypted", &args.files, &session.messages)?;
    let has_failed = AtomicBool::new(false);
    let failed = |input, error| {
        has_failed.store(true, Ordering::Relaxed);
        Outcome::failed(input, error)
    };
    let write = |input: Result<InputPath>| {
        let input = input.map_err(|error| failed(None, error))?;
        let path = || Some(input.path.clone());
        let written = request.write(&input).map_err(|error| failed(path(), error))?;
        written.map_err(|done| Outcome::done(path(), done))
    };
    let announced = request.keyring.may_ask_plugins() && walk::are_known(input_args);
    let inputs = groups(inputs, announced, |files| request.keyring.announce(files));
    // Concatenated outputs come in the order of their inputs, and stop at the first incomplete one.
    let joined = args.files.stdout;
    let threads = if joined { NonZeroUsize::MIN } else { input_args.threads() };
    let inputs = inputs.take_while(|_| {
        let stops = joined && has_failed.load(Ordering::Relaxed);
        if stops {
            session
                .messages
                .warning("the files after it were not decrypted: they would be in the wrong place in the output");
        }
        !stops
    });
    let tally = scheduler::run_in_groups(
        inputs,
        threads,
        request.outputs.descriptors(),
        write,
        |group| request.committer.commit(group, |committed, opened| request.finish(committed, opened)),
        |outcome| reports.add(outcome),
    );
    reports.finish();
    session.warn_if_nothing_found(&tally, input_args, Selection::Encrypted);
    let completed = session.complete_copy(&request.skipped, &args.files);
    Ok(tally.status().or(completed))
}

/// The checked command line, shared by all files of the run.
struct Request<'a> {
    args: &'a Decrypt,
    session: Session<'a>,
    keyring: Keyring,
    outputs: Outputs<'a>,
    skipped: Skipped,
    committer: Committer,
    durable_folders: DurableFolders,
    progress: Arc<Progress>,
    cores: Cores,
}

/// Results for a file that is decrypted but not committed.
struct Opened {
    /// The source, if it is to be deleted.
    source: Option<SourceFile>,
    /// Whether it changed while it was being read. If so, it is not deleted.
    source_changed: bool,
    path: PathBuf,
    done: Done,
}

impl<'a> Request<'a> {
    fn new(args: &'a Decrypt, messages: &'a args::MessageArgs) -> Result<(Self, Inputs)> {
        let input_args = &args.files.inputs;
        if args.range.is_some() && args.files.output.is_none() && !args.files.all_to_stdout() {
            return misuse(
                "--range writes part of a file, which must not get the name of the whole file",
                "send it to standard output with -c, or name the output with -o FILE",
            );
        }
        let stdin_is_taken = walk::reads_stdin(input_args);
        let mut session = Session::new(messages, &args.passphrases, args.plugins, stdin_is_taken)?;
        let keyring = Keyring::new(&mut session.key_files, &args.identities)?;
        let skipped = Skipped::new(&session.messages, args.files.output_dir.as_deref());
        let again = || walk::inputs(input_args, Selection::Encrypted, &Skipped::default()).ok();
        let inputs = walk::inputs(input_args, Selection::Encrypted, &skipped)?;
        check_single(input_args, args.files.json)?;
        let mut outputs = Outputs::new(&args.files, Naming::decrypting(&args.files), OnTerminal::Text, Owner::Opened)?;
        let inputs = outputs.protect(inputs, again);
        let inputs = walk::once(inputs, input_args, Links::Hold, &session.messages);
        let passes = if args.verify_first { 2 } else { 1 };
        let progress = session.progress_beside(&outputs, input_args, Selection::Encrypted, passes);
        let cores = Cores::new(input_args);
        let (committer, durable_folders) = (Committer::new(&session.messages), DurableFolders::default());
        Ok((Self { args, session, keyring, outputs, skipped, committer, durable_folders, progress, cores }, inputs))
    }

    /// Decrypts a file up to its commit. Returns [`Done`] for a file that is not to be written.
    fn write(&self, path: &InputPath) -> Result<Result<(Written<'_>, Opened), Done>> {
        let name = display_name(&path.path);
        let cannot_decrypt = || format!("cannot decrypt {name}");
        let output = self.outputs.name(path)?;
        let has_right_size = |pair: &Pair| can_hold(path, pair.input.len(), pair.output.len());
        if let Some(bytes) = is_done(&self.args.files, &self.outputs, path, output.as_deref(), has_right_size)? {
            self.progress.skipped(bytes);
            return Ok(Err(Done::Skipped));
        }
        check_is_not_newer(&self.args.files, path, output.as_deref()).with_context(cannot_decrypt)?;
        let target = self.outputs.target(path)?;
        let mut input = self.open(path, &target)?;
        let permissions = self.outputs.permissions(&input);

        // The keys, the header and the end of the payload are proven before the output is opened.
        let length = input.length();
        let mut encrypted = EncryptedInput::read(&mut input).with_context(cannot_decrypt)?;
        let unlocked = self.keyring.unlock(&encrypted.decryptor, &name).with_context(cannot_decrypt)?;
        let permit = self.cores.acquire(length);
        let proven = self.prove(&mut encrypted, &unlocked, &permit).with_context(cannot_decrypt);
        target.explain(proven, 0)?;
        // Sparse files, and files on compressing file systems, take less.
        if !self.args.sparse && self.args.range.is_none() {
            let fits = space::check(&target, length);
            fits.unwrap_or_else(|error| self.session.messages.warning(&one_line(&error)));
        }
        if self.args.files.dry_run {
            return Ok(Err(Done::planned(&target)));
        }

        let mut output = self.open_output(&target)?;
        let proof = self.args.files.rm.then(|| self.comparison(path.clone(), unlocked.clone(), length));
        let written = self.open_payload(&name, &mut encrypted, unlocked, &mut output, &permit);
        let written = target.explain(written.with_context(cannot_decrypt), output.released())?;
        drop(permit);
        self.session.note_device(&target, &output);

        let summary =
            self.session.messages.if_verbose(|| format!("decrypted {name} to {}: {written} bytes", target.name()));
        let done = Done::Written { output: target.typed().map(PathBuf::from), bytes: written, summary };
        let mut written = Written::new(target, output, &permissions)?.proven_by(proof);
        if self.args.files.rm {
            written = written.with(Durability::Required);
        }
        let source = input.into_source_file();
        let source_changed = source.has_changed();
        if source_changed {
            let kept = if self.args.files.rm { ", and it was not deleted" } else { "" };
            let warning = format!("{name} changed while it was being read; the bytes read were decrypted{kept}");
            self.session.messages.warning(&warning);
        }
        let source = (self.args.files.rm && !source_changed).then_some(source);
        Ok(Ok((written, Opened { source, source_changed, path: path.path.clone(), done })))
    }

    /// Compares an output on disk with its source, which is decrypted again.
    fn comparison(&self, path: InputPath, unlocked: Unlocked, length: Option<u64>) -> Proof<'_, ()> {
        Box::new(move |_, output| {
            let permit = self.cores.acquire(length);
            let mut source = Input::open(&path, Arc::new(Progress::none()))?;
            let mut source = EncryptedInput::read(&mut source)?;
            let compared = read_back::compare(output, &mut source, &unlocked, permit.threads);
            compared.with_context(|| format!("cannot decrypt {}", display_name(&path.path)))
        })
    }

    /// Deletes the source of a file that is committed, if `--rm` was given.
    fn finish(&self, committed: Result<()>, opened: Opened) -> Outcome {
        let Opened { source, source_changed, path, done } = opened;
        // The compared data is authentic: nobody without a key could have changed it unnoticed since then.
        let removal =
            committed.and_then(|()| source.map(|source| source.remove(None, &self.session.messages)).transpose());
        if removal.is_ok() {
            self.progress.done();
        }
        let source_changed = source_changed || matches!(removal, Ok(Some(Removal::Kept)));
        Outcome { input: Some(path), result: removal.map(|_| done), source_changed }
    }

    /// Opens an input, and checks everything that can be known before it is read.
    fn open(&self, path: &InputPath, target: &Target) -> Result<Input> {
        announce_typed(&path.path, &self.session.messages);
        let mut input = Input::open(path, self.progress.clone())?;
        target.check_is_not(input.id(), input.name())?;
        self.session.key_files.check_is_not_output(target)?;
        if self.args.files.rm {
            read_back::check_can_delete(&input, target)?;
            self.durable_folders.check(target)?;
            self.session.key_files.check_is_not_deleted(&input)?;
        }
        if self.args.files.rm || self.args.verify_first {
            input.keep_cached();
        }
        Ok(input)
    }

    /// Authenticates whatever must be authentic before the first byte is released.
    fn prove(&self, input: &mut EncryptedInput<'_>, unlocked: &Unlocked, permit: &Permit<'_>) -> Result<()> {
        let in_sequence = matches!(input.payload(), Source::Sequential(_));
        if in_sequence && self.args.verify_first {
            return misuse(
                "--verify-first reads the file twice, which pipes and armored files do not allow",
                "save it to a regular file, or leave out --verify-first and check the exit status",
            );
        }
        if in_sequence && self.args.range.is_some() {
            return misuse(
                "--range reads a part of the file, which pipes and armored files do not allow",
                "put it into a regular file, or decrypt all of it",
            );
        }
        self.progress.begin();
        input.check_end(unlocked)?;
        if self.args.verify_first {
            self.progress.expect_second_pass();
            unlocked.decrypt(input.payload(), Discard.sink(), permit.threads)?;
        }
        Ok(())
    }

    fn open_output(&self, target: &Target) -> Result<Output> {
        let mut output = target.open()?;
        if self.args.files.inputs.is_single() && !self.args.files.rm {
            self.session.confine(target.reachable_folder());
        } else {
            self.committer.expect(&output);
        }
        if self.args.sparse {
            output.leave_holes();
        }
        Ok(output)
    }

    /// Opens the payload, or the range of it that is asked for, and returns the bytes written.
    fn open_payload(
        &self,
        name: &str,
        input: &mut EncryptedInput<'_>,
        unlocked: Unlocked,
        output: &mut Output,
        permit: &Permit<'_>,
    ) -> Result<u64> {
        let payload = input.open(&unlocked)?;
        // Opening the payload may take hours, and needs only the payload key.
        drop(unlocked);
        let Some(range) = &self.args.range else {
            return Ok(payload.decrypt(output.sink(), permit.threads)?);
        };
        let end = payload.length();
        let written = payload.decrypt_range(range.0.clone(), output, permit.threads)?;
        if let Some(end) = end.filter(|end| range.0.start > *end) {
            let warning = format!("the range starts after the end of {name}, which holds {end} bytes");
            self.session.messages.warning(&warning);
        }
        Ok(written)
    }
}
