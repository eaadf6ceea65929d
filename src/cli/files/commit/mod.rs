//! Committing outputs: they become durable together, and only then do files get their names.
//!
//! A file system with a journal makes all pending data durable at once, so a hundred files cost little more than one. Each file is
//! still either complete or absent: it has no name before its bytes are on disk.

mod file_systems;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};

use crate::{
    cli::{
        files::{
            commit::file_systems::FileSystems, input::SourceFile, naming::parent_folder, output::Output,
            pending::Pending, permissions::Permissions, target::Target,
        },
        platform,
        terminal::{
            advice::{Advise, misuse},
            escape::quoted,
            messages::Messages,
        },
    },
    crypto::spawn_scoped,
};

/// Threads that wait for the disk at the same time. They need no core, and a disk serves many requests in the time of one.
const WAITING: usize = 32;

/// How long one thread works alone, and the extra time for each item that it has done. Where there is nothing to wait for, as in
/// memory, more threads only cost time.
const ALONE: Duration = Duration::from_millis(1);
const ALONE_FOR_EACH: Duration = Duration::from_micros(50);

/// Proves an output on disk by reading it back. Returns its findings.
pub(crate) type Proof<'w, P> = Box<dyn FnOnce(&Target, &mut Output) -> Result<P> + Send + 'w>;

/// An output that is written, and waits to become durable.
pub(crate) struct Written<'w, P = ()> {
    target: Target,
    output: Output,
    replaced: Option<SourceFile>,
    proof: Option<Proof<'w, P>>,
    durability: Durability,
}

/// Whether an output may be committed where its name cannot be made durable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It may, with a warning.
    IfPossible,
    /// It fails there, because its source is to be deleted.
    Required,
}

impl<'w, P: Default> Written<'w, P> {
    /// Sets the permissions of a file and starts to write it to the disk. Waits for nothing.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn new(target: Target, output: Output, permissions: &Permissions) -> Result<Self> {
        let finished = match &output {
            Output::Stream(_) => Ok(()),
            Output::File(pending) => pending.finish(permissions, target.replaced_file()),
        };
        target.explain(finished.with_context(|| cannot_finish(&target)), 0)?;
        Ok(Self { target, output, replaced: None, proof: None, durability: Durability::IfPossible })
    }

    /// Commits this as durably as `durability` demands.
    pub(crate) fn with(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// Commits this only if `source`, which it replaces, is still what was read.
    pub(crate) fn replacing(self, source: SourceFile) -> Self {
        Self { replaced: Some(source), ..self }
    }

    /// Commits this only if `proof` succeeds, once the output is on the disk.
    pub(crate) fn proven_by(self, proof: Option<Proof<'w, P>>) -> Self {
        Self { proof, ..self }
    }

    /// Waits until the bytes are on the disk.
    fn sync(mut self) -> Result<Self> {
        let synced = match &mut self.output {
            Output::Stream(stream) => stream.sync(),
            Output::File(pending) => pending.sync(),
        };
        let released = self.output.released();
        self.target.explain(synced.with_context(|| cannot_finish(&self.target)), released)?;
        Ok(self)
    }

    /// The unfinished file, unless this is a stream.
    fn pending(&self) -> Option<&Pending> {
        match &self.output {
            Output::Stream(_) => None,
            Output::File(pending) => Some(pending),
        }
    }

    fn prove(mut self) -> Result<(Self, P)> {
        let Some(proof) = self.proof.take() else { return Ok((self, P::default())) };
        let proven = proof(&self.target, &mut self.output);
        let learned = self.target.explain(proven, self.output.released())?;
        Ok((self, learned))
    }

    /// Gives a file its name, which is not durable yet.
    fn name(self) -> Result<Option<Named>> {
        let Self { target, output, replaced, durability, .. } = self;
        let Output::File(pending) = output else { return Ok(None) };
        // Otherwise, a file that has taken the name since would be lost.
        if replaced.is_some_and(|source| source.has_changed() || !source.is_still_named()) {
            return target
                .explain(Err(anyhow!("cannot replace {}: it changed while it was being read", target.name())), 0);
        }
        let id = pending.id();
        target.take_name(&id, || pending.persist(target.overwrite()))?;
        Ok(target.reachable_folder().map(|path| Named { path, target, durability }))
    }
}

fn cannot_finish(target: &Target) -> String {
    format!("cannot finish {}", target.name())
}

/// A file with its new name, in the folder that has to be synced.
struct Named {
    /// Leads to the folder, as long as `target` holds it.
    path: PathBuf,
    target: Target,
    durability: Durability,
}

/// Makes a file durable and gives it its name. Makes a stream as durable as it can be. Warns if the name cannot be made durable.
///
/// # Errors
///
/// If the name has been taken since the target was computed, or no longer holds the file that was found there; those of the
/// proof and of the system.
pub(crate) fn commit(written: Written<'_>, messages: &Messages) -> Result<()> {
    Committer::new(messages)
        .commit(vec![(written, ())], |committed, ()| committed)
        .pop()
        .expect("each output has a result")
}

/// Commits the outputs of a run.
pub(crate) struct Committer {
    messages: Messages,
    file_systems: FileSystems,
}

impl Committer {
    pub(crate) fn new(messages: &Messages) -> Self {
        Self { messages: *messages, file_systems: FileSystems::default() }
    }

