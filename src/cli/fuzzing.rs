//! What the fuzz targets reach of key files, without files and without plugins.

use std::path::Path;

use anyhow::{Error, Result};

use crate::{
    cli::keys::{
        key_file::Place,
        keyring::{self, Key},
        recipients,
    },
    crypto::{Identity, Recipient},
};

/// The keys of an identity file with this text; those of plugins are left out.
///
/// # Errors
///
/// As they would be printed.
pub fn identity_file(text: &[u8]) -> Result<Vec<Identity>> {
    let keys = keyring::parse(Path::new("key.txt"), text)?;
    let own = |key| match key {
        Key::Ready(identity) | Key::Locked(identity) => Some(identity),
        Key::Plugin { .. } => None,
    };
    Ok(keys.into_iter().filter_map(own).collect())
}

/// The recipients of a recipients file with this text.
///
/// # Errors
///
/// As they would be printed.
pub fn recipients_file(text: &[u8]) -> Result<Vec<Recipient>> {
    let parse = |line: &str, _: Place<'_>| line.parse().map(Some).map_err(Error::new);
    recipients::parse_file(Path::new("team.txt"), text, parse)
}
