//! `paper`: print a key as words and a QR code for a paper backup, and read it back.

mod sheet;
mod words;

use std::{
    io::{self, IsTerminal, Read as _, Write as _},
    path::Path,
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{
    cli::{
        args::{self, Paper, PaperKind, RunPlugins},
        commands::session::Session,
        files::{
            commit::{Written, commit},
            naming::display_name,
            pending::Overwrite,
            permissions::Permissions,
            target::{OnTerminal, Target},
        },
        keys::{
            identity_file::{Key, read_keys},
            new_key_file,
        },
        terminal::{
            advice::{Advise, misuse},
            exit_status::ExitStatus,
            messages::Messages,
        },
    },
    crypto::{
        Identity, KeyKind,
        secrecy::{ExposeSecret, Zeroizing},
    },
};

/// Bytes in the longest list of words that is read.
const LIMIT: u64 = 4096;

/// Prints a sheet, or reads one.
///
/// # Errors
///
/// Errors from reading, asking and writing.
pub(crate) fn paper(args: &Paper, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    let no_plugins = RunPlugins { no_plugins: true, allow_plugin_network: false };
    let reads_stdin = args.read || args.key.as_deref() == Some(Path::new(args::DASH));
    let mut session = Session::new(messages, &args.passphrases, no_plugins, reads_stdin && !io::stdin().is_terminal())?;
    if args.read {
        read(args, &session)?
    } else {
        print(args, &mut session)?
    }
    Ok(None)
}

fn print(args: &Paper, session: &mut Session<'_>) -> Result<()> {
    let path = args.key.as_deref().expect("clap requires a key file");
    let svg = args.svg.as_deref().map(svg_target).transpose()?;
    let mut keys = read_keys(&mut session.key_files, path)?;
    session.key_files.prompt.show_input();
    if keys.len() != 1 {
        return misuse(
            format!("{} has {} keys, but a sheet holds only one", display_name(path), keys.len()),
            "put each key into a file of its own",
        );
    }
    let Some(Key::Ready(identity)) = keys.pop() else { return not_32_bytes(path) };
    let Some((kind, _)) = identity.to_seed() else { return not_32_bytes(path) };

    let target = Target::stdout(OnTerminal::Anything)?;
    let mut output = target.open()?;
    if output.others_may_read() {
        session.messages.warning("the sheet goes to a file that other users may read; make it private with umask 077");
    }
    let shown = if io::stdout().is_terminal() { sheet::Shown::OnTerminal } else { sheet::Shown::AsText };
    let sheet = sheet::text(&identity, PaperKind::from(kind).word(), shown)?;
    output.write_all(sheet.as_bytes()).context("cannot write to standard output")?;
    if let Some(target) = svg {
        write_private(target, sheet::svg(&identity)?.as_bytes(), &session.messages)?;
    }
    Ok(())
}

/// Never overwritten: it may be the only copy of another key.
fn svg_target(path: &Path) -> Result<Target> {
    if path.symlink_metadata().is_ok() {
        return Err(anyhow!("{} already exists", display_name(path))).hint("choose another name with --svg");
    }
    Target::path(path, Overwrite::Never)
}

fn not_32_bytes<T>(path: &Path) -> Result<T> {
    misuse(
        format!("{} has no 32-byte age key", display_name(path)),
        "paper takes X25519 and post-quantum age keys; back up SSH and plugin keys some other way",
    )
}

fn read(args: &Paper, session: &Session<'_>) -> Result<()> {
    let path = args.output.as_ref().expect("clap requires an output");
    // Never overwritten, as by keygen.
    let target = Target::path(path, Overwrite::Never)?;
    if !target.is_file() {
        return misuse(format!("{} is not a regular file", target.name()), "name a file for the key");
    }
    let words = if io::stdin().is_terminal() { ask(session)? } else { read_stdin()? };
    let seed = words::to_seed(&words)?;
    let identity = Identity::from_seed(KeyKind::from(args.kind.expect("clap requires a kind")), &seed);
    let recipient = identity.to_recipient().expect("an age key has a public key");
    write_private(target, &new_key_file::text(&identity, &recipient), &session.messages)?;
    let mut stdout = Target::stdout(OnTerminal::Anything)?.open()?;
    // The file has all of it.
    let public = recipient.to_string();
    let public = if io::stdout().is_terminal() { sheet::shown_key(&public) } else { public } + "\n";
    stdout.write_all(public.as_bytes()).context("the key was written, but its public key cannot be printed")
}

fn write_private(target: Target, bytes: &[u8], messages: &Messages) -> Result<()> {
    let mut output = target.open()?;
    output.write_all(bytes).with_context(|| format!("cannot write {}", target.name()))?;
    commit(Written::new(target, output, &Permissions::Private)?, messages)
}

fn read_stdin() -> Result<Vec<Zeroizing<String>>> {
    // Reserve all the room: growing would leave copies in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LIMIT).expect("it is small") + 1));
    io::stdin().take(LIMIT + 1).read_to_end(&mut bytes).context("cannot read standard input")?;
    if bytes.len() as u64 > LIMIT {
        bail!("more than 4096 bytes were given, and 24 words are shorter");
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| anyhow!("standard input is not text in UTF-8"))?;
    Ok(words::split(text.trim_start_matches('\u{feff}')).collect())
}

/// Asks on the terminal, without showing the words, until there are enough.
fn ask(session: &Session<'_>) -> Result<Vec<Zeroizing<String>>> {
    let prompt = &session.key_files.prompt;
    let mut words: Vec<Zeroizing<String>> = Vec::new();
    while words.len() < words::WORDS {
        let question = format!(
            "Enter words, starting with number {}, as many as you like (they are not shown): ",
            words.len() + 1
        );
        let line = prompt.secret(&question)?;
        for word in words::split(line.expose_secret()).take(words::WORDS - words.len()) {
            if !words::is_known(&word) {
                let number = words.len() + 1;
                // On the terminal, where it was typed, and nowhere else.
                prompt.tell(&format!(
                    "Word {number}, '{}', is not in the list{}\n",
                    &*word,
                    words::Suggestions::of(&word)
                ))?;
                break;
            }
            words.push(word);
        }
    }
    Ok(words)
}
