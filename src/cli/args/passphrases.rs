//! Where passphrases come from.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Where passphrases come from.
#[derive(Args)]
pub(crate) struct Passphrases {
    /// Read the passphrase from the first line of file descriptor N, a pipe or a file; no more of it is for others to read
    #[arg(long, value_name = "N", help_heading = "Passphrases", conflicts_with = "passphrase_file")]
    pub(crate) passphrase_fd: Option<u32>,
    /// Read the passphrase from the first line of FILE
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Passphrases")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Never ask; fail with status 5 where an answer is needed
    #[arg(long, help_heading = "Passphrases")]
    pub(crate) batch: bool,
}
