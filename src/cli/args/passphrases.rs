//! Where passphrases come from.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::args::numbers::descriptor;

/// Where passphrases come from.
#[derive(Args)]
pub(crate) struct Passphrases {
    /// Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads
    #[arg(long, value_name = "N", value_parser = descriptor, help_heading = "Passphrases", conflicts_with = "passphrase_file")]
    pub(crate) passphrase_fd: Option<u32>,
    /// Read the passphrase from the first line of FILE
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Passphrases")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Never ask questions; fail with status 5 if an answer is needed
    #[arg(long, help_heading = "Passphrases")]
    pub(crate) batch: bool,
}

/// Where the new passphrase comes from, when one is replaced.
#[derive(Args)]
pub(crate) struct NewPassphrases {
    /// Read the new passphrase from the first line of file descriptor N; --passphrase-fd gives the old one
    #[arg(long, value_name = "N", value_parser = descriptor, help_heading = "Passphrases", conflicts_with = "new_passphrase_file")]
    pub(crate) new_passphrase_fd: Option<u32>,
    /// Read the new passphrase from the first line of FILE; --passphrase-file gives the old one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Passphrases")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
}

impl NewPassphrases {
    /// The new passphrase's source as [`Passphrases`]. `--batch` applies to both.
    pub(crate) fn source(&self, batch: bool) -> Passphrases {
        Passphrases { passphrase_fd: self.new_passphrase_fd, passphrase_file: self.new_passphrase_file.clone(), batch }
    }

    /// Whether the command line names a source.
    pub(crate) fn is_named(&self) -> bool {
        self.new_passphrase_fd.is_some() || self.new_passphrase_file.is_some()
    }
}
