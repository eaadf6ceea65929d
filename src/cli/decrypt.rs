//! `decrypt`: open files or a stream with identities.

use std::{cell::RefCell, io::BufRead, path::Path};

use anyhow::{Context, Result};

use crate::crypto::{
    Decryptor, Error, Identity, Source, Unlocked,
    armor::{ArmorReader, looks_armored},
};

use super::{
    args::{Decrypt, Talk},
    batch,
    input::{Input, name},
    keys::KeyFiles,
    output::{Plan, Terminal, without_age},
    prompt::Prompt,
    report::{Report, Status, misuse},
};

pub(crate) fn decrypt(what: &Decrypt, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    batch::check(&what.files, |path| plan(what, path))?;
    let prompt = Prompt::new(&what.answers)?;
    let mut keys = KeyFiles::new(&prompt, report, batch::reads_stdin(&what.files.files));
    let identities = keys.identities(&what.identity)?;
    let job = Job { what, talk, report, prompt: &prompt, keys, identities, passphrases: RefCell::default() };
    Ok(batch::each(&what.files.files, report, |path| job.decrypt(path)))
}

fn plan(what: &Decrypt, path: &Path) -> Result<Plan> {
    batch::plan(&what.files, path, Terminal::TextOnly, without_age)
}

/// What all files of a run share.
struct Job<'a> {
    what: &'a Decrypt,
    talk: &'a Talk,
    report: &'a Report,
    prompt: &'a Prompt,
    keys: KeyFiles<'a>,
    identities: Vec<Identity>,
    /// Passphrases that opened a file of this run; the next file may have the same.
    passphrases: RefCell<Vec<Identity>>,
}

impl Job<'_> {
    fn decrypt(&self, path: &Path) -> Result<()> {
        let cannot_decrypt = || format!("cannot decrypt {}", name(path));
        let plan = plan(self.what, path)?;
        let mut input = Input::open(path, self.talk)?;
        plan.must_differ_from(&input.handle, &input.name())?;
        self.keys.must_differ_from(&plan)?;

        // Keys and header are proven before the output is opened.
        let threads = self.what.files.threads();
        let beginning = input.reader.fill_buf().with_context(cannot_decrypt)?;
        let (opened, output) = if looks_armored(beginning) {
            let mut armor = ArmorReader::new(&mut input.reader);
            let decryptor = Decryptor::read(&mut armor).with_context(cannot_decrypt)?;
            let unlocked = self.unlock(&decryptor, path).with_context(cannot_decrypt)?;
            let mut output = plan.open()?;
            input.progress.begin();
            (unlocked.decrypt(Source::InTurn(&mut armor), output.sink(), threads), output)
        } else {
            let decryptor = Decryptor::read(&mut input.reader).with_context(cannot_decrypt)?;
            let unlocked = self.unlock(&decryptor, path).with_context(cannot_decrypt)?;
            let mut output = plan.open()?;
            input.progress.begin();
            let source = input.source(decryptor.header().as_bytes().len() as u64);
            (unlocked.decrypt(source, output.sink(), threads), output)
        };
        let written = plan.after(opened.with_context(cannot_decrypt), output.seen())?;
        plan.commit(output, input.mode())?;
        self.report.done(&format!("decrypted {} to {}: {written} bytes", input.name(), plan.name()));
        Ok(())
    }

    fn unlock(&self, decryptor: &Decryptor, path: &Path) -> Result<Unlocked> {
        if decryptor.header().is_passphrase() {
            return self.unlock_with_passphrase(decryptor, path);
        }
        if self.identities.is_empty() {
            return misuse(
                format!("missing identities: the file is for {}", decryptor.stanza_types().join(", ")),
                "name your identity file with -i",
            );
        }
        Ok(decryptor.unlock(&self.identities)?)
    }

    fn unlock_with_passphrase(&self, decryptor: &Decryptor, path: &Path) -> Result<Unlocked> {
        let mut known = self.passphrases.borrow_mut();
        for passphrase in known.iter() {
            match decryptor.unlock(std::slice::from_ref(passphrase)) {
                Err(Error::WrongPassphrase) => {}
                other => return Ok(other?),
            }
        }
        let passphrase = Identity::passphrase(self.prompt.passphrase(&name(path))?, self.what.max_work_factor);
        let unlocked = decryptor.unlock(std::slice::from_ref(&passphrase))?;
        known.push(passphrase);
        Ok(unlocked)
    }
}
