//! One file or many: each is worked on beside the others, reported in its turn, and the end status says what all of it comes
//! to.

use std::{
    collections::HashSet,
    fs,
    io::{self, IsTerminal},
    num::NonZeroUsize,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::Result;

use crate::{
    cli::{
        args::{Files, Inputs},
        files::{
            input::{DASH, Input, is_stdin, name},
            pending::Overwrite,
            permissions::Mode,
            target::{Plan, Terminal, place},
            walk::{Named, Names, Wanted},
        },
        platform::sandbox,
        terminal::messages::{Report, Status, misuse, status},
    },
    crypto::{SEGMENT, parallel::sequencer::Sequencer},
};

/// Does `work` for each input on up to `threads` threads, and `settle`s what came of it in the order of the inputs: that
/// reports it, and says how it failed, if it did.
pub(crate) fn all<T>(
    inputs: impl Iterator<Item = Result<Named>> + Send,
    threads: NonZeroUsize,
    work: impl Fn(&Named) -> Result<T> + Sync,
    settle: impl FnMut(Result<T>) -> Option<Status> + Send,
) -> Tally {
    let one = inputs.size_hint().1 == Some(1);
    // Not asked once more when it has ended: a terminal or a pipe might then go on, with a number left out.
    let inputs = Mutex::new((0..).zip(inputs.fuse()));
    let reports = Sequencer::new((Tally::default(), settle));
    let pass = || {
        loop {
            let Some((number, input)) = lock(&inputs).next() else { break };
            let done = input.and_then(|input| work(&input));
            reports.run(number, |(tally, settle)| {
                tally.count(settle(done));
                ControlFlow::Continue(())
            });
        }
    };
    thread::scope(|scope| {
        for _ in 1..if one { 1 } else { threads.get() } {
            // Where the system gives no more threads, those that there are do the work.
            if thread::Builder::new().spawn_scoped(scope, pass).is_err() {
                break;
            }
        }
        pass();
    });
    reports.into_inner().0
}

/// Does `work` for each input, one after the other, and reports what fails.
pub(crate) fn each(files: &[PathBuf], report: &Report, mut work: impl FnMut(&Path) -> Result<()>) -> Option<Status> {
    let stdin = [PathBuf::from(DASH)];
    let mut tally = Tally::default();
    for file in if files.is_empty() { &stdin } else { files } {
        tally.count(reported(work(file), report));
    }
    tally.status()
}

/// Says so if a walk through folders has found nothing to do, of which a mistyped name may be the reason.
pub(crate) fn warn_of_none(tally: &Tally, inputs: &Inputs, wanted: Wanted, report: &Report) {
    if tally.files == 0 && inputs.recursive {
        report.warning(match wanted {
            Wanted::Encrypted => "nothing was done: no file was found whose name ends in .age",
            Wanted::Others => "nothing was done: no file was found but those whose names end in .age",
        });
    }
}

/// Reports what failed, if it did, and says how.
pub(crate) fn reported(done: Result<()>, report: &Report) -> Option<Status> {
    let error = done.err()?;
    report.error(&error);
    Some(status(&error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many files there were, and how they failed.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) files: u64,
    failed: u64,
    /// How the first one failed.
    first: Option<Status>,
    /// Whether another failed in another way.
    differ: bool,
}

impl Tally {
    fn count(&mut self, failed: Option<Status>) {
        self.files += 1;
        if let Some(status) = failed {
            self.failed += 1;
            self.differ |= *self.first.get_or_insert(status) != status;
        }
    }

    /// None if all went well. If all failed alike, that status; else the one that says some failed.
    pub(crate) fn status(&self) -> Option<Status> {
        let first = self.first?;
        Some(if self.failed == self.files && !self.differ { first } else { Status::SomeFailed })
    }
}

/// Who may use how many threads: small files one each, beside one large one at a time that uses all.
pub(crate) struct Cores {
    threads: NonZeroUsize,
    large: Mutex<()>,
}

/// The right to use that many threads for a file.
pub(crate) struct Share<'a> {
    pub(crate) threads: NonZeroUsize,
    _large: Option<MutexGuard<'a, ()>>,
}

impl Cores {
    pub(crate) fn new(threads: NonZeroUsize) -> Self {
        Self { threads, large: Mutex::new(()) }
    }

    /// Waits until a file of this length may be worked on.
    pub(crate) fn share(&self, length: Option<u64>) -> Share<'_> {
        // A file of one segment has work for one thread only.
        if length.is_some_and(|length| length <= SEGMENT as u64) {
            return Share { threads: NonZeroUsize::MIN, _large: None };
        }
        Share { threads: self.threads, _large: Some(lock(&self.large)) }
    }
}

