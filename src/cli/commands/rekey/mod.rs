//! `rekey`: give files a new set of recipients, replacing each file atomically.

mod change;
mod new_recipients;
mod result;

use std::{io::Write as _, num::NonZeroUsize, path::PathBuf, sync::Arc};

use anyhow::{Context, Result};

use crate::{
    cli::{
        args::{self, Rekey},
        batch::{cores::Cores, encryptors::Encryptors, groups::groups, scheduler, summary::Summary},
        commands::{
            rekey::{
                change::{Change, Planner},
                new_recipients::NewRecipients,
                result::{Done, Rekeyed},
            },
            session::Session,
        },
        files::{
            commit::{Committer, Proof, Written},
            encrypted_input::EncryptedInput,
            input::{Input, check_single, check_some_exist},
            naming::{InputPath, display_name},
            output::Output,
            pending::Overwrite,
            permissions::Owner,
            read_back::{self, Discard},
            target::{OnTerminal, Place, Target},
            walk::{self, Inputs, Selection, Skipped},
        },
        keys::{keyring::Keyring, recipients::Named},
        platform::Links,
        terminal::{
            advice::misuse,
            exit_status::ExitStatus,
            json::{self, Failed},
            progress::{Progress, hidden_while},
        },
    },
    crypto::{Sink, Unlocked, armor::ArmorWriter},
};

/// Rekeys all inputs, and returns the status of a failure.
///
/// # Errors
///
/// Errors that stop the command before it processes files.
pub(crate) fn rekey(args: &Rekey, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    let (request, inputs) = Request::new(args, messages)?;
    let Request { session, .. } = &request;
    let mut stdout = Target::stdout(OnTerminal::Anything)?.open()?;
    let summary = Summary::new(&args.inputs, args.dry_run, &session.messages);
    let (mut rekeyed, mut unchanged, mut failed) = (0, 0, 0);
    let report = |result: Result<Rekeyed>| {
        match &result {
            Ok(Rekeyed { result: Ok(Done::PassedOver(_)), .. }) => unchanged += 1,
            Ok(Rekeyed { result: Ok(_), .. }) => rekeyed += 1,
            _ => failed += 1,
        }
        let (line, result) = match result {
            Ok(rekeyed) => {
                rekeyed.summary().iter().for_each(|summary| session.messages.verbose(summary));
                (rekeyed.line(args.json), rekeyed.result.map(drop))
            }
            Err(error) if args.json => (json::line(&Failed::new(None, &error)), Err(error)),
            Err(error) => (String::new(), Err(error)),
        };
        let printed = hidden_while(|| stdout.write_all(line.as_bytes())).context("cannot write to standard output");
        // The JSON object contains it.
        let failure = match result {
            Err(error) if args.json => Some(ExitStatus::of(&error)),
            result => session.messages.failure(result),
        };
        session.messages.failure(printed).or(failure)
    };
    let write = |input: Result<InputPath>| {
        let input = input.map_err(Err)?;
        let not_written = |result| {
            request.progress.done();
            Ok(Rekeyed { path: input.path.clone(), result })
        };
        request.write(&input).map_err(|error| not_written(Err(error)))?.map_err(|done| not_written(Ok(done)))
    };
    let asks_plugins = request.keyring.may_ask_plugins() || request.recipients.may_ask_plugins();
    let inputs = groups(inputs, asks_plugins && walk::are_known(&args.inputs), |files| {
        request.encryptors.announce(files.len());
        request.keyring.announce(files);
    });
    let tally = scheduler::run_in_groups(
        inputs,
        args.inputs.threads(),
        DESCRIPTORS,
        write,
        |group| request.committer.commit(group, |committed, changed| Ok(request.finish(committed, changed))),
        report,
    );
    session.warn_if_nothing_found(&tally, &args.inputs, Selection::Encrypted);
    summary.print(&[(rekeyed, "rekeyed"), (unchanged, "unchanged"), (failed, "failed")], None);
    Ok(tally.status())
}

