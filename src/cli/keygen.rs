//! `keygen`: make a key file, or print the public key of one.

use std::{
    io::{self, Write},
    path::Path,
    time::SystemTime,
};

use anyhow::{Context, Result};
use zeroize::Zeroizing;

use crate::crypto::{Identity, secrecy::ExposeSecret};

use super::{
    args::Keygen,
    input::DASH,
    keys::KeyFiles,
    output::{Plan, Terminal},
    pending::{Mode, Overwrite},
    prompt::Prompt,
    report::{Report, Status},
};

pub(crate) fn keygen(what: &Keygen, report: &Report) -> Result<Option<Status>> {
    let plan = match &what.output {
        // Never to be overwritten: what it opens would be lost.
        Some(path) => Plan::path(path, Overwrite::Never)?,
        None => Plan::stdout(Terminal::Any)?,
    };
    if what.to_public {
        print_recipients(what, &plan, report)?;
    } else {
        make_key(&plan, report)?;
    }
    Ok(None)
}

fn make_key(plan: &Plan, report: &Report) -> Result<()> {
    let identity = Identity::generate();
    let secret = identity.to_text().expect("a generated identity has a text");
    let recipient = identity.to_recipient().expect("a generated identity has a public key");
    let created = humantime::format_rfc3339_seconds(SystemTime::now());
    let comments = format!("# created: {created}\n# public key: {recipient}\n");
    // Room for all of it at once, so that no growing leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(comments.len() + secret.expose_secret().len() + 1));
    text.extend_from_slice(comments.as_bytes());
    text.extend_from_slice(secret.expose_secret().as_bytes());
    text.push(b'\n');

    let mut output = plan.open()?;
    if output.others_may_read() {
        report.warning("the secret key goes to a file that other users may read; use -o FILE for a private one");
    }
    let written = output.write_all(&text).with_context(|| format!("cannot write {}", plan.name()));
    plan.after(written, output.seen())?;
    plan.commit(output, Mode::Private)?;
    if let Plan::File { .. } = plan {
        print(&format!("{recipient}\n"))?;
    }
    Ok(())
}

fn print_recipients(what: &Keygen, plan: &Plan, report: &Report) -> Result<()> {
    let prompt = Prompt::new(&what.answers)?;
    let input = what.input.as_deref().unwrap_or(Path::new(DASH));
    let mut keys = KeyFiles::new(&prompt, report, false);
    let recipients = keys.recipients_of(input)?;
    keys.must_differ_from(plan)?;

    let text: String = recipients.iter().map(|recipient| format!("{recipient}\n")).collect();
    let mut output = plan.open()?;
    let written = output.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", plan.name()));
    plan.after(written, output.seen())?;
    plan.commit(output, Mode::Umask)
}

fn print(text: &str) -> Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).context("the key was made, but its public key cannot be printed")
}
