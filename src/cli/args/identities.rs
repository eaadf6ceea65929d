//! Identities: the keys that open files.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::{cli::args::numbers::work_factor, crypto::WORK_FACTOR_LIMIT};

/// Identities, and limits on their use.
#[derive(Args)]
pub(crate) struct IdentityArgs {
    #[command(flatten)]
    pub(crate) keys: NamedIdentities,
    /// Reject files encrypted with a passphrase instead of asking for it
    #[arg(long, help_heading = "Identities")]
    pub(crate) identities_only: bool,
    /// Reject files with a scrypt work factor above N
    #[arg(long, value_name = "N", default_value_t = WORK_FACTOR_LIMIT, value_parser = work_factor,
        help_heading = "Identities")]
    pub(crate) max_work_factor: u8,
}

/// The identities that the command line names.
#[derive(Args)]
pub(crate) struct NamedIdentities {
    /// Use the identities in FILE: an identity file, which may be protected by a passphrase, or an SSH private key
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Identities")]
    pub(crate) identity: Vec<PathBuf>,
    /// Use the plugin age-plugin-NAME without an identity
    #[arg(short = 'j', long, value_name = "NAME", help_heading = "Identities")]
    pub(crate) plugin: Vec<String>,
    /// Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder
    #[arg(long, help_heading = "Identities")]
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
