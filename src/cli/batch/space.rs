//! Detects a shortage of disk space before the work begins, where possible.

use std::path::Path;

use anyhow::{Result, anyhow};

use crate::cli::{
    files::target::Target,
    platform,
    terminal::{advice::Advise, progress::human_bytes},
};

/// Outputs smaller than this many bytes are not checked: they fail soon enough.
const SMALL: u64 = 16 << 20;

/// Fails if a file of `size` bytes does not fit on the target's file system. The file that it replaces stays until the new one is
/// complete.
///
/// # Errors
///
/// If it does not fit, provided that the system reports the free space.
pub(crate) fn check(target: &Target, size: Option<u64>) -> Result<()> {
    let Some((folder, size)) = target.folder().zip(size.filter(|size| *size > SMALL)) else { return Ok(()) };
    let existing = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    match platform::free_space(existing) {
        Some(free) if free < size => {
            let (size, free) = (human_bytes(size), human_bytes(free));
            Err(anyhow!("{} needs {size}, but only {free} is free", target.name()))
                .hint("free some space, or choose another place with -o or -O; nothing was written")
        }
        _ => Ok(()),
    }
}
