//! A file that does not exist under its name until it is whole.
//!
//! Where the system can (Linux, most file systems), it has no name at all until then, so that not even a killed process
//! leaves anything behind. Elsewhere it has a hidden name in the same folder, which is removed on failure and on the
//! signals that end a program.

use std::{
    fs::{File, FileTimes, Metadata, Permissions},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile, TempPath};

use crate::crypto::WriteAt;

use super::{interrupt, system};

/// Bytes that are read back at a time.
const READ_BACK: usize = 256 * 1024;

/// What to do when the final name is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overwrite {
    /// Refuse, and no flag permits it.
    Never,
    Refuse,
    Replace,
}

/// What the committed file is like.
#[derive(Clone, Copy)]
pub(crate) enum Mode<'a> {
    /// Mode bits and modification time of the file it was made from.
    Like(&'a Metadata),
    /// Readable by whom the umask lets.
    Umask,
    /// Readable by its owner alone.
    Private,
}

/// A file in the making.
pub(crate) struct Pending {
    file: File,
    hidden: Hidden,
    target: PathBuf,
}

enum Hidden {
    #[cfg(target_os = "linux")]
    Unnamed,
    Named(TempPath),
}

/// Hidden, and recognisable should one ever be left behind.
fn hidden_name() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".solekey-").suffix(".part");
    builder
}

impl Pending {
    /// Makes a file in the folder of `target`, with mode 0600.
    pub(crate) fn new(target: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Ok(file) = system::create_unnamed(folder(target)) {
            return Ok(Self { file, hidden: Hidden::Unnamed, target: target.to_owned() });
        }
        Self::named(target)
    }

    fn named(target: &Path) -> io::Result<Self> {
        interrupt::tidy_up_on_signals()?;
        // Not by `tempfile_in`: its errors name the hidden file, which says nothing to anybody.
        let (file, path) = hidden_name().make_in(folder(target), create_private)?.into_parts();
        interrupt::pending(&path);
        Ok(Self { file, hidden: Hidden::Named(path), target: target.to_owned() })
    }

    /// Reads all of the file, part by part, and returns how long it is.
    pub(crate) fn read_back(&mut self, mut part: impl FnMut(&[u8])) -> io::Result<u64> {
        let mut buffer = vec![0; READ_BACK];
        let mut read = 0;
        self.file.rewind()?;
        loop {
            match self.file.read(&mut buffer) {
                Ok(0) => return Ok(read),
                Ok(count) => {
                    part(&buffer[..count]);
                    read += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the file its mode, makes it durable, and only then its name.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken and not to be replaced.
    pub(crate) fn commit(self, mode: Mode<'_>, overwrite: Overwrite) -> io::Result<()> {
        set_mode(&self.file, mode)?;
        self.file.sync_all()?;
        match self.hidden {
            #[cfg(target_os = "linux")]
            Hidden::Unnamed => match overwrite {
                Overwrite::Never | Overwrite::Refuse => system::link(&self.file, &self.target)?,
                Overwrite::Replace => {
                    // A link does not replace a file, but a rename does.
                    let link = |path: &Path| system::link(&self.file, path);
                    let linked: NamedTempFile<()> = hidden_name().make_in(folder(&self.target), link)?;
                    linked.into_temp_path().persist(&self.target)?;
                }
            },
            Hidden::Named(path) => {
                let hidden = path.to_path_buf();
                match overwrite {
                    Overwrite::Never | Overwrite::Refuse => path.persist_noclobber(&self.target)?,
                    Overwrite::Replace => path.persist(&self.target)?,
                }
                interrupt::settled(&hidden);
            }
        }
        sync_folder(folder(&self.target));
        Ok(())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteAt for Pending {
    #[cfg(unix)]
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, offset)
    }

    #[cfg(windows)]
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = std::os::windows::fs::FileExt::seek_write(&self.file, bytes, offset)?;
            bytes = &bytes[count..];
            offset += count as u64;
        }
        Ok(())
    }
}

/// The folder that a file is in.
pub(crate) fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn set_mode(file: &File, mode: Mode<'_>) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let bits = match mode {
            // Without set-user-ID and its like, which are not for copies.
            Mode::Like(model) => model.permissions().mode() & 0o777,
            Mode::Umask => 0o666 & !system::umask(),
            Mode::Private => 0o600,
        };
        file.set_permissions(Permissions::from_mode(bits))?;
    }
    if let Mode::Like(model) = mode
        && let Ok(modified) = model.modified()
    {
        file.set_times(FileTimes::new().set_modified(modified))?;
    }
    Ok(())
}

/// Makes the new name durable, where the system lets us: a folder may be writable but not readable, and not all file
/// systems can. The file is whole either way.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt},
    };

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn nothing_appears_before_commit_and_nothing_stays_without() {
        for make in [Pending::new, Pending::named] {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let target = folder.path().join("x");
            let mut pending = make(&target).expect("a file can be made");
            pending.write_all(b"half").expect("the file takes it");
            assert!(!target.exists());
            drop(pending);
            assert!(names(folder.path()).is_empty());

            let mut pending = make(&target).expect("a file can be made");
            pending.write_all(b"whole").expect("the file takes it");
            pending.commit(Mode::Private, Overwrite::Refuse).expect("the name is free");
            assert_eq!(fs::read(&target).expect("it is there"), b"whole");
            assert_eq!(target.metadata().expect("it is there").mode() & 0o7777, 0o600);
            assert_eq!(names(folder.path()), ["x"]);
        }
    }

    #[test]
    fn an_existing_file_is_replaced_only_on_demand() {
        for make in [Pending::new, Pending::named] {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let target = folder.path().join("x");
            fs::write(&target, "old").expect("the folder takes it");
            fs::set_permissions(&target, Permissions::from_mode(0o640)).expect("it is ours");
            let model = target.metadata().expect("it is there");

            let refused = make(&target).expect("a file can be made").commit(Mode::Umask, Overwrite::Refuse);
            assert_eq!(refused.expect_err("the name is taken").kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&target).expect("it is there"), b"old");

            make(&target).and_then(|pending| pending.commit(Mode::Like(&model), Overwrite::Replace)).expect("it may");
            assert_eq!(fs::read(&target).expect("it is there"), b"");
            let replaced = target.metadata().expect("it is there");
            assert_eq!(replaced.mode() & 0o7777, 0o640);
            assert_eq!(replaced.modified().ok(), model.modified().ok());
            assert_eq!(names(folder.path()), ["x"]);
        }
    }
}
