//! `salvage`: recover what still authenticates in a damaged file, and report what is lost.

use std::{
    io::{self, Write as _},
    ops::Range,
};

use anyhow::{Context, Result, anyhow};
use serde::Serialize;

use crate::{
    cli::{
        args::{self, DASH, Salvage},
        commands::session::Session,
        files::{
            commit::{Written, commit},
            encrypted_input::EncryptedInput,
            input::{Input, announce_typed},
            naming::{InputPath, display_name},
            pending::Overwrite,
            permissions::Owner,
            read_back::Discard,
            target::{OnTerminal, Target},
        },
        keys::keyring::Keyring,
        terminal::{
            advice::{Advise, advised, hints, misuse},
            errors::Damaged,
            exit_status::ExitStatus,
            json,
            messages::one_line,
        },
    },
    crypto::{Error as CryptoError, HEADER_TOO_LONG, PAYLOAD_NONCE, ReadAt, Salvaged, Source, TOO_MANY_STANZAS},
};

/// Salvages a file, and returns [`ExitStatus::Damaged`] if anything is lost.
///
/// # Errors
///
/// If nothing can be recovered; errors from the system.
pub(crate) fn salvage(args: &Salvage, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    recover(args, messages).map_err(without_advice_to_salvage)
}

fn recover(args: &Salvage, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    let path = args.file.as_path();
    let name = display_name(path);
    let cannot_salvage = || format!("cannot salvage {name}");
    let mut session = Session::new(messages, &args.passphrases, args.plugins, path.as_os_str() == DASH)?;
    let keyring = Keyring::new(&mut session.key_files, &args.identities)?;

    announce_typed(path, &session.messages);
    let mut input = Input::open(&InputPath::new(path.to_owned()), session.progress())?;
    let target = Target::path(&args.output, if args.force { Overwrite::Replace } else { Overwrite::Refuse })?;
    if let Target::Stdout(_) = target {
        return misuse("standard output is for the list of lost ranges", "name a file with -o OUT");
    }
    target.check_is_not(input.id(), input.name())?;
    session.key_files.check_is_not_output(&target)?;
    let progress = input.progress.clone();
    let permissions = input.permissions(Owner::New);
    let mut encrypted =
        EncryptedInput::read_damaged(&mut input).map_err(explain_lost_header).with_context(cannot_salvage)?;
    if encrypted.is_armored() {
        return Err(anyhow!("{name} is armored, and only binary files can be salvaged")).hint(
            "repair its lines of base64 as far as you can, and convert them: sed /-----/d FILE | base64 -d > FILE.bin",
        );
    }
    let unlocked = keyring.unlock(&encrypted.decryptor, &name).map_err(explain_lost_header);
    let unlocked = unlocked.with_context(cannot_salvage)?;
    let is_header_authentic = encrypted.decryptor.is_authentic(&unlocked);
    if !is_header_authentic {
        session.messages.warning(&format!("the header of {name} is damaged, but a stanza of it still opens"));
    }

    progress.begin();
    let lenient;
    let source = match encrypted.payload() {
        Source::AtOffsets { file, start, length } => {
            lenient = Lenient(file);
            Source::AtOffsets { file: &lenient, start, length }
        }
        in_sequence @ Source::Sequential(_) => in_sequence,
    };
    let payload = unlocked.payload(source).with_context(cannot_salvage)?;
    let threads = args::threads(args.threads);
    if args.dry_run {
        session.confine([]);
        let salvaged = payload.salvage(Discard.sink(), threads).with_context(cannot_salvage)?;
        return report(&salvaged, is_header_authentic, args, &session, &target.name());
    }
    let mut output = target.open()?;
    session.confine(target.reachable_folder());
    let salvaged = payload.salvage(output.sink(), threads).with_context(cannot_salvage);
    let salvaged = target.explain(salvaged, output.released())?;
    if salvaged.recovered() == 0 && !salvaged.has_final_chunk {
        let nothing = Err(Damaged("no chunk of it is authentic".to_owned())).with_context(cannot_salvage);
        return target
            .explain(nothing, output.released())
            .hint(format!("the {PAYLOAD_NONCE} bytes after the header may be damaged: without them, no chunk opens"));
    }
    session.note_device(&target, &output);
    output.truncate(salvaged.length).with_context(|| format!("cannot write {}", target.name()))?;
    let output_name = target.name();
    commit(Written::new(target, output, &permissions)?, &session.messages)?;
    let changed = input.into_source_file().has_changed();
    let reported = report(&salvaged, is_header_authentic, args, &session, &output_name);
    if changed {
        session.messages.warning(&format!("{name} changed while it was being read; the bytes read were salvaged"));
    }
    Ok(reported?.or(changed.then_some(ExitStatus::Failure)))
}

