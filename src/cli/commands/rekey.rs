//! `rekey`: give files a new set of recipients, each atomically in its place.

use std::{
    io::Write as _,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Error, Result, anyhow, bail};
use serde::Serialize;

use crate::{
    cli::{
        args::{Rekey, Talk},
        batch::{self, Cores},
        files::{
            encrypted_input::Sealed,
            input::{Input, name},
            output::Output,
            pending::Overwrite,
            permissions::Mode,
            read_back,
            target::{Plan, Terminal},
            walk::{Aside, Named, Wanted, measure, names},
        },
        keys::{
            key_file::KeyFiles,
            keyring::Identities,
            plugins::Plugins,
            recipients::{recipients, whether_of},
        },
        platform,
        terminal::{
            json,
            messages::{Report, Status, advised, in_words, misuse, status},
            progress::{Progress, aside},
            prompt::Prompt,
        },
    },
    crypto::{
        Decryptor, Encryptor, Header, Match, Recipient, Sink, Stanza, Unlocked, armor::ArmorWriter,
        stanza_type::is_grease,
    },
};

pub(crate) fn rekey(what: &Rekey, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    let reads_stdin = batch::reads_stdin(&what.inputs);
    if reads_stdin && what.inputs.files_from.is_none() {
        return misuse("rekey changes files in their place, and standard input has none", "name the files");
    }
    if what.recipients.0.is_empty() {
        return misuse("missing recipients: nobody is named", "name public keys with -r, or a file of them with -R");
    }
    if what.header_only && !what.add && !what.remove {
        return misuse(
            "--header-only keeps the stanzas that are there, which is no full set of new recipients",
            "say with --add or --remove how the set is to change",
        );
    }
    let prompt = Arc::new(Prompt::new(&what.answers, reads_stdin)?);
    let plugins = Plugins::new(what.plugins, prompt.clone(), report);
    let mut keys = KeyFiles::new(prompt, report, plugins, reads_stdin);
    let recipients = recipients(&mut keys, &what.recipients.0)?.keys;
    let identities = Identities::new(&mut keys, &what.identities)?;
    let names = names(&what.inputs, Wanted::Encrypted, &Aside::new(report))?;
    if what.header_only {
        report
            .warning("--header-only keeps the file key: who could open a file once still can, with a copy of its key");
    }
    let threads = what.inputs.threads();
    let progress = Arc::new(Progress::of_many(talk, measure(&what.inputs, Wanted::Encrypted)));
    let job = Job { what, report, keys, recipients, identities, progress, cores: Cores::new(threads) };

    let mut stdout = Plan::stdout(Terminal::Any)?.open()?;
    let settle = |done: Result<(PathBuf, Result<Vec<String>>)>| {
        let (path, done) = match done {
            Ok(done) => done,
            Err(error) => return batch::reported(Err(error), report),
        };
        let failed = done.as_ref().err().map(status);
        if failed.is_none() {
            report.done(&format!("gave {} new recipients", name(&path)));
        }
        if what.json {
            let record = json::line(&Record::new(json::path(&path), &done));
            let written = aside(|| stdout.write_all(record.as_bytes())).context("cannot write to standard output");
            return batch::reported(written, report).or(failed);
        }
        batch::reported(done.map(drop), report)
    };
    let work = |input: &Named| {
        let done = job.rekey(&input.path);
        job.progress.done();
        Ok((input.path.clone(), done))
    };
    let tally = batch::all(names, threads, work, settle);
    batch::warn_of_none(&tally, &what.inputs, Wanted::Encrypted, report);
    Ok(tally.status())
}

/// What became of a file, for programs.
#[derive(Serialize)]
struct Record {
    file: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stanza_types: Option<Vec<String>>,
    /// The exit status that this alone would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Record {
    fn new(file: String, done: &Result<Vec<String>>) -> Self {
        let error = done.as_ref().err();
        Self {
            file,
            ok: error.is_none(),
            stanza_types: done.as_ref().ok().cloned(),
            status: error.map(|error| status(error) as u8),
            error: error.map(in_words),
        }
    }
}

/// What all files of a run share.
struct Job<'a> {
    what: &'a Rekey,
    report: &'a Report,
    keys: KeyFiles<'a>,
    recipients: Vec<Recipient>,
    identities: Identities,
    progress: Arc<Progress>,
    cores: Cores,
}

