//! The arguments of `paper`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::{cli::args::passphrases::Passphrases, crypto::KeyKind};

/// Print a key as words and a QR code, or read it back
///
/// Prints a sheet to keep on paper: the key in KEY as 24 BIP-39 words, which include a checksum, and as a QR code. With --read,
/// reads the words from the terminal without showing them, or from standard input, and writes the key to a file that only you can
/// read. Compare the public key that it prints with the one on the sheet. The words do not say which kind of key they are; the
/// sheet does.
#[derive(Args)]
pub(crate) struct Paper {
    /// Also write the QR code to FILE, as an SVG image for printing (mode 0600)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "read", help_heading = "Output")]
    pub(crate) svg: Option<PathBuf>,
    /// Read words, and write their key to the file named with -o
    #[arg(long, requires = "kind", requires = "output", help_heading = "Key")]
    pub(crate) read: bool,
    /// The kind of the key, as on the sheet: x25519 for AGE-SECRET-KEY-1..., pq for AGE-SECRET-KEY-PQ-1...
    #[arg(long, value_enum, value_name = "KIND", requires = "read", hide_possible_values = true, help_heading = "Key")]
    pub(crate) kind: Option<PaperKind>,
    /// Write the key to FILE (mode 0600), which must not exist
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "read", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// The key file; '-' for standard input
    #[arg(value_name = "KEY", value_hint = ValueHint::FilePath, required_unless_present = "read", conflicts_with = "read")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
}

/// The kind of an age key.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum PaperKind {
    /// AGE-SECRET-KEY-1...
    X25519,
    /// AGE-SECRET-KEY-PQ-1...
    Pq,
}

impl PaperKind {
    /// The word for `--kind`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::X25519 => "x25519",
            Self::Pq => "pq",
        }
    }
}

impl From<KeyKind> for PaperKind {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::X25519 => Self::X25519,
            KeyKind::Hybrid => Self::Pq,
        }
    }
}

impl From<PaperKind> for KeyKind {
    fn from(kind: PaperKind) -> Self {
        match kind {
            PaperKind::X25519 => Self::X25519,
            PaperKind::Pq => Self::Hybrid,
        }
    }
}
