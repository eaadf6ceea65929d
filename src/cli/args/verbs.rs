//! The arguments of each verb.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::cli::args::{
    files::{FileArgs, InputArgs, input_path, of_decrypt},
    identities::{IdentityArgs, NamedIdentities},
    layout::OTHER,
    numbers::{stanza_count, thread_count},
    passphrases::{NewPassphrases, Passphrases},
    plugins::{PluginRules, RunPlugins},
    range::ByteRange,
    recipients::{EncryptRecipients, InspectRecipients, RekeyRecipients},
};

/// Encrypt files or a stream to recipients
///
/// Encrypts each FILE to FILE.age beside it, and keeps FILE. Without FILE, encrypts standard input to standard output. Each
/// recipient you name gets one stanza in the file's header, in the order of the command line. Nobody else gets one: no
/// configuration, environment variable or default adds a recipient.
#[derive(Args)]
#[command(mut_arg("recursive", |arg| arg.help("Encrypt every file in the named folders and below; skip .age files, links and devices")))]
#[command(mut_arg("rm", |arg| arg.help(
    "Delete each input once its output is written, synced, read back and verified, and the input has been read again; keep it if it \
     has changed")))]
pub(crate) struct Encrypt {
    #[command(flatten)]
    pub(crate) recipients: EncryptRecipients,
    /// Ask for a passphrase and encrypt with it; an empty answer generates one
    #[arg(short, long, help_heading = "Recipients", conflicts_with_all = ["recipient", "recipients-file", "authorized-keys", "identity", "plugin"])]
    pub(crate) passphrase: bool,
    /// Fail, before anything is written, unless the header has exactly N stanzas
    #[arg(long, value_name = "N", value_parser = stanza_count, help_heading = "Recipients")]
    pub(crate) expect_recipients: Option<usize>,
    /// Write ASCII armor, text that can be mailed and pasted
    #[arg(short, long, help_heading = "Output")]
    pub(crate) armor: bool,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// Sync each output, read it back and authenticate it before it gets its name
    #[arg(long, help_heading = "Output", conflicts_with = "stdout")]
    pub(crate) check: bool,
    /// Record in FILE which recipient each stanza is for, and the SHA-256 of the output.
    ///
    /// FILE gets one line of JSON for each output, in the order in which outputs are finished. With --rm, each line is on disk
    /// before its source is deleted.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output", conflicts_with = "dry_run")]
    pub(crate) receipt: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
    #[command(flatten)]
    pub(crate) plugins: PluginRules,
}

/// Decrypt files or a stream with identities
///
/// Decrypts each FILE.age to FILE beside it, and keeps FILE.age. Without FILE, decrypts standard input to standard output. A file
/// gets its final name only when it is complete and authentic: after a failure, nothing appears under that name. Standard output
/// gets only authentic bytes, but some may have been written before a failure: check the exit status.
#[derive(Args)]
#[command(mut_args(of_decrypt))]
pub(crate) struct Decrypt {
    #[command(flatten)]
    pub(crate) identities: IdentityArgs,
    #[command(flatten)]
    pub(crate) plugins: RunPlugins,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// Write only LENGTH bytes, starting at OFFSET.
    ///
    /// 'OFFSET:' means everything from OFFSET on; K, M, G and T are powers of 1024. Reads only the chunks it needs. If you name a
    /// FILE, also give -c or -o, so that a part does not get the name of the whole.
    #[arg(long, value_name = "OFFSET:LENGTH", conflicts_with_all = ["rm", "verify_first", "update", "skip_existing"], help_heading = "Output")]
    pub(crate) range: Option<ByteRange>,
    /// Authenticate all of a file before writing any of it; this reads the file twice
    #[arg(long, help_heading = "Output")]
    pub(crate) verify_first: bool,
    /// Leave holes in the output for blocks of zeros
    #[arg(long, help_heading = "Output")]
    pub(crate) sparse: bool,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
}

