//! `rekey`: give files a new set of recipients, each atomically in its place.

mod change;

use std::{io::Write as _, num::NonZeroUsize, path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    cli::{
        args::{self, Rekey},
        batch::{cores::Cores, encryptors::Encryptors, groups::groups, scheduler},
        commands::{
            rekey::change::{Change, Planner},
            session::Session,
        },
        files::{
            commit::{Proof, Written, commit_group},
            encrypted_input::EncryptedInput,
            input::Input,
            naming::{InputPath, display_name},
            output::Output,
            pending::Overwrite,
            permissions::Owner,
            read_back::{self, Discard},
            target::{OnTerminal, Place, Target},
            walk::{self, Inputs, Selection, Skipped},
        },
        keys::{keyring::Keyring, recipients::Recipients},
        platform::Links,
        terminal::{
            advice::misuse,
            exit_status::ExitStatus,
            json,
            messages::one_line,
            progress::{Progress, hidden_while},
        },
    },
    crypto::{Recipient, Sink, Unlocked, armor::ArmorWriter},
};

/// Rekeys all inputs, and returns the status of a failure.
///
/// # Errors
///
/// Those that stop the command before it works on files.
pub(crate) fn rekey(args: &Rekey, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    let (request, inputs) = Request::new(args, messages)?;
    let Request { session, .. } = &request;
    let mut stdout = Target::stdout(OnTerminal::Anything)?.open()?;
    let report = |result: Result<Rekeyed>| {
        let Rekeyed { path, stanza_types } = match result {
            Ok(rekeyed) => rekeyed,
            Err(error) => return session.messages.failure(Err(error)),
        };
        let failure = stanza_types.as_ref().err().map(ExitStatus::of);
        if failure.is_none() {
            session.messages.verbose(&format!("gave {} new recipients", display_name(&path)));
        }
        if args.json {
            let record = json::line(&Record::new(json::path(&path), &stanza_types));
            let printed =
                hidden_while(|| stdout.write_all(record.as_bytes())).context("cannot write to standard output");
            return session.messages.failure(printed).or(failure);
        }
        session.messages.failure(stanza_types.map(drop))
    };
    let write = |input: Result<InputPath>| {
        let input = input.map_err(Err)?;
        request.write(&input).map_err(|error| {
            request.progress.done();
            Ok(Rekeyed { path: input.path, stanza_types: Err(error) })
        })
    };
    let asks_plugins = request.keyring.may_ask_plugins() || request.recipients.iter().any(Recipient::is_external);
    let inputs = groups(inputs, asks_plugins && walk::are_known(&args.inputs), |files| {
        request.encryptors.announce(files.len());
        request.keyring.announce(files);
    });
    let tally = scheduler::run_in_groups(
        inputs,
        args.inputs.threads(),
        DESCRIPTORS,
        write,
        |group| commit_group(group, &session.messages, |committed, changed| Ok(request.finish(committed, changed))),
        report,
    );
    session.warn_if_nothing_found(&tally, &args.inputs, Selection::Encrypted);
    Ok(tally.status())
}

/// Descriptors that a file holds until it is committed: the new file, the old one, its name, its lock, and its folder.
const DESCRIPTORS: usize = 5;

/// A checked command line, shared by all files of the run.
struct Request<'a> {
    args: &'a Rekey,
    session: Session<'a>,
    recipients: Vec<Recipient>,
    encryptors: Encryptors,
    keyring: Keyring,
    progress: Arc<Progress>,
    cores: Cores,
}

/// What is known of a file that is written anew but not committed.
struct Changed {
    path: PathBuf,
    stanza_types: Vec<String>,
    has_hard_links: bool,
}

/// The result for a file.
struct Rekeyed {
    path: PathBuf,
    stanza_types: Result<Vec<String>>,
}

/// A result as JSON.
#[derive(Serialize)]
struct Record {
    file: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stanza_types: Option<Vec<String>>,
    /// The exit status that this file alone would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Record {
    fn new(file: String, stanza_types: &Result<Vec<String>>) -> Self {
        let error = stanza_types.as_ref().err();
        Self {
            file,
            ok: error.is_none(),
            stanza_types: stanza_types.as_ref().ok().cloned(),
            status: error.map(|error| ExitStatus::of(error) as u8),
            error: error.map(one_line),
        }
    }
}

