//! What opens files, what plugins may do for that, and who answers when a passphrase is needed.

use std::path::PathBuf;

use clap::{Args, ValueHint, value_parser};

use crate::crypto::WORK_FACTOR_LIMIT;

/// What can open.
#[derive(Args)]
pub(crate) struct Identities {
    /// Open with the identities in FILE: an identity file, also one protected by a passphrase, or an SSH private key
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What can open")]
    pub(crate) identity: Vec<PathBuf>,
    /// Open with the plugin age-plugin-NAME, which needs no identity
    #[arg(short = 'j', long, value_name = "NAME", help_heading = "What can open")]
    pub(crate) plugin: Vec<String>,
    /// Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder
    #[arg(long, help_heading = "What can open")]
    pub(crate) no_default_identity: bool,
    /// Refuse files that are encrypted with a passphrase, rather than ask for it
    #[arg(long, help_heading = "What can open")]
    pub(crate) identities_only: bool,
    /// Refuse files whose passphrase costs more than 2^N scrypt work
    #[arg(long, value_name = "N", default_value_t = WORK_FACTOR_LIMIT, value_parser = value_parser!(u8).range(1..=63))]
    pub(crate) max_work_factor: u8,
}

/// Whether plugins may run.
#[derive(Args, Clone, Copy)]
pub(crate) struct NoPlugins {
    /// Fail rather than run a plugin
    #[arg(long, help_heading = "Plugins")]
    pub(crate) no_plugins: bool,
}

/// What plugins may do.
#[derive(Args, Clone, Copy)]
pub(crate) struct PluginRules {
    #[command(flatten)]
    pub(crate) may_run: NoPlugins,
    /// Let a plugin write any number of stanzas for a key, not just one; each can open the file
    #[arg(long, help_heading = "Plugins", conflicts_with = "no_plugins")]
    pub(crate) allow_plugin_stanzas: bool,
}

impl From<NoPlugins> for PluginRules {
    fn from(may_run: NoPlugins) -> Self {
        Self { may_run, allow_plugin_stanzas: false }
    }
}

/// Who answers questions.
#[derive(Args)]
pub(crate) struct Answers {
    /// Read the passphrase from file descriptor N, to the end of its first line
    #[arg(long, value_name = "N", help_heading = "Passphrases", conflicts_with = "passphrase_file")]
    pub(crate) passphrase_fd: Option<u32>,
    /// Read the passphrase from the first line of FILE
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Passphrases")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Never ask; fail with status 5 where an answer is needed
    #[arg(long, help_heading = "Passphrases")]
    pub(crate) batch: bool,
}
