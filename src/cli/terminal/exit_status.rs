//! Exit statuses, derived from error types.

use std::process::ExitCode;

use crate::{
    cli::terminal::{
        errors::{Damaged, Misuse, Unanswered},
        persona,
    },
    crypto::Error as CryptoError,
};

/// Why a run failed. The numbers are stable and documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitStatus {
    Failure = 1,
    Misuse = 2,
    NoMatch = 3,
    Damaged = 4,
    Unanswered = 5,
    SomeFailed = 6,
    /// What a shell reports for a program that died of SIGPIPE.
    ClosedPipe = 141,
}

impl ExitStatus {
    /// The status of an error: that of its innermost cause that has one.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error.chain().filter_map(Self::of_cause).last().unwrap_or(Self::Failure)
    }

    fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if cause.is::<Misuse>() {
            return Some(Self::Misuse);
        }
        if cause.is::<Unanswered>() {
            return Some(Self::Unanswered);
        }
        if cause.is::<Damaged>() {
            return Some(Self::Damaged);
        }
        Some(match cause.downcast_ref::<CryptoError>()? {
            CryptoError::External(error) if error.get_ref().is_some_and(|inner| inner.is::<Unanswered>()) => {
                Self::Unanswered
            }
            CryptoError::NoMatch(_) | CryptoError::WrongPassphrase => Self::NoMatch,
            CryptoError::NotAge
            | CryptoError::Foreign(_)
            | CryptoError::Recoded(_)
            | CryptoError::Empty
            | CryptoError::Version(_)
            | CryptoError::Header { .. }
            | CryptoError::NoNonce
            | CryptoError::Stanza
            | CryptoError::HeaderMac
            | CryptoError::Armor { .. }
            | CryptoError::Payload { .. }
            | CryptoError::Unwrap => Self::Damaged,
            _ => Self::Failure,
        })
    }

    /// The exit code for the parent process. The tools that solekey stands in for use one status for every failure.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(if persona::is_drop_in() { 1 } else { self as u8 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terminal::advice::{Advise, misuse};

    #[test]
    fn the_innermost_cause_decides_the_status() {
        let error = anyhow::Error::new(CryptoError::WrongPassphrase).context("cannot decrypt 'x'");
        assert_eq!(ExitStatus::of(&error), ExitStatus::NoMatch);
        let advised = Err::<(), _>(error).hint("think").expect_err("it is an error");
        assert_eq!(ExitStatus::of(&advised), ExitStatus::NoMatch);
        assert_eq!(ExitStatus::of(&anyhow::anyhow!("other")), ExitStatus::Failure);
        assert_eq!(ExitStatus::of(&misuse::<()>("a", "b").expect_err("it is an error")), ExitStatus::Misuse);
    }
}
