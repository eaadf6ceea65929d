//! Reads back an output to prove that it is good, before it gets its name or its source is deleted.

use std::{io, num::NonZeroUsize, sync::Arc};

use anyhow::{Context, Result, bail};

use crate::{
    cli::{
        files::{encrypted_input::EncryptedInput, input::Input, output::Output, pending::Pending, target::Target},
        terminal::{advice::misuse, progress::Progress},
    },
    crypto::{Sink, Unlocked, WriteAt},
};

/// Discards what is written: the plaintext of a file that is only authenticated.
pub(crate) struct Discard;

impl WriteAt for Discard {
    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }
}

impl Discard {
    pub(crate) fn sink(&self) -> Sink<'_> {
        Sink::AtOffsets { file: self, start: 0 }
    }
}

/// Authenticates an uncommitted encrypted output, as it is on disk. It must begin with `header`. The plaintext goes to `sink`.
///
/// # Errors
///
/// If it does not, or a chunk does not authenticate.
pub(crate) fn authenticate(
    output: &Output,
    header: &[u8],
    unlocked: &Unlocked,
    sink: Sink<'_>,
    threads: NonZeroUsize,
) -> Result<()> {
    let pending = pending(output)?;
    let file = pending.read_back().context("cannot read back the output")?;
    let mut input = Input::of_file(file, Arc::new(Progress::none())).context("cannot read back the output")?;
    let mut input = EncryptedInput::read(&mut input).context("the output read back is not what was written")?;
    if input.decryptor.header().as_bytes() != header {
        bail!("the output read back is not what was written: its header differs");
    }
    let opened = unlocked.decrypt(input.payload(), sink, threads);
    opened.map(drop).context("the output read back is not what was written")
}

/// Compares an uncommitted decrypted output, as it is on disk, with its source, which is decrypted again.
///
/// # Errors
///
/// If they differ, or the source fails to decrypt.
pub(crate) fn compare(
    output: &Output,
    source: &mut EncryptedInput<'_>,
    unlocked: &Unlocked,
    threads: NonZeroUsize,
) -> Result<()> {
    let pending = pending(output)?;
    pending.read_back().context("cannot read back the output")?;
    let sink = Sink::AtOffsets { file: &Comparison(pending), start: 0 };
    let length =
        unlocked.decrypt(source.payload(), sink, threads).context("the output read back is not what was written")?;
    if pending.length()? != length {
        bail!("the output read back is not what was written: its length differs");
    }
    Ok(())
}

/// Refuses an output that [`authenticate`] and [`compare`] cannot read back.
///
/// # Errors
///
/// [`Misuse`](crate::cli::terminal::errors::Misuse).
pub(crate) fn check_can_read_back(target: &Target) -> Result<()> {
    if target.is_file() {
        return Ok(());
    }
    misuse(
        format!("{} cannot be read back, as --check and --rm do", target.name()),
        "write to a regular file, or leave out --check and --rm",
    )
}

/// Refuses to delete an input that is not a file, or that no file is made from.
///
/// # Errors
///
/// [`Misuse`](crate::cli::terminal::errors::Misuse).
pub(crate) fn check_can_delete(input: &Input, target: &Target) -> Result<()> {
    if !input.is_named_file() {
        return misuse(format!("{} is not a file that --rm can delete", input.name()), "leave out --rm");
    }
    check_can_read_back(target)
}

fn pending(output: &Output) -> Result<&Pending> {
    match output {
        Output::File(pending) => Ok(pending),
        Output::Stream(_) => bail!("what goes to a stream cannot be read back"),
    }
}

/// Accepts only the bytes that the file already has.
struct Comparison<'a>(&'a Pending);

impl WriteAt for Comparison<'_> {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut written = vec![0; bytes.len()];
        self.0.read_exact_at(&mut written, offset)?;
        if written == bytes { Ok(()) } else { Err(io::Error::other("it differs from what was written")) }
    }
}
