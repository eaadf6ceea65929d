//! A file system in user space that passes everything through to a folder, but for faults that some real ones have.
//!
//! It speaks the kernel's protocol itself, which takes no library: <https://docs.kernel.org/filesystems/fuse.html> and
//! `linux/fuse.h`. Mounting needs root.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::{self, File, Metadata, OpenOptions, Permissions, ReadDir},
    io::{self, Read, Write},
    os::{
        fd::AsRawFd,
        unix::{
            ffi::OsStrExt,
            fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
        },
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use crate::{
    requirements::skip,
    sandbox::{Sandbox, is_root},
};

const EPERM: i32 = 1;
pub(crate) const EIO: i32 = 5;
pub(crate) const EINVAL: i32 = 22;
pub(crate) const ESPIPE: i32 = 29;
const EBADF: i32 = 9;
const EEXIST: i32 = 17;
const ENOENT: i32 = 2;
const ENOSYS: i32 = 38;

/// The faults of a file system.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    /// The error of writing anywhere but at the end of a file, and of cutting a file that is not empty.
    pub(crate) out_of_order: Option<i32>,
    /// The error of closing a file that was written.
    pub(crate) close: Option<i32>,
    /// Nothing can be written once the program under test has closed a descriptor of a file.
    pub(crate) ends_at_close: bool,
    /// The size that files are said to have, if they are longer.
    pub(crate) size: Option<u64>,
    /// Files cannot be deleted, but renamed to names that are free.
    pub(crate) no_deletion: bool,
    /// There are neither hard links nor renames that replace nothing.
    pub(crate) no_links: bool,
}

/// A mounted file system. Dropping it unmounts it.
pub(crate) struct PassThrough {
    at: PathBuf,
}

impl PassThrough {
    /// Passes the folder `backing` of the sandbox through to its folder `m`. Both are made if they are missing.
    #[track_caller]
    pub(crate) fn mount(sandbox: &Sandbox, faults: Faults) -> Option<Self> {
        if !is_root() || !Path::new("/dev/fuse").exists() {
            skip("file systems in user space need root and /dev/fuse");
            return None;
        }
        let (at, backing) = (sandbox.path("m"), sandbox.path("backing"));
        [&at, &backing].iter().for_each(|folder| fs::create_dir_all(folder).expect("the sandbox is writable"));
        let device = OpenOptions::new().read(true).write(true).open("/dev/fuse").expect("root may open it");
        let stdin = device.try_clone().expect("there are descriptors");
        let options = "fd=0,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions";
        let mut mount = Command::new("mount");
        mount.args(["-i", "-t", "fuse", "-o", options, "pass-through"]).arg(&at).stdin(Stdio::from(stdin));
        let mounted = mount.output().expect("mount can be run");
        if !mounted.status.success() {
            skip(&format!("nothing can be mounted here: {}", String::from_utf8_lossy(&mounted.stderr)));
            return None;
        }
        thread::spawn(move || Server::new(backing, faults).serve(device));
        Some(Self { at })
    }
}

impl Drop for PassThrough {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

/// What the kernel calls by number.
struct Server {
    faults: Faults,
    nodes: HashMap<u64, PathBuf>,
    next: u64,
    files: HashMap<u64, Handle>,
}

struct Handle {
    node: u64,
    file: File,
    is_written: bool,
    has_ended: bool,
}

/// A request, without its header.
struct Arguments<'a>(&'a [u8]);

impl<'a> Arguments<'a> {
    fn u32(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.0[at..at + 4].try_into().expect("it has four bytes"))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.0[at..at + 8].try_into().expect("it has eight bytes"))
    }

    /// The names from `at`, each of which ends with a zero.
    fn names(&self, at: usize) -> impl Iterator<Item = &'a Path> {
        self.0[at..].split(|byte| *byte == 0).map(|name| Path::new(OsStr::from_bytes(name)))
    }

    fn name(&self, at: usize) -> &'a Path {
        self.names(at).next().expect("there is a name")
    }
}

fn refuse<T>(errno: i32) -> io::Result<T> {
    Err(io::Error::from_raw_os_error(errno))
}

