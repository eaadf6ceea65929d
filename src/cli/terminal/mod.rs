//! Everything the user reads and is asked: messages, advice, exit statuses, prompts, progress, JSON.

pub(crate) mod advice;
pub(crate) mod command;
pub(crate) mod errors;
pub(crate) mod escape;
pub(crate) mod exit_status;
pub(crate) mod json;
pub(crate) mod key_material;
pub(crate) mod messages;
pub(crate) mod persona;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod questions;
mod words;
