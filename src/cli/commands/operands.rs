//! Refuses public keys among the operands. With `encrypt -r KEY KEY FILE`, the second key would be a missing file, and the output
//! of FILE would lack a recipient.

use std::path::PathBuf;

use anyhow::Result;

use crate::cli::{
    args::{Keygen, Paper, Verb},
    keys::public_keys::start,
    terminal::{advice::misuse, command},
};

/// How public keys begin: the types of SSH keys also in base64, because the shell splits a key that is not quoted.
const SSH: [&str; 4] = ["ssh-ed25519", "ssh-rsa", "AAAAC3NzaC1lZDI1NTE5", "AAAAB3NzaC1yc2E"];
const AGE: &str = "age1";
/// Characters in the shortest text that is taken for an `age1...` key. A whole key has 62 or more.
const SHORTEST: usize = 40;

/// Refuses operands that look like public keys and name no file.
///
/// # Errors
///
/// [`Misuse`](crate::cli::terminal::errors::Misuse), with a hint where keys go.
pub(crate) fn check(verb: &Verb) -> Result<()> {
    let found = operands(verb).iter().find_map(|operand| {
        let key = operand.to_str().filter(|text| is_public_key(text))?;
        operand.symlink_metadata().is_err().then_some(key)
    });
    match found {
        Some(key) => misuse(format!("'{}' is a public key, not a file", start(key)), hint(verb, key)),
        None => Ok(()),
    }
}

fn is_public_key(text: &str) -> bool {
    let is_in_keys = |character: char| character.is_ascii_alphanumeric() || ",;".contains(character);
    let is_age = text.starts_with(AGE) && text.len() >= SHORTEST && text.chars().all(is_in_keys);
    is_age || SSH.iter().any(|start| text.starts_with(start))
}

fn hint(verb: &Verb, key: &str) -> &'static str {
    let is_ssh = !key.starts_with(AGE);
    if command::has_option("recipient") {
        if is_ssh { "give each key its own -r, and quote a key that has spaces" } else { "give each key its own -r" }
    } else if matches!(verb, Verb::Keygen(_) | Verb::Paper(_)) {
        "name the file that holds the secret key"
    } else {
        "name the encrypted file; it is opened with a secret key, and -i takes the file that holds it"
    }
}

fn operands(verb: &Verb) -> &[PathBuf] {
    match verb {
        Verb::Encrypt(args) => &args.files.inputs.files,
        Verb::Decrypt(args) => &args.files.inputs.files,
        Verb::Verify(args) => &args.inputs.files,
        Verb::Rekey(args) => &args.inputs.files,
        Verb::Inspect(args) => &args.files,
        Verb::Salvage(args) => std::slice::from_ref(&args.file),
        Verb::Keygen(Keygen { input: file, .. }) | Verb::Paper(Paper { key: file, .. }) => file.as_slice(),
        Verb::Completions(_) => &[],
    }
}
