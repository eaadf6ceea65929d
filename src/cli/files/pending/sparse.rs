//! Holes for blocks of zeros, which take no room on the disk.

use std::io;

/// Bytes in a block that becomes a hole if all of it is zeros: a page, and a block of most file systems.
const BLOCK: usize = 4096;

/// Calls `write` with every run of blocks that are not zeros, and its offset in the file. `offset` is that of `bytes`.
///
/// # Errors
///
/// Those of `write`.
pub(crate) fn each_run(
    bytes: &[u8],
    offset: u64,
    mut write: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let within_block = usize::try_from(offset % BLOCK as u64).expect("it is less than a block");
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes.len().min(at + BLOCK - (within_block + at) % BLOCK);
        if bytes[at..end] == [0; BLOCK][..end - at] {
            write(&bytes[start..at], offset + start as u64)?;
            start = end;
        }
        at = end;
    }
    write(&bytes[start..], offset + start as u64)
}
