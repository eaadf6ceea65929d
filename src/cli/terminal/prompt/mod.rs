//! Passphrases: asked for on the terminal, or read from where the command line says.

mod passphrase_source;
mod tty;
mod weakness;

use std::{
    io::{self, IsTerminal},
    path::Path,
    sync::{Mutex, OnceLock, PoisonError},
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{
    cli::{
        args::Passphrases,
        platform::{self, HiddenInput, TypedAhead, signals},
        terminal::{
            advice::{Advise, advised, find, misuse},
            errors::{PassphrasesDiffer, Unanswered},
            escape::quoted,
            exit_status::ExitStatus,
            persona,
            progress::hidden_while,
            prompt::{
                passphrase_source::{PASSPHRASE_LIMIT, PassphraseSource},
                tty::Tty,
                weakness::is_weak,
            },
            questions::{self, Purpose},
            words,
        },
    },
    crypto::secrecy::{ExposeSecret, SecretString},
};

/// The file that `--passphrase-fd 0` opens.
const STDIN: &str = "/dev/fd/0";
/// Number of passphrase attempts.
const ATTEMPTS: usize = 3;

/// Where answers come from.
pub(crate) enum Prompt {
    /// The terminal.
    Terminal {
        /// Hides what is typed from a question until a key has been derived from the answer.
        hidden: Mutex<Option<HiddenInput>>,
        /// Whether standard input is a terminal too and carries data, which may be typed while keys are derived.
        carries_data: bool,
    },
    /// A file or a descriptor. Read once: a pipe gives its text only once.
    File { source: PassphraseSource, read: OnceLock<SecretString> },
    /// `--batch`.
    Nobody,
}

impl Prompt {
    /// `stdin_taken` says whether standard input carries data or names.
    pub(crate) fn new(args: &Passphrases, stdin_taken: bool) -> Result<Self> {
        let (named, path) = match (args.passphrase_fd, &args.passphrase_file) {
            (Some(_), _) if platform::WINDOWS => {
                return misuse("--passphrase-fd needs /dev/fd, which Windows does not have", "use --passphrase-file");
            }
            (Some(number), _) => (format!("--passphrase-fd {number}"), format!("/dev/fd/{number}").into()),
            (None, Some(path)) => (format!("--passphrase-file {}", quoted(path)), path.clone()),
            (None, None) if args.batch => return Ok(Self::Nobody),
            (None, None) => {
                let carries_data = stdin_taken && io::stdin().is_terminal();
                return Ok(Self::Terminal { hidden: Mutex::default(), carries_data });
            }
        };
        let source = PassphraseSource { number: args.passphrase_fd, path };
        let prompt = Self::File { source, read: OnceLock::new() };
        if stdin_taken && prompt.takes_stdin() {
            return misuse(
                format!("{named} is standard input, which carries data"),
                "use another descriptor, or a file",
            );
        }
        Ok(prompt)
    }

    /// Whether answers come from standard input.
    pub(crate) fn takes_stdin(&self) -> bool {
        self.file().is_some_and(|path| path == Path::new(STDIN) || platform::is_stdin(path))
    }

    /// The file that answers, if one does.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File { source, .. } => Some(&source.path),
            Self::Terminal { .. } | Self::Nobody => None,
        }
    }

    /// The answer to a plugin's question for a secret. Asked on the terminal only.
    pub(crate) fn secret(&self, question: &str) -> Result<SecretString> {
        self.must_be_terminal()?;
        let answer = self.ask(question);
        self.show_input();
        answer
    }

    /// The answer to a plugin's question for something that may be shown. Asked on the terminal only.
    pub(crate) fn line(&self, question: &str) -> Result<String> {
        self.must_be_terminal()?;
        let answer = hidden_while(|| {
            let terminal = Tty::open()?;
            terminal.show(question)?;
            terminal.line()
        });
        answer.map_err(|_| unanswered("there is no terminal to ask on".to_owned()))
    }

    fn must_be_terminal(&self) -> Result<()> {
        match self {
            Self::Terminal { .. } => Ok(()),
            Self::File { .. } => {
                Err(unanswered("a question can be answered only on a terminal, not from a file".to_owned()))
            }
            Self::Nobody => Err(unanswered("--batch forbids asking".to_owned())),
        }
    }

    /// An existing passphrase, for the thing that `purpose` names.
    pub(crate) fn passphrase(&self, purpose: Purpose<'_>) -> Result<SecretString> {
        match self {
            Self::Terminal { .. } => self.ask(&questions::existing(purpose)),
            Self::File { source, read } => {
                if read.get().is_none() {
                    let _ = read.set(source.read()?);
                }
                Ok(read.get().expect("it was just set").clone())
            }
            Self::Nobody => {
                Err(unanswered(format!("a passphrase is needed for {purpose}, and --batch forbids asking")))
            }
        }
    }

    /// Calls `open` with an existing passphrase, for the thing that `purpose` names. On the terminal, a wrong passphrase can be
    /// typed again.
    pub(crate) fn retry_until_right<T>(
        &self,
        purpose: Purpose<'_>,
        open: impl Fn(SecretString) -> Result<T>,
    ) -> Result<T> {
        // Programs that drive age expect one question.
        let attempts = if matches!(self, Self::Terminal { .. }) && !persona::is_drop_in() { ATTEMPTS } else { 1 };
        let mut attempt = 1;
        let opened = loop {
            match self.passphrase(purpose).and_then(&open) {
                Err(error) if attempt < attempts && ExitStatus::of(&error) == ExitStatus::NoMatch => {
                    let _ = self.tell("That is not the passphrase.\n");
                    attempt += 1;
                }
                opened => break opened,
            }
        };
        self.show_input();
        opened
    }

    /// A passphrase to encrypt with: typed twice, or generated if the answer is empty. Call [`show_input`](Self::show_input)
    /// once a key has been derived from it.
    pub(crate) fn new_passphrase(&self) -> Result<SecretString> {
        self.new_by(questions::new())
    }

    /// The same, for a passphrase that replaces another or protects what is there.
    pub(crate) fn replacing_passphrase(&self) -> Result<SecretString> {
        let hint = "the new passphrase comes from --new-passphrase-file or --new-passphrase-fd, or is typed";
        match self.new_by(questions::REPLACING) {
            Err(error) if find::<Unanswered>(&error).is_some() => Err(advised(error, hint)),
            answer => answer,
        }
    }

    /// Tells something on the terminal, and nowhere else.
    pub(crate) fn tell(&self, text: &str) -> Result<()> {
        self.must_be_terminal()?;
        hidden_while(|| Tty::open()?.show(text)).context("cannot write to the terminal")
    }

    fn new_by(&self, question: &str) -> Result<SecretString> {
        let Self::Terminal { .. } = self else {
            let passphrase = self.passphrase(Purpose::Encryption)?;
            if is_empty(&passphrase) {
                bail!("the passphrase is empty");
            }
            check_can_be_typed(&passphrase)?;
            return Ok(passphrase);
        };
        // Programs that drive age expect its questions, each once.
        let attempts = if persona::is_drop_in() { 1 } else { ATTEMPTS };
        for attempt in 1..=attempts {
            let passphrase = self.ask(question)?;
            check_can_be_typed(&passphrase)?;
            if is_empty(&passphrase) {
                return generated();
            }
            let is_weak = !persona::is_drop_in() && is_weak(passphrase.expose_secret());
            let again = self.ask(if is_weak { questions::CONFIRM_WEAK } else { questions::CONFIRM })?;
            if is_weak && is_empty(&again) {
                return generated();
            }
            if passphrase.expose_secret() == again.expose_secret() {
                return Ok(passphrase);
            }
            if attempt < attempts {
                let _ = self.tell("The two passphrases differ.\n");
            }
        }
        Err(PassphrasesDiffer).hint("nothing was done; run it again")
    }
}

