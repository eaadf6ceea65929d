//! The outputs of a run: their targets, and checks that none collides with another output or an input.

use std::{
    borrow::Borrow,
    collections::HashSet,
    fs::Metadata,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Error, Result};

use crate::cli::{
    args::{DASH, FileArgs},
    files::{
        input::{Input, check_exists},
        naming::{Destination, InputPath, Naming, canonical},
        pending::Overwrite,
        permissions::{Owner, Permissions},
        target::{FixedFileSet, OnTerminal, OutputFolder, Place, Taken, Target, two_inputs},
        walk::{self, Inputs, check_stdin_is_named_once},
    },
    platform::{self, FileId, Links},
    terminal::{
        advice::{advised, misuse},
        errors::Misuse,
        escape::quoted,
    },
};

/// The outputs of a run.
pub(crate) struct Outputs<'a> {
    args: &'a FileArgs,
    naming: Naming<'a>,
    on_terminal: OnTerminal,
    /// The owner of the outputs, if their sources are deleted.
    owner: Owner,
    /// The target for a single input, computed before anything else.
    single: Mutex<Option<Target>>,
    /// The folder of `-O`.
    folder: Option<Arc<OutputFolder>>,
    taken: Arc<Taken>,
    /// Looked up for the first target: an update that finds nothing to do needs none.
    protected: LazyLock<Protected, Box<dyn FnOnce() -> Protected + Send + 'a>>,
}

/// Inputs of the run, which must not be replaced before they are read.
#[derive(Default)]
struct Protected {
    files: FixedFileSet,
    /// Inputs that do not exist, by canonical path.
    missing: HashSet<PathBuf>,
}

