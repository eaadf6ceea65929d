//! What Windows does in its own way.

use std::{
    fs::{File, Metadata},
    io,
    os::windows::{fs::FileExt, io::AsHandle},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::cli::platform::ownership::Ownership;

/// The console, whatever standard input is.
pub(crate) const TERMINAL_INPUT: &str = "CONIN$";
/// The console, whatever standard output is.
pub(crate) const TERMINAL_OUTPUT: &str = "CONOUT$";

/// Volume and index: equal for two handles of one file, however it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileId(Arc<same_file::Handle>);

impl FileId {
    /// The identity of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self(Arc::new(same_file::Handle::from_file(file.try_clone()?)?)))
    }

    pub(super) fn at(path: &Path, held: Option<&File>, _: &Metadata) -> io::Result<Self> {
        match held {
            Some(file) => Self::of(file),
            None => Ok(Self(Arc::new(same_file::Handle::from_path(path)?))),
        }
    }
}

/// The path with these bytes, which must be UTF-8 here.
pub(crate) fn path(bytes: Vec<u8>) -> io::Result<PathBuf> {
    String::from_utf8(bytes).map(PathBuf::from).map_err(|_| io::Error::other("a name is not UTF-8"))
}

/// Reads up to `buffer.len()` bytes from `offset`; 0 means the end.
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
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
        offset += count as u64;
    }
    Ok(())
}

/// Does nothing: there is no such rule here.
pub(crate) fn keep_memory_private() {}

/// False: permissions are not bits of a mode here.
pub(crate) fn others_may_read(_: &Metadata) -> bool {
    false
}

/// `None`: the width of the console is not asked for here.
pub(crate) fn columns() -> Option<u16> {
    None
}

/// 1: the number of hard links is not told here.
pub(crate) fn link_count(_: &Metadata) -> u64 {
    1
}

/// Standard input without the library's buffer, so that nothing is read beyond what is used.
pub(crate) fn stdin() -> io::Result<File> {
    Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
}

/// Standard output without the library's line buffer.
pub(crate) fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

/// False: devices are not told apart here.
pub(crate) fn is_block_device(_: &Metadata) -> bool {
    false
}

/// False: standard input has no other name here.
pub(crate) fn is_stdin(_: &Path) -> bool {
    false
}

/// False: a closed stream fails by itself here.
pub(crate) fn was_closed(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// `None`: files have no owner, group and mode here.
pub(crate) fn ownership(_: &Metadata) -> Option<Ownership> {
    None
}

/// Unsupported.
pub(crate) fn set_owner(_: &File, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Unsupported.
pub(crate) fn set_group(_: &File, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Unsupported.
pub(crate) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// 0: there is no such mask here.
pub(crate) fn umask() -> u32 {
    0
}

/// Creates a file for reading and writing. Its name must be free.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create_new(true).open(path)
}

/// Creates a folder.
pub(crate) fn create_folder(path: &Path, _: Option<u32>) -> io::Result<()> {
    std::fs::create_dir(path)
}

/// Does nothing: folders cannot be synced here.
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
