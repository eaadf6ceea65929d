//! `salvage`: recover what still authenticates of a damaged file, and say what is lost.

use std::{
    io::{self, Write as _},
    ops::Range,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::{
    cli::{
        args::{self, Salvage, Talk},
        batch,
        files::{
            encrypted_input::Sealed,
            input::{DASH, Input, name},
            pending::Overwrite,
            target::{Plan, Terminal},
        },
        keys::{key_file::KeyFiles, keyring::Identities, plugins::Plugins},
        terminal::{
            json,
            messages::{Advise, Damaged, Report, Status, advised, in_words, misuse},
            progress::Progress,
            prompt::Prompt,
        },
    },
    crypto::{Error as CryptoError, PAYLOAD_NONCE, ReadAt, Salvaged, Source},
};

pub(crate) fn salvage(what: &Salvage, talk: &Talk, report: &Report) -> Result<Option<Status>> {
    let path = what.file.as_path();
    let cannot_salvage = || format!("cannot salvage {}", name(path));
    let plan = Plan::path(&what.output, if what.force { Overwrite::Replace } else { Overwrite::Refuse })?;
    if let Plan::Stdout(_) = plan {
        return misuse("standard output is for the map of what is lost", "name a file with -o OUT");
    }
    let prompt = Arc::new(Prompt::new(&what.answers, path.as_os_str() == DASH)?);
    let plugins = Plugins::new(what.plugins.into(), prompt.clone(), report);
    let mut keys = KeyFiles::new(prompt, report, plugins, path.as_os_str() == DASH);
    let identities = Identities::new(&mut keys, &what.identities)?;

    let mut input = Input::open(path, Arc::new(Progress::new(talk)))?;
    plan.must_differ_from(&input.handle, &input.name())?;
    keys.must_differ_from(&plan)?;
    let progress = input.progress.clone();
    let mut sealed = Sealed::read_damaged(&mut input).map_err(header_is_gone).with_context(cannot_salvage)?;
    if sealed.is_armored() {
        bail!("{} is armored; put it into its binary form first, as far as its text can be mended", name(path));
    }
    let unlocked = identities.unlock(&sealed.decryptor, &name(path)).map_err(header_is_gone);
    let unlocked = unlocked.with_context(cannot_salvage)?;
    if !sealed.decryptor.is_authentic(&unlocked) {
        report.warning(&format!("the header of {} is damaged, but a stanza of it still opens", name(path)));
    }

    progress.begin();
    let forgiving;
    let source = match sealed.payload() {
        Source::AtOffsets { file, start, length } => {
            forgiving = Forgiving(file);
            Source::AtOffsets { file: &forgiving, start, length }
        }
        in_turn @ Source::Sequential(_) => in_turn,
    };
    let payload = unlocked.payload(source).with_context(cannot_salvage)?;
    let mut output = plan.open()?;
    batch::confine(plan.folder(), report);
    let salvaged = payload.salvage(output.sink(), args::threads(what.threads)).with_context(cannot_salvage);
    let salvaged = plan.after(salvaged, output.seen())?;
    if salvaged.recovered() == 0 && !salvaged.has_final_chunk {
        let nothing = Err(Damaged("no chunk of it is authentic".to_owned())).with_context(cannot_salvage);
        return plan
            .after(nothing, output.seen())
            .hint(format!("the {PAYLOAD_NONCE} bytes behind the header may be damaged: without them, no chunk opens"));
    }
    output.truncate(salvaged.length).with_context(|| format!("cannot write {}", plan.name()))?;
    plan.commit(output, input.mode())?;

    let map = Map::new(json::path(path), &salvaged);
    let mut stdout = Plan::stdout(Terminal::Any)?.open()?;
    stdout.write_all(json::line(&map).as_bytes()).context("cannot write to standard output")?;
    if !salvaged.has_final_chunk {
        report.warning(&format!("{} has lost its end; how much was behind it is not known", name(path)));
    }
    let lost = salvaged.length - salvaged.recovered();
    if lost > 0 {
        report.warning(&format!("{lost} of {} bytes are lost, and zeros in {}", salvaged.length, plan.name()));
    }
    if salvaged.has_trailing_data {
        report.warning(&format!("{} goes on behind its end; what was appended is left out", name(path)));
    }
    Ok((!salvaged.lost.is_empty() || !salvaged.has_final_chunk).then_some(Status::Damaged))
}

/// Adds to what is wrong with a header what that means.
fn header_is_gone(error: anyhow::Error) -> anyhow::Error {
    let gone = matches!(
        error.downcast_ref(),
        Some(
            CryptoError::NotAge
                | CryptoError::Empty
                | CryptoError::Header { .. }
                | CryptoError::Stanza
                | CryptoError::Unwrap
        )
    );
    if !gone {
        return error;
    }
    advised(
        Damaged(in_words(&error)),
        "the file key is in the header: if that is gone, nothing of the file can be recovered, by anybody",
    )
}

/// What became of a file, for programs. Lengths and offsets are bytes of plaintext.
#[derive(Serialize)]
struct Map {
    file: String,
    length: u64,
    recovered: u64,
    /// Whether the end is there; if not, more may be missing than is listed.
    complete: bool,
    lost: Vec<Lost>,
}

#[derive(Serialize)]
struct Lost {
    offset: u64,
    length: u64,
}

impl Map {
    fn new(file: String, salvaged: &Salvaged) -> Self {
        let lost = |range: &Range<u64>| Lost { offset: range.start, length: range.end - range.start };
        Self {
            file,
            length: salvaged.length,
            recovered: salvaged.recovered(),
            complete: salvaged.has_final_chunk,
            lost: salvaged.lost.iter().map(lost).collect(),
        }
    }
}

/// A file on a medium that is damaged too: what cannot be read is zeros, which are not authentic.
struct Forgiving<'a>(&'a dyn ReadAt);

/// Bytes that are given up at once where reading fails: those of a sector of most media.
const SECTOR: usize = 4096;

impl ReadAt for Forgiving<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(buffer, offset);
        if !matches!(&read, Err(error) if error.kind() != io::ErrorKind::Interrupted) {
            return read;
        }
        // Up to the next sector, so that no more is given up than has to be.
        let within = usize::try_from(offset % SECTOR as u64).expect("it is less than a sector");
        let length = buffer.len().min(SECTOR - within);
        let sector = &mut buffer[..length];
        self.0.read_at(sector, offset).or_else(|_| {
            sector.fill(0);
            Ok(length)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A medium of ones with sectors that cannot be read.
    struct Bad(Vec<Range<u64>>);

    impl ReadAt for Bad {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let end = offset + buffer.len() as u64;
            if self.0.iter().any(|bad| bad.start < end && offset < bad.end) {
                return Err(io::Error::other("medium error"));
            }
            buffer.fill(1);
            Ok(buffer.len())
        }
    }

    #[test]
    fn what_cannot_be_read_is_zeros_to_the_sector() {
        let sector = SECTOR as u64;
        let bad = Bad(vec![2 * sector..3 * sector, 5 * sector..6 * sector]);
        for start in [0, 100, 2 * sector, 2 * sector + 7] {
            let mut bytes = vec![9; 8 * SECTOR];
            let mut filled = 0;
            while filled < bytes.len() {
                let count = Forgiving(&bad).read_at(&mut bytes[filled..], start + filled as u64);
                filled += count.expect("all is forgiven");
            }
            for (offset, byte) in (start..).zip(bytes) {
                let lost = bad.0.iter().any(|bad| bad.contains(&offset));
                assert_eq!(byte, u8::from(!lost), "{offset}");
            }
        }
    }
}
