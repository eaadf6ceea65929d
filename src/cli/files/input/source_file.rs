//! The source of an output after reading: checks whether it has changed, and deletes it.

use std::{
    fs::{self, File, Metadata},
    io,
    path::Path,
};

use anyhow::{Context, Result};

use crate::{
    cli::{
        args::DASH,
        files::{input::place::Place, naming::display_name},
        platform::{self, FileHandle, FileId},
        terminal::{escape::quoted, messages::Messages},
    },
    crypto::{Sha256, secrecy::Zeroizing},
};

/// The file that was read, held so that no other can be mistaken for it.
pub(crate) struct SourceFile {
    /// `None` for standard input.
    pub(super) place: Option<Place>,
    pub(super) metadata: Option<Metadata>,
    pub(super) id: FileId,
    pub(super) file: File,
}

impl SourceFile {
    /// The name for messages.
    pub(crate) fn name(&self) -> String {
        display_name(self.place.as_ref().map_or(Path::new(DASH), |place| &place.path))
    }

    /// Deletes the file that was named, if it is still the one that was read.
    ///
    /// With `sha256`, the hash of the output's plaintext, the file is read once more right before deletion. Times alone are not
    /// enough: they are coarse, and programs can set the modification time or write through a mapping.
    ///
    /// # Errors
    ///
    /// Errors from the system.
    pub(crate) fn remove(&self, sha256: Option<[u8; 32]>, messages: &Messages) -> Result<Removal> {
        let Some(place) = &self.place else { return Ok(Removal::Removed) };
        let (name, path) = (quoted(&place.path), place.reachable());
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
            messages.warning(&format!("{name} was not deleted: it is a link"));
            return Ok(Removal::Removed);
        }
        let is_same = match sha256 {
            Some(sha256) => self.still_has(sha256).with_context(|| format!("cannot read {name} again"))?,
            None => true,
        };
        if !is_same || !self.is_still_named() || self.has_changed() {
            messages.warning(&format!("{name} was not deleted: it has changed since it was read"));
            return Ok(Removal::Kept);
        }
        fs::remove_file(path).with_context(|| format!("cannot delete {name}"))?;
        if self.has_hard_links() {
            messages.warning(&format!(
                "{name} was deleted, but the file has other names (hard links), which still have its content"
            ));
        }
        Ok(Removal::Removed)
    }

    /// Whether the file has these contents.
    fn still_has(&self, sha256: [u8; 32]) -> io::Result<bool> {
        let length = self.metadata.as_ref().map_or(0, Metadata::len);
        let mut buffer = Zeroizing::new(vec![0; usize::try_from(length).unwrap_or(usize::MAX).clamp(SMALL, AT_ONCE)]);
        let (mut hash, mut offset) = (Sha256::new(), 0);
        loop {
            match platform::read_at(&self.file, &mut buffer, offset) {
                Ok(0) => return Ok(hash.finish() == sha256),
                Ok(count) => {
                    hash.update(&buffer[..count]);
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the name that was opened still names this file.
    pub(crate) fn is_still_named(&self) -> bool {
        self.place.as_ref().is_none_or(|place| {
            let path = place.reachable();
            let named = if place.folder.is_some() { FileHandle::named(&path) } else { FileHandle::at(&path) };
            named.is_ok_and(|named| *named.id() == self.id)
        })
    }

    /// Whether the file had more than one name when it was opened.
    pub(crate) fn has_hard_links(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| platform::link_count(metadata) > 1)
    }

    /// Whether the file has changed since it was opened, judging by its length and times.
    pub(crate) fn has_changed(&self) -> bool {
        let now = self.file.metadata();
        let then = self.metadata.as_ref().filter(|then| then.is_file());
        then.is_some_and(|then| !now.is_ok_and(|now| is_same(&now, then)))
    }
}

/// The outcome for a source that was to be deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is gone, or was a link, which stays.
    Removed,
    /// It had changed, and was kept.
    Kept,
}

/// Bytes that are read at a time to compare a source.
const SMALL: usize = 4096;
const AT_ONCE: usize = 1 << 20;

fn is_same(now: &Metadata, then: &Metadata) -> bool {
    // Linking and unlinking change the time of change too, and two names of a file may be inputs of one run.
    let links_differ = platform::link_count(now) != platform::link_count(then);
    now.len() == then.len()
        && now.modified().ok() == then.modified().ok()
        && (links_differ || platform::change_time(now) == platform::change_time(then))
}
