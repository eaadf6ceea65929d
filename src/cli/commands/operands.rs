//! Refuses public keys among the operands. With `encrypt -r KEY KEY FILE`, the second key would be a missing file, and the output
//! of FILE would lack a recipient.

use std::path::PathBuf;

use anyhow::Result;

use crate::cli::{
    args::{Keygen, Paper, Verb},
    keys::public_keys::start,
    terminal::{advice::misuse, command},
};

/// The types of SSH keys, and how such keys begin in base64: the shell splits a key that is not quoted.
const SSH_TYPES: [&str; 2] = ["ssh-ed25519", "ssh-rsa"];
const SSH_KEYS: [&str; 2] = ["AAAAC3NzaC1lZDI1NTE5", "AAAAB3NzaC1yc2E"];
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
        Some(key) => {
            let shown = ssh_type(key).map_or_else(|| start(key), str::to_owned);
            misuse(format!("'{shown}' is a public key, not a file"), hint(verb, key))
        }
        None => Ok(()),
    }
}

fn is_public_key(text: &str) -> bool {
    // The names of plugins may have some punctuation, and keys are put in lists.
    let is_in_keys = |character: char| character.is_ascii_alphanumeric() || "+-._,;".contains(character);
    let is_age = text.starts_with(AGE) && text.len() >= SHORTEST && text.chars().all(is_in_keys);
    is_age || ssh_type(text).is_some() || SSH_KEYS.iter().any(|start| text.starts_with(start))
}

/// The type of an SSH key, with or without the key.
fn ssh_type(text: &str) -> Option<&'static str> {
    SSH_TYPES.into_iter().find(|kind| text.split_whitespace().next() == Some(kind))
}

fn hint(verb: &Verb, key: &str) -> &'static str {
    let is_ssh = !key.starts_with(AGE);
    if command::has_option("recipient") {
        if is_ssh { "give each key its own -r, and quote a key that has spaces" } else { "give each key its own -r" }
    } else if matches!(verb, Verb::Keygen(_) | Verb::Paper(_)) {
        "name the file that holds the secret key"
    } else {
        "name the encrypted file, and give your secret key's file with -i"
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
