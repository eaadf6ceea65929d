//! Input on the terminal that is not shown: passphrases, and whatever is typed while a key is derived from one.
//!
//! The terminal edits the line and sends its signals, as it does for getpass(3), so every character that it passes on counts.

use std::{
    fs::File,
    io::{self, Read, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::termios::{InputModes, LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

use crate::{
    cli::platform::{typed_ahead::TypedAhead, unix::TERMINAL_INPUT},
    crypto::secrecy::Zeroizing,
};

/// Bytes in the longest line that a terminal passes on.
const LINE: usize = 4096;

/// What signal handlers need to know.
struct State {
    /// Number of [`HiddenInput`]s.
    depth: usize,
    /// The terminal, and its settings before the first of them.
    terminal: Option<(File, Termios)>,
    /// The question that waits for an answer, to be shown again after a suspension.
    question: String,
}

static STATE: Mutex<State> = Mutex::new(State { depth: 0, terminal: None, question: String::new() });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While it lives, the terminal shows nothing that is typed. Signals that end or suspend the program restore the terminal.
pub(crate) struct HiddenInput(TypedAhead);

impl HiddenInput {
    /// Turns the terminal's echo off, unless it is off already. Signals must be [handled](crate::cli::platform::signals::clean_up_on_signals) by then.
    ///
    /// # Errors
    ///
    /// If there is no terminal.
    pub(crate) fn begin(typed_ahead: TypedAhead) -> io::Result<Self> {
        let mut state = state();
        if state.depth == 0 {
            let terminal = File::options().read(true).write(true).open(TERMINAL_INPUT)?;
            let before = tcgetattr(&terminal)?;
            hide(&terminal, &before)?;
            state.terminal = Some((terminal, before));
        }
        state.depth += 1;
        Ok(Self(typed_ahead))
    }

    /// Shows a question and reads the line that answers it, without its line feed.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] if the input ends; those of the terminal.
    pub(crate) fn ask(&self, question: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut terminal = {
            let mut state = state();
            question.clone_into(&mut state.question);
            let (terminal, _) = state.terminal.as_ref().expect("it is open as long as input is hidden");
            if self.0 == TypedAhead::Discarded {
                let _ = tcflush(terminal, QueueSelector::IFlush);
            }
            terminal.try_clone()?
        };
        terminal.write_all(question.as_bytes())?;
        let line = read_line(&mut terminal);
        state().question.clear();
        terminal.write_all(b"\n")?;
        line
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        let mut state = state();
        state.depth -= 1;
        if state.depth == 0
            && let Some((terminal, before)) = state.terminal.take()
        {
            let actions = match self.0 {
                TypedAhead::Discarded => OptionalActions::Flush,
                TypedAhead::Kept => OptionalActions::Now,
            };
            let _ = tcsetattr(&terminal, actions, &before);
        }
    }
}

fn hide(terminal: &File, before: &Termios) -> io::Result<()> {
    let mut hidden = before.clone();
    hidden.local_modes -= LocalModes::ECHO | LocalModes::ECHONL;
    hidden.local_modes |= LocalModes::ICANON | LocalModes::ISIG;
    hidden.input_modes |= InputModes::ICRNL;
    Ok(tcsetattr(terminal, OptionalActions::Now, &hidden)?)
}

fn read_line(terminal: &mut File) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for the longest line, since growing would leave copies in memory.
    let mut line = Zeroizing::new(vec![0; LINE + 1]);
    let mut filled = 0;
    loop {
        let count = match terminal.read(&mut line[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        filled += count;
        let is_terminated = line[..filled].ends_with(b"\n");
        if count == 0 && filled == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if is_terminated || count == 0 || filled == line.len() {
            line.truncate(filled - usize::from(is_terminated));
            return Ok(line);
        }
    }
}

/// Restores the terminal, before the program ends or is suspended.
pub(super) fn restore() {
    if let Some((terminal, before)) = &state().terminal {
        let _ = tcsetattr(terminal, OptionalActions::Now, before);
    }
}

/// Hides the input again after a suspension, and shows the question that waits for an answer.
pub(super) fn resume() {
    let (mut terminal, question) = {
        let state = state();
        let Some((terminal, before)) = &state.terminal else { return };
        let is_hidden = tcgetattr(terminal).is_ok_and(|now| !now.local_modes.contains(LocalModes::ECHO));
        if is_hidden || hide(terminal, before).is_err() {
            return;
        }
        let Ok(terminal) = terminal.try_clone() else { return };
        (terminal, state.question.clone())
    };
    let _ = terminal.write_all(question.as_bytes());
}
