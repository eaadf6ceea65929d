//! The arguments of each verb.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::cli::args::{
    files::{FileArgs, InputArgs, input_path},
    identities::{IdentityArgs, NamedIdentities},
    passphrases::{NewPassphrases, Passphrases},
    plugins::{PluginRules, RunPlugins},
    range::ByteRange,
    recipients::{EncryptRecipients, InspectRecipients, RekeyRecipients},
};

/// Encrypt files or a stream to recipients
///
/// Each FILE is encrypted to FILE.age beside it; FILE stays. Without FILE, standard input is encrypted to standard output.
/// Every recipient named gets one stanza in the file's header, in the order of the command line, and nobody else gets one:
/// no configuration, environment variable or default adds any.
#[derive(Args)]
pub(crate) struct Encrypt {
    #[command(flatten)]
    pub(crate) recipients: EncryptRecipients,
    #[command(flatten)]
    pub(crate) plugins: PluginRules,
    /// Encrypt with a passphrase, which is asked for; an empty answer generates one
    #[arg(short, long, help_heading = "Who can open", conflicts_with_all = ["recipient", "recipients-file", "authorized-keys", "identity", "plugin"])]
    pub(crate) passphrase: bool,
    /// Fail, before anything is written, unless the header has exactly N stanzas
    #[arg(long, value_name = "N", help_heading = "Who can open")]
    pub(crate) expect_recipients: Option<usize>,
    /// Record in FILE which stanza is whose, and the SHA-256 of what is written: one line of JSON for each output. With --rm, each
    /// line is on the disk before its source is deleted, and lines stand in the order in which outputs were finished
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Files", conflicts_with = "dry_run")]
    pub(crate) receipt: Option<PathBuf>,
    /// Write ASCII armor: text that survives mail and paste
    #[arg(short, long)]
    pub(crate) armor: bool,
    /// Read each output back once it is synced, and authenticate it, before it gets its name
    #[arg(long, help_heading = "Files", conflicts_with = "stdout")]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
}

/// Decrypt files or a stream with identities
///
/// Each FILE.age is decrypted to FILE beside it; FILE.age stays. Without FILE, standard input is decrypted to standard
/// output. A file under its final name is always whole and authentic: nothing appears there after a failure. Standard output
/// gets only authentic bytes, but may have got some before a failure: check the exit status.
#[derive(Args)]
pub(crate) struct Decrypt {
    #[command(flatten)]
    pub(crate) identities: IdentityArgs,
    #[command(flatten)]
    pub(crate) plugins: RunPlugins,
    /// Write only LENGTH bytes from OFFSET on ('OFFSET:' for all from there); K, M, G and T are powers of 1024. Reads only
    /// what is needed for that. Of a named file, takes -c or -o: a part does not get the name of the whole
    #[arg(long, value_name = "OFFSET:LENGTH", conflicts_with_all = ["rm", "verify_first", "update", "skip_existing"])]
    pub(crate) range: Option<ByteRange>,
    /// Authenticate all of a file before any of it is written; the file is read twice
    #[arg(long)]
    pub(crate) verify_first: bool,
    /// Leave holes in the output for blocks of zeros
    #[arg(long)]
    pub(crate) sparse: bool,
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
}

/// Authenticate all of a file, and write nothing
///
/// Opens every chunk and says for each file whether it is whole: 'NAME: OK', or 'NAME: FAILED' and what is wrong where.
#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) identities: IdentityArgs,
    #[command(flatten)]
    pub(crate) plugins: RunPlugins,
    /// Print one JSON object for each file
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
}

/// Give files a new set of recipients
///
/// Each file is encrypted anew under a fresh file key to the recipients that -r and -R name, and to nobody else, and then takes
/// the old one's place, with its mode and time. Whoever holds an old copy can still open that; to renew one, rsync must compare
/// contents (--checksum), since time and often size stay. An interrupted run leaves each file either old or new.
///
/// With --add, those who can open a file stay, as far as the identities of -i tell who they are; with --remove, those whom -r
/// and -R name are taken out. A stanza does not say whose it is: if it belongs to none of these, name the full set, or
/// change the header only.
#[derive(Args)]
#[command(mut_arg("files", |files| files.help("Files to change, in their place")))]
pub(crate) struct Rekey {
    #[command(flatten)]
    pub(crate) identities: IdentityArgs,
    #[command(flatten)]
    pub(crate) recipients: RekeyRecipients,
    #[command(flatten)]
    pub(crate) plugins: PluginRules,
    /// Give files a new passphrase, which is asked for; --passphrase-* is the old one
    #[arg(short, long, help_heading = "Who can open",
        conflicts_with_all = ["recipient", "recipients-file", "add", "remove", "header_only"])]
    pub(crate) passphrase: bool,
    /// Add the recipients that are named to those of each file
    #[arg(long, conflicts_with = "remove", help_heading = "Who can open")]
    pub(crate) add: bool,
    /// Take the recipients that are named out of each file
    #[arg(long, help_heading = "Who can open")]
    pub(crate) remove: bool,
    /// Write a new header before the old payload: fast, but the file key stays, so nobody who had it loses it
    #[arg(long, help_heading = "Who can open")]
    pub(crate) header_only: bool,
    /// Change files even if none of the identities that are given could open them any more
    #[arg(short, long, help_heading = "Files")]
    pub(crate) force: bool,
    /// Read each new file back once it is synced, and authenticate it, before it takes the old one's place
    #[arg(long, help_heading = "Files")]
    pub(crate) check: bool,
    /// Open every file, but change none, and print which would change
    #[arg(long, help_heading = "Files", conflicts_with = "check")]
    pub(crate) dry_run: bool,
    /// Print one JSON object for each file
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
    #[command(flatten)]
    pub(crate) new_passphrases: NewPassphrases,
}

