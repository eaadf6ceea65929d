//! What Windows does in its own way.

use std::{fs::File, io};
use std::{
    fs::Metadata,
    os::windows::{fs::FileExt, io::AsHandle},
    path::PathBuf,
};

/// The path that these bytes are, which must be text here.
pub(crate) fn path(bytes: Vec<u8>) -> io::Result<PathBuf> {
    String::from_utf8(bytes).map(PathBuf::from).map_err(|_| io::Error::other("a name is not UTF-8"))
}

/// Reads from `offset`; 0 bytes mean the end.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    FileExt::seek_read(file, buffer, offset)
}

/// Fills `buffer` from `offset`.
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let count = file.seek_read(buffer, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[count..];
        offset += count as u64;
    }
    Ok(())
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = file.seek_write(bytes, offset)?;
        bytes = &bytes[count..];
        offset += count as u64;
    }
    Ok(())
}

/// There is no such rule here.
pub(crate) fn keep_memory_private() {}

/// Rights are not bits of a mode here, and nothing is said of them.
pub(crate) fn others_may_read(_: &Metadata) -> bool {
    false
}

/// How wide the terminal is, is not asked here.
pub(crate) fn columns() -> Option<u16> {
    None
}

/// How many names a file has is not told here.
pub(crate) fn names(_: &Metadata) -> u64 {
    1
}

/// Standard input without the library's buffer, so that nothing is read ahead of what is used.
pub(crate) fn stdin() -> io::Result<File> {
    Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
}

/// Devices are not told apart here.
pub(crate) fn is_disk(_: &Metadata) -> bool {
    false
}

/// Standard input has no other name here.
pub(crate) fn is_stdin(_: &std::path::Path) -> bool {
    false
}

/// Standard output without the library's line buffer.
pub(crate) fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

/// Here, a closed stream fails by itself.
pub(crate) fn was_closed(_: &File) -> io::Result<bool> {
    Ok(false)
}
