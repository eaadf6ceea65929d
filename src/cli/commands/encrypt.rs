//! `encrypt`: seal files or a stream to the recipients that the command line names.

use std::{num::NonZeroUsize, path::Path, sync::Arc};

use anyhow::{Context, Result};

use crate::{
    cli::{
        args::{Encrypt, Talk},
        batch::{self, Cores, Outputs},
        files::{
            input::{DASH, Input, name},
            naming::with_age,
            output::Output,
            read_back,
            receipt::{self, Receipt},
            target::{Terminal, must_not_be_closed},
            walk::{Aside, Named, Wanted, measure, names},
        },
        keys::{
            key_file::KeyFiles,
            plugins::Plugins,
            recipients::{Origin, Recipients, must_be_as_many, recipients},
        },
        platform,
        terminal::{
            messages::{Report, Status, misuse},
            progress::Progress,
            prompt::Prompt,
        },
    },
    crypto::{Encryptor, Recipient, Sink, armor::ArmorWriter},
};

pub(crate) fn encrypt(what: &Encrypt, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    let inputs = &what.files.inputs;
    let terminal = if what.armor { Terminal::Any } else { Terminal::Refuse };
    let mut outputs = Outputs::new(&what.files, terminal, |path| Some(with_age(path)));
    batch::check(&what.files, |input| outputs.plan_for(input))?;
    let reads_stdin = batch::reads_stdin(inputs);
    let prompt = Arc::new(Prompt::new(&what.answers, reads_stdin)?);
    let plugins = Plugins::new(what.plugins, prompt.clone(), report);
    let mut keys = KeyFiles::new(prompt.clone(), report, plugins, reads_stdin);
    let recipients = if what.passphrase {
        let passphrase = Recipient::passphrase(prompt.new_passphrase()?);
        Recipients { keys: vec![passphrase], origins: vec![Origin::flag("-p")] }
    } else {
        recipients(&mut keys, &what.recipients.0)?
    };
    if recipients.keys.is_empty() {
        return misuse(
            "missing recipients: there is nobody to encrypt to",
            "name a public key with -r, a file of them with -R or -i, or use a passphrase with -p",
        );
    }
    let receipt = what
        .receipt
        .as_deref()
        .map(|path| Receipt::new(path, &what.files, &keys, |input| outputs.plan_for(input)))
        .transpose()?;
    let aside = Aside::new(report);
    let names = outputs.spare(names(inputs, Wanted::Others, &aside)?);
    let progress = Arc::new(if outputs.show() {
        Progress::beside_output(talk)
    } else {
        Progress::of_many(talk, measure(inputs, Wanted::Others))
    });
    let cores = Cores::new(inputs.threads());
    let job = Job { what, report, keys, recipients, receipt: receipt.as_ref(), outputs, progress, cores };
    let mut lines = String::new();
    let settle = |done: Result<Encrypted>| {
        let removed = done.and_then(|Encrypted { said, line, removed }| {
            report.done(&said);
            lines.extend(line);
            removed
        });
        batch::reported(removed, report)
    };
    let tally = batch::all(names, inputs.threads(), |input| job.encrypt(input), settle);
    batch::warn_of_none(&tally, inputs, Wanted::Others, report);
    // Beside its sources, an output is no copy of their folder.
    if what.files.output_dir.is_some() {
        aside.warn();
    }
    receipt.map_or(Ok(()), |receipt| receipt.commit(&lines))?;
    Ok(tally.status())
}

/// A file whose output is there.
struct Encrypted {
    /// What was done.
    said: String,
    /// Its line of the receipt, if there is to be one.
    line: Option<String>,
    /// Whether its source could be deleted, if it was to be.
    removed: Result<()>,
}

/// What all files of a run share.
struct Job<'a> {
    what: &'a Encrypt,
    report: &'a Report,
    keys: KeyFiles<'a>,
    recipients: Recipients,
    receipt: Option<&'a Receipt>,
    outputs: Outputs<'a>,
    progress: Arc<Progress>,
    cores: Cores,
}

impl Job<'_> {
    /// Encrypts a file.
    fn encrypt(&self, input: &Named) -> Result<Encrypted> {
        let path = &input.path;
        let cannot_encrypt = || format!("cannot encrypt {}", name(path));
        let plan = self.outputs.plan(input)?;
        plan.must_not_be_closed()?;
        if path == Path::new(DASH) {
            must_not_be_closed(platform::stdin(), "standard input")?;
        }
        let mut input = Input::open(path, self.progress.clone())?;
        plan.must_differ_from(&input.handle, &input.name())?;
        self.keys.must_differ_from(&plan)?;
        if let Some(receipt) = self.receipt {
            receipt.must_differ_from(&input, &plan)?;
        }
        if self.what.files.rm {
            read_back::must_be_files(&input, &plan)?;
            self.keys.must_outlast(&input)?;
        }
        if self.what.check {
            read_back::must_be_file(&plan)?;
        }

        let encryptor = Encryptor::new(&self.recipients.keys).with_context(cannot_encrypt)?;
        let header = encryptor.header();
        let hint = "nothing was written; count the keys that -r, -R and -i name, each once";
        must_be_as_many(header.stanzas().len(), self.what.expect_recipients, hint).with_context(cannot_encrypt)?;
        let stanzas = self.receipt.map(|_| receipt::stanzas(&encryptor, &self.recipients));
        let share = self.cores.share(input.length());
        let mut output = plan.open()?;
        if self.receipt.is_some() {
            output.hash();
        }
        let folders = plan.folder().into_iter().chain(self.receipt.and_then(Receipt::folder));
        if batch::is_one(&self.what.files.inputs) && !self.what.files.rm {
            batch::confine(folders, self.report);
        }
        self.progress.begin();
        let written = self.seal(encryptor, &mut input, &mut output, share.threads).with_context(cannot_encrypt);
        let written = plan.after(written, output.seen())?;
        drop(share);
        if input.has_changed() {
            self.report.warning(&format!("{} changed while it was read; what was read is encrypted", input.name()));
        }
        let line = match stanzas {
            Some(stanzas) => Some(receipt::line(&plan, self.what.armor, &mut output, &stanzas)?),
            None => None,
        };
        plan.commit(output, self.outputs.mode(&input))?;
        let removed = if self.what.files.rm { input.remove(self.report) } else { Ok(()) };
        self.progress.done();
        let said = format!(
            "encrypted {} to {}: {written} bytes, recipients: {}",
            input.name(),
            plan.name(),
            self.recipients.keys.len()
        );
        Ok(Encrypted { said, line, removed })
    }

    /// Seals all of the input, reads it back if that is wanted, and returns how many bytes there are before armor.
    fn seal(&self, encryptor: Encryptor, input: &mut Input, output: &mut Output, threads: NonZeroUsize) -> Result<u64> {
        let check = self.what.check || self.what.files.rm;
        let expected = check.then(|| (encryptor.header().as_bytes().to_vec(), encryptor.unlocked()));
        let written = if self.what.armor {
            let mut armored = ArmorWriter::new(&mut *output);
            let written = encryptor.encrypt(input.source(0), Sink::Sequential(&mut armored), threads)?;
            armored.finish().context("cannot write the end of the armor")?;
            written
        } else {
            encryptor.encrypt(input.source(0), output.sink(), threads)?
        };
        if let Some((header, unlocked)) = expected {
            self.progress.read_back(&input.name());
            read_back::authenticate(output, &header, &unlocked, threads)?;
        }
        Ok(written)
    }
}
