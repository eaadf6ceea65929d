//! The layout and the colours of the help.

use clap::{
    Arg, Command,
    builder::styling::{AnsiColor, Styles},
};

/// The sections of the help, most needed first. Options in none of them come last.
const SECTIONS: [&str; 7] = ["Key", "Recipients", "Identities", "Output", "Input", "Passphrases", "Plugins"];

/// The heading of the options that every command has, and of others that few people need.
pub(super) const OTHER: &str = "Other options";

/// The display order of the last options in a section.
pub(super) const LAST: usize = 1000;

/// The colours of help, on a terminal that has some.
pub(crate) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::Red.on_default().bold())
    .invalid(AnsiColor::Yellow.on_default().bold())
    .valid(AnsiColor::Green.on_default());

/// Puts the options of a command in the order of their sections, which the help follows.
pub(super) fn in_sections(verb: Command) -> Command {
    let section = |arg: &Arg| {
        let heading = arg.get_help_heading();
        SECTIONS.iter().position(|section| heading == Some(*section)).unwrap_or(SECTIONS.len())
    };
    let mut args: Vec<_> = verb.get_arguments().map(|arg| (section(arg), arg.get_id().clone())).collect();
    args.sort_by_key(|(section, _)| *section);
    // Changing an option moves it to the end.
    args.into_iter().fold(verb, |verb, (_, id)| verb.mut_arg(id, |arg| arg))
}
