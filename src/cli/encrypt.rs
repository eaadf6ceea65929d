//! `encrypt`: seal files or a stream to the recipients that the command line names.

use std::{num::NonZeroUsize, path::Path, sync::Arc};

use anyhow::{Context, Result};

use crate::crypto::{Encryptor, Recipient, Sink, armor::ArmorWriter};

use super::{
    args::{Encrypt, Talk},
    batch,
    input::{Input, name},
    keys::KeyFiles,
    output::{Output, Plan, Terminal, with_age},
    plugins::Plugins,
    prompt::Prompt,
    receipt::{self, Receipt},
    recipients::{Origin, Recipients, must_be_as_many, recipients},
    report::{Report, Status, misuse},
};

pub(crate) fn encrypt(what: &Encrypt, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    batch::check(&what.files, |path| plan(what, path))?;
    let prompt = Arc::new(Prompt::new(&what.answers)?);
    let plugins = Plugins::new(what.plugins, prompt.clone(), report);
    let mut keys = KeyFiles::new(prompt.clone(), report, plugins, batch::reads_stdin(&what.files.files));
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
    let receipt = what.receipt.as_deref().map(|path| Receipt::new(path, &what.files, &keys, |path| plan(what, path)));
    let job = Job { what, talk, report, keys, recipients, receipt: receipt.transpose()? };
    let failed = batch::each(&what.files.files, report, |path| job.encrypt(path));
    job.receipt.map_or(Ok(()), Receipt::commit)?;
    Ok(failed)
}

fn plan(what: &Encrypt, path: &Path) -> Result<Plan> {
    let terminal = if what.armor { Terminal::Any } else { Terminal::Refuse };
    batch::plan(&what.files, path, terminal, |path| Some(with_age(path)))
}

/// What all files of a run share.
struct Job<'a> {
    what: &'a Encrypt,
    talk: &'a Talk,
    report: &'a Report,
    keys: KeyFiles<'a>,
    recipients: Recipients,
    receipt: Option<Receipt>,
}

impl Job<'_> {
    fn encrypt(&self, path: &Path) -> Result<()> {
        let cannot_encrypt = || format!("cannot encrypt {}", name(path));
        let plan = plan(self.what, path)?;
        let mut input = Input::open(path, self.talk)?;
        plan.must_differ_from(&input.handle, &input.name())?;
        self.keys.must_differ_from(&plan)?;

        let encryptor = Encryptor::new(&self.recipients.keys).with_context(cannot_encrypt)?;
        let header = encryptor.header();
        let hint = "nothing was written; count the keys that -r, -R and -i name, each once";
        must_be_as_many(header.stanzas().len(), self.what.expect_recipients, hint).with_context(cannot_encrypt)?;
        let stanzas = self.receipt.as_ref().map(|_| receipt::stanzas(&encryptor, &self.recipients));
        let mut output = plan.open()?;
        if self.receipt.is_some() {
            output.hash();
        }
        input.progress.begin();
        let written = seal(encryptor, self.what.armor, &mut input, &mut output, self.what.files.threads());
        let written = plan.after(written.with_context(cannot_encrypt), output.seen())?;
        if input.has_changed() {
            self.report.warning(&format!("{} changed while it was read; what was read is encrypted", input.name()));
        }
        let line = match stanzas {
            Some(stanzas) => Some(receipt::line(&plan, self.what.armor, &mut output, &stanzas)?),
            None => None,
        };
        plan.commit(output, input.mode())?;
        if let (Some(receipt), Some(line)) = (&self.receipt, line) {
            receipt.add(&line);
        }
        self.report.done(&format!(
            "encrypted {} to {}: {written} bytes, recipients: {}",
            input.name(),
            plan.name(),
            self.recipients.keys.len()
        ));
        Ok(())
    }
}

/// Seals all of the input, and returns how many bytes there are before armor.
fn seal(
    encryptor: Encryptor,
    armor: bool,
    input: &mut Input,
    output: &mut Output,
    threads: NonZeroUsize,
) -> Result<u64> {
    if !armor {
        return Ok(encryptor.encrypt(input.source(0), output.sink(), threads)?);
    }
    let mut armored = ArmorWriter::new(output);
    let written = encryptor.encrypt(input.source(0), Sink::InTurn(&mut armored), threads)?;
    armored.finish().context("cannot write the end of the armor")?;
    Ok(written)
}
