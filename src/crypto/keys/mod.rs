//! Recipients wrap a file key; identities unwrap it.

pub(crate) mod external;
pub(crate) mod hybrid;
pub(crate) mod identity;
pub(crate) mod plugin_key;
pub(crate) mod recipient;
mod scrypt;
pub(crate) mod seed;
pub(crate) mod ssh;
pub(crate) mod wrap;
pub(crate) mod x25519;
mod xwing;
