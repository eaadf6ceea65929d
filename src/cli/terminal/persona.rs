//! The tool that the program acts as: solekey, unless it was called as age or rage.

use std::sync::OnceLock;

/// A tool that solekey stands in for.
pub(crate) struct Persona {
    /// The name that begins each message.
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    /// The tool's own words for an error, which scripts look for. They are printed before ours.
    pub(crate) words_for: fn(&anyhow::Error) -> Option<String>,
}

/// Tools that speak alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Those written in Go: age, age-keygen, age-inspect.
    Age,
    /// Those written in Rust: rage, rage-keygen.
    Rage,
}

static PERSONA: OnceLock<Persona> = OnceLock::new();

/// From now on, messages are those of another tool. Called once, before any message.
pub(crate) fn assume(persona: Persona) {
    let _ = PERSONA.set(persona);
}

/// The tool that solekey stands in for, if any.
pub(crate) fn current() -> Option<&'static Persona> {
    PERSONA.get()
}

/// The family of the tool that solekey stands in for, if any.
pub(crate) fn family() -> Option<Family> {
    PERSONA.get().map(|persona| persona.family)
}

/// Whether solekey stands in for another tool.
pub(crate) fn is_drop_in() -> bool {
    PERSONA.get().is_some()
}
