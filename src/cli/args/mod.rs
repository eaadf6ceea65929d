//! The command line as pure data. Every module may import it; it imports nothing from the rest of `cli`.
//!
//! The doc comments of arguments are their `--help`.

#![allow(rustdoc::bare_urls, reason = "clap shows these comments as they stand")]

mod examples;
mod files;
mod identities;
mod layout;
mod numbers;
mod paper;
mod passphrases;
mod plugins;
mod range;
mod recipients;
mod usage;
mod verbs;

use clap::{Arg, ArgAction, Args, Command, CommandFactory, Parser, Subcommand, ValueEnum, builder::StyledStr};

pub(crate) use files::{DASH, FileArgs, InputArgs, is_name_of_stdin, threads};
pub(crate) use identities::{IdentityArgs, NamedIdentities};
pub(crate) use layout::STYLES;
pub(crate) use paper::{Paper, PaperKind};
pub(crate) use passphrases::Passphrases;
pub(crate) use plugins::{PluginRules, RunPlugins};
pub(crate) use recipients::RecipientArg;
pub(crate) use usage::lines as usage;
pub(crate) use verbs::{Completions, Decrypt, Encrypt, Inspect, Keygen, Rekey, Salvage, Shell, Verify};

use layout::{LAST, OTHER, in_sections};

/// The end of the program's help, after the options.
const AFTER_OPTIONS: &str = "
    0  success
    1  input/output or other failure
    2  command-line usage error
    3  no identity matched, or wrong passphrase
    4  not an age file, or a corrupted or truncated one
    5  a question had to be asked but could not be
    6  some of several files failed
  141  the output pipe was closed

Scripts that call age or rage can call solekey instead: through a link named
age, age-keygen, age-inspect, rage or rage-keygen, or as 'solekey age ...'.
It then takes that tool's options and uses its exit statuses.";

/// Encrypt files to the public keys you name, and to nobody else
///
/// solekey encrypts files and streams to the public keys you name on the command line, in the age format (https://c2sp.org/age). It
/// has no escrow, no recovery key and no default recipient, and no option to add one: only the recipients you name can open a file.
#[derive(Parser)]
#[command(name = "solekey", version, styles = STYLES, disable_help_flag = true)]
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
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = OTHER)]
    pub(crate) quiet: bool,
    /// Print more, such as each file processed and protections that the system lacks
    #[arg(short, long, global = true, help_heading = OTHER)]
    pub(crate) verbose: bool,
    /// Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto", help_heading = OTHER,
        hide_default_value = true, hide_possible_values = true)]
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
    /// Whether the output is JSON, for other programs.
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

/// The options of all commands that a command's help leaves out, because they do nothing there.
fn without_effect(verb: &str) -> &'static [&'static str] {
    match verb {
        "keygen" => &["progress"],
        "paper" | "completions" => &["progress", "verbose"],
        _ => &[],
    }
}

/// The complete command line as data, from which man pages and completions are generated.
#[must_use]
pub fn command() -> Command {
    let mut command = parser();
    // Only a command that has been built has the verb `help`.
    command.build();
    let about = |verb: Command| verb.about("Print the help of COMMAND");
    command.mut_subcommand("help", |verb| about(verb).mut_subcommand("help", about))
}

/// The command line, for parsing: a command is built only when it is called, which saves time at the start.
pub(crate) fn parser() -> Command {
    let styles = STYLES;
    let heading = styles.get_header();
    let after = format!("{}\n\n{heading}Exit status:{heading:#}{AFTER_OPTIONS}", examples::text("solekey").ansi());
    let arguments = Arguments::command();
    let every: Vec<Arg> = arguments.get_arguments().cloned().collect();
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).global(true);
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    arguments
        .override_usage(usage::text("solekey"))
        .after_help(StyledStr::from(after))
        .mut_subcommands(|verb| {
            let examples = examples::text(verb.get_name());
            let usage = usage::text(verb.get_name());
            let idle = without_effect(verb.get_name());
            let hidden = every.iter().filter(|arg| idle.contains(&arg.get_id().as_str())).cloned();
            let hidden: Vec<_> = hidden.map(|arg| arg.hide(true)).collect();
            in_sections(verb).override_usage(usage).after_help(examples).args(hidden)
        })
        .arg(
            version
                .help("Print the version; with -v, also what it was built from")
                .help_heading(OTHER)
                .display_order(LAST),
        )
        .arg(help.help("Print help; -h is short, --help is long").help_heading(OTHER).display_order(LAST + 1))
        .disable_version_flag(true)
}
