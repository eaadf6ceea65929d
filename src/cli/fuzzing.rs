//! Entry points for the fuzz targets: key files as text, without files and without plugins.

use std::path::Path;

use anyhow::{Error, Result};

use crate::{
    cli::keys::{
        identity_file::{self, Key},
        key_file::Location,
        recipients,
    },
    crypto::{Identity, Recipient},
};

/// Parses an identity file. Keys of plugins are left out.
///
/// # Errors
///
/// As they would be printed.
pub fn identity_file(text: &[u8]) -> Result<Vec<Identity>> {
    let keys = identity_file::parse(Path::new("key.txt"), text)?;
    let own = |key| match key {
        Key::Ready(identity) | Key::Locked(identity) => Some(identity),
        Key::Plugin { .. } => None,
    };
    Ok(keys.into_iter().filter_map(own).collect())
}

/// Parses a recipients file.
///
/// # Errors
///
/// As they would be printed.
pub fn recipients_file(text: &[u8]) -> Result<Vec<Recipient>> {
    let parse = |line: &str, _: Location<'_>| line.parse().map(Some).map_err(Error::new);
    recipients::parse_file(Path::new("team.txt"), text, parse)
}
