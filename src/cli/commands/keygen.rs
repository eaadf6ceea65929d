//! `keygen`: make a key file, or print the public key of one.

use std::{
    io::{self, IsTerminal, Write},
    num::NonZeroUsize,
    path::Path,
    time::SystemTime,
};

use anyhow::{Context, Result};

use crate::{
    cli::{
        args::{self, DASH, Keygen, RunPlugins},
        commands::session::Session,
        files::{
            commit::{Written, commit},
            naming::with_suffix,
            output::Output,
            pending::Overwrite,
            permissions::Permissions,
            target::{OnTerminal, Place, Target},
        },
        keys::{
            identity_file::{Key, read_keys},
            recipients::recipient_of,
        },
        terminal::{
            advice::misuse,
            errors::During,
            exit_status::ExitStatus,
            persona::{self, Family},
        },
    },
    crypto::{
        Encryptor, Identity, Recipient, Sink, Source,
        armor::ArmorWriter,
        secrecy::{ExposeSecret, SecretString, Zeroizing},
    },
};

/// Makes a key, or prints public keys.
///
/// # Errors
///
/// Those of asking, reading and writing.
pub(crate) fn keygen(args: &Keygen, messages: &args::MessageArgs) -> Result<Option<ExitStatus>> {
    let target = match &args.output {
        // Never overwritten: everything that the old key opens would be lost.
        Some(path) => Target::path(path, Overwrite::Never).with_context(|| During::OpeningOutput(path.clone()))?,
        None => Target::stdout(OnTerminal::Anything)?,
    };
    target.check_is_open()?;
    let no_plugins = RunPlugins { no_plugins: true, allow_plugin_network: false };
    let mut session = Session::new(messages, &args.passphrases, no_plugins, false)?;
    if args.to_public {
        print_recipients(args, target, &mut session)?;
    } else {
        make_key(args, target, &session)?;
    }
    Ok(None)
}

fn make_key(args: &Keygen, target: Target, session: &Session<'_>) -> Result<()> {
    // A post-quantum public key is too long to paste, so it gets a file.
    let public_target = match &args.output {
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
    let text = key_file(&identity, &recipient);
    let is_protected = passphrase.is_some();
    let text = match passphrase {
        Some(passphrase) => protect(&text, passphrase)?,
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
    write(&target, &mut output, &text)?;
    let (is_file, is_stdout) = (target.is_file(), matches!(target, Target::Stdout(_)));
    commit(Written::new(target, output, &Permissions::Private)?, &session.messages)?;

    let public = format!("{recipient}\n");
    if let Some(target) = public_target {
        let mut output = target.open()?;
        write(&target, &mut output, public.as_bytes())?;
        commit(Written::new(target, output, &Permissions::Umask)?, &session.messages)?;
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

/// The text of an identity file with one key.
fn key_file(identity: &Identity, recipient: &Recipient) -> Zeroizing<Vec<u8>> {
    let secret = identity.to_text().expect("a generated identity has a text");
    let created = humantime::format_rfc3339_seconds(SystemTime::now());
    let comments = format!("# created: {created}\n# public key: {recipient}\n");
    // Room for the whole text, since growing would leave copies in memory.
    let mut text = Zeroizing::new(Vec::with_capacity(comments.len() + secret.expose_secret().len() + 1));
    text.extend_from_slice(comments.as_bytes());
    text.extend_from_slice(secret.expose_secret().as_bytes());
    text.push(b'\n');
    text
}

/// Encrypts the text of an identity file with a passphrase, as an armored age file.
fn protect(text: &[u8], passphrase: SecretString) -> Result<Zeroizing<Vec<u8>>> {
    let encryptor = Encryptor::new(&[Recipient::passphrase(passphrase)])?;
    let mut protected = Vec::new();
    let mut armor = ArmorWriter::new(&mut protected);
    let mut text = text;
    encryptor.encrypt(Source::Sequential(&mut text), Sink::Sequential(&mut armor), NonZeroUsize::MIN)?;
    armor.finish().context("cannot write the end of the armor")?;
    Ok(Zeroizing::new(protected))
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
