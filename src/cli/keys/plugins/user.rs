//! The user, as plugins see them: shown messages and asked questions.

use std::cell::Cell;

use anyhow::Result;

use crate::{
    cli::{
        keys::plugins::{error::named, session::Callbacks},
        terminal::{messages::Messages, prompt::Prompt},
    },
    crypto::secrecy::SecretString,
};

/// Shows a plugin's messages on the terminal, and asks its questions there.
pub(super) struct User<'u> {
    pub(super) program: &'u str,
    pub(super) prompt: &'u Prompt,
    pub(super) messages: &'u Messages,
    /// Whether there was a question.
    pub(super) asked: Cell<bool>,
    /// Whether a question got no answer.
    pub(super) unanswered: Cell<bool>,
}

impl User<'_> {
    fn ask<T>(&self, question: &str, ask: impl FnOnce(&Prompt, &str) -> Result<T>) -> Option<T> {
        let program = self.program;
        self.asked.set(true);
        match ask(self.prompt, &format!("{program}: {question} ")) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.unanswered.set(true);
                self.messages.warning(&format!("{program} asks: {question} (no answer: {error:#})"));
                None
            }
        }
    }
}

impl Callbacks for User<'_> {
    fn show(&self, message: &str) {
        self.messages.relay(&format!("{}: {message}", named(self.program)));
    }

    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let question = format!("{question} [y: {yes}, n: {}]", no.unwrap_or("no"));
        let answer = self.ask(&question, Prompt::line)?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes") || answer.trim() == yes)
    }

    fn request_public(&self, question: &str) -> Option<String> {
        self.ask(question, Prompt::line)
    }

    fn request_secret(&self, question: &str) -> Option<SecretString> {
        self.ask(question, Prompt::secret)
    }
}
