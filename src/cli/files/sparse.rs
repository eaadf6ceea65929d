//! Blocks of zeros that become holes: what is not written takes no room on the disk.

use std::io;

/// Bytes of a block that is a hole if all of it is zeros: a page, and a block of most file systems.
const BLOCK: usize = 4096;

/// Gives all runs of blocks that are not zeros to `write`, with their offsets.
pub(crate) fn each_run(
    bytes: &[u8],
    offset: u64,
    mut write: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let within = usize::try_from(offset % BLOCK as u64).expect("it is less than a block");
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes.len().min(at + BLOCK - (within + at) % BLOCK);
        if bytes[at..end] == [0; BLOCK][..end - at] {
            write(&bytes[start..at], offset + start as u64)?;
            start = end;
        }
        at = end;
    }
    write(&bytes[start..], offset + start as u64)
}
