//! The outputs of a run: where each goes, and checks that none collides with another or with an input.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, Metadata},
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;

use crate::cli::{
    args::{DASH, FileArgs},
    files::{
        input::Input,
        naming::{Destination, InputPath, Naming, canonical, display_name, ends_in_age},
        pending::Overwrite,
        permissions::Permissions,
        target::{OnTerminal, Target},
        walk::{self, Inputs, check_stdin_is_named_once},
    },
    platform,
    terminal::{advice::advised, advice::misuse, errors::Misuse},
};

/// What becomes of an output that is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Replaced,
}

/// The outputs of a run.
pub(crate) struct Outputs<'a> {
    args: &'a FileArgs,
    naming: Naming<'a>,
    on_terminal: OnTerminal,
    /// The target for a single input, which is computed before anything else is done.
    single: Mutex<Option<Target>>,
    /// Names below the output folder that are taken: two inputs may map to the same name there.
    taken: Mutex<HashSet<PathBuf>>,
    /// With `-f`: the outputs so far, by canonical path. Through links, one file may be the output of two inputs.
    replaced: Mutex<HashSet<PathBuf>>,
    /// With `--update`: outputs that are there, by device and inode, and whether each stays or is replaced.
    existing: Mutex<HashMap<(u64, u64), Fate>>,
    /// Inputs, by canonical path, which must not be replaced before they are read.
    protected: HashSet<PathBuf>,
}

impl<'a> Outputs<'a> {
    /// Checks what can be checked from the command line alone. For a single input, computes its target.
    ///
    /// # Errors
    ///
    /// [`Misuse`]; those of [`Target`].
    pub(crate) fn new(args: &'a FileArgs, naming: Naming<'a>, on_terminal: OnTerminal) -> Result<Self> {
        let outputs = Self {
            args,
            naming,
            on_terminal,
            single: Mutex::default(),
            taken: Mutex::default(),
            replaced: Mutex::default(),
            existing: Mutex::default(),
            protected: HashSet::new(),
        };
        if (args.json || args.dry_run) && outputs.go_to_stdout() {
            return misuse(
                "--json and --dry-run print to standard output, where the output would go",
                "name a file for the output with -o FILE",
            );
        }
        if args.inputs.is_single() {
            let input = args.inputs.files.first().map_or(Path::new(DASH), PathBuf::as_path);
            let destination = outputs.destination(&InputPath::new(input.to_owned()))?;
            // An output that exists may be no error, or one that has an object.
            if !args.skip_existing && !args.json {
                *lock(&outputs.single) = Some(Target::of(&destination, outputs.overwrite(), on_terminal)?);
            }
            lock(&outputs.taken).clear();
            return Ok(outputs);
        }
        if args.output.is_some() || args.stdout && !naming.may_join() {
            return misuse(
                "several inputs cannot go to one output",
                "leave out -o and -c: each file gets its own output beside it",
            );
        }
        check_stdin_is_named_once(&args.inputs.files)?;
        Ok(outputs)
    }

    /// Protects all inputs of the run from being replaced. With `-f`, an output may have the name of an input that is still to
    /// be read, so all inputs are found first.
    pub(crate) fn protect(&mut self, inputs: Inputs) -> Inputs {
        if self.overwrite() != Overwrite::Replace || walk::yields_one(&inputs) {
            return inputs;
        }
        let inputs: Vec<_> = inputs.collect();
        let paths = inputs.iter().flatten().filter(|input| !input.is_stdin()).map(|input| &input.path);
        // Looking up a name takes longer than all else that is done for a file that stays as it is.
        let may_collide = self.naming.may_collide(paths.clone());
        let operands: HashSet<_> = self.args.inputs.files.iter().collect();
        let is_listed = self.args.inputs.files_from.is_some();
        let is_output = |path: &PathBuf| is_listed || operands.contains(path) || may_collide && ends_in_age(path);
        let paths = paths.filter(|path| is_output(path));
        self.protected = paths.filter_map(|path| fs::canonicalize(path).ok().or_else(|| canonical(path))).collect();
        Box::new(inputs.into_iter())
    }

    /// The permissions of the output for an input.
    pub(crate) fn permissions(&self, input: &Input) -> Permissions {
        if self.args.no_preserve { Permissions::Umask } else { input.permissions() }
    }