/// `FOPEN_DIRECT_IO`: the kernel keeps nothing in memory, and asks for bytes beyond the size.
const DIRECT: u32 = 1;

impl Server {
    fn new(backing: PathBuf, faults: Faults) -> Self {
        Self { faults, nodes: HashMap::from([(1, backing)]), next: 1, files: HashMap::new() }
    }

    /// Answers until the file system is unmounted.
    fn serve(mut self, mut device: File) {
        let mut buffer = vec![0; 1 << 20];
        while let Ok(length) = device.read(&mut buffer) {
            let header = Arguments(&buffer[..length]);
            let (opcode, node, process) = (header.u32(4), header.u64(16), header.u32(32));
            // FORGET and BATCH_FORGET have no answer.
            if matches!(opcode, 2 | 42) {
                continue;
            }
            let answer = self.answer(opcode, node, process, &Arguments(&header.0[40..]));
            let (error, body) = match answer {
                Ok(body) => (0, body),
                Err(error) => (-error.raw_os_error().unwrap_or(EIO), Vec::new()),
            };
            let length = u32::try_from(16 + body.len()).expect("answers are short");
            let answer = [&length.to_ne_bytes()[..], &error.to_ne_bytes(), &header.0[8..16], &body].concat();
            // The caller may be gone.
            let _ = device.write(&answer);
        }
    }

    fn answer(&mut self, opcode: u32, node: u64, process: u32, arguments: &Arguments<'_>) -> io::Result<Vec<u8>> {
        let path = |node: u64| self.nodes.get(&node).cloned().ok_or_else(|| io::Error::from_raw_os_error(EBADF));
        match opcode {
            1 => {
                let path = path(node)?.join(arguments.name(0));
                self.entry(path)
            }
            3 => self.attributes_of(node),
            4 => self.set_attributes(node, arguments),
            8 => {
                let path = path(node)?.join(arguments.name(16));
                self.create(&path, arguments.u32(0))?;
                self.entry(path)
            }
            9 => {
                let path = path(node)?.join(arguments.name(8));
                fs::create_dir(&path)?;
                self.entry(path)
            }
            10 if self.faults.no_deletion => refuse(EPERM),
            10 => {
                let path = path(node)?.join(arguments.name(0));
                fs::remove_file(&path)?;
                self.nodes.retain(|_, known| *known != path);
                Ok(Vec::new())
            }
            11 => done(fs::remove_dir(path(node)?.join(arguments.name(0)))),
            12 => self.rename(&path(node)?, 0, &path(arguments.u64(0))?, arguments.names(8)),
            45 => self.rename(&path(node)?, arguments.u32(8), &path(arguments.u64(0))?, arguments.names(16)),
            13 if self.faults.no_links => refuse(EPERM),
            13 => {
                let (from, to) = (path(arguments.u64(0))?, path(node)?.join(arguments.name(8)));
                fs::hard_link(from, &to)?;
                self.entry(to)
            }
            14 => {
                let path = path(node)?;
                // O_WRONLY and O_RDWR. The file is read too, since a fault may ask for its length.
                let writes = arguments.u32(0) & 3 != 0;
                let file = OpenOptions::new().read(true).write(writes).open(path)?;
                self.open(node, file)
            }
            35 => {
                let path = path(node)?.join(arguments.name(16));
                let file = self.create(&path, arguments.u32(4))?;
                let entry = self.entry(path)?;
                let opened = self.open(Arguments(&entry).u64(0), file)?;
                Ok([entry, opened].concat())
            }
            15 => {
                let mut bytes = vec![0; arguments.u32(16) as usize];
                let count = self.handle(arguments)?.file.read_at(&mut bytes, arguments.u64(8))?;
                bytes.truncate(count);
                Ok(bytes)
            }
            16 => self.write(arguments),
            17 => statistics(),
            25 => self.close(process, arguments),
            18 => {
                self.files.remove(&arguments.u64(0));
                Ok(Vec::new())
            }
            20 => done(self.handle(arguments)?.file.sync_all()),
            26 => Ok(hello()),
            27 => Ok(vec![0; 16]),
            28 if arguments.u64(8) > 0 => Ok(Vec::new()),
            28 => Ok(list(fs::read_dir(path(node)?)?)),
            29 | 30 => Ok(Vec::new()),
            _ => refuse(ENOSYS),
        }
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(mode & 0o7777).open(path)
    }

