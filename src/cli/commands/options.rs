//! Rejects options that can have no effect given the rest of the command line: the user expects something that would not happen.
//!
//! `-k`, `--batch` and the options that begin with `--no-` are promises, and always hold.

use anyhow::Result;

use crate::{
    cli::{
        args::{
            Decrypt, Encrypt, FileArgs, InputArgs, Keygen, MessageArgs, NamedIdentities, Passphrases, RecipientArg,
            Rekey, RunPlugins, Verb, When,
        },
        terminal::advice::misuse,
    },
    crypto::{ParseRecipientError, Recipient, WORK_FACTOR_LIMIT},
};

/// An option that was given, and why it has no effect.
type Futile = (&'static str, &'static str);

/// Refuses options without effect.
///
/// # Errors
///
/// [`Misuse`](crate::cli::terminal::errors::Misuse), which names the first such option.
pub(crate) fn check(verb: &Verb, messages: &MessageArgs) -> Result<()> {
    let (no_plugin, no_question) = ("no plugin is named", "none of the named keys needs a passphrase");
    let found: Vec<Option<Futile>> = match verb {
        Verb::Encrypt(args) => {
            let no_plugin = (!args.may_run_plugins()).then_some(no_plugin);
            vec![
                passphrase_option(&args.passphrases, (!args.may_need_passphrase()).then_some(no_question)),
                network(args.plugins.may_run, no_plugin),
                no_plugin.filter(|_| args.plugins.allow_plugin_stanzas).map(|why| ("--allow-plugin-stanzas", why)),
                force(&args.files, args.receipt.is_some()),
                recursive(&args.files.inputs),
            ]
        }
        Verb::Decrypt(args) => {
            vec![
                network(args.plugins, unnamed(&args.identities.keys, no_plugin)),
                force(&args.files, false),
                args.sparse_to_stream(),
                recursive(&args.files.inputs),
                work_factor(args.identities.identities_only, args.identities.max_work_factor),
            ]
        }
        Verb::Verify(args) => {
            vec![
                network(args.plugins, unnamed(&args.identities.keys, no_plugin)),
                recursive(&args.inputs),
                work_factor(args.identities.identities_only, args.identities.max_work_factor),
            ]
        }
        Verb::Rekey(args) => {
            let no_plugin = unnamed(&args.identities.keys, no_plugin).filter(|_| !may_be_plugins(&args.recipients.0));
            vec![
                network(args.plugins.may_run, no_plugin),
                args.stanzas_of_no_plugin(),
                recursive(&args.inputs),
                work_factor(args.identities.identities_only, args.identities.max_work_factor),
            ]
        }
        Verb::Salvage(args) => vec![
            network(args.plugins, unnamed(&args.identities.keys, no_plugin)),
            work_factor(args.identities.identities_only, args.identities.max_work_factor),
        ],
        Verb::Inspect(args) => vec![
            network(args.plugins, unnamed(&args.identities, no_plugin)),
            passphrase_option(
                &args.passphrases,
                unnamed(&args.identities, "inspect needs a passphrase only for keys named with -i"),
            ),
        ],
        Verb::Paper(args) => vec![
            passphrase_option(&args.passphrases, args.read.then_some("words are not protected")),
            (messages.progress != When::Auto).then_some(("--progress", "paper shows none")),
        ],
        Verb::Completions(_) => {
            vec![(messages.progress != When::Auto).then_some(("--progress", "completions shows none"))]
        }
        Verb::Keygen(args) => vec![
            passphrase_option(&args.passphrases, args.needs_no_passphrase()),
            (messages.progress != When::Auto).then_some(("--progress", "keygen shows none")),
        ],
    };
    match found.into_iter().flatten().next() {
        Some((option, why)) => misuse(format!("{option} has no effect: {why}"), format!("leave out {option}")),
        None => Ok(()),
    }
}

impl Encrypt {
    fn may_run_plugins(&self) -> bool {
        !self.passphrase && may_be_plugins(&self.recipients.0)
    }

    fn may_need_passphrase(&self) -> bool {
        let may_be_locked = |named: &RecipientArg| matches!(named, RecipientArg::Identity(_));
        self.passphrase || self.may_run_plugins() || self.recipients.0.iter().any(may_be_locked)
    }
}

impl Decrypt {
    fn sparse_to_stream(&self) -> Option<Futile> {
        (self.sparse && self.files.all_to_stdout()).then_some(("--sparse", "standard output gets no holes"))
    }
}

impl Rekey {
    fn stanzas_of_no_plugin(&self) -> Option<Futile> {
        let is_futile = self.remove || !may_be_plugins(&self.recipients.0);
        (self.plugins.allow_plugin_stanzas && is_futile)
            .then_some(("--allow-plugin-stanzas", "no plugin adds a stanza"))
    }
}

impl Keygen {
    fn needs_no_passphrase(&self) -> Option<&'static str> {
        (!self.passphrase && !self.to_public && self.protect.is_none())
            .then_some("without -p, the key file is not protected")
    }
}

fn passphrase_option(passphrases: &Passphrases, why: Option<&'static str>) -> Option<Futile> {
    let Passphrases { passphrase_fd, passphrase_file, .. } = passphrases;
    let option = passphrase_fd.map(|_| "--passphrase-fd").or(passphrase_file.as_ref().map(|_| "--passphrase-file"));
    Some((option?, why?))
}

fn network(plugins: RunPlugins, why: Option<&'static str>) -> Option<Futile> {
    why.filter(|_| plugins.allow_plugin_network).map(|why| ("--allow-plugin-network", why))
}

/// Returns the reason if no identity is named. Default identities never run plugins.
fn unnamed(identities: &NamedIdentities, why: &'static str) -> Option<&'static str> {
    identities.is_empty().then_some(why)
}

fn force(files: &FileArgs, has_receipt: bool) -> Option<Futile> {
    (files.force && !has_receipt && files.all_to_stdout()).then_some(("--force", "standard output replaces no file"))
}

fn recursive(inputs: &InputArgs) -> Option<Futile> {
    (inputs.recursive && inputs.are_stdin()).then_some(("--recursive", "no folder is named"))
}

fn work_factor(identities_only: bool, max_work_factor: u8) -> Option<Futile> {
    (identities_only && max_work_factor != WORK_FACTOR_LIMIT)
        .then_some(("--max-work-factor", "--identities-only refuses every passphrase"))
}

/// Whether the recipients may include plugin keys. A file may hold any keys.
fn may_be_plugins(recipients: &[RecipientArg]) -> bool {
    let may_be = |named: &RecipientArg| match named {
        RecipientArg::Key(key) => matches!(key.parse::<Recipient>(), Err(ParseRecipientError::Plugin(_))),
        RecipientArg::AuthorizedKeys(_) => false,
        RecipientArg::File(_) | RecipientArg::Identity(_) | RecipientArg::Plugin(_) => true,
    };
    recipients.iter().any(may_be)
}
