//! A file that does not exist under its name until it is whole.
//!
//! Where the system can (Linux, most file systems), it has no name at all until then, so that not even a killed process
//! leaves anything behind. Elsewhere it has a hidden name in the same folder, which is removed on failure and on the
//! signals that end a program.

use std::{
    ffi::OsStr,
    fs::{File, Metadata},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use tempfile::{Builder, TempPath};

use crate::{
    cli::{
        files::{
            permissions::{self, Mode},
            sparse::each_run,
        },
        platform::{self, signals},
    },
    crypto::WriteAt,
};

/// What to do when the final name is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overwrite {
    /// Refuse, and no flag permits it.
    Never,
    Refuse,
    Replace,
}

/// A file in the making.
pub(crate) struct Pending {
    file: File,
    hidden: Hidden,
    target: PathBuf,
    /// Where what is written in turn goes.
    cursor: u64,
    /// Where holes are left, how long the file is to be; None where they are not.
    holes: Option<AtomicU64>,
}

enum Hidden {
    #[cfg(target_os = "linux")]
    Unnamed,
    Named(TempPath),
}

/// How the name of a file in the making begins and ends: hidden, and recognisable should one ever be left behind.
const PREFIX: &str = ".solekey-";
const SUFFIX: &str = ".part";
/// Letters and digits between the two, at random.
const RANDOM: usize = 6;

fn hidden_name() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    builder
}

/// Whether a file is one that some run is making, or left behind.
pub(crate) fn is_in_the_making(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let random = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl Pending {
    /// Makes a file in the folder of `target`, with mode 0600.
    pub(crate) fn new(target: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Ok(file) = platform::create_unnamed(folder(target)) {
            return Ok(Self::of(file, Hidden::Unnamed, target));
        }
        Self::named(target)
    }

    fn named(target: &Path) -> io::Result<Self> {
        signals::tidy_up_on_signals()?;
        // Not by `tempfile_in`: its errors name the hidden file, which says nothing to anybody.
        let make = |path: &Path| signals::making(path, create_private);
        let (file, path) = hidden_name().make_in(folder(target), make)?.into_parts();
        Ok(Self::of(file, Hidden::Named(path), target))
    }

    fn of(file: File, hidden: Hidden, target: &Path) -> Self {
        Self { file, hidden, target: target.to_owned(), cursor: 0, holes: None }
    }

    /// From now on, blocks of zeros become holes.
    pub(crate) fn leave_holes(&mut self) {
        self.holes = Some(AtomicU64::new(self.cursor));
    }

    /// The file, to be read as it stands on the disk: what the system has of it in memory is given up, where it can be.
    pub(crate) fn read_back(&self) -> io::Result<File> {
        self.finish()?;
        self.file.sync_all()?;
        platform::forget(&self.file);
        self.file.try_clone()
    }

    /// How many bytes there are.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Takes off what there is beyond that many bytes.
    pub(crate) fn truncate(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    /// Writes all that is left of `file`, in turn; the system does it by itself where it can, without a look at the bytes.
    pub(crate) fn copy(&mut self, file: &mut File) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.cursor))?;
        self.cursor += io::copy(file, &mut self.file)?;
        Ok(())
    }

    /// Fills `buffer` from `offset`.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        platform::read_exact_at(&self.file, buffer, offset)
    }

    /// Gives the file its length, should it end in a hole.
    fn finish(&self) -> io::Result<()> {
        match &self.holes {
            Some(length) => self.file.set_len(length.load(Ordering::Relaxed)),
            None => Ok(()),
        }
    }

    /// Gives the file its mode, makes it durable, and only then its name.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if the name is taken and not to be replaced.
    pub(crate) fn commit(self, mode: Mode<'_>, overwrite: Overwrite) -> io::Result<()> {
        self.finish()?;
        let replaced = match overwrite {
            Overwrite::Replace => self.target.metadata().ok().filter(Metadata::is_file),
            Overwrite::Never | Overwrite::Refuse => None,
        };
        permissions::set(&self.file, mode, replaced.as_ref(), &self.target)?;
        self.file.sync_all()?;
        match self.hidden {
            #[cfg(target_os = "linux")]
            Hidden::Unnamed => match overwrite {
                Overwrite::Never | Overwrite::Refuse => platform::link(&self.file, &self.target)?,
                Overwrite::Replace => {
                    // A link does not replace a file, but a rename does: for an instant, there is a hidden name.
                    signals::tidy_up_on_signals()?;
                    let link = |path: &Path| signals::making(path, |path| platform::link(&self.file, path));
                    let linked: tempfile::NamedTempFile<()> = hidden_name().make_in(folder(&self.target), link)?;
                    let linked = linked.into_temp_path();
                    let hidden = linked.to_path_buf();
                    linked.persist(&self.target)?;
                    signals::settled(&hidden);
                }
            },
            Hidden::Named(path) => {
                let hidden = path.to_path_buf();
                match overwrite {
                    Overwrite::Never | Overwrite::Refuse => path.persist_noclobber(&self.target)?,
                    Overwrite::Replace => path.persist(&self.target)?,
                }
                signals::settled(&hidden);
            }
        }
        sync_folder(folder(&self.target));
        Ok(())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all_at(bytes, self.cursor)?;
        self.cursor += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteAt for Pending {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let Some(length) = &self.holes else { return platform::write_all_at(&self.file, bytes, offset) };
        length.fetch_max(offset + bytes.len() as u64, Ordering::Relaxed);
        each_run(bytes, offset, |run, offset| platform::write_all_at(&self.file, run, offset))
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

/// Makes a folder and those above it that are missing, each durable. As long as they have the names of a `model` and of those
/// above that, they get its rights.
pub(crate) fn make_folder(path: &Path, model: Option<&Path>) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let model = model.filter(|model| model.file_name() == path.file_name());
    let above = folder(path);
    make_folder(above, model.and_then(Path::parent))?;
    match permissions::folder_like(model).create(path) {
        // Another file of the run may need it, too.
        Err(_) if path.is_dir() => {}
        made => made?,
    }
    sync_folder(above);
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
        fs::{self, Permissions},
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

            make(&target)
                .and_then(|pending| {
                    pending.commit(Mode::Like { model: &model, access_list: false }, Overwrite::Replace)
                })
                .expect("it may");
            assert_eq!(fs::read(&target).expect("it is there"), b"");
            let replaced = target.metadata().expect("it is there");
            assert_eq!(replaced.mode() & 0o7777, 0o640);
            assert_eq!(replaced.modified().ok(), model.modified().ok());
            assert_eq!(names(folder.path()), ["x"]);
        }
    }
}
