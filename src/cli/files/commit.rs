//! Committing an output: it becomes durable, and a file gets its name.

use std::io;

use anyhow::{Context, Result, anyhow};

use crate::cli::{
    files::{output::Output, permissions::Permissions, target::Target},
    terminal::advice::Advise,
};

/// Makes a file durable and gives it its name. Makes a stream as durable as it can be.
///
/// # Errors
///
/// If the name has been taken since the target was computed; those of the system.
pub(crate) fn commit(target: &Target, output: Output, permissions: &Permissions) -> Result<()> {
    let released = output.released();
    let committed = match output {
        Output::Stream(stream) => stream.finish(),
        Output::File(pending) => pending.commit(permissions, target.overwrite()),
    };
    if matches!(&committed, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
        return Err(anyhow!("{} has come into being meanwhile", target.name())).hint("it was left as it is");
    }
    target.explain(committed.with_context(|| format!("cannot finish {}", target.name())), released)
}