    fn open(&mut self, node: u64, file: File) -> io::Result<Vec<u8>> {
        let number = self.files.keys().max().unwrap_or(&0) + 1;
        self.files.insert(number, Handle { node, file, is_written: false, has_ended: false });
        Ok([&number.to_ne_bytes()[..], &DIRECT.to_ne_bytes(), &[0; 4]].concat())
    }

    fn handle(&mut self, arguments: &Arguments<'_>) -> io::Result<&mut Handle> {
        self.files.get_mut(&arguments.u64(0)).ok_or_else(|| io::Error::from_raw_os_error(EBADF))
    }

    fn write(&mut self, arguments: &Arguments<'_>) -> io::Result<Vec<u8>> {
        let (offset, length) = (arguments.u64(8), arguments.u32(16));
        let out_of_order = self.faults.out_of_order;
        let handle = self.handle(arguments)?;
        if handle.has_ended {
            return refuse(EIO);
        }
        if let Some(errno) = out_of_order
            && offset != handle.file.metadata()?.len()
        {
            return refuse(errno);
        }
        handle.file.write_all_at(&arguments.0[40..][..length as usize], offset)?;
        handle.is_written = true;
        Ok([length.to_ne_bytes(), [0; 4]].concat())
    }

    fn close(&mut self, process: u32, arguments: &Arguments<'_>) -> io::Result<Vec<u8>> {
        let Faults { close, ends_at_close, .. } = self.faults;
        let handle = self.handle(arguments)?;
        // A shell that redirects closes descriptors too.
        let caller = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        handle.has_ended |= ends_at_close && caller.starts_with("solekey");
        match close.filter(|_| handle.is_written) {
            Some(errno) => refuse(errno),
            None => Ok(Vec::new()),
        }
    }

