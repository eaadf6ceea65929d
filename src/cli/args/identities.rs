//! Identities: who can open.

use std::path::PathBuf;

use clap::{Args, ValueHint, value_parser};

use crate::crypto::WORK_FACTOR_LIMIT;

/// Identities, and limits on their use.
#[derive(Args)]
pub(crate) struct IdentityArgs {
    #[command(flatten)]
    pub(crate) keys: NamedIdentities,
    /// Refuse files that are encrypted with a passphrase, rather than ask for it
    #[arg(long, help_heading = "What can open")]
    pub(crate) identities_only: bool,
    /// Refuse files whose passphrase costs more than 2^N scrypt work
    #[arg(long, value_name = "N", default_value_t = WORK_FACTOR_LIMIT, value_parser = value_parser!(u8).range(1..=63))]
    pub(crate) max_work_factor: u8,
}

/// The identities that the command line names.
#[derive(Args)]
pub(crate) struct NamedIdentities {
    /// Open with the identities in FILE: an identity file, also one protected by a passphrase, or an SSH private key
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What can open")]
    pub(crate) identity: Vec<PathBuf>,
    /// Open with the plugin age-plugin-NAME, which needs no identity
    #[arg(short = 'j', long, value_name = "NAME", help_heading = "What can open")]
    pub(crate) plugin: Vec<String>,
    /// Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder
    #[arg(long, help_heading = "What can open")]
    pub(crate) no_default_identity: bool,
}

impl NamedIdentities {
    pub(crate) fn is_empty(&self) -> bool {
        self.identity.is_empty() && self.plugin.is_empty()
    }

    /// Whether the default identities are used instead.
    pub(crate) fn or_defaults(&self) -> bool {
        self.is_empty() && !self.no_default_identity
    }
}