    /// Prepares to commit an output of a run of many, before anything is written to it.
    pub(crate) fn expect(&self, output: &Output) {
        if let Output::File(pending) = output {
            self.file_systems.watch(pending);
        }
    }

    /// Commits outputs together, then calls `finish` for each with the findings of its proof and the value passed with it. Returns
    /// the results in the same order.
    ///
    /// `finish` is given the errors of [`commit`]. A failed output does not stop the others from being committed.
    pub(crate) fn commit<P: Default + Send, R, T>(
        &self,
        group: Vec<(Written<'_, P>, R)>,
        finish: impl Fn(Result<P>, R) -> T,
    ) -> Vec<T> {
        let (written, rest): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let durable = self.file_systems.sync(written.iter().filter_map(Written::pending));
        let is_durable = |written: &Written<'_, P>| {
            written.pending().and_then(file_systems::device).is_some_and(|device| durable.contains(&device))
        };
        let synced = on_threads(written, |written| if is_durable(&written) { Ok(written) } else { written.sync() });
        let proven: Vec<_> = synced.into_iter().map(|written| written.and_then(Written::prove)).collect();
        let name = |(written, learned): (Written<'_, P>, P)| Ok((written.name()?, learned));
        let named: Vec<Result<(Option<Named>, P)>> = proven.into_iter().map(|proven| proven.and_then(name)).collect();
        let folders: BTreeSet<_> =
            named.iter().flatten().filter_map(|(named, _)| Some(named.as_ref()?.path.clone())).collect();
        let synced = on_threads(folders.into_iter().collect(), |folder| (platform::sync_folder(&folder), folder));
        let failed: BTreeMap<_, _> =
            synced.into_iter().filter_map(|(synced, folder)| Some((folder, synced.err()?))).collect();
        let durable = |(named, learned): (Option<Named>, P)| {
            let Some(Named { path, target, durability }) = named else { return Ok(learned) };
            let Some(error) = failed.get(&path) else { return Ok(learned) };
            if platform::cannot_be_synced(error) && durability == Durability::IfPossible {
                self.messages.warning_once(&format!(
                    "the names in {} cannot be made durable: {error}; files there may be gone after a power failure",
                    quoted(target.folder().expect("it has a name in it"))
                ));
                return Ok(learned);
            }
            Err(anyhow!("cannot make the name of {} durable: {error}", target.name()))
                .hint("the file is there now, but may be gone after a power failure; check the disk, then try again")
        };
        named
            .into_iter()
            .map(|named| named.and_then(durable))
            .zip(rest)
            .map(|(committed, rest)| finish(committed, rest))
            .collect()
    }
}

/// Folders in which names can be made durable, as `--rm` needs. Each is tried once.
#[derive(Default)]
pub(crate) struct DurableFolders {
    tried: Mutex<BTreeSet<PathBuf>>,
}

impl DurableFolders {
    /// Refuses a target whose name cannot be made durable. If its folder does not exist yet, checks the one above it.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse) if the folder cannot be synced at all; other failures of syncing it.
    pub(crate) fn check(&self, target: &Target) -> Result<()> {
        let Some(mut folder) = target.folder() else { return Ok(()) };
        while !folder.is_dir() && parent_folder(folder) != folder {
            folder = parent_folder(folder);
        }
        if self.tried.lock().expect(NO_PANIC).contains(folder) {
            return Ok(());
        }
        match platform::sync_folder(folder) {
            Ok(()) => {}
            Err(error) if platform::cannot_be_synced(&error) => {
                return misuse(
                    format!("the names in {} cannot be made durable, as --rm needs: {error}", quoted(folder)),
                    "leave out --rm, and delete the files yourself once their outputs are safe",
                );
            }
            Err(error) => return Err(error).with_context(|| format!("cannot sync the folder {}", quoted(folder))),
        }
        self.tried.lock().expect(NO_PANIC).insert(folder.to_owned());
        Ok(())
    }
}

/// Calls `action` for each item, on more threads if that takes longer than a moment. Returns the results in the same order.
fn on_threads<T: Send, U: Send>(items: Vec<T>, action: impl Fn(T) -> U + Sync) -> Vec<U> {
    let count = items.len();
    let items = Mutex::new(items.into_iter().enumerate());
    let results = Mutex::new(Vec::with_capacity(count));
    let next = || items.lock().expect(NO_PANIC).next();
    let work = |(number, item)| {
        let result = action(item);
        results.lock().expect(NO_PANIC).push((number, result));
    };
    let started = Instant::now();
    let mut alone = ALONE;
    while started.elapsed() < alone
        && let Some(item) = next()
    {
        work(item);
        alone += ALONE_FOR_EACH;
    }
    thread::scope(|scope| {
        let left = count - results.lock().expect(NO_PANIC).len();
        for _ in 1..WAITING.min(left) {
            let more = || {
                while let Some(item) = next() {
                    work(item)
                }
            };
            // If the system refuses more threads, the existing ones do the work.
            if spawn_scoped(scope, 0, more).is_err() {
                break;
            }
        }
        while let Some(item) = next() {
            work(item);
        }
    });
    let mut results = results.into_inner().expect(NO_PANIC);
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Why the locks cannot be poisoned.
const NO_PANIC: &str = "nothing panics while it holds this lock";
