//! Recipients wrap a file key; identities unwrap it.

pub(crate) mod external;
pub(crate) mod hybrid;
pub(crate) mod identity;
pub(crate) mod plugin_key;
pub(crate) mod recipient;
pub(crate) mod ssh;
pub(crate) mod wrap;
mod xwing;
