//! The receipt of an encryption: what was written, and who owns each stanza. It holds public keys and no secrets.

use std::{
    fmt::Write as _,
    fs::File,
    io::Write as _,
    mem,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;

use crate::cli::{
    args::{DASH, FileArgs},
    files::{
        commit::{Durability, Written, commit},
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
        messages::Messages,
    },
};

/// A receipt that is being written: one line per output, in the order in which they are appended.
pub(crate) struct Receipt {
    state: Mutex<State>,
    /// The folder in which it will appear, if it is a file.
    folder: Option<PathBuf>,
}

enum State {
    /// A stream, or a file that gets its name with the first lines.
    Open(Box<(Target, Output)>),
    /// A growing file that already has its name.
    Named { file: File, length: u64, name: String },
    /// It turned out to be an input or an output of the run, which it must not replace.
    Refused,
    /// It could not be written.
    Failed,
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
    /// Decides where the receipt goes. It must not be another file that the run reads or writes.
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
            let stdout = platform::stdout()?;
            target.check_is_not(&FileId::of(&stdout)?, "standard output")?;
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
        let folder = target.folder().map(Path::to_owned);
        Ok(Self { state: Mutex::new(State::Open(Box::new((target, output)))), folder })
    }

    /// The folder in which it will appear, if it is a file.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds this lock")
    }

    /// Refuses an input or an output that is the receipt. If there is one, the receipt is not written.
    ///
    /// # Errors
    ///
    /// [`Misuse`](crate::cli::terminal::errors::Misuse).
    pub(crate) fn check_is_neither(&self, input: &Input, output: &Target) -> Result<()> {
        let mut state = self.lock();
        match &*state {
            State::Open(open) => {
                let (target, _) = &**open;
                let differs = target.check_is_not(input.id(), input.name());
                let differs = differs.and_then(|()| if output.is_same(target) { refuse(target) } else { Ok(()) });
                if differs.is_err() {
                    *state = State::Refused;
                }
                differs
            }
            State::Named { file, name, .. } => {
                let id = FileId::of(file).with_context(|| format!("cannot examine {name}"))?;
                if *input.id() == id {
                    return misuse(format!("{} is the receipt", input.name()), "choose another file for --receipt");
                }
                output.check_is_not(&id, name)
            }
            State::Refused | State::Failed => Ok(()),
        }
    }

    /// Appends lines, and makes them durable. A file gets its name with the first lines: without lines, there is no receipt.
    ///
    /// # Errors
    ///
    /// Those of writing and committing; if an earlier call failed, or the receipt was refused.
    pub(crate) fn append(&self, lines: &str, durability: Durability, messages: &Messages) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut state = self.lock();
        let appended = mem::replace(&mut *state, State::Failed).append(lines.as_bytes(), durability, messages);
        *state = appended.hint("the encrypted files are whole; only the receipt is missing")?;
        Ok(())
    }

    /// Whether an input or an output of the run turned out to be the receipt.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(*self.lock(), State::Refused)
    }
}

impl State {
    fn append(self, lines: &[u8], durability: Durability, messages: &Messages) -> Result<Self> {
        match self {
            Self::Open(open) => match *open {
                (target, Output::Stream(mut stream)) => {
                    let written = stream.write_all(lines).and_then(|()| stream.sync());
                    written.with_context(|| format!("cannot write {}", target.name()))?;
                    Ok(Self::Open(Box::new((target, Output::Stream(stream)))))
                }
                (target, Output::File(mut pending)) => {
                    let name = target.name();
                    let written = pending.write_all(lines).and_then(|()| pending.another_handle());
                    let file = written.with_context(|| format!("cannot write {name}"))?;
                    let written = Written::new(target, Output::File(pending), &Permissions::Umask)?;
                    commit(written.with(durability), messages)?;
                    Ok(Self::Named { file, length: lines.len() as u64, name })
                }
            },
            Self::Named { file, length, name } => {
                let written = platform::write_all_at(&file, lines, length)
                    .and_then(|()| file.sync_all())
                    .and_then(|()| platform::close_duplicate(&file));
                written.with_context(|| format!("cannot write {name}"))?;
                Ok(Self::Named { file, length: length + lines.len() as u64, name })
            }
            Self::Refused => bail!("the receipt is also an input or output of this run"),
            Self::Failed => bail!("the receipt could not be written"),
        }
    }
}

fn refuse<T>(receipt: &Target) -> Result<T> {
    misuse(
        format!("the receipt and an output would both go to {}", receipt.name()),
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
