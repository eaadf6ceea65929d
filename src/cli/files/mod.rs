//! Files: finding and reading inputs, deciding what an output may be, writing and committing it.

pub(crate) mod commit;
pub(crate) mod encrypted_input;
pub(crate) mod input;
pub(crate) mod naming;
pub(crate) mod output;
pub(crate) mod outputs;
pub(crate) mod pending;
pub(crate) mod permissions;
pub(crate) mod read_back;
pub(crate) mod receipt;
pub(crate) mod target;
pub(crate) mod walk;

/// What lies beyond this many bytes of a file does not stay in memory once it is read or written: a large backup would push out what
/// other programs keep there.
const CACHED: u64 = 1 << 30;
