//! Shortage of space, as far as it can be known before the work.

use std::path::Path;

use anyhow::{Result, anyhow};

use crate::cli::{
    files::target::Target,
    platform,
    terminal::{advice::Advise, progress::human_bytes},
};

/// Bytes in outputs that are too small to ask for: they fail soon enough.
const SMALL: u64 = 16 << 20;

/// Fails if a file of `size` bytes does not fit where the target is. What the target replaces stays until it is whole.
///
/// # Errors
///
/// Then, if the system tells how much is free.
pub(crate) fn check(target: &Target, size: Option<u64>) -> Result<()> {
    let Some((folder, size)) = target.folder().zip(size.filter(|size| *size > SMALL)) else { return Ok(()) };
    let existing = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    match platform::free_space(existing) {
        Some(free) if free < size => {
            let (size, free) = (human_bytes(size), human_bytes(free));
            Err(anyhow!("{} would take {size}, and {free} are free", target.name()))
                .hint("make room, or choose another place with -o or -O; nothing was written")
        }
        _ => Ok(()),
    }
}
