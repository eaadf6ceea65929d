//! Input and output files, and threads.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use clap::{
    Arg, Args, ValueHint,
    builder::{PathBufValueParser, TypedValueParser},
};

use crate::cli::args::{layout::OTHER, numbers::thread_count};

/// The argument that stands for standard input or standard output.
pub(crate) const DASH: &str = "-";

/// Input and output files of `encrypt` and `decrypt`.
#[derive(Args)]
pub(crate) struct FileArgs {
    /// Write to FILE, or to standard output if FILE is '-'; write through links, devices and pipes; for one input only
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Write to standard output; for one input only
    #[arg(short = 'c', long, conflicts_with = "output", help_heading = "Output")]
    pub(crate) stdout: bool,
    /// Write outputs to the folder DIR, created if missing; with --recursive, they keep their folders below it.
    ///
    /// A FILE goes directly into DIR. With --recursive, a folder goes there under its own name: photos/1.jpg becomes
    /// DIR/photos/1.jpg.age. With --files-from, files keep the folders in their names. Links below DIR are not followed.
    #[arg(short = 'O', long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Output",
        conflicts_with_all = ["output", "stdout"])]
    pub(crate) output_dir: Option<PathBuf>,
    /// Overwrite existing output files, but never an input of the same run.
    ///
    /// At a name that solekey derives, a link or pipe is replaced, not written through.
    #[arg(short, long, help_heading = "Output")]
    pub(crate) force: bool,
    /// Skip an input if its output exists with the expected size and the input's modification time; replace other outputs.
    ///
    /// This is for repeated backups. A skipped file keeps its recipients. If the number of recipients has changed, the size of the
    /// outputs has too, and all files are encrypted again.
    #[arg(long, help_heading = "Output", conflicts_with_all = ["stdout", "skip_existing", "no_preserve"])]
    pub(crate) update: bool,
    /// Skip an input if its output exists, whatever it contains
    #[arg(long, help_heading = "Output", conflicts_with_all = ["stdout", "force"])]
    pub(crate) skip_existing: bool,
    /// Create outputs with the default mode (see umask) and the current time instead of those of their inputs.
    ///
    /// A file that replaces another never gets more permissions than the old file had. It gets the old file's owner only if nobody
    /// else could have put the old file there.
    #[arg(long, help_heading = "Output")]
    pub(crate) no_preserve: bool,
    /// Write and delete nothing; print what would be written and deleted
    #[arg(long, conflicts_with = "stdout", help_heading = "Output")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    /// Delete each input once its output is written, synced, read back and verified
    #[arg(long, help_heading = "Input", conflicts_with_all = ["keep", "stdout"])]
    pub(crate) rm: bool,
    /// Keep the input files (the default; accepted for compatibility with gzip)
    #[arg(short, long, help_heading = "Input")]
    pub(crate) keep: bool,
    /// Print one JSON object for each file
    #[arg(long, conflicts_with = "stdout", help_heading = OTHER)]
    pub(crate) json: bool,
}

impl FileArgs {
    /// Whether an output may replace an existing file.
    pub(crate) fn replace(&self) -> bool {
        self.force || self.update
    }

    /// Whether all output goes to standard output.
    pub(crate) fn all_to_stdout(&self) -> bool {
        let Self { output, output_dir, stdout, inputs, .. } = self;
        *stdout || output.as_ref().map_or(inputs.are_stdin() && output_dir.is_none(), is_dash)
    }
}

/// Returns an option of [`FileArgs`] with its help for `decrypt`, and any other argument as it is.
pub(super) fn of_decrypt(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "recursive" => arg.help("Decrypt every .age file in the named folders and below; skip links and devices"),
        "stdout" => arg.help("Write to standard output, one file after another"),
        "output_dir" => arg.long_help(
            "Write outputs to the folder DIR, created if missing; with --recursive, they keep their folders below it.\n\n\
             A FILE goes directly into DIR. With --recursive, a folder goes there under its own name: for 'backup/photos', \
             backup/photos/1.jpg.age becomes DIR/photos/1.jpg; for 'backup', it becomes DIR/backup/photos/1.jpg. With \
             --files-from, files keep the folders in their names. Links below DIR are not followed.",
        ),
        "update" => arg
            .help(
                "Skip an input if its output exists with the expected size and the input's modification time; replace other \
                 outputs, but none that is newer than its input",
            )
            .long_help(
                "Skip an input if its output exists with the expected size and the input's modification time; replace other \
                 outputs, but none that is newer than its input.\n\n\
                 This is for restoring from a backup. With -f, newer outputs are replaced too.",
            ),
        _ => arg,
    }
}

fn is_dash(path: &PathBuf) -> bool {
    path == Path::new(DASH)
}

/// Input files and threads, for verbs that work on many files.
#[derive(Args, Clone)]
pub(crate) struct InputArgs {
    /// Process every .age file in the named folders and below; skip links and devices
    #[arg(long, help_heading = "Input")]
    pub(crate) recursive: bool,
    /// Process the files that LIST names, one per line; '-' for standard input
    #[arg(long, value_name = "LIST", value_hint = ValueHint::FilePath, help_heading = "Input", conflicts_with = "files")]
    pub(crate) files_from: Option<PathBuf>,
    /// Expect a zero byte after each name in LIST, as 'find -print0' writes it
    #[arg(short = '0', long, help_heading = "Input", requires = "files_from")]
    pub(crate) null: bool,
    /// Use N threads, at most 1024; by default, or if N is 0, one for each core
    #[arg(short = 'T', long, value_name = "N", default_value_t = 0, hide_default_value = true,
        value_parser = thread_count, help_heading = OTHER)]
    pub(crate) threads: usize,
    /// Files to process; standard input if none is given, or for '-'
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = input_path())]
    pub(crate) files: Vec<PathBuf>,
}

impl InputArgs {
    /// Whether there is exactly one input; standard input counts.
    pub(crate) fn is_single(&self) -> bool {
        !self.recursive && self.files_from.is_none() && self.files.len() <= 1
    }

    /// Whether standard input is the only input named, or none is.
    pub(crate) fn are_stdin(&self) -> bool {
        self.files_from.is_none() && self.files.iter().all(is_dash)
    }

    pub(crate) fn threads(&self) -> NonZeroUsize {
        threads(self.threads)
    }
}

/// The path of an input, or `-` for every name of standard input, which is read from its current offset and has no file name to
/// derive an output name from.
pub(crate) fn input_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| if is_name_of_stdin(&path) { PathBuf::from(DASH) } else { path })
}

/// Whether a path is one of the system's names for standard input.
pub(crate) fn is_name_of_stdin(path: &Path) -> bool {
    ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| path == Path::new(name))
}

/// The maximum number of threads. Each has buffers of 2 MiB.
const MOST_THREADS: usize = 1024;

/// Returns `number`, limited to 1,024; for 0, the number of cores.
pub(crate) fn threads(number: usize) -> NonZeroUsize {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    NonZeroUsize::new(number.min(MOST_THREADS)).unwrap_or_else(cores)
}
