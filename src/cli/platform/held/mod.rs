//! Files and folders that are held, so that nothing can take their place.

pub(super) mod file_handle;
pub(super) mod file_system;
pub(super) mod folder;
pub(super) mod links;
#[cfg(unix)]
pub(super) mod spelling;