/// Prints the loss map and warnings, and returns the status.
fn report(
    salvaged: &Salvaged,
    is_header_authentic: bool,
    args: &Salvage,
    session: &Session<'_>,
    output: &str,
) -> Result<Option<ExitStatus>> {
    let (path, name) = (args.file.as_path(), display_name(&args.file));
    let map = LossMap::new(json::path(path), salvaged, is_header_authentic);
    let mut stdout = Target::stdout(OnTerminal::Anything)?.open()?;
    stdout.write_all(json::line(&map).as_bytes()).context("cannot write to standard output")?;
    if salvaged.has_early_end {
        session
            .messages
            .warning(&format!("{name} has authentic chunks after its final chunk; all of them were recovered"));
    } else if !salvaged.has_final_chunk {
        session.messages.warning(&format!("{name} has lost its end; the number of missing bytes is unknown"));
    }
    let lost = salvaged.length - salvaged.recovered();
    if lost > 0 {
        let zeros = if args.dry_run { "" } else { &format!("; they are zeros in {output}") };
        let warning = format!("{lost} of {} bytes are lost{zeros}", salvaged.length);
        session.messages.warning(&warning);
    }
    if salvaged.has_trailing_data {
        session.messages.warning(&format!("{name} has data after its final chunk, which was ignored"));
    }
    Ok((!map.ok).then_some(ExitStatus::Damaged))
}

/// An error without hints that recommend the command that has just failed.
fn without_advice_to_salvage(error: anyhow::Error) -> anyhow::Error {
    let is_other = |hint: &&str| !hint.contains("solekey salvage");
    if hints(&error).all(|hint| is_other(&hint)) {
        return error;
    }
    let others: Vec<_> = hints(&error).filter(is_other).map(str::to_owned).collect();
    let described = anyhow::Error::new(Damaged(one_line(&error)));
    others.into_iter().rev().fold(described, advised)
}

/// Adds a hint to the error for a damaged header: without the file key nothing can be recovered.
fn explain_lost_header(error: anyhow::Error) -> anyhow::Error {
    // Trailing data is not a loss.
    let is_whole = matches!(
        error.downcast_ref(),
        Some(CryptoError::Header { fault, .. }) if [HEADER_TOO_LONG, TOO_MANY_STANZAS].contains(fault)
    );
    let is_lost = matches!(
        error.downcast_ref(),
        Some(
            CryptoError::NotAge
                | CryptoError::Empty
                | CryptoError::Header { .. }
                | CryptoError::Stanza
                | CryptoError::Unwrap
        )
    );
    if !is_lost || is_whole {
        return error;
    }
    advised(
        Damaged(one_line(&error)),
        "the file key is in the header: if that is gone, nothing of the file can be recovered, by anybody",
    )
}

/// The outcome for a file, as JSON. Lengths and offsets are bytes of plaintext.
#[derive(Serialize)]
struct LossMap {
    file: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    length: u64,
    recovered: u64,
    /// Whether the header is authentic and the end was found. If not, more may be missing or wrong than is listed.
    complete: bool,
    lost: Vec<Lost>,
}

#[derive(Serialize)]
struct Lost {
    offset: u64,
    length: u64,
}

impl LossMap {
    fn new(file: String, salvaged: &Salvaged, is_header_authentic: bool) -> Self {
        let lost = |range: &Range<u64>| Lost { offset: range.start, length: range.end - range.start };
        let complete = is_header_authentic && salvaged.has_final_chunk;
        let error = match complete {
            true if salvaged.lost.is_empty() => None,
            true => Some("parts of the file are lost"),
            false => Some("more may be lost than is listed"),
        };
        Self {
            file,
            ok: error.is_none(),
            status: error.map(|_| ExitStatus::Damaged as u8),
            error,
            length: salvaged.length,
            recovered: salvaged.recovered(),
            complete,
            lost: salvaged.lost.iter().map(lost).collect(),
        }
    }
}

/// A file on a damaged medium: sectors that cannot be read are zeros, which do not authenticate.
struct Lenient<'a>(&'a dyn ReadAt);

/// Bytes given up per read error: one sector on most media.
const SECTOR: usize = 4096;

impl ReadAt for Lenient<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(buffer, offset);
        if !matches!(&read, Err(error) if error.kind() != io::ErrorKind::Interrupted) {
            return read;
        }
        // Up to the next sector, so that no more than necessary is given up.
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

    /// A medium of ones, with sectors that cannot be read.
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
    fn unreadable_sectors_read_as_zeros() {
        let sector = SECTOR as u64;
        let bad = Bad(vec![2 * sector..3 * sector, 5 * sector..6 * sector]);
        for start in [0, 100, 2 * sector, 2 * sector + 7] {
            let mut bytes = vec![9; 8 * SECTOR];
            let mut filled = 0;
            while filled < bytes.len() {
                let count = Lenient(&bad).read_at(&mut bytes[filled..], start + filled as u64);
                filled += count.expect("unreadable sectors are no error");
            }
            for (offset, byte) in (start..).zip(bytes) {
                let lost = bad.0.iter().any(|bad| bad.contains(&offset));
                assert_eq!(byte, u8::from(!lost), "{offset}");
            }
        }
    }
}
