//! Wrapping and unwrapping by other programs: the traits that a plugin client implements.
//!
//! Both take many files at once, so that the user is asked for a PIN or a touch only once.

use std::{collections::HashSet, io};

use age_core::format::{FileKey, Stanza};

/// Wraps file keys to one recipient.
pub trait ExternalRecipient: Send + Sync {
    /// Wraps every file key.
    ///
    /// # Errors
    ///
    /// The reason, worded for the user. Then no file key was wrapped.
    fn wrap(&self, file_keys: &[FileKey]) -> io::Result<WrappedKeys>;
}

/// The stanzas of several file keys.
pub struct WrappedKeys {
    /// One entry per file key, in the order in which they were given.
    pub stanzas: Vec<Vec<Stanza>>,
    /// The labels of the recipient, the same for every file key. All recipients of a file must have the same labels.
    pub labels: HashSet<String>,
}

/// Unwraps file keys with one identity.
pub trait ExternalIdentity: Send + Sync {
    /// Unwraps the file key of every header and returns one result per header, in order.
    ///
    /// # Errors
    ///
    /// The reason, worded for the user, if it concerns all headers.
    fn unwrap(&self, headers: &[&[Stanza]]) -> io::Result<Vec<UnwrappedKey>>;

    /// Asks for the file keys of headers that will be unwrapped one after the other, and keeps the answers until then. Returns for
    /// each header whether there is one: a file key or an error.
    ///
    /// Does nothing by default.
    fn unwrap_ahead(&self, headers: &[&[Stanza]]) -> Vec<bool> {
        vec![false; headers.len()]
    }
}

/// The file key of one header, or why it could not be unwrapped. `None` if no stanza is for this identity.
pub type UnwrappedKey = Option<io::Result<FileKey>>;
