//! `keygen`: make a key file, or print the public key of one.

use std::{
    io::{self, IsTerminal, Write},
    num::NonZeroUsize,
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use anyhow::{Context, Result};
use zeroize::Zeroizing;

use crate::{
    cli::{
        args::{Keygen, NoPlugins},
        files::{
            input::DASH,
            naming::with_ending,
            output::Output,
            pending::Overwrite,
            permissions::Mode,
            target::{Plan, Terminal},
        },
        keys::{
            key_file::KeyFiles,
            keyring::{Key, keys_of},
            plugins::Plugins,
            recipients::recipient_of,
        },
        terminal::{
            messages::{Report, Status, misuse},
            prompt::Prompt,
        },
    },
    crypto::{
        Encryptor, Identity, Recipient, Sink, Source,
        armor::ArmorWriter,
        secrecy::{ExposeSecret, SecretString},
    },
};

pub(crate) fn keygen(what: &Keygen, report: &Report) -> Result<Option<Status>> {
    let plan = match &what.output {
        // Never to be overwritten: what it opens would be lost.
        Some(path) => Plan::path(path, Overwrite::Never)?,
        None => Plan::stdout(Terminal::Any)?,
    };
    plan.must_not_be_closed()?;
    if what.to_public {
        print_recipients(what, &plan, report)?
    } else {
        make_key(what, &plan, report)?
    }
    Ok(None)
}

fn make_key(what: &Keygen, plan: &Plan, report: &Report) -> Result<()> {
    // A post-quantum key is too long to be pasted, so it gets a file.
    let public_plan = match &what.output {
        Some(path) if what.pq && !what.announce && matches!(plan, Plan::File { .. }) => {
            Some(Plan::path(&with_ending(path, ".pub"), Overwrite::Never)?)
        }
        _ => None,
    };
    let passphrase = if what.passphrase { Some(Prompt::new(&what.answers, false)?.new_passphrase()?) } else { None };

    let identity = if what.pq { Identity::generate_hybrid() } else { Identity::generate() };
    let recipient = identity.to_recipient().expect("a generated identity has a public key");
    let text = key_file(&identity, &recipient);
    let protected = passphrase.is_some();
    let text = match passphrase {
        Some(passphrase) => protect(&text, passphrase)?,
        None => text,
    };

    let mut output = plan.open()?;
    if output.others_may_read() && !protected {
        report.warning("the secret key goes to a file that other users may read; use -o FILE for a private one");
    }
    write(plan, &mut output, &text)?;
    plan.commit(output, Mode::Private)?;

    let public = format!("{recipient}\n");
    if let Some(plan) = public_plan {
        let mut output = plan.open()?;
        write(&plan, &mut output, public.as_bytes())?;
        plan.commit(output, Mode::Umask)?;
    }
    if what.announce {
        if !matches!(plan, Plan::Stdout(_)) || !io::stdout().is_terminal() {
            report.public_key(&recipient);
        }
    } else if let Plan::File { .. } = plan {
        print(&public)?;
    }
    Ok(())
}

/// The text of an identity file with one key.
fn key_file(identity: &Identity, recipient: &Recipient) -> Zeroizing<Vec<u8>> {
    let secret = identity.to_text().expect("a generated identity has a text");
    let created = humantime::format_rfc3339_seconds(SystemTime::now());
    let comments = format!("# created: {created}\n# public key: {recipient}\n");
    // Room for all of it at once, so that no growing leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(comments.len() + secret.expose_secret().len() + 1));
    text.extend_from_slice(comments.as_bytes());
    text.extend_from_slice(secret.expose_secret().as_bytes());
    text.push(b'\n');
    text
}

/// The same, as an age file under a passphrase, in armor.
fn protect(text: &[u8], passphrase: SecretString) -> Result<Zeroizing<Vec<u8>>> {
    let encryptor = Encryptor::new(&[Recipient::passphrase(passphrase)])?;
    let mut protected = Vec::new();
    let mut armor = ArmorWriter::new(&mut protected);
    let mut text = text;
    encryptor.encrypt(Source::Sequential(&mut text), Sink::Sequential(&mut armor), NonZeroUsize::MIN)?;
    armor.finish().context("cannot write the end of the armor")?;
    Ok(Zeroizing::new(protected))
}

fn print_recipients(what: &Keygen, plan: &Plan, report: &Report) -> Result<()> {
    let prompt = Arc::new(Prompt::new(&what.answers, false)?);
    let input = what.input.as_deref().unwrap_or(Path::new(DASH));
    let plugins = Plugins::new(NoPlugins { no_plugins: true }.into(), prompt.clone(), report);
    let mut files = KeyFiles::new(prompt, report, plugins, false);
    let keys = keys_of(&mut files, input)?;
    let recipients = keys.into_iter().map(|key| match key {
        Key::Ready(identity) | Key::Locked(identity) => recipient_of(&identity, input),
        Key::Plugin { place, .. } => misuse(
            format!("{place}: only its plugin knows the public key of a plugin's identity, and keygen runs none"),
            "most plugins write it beside the identity, in a comment",
        ),
    });
    let recipients = recipients.collect::<Result<Vec<_>>>()?;
    files.must_differ_from(plan)?;

    let text: String = recipients.iter().map(|recipient| format!("{recipient}\n")).collect();
    let mut output = plan.open()?;
    write(plan, &mut output, text.as_bytes())?;
    plan.commit(output, Mode::Umask)
}

fn write(plan: &Plan, output: &mut Output, text: &[u8]) -> Result<()> {
    let written = output.write_all(text).with_context(|| format!("cannot write {}", plan.name()));
    plan.after(written, output.seen())
}

fn print(text: &str) -> Result<()> {
    let mut stdout = Plan::stdout(Terminal::Any)?.open()?;
    stdout.write_all(text.as_bytes()).context("the key was made, but its public key cannot be printed")
}