/// Checks what can be said of the command line before anything is read or asked; for a single input, its output too.
pub(crate) fn check(files: &Files, plan: impl Fn(&Named) -> Result<Plan>) -> Result<()> {
    let to_one_output = files.output.is_some() || files.stdout;
    let inputs = &files.inputs;
    if !is_one(inputs) {
        if to_one_output {
            return misuse(
                "several inputs cannot go to one output",
                "leave out -o and -c: each file gets its own output beside it",
            );
        }
        return name_stdin_once(&inputs.files);
    }
    let input = inputs.files.first().map_or(Path::new(DASH), PathBuf::as_path);
    plan(&Named::new(input.to_owned())).map(drop)
}

/// Whether there is a single input.
pub(crate) fn is_one(inputs: &Inputs) -> bool {
    !inputs.recursive && inputs.files_from.is_none() && inputs.files.len() <= 1
}

/// Refuses inputs of which one is standard input once more, of which nothing would be left.
pub(crate) fn name_stdin_once(files: &[PathBuf]) -> Result<()> {
    if files.iter().filter(|file| **file == Path::new(DASH)).count() > 1 {
        return misuse("standard input is named more than once", "name it once");
    }
    Ok(())
}

/// With the only input and its output open, and the keys read, there is no more to open, and so nothing more can be. Of
/// several files, the others are still to come; one that is to be deleted is opened once more.
///
/// In `folders`, outputs are still to get their names.
pub(crate) fn confine<'a>(folders: impl IntoIterator<Item = &'a Path>, report: &Report) {
    if let Err(missing) = sandbox::once_all_is_open(folders) {
        report.done(&format!("other files cannot be closed off here: {missing}"));
    }
}

/// Whether standard input carries data, or names.
pub(crate) fn reads_stdin(inputs: &Inputs) -> bool {
    match &inputs.files_from {
        Some(list) => is_stdin(list),
        None => inputs.files.is_empty() || inputs.files.iter().any(|file| is_stdin(file)),
    }
}

/// Where the outputs of a run go.
pub(crate) struct Outputs<'a> {
    files: &'a Files,
    terminal: Terminal,
    /// Makes an output's name from an input's. None if it cannot.
    derive: fn(&Path) -> Option<PathBuf>,
    /// Those in the folder that all of them go to: there, two may have one name.
    taken: Mutex<HashSet<PathBuf>>,
    /// The files that are replaced, whatever name leads to them: through links, one may be the output of two inputs.
    replaced: Mutex<HashSet<PathBuf>>,
    /// The inputs, where outputs may replace files: what is still to be read must not be replaced.
    spared: HashSet<PathBuf>,
}

impl<'a> Outputs<'a> {
    pub(crate) fn new(files: &'a Files, terminal: Terminal, derive: fn(&Path) -> Option<PathBuf>) -> Self {
        let (taken, replaced) = (Mutex::default(), Mutex::default());
        Self { files, terminal, derive, taken, replaced, spared: HashSet::new() }
    }

