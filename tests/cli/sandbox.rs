//! A temporary folder for each test, and ways to run the program in it: no terminal, no settings, and the folder as home.

#![allow(dead_code, reason = "the torture tests use only part of it")]

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File, Permissions},
    io::{Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::requirements::{installed, which};

/// Bytes of plaintext in a chunk.
pub(crate) const CHUNK: usize = 64 * 1024;
/// Bytes of plaintext that one thread handles at a time.
pub(crate) const SEGMENT: usize = 16 * CHUNK;
/// Lengths on and around the boundaries of chunks and segments, in bytes.
pub(crate) const LENGTHS: [usize; 9] =
    [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 500];

/// The program under test.
pub(crate) const SOLEKEY: &str = env!("CARGO_BIN_EXE_solekey");

/// The words that start a program without the terminal and the ignored signals of the tests: none, if the tests have neither. Each
/// costs a millisecond, and there are ten thousand programs to start. Whole paths, as in [`Sandbox::detached`].
static DETACHING: LazyLock<Vec<OsString>> = LazyLock::new(|| {
    let mut words = Vec::new();
    // Tests that run in the background may ignore signals, and the program would inherit and respect that.
    if ignores_signals() {
        let resets = Command::new("env").args(["--default-signal", "true"]).stderr(Stdio::null()).status();
        if resets.is_ok_and(|status| status.success()) {
            words.extend(which("env").map(OsString::from));
            words.push("--default-signal".into());
        }
    }
    // In a new session, the program has no terminal to prompt on.
    if File::open("/dev/tty").is_ok() {
        words.extend(which("setsid").map(OsString::from));
    }
    words
});

/// Whether this process ignores a signal other than SIGPIPE, which every Rust program ignores and resets for others.
fn ignores_signals() -> bool {
    const SIGPIPE: u64 = 1 << 12;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t"));
    ignored.is_none_or(|mask| u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & !SIGPIPE != 0))
}

/// Seconds that a test waits for a program. Generous, because the machine may be busy; only a failing test waits this long.
const PATIENCE: u64 = 120;

/// A temporary folder in which commands run.
pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    /// Creates an empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be created") }
    }

    /// Creates a folder with an identity in `key.txt`, and returns it with that identity's recipient.
    pub(crate) fn with_key() -> (Self, String) {
        let sandbox = Self::new();
        let recipient = sandbox.keygen("key.txt");
        (sandbox, recipient)
    }

    /// Creates an identity file and returns its recipient.
    pub(crate) fn keygen(&self, name: &str) -> String {
        let made = self.run(["keygen", "-o", name]);
        assert_eq!((made.status, made.stderr.as_str()), (0, ""));
        String::from_utf8(made.stdout).expect("recipients are ASCII").trim_end().to_owned()
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("the sandbox is writable");
    }

    /// Writes an executable file.
    ///
    /// `sh` writes it, not this process. A program that another test starts in the meantime would inherit the file while it is
    /// open for writing, and Linux refuses to execute such a file (`ETXTBSY`).
    pub(crate) fn write_program(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let mut shell = self.detached("sh");
        shell.args(["-c", "cat >\"$0\" && chmod 755 \"$0\"", name]);
        feed(shell, bytes.as_ref()).is_silent_success();
    }

    /// Writes a file encrypted with a passphrase, which takes only milliseconds to open.
    ///
    /// The scrypt work factor is 2^10. The program uses 2^18, which takes a second and 256 MiB: too much for tests of other
    /// features.
    pub(crate) fn write_protected(&self, name: &str, plaintext: impl AsRef<[u8]>, passphrase: &str) {
        let mut recipient = age::scrypt::Recipient::new(passphrase.to_owned().into());
        recipient.set_work_factor(10);
        let file = age::encrypt(&recipient, plaintext.as_ref()).expect("writing to memory cannot fail");
        self.write(name, file);
        self.set_mode(name, 0o600);
    }

    #[track_caller]
    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }

    pub(crate) fn text(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(name)).expect("the file is UTF-8")
    }

    /// Returns the names of all files in the folder, hidden ones included, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder exists");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries.map(|entry| name(entry.expect("the folder can be listed"))).collect();
        names.sort();
        names
    }

    /// Returns the permission bits of a file.
    pub(crate) fn mode(&self, name: impl AsRef<Path>) -> u32 {
        fs::metadata(self.path(name)).expect("the file exists").mode() & 0o7777
    }

    pub(crate) fn set_mode(&self, name: impl AsRef<Path>, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).expect("the file is ours");
    }

    /// Builds a command that runs the program with these arguments and an empty standard input.
    pub(crate) fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = self.detached(SOLEKEY);
        command.args(arguments);
        command
    }

    /// Builds a command for any program in the same environment. `$SOLEKEY` is the program under test.
    pub(crate) fn detached(&self, program: impl AsRef<OsStr>) -> Command {
        // A whole path: the standard library forks to look for a name, which copies the page tables of this large process.
        let program = program.as_ref();
        let found = program.to_str().filter(|name| !name.contains('/')).and_then(which);
        let program = found.map_or_else(|| program.to_owned(), OsString::from);
        let mut words = DETACHING.iter().chain([&program]);
        let mut command = Command::new(words.next().expect("the program is a word"));
        command.args(words);
        let search = env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", search).env("HOME", self.folder.path()).env("SOLEKEY", SOLEKEY);
        command.current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program until it exits.
    pub(crate) fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Outcome {
        finish(self.command(arguments).spawn().expect("the program starts"))
    }

    /// Runs the program with these bytes piped to its standard input.
    pub(crate) fn run_with(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, stdin: &[u8]) -> Outcome {
        feed(self.command(arguments), stdin)
    }

    /// Runs a shell script, for pipes and redirections.
    pub(crate) fn shell(&self, script: &str) -> Outcome {
        finish(self.detached("sh").args(["-c", script]).spawn().expect("the shell starts"))
    }

    /// Runs a bash script, for the status of each command in a pipeline.
    pub(crate) fn bash(&self, script: &str) -> Outcome {
        finish(self.detached("bash").args(["-c", script]).spawn().expect("bash starts"))
    }
}

