//! Who can open, as the command line names them.
//!
//! The derive macro would give one list a flag and lose the order of the command line, so this is clap's builder interface.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint, error, value_parser};

/// The recipients of `encrypt`, in the order of the command line, whatever the flag.
pub(crate) struct Recipients(pub(crate) Vec<Named>);

/// How the command line names recipients.
pub(crate) enum Named {
    /// `-r`: the key itself.
    Key(String),
    /// `-R`: a file of keys.
    File(PathBuf),
    /// `--authorized-keys`: a file of keys, of which some may be of no use here.
    AuthorizedKeys(PathBuf),
    /// `-i`: the public keys of an identity file.
    Identity(PathBuf),
    /// `-j`: a plugin that needs no key.
    Plugin(String),
}

/// The recipients of `rekey`, in the order of the command line. There, `-i` names what opens.
pub(crate) struct NewRecipients(pub(crate) Vec<Named>);

/// The keys whose stanzas `inspect` looks for, in the order of the command line.
pub(crate) struct AskedAbout(pub(crate) Vec<Named>);

fn flag(id: &'static str, short: char) -> Arg {
    Arg::new(id).short(short).long(id).action(ArgAction::Append).help_heading("Who can open")
}

fn file(arg: Arg) -> Arg {
    arg.value_name("FILE").value_parser(value_parser!(PathBuf)).value_hint(ValueHint::FilePath)
}

impl Args for NewRecipients {
    fn augment_args(command: Command) -> Command {
        command
            .arg(flag("recipient", 'r').value_name("KEY").value_hint(ValueHint::Other).help(
                "Encrypt to the public key KEY: age1..., age1pq1..., ssh-ed25519 ..., ssh-rsa ..., or a plugin's",
            ))
            .arg(file(flag("recipients-file", 'R')).help("Encrypt to the public keys in FILE, one a line"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for NewRecipients {
    fn from_arg_matches(matches: &ArgMatches) -> error::Result<Self> {
        let mut named = Vec::new();
        collect(matches, "recipient", &mut named, Named::Key);
        collect(matches, "recipients-file", &mut named, Named::File);
        Ok(Self(in_order(named)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> error::Result<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for AskedAbout {
    fn augment_args(command: Command) -> Command {
        let about = |arg: Arg, help: &'static str| arg.help_heading("Whose stanzas").help(help);
        NewRecipients::augment_args(command)
            .mut_arg("recipient", |arg| about(arg, "Say which stanzas are for the public key KEY, or that none is"))
            .mut_arg("recipients-file", |arg| about(arg, "Say so for each of the public keys in FILE, one a line"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AskedAbout {
    fn from_arg_matches(matches: &ArgMatches) -> error::Result<Self> {
        NewRecipients::from_arg_matches(matches).map(|NewRecipients(named)| Self(named))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> error::Result<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Recipients {
    fn augment_args(command: Command) -> Command {
        NewRecipients::augment_args(command)
            .arg(
                file(Arg::new("authorized-keys").long("authorized-keys").action(ArgAction::Append))
                    .help_heading("Who can open")
                    .help("As -R, but pass over SSH keys of types that cannot be encrypted to, with a warning"),
            )
            .arg(file(flag("identity", 'i')).help("Encrypt to the public keys of the identities in FILE"))
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

impl FromArgMatches for Recipients {
    fn from_arg_matches(matches: &ArgMatches) -> error::Result<Self> {
        let mut named = Vec::new();
        collect(matches, "recipient", &mut named, Named::Key);
        collect(matches, "recipients-file", &mut named, Named::File);
        collect(matches, "authorized-keys", &mut named, Named::AuthorizedKeys);
        collect(matches, "identity", &mut named, Named::Identity);
        collect(matches, "plugin", &mut named, Named::Plugin);
        Ok(Self(in_order(named)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> error::Result<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn in_order(mut named: Vec<(usize, Named)>) -> Vec<Named> {
    named.sort_by_key(|(place, _)| *place);
    named.into_iter().map(|(_, named)| named).collect()
}

/// Adds the values of one flag with their places on the command line.
fn collect<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    id: &str,
    named: &mut Vec<(usize, Named)>,
    name: fn(T) -> Named,
) {
    let places = matches.indices_of(id).into_iter().flatten();
    let values = matches.get_many::<T>(id).into_iter().flatten().cloned();
    named.extend(places.zip(values.map(name)));
}
