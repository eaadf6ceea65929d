//! Finds inputs that are named twice, or are in two of the named folders, so that each is processed once.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    path::Path,
};

use anyhow::Result;

use crate::cli::{
    args::InputArgs,
    files::{
        naming::{InputPath, canonical},
        target::FileSet,
    },
    platform::{self, FileId, Links},
    terminal::{escape::quoted, messages::Messages},
};

/// The inputs of a run, each of them or the reason why it cannot be found.
pub(crate) type Inputs = Box<dyn Iterator<Item = Result<InputPath>> + Send>;

/// The inputs, each once. Links are followed if the command changes the files that they lead to; otherwise a link is an input of
/// its own, with an output of its own.
pub(crate) fn once(inputs: Inputs, args: &InputArgs, links: Links, messages: &Messages) -> Inputs {
    if args.files_from.is_none() && args.files.len() <= 1 {
        return inputs;
    }
    let mut seen = Seen::default();
    let messages = *messages;
    Box::new(inputs.filter(move |input| {
        let Ok(input) = input else { return true };
        let is_new = seen.is_new(input, links);
        if !is_new {
            messages.verbose(&format!("skipped {}: it was already named", quoted(&input.path)));
        }
        is_new
    }))
}

/// The inputs so far, in less than 50 bytes for each.
#[derive(Default)]
pub(super) struct Seen {
    /// Files that have one name.
    files: FileSet,
    /// Hashes of the names of other files, where each name is an input. 128 bits, so that no two are equal.
    names: HashSet<[u64; 2]>,
    hashers: [RandomState; 2],
}

impl Seen {
    /// Adds an input. Returns whether it is new; standard input always is.
    pub(super) fn is_new(&mut self, input: &InputPath, links: Links) -> bool {
        if input.is_stdin() {
            return true;
        }
        // A missing file is reported when its turn comes.
        let Ok((id, metadata)) = FileId::of_name(&input.path, links) else { return true };
        if metadata.is_dir() {
            return true;
        }
        if platform::link_count(&metadata) == 1 {
            return self.files.insert(&id);
        }
        canonical(&input.path).is_none_or(|path| self.names.insert(self.hash(&path)))
    }

    fn hash(&self, path: &Path) -> [u64; 2] {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(path))
    }
}
