//! The receipt of an encryption: what was written, and which stanza is whose. It holds public keys and no secrets.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, Result, anyhow};
use same_file::Handle;
use serde::Serialize;

use crate::{
    cli::{
        args::Files,
        files::{
            input::{DASH, Input, name},
            output::Output,
            pending::Overwrite,
            permissions::Mode,
            target::Plan,
            walk::Named,
        },
        keys::{
            key_file::KeyFiles,
            recipients::{Origin, Recipients},
        },
        terminal::{
            json,
            messages::{Advise, misuse},
        },
    },
    crypto::Encryptor,
};

/// A receipt that is being written: a line for each output, in their order.
pub(crate) struct Receipt {
    plan: Plan,
    output: Output,
    /// Whether it is a file of the run, which it must not replace.
    spoiled: AtomicBool,
}

#[derive(Serialize)]
struct Line<'a> {
    /// None for standard output.
    output: Option<String>,
    sha256: String,
    size: u64,
    armor: bool,
    stanzas: &'a [Stanza<'a>],
    program: &'static str,
}

/// Whose a stanza is.
#[derive(Serialize)]
pub(crate) struct Stanza<'a> {
    /// From 1.
    stanza: usize,
    #[serde(rename = "type")]
    kind: String,
    recipient: String,
    named: &'a Origin,
}

impl Receipt {
    /// Opens the receipt, which must be no file that the run reads or writes otherwise.
    pub(crate) fn new(
        path: &Path,
        files: &Files,
        keys: &KeyFiles<'_>,
        output: impl Fn(&Named) -> Result<Plan>,
    ) -> Result<Self> {
        let overwrite = if files.force { Overwrite::Replace } else { Overwrite::Refuse };
        if let (Overwrite::Refuse, Plan::File { exists: true, .. }) = (overwrite, Plan::path(path, Overwrite::Replace)?)
        {
            return Err(anyhow!("the receipt {} already exists", name(path)))
                .hint("overwrite it with -f, or choose another file for --receipt");
        }
        let plan = Plan::path(path, overwrite)?;
        keys.must_differ_from(&plan)?;
        if !matches!(plan, Plan::Stdout(_)) {
            plan.must_differ_from(&Handle::stdout()?, "standard output")?;
        }
        for input in &files.inputs.files {
            let handle = match input.is_file() {
                _ if input == Path::new(DASH) => Handle::stdin(),
                true => Handle::from_path(input),
                // It will be said when its turn comes; and opening a pipe would wait for its other end.
                false => continue,
            };
            let handle = handle.with_context(|| format!("cannot open {}", name(input)))?;
            // What is wrong with an output is said when its turn comes, too.
            differ(&plan, &handle, &name(input), output(&Named::new(input.clone())).ok().as_ref())?;
        }
        let output = plan.open()?;
        Ok(Self { plan, output, spoiled: AtomicBool::new(false) })
    }

    /// The folder in which it will appear, if it is a file.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.plan.folder()
    }

    /// Refuses an input or an output that is the receipt; then there will be none.
    pub(crate) fn must_differ_from(&self, input: &Input, output: &Plan) -> Result<()> {
        let differs = differ(&self.plan, &input.handle, &input.name(), Some(output));
        self.spoiled.fetch_or(differs.is_err(), Ordering::Relaxed);
        differs
    }

    /// Makes the receipt appear, with these lines. Without a line, there is none.
    pub(crate) fn commit(self, lines: &str) -> Result<()> {
        let Self { plan, mut output, spoiled } = self;
        if lines.is_empty() || spoiled.into_inner() {
            return Ok(());
        }
        let written = output.write_all(lines.as_bytes()).with_context(|| format!("cannot write {}", plan.name()));
        let committed = written.and_then(|()| plan.commit(output, Mode::Umask));
        committed.hint("what was encrypted is whole; only the receipt is missing")
    }
}

/// Refuses a receipt that is an input or an output.
fn differ(receipt: &Plan, input: &Handle, input_name: &str, output: Option<&Plan>) -> Result<()> {
    receipt.must_differ_from(input, input_name)?;
    if output.is_some_and(|output| output.is(receipt)) {
        let message = format!("the receipt and an output are both to go to {}", receipt.name());
        return misuse(message, "nothing was written; choose another file for --receipt");
    }
    Ok(())
}

/// Whose each stanza of the header is.
pub(crate) fn stanzas<'a>(encryptor: &Encryptor, recipients: &'a Recipients) -> Vec<Stanza<'a>> {
    let stanzas = encryptor.header().stanzas().iter().zip(encryptor.stanza_recipients()).enumerate();
    stanzas
        .map(|(index, (stanza, owner))| Stanza {
            stanza: index + 1,
            kind: stanza.tag.clone(),
            recipient: recipients.keys[*owner].to_string(),
            named: &recipients.origins[*owner],
        })
        .collect()
}

/// The receipt of an output that is written but not yet committed.
pub(crate) fn line(plan: &Plan, armor: bool, output: &mut Output, stanzas: &[Stanza<'_>]) -> Result<String> {
    let hashed = output.hashed().with_context(|| format!("cannot read back {}", plan.name()))?;
    let mut sha256 = String::with_capacity(64);
    for byte in hashed.sha256 {
        let _ = write!(sha256, "{byte:02x}");
    }
    Ok(json::line(&Line {
        output: plan.typed().map(json::path),
        sha256,
        size: hashed.size,
        armor,
        stanzas,
        program: concat!("solekey ", env!("CARGO_PKG_VERSION")),
    }))
}
