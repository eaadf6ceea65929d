//! Reading back what was written: proof that an output is good, before it gets its name or its source is deleted.

use std::{io, num::NonZeroUsize, sync::Arc};

use anyhow::{Context, Result, bail};

use crate::{
    cli::{
        files::{encrypted_input::Sealed, input::Input, output::Output, pending::Pending, target::Plan},
        terminal::{messages::misuse, progress::Progress},
    },
    crypto::{Sink, Unlocked, WriteAt},
};

/// Where nothing arrives: what is opened is only authenticated.
pub(crate) struct Nowhere;

impl WriteAt for Nowhere {
    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }
}

impl Nowhere {
    pub(crate) fn sink(&self) -> Sink<'_> {
        Sink::AtOffsets { file: self, start: 0 }
    }
}

/// Authenticates an encrypted file in the making, as it stands on the disk. `header` is what it must begin with.
pub(crate) fn authenticate(output: &Output, header: &[u8], unlocked: &Unlocked, threads: NonZeroUsize) -> Result<()> {
    let pending = file(output)?;
    let file = pending.read_back().context("cannot read back what was written")?;
    let mut input = Input::of_file(file, Arc::new(Progress::none())).context("cannot read back what was written")?;
    let mut sealed = Sealed::read(&mut input).context("what was written does not read back")?;
    if sealed.decryptor.header().as_bytes() != header {
        bail!("what was written does not read back: its header differs");
    }
    let opened = unlocked.decrypt(sealed.payload(), Nowhere.sink(), threads);
    opened.map(drop).context("what was written does not read back")
}

/// Compares a decrypted file in the making, as it stands on the disk, with what its source opens to once more.
pub(crate) fn compare(
    output: &Output,
    sealed: &mut Sealed<'_>,
    unlocked: &Unlocked,
    threads: NonZeroUsize,
) -> Result<()> {
    let pending = file(output)?;
    pending.read_back().context("cannot read back what was written")?;
    let sink = Sink::AtOffsets { file: &Compared(pending), start: 0 };
    let length = unlocked.decrypt(sealed.payload(), sink, threads).context("what was written does not read back")?;
    if pending.length()? != length {
        bail!("what was written does not read back: it has another length");
    }
    Ok(())
}

/// Refuses what [`authenticate`] and [`compare`] cannot read back.
pub(crate) fn must_be_file(plan: &Plan) -> Result<()> {
    if let Plan::File { .. } = plan {
        return Ok(());
    }
    misuse(
        format!("{} cannot be read back, as --check and --rm do", plan.name()),
        "write to a regular file, or leave out --check and --rm",
    )
}

/// Refuses to delete what is no file, or what has no file made from it.
pub(crate) fn must_be_files(input: &Input, plan: &Plan) -> Result<()> {
    if input.model().is_none() {
        return misuse(format!("{} is no file that --rm could delete", input.name()), "leave out --rm");
    }
    must_be_file(plan)
}

fn file(output: &Output) -> Result<&Pending> {
    match output {
        Output::File(pending) => Ok(pending),
        Output::Stream(_) => bail!("what goes to a stream cannot be read back"),
    }
}

/// Takes what is in the file already, and nothing else.
struct Compared<'a>(&'a Pending);

impl WriteAt for Compared<'_> {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut written = vec![0; bytes.len()];
        self.0.read_exact_at(&mut written, offset)?;
        if written == bytes { Ok(()) } else { Err(io::Error::other("it differs from what was written")) }
    }
}