impl Prompt {
    /// Asks on the terminal, which hides the answer and everything typed from then on until [`show_input`](Self::show_input).
    fn ask(&self, question: &str) -> Result<SecretString> {
        let Self::Terminal { hidden, .. } = self else { return Err(no_terminal()) };
        let mut hidden = hidden.lock().unwrap_or_else(PoisonError::into_inner);
        let input = match hidden.take() {
            Some(input) => input,
            None => {
                signals::clean_up_on_signals().context("cannot prepare for signals")?;
                begin_to_hide().map_err(|_| no_terminal())?
            }
        };
        let answer = hidden_while(|| input.ask(question));
        *hidden = Some(input);
        match answer {
            Ok(line) if line.len() > PASSPHRASE_LIMIT => {
                Err(unanswered("the answer is longer than a passphrase may be, 4096 bytes".to_owned()))
            }
            Ok(line) => match std::str::from_utf8(&line) {
                Ok(text) => Ok(SecretString::from(text)),
                Err(_) => Err(unanswered("the typed text is not UTF-8".to_owned())),
            },
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(unanswered("a passphrase is needed, and none was typed".to_owned()))
            }
            Err(_) => Err(no_terminal()),
        }
    }

    /// Has the terminal show again what is typed. What was typed so far is discarded.
    pub(crate) fn show_input(&self) {
        if let Self::Terminal { hidden, .. } = self {
            hidden.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// Hides what is typed while a key is derived again from an earlier answer. Hides nothing where answers come from
    /// elsewhere, or if the data to encrypt or decrypt is being typed.
    pub(crate) fn hide_input(&self) -> Option<HiddenInput> {
        match self {
            Self::Terminal { carries_data: false, .. } => begin_to_hide().ok(),
            _ => None,
        }
    }
}

fn begin_to_hide() -> io::Result<HiddenInput> {
    HiddenInput::begin(if persona::is_drop_in() { TypedAhead::Kept } else { TypedAhead::Discarded })
}

fn no_terminal() -> anyhow::Error {
    unanswered("a passphrase is needed, and there is no terminal to ask on".to_owned())
}

fn is_empty(passphrase: &SecretString) -> bool {
    passphrase.expose_secret().is_empty()
}

/// Refuses a new passphrase that not every program and keyboard could enter again.
fn check_can_be_typed(passphrase: &SecretString) -> Result<()> {
    if passphrase.expose_secret().chars().any(char::is_control) {
        return Err(anyhow!("the new passphrase has a control character, such as a tab or an arrow key"))
            .hint("nothing was done; use letters, digits, punctuation and spaces");
    }
    Ok(())
}

fn unanswered(what: String) -> anyhow::Error {
    advised(Unanswered(what), "give it with --passphrase-file FILE or --passphrase-fd N")
}

/// A generated passphrase, shown on the terminal.
fn generated() -> Result<SecretString> {
    let passphrase = words::generate();
    show(&passphrase)?;
    Ok(SecretString::from(passphrase.as_str()))
}

/// Shows a generated passphrase on the terminal. Standard error may go to a log.
fn show(passphrase: &str) -> Result<()> {
    let shown = hidden_while(|| Tty::open()?.show(&questions::generated(passphrase)));
    shown.context("cannot show the passphrase on the terminal")
}