/// Runs a command with these bytes piped to its standard input.
pub(crate) fn feed(mut command: Command, stdin: &[u8]) -> Outcome {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("standard input is piped");
    thread::scope(|scope| {
        scope.spawn(move || {
            // The program may exit before it has read everything.
            let _ = pipe.write_all(stdin);
        });
        finish(child)
    })
}

/// Exit status and output of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The exit status, or 128 plus the signal's number if a signal killed the command.
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Asserts that the command succeeded and printed nothing.
    #[track_caller]
    pub(crate) fn is_silent_success(&self) {
        self.is(0, "", "");
    }

    /// Asserts the exact exit status and output.
    #[track_caller]
    pub(crate) fn is(&self, status: i32, stdout: &str, stderr: &str) {
        let printed = String::from_utf8_lossy(&self.stdout);
        let printed: String = printed.chars().take(2000).collect();
        assert_eq!((self.status, printed.as_str(), self.stderr.as_str()), (status, stdout, stderr));
    }

    /// Asserts the exact exit status and standard error, and that standard output is empty.
    #[track_caller]
    pub(crate) fn fails(&self, status: i32, stderr: &str) {
        self.is(status, "", stderr);
    }

    /// Asserts that the command succeeded with no messages, and returns its standard output.
    #[track_caller]
    pub(crate) fn gave(&self) -> &[u8] {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""));
        &self.stdout
    }
}

/// Waits for a command to exit.
#[track_caller]
pub(crate) fn finish(child: Child) -> Outcome {
    finish_within(Duration::from_secs(PATIENCE), child)
}

/// Waits for a command to exit, but no longer than `patience`.
#[track_caller]
pub(crate) fn finish_within(patience: Duration, mut child: Child) -> Outcome {
    let stdout = read_in_thread(child.stdout.take());
    let stderr = read_in_thread(child.stderr.take());
    let (Ok(stdout), Ok(stderr)) = (stdout.recv_timeout(patience), stderr.recv_timeout(patience)) else {
        let _ = child.kill();
        panic!("the command does not exit");
    };
    let status = child.wait().expect("the child has not been reaped yet");
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    Outcome {
        status: status.code().or(signal.map(|signal| 128 + signal)).expect("a process exits or is killed by a signal"),
        stdout,
        stderr: String::from_utf8(stderr).expect("messages are UTF-8"),
    }
}

/// Reads a pipe to its end in a thread. Without a pipe, sends no bytes.
fn read_in_thread(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).expect("the pipe is readable");
        }
        // The receiver is gone if the wait timed out.
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn wait_until(condition: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(PATIENCE), "timed out waiting for {condition}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Returns whether the tests run as root, which bypasses permissions.
pub(crate) fn is_root() -> bool {
    static ROOT: LazyLock<bool> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        folder.path().metadata().expect("the folder exists").uid() == 0
    });
    *ROOT
}

/// The user ID of `nobody`, who owns no files.
pub(crate) const NOBODY: u32 = 65534;

/// Put before a command, runs it as an unprivileged user. Needs root.
pub(crate) const AS_NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all";

/// Runs a bash script as an unprivileged user, in a folder that the user owns and that contains the program.
///
/// Returns `None` if the tests run as root and `setpriv` is missing.
pub(crate) fn unprivileged(script: &str) -> Option<(Sandbox, Outcome)> {
    if is_root() && !installed(&["setpriv"]) {
        return None;
    }
    let sandbox = Sandbox::new();
    // Other users may have no access to the build folder.
    sandbox.write_program("solekey", fs::read(SOLEKEY).expect("the program is readable"));
    sandbox.write("script", script);
    let user = if is_root() {
        chown(sandbox.path(""), Some(NOBODY), Some(NOBODY)).expect("root may change owners");
        AS_NOBODY
    } else {
        ""
    };
    let outcome = sandbox.shell(&format!("exec {user} bash -eu -o pipefail script"));
    Some((sandbox, outcome))
}

/// Returns pseudorandom bytes, the same for each length every time.
pub(crate) fn data(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ length as u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Returns pseudorandom numbers below `limit`, the same every time.
pub(crate) fn numbers(count: usize, limit: usize) -> Vec<usize> {
    let bytes = data(count * 8);
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("the chunk has eight bytes"));
    let below = |bytes: &[u8]| usize::try_from(number(bytes) % limit as u64).expect("the remainder fits in a usize");
    bytes.chunks_exact(8).map(below).collect()
}

/// Makes a file name from bytes that need not be UTF-8.
pub(crate) fn os(bytes: &[u8]) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec())
}