impl Job<'_> {
    /// Puts a new file in the place of an old one, and returns the types of its stanzas.
    fn rekey(&self, path: &Path) -> Result<Vec<String>> {
        let cannot_rekey = || format!("cannot rekey {}", name(path));
        let mut input = Input::open(path, self.progress.clone())?;
        let plan = Plan::path(path, Overwrite::Replace)?;
        let (Some(model), Plan::File { .. }) = (input.model().cloned(), &plan) else {
            return misuse(format!("{} is no regular file, and only such can be replaced", name(path)), "name files");
        };
        let mode = Mode::Like { model: &model, access_list: platform::has_access_list(path) };
        self.keys.must_differ_from(&plan)?;
        let length = input.length();
        let mut sealed = Sealed::read(&mut input).with_context(cannot_rekey)?;
        let unlocked = self.identities.unlock(&sealed.decryptor, &name(path)).with_context(cannot_rekey)?;

        let share = self.cores.share(length);
        // A file that was cut off is found out before any work.
        let change = sealed.check_end(&unlocked).and_then(|()| self.change(&sealed.decryptor, &unlocked));
        let change = plan.after(change.with_context(cannot_rekey), 0)?;
        let types = change.header().stanzas().iter().map(|stanza| stanza.tag.clone()).collect();
        let mut output = plan.open()?;
        self.progress.begin();
        let written = self.write(change, &mut sealed, &unlocked, &mut output, share.threads);
        plan.after(written.with_context(cannot_rekey), 0)?;
        drop(share);
        // Whoever put another file there meanwhile would lose that.
        if input.has_changed() || !input.is_still_named() {
            let changed = Err(anyhow!("it changed while it was read")).with_context(cannot_rekey);
            return plan.after(changed, 0);
        }
        let had_other_names = input.had_other_names();
        // Windows replaces no file that is open.
        drop(input);
        plan.commit(output, mode)?;
        if had_other_names {
            self.report.warning(&format!(
                "{} has other names (hard links), and they keep the old file with its recipients",
                name(path)
            ));
        }
        Ok(types)
    }

    /// What the new file begins with.
    fn change(&self, decryptor: &Decryptor, unlocked: &Unlocked) -> Result<Change> {
        if !self.what.add && !self.what.remove {
            return Ok(Change::All(Encryptor::new(&self.recipients)?));
        }
        let stanzas = decryptor.header().stanzas();
        let owners = self.identities.owners(decryptor);
        let (kept, added) = if self.what.add { self.additions(stanzas, &owners) } else { self.rest(stanzas, &owners)? };
        if self.what.header_only {
            return Ok(Change::Header(unlocked.rewrap(kept.iter().map(|index| &stanzas[*index]), added)?));
        }
        let known = kept.iter().filter(|index| !is_grease(&stanzas[**index].tag)).map(|index| {
            owners[*index].as_ref().ok_or_else(|| self.with_a_way_out(not_known(*index, &stanzas[*index])))
        });
        let known = known.collect::<Result<Vec<_>>>()?;
        Ok(Change::All(Encryptor::new(known.into_iter().chain(added))?))
    }

    /// All stanzas, and who is named and has none yet.
    fn additions(&self, stanzas: &[Stanza], owners: &[Option<Recipient>]) -> (Vec<usize>, Vec<&Recipient>) {
        let is_new = |recipient: &&Recipient| {
            let Some(index) = (0..stanzas.len()).find(|&at| is_of(recipient, &stanzas[at], owners[at].as_ref())) else {
                return true;
            };
            self.report.warning(&match owners[index] {
                Some(_) => format!("{recipient} can open the file already"),
                None => format!("stanza {} names {recipient} already; whether it opens cannot be told", index + 1),
            });
            false
        };
        ((0..stanzas.len()).collect(), self.recipients.iter().filter(is_new).collect())
    }

    /// The stanzas that are of nobody who is named.
    fn rest(&self, stanzas: &[Stanza], owners: &[Option<Recipient>]) -> Result<(Vec<usize>, Vec<&Recipient>)> {
        let mut kept: Vec<_> = (0..stanzas.len()).collect();
        for recipient in &self.recipients {
            let before = kept.len();
            kept.retain(|index| !is_of(recipient, &stanzas[*index], owners[*index].as_ref()));
            if kept.len() == before {
                return Err(self.with_a_way_out(anyhow!("no stanza can be told to be that of {recipient}")));
            }
        }
        if kept.iter().all(|index| is_grease(&stanzas[*index].tag)) {
            bail!("nobody would be left who can open it");
        }
        Ok((kept, Vec::new()))
    }

    fn with_a_way_out(&self, error: Error) -> Error {
        let ways =
            "name all who are to stay with -r and -R, without --add and --remove; or give their identities with -i";
        // That the file key stays is no way out for who has taken it.
        let more = if self.what.header_only { "" } else { "; or keep the file key with --header-only" };
        advised(error, format!("{ways}{more}"))
    }

    /// Writes the new file, and reads it back if that is wanted.
    fn write(
        &self,
        change: Change,
        sealed: &mut Sealed<'_>,
        unlocked: &Unlocked,
        output: &mut Output,
        threads: NonZeroUsize,
    ) -> Result<()> {
        let header = change.header().as_bytes().to_vec();
        let encryptor = match change {
            Change::All(encryptor) => encryptor,
            Change::Header(_) => {
                sealed.copy(&header, output)?;
                return self.check(output, &header, unlocked, threads);
            }
        };
        let new = encryptor.unlocked();
        if sealed.is_armored() {
            let mut armor = ArmorWriter::new(&mut *output);
            encryptor.reencrypt(unlocked.payload(sealed.payload())?, Sink::Sequential(&mut armor), threads)?;
            armor.finish().context("cannot write the end of the armor")?;
        } else {
            encryptor.reencrypt(unlocked.payload(sealed.payload())?, output.sink(), threads)?;
        }
        self.check(output, &header, &new, threads)
    }

    fn check(&self, output: &Output, header: &[u8], unlocked: &Unlocked, threads: NonZeroUsize) -> Result<()> {
        if self.what.check { read_back::authenticate(output, header, unlocked, threads) } else { Ok(()) }
    }
}

/// How a file changes.
enum Change {
    /// All of it is encrypted anew.
    All(Encryptor),
    /// It gets another header, under the same file key.
    Header(Header),
}

impl Change {
    fn header(&self) -> &Header {
        match self {
            Self::All(encryptor) => encryptor.header(),
            Self::Header(header) => header,
        }
    }
}

/// Whether a stanza can be told to be that of a recipient. `owner` is whose it is, where that is known.
fn is_of(recipient: &Recipient, stanza: &Stanza, owner: Option<&Recipient>) -> bool {
    whether_of(recipient, stanza, owner) == Match::Yes
}

fn not_known(index: usize, stanza: &Stanza) -> Error {
    anyhow!(
        "whose stanza {} is cannot be told ({}), so a fresh file key cannot be wrapped to them",
        index + 1,
        stanza.tag
    )
}