impl<'a> Request<'a> {
    fn new(args: &'a Rekey, messages: &'a args::MessageArgs) -> Result<(Self, Inputs)> {
        let stdin_is_taken = walk::reads_stdin(&args.inputs);
        if stdin_is_taken && args.inputs.files_from.is_none() {
            return misuse("rekey changes files in their place, and standard input has none", "name the files");
        }
        if args.recipients.0.is_empty() {
            return misuse(
                "missing recipients: nobody is named",
                "name public keys with -r, or a file of them with -R",
            );
        }
        if args.header_only && !args.add && !args.remove {
            return misuse(
                "--header-only keeps the stanzas that are there, which is no full set of new recipients",
                "say with --add or --remove how the set is to change",
            );
        }
        let mut session = Session::new(messages, &args.passphrases, args.plugins, stdin_is_taken)?;
        let recipients = Recipients::to_encrypt_to(&mut session.key_files, &args.recipients.0)?.keys;
        let keyring = Keyring::new(&mut session.key_files, &args.identities)?;
        let inputs = walk::inputs(&args.inputs, Selection::Encrypted, &Skipped::new(&session.messages))?;
        let inputs = walk::once(inputs, &args.inputs, Links::Follow, &session.messages);
        if args.header_only {
            session.messages.warning(
                "--header-only keeps the file key: who could open a file once still can, with a copy of its key",
            );
        }
        let progress = session.progress_of_inputs(&args.inputs, Selection::Encrypted, 1);
        let cores = Cores::new(&args.inputs);
        let encryptors = Encryptors::default();
        Ok((Self { args, session, recipients, encryptors, keyring, progress, cores }, inputs))
    }

    /// Rekeys a file up to its commit.
    fn write(&self, path: &InputPath) -> Result<(Written<'_>, Changed)> {
        let name = display_name(&path.path);
        let cannot_rekey = || format!("cannot rekey {name}");
        let mut input = Input::open(path, self.progress.clone())?;
        let target = self.target(path, &input)?;
        let permissions = input.permissions(Owner::Rewritten);

        let length = input.length();
        let mut encrypted = EncryptedInput::read(&mut input).with_context(cannot_rekey)?;
        let unlocked = self.keyring.unlock(&encrypted.decryptor, &name).with_context(cannot_rekey)?;
        let permit = self.cores.acquire(length);
        // A file that was cut off is found before any work.
        let change =
            encrypted.check_end(&unlocked).and_then(|()| self.planner().decide(&encrypted.decryptor, &unlocked));
        let change = target.explain(change.with_context(cannot_rekey), 0)?;
        let stanza_types = change.header().stanzas().iter().map(|stanza| stanza.tag.clone()).collect();

        let mut output = target.open()?;
        if self.args.inputs.is_single() {
            self.session.confine(target.reachable_folder());
        }
        self.progress.begin();
        let proof = self.args.check.then(|| self.proof(&change, &unlocked, name.clone(), length));
        let written = self.change(change, &mut encrypted, &unlocked, &mut output, permit.threads);
        target.explain(written.with_context(cannot_rekey), 0)?;
        drop(permit);

        let source = input.into_source_file();
        let has_hard_links = source.has_hard_links();
        let written = Written::new(target, output, &permissions)?.proven_by(proof).replacing(source);
        Ok((written, Changed { path: path.path.clone(), stanza_types, has_hard_links }))
    }

    /// Says what committing a file could not change.
    fn finish(&self, committed: Result<()>, Changed { path, stanza_types, has_hard_links }: Changed) -> Rekeyed {
        self.progress.done();
        if committed.is_ok() && has_hard_links {
            let name = display_name(&path);
            let warning =
                format!("{name} has other names (hard links), and they keep the old file with its recipients");
            self.session.messages.warning(&warning);
        }
        Rekeyed { path, stanza_types: committed.map(|()| stanza_types) }
    }

    /// Reads an output back once it is on the disk.
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
            let message = format!("{name} is no regular file, and only such can be replaced");
            return misuse(message, "name files");
        }
        self.session.key_files.check_is_not_output(&target)?;
        Ok(target)
    }

    fn planner(&self) -> Planner<'_> {
        Planner {
            args: self.args,
            recipients: &self.recipients,
            encryptors: &self.encryptors,
            keyring: &self.keyring,
            messages: &self.session.messages,
        }
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
