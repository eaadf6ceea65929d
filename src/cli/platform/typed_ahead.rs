//! Input that is typed before it is asked for.

/// What becomes of lines that are typed while input is hidden, or before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypedAhead {
    /// Discarded before each question and at the end: a passphrase that is typed once more must not become a command of the
    /// shell.
    Discarded,
    /// Kept, for the next question and for whatever reads the terminal afterwards. Programs that drive age write the answers,
    /// and the data to encrypt, at once.
    Kept,
}
