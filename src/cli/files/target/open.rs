//! Opening outputs.

use std::{
    fs::File,
    io::{self, IsTerminal},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow};

use crate::cli::{
    files::{
        naming::parent_folder,
        output::{Output, Stream},
        pending::{CannotDelete, Overwrite, Pending, check_is_not_append_only},
        target::{OnTerminal, Target},
    },
    platform::{self, signals},
    terminal::advice::Advise,
};

impl Target {
    /// Opens the output. A file gets its name only by [`commit`](crate::cli::files::commit::commit).
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn open(&self) -> Result<Output> {
        Ok(match self {
            Self::Stdout(allowed) => {
                let file = platform::stdout().context("cannot use standard output")?;
                let text_only = *allowed != OnTerminal::Anything && file.is_terminal();
                Output::Stream(Stream::new(file, text_only))
            }
            Self::Direct { path, .. } => {
                // Opening the name of a descriptor opens its file again, at offset 0, so append to keep the existing data. A device
                // is written from its start, because its end is the end of its space.
                let append = path.is_file();
                let file = File::options().write(true).append(append).open(path);
                let file = file.with_context(|| format!("cannot open {}", self.name()))?;
                Output::Stream(Stream::new(Arc::new(file), false))
            }
            Self::File { place, overwrite, existing, lock, .. } => {
                let cannot_create = || format!("cannot create {}", self.name());
                if let (Overwrite::Replace, Some(existing)) = (*overwrite, existing) {
                    let locked = existing.lock(&place.reachable());
                    let locked = locked.map_err(|_| anyhow!("{} is locked by another program", self.name()));
                    let locked = locked.hint("wait until that program has finished, then try again")?;
                    locked.map(|file| lock.get_or_init(|| file));
                }
                if *overwrite == Overwrite::Replace {
                    // Needed by the commit, when nothing can be opened any more.
                    signals::clean_up_on_signals().with_context(cannot_create)?;
                }
                place.create_folder().with_context(cannot_create)?;
                let path = place.reachable();
                // For an instant, the new file would have a hidden name, which could not be removed.
                let replaceable =
                    if self.replaces().is_some() { check_is_not_append_only(parent_folder(&path)) } else { Ok(()) };
                let pending = replaceable.and_then(|()| Pending::new(&path));
                let cannot_delete = |error: &io::Error| error.get_ref().is_some_and(|inner| inner.is::<CannotDelete>());
                let must_move = pending.as_ref().is_err_and(cannot_delete);
                let is_refused = pending.as_ref().is_err_and(|error| self.refuses_new_file(error));
                match pending.with_context(cannot_create) {
                    Err(error) if is_refused => return Err(error).hint(self.stream_instead()),
                    Err(error) if must_move => {
                        return Err(error).hint("use a folder in which files can be deleted");
                    }
                    pending => Output::File(pending?),
                }
            }
        })
    }

    /// Whether an existing file can be written, but not replaced: its folder takes no new file, or it is a mount point.
    pub(super) fn refuses_new_file(&self, error: &io::Error) -> bool {
        use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
        let kinds = [CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy];
        matches!(self, Self::File { can_stream: true, existing: Some(_), .. }) && kinds.contains(&error.kind())
    }

    pub(super) fn stream_instead(&self) -> String {
        format!("the file can only be replaced through its folder; to write into it as it is, use -c > {}", self.name())
    }
}
