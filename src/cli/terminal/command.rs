//! The command that runs, so that hints name only options that it has.

use std::sync::{LazyLock, OnceLock};

use clap::Command;

use crate::cli::{args, terminal::persona};

static COMMAND: OnceLock<String> = OnceLock::new();

/// Built once: a run may have an error for each of its files.
static PROGRAM: LazyLock<Command> = LazyLock::new(args::parser);

/// Remembers the command's name. Called once the command line is parsed.
pub(crate) fn remember(name: &str) {
    let _ = COMMAND.set(name.to_owned());
}

/// Whether the command has this name.
pub(crate) fn is(name: &str) -> bool {
    COMMAND.get().is_some_and(|running| running == name)
}

/// Whether the command has an option of this long name. In the place of another tool, it has none of ours.
pub(crate) fn has_option(long: &str) -> bool {
    if persona::is_drop_in() {
        return false;
    }
    let command = COMMAND.get().and_then(|name| PROGRAM.find_subcommand(name));
    command.is_some_and(|command| command.get_arguments().any(|argument| argument.get_long() == Some(long)))
}
