//! `keygen --protect`: put a passphrase on a key file, or change it.

use anyhow::{Context, Result};

use std::{io::Write as _, path::Path};

use crate::{
    cli::{
        args::Keygen,
        commands::session::Session,
        files::{
            commit::{Written, commit},
            input::Input,
            naming::{InputPath, display_name},
            pending::Overwrite,
            permissions::Permissions,
            target::{OnTerminal, Target},
        },
        keys::{
            identity_file::{is_protected, open_protected, parse},
            new_key_file,
        },
        terminal::{advice::misuse, prompt::Prompt},
    },
    crypto::secrecy::Zeroizing,
};

/// Replaces the key file with a protected one, or leaves it unchanged on failure and with `--dry-run`. No other file ever holds the
/// key.
///
/// # Errors
///
/// Errors from reading, asking and writing.
pub(super) fn protect(path: &Path, args: &Keygen, session: &mut Session<'_>) -> Result<()> {
    let name = display_name(path);
    let input = Input::open(&InputPath::new(path.to_owned()), session.progress())?;
    let target = Target::path(path, Overwrite::Replace)?;
    if !input.is_named_file() || !target.is_file() {
        return misuse(format!("{name} is not a regular file"), "name a key file");
    }
    let file = session.key_files.read(path)?;
    let text: Zeroizing<Vec<u8>> =
        if is_protected(&file.text) { open_protected(&session.key_files.prompt, path, &file.text)? } else { file.text };
    if text.trim_ascii_start().starts_with(b"-----BEGIN") {
        return misuse(
            format!("{name} is an SSH key, which has a protection of its own"),
            "change its passphrase with ssh-keygen -p -f KEY",
        );
    }
    // Only a key file is changed.
    parse(path, &text)?;
    if args.dry_run {
        session.key_files.prompt.show_input();
        let mut stdout = Target::stdout(OnTerminal::Anything)?.open()?;
        let plan = format!("{name} would get a new passphrase\n");
        return stdout.write_all(plan.as_bytes()).context("cannot write to standard output");
    }
    let prompt = Prompt::new(&args.new_passphrases.source(args.passphrases.batch), false)?;
    let passphrase = prompt.replacing_passphrase()?;
    let protected = new_key_file::protect(&text, passphrase)?;
    prompt.show_input();

    let mut output = target.open()?;
    let written = output.write_all(&protected).with_context(|| format!("cannot write {}", target.name()));
    target.explain(written, output.released())?;
    let source = input.into_source_file();
    let has_hard_links = source.has_hard_links();
    commit(Written::new(target, output, &Permissions::Private)?.replacing(source), &session.messages)?;
    if has_hard_links {
        session.messages.warning(&format!("{name} has other names (hard links), which still refer to the old file"));
    }
    session
        .messages
        .verbose(&format!("protected {name}; the disk may keep the old contents until they are overwritten"));
    Ok(())
}
