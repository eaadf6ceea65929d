//! Recipients: the keys that will be able to open the files.
//!
//! Built with clap's builder interface: the derive macro would make one list per flag and lose the order of the command line.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint, error, value_parser};

/// The recipients of `encrypt`, in command-line order, whatever the flag.
pub(crate) struct EncryptRecipients(pub(crate) Vec<RecipientArg>);

/// One way to name recipients.
pub(crate) enum RecipientArg {
    /// `-r`: the key itself.
    Key(String),
    /// `-R`: a file of keys.
    File(PathBuf),
    /// `--authorized-keys`: a file of keys, some of which may be unsupported.
    AuthorizedKeys(PathBuf),
    /// `-i`: the public keys of an identity file.
    Identity(PathBuf),
    /// `-j`: a plugin that needs no key.
    Plugin(String),
}

/// The recipients of `rekey`, in command-line order. There, `-i` names identities that open the files.
pub(crate) struct RekeyRecipients(pub(crate) Vec<RecipientArg>);

/// The recipients that `inspect` looks for, in command-line order.
pub(crate) struct InspectRecipients(pub(crate) Vec<RecipientArg>);

fn flag(id: &'static str, short: char) -> Arg {
    Arg::new(id).short(short).long(id).action(ArgAction::Append).help_heading("Recipients")
}

fn file(arg: Arg) -> Arg {
    arg.value_name("FILE").value_parser(value_parser!(PathBuf)).value_hint(ValueHint::FilePath)
}

impl Args for RekeyRecipients {
    fn augment_args(command: Command) -> Command {
        command
            .arg(flag("recipient", 'r').value_name("KEY").value_hint(ValueHint::Other).help(
                "Encrypt to the public key KEY: age1..., age1pq1..., ssh-ed25519 ..., ssh-rsa ..., or a plugin's",
            ))
            .arg(file(flag("recipients-file", 'R')).help("Encrypt to the public keys in FILE, one per line"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RekeyRecipients {
    fn from_arg_matches(matches: &ArgMatches) -> error::Result<Self> {
        let mut named = Vec::new();
        collect(matches, "recipient", &mut named, RecipientArg::Key);
        collect(matches, "recipients-file", &mut named, RecipientArg::File);
        Ok(Self(in_order(named)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> error::Result<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for InspectRecipients {
    fn augment_args(command: Command) -> Command {
        let about = |arg: Arg, help: &'static str| arg.help(help);
        RekeyRecipients::augment_args(command)
            .mut_arg("recipient", |arg| {
                about(
                    arg,
                    "Report which stanzas are for the public key KEY; X25519 and post-quantum stanzas do not tell",
                )
            })
            .mut_arg("recipients-file", |arg| about(arg, "Report the same for the public keys in FILE, one per line"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for InspectRecipients {
    fn from_arg_matches(matches: &ArgMatches) -> error::Result<Self> {
        RekeyRecipients::from_arg_matches(matches).map(|RekeyRecipients(named)| Self(named))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> error::Result<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for EncryptRecipients {
    fn augment_args(command: Command) -> Command {
        RekeyRecipients::augment_args(command)
            .arg(
                file(Arg::new("authorized-keys").long("authorized-keys").action(ArgAction::Append))
                    .help_heading("Recipients")
                    .help("Like -R, but skip SSH keys of types that cannot be encrypted to, with a warning"),
            )
            .arg(
                file(flag("identity", 'i'))
                    .help("Encrypt to the public keys of the identities in FILE, your own key file for example"),
            )
            .arg(
                flag("plugin", 'j')
                    .value_name("NAME")
                    .value_hint(ValueHint::Other)
                    .help("Encrypt with the plugin age-plugin-NAME, which needs no key"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for EncryptRecipients {
    fn from_arg_matches(matches: &ArgMatches) -> error::Result<Self> {
        let mut named = Vec::new();
        collect(matches, "recipient", &mut named, RecipientArg::Key);
        collect(matches, "recipients-file", &mut named, RecipientArg::File);
        collect(matches, "authorized-keys", &mut named, RecipientArg::AuthorizedKeys);
        collect(matches, "identity", &mut named, RecipientArg::Identity);
        collect(matches, "plugin", &mut named, RecipientArg::Plugin);
        Ok(Self(in_order(named)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> error::Result<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn in_order(mut named: Vec<(usize, RecipientArg)>) -> Vec<RecipientArg> {
    named.sort_by_key(|(place, _)| *place);
    named.into_iter().map(|(_, named)| named).collect()
}

/// Adds the values of one flag with their positions on the command line.
fn collect<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    id: &str,
    named: &mut Vec<(usize, RecipientArg)>,
    name: fn(T) -> RecipientArg,
) {
    let places = matches.indices_of(id).into_iter().flatten();
    let values = matches.get_many::<T>(id).into_iter().flatten().cloned();
    named.extend(places.zip(values.map(name)));
}
