//! Wraps file keys with a plugin: one session for all that are given at once.

use std::{io, slice, sync::Arc};

use crate::{
    cli::keys::plugins::{
        error::{Failure, Fault, into_io},
        plugin::{Plugin, PluginSession},
        session::Key,
    },
    crypto::{ExternalRecipient, FileKey, WrappedKeys},
};

/// A key of a plugin, to which that wraps file keys.
pub(super) struct Wrapper {
    pub(super) plugin: Plugin,
    pub(super) key: Key,
}

impl ExternalRecipient for Wrapper {
    fn wrap(&self, file_keys: &[FileKey]) -> io::Result<WrappedKeys> {
        self.wrap_all(file_keys).map_err(into_io)
    }
}

impl Wrapper {
    fn wrap_all(&self, file_keys: &[FileKey]) -> Result<WrappedKeys, Arc<Failure>> {
        let serves_many = self.plugin.serves_many.get();
        let [first, others @ ..] = file_keys else { return self.session(file_keys) };
        if others.is_empty() {
            return self.session(file_keys);
        }
        if serves_many == Some(&false) {
            return self.wrap_each(self.session(slice::from_ref(first))?, others);
        }
        match self.session(file_keys) {
            Err(failure) if serves_many.is_none() && !failure.is_final() => {
                // It may know of one file key in a session only.
                let Ok(alone) = self.session(slice::from_ref(first)) else { return Err(failure) };
                let _ = self.plugin.serves_many.set(false);
                self.wrap_each(alone, others)
            }
            wrapped => {
                if wrapped.is_ok() {
                    let _ = self.plugin.serves_many.set(true);
                }
                wrapped
            }
        }
    }

    /// Wraps each of `others` in a session of its own, and adds the results to those of the first file key.
    fn wrap_each(&self, mut wrapped: WrappedKeys, others: &[FileKey]) -> Result<WrappedKeys, Arc<Failure>> {
        for file_key in others {
            let next = self.session(slice::from_ref(file_key))?;
            if next.labels != wrapped.labels {
                return Err(Failure::of(&self.plugin.program, &Fault::Protocol("the labels of a key change")));
            }
            wrapped.stanzas.extend(next.stanzas);
        }
        Ok(wrapped)
    }

    fn session(&self, file_keys: &[FileKey]) -> Result<WrappedKeys, Arc<Failure>> {
        let work = |session: PluginSession<'_, '_>| session.wrap(&self.key, file_keys);
        self.plugin.run("recipient-v1", file_keys.len(), work).map(|(wrapped, _)| wrapped)
    }
}
