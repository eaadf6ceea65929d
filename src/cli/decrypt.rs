//! `decrypt`: open files or a stream with identities.

use std::{io::BufRead, path::Path, sync::Arc};

use anyhow::{Context, Result};

use crate::crypto::{
    Decryptor, Source,
    armor::{ArmorReader, looks_armored},
};

use super::{
    args::{Decrypt, Talk},
    batch,
    identities::Identities,
    input::{Input, name},
    keys::KeyFiles,
    output::{Plan, Terminal, without_age},
    plugins::Plugins,
    prompt::Prompt,
    report::{Report, Status},
};

pub(crate) fn decrypt(what: &Decrypt, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    batch::check(&what.files, |path| plan(what, path))?;
    let prompt = Arc::new(Prompt::new(&what.answers)?);
    let plugins = Plugins::new(what.plugins.into(), prompt.clone(), report);
    let mut keys = KeyFiles::new(prompt, report, plugins, batch::reads_stdin(&what.files.files));
    let identities = Identities::new(&mut keys, &what.identities)?;
    let job = Job { what, talk, report, keys, identities };
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
    keys: KeyFiles<'a>,
    identities: Identities,
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
            let unlocked = self.identities.unlock(&decryptor, &name(path)).with_context(cannot_decrypt)?;
            let mut output = plan.open()?;
            batch::confine(&self.what.files.files, &plan, self.report);
            input.progress.begin();
            (unlocked.decrypt(Source::InTurn(&mut armor), output.sink(), threads), output)
        } else {
            let decryptor = Decryptor::read(&mut input.reader).with_context(cannot_decrypt)?;
            let unlocked = self.identities.unlock(&decryptor, &name(path)).with_context(cannot_decrypt)?;
            let mut output = plan.open()?;
            batch::confine(&self.what.files.files, &plan, self.report);
            input.progress.begin();
            let source = input.source(decryptor.header().as_bytes().len() as u64);
            (unlocked.decrypt(source, output.sink(), threads), output)
        };
        let written = plan.after(opened.with_context(cannot_decrypt), output.seen())?;
        plan.commit(output, input.mode())?;
        self.report.done(&format!("decrypted {} to {}: {written} bytes", input.name(), plan.name()));
        Ok(())
    }
}
