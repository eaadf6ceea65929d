//! The receipt of an encryption: what was written, and who owns each stanza. It holds public keys and no secrets.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result, anyhow};
use serde::Serialize;

use crate::cli::{
    args::{DASH, FileArgs},
    files::{
        commit::{Written, commit},
        input::Input,
        naming::display_name,
        output::Output,
        outputs::Outputs,
        pending::Overwrite,
        permissions::Permissions,
        target::Target,
    },
    platform::{self, FileHandle, FileId},
    terminal::{
        advice::{Advise, misuse},
        json,
    },
};

/// A receipt that is being written: one line per output, in the order of the outputs.
pub(crate) struct Receipt {
    target: Target,
    output: Output,
    /// Whether it turned out to be an input or an output of the run, which it must not replace.
    is_refused: AtomicBool,
}

#[derive(Serialize)]
struct Line<'a, S> {
    /// `None` for standard output.
    output: Option<String>,
    sha256: String,
    size: u64,
    armor: bool,
    stanzas: &'a [S],
    program: &'static str,
}

impl Receipt {
    /// Decides where the receipt goes. It must not be a file that the run reads or writes otherwise.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse); those of [`Target`].
    pub(crate) fn target(path: &Path, args: &FileArgs, outputs: &Outputs<'_>) -> Result<Target> {
        let target = Target::path(path, Overwrite::Replace)?;
        if !args.force && matches!(&target, Target::File { existing: Some(_), .. }) {
            return Err(anyhow!("the receipt {} already exists", display_name(path)))
                .hint("overwrite it with -f, or choose another file for --receipt");
        }
        if !matches!(target, Target::Stdout(_)) {
            target.check_is_not(&FileId::of(&platform::stdout()?)?, "standard output")?;
        }
        for input in &args.inputs.files {
            let cannot_open = || format!("cannot open {}", display_name(input));
            if input == Path::new(DASH) {
                let stdin = platform::stdin().and_then(|stdin| FileId::of(&stdin)).with_context(cannot_open)?;
                target.check_is_not(&stdin, &display_name(input))?;
            } else if input.is_file() {
                let handle = FileHandle::at(input).with_context(cannot_open)?;
                target.check_is_not(handle.id(), &display_name(input))?;
            } else {
                // A missing input is reported when its turn comes.
                continue;
            }
            if outputs.include(&target, input) {
                return refuse(&target);
            }
        }
        Ok(target)
    }

    /// Opens the receipt.
    ///
    /// # Errors
    ///
    /// Those of [`Target::open`].
    pub(crate) fn open(target: Target) -> Result<Self> {
        let output = target.open()?;
        Ok(Self { target, output, is_refused: AtomicBool::new(false) })
    }

    /// The folder in which it will appear, if it is a file.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.target.folder()
    }

    /// Refuses an input or an output that is the receipt. If there is one, the receipt is not written.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse).
    pub(crate) fn check_is_neither(&self, input: &Input, output: &Target) -> Result<()> {
        let differs = self.target.check_is_not(input.id(), &input.name());
        let differs = differs.and_then(|()| if output.is_same(&self.target) { refuse(&self.target) } else { Ok(()) });
        self.is_refused.fetch_or(differs.is_err(), Ordering::Relaxed);
        differs
    }

    /// Writes these lines and commits the receipt. Without a line, there is no receipt.
    ///
    /// # Errors
    ///
    /// Those of writing and committing.
    pub(crate) fn commit(self, lines: &str) -> Result<()> {
        let Self { target, mut output, is_refused } = self;
        if lines.is_empty() || is_refused.into_inner() {
            return Ok(());
        }
        let written = output.write_all(lines.as_bytes()).with_context(|| format!("cannot write {}", target.name()));
        let committed = written.and_then(|()| commit(Written::new(target, output, &Permissions::Umask)?));
        committed.hint("what was encrypted is whole; only the receipt is missing")
    }
}

fn refuse<T>(receipt: &Target) -> Result<T> {
    misuse(
        format!("the receipt and an output are both to go to {}", receipt.name()),
        "nothing was written; choose another file for --receipt",
    )
}

/// The line for an output that is on the disk but has no name yet. `stanzas` says who owns each stanza.
///
/// # Errors
///
/// Those of reading the output back.
pub(crate) fn line(target: &Target, armor: bool, output: &mut Output, stanzas: &[impl Serialize]) -> Result<String> {
    let hashed = output.hashed().with_context(|| format!("cannot read back {}", target.name()))?;
    let mut sha256 = String::with_capacity(64);
    for byte in hashed.sha256 {
        let _ = write!(sha256, "{byte:02x}");
    }
    Ok(json::line(&Line {
        output: target.typed().map(json::path),
        sha256,
        size: hashed.size,
        armor,
        stanzas,
        program: concat!("solekey ", env!("CARGO_PKG_VERSION")),
    }))
}
