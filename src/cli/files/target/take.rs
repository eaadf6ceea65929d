//! Gives a new file its name, unless another file has taken it meanwhile.

use std::io;

use anyhow::{Context, Result, anyhow};

use crate::cli::{
    files::{
        pending::Overwrite,
        target::{Target, two_inputs},
    },
    platform::FileId,
    terminal::advice::Advise,
};

impl Target {
    /// Calls `persist`, which gives the file `id` its name, if the name still belongs to the file found there.
    ///
    /// # Errors
    ///
    /// If it does not, or another output of the run has it; those of `persist`.
    pub(crate) fn take_name(&self, id: &FileId, persist: impl FnOnce() -> io::Result<()>) -> Result<()> {
        let Self::File { place, existing, claim, .. } = self else { return Ok(()) };
        let belongs_to_run = || {
            let now = claim.as_ref().zip(place.existing().ok());
            now.is_some_and(|(claim, now)| claim.is_made(now.id()))
        };
        // Otherwise, a file that has taken the name since would be lost.
        if self.overwrite() == Overwrite::Replace
            && let Some(existing) = existing
            && !place.existing().is_ok_and(|now| now.id() == existing.id())
        {
            if belongs_to_run() {
                return two_inputs(place.path());
            }
            return Err(anyhow!("{} was replaced by another program", self.name())).hint("the new file was left alone");
        }
        if let Some(claim) = claim {
            claim.make(id);
        }
        let Err(error) = persist() else { return Ok(()) };
        if let Some(claim) = claim {
            claim.fail(id);
        }
        if error.kind() == io::ErrorKind::AlreadyExists {
            if belongs_to_run() {
                return two_inputs(place.path());
            }
            return Err(anyhow!("{} was created by another program during the run", self.name()))
                .hint("it was left as it is");
        }
        let is_refused = self.refuses_new_file(&error);
        let finished = self.explain(Err(error).with_context(|| format!("cannot finish {}", self.name())), 0);
        if is_refused { finished.hint(self.stream_instead()) } else { finished }
    }
}