/// Check that files are intact
///
/// Authenticates every chunk, writes nothing, and reports each file: 'NAME: OK', 'NAME: FAILED' with the fault and its place, or
/// 'NAME: CANNOT OPEN' with the reason.
#[derive(Args)]
#[command(mut_arg("recursive", |arg| arg.help("Verify every .age file in the named folders and below; skip links and devices")))]
#[command(mut_arg("files", |files| files.help("Files to verify; standard input if none is given, or for '-'")))]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) identities: IdentityArgs,
    #[command(flatten)]
    pub(crate) plugins: RunPlugins,
    /// Print one JSON object for each file
    #[arg(long, help_heading = OTHER)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
}

/// Change who can open files
///
/// Encrypts each file again under a new file key, to the recipients given with -r and -R and to nobody else, and replaces the old
/// file. Mode and time stay the same, and often the size too, so rsync needs --checksum to update a copy. Old copies can still be
/// opened as before. An interrupted run leaves each file either old or new.
///
/// --add keeps the current recipients, if the identities given with -i show who they are. --remove removes the recipients given
/// with -r and -R. Stanzas do not identify their recipients: if one belongs to none of these keys, name the full set of recipients,
/// or use --header-only.
#[derive(Args)]
#[command(mut_arg("recursive", |arg| arg.help("Change every .age file in the named folders and below; skip links and devices")))]
#[command(mut_arg("files", |files| files.help("Files to change, in place")))]
pub(crate) struct Rekey {
    #[command(flatten)]
    pub(crate) identities: IdentityArgs,
    #[command(flatten)]
    pub(crate) recipients: RekeyRecipients,
    #[command(flatten)]
    pub(crate) plugins: PluginRules,
    /// Ask for a new passphrase and set it; --passphrase-* gives the old one
    #[arg(short, long, help_heading = "Recipients",
        conflicts_with_all = ["recipient", "recipients-file", "add", "remove", "header_only"])]
    pub(crate) passphrase: bool,
    /// Add these recipients to those of each file; use --header-only unless your identities show who the others are
    #[arg(long, conflicts_with = "remove", help_heading = "Recipients")]
    pub(crate) add: bool,
    /// Remove these recipients from each file; for X25519 and post-quantum keys, also give their identities with -i
    #[arg(long, help_heading = "Recipients")]
    pub(crate) remove: bool,
    /// Write only a new header: fast, but the file key stays the same, so anyone who has it can still decrypt
    #[arg(long, help_heading = "Recipients")]
    pub(crate) header_only: bool,
    /// Change files even if none of the given identities can open them afterwards
    #[arg(short, long, help_heading = "Output")]
    pub(crate) force: bool,
    /// Sync each new file, read it back and authenticate it before it replaces the old one
    #[arg(long, help_heading = "Output")]
    pub(crate) check: bool,
    /// Change nothing; open every file, and print which would change
    #[arg(long, help_heading = "Output", conflicts_with = "check")]
    pub(crate) dry_run: bool,
    /// Print one JSON object for each file
    #[arg(long, help_heading = OTHER)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
    #[command(flatten)]
    pub(crate) new_passphrases: NewPassphrases,
}

/// Recover the intact parts of a damaged file
///
/// Writes every authentic chunk to its place in the output, and zeros where chunks are lost. Prints the lost ranges as a JSON
/// object; the status is 4 if there are any. Unreadable sectors count as lost. If the header is damaged, one intact stanza for
/// your key is enough.
#[derive(Args)]
pub(crate) struct Salvage {
    #[command(flatten)]
    pub(crate) identities: IdentityArgs,
    #[command(flatten)]
    pub(crate) plugins: RunPlugins,
    /// Write the recovered data to OUT
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) output: PathBuf,
    /// Overwrite an existing output file
    #[arg(short, long, help_heading = "Output")]
    pub(crate) force: bool,
    /// Print what could be recovered, and write nothing
    #[arg(long, help_heading = "Output")]
    pub(crate) dry_run: bool,
    /// Also print a JSON object for a failure
    #[arg(long, help_heading = OTHER)]
    pub(crate) json: bool,
    /// Use N threads, at most 1024; by default, or if N is 0, one for each core
    #[arg(short = 'T', long, value_name = "N", default_value_t = 0, hide_default_value = true,
        value_parser = thread_count, help_heading = OTHER)]
    pub(crate) threads: usize,
    /// The damaged file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = input_path())]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
}

