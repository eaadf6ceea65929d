//! What happens at the pipes of a program.

/// What happened first.
pub(crate) enum Event {
    /// The program takes input; this many bytes were written to it.
    Written(usize),
    /// This many bytes of its standard output were read. None at its end.
    Output(usize),
    /// This many bytes of its standard error were read.
    Error(usize),
    /// Nothing, in the time given.
    Silence,
}