/// Descriptors that a file holds until it is committed: the new file, the old one, its name, its lock, and its folder.
const DESCRIPTORS: usize = 5;

/// The checked command line, shared by all files of the run.
struct Request<'a> {
    args: &'a Rekey,
    session: Session<'a>,
    recipients: NewRecipients<'a>,
    encryptors: Encryptors,
    keyring: Keyring,
    committer: Committer,
    progress: Arc<Progress>,
    cores: Cores,
}

/// Results for a file that is rewritten but not committed.
struct Changed {
    path: PathBuf,
    stanza_types: Vec<String>,
    has_hard_links: bool,
}

impl<'a> Request<'a> {
    fn new(args: &'a Rekey, messages: &'a args::MessageArgs) -> Result<(Self, Inputs)> {
        let stdin_is_taken = walk::reads_stdin(&args.inputs);
        if stdin_is_taken && args.inputs.files_from.is_none() {
            return misuse("rekey changes files in place, which standard input does not allow", "name the files");
        }
        if args.recipients.0.is_empty() && !args.passphrase {
            return misuse(
                "missing recipients: nobody is named",
                "name public keys with -r, or a file of them with -R, or use a new passphrase with -p",
            );
        }
        if args.new_passphrases.is_named() && !args.passphrase {
            return misuse("--new-passphrase-* is only for setting a new passphrase", "add -p");
        }
        if args.header_only && !args.add && !args.remove {
            return misuse(
                "--header-only keeps the existing stanzas, so it cannot give a file a whole new set of recipients",
                "change the set with --add or --remove",
            );
        }
        let mut session = Session::new(messages, &args.passphrases, args.plugins, stdin_is_taken)?;
        let named = Named::read(&mut session.key_files, &args.recipients.0)?;
        let keyring = Keyring::new(&mut session.key_files, &args.identities)?;
        let inputs = walk::inputs(&args.inputs, Selection::Encrypted, &Skipped::new(&session.messages, None))?;
        let inputs = walk::once(inputs, &args.inputs, Links::Follow, &session.messages);
        check_single(&args.inputs, args.json)?;
        if !args.json {
            check_some_exist(&args.inputs, &session.messages)?;
        }
        let recipients = NewRecipients::new(args, &mut session.key_files, named, stdin_is_taken)?;
        if args.header_only {
            session.messages.warning(
                "--header-only keeps the file key: anyone who could open the file still can, if they kept a copy of that key",
            );
        }
        let progress = session.progress_of_inputs(&args.inputs, Selection::Encrypted, Some(Links::Follow), 1);
        let cores = Cores::new(&args.inputs);
        let encryptors = Encryptors::default();
        let committer = Committer::new(&session.messages);
        Ok((Self { args, session, recipients, encryptors, keyring, committer, progress, cores }, inputs))
    }

    /// Rekeys a file up to its commit. Returns [`Done`] for a file that is not to be written.
    fn write(&self, path: &InputPath) -> Result<Result<(Written<'_>, Changed), Done>> {
        let name = display_name(&path.path);
        let cannot_rekey = || format!("cannot rekey {name}");
        let mut input = Input::open(path, self.progress.clone())?;
        let target = self.target(path, &input)?;
        let permissions = input.permissions(Owner::Rewritten);

        let length = input.length();
        let mut encrypted = EncryptedInput::read(&mut input).with_context(cannot_rekey)?;
        let unlocked = self.keyring.unlock(&encrypted.decryptor, &name).with_context(cannot_rekey)?;
        let permit = self.cores.acquire(length);
        // This detects a truncated file before any work.
        let is_whole = encrypted.check_end(&unlocked);
        let planner = is_whole.and_then(|()| self.planner());
        let change = planner.and_then(|planner| planner.decide(&encrypted.decryptor, &unlocked));
        let Some(change) = target.explain(change.with_context(cannot_rekey), 0)? else {
            return Ok(Err(Done::PassedOver(encrypted.decryptor.stanza_types())));
        };
        let stanza_types = change.header().stanzas().iter().map(|stanza| stanza.tag.clone()).collect();
        if self.args.dry_run {
            return Ok(Err(Done::Planned(stanza_types)));
        }

        let mut output = target.open()?;
        if self.args.inputs.is_single() {
            self.session.confine(target.reachable_folder());
        } else {
            self.committer.expect(&output);
        }
        self.progress.begin();
        let proof = self.args.check.then(|| self.proof(&change, &unlocked, name.clone(), length));
        let written = self.change(change, &mut encrypted, &unlocked, &mut output, permit.threads);
        target.explain(written.with_context(cannot_rekey), 0)?;
        drop(permit);

        let source = input.into_source_file();
        let has_hard_links = source.has_hard_links();
        let written = Written::new(target, output, &permissions)?.proven_by(proof).replacing(source);
        Ok(Ok((written, Changed { path: path.path.clone(), stanza_types, has_hard_links })))
    }