/// Make a key file, or print its public key
///
/// Writes a new identity (a secret key), with its public key as a comment. With -o, writes the key to a file that only you can
/// read, and prints the public key. Never overwrites an existing file.
#[derive(Args)]
pub(crate) struct Keygen {
    /// Write the key to FILE (mode 0600), and print its public key
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// Write the key to the default identity file, used to decrypt if you name no identity
    #[arg(long, conflicts_with_all = ["output", "to_public"], help_heading = "Output")]
    pub(crate) default: bool,
    /// Protect the key file KEY with a new passphrase, or change its passphrase.
    ///
    /// The file is either replaced as a whole or left unchanged.
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath,
        conflicts_with_all = ["output", "default", "pq", "announce", "passphrase", "to_public"],
        help_heading = "Key")]
    pub(crate) protect: Option<PathBuf>,
    /// Change nothing; check that KEY can be protected
    #[arg(long, requires = "protect", help_heading = "Key")]
    pub(crate) dry_run: bool,
    /// Make a post-quantum key; with -o, its long public key is also written to FILE.pub
    #[arg(long, conflicts_with = "to_public", help_heading = "Key")]
    pub(crate) pq: bool,
    /// Print the public key on standard error only, as age-keygen does
    #[arg(long, conflicts_with = "to_public", help_heading = "Output")]
    pub(crate) announce: bool,
    /// Ask for a passphrase and protect the key file with it; an empty answer generates one
    #[arg(short, long, conflicts_with = "to_public", help_heading = "Key")]
    pub(crate) passphrase: bool,
    /// Print the public keys of the identities in INPUT
    #[arg(short = 'y', long = "to-public", help_heading = "Key")]
    pub(crate) to_public: bool,
    /// The identity file for -y; standard input if omitted or '-'
    #[arg(value_name = "INPUT", requires = "to_public", value_hint = ValueHint::FilePath)]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
    #[command(flatten)]
    pub(crate) new_passphrases: NewPassphrases,
}

/// Print the completion script for a shell
///
/// For bash, run 'source <(solekey completions bash)'; for zsh and fish, put the script where the shell looks for it.
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// A shell with completions.
#[derive(Clone, Copy, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

/// List who can open a file, as far as its header shows
///
/// Lists every stanza of the header (every way to open the file) and the sizes of the file's parts. Needs no key, and never
/// decrypts the payload. Flags stanzas of types that are not part of the age format.
///
/// With -i or -j, reports which stanzas are yours, and authenticates the header; the status is 3 if none are. Also tries default
/// identities that need no passphrase and no plugin; these need not match.
///
/// With -r and -R, reports which stanzas are for these keys, and which keys have none, but does not fail for those. Stanzas for
/// ssh-ed25519, ssh-rsa and tag keys identify their key by four bytes, but only an identity can prove it. By design, X25519 and
/// post-quantum stanzas (for age1... and age1pq1... keys) do not identify their key: only an identity can.
///
/// With --recursive, prints one line for each file, with the type of each stanza, or its key where -r, -R or your identities show
/// it. So for age1... keys of others, it tells how many can open a file, but not which. If you add -i, lists only the files that
/// these identities open, to show what an old key still opens; the status is 3 if there are none.
#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) identities: NamedIdentities,
    #[command(flatten)]
    pub(crate) recipients: InspectRecipients,
    #[command(flatten)]
    pub(crate) plugins: RunPlugins,
    /// Fail unless the header has exactly N stanzas
    #[arg(long, value_name = "N", value_parser = stanza_count, help_heading = "Recipients")]
    pub(crate) expect_recipients: Option<usize>,
    /// Print one JSON object for each file
    #[arg(long, help_heading = OTHER)]
    pub(crate) json: bool,
    /// Also report the size of the payload as age-inspect does
    #[arg(long, hide = true)]
    pub(crate) padded: bool,
    /// Inspect every .age file in the named folders and below, and print a line for each, with the types of its stanzas; skip links and devices
    #[arg(long, help_heading = "Input")]
    pub(crate) recursive: bool,
    /// Files to inspect; standard input if none is given, or for '-'
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = input_path())]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
}

impl Inspect {
    /// The files, for a walk.
    pub(crate) fn inputs(&self) -> InputArgs {
        InputArgs { recursive: self.recursive, files_from: None, null: false, threads: 1, files: self.files.clone() }
    }
}
