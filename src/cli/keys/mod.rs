//! Keys: reading key files, collecting recipients, unlocking identities, running plugins.

pub(crate) mod announced;
pub(crate) mod default_identities;
pub(crate) mod identity_file;
pub(crate) mod key_file;
pub(crate) mod key_set;
pub(crate) mod keyring;
mod locked;
pub(crate) mod new_key_file;
pub(crate) mod plugins;
pub(crate) mod public_keys;
pub(crate) mod recipients;
