//! The command line as pure data. Everybody may import it; it imports nothing from the rest of `cli`.
//!
//! The doc comments of arguments are their `--help`.

#![allow(rustdoc::bare_urls, reason = "clap shows these comments as they stand")]

mod files;
mod identities;
mod paper;
mod passphrases;
mod plugins;
mod range;
mod recipients;
mod verbs;

use clap::{Arg, ArgAction, Args, Command, CommandFactory, Parser, Subcommand, ValueEnum};

pub(crate) use files::{DASH, FileArgs, InputArgs, is_name_of_stdin, threads};
pub(crate) use identities::{IdentityArgs, NamedIdentities};
pub(crate) use paper::{Paper, PaperKind};
pub(crate) use passphrases::Passphrases;
pub(crate) use plugins::{PluginRules, RunPlugins};
pub(crate) use recipients::RecipientArg;
pub(crate) use verbs::{Completions, Decrypt, Encrypt, Inspect, Keygen, Rekey, Salvage, Shell, Verify};

const AFTER_HELP: &str = "\
Exit status:
  0 done  1 input/output or other failure  2 misuse  3 no identity matched, or wrong passphrase
  4 not an age file, corrupted or truncated  5 an answer was needed and nobody could give it
  6 some of several files failed  141 the pipe that was written to was closed

Examples:
  solekey keygen -o key.txt                       make a key; prints its public key
  solekey encrypt -r age1... notes.txt            writes notes.txt.age
  solekey decrypt -i key.txt notes.txt.age        writes notes.txt
  tar c photos | solekey encrypt -R friends.txt -o photos.tar.age
  solekey decrypt -i key.txt < photos.tar.age | tar x
  solekey encrypt -R friends.txt --recursive --update -O backup photos

Called age, age-keygen, age-inspect, rage or rage-keygen, through a link or as its first word (solekey age ...), the
program takes that tool's command line, and ends with its statuses.";

/// Encrypt files to the public keys you name, and to nobody else
///
/// solekey encrypts files and streams to the public keys named on its command line, in the age format
/// (https://c2sp.org/age). There is no escrow, no recovery key, no default recipient, and no option for one: a file opens
/// for the recipients that its command line named, and for nobody else.
#[derive(Parser)]
#[command(name = "solekey", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) messages: MessageArgs,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Which messages to print, and whether to show progress.
#[derive(Args)]
pub(crate) struct MessageArgs {
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Messages")]
    pub(crate) quiet: bool,
    /// Report each file processed
    #[arg(short, long, global = true, help_heading = "Messages")]
    pub(crate) verbose: bool,
    /// Show a progress bar on standard error
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto", help_heading = "Messages")]
    pub(crate) progress: When,
}

/// When to show progress.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, for work longer than a second
    Auto,
    /// Also when standard error is not a terminal
    Always,
    /// Not at all
    Never,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    #[command(visible_alias = "e")]
    Encrypt(Encrypt),
    #[command(visible_alias = "d")]
    Decrypt(Decrypt),
    Keygen(Keygen),
    Inspect(Inspect),
    #[command(visible_alias = "t")]
    Verify(Verify),
    Rekey(Rekey),
    Salvage(Salvage),
    Paper(Paper),
    Completions(Completions),
}

impl Verb {
    /// Whether other programs read what is printed.
    pub(crate) fn prints_json(&self) -> bool {
        match self {
            Self::Encrypt(args) => args.files.json,
            Self::Decrypt(args) => args.files.json,
            Self::Inspect(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Rekey(args) => args.json,
            Self::Salvage(args) => args.json,
            Self::Keygen(_) | Self::Paper(_) | Self::Completions(_) => false,
        }
    }

    /// Whether plugins may use the network.
    pub(crate) fn allows_plugin_network(&self) -> bool {
        let rules = match self {
            Self::Encrypt(args) => args.plugins.may_run,
            Self::Decrypt(args) => args.plugins,
            Self::Inspect(args) => args.plugins,
            Self::Verify(args) => args.plugins,
            Self::Rekey(args) => args.plugins.may_run,
            Self::Salvage(args) => args.plugins,
            Self::Keygen(_) | Self::Paper(_) | Self::Completions(_) => return false,
        };
        rules.allow_plugin_network
    }
}

/// The command line as data, from which man pages and completions are generated.
#[must_use]
pub fn command() -> Command {
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    Arguments::command()
        .arg(version.help("Print version; with -v, also what it was built from"))
        .disable_version_flag(true)
}
