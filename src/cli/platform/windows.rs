//! The platform functions for Windows.

use std::{
    fs::{File, Metadata},
    io,
    os::windows::{fs::FileExt, io::AsHandle},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    cli::platform::{held::links::Links, ownership::Ownership, typed_ahead::TypedAhead},
    crypto::secrecy::Zeroizing,
};

/// The console, whatever standard input is.
pub(crate) const TERMINAL_INPUT: &str = "CONIN$";
/// The console, whatever standard output is.
pub(crate) const TERMINAL_OUTPUT: &str = "CONOUT$";

/// Volume and index: equal for two handles of one file, however it was named. `None` for a console, which has no such numbers
/// and equals nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileId(Option<(u64, u64)>);

impl FileId {
    /// The identity of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from_information(winapi_util::file::information(file)))
    }

    /// The identity of the file that `path` names.
    pub(super) fn at(path: &Path, _: Option<&File>, _: &Metadata) -> io::Result<Self> {
        Ok(Self::from_information(winapi_util::file::information(winapi_util::Handle::from_path_any(path)?)))
    }

    /// The identity of an open file that a path named.
    pub(crate) fn of_opened(_: &Path, file: &File, _: &Metadata) -> io::Result<Self> {
        Self::of(file)
    }

    /// The identity of what has a name now, with its metadata. Nothing is held.
    pub(crate) fn of_name(path: &Path, links: Links) -> io::Result<(Self, Metadata)> {
        let metadata = links.metadata(path)?;
        Ok((Self::at(path, None, &metadata)?, metadata))
    }

    /// Both numbers, or `None` for a console.
    pub(crate) fn numbers(&self) -> Option<(u64, u64)> {
        self.0
    }

    fn from_information(information: io::Result<winapi_util::file::Information>) -> Self {
        Self(information.ok().map(|found| (found.volume_serial_number(), found.file_index())))
    }
}

impl PartialEq for FileId {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_some() && self.0 == other.0
    }
}

/// Looks at what `path` names, and holds nothing: a file that is open cannot be replaced here.
pub(crate) fn hold(path: &Path, links: Links) -> io::Result<(Option<File>, Metadata)> {
    Ok((None, links.metadata(path)?))
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

/// `None`: the console's width is not queried.
pub(crate) fn columns() -> Option<u16> {
    None
}

/// Unsupported: here a lock keeps others from reading.
pub(crate) fn lock(_: &File) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Opens a file for reading.
pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Whether a file takes space on a disk: true, since no file here is generated while it is read.
pub(crate) fn takes_space(_: &Metadata) -> bool {
    true
}

/// 1: the number of hard links is not available.
pub(crate) fn link_count(_: &Metadata) -> u64 {
    1
}

/// `None`: the standard library does not tell it here.
pub(crate) fn change_time(_: &Metadata) -> Option<(i64, i64)> {
    None
}

/// Standard input without the library's buffer, so that nothing is read beyond what is used.
pub(crate) fn stdin() -> io::Result<File> {
    Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
}

/// Standard output without the library's line buffer.
pub(crate) fn stdout() -> io::Result<Arc<File>> {
    Ok(Arc::new(File::from(io::stdout().as_handle().try_clone_to_owned()?)))
}

/// Does nothing: closing a file reports no failure here.
pub(crate) fn close_duplicate(_: &File) -> io::Result<()> {
    Ok(())
}

/// Does nothing: descriptors always block here.
pub(crate) fn wait_to_read(_: &File) -> io::Result<()> {
    Ok(())
}

/// Does nothing, as [`wait_to_read`] does.
pub(crate) fn wait_to_write(_: &File) -> io::Result<()> {
    Ok(())
}

/// True, as [`can_read_within`].
pub(crate) fn can_write_within(_: &File, _: Duration) -> io::Result<bool> {
    Ok(true)
}

/// True: a pipe cannot be asked here.
pub(crate) fn can_read_within(_: &File, _: Duration) -> io::Result<bool> {
    Ok(true)
}

/// Unsupported: only standard input can be named by its number.
pub(crate) fn descriptor(number: u32) -> io::Result<File> {
    if number == 0 { stdin() } else { Err(io::ErrorKind::Unsupported.into()) }
}

/// While it lives, the console shows nothing that is typed as an answer.
pub(crate) struct HiddenInput(());

impl HiddenInput {
    /// Does nothing: each question hides its answer, and what was typed before is kept.
    pub(crate) fn begin(_: TypedAhead) -> io::Result<Self> {
        Ok(Self(()))
    }

    /// Shows a question and reads the line that answers it, without its line ending.
    #[allow(clippy::unused_self, reason = "elsewhere the terminal's settings are in it")]
    pub(crate) fn ask(&self, question: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        rpassword::prompt_password(question).map(|answer| Zeroizing::new(answer.into_bytes()))
    }
}

/// Standard error without the library's lock.
pub(crate) fn stderr() -> io::Result<File> {
    Ok(File::from(io::stderr().as_handle().try_clone_to_owned()?))
}

/// False: block devices are not recognised.
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

/// 0: users have no numbers here.
pub(crate) fn user() -> u32 {
    0
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

/// `None`: it is not asked for here.
pub(crate) fn free_space(_: &Path) -> Option<u64> {
    None
}

/// `None`: metadata do not tell.
pub(crate) fn file_number(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// `None`: there is no limit that matters.
pub(crate) fn open_files_limit() -> Option<u64> {
    None
}

/// Does nothing: folders cannot be synced here.
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
