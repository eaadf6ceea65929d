//! What the system allows a process or a user to have at a time.

use std::io;

/// A limit that a user can raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(unix), expect(dead_code, reason = "there are no such limits here"))]
pub(crate) enum Limit {
    OpenFiles,
    /// Of the user's processes together.
    Threads,
}

impl Limit {
    /// The limit that a call ran into.
    #[cfg(unix)]
    pub(crate) fn exceeded_by(error: &io::Error) -> Option<Self> {
        use rustix::io::Errno;

        match Errno::from_io_error(error)? {
            Errno::MFILE => Some(Self::OpenFiles),
            Errno::AGAIN => Some(Self::Threads),
            _ => None,
        }
    }

    /// `None`: errors do not tell here.
    #[cfg(not(unix))]
    pub(crate) fn exceeded_by(_: &io::Error) -> Option<Self> {
        None
    }
}