    /// With -f, an output may replace a file that is an input still to be read: so all inputs are found out first, and
    /// none of them is replaced.
    pub(crate) fn spare(&mut self, inputs: Names) -> Names {
        if self.overwrite() != Overwrite::Replace || inputs.size_hint().1 == Some(1) {
            return inputs;
        }
        let inputs: Vec<_> = inputs.collect();
        let named = inputs.iter().flatten().map(|input| &input.path).filter(|path| *path != Path::new(DASH));
        self.spared = named.filter_map(|path| fs::canonicalize(path).ok().or_else(|| place(path))).collect();
        Box::new(inputs.into_iter())
    }

    /// What the output for an input is like.
    pub(crate) fn mode<'i>(&self, input: &'i Input) -> Mode<'i> {
        if self.files.no_preserve { Mode::Umask } else { input.mode() }
    }

    /// Whether what is written shows on the terminal.
    pub(crate) fn show(&self) -> bool {
        let Files { output, output_dir, stdout, inputs, .. } = self.files;
        let dash = |path: &PathBuf| path == Path::new(DASH);
        let from_stdin = inputs.files_from.is_none() && inputs.files.iter().all(dash);
        let to_stdout = *stdout || output.as_ref().map_or(from_stdin && output_dir.is_none(), dash);
        to_stdout && io::stdout().is_terminal()
    }

    /// Where the output for an input goes, which is asked once for each input.
    pub(crate) fn plan(&self, input: &Named) -> Result<Plan> {
        if let Some(path) = self.in_folder(input)? {
            take(&self.taken, path.clone(), &name(&path))?;
        }
        let plan = self.plan_for(input)?;
        // Without -f, a file that is there is left alone anyhow.
        if self.overwrite() == Overwrite::Replace
            && let Some(place) = plan.place()
        {
            if self.spared.contains(&place) {
                return misuse(
                    format!("{} is to be both read and written", plan.name()),
                    "give the outputs a folder of their own with -O",
                );
            }
            take(&self.replaced, place, &plan.name())?;
        }
        Ok(plan)
    }

    /// The same, without a look at other inputs.
    pub(crate) fn plan_for(&self, input: &Named) -> Result<Plan> {
        if let Some(output) = &self.files.output {
            return Plan::path(output, self.overwrite());
        }
        if let Some(path) = self.in_folder(input)? {
            return Plan::in_folder(&path, &input.path, self.overwrite());
        }
        if self.files.stdout || input.path == Path::new(DASH) {
            return Plan::stdout(self.terminal);
        }
        let output = self.derived(&input.path)?;
        // A file may be called that, which is not what it stands for here.
        let output = if output == Path::new(DASH) { Path::new(".").join(output) } else { output };
        Plan::path(&output, self.overwrite())
    }

    /// The output's name in the folder that all outputs go to, if there is one.
    fn in_folder(&self, input: &Named) -> Result<Option<PathBuf>> {
        let Some(folder) = &self.files.output_dir else { return Ok(None) };
        if input.path == Path::new(DASH) {
            return misuse("standard input has no name for an output in a folder", "name the output with -o FILE");
        }
        Ok(Some(folder.join(self.derived(&input.below)?)))
    }

    fn overwrite(&self) -> Overwrite {
        if self.files.force { Overwrite::Replace } else { Overwrite::Refuse }
    }

    fn derived(&self, input: &Path) -> Result<PathBuf> {
        match (self.derive)(input) {
            Some(output) => Ok(output),
            None => misuse(
                format!("{} does not end in '.age', so the name of its output is not known", name(input)),
                "name the output with -o FILE, or send it to standard output with -c",
            ),
        }
    }
}

/// Refuses an output that another input has already.
fn take(taken: &Mutex<HashSet<PathBuf>>, output: PathBuf, name: &str) -> Result<()> {
    if lock(taken).insert(output) {
        return Ok(());
    }
    misuse(
        format!("{name} would be the output of two inputs"),
        "give them different folders; --recursive, with the folder named and no list, keeps the tree",
    )
}
