//! `decrypt`: open files or a stream with identities.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::{
    cli::{
        args::{Decrypt, Talk},
        batch::{self, Cores, Outputs, Share},
        files::{
            encrypted_input::Sealed,
            input::{Input, name},
            naming::without_age,
            output::Output,
            read_back::{self, Nowhere},
            target::Terminal,
            walk::{Aside, Named, Wanted, measure, names},
        },
        keys::{key_file::KeyFiles, keyring::Identities, plugins::Plugins},
        terminal::{
            messages::{Report, Status, misuse},
            progress::{Progress, Total},
            prompt::Prompt,
        },
    },
    crypto::{Source, Unlocked},
};

pub(crate) fn decrypt(what: &Decrypt, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    let inputs = &what.files.inputs;
    let mut outputs = Outputs::new(&what.files, Terminal::TextOnly, without_age);
    batch::check(&what.files, |input| outputs.plan_for(input))?;
    let reads_stdin = batch::reads_stdin(inputs);
    let prompt = Arc::new(Prompt::new(&what.answers, reads_stdin)?);
    let plugins = Plugins::new(what.plugins.into(), prompt.clone(), report);
    let mut keys = KeyFiles::new(prompt, report, plugins, reads_stdin);
    let identities = Identities::new(&mut keys, &what.identities)?;
    let names = outputs.spare(names(inputs, Wanted::Encrypted, &Aside::new(report))?);
    let (once, passes) = (measure(inputs, Wanted::Encrypted), if what.verify_first { 2 } else { 1 });
    let total = move || once().map(|total| Total { bytes: total.bytes * passes, ..total });
    let progress =
        Arc::new(if outputs.show() { Progress::beside_output(talk) } else { Progress::of_many(talk, total) });
    let job = Job { what, report, keys, identities, outputs, progress, cores: Cores::new(inputs.threads()) };
    let settle = |done: Result<String>| batch::reported(done.map(|said| report.done(&said)), report);
    let tally = batch::all(names, inputs.threads(), |input| job.decrypt(input), settle);
    batch::warn_of_none(&tally, inputs, Wanted::Encrypted, report);
    Ok(tally.status())
}

/// What all files of a run share.
struct Job<'a> {
    what: &'a Decrypt,
    report: &'a Report,
    keys: KeyFiles<'a>,
    identities: Identities,
    outputs: Outputs<'a>,
    progress: Arc<Progress>,
    cores: Cores,
}

impl Job<'_> {
    /// Decrypts a file, and says what was done.
    fn decrypt(&self, input: &Named) -> Result<String> {
        let path = &input.path;
        let cannot_decrypt = || format!("cannot decrypt {}", name(path));
        let plan = self.outputs.plan(input)?;
        let mut input = Input::open(path, self.progress.clone())?;
        plan.must_differ_from(&input.handle, &input.name())?;
        self.keys.must_differ_from(&plan)?;
        if self.what.files.rm {
            read_back::must_be_files(&input, &plan)?;
            self.keys.must_outlast(&input)?;
        }

        // Keys and header are proven before the output is opened, and the payload's end too.
        let length = input.length();
        let mut sealed = Sealed::read(&mut input).with_context(cannot_decrypt)?;
        let unlocked = self.identities.unlock(&sealed.decryptor, &name(path)).with_context(cannot_decrypt)?;
        let share = self.cores.share(length);
        let proven = self.prove(&mut sealed, &unlocked, &share).with_context(cannot_decrypt);
        plan.after(proven, 0)?;

        let mut output = plan.open()?;
        if batch::is_one(&self.what.files.inputs) && !self.what.files.rm {
            batch::confine(plan.folder(), self.report);
        }
        let again = self.what.files.rm.then(|| unlocked.clone());
        let written = self.open(&name(path), &mut sealed, unlocked, &mut output, &share).with_context(cannot_decrypt);
        let written = plan.after(written, output.seen())?;
        if let Some(unlocked) = again {
            let mut again = Input::open(path, Arc::new(Progress::none()))?;
            let compared = read_back::compare(&output, &mut Sealed::read(&mut again)?, &unlocked, share.threads);
            plan.after(compared.with_context(cannot_decrypt), 0)?;
        }
        drop(share);
        plan.commit(output, self.outputs.mode(&input))?;
        if self.what.files.rm {
            input.remove(self.report)?;
        }
        self.progress.done();
        Ok(format!("decrypted {} to {}: {written} bytes", input.name(), plan.name()))
    }

    /// Authenticates what is to be authentic before any of it is released.
    fn prove(&self, sealed: &mut Sealed<'_>, unlocked: &Unlocked, share: &Share<'_>) -> Result<()> {
        let in_turn = matches!(sealed.payload(), Source::Sequential(_));
        if in_turn && self.what.verify_first {
            return misuse(
                "--verify-first reads the file twice, which pipes and armored files do not allow",
                "put it into a regular file, or leave out --verify-first and heed the exit status",
            );
        }
        if in_turn && self.what.range.is_some() {
            return misuse(
                "--range reads a part of the file, which pipes and armored files do not allow",
                "put it into a regular file, or decrypt all of it",
            );
        }
        self.progress.begin();
        sealed.check_end(unlocked)?;
        if self.what.verify_first {
            self.progress.again();
            unlocked.decrypt(sealed.payload(), Nowhere.sink(), share.threads)?;
        }
        Ok(())
    }

    /// Opens what is asked for of the payload, and returns how many bytes that is.
    fn open(
        &self,
        file: &str,
        sealed: &mut Sealed<'_>,
        unlocked: Unlocked,
        output: &mut Output,
        share: &Share<'_>,
    ) -> Result<u64> {
        if self.what.sparse {
            output.leave_holes();
        }
        let payload = unlocked.payload(sealed.payload())?;
        // The payload may take hours, and its key opens nothing else.
        drop(unlocked);
        let Some(range) = &self.what.range else {
            return Ok(payload.decrypt(output.sink(), share.threads)?);
        };
        let end = payload.length();
        let written = payload.decrypt_range(range.0.clone(), output, share.threads)?;
        if let Some(end) = end.filter(|end| range.0.start > *end) {
            self.report.warning(&format!("the range begins behind the end: {file} holds {end} bytes"));
        }
        Ok(written)
    }
}
