//! Many files: processed in parallel, reported in order, and combined into one exit status.

mod commit_queue;
pub(crate) mod cores;
pub(crate) mod encryptors;
pub(crate) mod groups;
pub(crate) mod quick_check;
pub(crate) mod reports;
pub(crate) mod scheduler;
pub(crate) mod space;
pub(crate) mod summary;
pub(crate) mod tally;
