//! All sources as one tree of modules, with the items of other files and crates that each file uses.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::source::{Segments, Source, Written};

/// The place that a path leads to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// An item that the file defines.
    Item(String),
    /// A module that the path names as a whole, or that re-exports the item, by its file. This alone ties no files:
    /// the item is a target of its own.
    Module(String),
    /// An item of another crate. `core` and `alloc` are spelled `std`.
    Outside(Segments),
}

/// A path in a file, and where it leads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    /// As the file writes it.
    pub(crate) written: String,
    pub(crate) target: Target,
}

pub(crate) struct File {
    /// Lines before the tests.
    pub(crate) lines: usize,
    pub(crate) conditions: Vec<String>,
    pub(crate) uses: BTreeSet<Use>,
}

struct Module {
    file: String,
    /// The names that `use` items bring in. One name can have several targets, under different conditions.
    names: BTreeMap<String, Vec<Segments>>,
}

/// The sources, by their paths below `src`.
pub(crate) struct Tree {
    pub(crate) files: BTreeMap<String, File>,
    modules: BTreeMap<Segments, Module>,
    crates: BTreeSet<String>,
}

impl Tree {
    /// Follows the `mod` declarations from `main.rs` and `lib.rs`, leaving out modules that are compiled for tests only.
    ///
    /// `read` returns a file's text, or `None` if there is no such file. `crates` are the names of the dependencies.
    pub(crate) fn load(read: impl Fn(&str) -> Option<String>, crates: BTreeSet<String>) -> Self {
        let mut tree = Self { files: BTreeMap::new(), modules: BTreeMap::new(), crates };
        let mut sources = Vec::new();
        // The program is a crate of its own, which sees the library from outside.
        let mut next = vec![(vec!["main.rs".to_owned()], "main.rs".to_owned()), (Vec::new(), "lib.rs".to_owned())];
        while let Some((module, file)) = next.pop() {
            let Some(text) = read(&file) else { continue };
            let source = Source::parse(&text);
            let folder = file.trim_end_matches("lib.rs").trim_end_matches("mod.rs").replace(".rs", "/");
            for name in &source.declares {
                let files = [format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")];
                let file = files.into_iter().find(|file| read(file).is_some());
                let file = file.unwrap_or_else(|| panic!("{module:?} declares {name}, which has no file"));
                next.push((join(&module, [name]), file));
            }
            for inside in [Vec::new()].iter().chain(&source.inline) {
                let names = BTreeMap::new();
                tree.modules.insert(join(&module, inside), Module { file: file.clone(), names });
            }
            let is_test = |line: &&str| line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test");
            let lines = text.lines().take_while(|line| !is_test(line)).count();
            tree.files.insert(file.clone(), File { lines, conditions: source.conditions, uses: BTreeSet::new() });
            sources.push((module, file, source.paths));
        }
        for (module, _, paths) in &sources {
            for Written { inside, path, binds } in paths {
                if let Some(name) = binds.clone().filter(|name| name != "*") {
                    let module = tree.modules.get_mut(&join(module, inside)).expect("each module was entered");
                    module.names.entry(name).or_default().push(path.clone());
                }
            }
        }
        for (module, file, paths) in sources {
            for Written { inside, path, binds } in paths {
                let targets = tree.resolve(&file, &join(&module, &inside), &path);
                let written = path.join("::") + if binds.as_deref() == Some("*") { "::*" } else { "" };
                let uses = &mut tree.files.get_mut(&file).expect("each file was entered").uses;
                uses.extend(targets.into_iter().map(|target| Use { written: written.clone(), target }));
            }
        }
        tree
    }

    /// Resolves a path that `file` writes in `module`. Empty if it begins with a local item or a name of the prelude.
    fn resolve(&self, file: &str, module: &[String], path: &[String]) -> Vec<Target> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let is_here = |name: &str| self.modules.contains_key(&join(module, [name]));
        match first.as_str() {
            "crate" | "solekey" => self.walk(file, &[], rest),
            "self" => self.walk(file, module, rest),
            "super" => {
                let parent = module.split_last().map_or(module, |(_, parent)| parent);
                // The rest may begin with another `super`.
                if rest.first().is_some_and(|name| name == "super") {
                    self.resolve(file, parent, rest)
                } else {
                    self.walk(file, parent, rest)
                }
            }
            "core" | "alloc" => vec![Target::Outside(join(&["std".to_owned()], rest))],
            name if name == "std" || (self.crates.contains(name) && !is_here(name)) => {
                vec![Target::Outside(path.to_vec())]
            }
            name if is_here(name) || self.modules[module].names.contains_key(name) => self.walk(file, module, path),
            _ => Vec::new(),
        }
    }

    /// Resolves a path below `module`, through its child modules and re-exports.
    fn walk(&self, file: &str, module: &[String], path: &[String]) -> Vec<Target> {
        let Module { file: here, names } = &self.modules[module];
        let Some((first, rest)) = path.split_first() else { return vec![Target::Module(here.clone())] };
        let child = join(module, [first]);
        let brought_in = names.get(first);
        // A module and an item may share a name: only the module has something below it.
        if self.modules.contains_key(&child) && (brought_in.is_none() || !rest.is_empty()) {
            return self.walk(file, &child, rest);
        }
        let Some(targets) = brought_in else { return vec![Target::Item(here.clone())] };
        // `use Local::Local` brings in a variant of an item that is defined here.
        let targets = targets.iter().filter(|target| target[0] != *first || self.crates.contains(first));
        let mut found: Vec<_> = targets.flat_map(|target| self.resolve(file, module, &join(target, rest))).collect();
        if here != file {
            // A re-exported variant or item of another crate counts as an item of the file that re-exports it.
            if found.is_empty() || found.iter().any(|target| matches!(target, Target::Outside(_))) {
                found = vec![Target::Item(here.clone())];
            }
            found.push(Target::Module(here.clone()));
        }
        found
    }

    /// The files that a file uses, each with the paths that name it.
    pub(crate) fn neighbours(&self, file: &str) -> BTreeMap<&str, Vec<&str>> {
        let mut neighbours = BTreeMap::<_, Vec<_>>::new();
        for Use { written, target } in &self.files[file].uses {
            match target {
                Target::Item(used) if used != file => {
                    neighbours.entry(used.as_str()).or_default().push(written.as_str())
                }
                _ => {}
            }
        }
        neighbours
    }

    /// All files that a file uses, directly or indirectly, each with its predecessor on a shortest chain of uses.
    pub(crate) fn reachable(&self, from: &str) -> BTreeMap<&str, String> {
        let mut found = BTreeMap::new();
        let mut next = VecDeque::from([from]);
        while let Some(file) = next.pop_front() {
            for neighbour in self.neighbours(file).into_keys() {
                found.entry(neighbour).or_insert_with(|| {
                    next.push_back(neighbour);
                    file.to_owned()
                });
            }
        }
        found
    }

    /// Describes a shortest chain of uses from one file to another, with the paths of each step.
    pub(crate) fn way(&self, from: &str, to: &str) -> Option<String> {
        let before = self.reachable(from);
        let mut way = String::new();
        let mut at = to;
        loop {
            let previous = before.get(at)?;
            way = format!("\n      {previous} uses {}{way}", self.neighbours(previous)[at].join(", "));
            if previous == from {
                return Some(way);
            }
            at = previous;
        }
    }
}

fn join<'a, S: AsRef<str> + 'a>(start: &[String], rest: impl IntoIterator<Item = S>) -> Segments {
    start.iter().cloned().chain(rest.into_iter().map(|name| name.as_ref().to_owned())).collect()
}
