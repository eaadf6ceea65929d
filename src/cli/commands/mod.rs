//! The verbs, one per file. Each lowers its arguments once into a checked request, then works on each file in visible steps:
//! open, prove, write, commit.

pub(crate) mod completions;
pub(crate) mod decrypt;
pub(crate) mod encrypt;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod operands;
pub(crate) mod options;
pub(crate) mod paper;
pub(crate) mod rekey;
pub(crate) mod salvage;
mod session;
pub(crate) mod verify;