/// Recover what still authenticates of a damaged file
///
/// Every chunk that is authentic goes to its place in the output, and zeros go where chunks are lost. What was lost is
/// printed as a JSON object; the status is 4 if anything was. Sectors that cannot be read count as lost. Of a damaged header,
/// one stanza for your key is enough, if that is whole.
#[derive(Args)]
pub(crate) struct Salvage {
    #[command(flatten)]
    pub(crate) identities: IdentityArgs,
    #[command(flatten)]
    pub(crate) plugins: RunPlugins,
    /// Write what is recovered to OUT
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath, help_heading = "Files")]
    pub(crate) output: PathBuf,
    /// Overwrite an existing output file
    #[arg(short, long, help_heading = "Files")]
    pub(crate) force: bool,
    /// Print what could be recovered, and write nothing
    #[arg(long, help_heading = "Files")]
    pub(crate) dry_run: bool,
    /// Print a JSON object for a failure too
    #[arg(long)]
    pub(crate) json: bool,
    /// Use N threads, at most 1024; 0 means all cores
    #[arg(short = 'T', long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// The damaged file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = input_path())]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
}

/// Make a key file, or print the public key of one
///
/// Writes a new identity (a secret key) and its public key as a comment. With -o, the key goes to a file that only you can
/// read, and the public key is printed. An existing file is never overwritten.
#[derive(Args)]
pub(crate) struct Keygen {
    /// Write the key to FILE (mode 0600), and print its public key
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Write the key to the default identity file, which opening looks at if no identity is named
    #[arg(long, conflicts_with_all = ["output", "to_public"])]
    pub(crate) default: bool,
    /// Protect the key file KEY with a new passphrase, or change its passphrase. The file is replaced at once or stays as it is
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath,
        conflicts_with_all = ["output", "default", "pq", "announce", "passphrase", "to_public"])]
    pub(crate) protect: Option<PathBuf>,
    /// Make a key that is safe from quantum computers too; with -o, its long public key also goes to FILE.pub
    #[arg(long, conflicts_with = "to_public")]
    pub(crate) pq: bool,
    /// Print the public key on standard error and nowhere else, as age-keygen does
    #[arg(long, conflicts_with = "to_public")]
    pub(crate) announce: bool,
    /// Protect the key file with a passphrase, which is asked for; an empty answer generates one
    #[arg(short, long, conflicts_with = "to_public")]
    pub(crate) passphrase: bool,
    /// Print the public keys of the identities in INPUT
    #[arg(short = 'y', long = "to-public")]
    pub(crate) to_public: bool,
    /// The identity file for -y; standard input if it is missing or '-'
    #[arg(value_name = "INPUT", requires = "to_public", value_hint = ValueHint::FilePath)]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrases: Passphrases,
    #[command(flatten)]
    pub(crate) new_passphrases: NewPassphrases,
}

/// Print the completion script for a shell
///
/// For bash, 'source <(solekey completions bash)'; for zsh and fish, put the script where the shell looks for it.
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

/// Print what the header of a file says
///
/// Lists every stanza of the header, which is to say every way to open the file, and the sizes of its parts. Needs no key,
/// and never decrypts the payload. Stanzas of types that are not the age format's are flagged.
///
/// With -i or -j, says which stanzas are yours, and authenticates the header; the status is 3 if none is. A default identity
/// is looked at too, if nothing needs to be asked for that and no plugin to be run, and need not match.
///
/// With -r and -R, says which stanzas are for these keys, and which keys have none. Stanzas of ssh-ed25519, ssh-rsa and tag
/// keys say whose they are, in four bytes that only an identity can prove. X25519 and post-quantum stanzas do not, by design.
///
/// With --recursive, each file in the folders gets one line: who can open a backup. With -i too, only the files that the
/// identities open are listed: what an old key still opens; the status is 3 if there is none.
#[derive(Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) identities: NamedIdentities,
    #[command(flatten)]
    pub(crate) recipients: InspectRecipients,
    #[command(flatten)]
    pub(crate) plugins: RunPlugins,
    /// Fail unless the header has exactly N stanzas
    #[arg(long, value_name = "N")]
    pub(crate) expect_recipients: Option<usize>,
    /// Print one JSON object for each file
    #[arg(long)]
    pub(crate) json: bool,
    /// Say the payload's size as age-inspect does, too
    #[arg(long, hide = true)]
    pub(crate) padded: bool,
    /// Inspect all files in .age in the folders that are named, and print a line for each
    #[arg(long, help_heading = "Files")]
    pub(crate) recursive: bool,
    /// Files to inspect; standard input if there is none or for '-'
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