    /// Whether an output goes to the terminal.
    pub(crate) fn go_to_terminal(&self) -> bool {
        self.go_to_stdout() && io::stdout().is_terminal()
    }

    /// Whether an output goes to standard output.
    pub(crate) fn go_to_stdout(&self) -> bool {
        let FileArgs { output, output_dir, stdout, inputs, .. } = self.args;
        let is_dash = |path: &PathBuf| path == Path::new(DASH);
        let from_stdin = inputs.files_from.is_none() && inputs.files.iter().all(is_dash);
        *stdout || output.as_ref().map_or(from_stdin && output_dir.is_none(), is_dash)
    }

    /// The name of the output for an input. Called once for each input.
    ///
    /// # Errors
    ///
    /// [`Misuse`] if there is none, or if it is that of another input's output.
    pub(crate) fn destination(&self, input: &InputPath) -> Result<Destination> {
        let destination = self.naming.destination(input)?;
        if let Destination::InOutputDir { path, .. } = &destination {
            take(&self.taken, path.clone(), || display_name(path))?;
        }
        if self.args.skip() && destination.file().is_none() {
            return misuse(
                "--update and --skip-existing look for files that exist, and standard output is none",
                "name an input file, and leave out -c and '-'",
            );
        }
        Ok(destination)
    }

    /// Leaves an output as it is.
    ///
    /// # Errors
    ///
    /// [`Misuse`] if another input replaces it, by whatever name.
    pub(crate) fn keep(&self, output: &Metadata, path: &Path) -> Result<()> {
        self.settle(platform::file_number(output), Fate::Kept, || display_name(path))
    }

    fn settle(&self, number: Option<(u64, u64)>, fate: Fate, name: impl FnOnce() -> String) -> Result<()> {
        match number.map(|number| *lock(&self.existing).entry(number).or_insert(fate)) {
            Some(earlier) if earlier != fate => two_inputs(&name()),
            _ => Ok(()),
        }
    }

    /// The target at a destination. Called at most once for each input.
    ///
    /// # Errors
    ///
    /// [`Misuse`]; those of [`Target`].
    pub(crate) fn target(&self, destination: &Destination) -> Result<Target> {
        if let Some(target) = lock(&self.single).take() {
            return Ok(target);
        }
        let target = Target::of(destination, self.overwrite(), self.on_terminal)?;
        // Without -f, no existing file is touched.
        if self.overwrite() == Overwrite::Replace
            && let Some(path) = target.canonical()
        {
            if self.protected.contains(&path) {
                let message = format!("{} is to be both read and written", target.name());
                return Err(advised(Misuse::InputIsOutput(message), "give the outputs a folder of their own with -O"));
            }
            take(&self.replaced, path, || target.name())?;
            let existing = target.existing().and_then(|existing| platform::file_number(existing.metadata()));
            self.settle(existing, Fate::Replaced, || target.name())?;
        }
        Ok(target)
    }

    /// Whether `other` is the output for an input, as far as can be told before the work begins.
    pub(crate) fn include(&self, other: &Target, input: &Path) -> bool {
        if let Some(target) = &*lock(&self.single) {
            return target.is_same(other);
        }
        let destination = self.naming.destination(&InputPath::new(input.to_owned()));
        let target = destination.and_then(|named| Target::of(&named, self.overwrite(), self.on_terminal));
        // An output that cannot be had is reported when its turn comes.
        target.is_ok_and(|target| target.is_same(other))
    }

    /// Descriptors that a file holds until it is committed: the output, what it replaces, and a source that will be deleted.
    pub(crate) fn descriptors(&self) -> usize {
        1 + usize::from(self.args.replace()) + usize::from(self.args.rm)
    }

    fn overwrite(&self) -> Overwrite {
        if self.args.replace() { Overwrite::Replace } else { Overwrite::Refuse }
    }
}

/// Takes a name, or refuses one that another input has taken.
fn take(taken: &Mutex<HashSet<PathBuf>>, output: PathBuf, name: impl FnOnce() -> String) -> Result<()> {
    if lock(taken).insert(output) { Ok(()) } else { two_inputs(&name()) }
}

fn two_inputs<T>(name: &str) -> Result<T> {
    misuse(
        format!("{name} would be the output of two inputs"),
        "give them different folders; --recursive and --files-from keep the folders of their files",
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
