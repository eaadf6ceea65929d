//! `keygen`: make a key file, protect one, or print the public key of one.

mod protect;

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};

use crate::{
    cli::{
        args::{self, DASH, Keygen, RunPlugins},
        commands::{keygen::protect::protect, session::Session},
        files::{
            commit::{Written, commit},
            naming::{display_name, parent_folder, with_suffix},
            output::Output,
            pending::Overwrite,
            permissions::Permissions,
            target::{OnTerminal, Place, Target},
        },
        keys::{
            default_identities,
            identity_file::{Key, read_keys},
            new_key_file,
            recipients::recipient_of,
        },
        platform,
        terminal::{
            advice::{Advise, misuse},
            errors::During,
            exit_status::ExitStatus,
            persona::{self, Family},
        },
    },
    crypto::Identity,
};

/// Characters of a post-quantum public key that are printed on a terminal.
const KEY_SHOWN: usize = 62;

/// Makes a key, or prints public keys.
///
/// # Errors
///
/// Errors from asking, reading and writing.
pub(crate) fn keygen(args: &Keygen, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    if args.new_passphrases.is_named() && args.protect.is_none() {
        return misuse(
            "--new-passphrase-* changes the passphrase of a key file, and none is named",
            "name the key file with --protect",
        );
    }
    let no_plugins = RunPlugins { no_plugins: true, allow_plugin_network: false };
    if let Some(path) = &args.protect {
        let mut session = Session::new(messages, &args.passphrases, no_plugins, false)?;
        protect(path, args, &mut session)?;
        return Ok(None);
    }
    let default = args.default.then(default_file).transpose()?;
    let target = match args.output.as_ref().or(default.as_ref()) {
        // Never overwritten: everything that the old key opens would be lost.
        Some(path) => Target::path(path, Overwrite::Never).with_context(|| During::OpeningOutput(path.clone()))?,
        None => Target::stdout(OnTerminal::Anything)?,
    };
    target.check_is_open()?;
    let mut session = Session::new(messages, &args.passphrases, no_plugins, false)?;
    if args.to_public {
        print_recipients(args, target, &mut session)?;
    } else {
        make_key(args, target, &session)?;
    }
    Ok(None)
}

/// The default identity file, in a folder that exists.
fn default_file() -> Result<PathBuf> {
    let file = default_identities::new_file()?;
    if file.symlink_metadata().is_ok() {
        let name = display_name(&file);
        return Err(anyhow!("{name} already exists"))
            .hint(format!("nothing was changed; this prints its public key: solekey keygen -y {name}"));
    }
    let folder = parent_folder(&file);
    let missing: Vec<_> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
    for folder in missing.into_iter().rev() {
        let created = platform::create_folder(folder, Some(0o700));
        created.with_context(|| format!("cannot create the folder {}", display_name(folder)))?;
    }
    Ok(file)
}

fn make_key(args: &Keygen, target: Target, session: &Session<'_>) -> Result<()> {
    // A post-quantum public key is too long to paste, so it gets a file.
    let public_target = match target.typed() {
        Some(path) if args.pq && !args.announce && target.is_file() => {
            // A derived name: no link is followed.
            let public = with_suffix(path, ".pub");
            Some(Target::file(&public, Place::named(public.clone()), Overwrite::Never)?)
        }
        _ => None,
    };
    let passphrase = if args.passphrase { Some(session.key_files.prompt.new_passphrase()?) } else { None };

    let identity = if args.pq { Identity::generate_hybrid() } else { Identity::generate() };
    let recipient = identity.to_recipient().expect("a generated identity has a public key");
    let text = new_key_file::text(&identity, &recipient);
    let is_protected = passphrase.is_some();
    let text = match passphrase {
        Some(passphrase) => new_key_file::protect(&text, passphrase)?,
        None => text,
    };
    session.key_files.prompt.show_input();

    let mut output = target.open()?;
    if output.others_may_read() && !is_protected {
        session.messages.warning(match persona::family() {
            Some(Family::Age) => "writing secret key to a world-readable file",
            _ => "the secret key goes to a file that other users may read; use -o FILE for a private one",
        });
    }
    if matches!(target, Target::Stdout(_)) && io::stdout().is_terminal() && !persona::is_drop_in() {
        session.messages.note(
            "this is a secret key, and no file has it; 'solekey keygen -o key.txt' or 'solekey keygen --default' writes one",
        );
    }
    write(&target, &mut output, &text)?;
    if args.default {
        session.messages.note(&format!("the default identity is in {}", target.name()));
        if default_identities::is_overridden() {
            session.messages.warning(
                "$SOLEKEY_IDENTITY is set, so files are opened with the identities it names, not with this key",
            );
        }
    }
    let (is_file, is_stdout) = (target.is_file(), matches!(target, Target::Stdout(_)));
    commit(Written::new(target, output, &Permissions::Private)?, &session.messages)?;

    let mut public = format!("{recipient}\n");
    if let Some(target) = public_target {
        let name = target.name();
        let mut output = target.open()?;
        write(&target, &mut output, public.as_bytes())?;
        commit(Written::new(target, output, &Permissions::Umask)?, &session.messages)?;
        // All of it would fill the screen.
        if io::stdout().is_terminal() && !persona::is_drop_in() {
            public = format!("{}... (the whole key is in {name})\n", &public[..KEY_SHOWN]);
        }
    }
    if args.announce {
        if !is_stdout || !io::stdout().is_terminal() {
            session.messages.public_key(&recipient);
        }
    } else if is_file {
        print(&public)?;
    }
    Ok(())
}

fn print_recipients(args: &Keygen, target: Target, session: &mut Session<'_>) -> Result<()> {
    let input = args.input.as_deref().unwrap_or(Path::new(DASH));
    let keys = read_keys(&mut session.key_files, input)?;
    let recipients = keys.into_iter().map(|key| match key {
        Key::Ready(identity) | Key::Locked(identity) => recipient_of(&identity, input),
        Key::Plugin { location, .. } => misuse(
            format!("{location}: only its plugin knows the public key of a plugin's identity, and keygen runs none"),
            "most plugins write it beside the identity, in a comment",
        ),
    });
    let recipients = recipients.collect::<Result<Vec<_>>>()?;
    session.key_files.check_is_not_output(&target)?;

    let text: String = recipients.iter().map(|recipient| format!("{recipient}\n")).collect();
    let mut output = target.open()?;
    write(&target, &mut output, text.as_bytes())?;
    commit(Written::new(target, output, &Permissions::Umask)?, &session.messages)
}

fn write(target: &Target, output: &mut Output, text: &[u8]) -> Result<()> {
    let written = output.write_all(text).with_context(|| format!("cannot write {}", target.name()));
    target.explain(written, output.released())
}

fn print(text: &str) -> Result<()> {
    let mut stdout = Target::stdout(OnTerminal::Anything)?.open()?;
    stdout.write_all(text.as_bytes()).context("the key was made, but its public key cannot be printed")
}
