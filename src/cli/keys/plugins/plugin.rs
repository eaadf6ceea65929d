//! One plugin: each session with it, from its start to its end.

use std::{
    cell::Cell,
    io::{self, IsTerminal},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use crate::cli::{
    keys::plugins::{
        error::{Ended, Failure, Fault, StartError, named},
        process::{Process, Wait},
        redact::Secrets,
        search,
        session::Session,
        user::User,
    },
    platform::{child, sandbox},
    terminal::{
        messages::Messages,
        persona::{self, Family},
        prompt::Prompt,
    },
};

/// How long a user at a terminal waits for a plugin before a message says so.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same where standard error is not a terminal.
const PATIENCE_OF_LOGS: Duration = Duration::from_secs(10);

/// A plugin, and the user that it may speak to.
pub(super) struct Plugin {
    pub(super) program: String,
    pub(super) prompt: Arc<Prompt>,
    pub(super) messages: Messages,
    /// Held during a session. Two at the same time would ask the user at the same time, or want the same card.
    pub(super) session: Arc<Mutex<()>>,
    /// Whether it serves several files in one session, as the protocol demands. Empty until that has been seen.
    pub(super) serves_many: OnceLock<bool>,
}

pub(super) type PluginSession<'s, 'w> = Session<'s, &'s mut Process<'w>>;

impl Plugin {
    /// Starts the plugin, does the work of a session for `files` files with it, and ends it.
    pub(super) fn run<T>(
        &self,
        state_machine: &str,
        files: usize,
        work: impl FnOnce(PluginSession<'_, '_>) -> Result<T, Fault>,
    ) -> Result<(T, Ended), Arc<Failure>> {
        let _session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let path = search::find(&self.program).map_err(Failure::start)?;
        let wait = Wait {
            patience: if io::stderr().is_terminal() { PATIENCE } else { PATIENCE_OF_LOGS },
            say: Box::new(|| self.messages.relay(&waiting(&self.program))),
        };
        let mut process = Process::start(&path, state_machine, wait).map_err(|reason| {
            Failure::start(StartError::Unusable { program: self.program.clone(), path: path.clone(), reason })
        })?;
        let user = User {
            program: &self.program,
            prompt: &self.prompt,
            messages: &self.messages,
            asked: Cell::new(false),
            unanswered: Cell::new(false),
        };
        let mut secrets = Secrets::default();
        let outcome = work(Session::new(&mut process, files, &user, &mut secrets));
        let (exit, stderr) = process.end(&secrets);
        let ended = Ended {
            program: self.program.clone(),
            exit,
            stderr,
            asked: user.asked.get(),
            unanswered: user.unanswered.get(),
            lacked_network: sandbox::network_is_refused() && !child::has_launcher(),
        };
        match outcome {
            Ok(done) => Ok((done, ended)),
            Err(fault) => Err(ended.failure(fault)),
        }
    }
}

/// The message for a user who has waited for some time, in age's words in its place.
fn waiting(program: &str) -> String {
    match persona::family() {
        Some(Family::Age) => format!("waiting on {}...", named(program)),
        _ => format!("waiting for {program}..."),
    }
}
