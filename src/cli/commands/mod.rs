//! The verbs, one per file.

pub(crate) mod decrypt;
pub(crate) mod encrypt;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod rekey;
pub(crate) mod salvage;
pub(crate) mod verify;