    fn rename<'n>(
        &mut self,
        from: &Path,
        flags: u32,
        to: &Path,
        mut names: impl Iterator<Item = &'n Path>,
    ) -> io::Result<Vec<u8>> {
        let mut name = || names.next().expect("there are two names");
        let (from, to) = (from.join(name()), to.join(name()));
        let (replaces, exists) = (flags == 0, to.symlink_metadata().is_ok());
        if !replaces && self.faults.no_links {
            return refuse(EINVAL);
        }
        if exists && self.faults.no_deletion {
            return refuse(EPERM);
        }
        if exists && !replaces {
            return refuse(EEXIST);
        }
        fs::rename(&from, &to)?;
        self.nodes.retain(|_, path| *path != to);
        self.nodes.values_mut().filter(|path| **path == from).for_each(|path| path.clone_from(&to));
        Ok(Vec::new())
    }

    fn set_attributes(&mut self, node: u64, arguments: &Arguments<'_>) -> io::Result<Vec<u8>> {
        const MODE: u32 = 1;
        const OWNER: u32 = 2 | 4;
        const SIZE: u32 = 8;
        const MODIFIED: u32 = 32;
        let valid = arguments.u32(0);
        let open = self.files.values().find(|handle| handle.node == node);
        let file = match (self.nodes.get(&node), open) {
            (Some(path), _) => File::open(path)?,
            (None, Some(open)) => open.file.try_clone()?,
            (None, None) => return refuse(EBADF),
        };
        if valid & SIZE != 0 {
            let (size, now) = (arguments.u64(16), file.metadata()?.len());
            if let Some(errno) = self.faults.out_of_order.filter(|_| size != 0 && size != now) {
                return refuse(errno);
            }
            OpenOptions::new().write(true).open(format!("/proc/self/fd/{}", file.as_raw_fd()))?.set_len(size)?;
        }
        if valid & MODE != 0 {
            file.set_permissions(Permissions::from_mode(arguments.u32(68) & 0o7777))?;
        }
        if valid & OWNER != 0 {
            fchown(&file, (valid & 2 != 0).then(|| arguments.u32(76)), (valid & 4 != 0).then(|| arguments.u32(80)))?;
        }
        if valid & MODIFIED != 0 {
            let time = Duration::new(arguments.u64(40), arguments.u32(60));
            file.set_modified(SystemTime::UNIX_EPOCH + time)?;
        }
        self.attributes_of(node)
    }

    fn attributes_of(&self, node: u64) -> io::Result<Vec<u8>> {
        let named = self.nodes.get(&node).and_then(|path| path.symlink_metadata().ok());
        let open = || self.files.values().find(|handle| handle.node == node).map(|handle| handle.file.metadata());
        let metadata = match named {
            Some(metadata) => metadata,
            None => open().unwrap_or_else(|| refuse(ENOENT))?,
        };
        Ok([&[0; 16][..], &self.attributes(&metadata)].concat())
    }

    /// A file and the number that the kernel knows it by.
    fn entry(&mut self, path: PathBuf) -> io::Result<Vec<u8>> {
        let attributes = self.attributes(&path.symlink_metadata()?);
        let known = self.nodes.iter().find(|(_, known)| **known == path).map(|(node, _)| *node);
        let node = known.unwrap_or_else(|| {
            self.next += 1;
            self.nodes.insert(self.next, path);
            self.next
        });
        Ok([&node.to_ne_bytes()[..], &[0; 32], &attributes].concat())
    }

    fn attributes(&self, metadata: &Metadata) -> Vec<u8> {
        let size = self.faults.size.filter(|_| metadata.is_file()).unwrap_or(u64::MAX).min(metadata.len());
        let seconds = [metadata.atime(), metadata.mtime(), metadata.ctime()].map(|time| time.cast_unsigned());
        let nanoseconds = [metadata.atime_nsec(), metadata.mtime_nsec(), metadata.ctime_nsec()];
        let longs = [metadata.ino(), size, metadata.blocks(), seconds[0], seconds[1], seconds[2]];
        let short = |number: u64| u32::try_from(number).expect("it is small");
        let shorts = [
            short(nanoseconds[0].cast_unsigned()),
            short(nanoseconds[1].cast_unsigned()),
            short(nanoseconds[2].cast_unsigned()),
            metadata.mode(),
            short(metadata.nlink()),
            metadata.uid(),
            metadata.gid(),
            0,
            4096,
            0,
        ];
        longs
            .iter()
            .flat_map(|long| long.to_ne_bytes())
            .chain(shorts.iter().flat_map(|short| short.to_ne_bytes()))
            .collect()
    }
}

fn done(result: io::Result<()>) -> io::Result<Vec<u8>> {
    result.map(|()| Vec::new())
}

/// The answer to INIT: version 7.31, with large writes.
fn hello() -> Vec<u8> {
    const BIG_WRITES: u32 = 1 << 5;
    const MAX_WRITE: u32 = 128 << 10;
    let words = [7, 31, 0, BIG_WRITES, 0, MAX_WRITE, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    words.iter().flat_map(|word: &u32| word.to_ne_bytes()).collect()
}

/// The names in a folder, which has few.
fn list(entries: ReadDir) -> Vec<u8> {
    let mut listed = Vec::new();
    for (index, entry) in entries.flatten().enumerate() {
        let name = entry.file_name();
        let length = u32::try_from(name.len()).expect("names are short");
        listed.extend(1_u64.to_ne_bytes());
        listed.extend((index as u64 + 1).to_ne_bytes());
        listed.extend([length.to_ne_bytes(), [0; 4]].concat());
        listed.extend(name.as_bytes());
        listed.resize(listed.len().next_multiple_of(8), 0);
    }
    listed
}

/// Room for a terabyte.
fn statistics() -> io::Result<Vec<u8>> {
    let blocks = [1_u64 << 28; 5];
    let words = [4096_u32, 255, 4096, 0, 0, 0, 0, 0, 0, 0];
    Ok(blocks
        .iter()
        .flat_map(|long| long.to_ne_bytes())
        .chain(words.iter().flat_map(|word| word.to_ne_bytes()))
        .collect())
}