impl<'a> Outputs<'a> {
    /// Checks what can be checked from the command line alone. For a single input, computes its target.
    ///
    /// # Errors
    ///
    /// [`Misuse`]; those of [`Target`].
    pub(crate) fn new(args: &'a FileArgs, naming: Naming<'a>, on_terminal: OnTerminal, owner: Owner) -> Result<Self> {
        let outputs = Self {
            args,
            naming,
            on_terminal,
            owner: if args.rm { owner } else { Owner::New },
            single: Mutex::default(),
            folder: args.output_dir.as_deref().map(OutputFolder::new).map(Arc::new),
            taken: Arc::default(),
            protected: LazyLock::new(Box::new(Protected::default)),
        };
        if (args.json || args.dry_run) && args.all_to_stdout() {
            return misuse(
                "--json and --dry-run print to standard output, where the output would go",
                "name a file for the output with -o FILE",
            );
        }
        if args.inputs.is_single() {
            let input = args.inputs.files.first().map_or(Path::new(DASH), PathBuf::as_path);
            let input = InputPath::new(input.to_owned());
            outputs.name(&input)?;
            // An existing output may not be an error, or its error may belong in a JSON object.
            if !args.skip_existing && !args.json {
                *lock(&outputs.single) = Some(outputs.compute(&input)?);
            }
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
    /// be read, so all inputs are found before the first output.
    ///
    /// `again` finds them a second time: only the identities of files that can be found twice are kept.
    pub(crate) fn protect(&mut self, inputs: Inputs, again: impl FnOnce() -> Option<Inputs>) -> Inputs {
        if self.overwrite() != Overwrite::Replace || walk::yields_one(&inputs) {
            return inputs;
        }
        let (args, naming) = (self.args, self.naming);
        let known = if walk::are_known(&args.inputs) { again() } else { None };
        let (protected, inputs): (Box<dyn FnOnce() -> Protected + Send>, _) = match known {
            Some(again) => (Box::new(move || Protected::new(args, naming, again.flatten())), inputs),
            None => {
                let kept: Vec<_> = inputs.collect();
                let protected = Protected::new(args, naming, kept.iter().flatten());
                (Box::new(|| protected), Box::new(kept.into_iter()) as Inputs)
            }
        };
        self.protected = LazyLock::new(protected);
        inputs
    }

    /// The permissions of the output for an input.
    pub(crate) fn permissions(&self, input: &Input) -> Permissions {
        if self.args.no_preserve { Permissions::Umask } else { input.permissions(self.owner) }
    }

    /// Whether an output goes to the terminal.
    pub(crate) fn go_to_terminal(&self) -> bool {
        self.args.all_to_stdout() && io::stdout().is_terminal()
    }

    /// The name of the output for an input. `None` for standard output.
    ///
    /// # Errors
    ///
    /// [`Misuse`] if there is none.
    pub(crate) fn name(&self, input: &InputPath) -> Result<Option<PathBuf>> {
        if !self.args.update && !self.args.skip_existing {
            return Ok(None);
        }
        let name = match self.naming.destination(input)? {
            Destination::Stdout => None,
            Destination::Typed(path) => Some(path).filter(|path| path != Path::new(DASH)),
            Destination::Derived { path, .. } => Some(path),
            Destination::InOutputDir { below, .. } => self.folder.as_ref().map(|folder| folder.path().join(below)),
        };
        if name.is_none() {
            return misuse(
                "--update and --skip-existing look for existing files, and standard output is not one",
                "name an input file, and leave out -c and '-'",
            );
        }
        Ok(name)
    }

    /// Leaves an output as it is.
    ///
    /// # Errors
    ///
    /// [`Misuse`] if it is also another input's output.
    pub(crate) fn keep(&self, output: &Metadata, name: &Path) -> Result<()> {
        if self.taken.keep(name, platform::file_number(output)) { Ok(()) } else { two_inputs(name) }
    }

    /// The target of the output for an input. Called once for each input.
    ///
    /// # Errors
    ///
    /// [`Misuse`]; those of [`Target`]. A missing input takes precedence over faults of its output.
    pub(crate) fn target(&self, input: &InputPath) -> Result<Target> {
        if let Some(target) = lock(&self.single).take() {
            return Ok(target);
        }
        let target = self.compute(input)?;
        let Protected { files, missing } = &*self.protected;
        let is_missing =
            || !missing.is_empty() && target.canonical_if_new().is_some_and(|path| missing.contains(&path));
        let is_protected = target.replaces().is_some_and(|existing| files.contains(existing.id()));
        if is_protected || is_missing() {
            let message = format!("{} would be both read and written", target.name());
            return Err(advised(Misuse::InputIsOutput(message), "give the outputs a folder of their own with -O"));
        }
        target.claimed(&self.taken)
    }

    fn compute(&self, input: &InputPath) -> Result<Target> {
        let target = self.naming.destination(input).and_then(|destination| self.target_of(&destination));
        match (&target, input.is_stdin()) {
            (Err(_), false) => check_exists(&input.path).and(target),
            _ => target.map(Target::or_stdout),
        }
    }

    fn target_of(&self, destination: &Destination) -> Result<Target> {
        let overwrite = self.overwrite();
        match destination {
            Destination::Stdout => Target::stdout(self.on_terminal),
            Destination::Typed(path) => Target::path(path, overwrite),
            Destination::InOutputDir { below, source } => {
                let folder = self.folder.as_ref().expect("-O named it");
                let path = folder.path().join(below);
                let place = Place::in_output_dir(folder, below, source).map_err(|error| {
                    let is_link = error.kind() == io::ErrorKind::Other;
                    let error = Error::new(error).context(format!("cannot create {}", quoted(&path)));
                    if is_link { advised(error, NO_LINKS) } else { error }
                });
                Target::file(&path, place?, overwrite)
            }
            Destination::Derived { path, input } => {
                let place = Place::beside(input, path.clone());
                Target::file(path, place.with_context(|| format!("cannot create {}", quoted(path)))?, overwrite)
            }
        }
    }

    /// Whether `other` is the output for an input, as far as can be told before the work begins.
    pub(crate) fn include(&self, other: &Target, input: &Path) -> bool {
        if let Some(target) = &*lock(&self.single) {
            return target.is_same(other);
        }
        // An impossible output is reported when its turn comes.
        self.compute(&InputPath::new(input.to_owned())).is_ok_and(|target| target.is_same(other))
    }

    /// Descriptors that a file holds until it is committed: the output, what it replaces with its lock, a source that will be
    /// deleted, and a folder that names of the run are below.
    pub(crate) fn descriptors(&self) -> usize {
        let FileArgs { rm, output_dir, inputs, .. } = self.args;
        1 + 2 * usize::from(self.args.replace())
            + usize::from(*rm)
            + usize::from(output_dir.is_some() || inputs.recursive)
    }

    fn overwrite(&self) -> Overwrite {
        if self.args.replace() { Overwrite::Replace } else { Overwrite::Refuse }
    }
}

impl Protected {
    fn new(args: &FileArgs, naming: Naming<'_>, inputs: impl Iterator<Item = impl Borrow<InputPath>>) -> Self {
        let mut missing = HashSet::new();
        let mut identities = |input: &InputPath| {
            // An update asks for little of each file. A file that a walk finds is not an output unless its name ends in `.age`.
            let is_no_output = || !args.force && input.was_found() && naming.never_makes(&input.path);
            let mut found = [None, None];
            if !input.is_stdin() && !is_no_output() {
                match FileId::of_name(&input.path, Links::Hold) {
                    // The input, and the file that is read if it is a link.
                    Ok((id, metadata)) => {
                        let read = || FileId::of_name(&input.path, Links::Follow).ok();
                        found = [Some(id), metadata.is_symlink().then(read).flatten().map(|(id, _)| id)];
                    }
                    Err(_) => missing.extend(canonical(&input.path)),
                }
            }
            found.into_iter().flatten()
        };
        let files = inputs.flat_map(|input| identities(input.borrow())).collect();
        Self { files, missing }
    }
}

const NO_LINKS: &str = "links below the -O folder are not followed; name the link's target with -O";

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