    /// Reports what the commit of a file could not change.
    fn finish(&self, committed: Result<()>, Changed { path, stanza_types, has_hard_links }: Changed) -> Rekeyed {
        self.progress.done();
        if committed.is_ok() && has_hard_links {
            let name = display_name(&path);
            let warning =
                format!("{name} has other names (hard links), which still refer to the old file with its recipients");
            self.session.messages.warning(&warning);
        }
        Rekeyed { path, result: committed.map(|()| Done::Rekeyed(stanza_types)) }
    }

    /// Reads an output back once it is on disk.
    fn proof(&self, change: &Change, old: &Unlocked, name: String, length: Option<u64>) -> Proof<'_, ()> {
        let header = change.header().as_bytes().to_vec();
        let unlocked = match change {
            Change::Everything(encryptor) => encryptor.unlocked(),
            Change::Header(_) => old.clone(),
        };
        Box::new(move |_, output| {
            let permit = self.cores.acquire(length);
            let read_back = read_back::authenticate(output, &header, &unlocked, Discard.sink(), permit.threads);
            read_back.with_context(|| format!("cannot rekey {name}"))
        })
    }

    /// The file itself, as the output.
    fn target(&self, path: &InputPath, input: &Input) -> Result<Target> {
        let name = display_name(&path.path);
        let target = if path.was_found() {
            let place = Place::beside(path, path.path.clone());
            Target::file(&path.path, place.with_context(|| format!("cannot open {name}"))?, Overwrite::Replace)?
        } else {
            Target::path(&path.path, Overwrite::Replace)?
        };
        if !input.is_named_file() || !target.is_file() {
            let message = format!("{name} is not a regular file, so it cannot be rekeyed in place");
            return misuse(message, "name files");
        }
        self.session.key_files.check_is_not_output(&target)?;
        Ok(target)
    }

    fn planner(&self) -> Result<Planner<'_>> {
        Ok(Planner {
            args: self.args,
            recipients: self.recipients.get()?,
            encryptors: &self.encryptors,
            keyring: &self.keyring,
            messages: &self.session.messages,
        })
    }

    /// Writes the new file.
    fn change(
        &self,
        change: Change,
        input: &mut EncryptedInput<'_>,
        unlocked: &Unlocked,
        output: &mut Output,
        threads: NonZeroUsize,
    ) -> Result<()> {
        let encryptor = match change {
            Change::Everything(encryptor) => encryptor,
            Change::Header(header) => return input.copy(header.as_bytes(), output),
        };
        if !input.is_armored() {
            encryptor.reencrypt(unlocked.payload(input.payload())?, output.sink(), threads)?;
            return Ok(());
        }
        let mut armor = ArmorWriter::new(output);
        encryptor.reencrypt(unlocked.payload(input.payload())?, Sink::Sequential(&mut armor), threads)?;
        armor.finish().map(drop).context("cannot write the end of the armor")
    }
}
