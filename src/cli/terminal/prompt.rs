//! Passphrases: asked for on the terminal, or read from where the command line says. The owner of rpassword and bip39.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context, Result, bail};

use crate::{
    cli::{
        args::Passphrases,
        platform::{
            self,
            signals::{self, Echo},
        },
        terminal::{
            advice::{Advise, advised, misuse},
            errors::{PassphrasesDiffer, Unanswered},
            escape::quoted,
            exit_status::ExitStatus,
            persona,
            progress::hidden_while,
            questions::{self, Purpose},
        },
    },
    crypto::{
        random,
        secrecy::{ExposeSecret, SecretString, Zeroizing},
    },
};

/// Bytes in the longest passphrase. A file with a longer first line is surely the wrong file.
const PASSPHRASE_LIMIT: usize = 4096;
/// The file that `--passphrase-fd 0` opens.
const STDIN: &str = "/dev/fd/0";
/// Number of passphrase attempts.
const ATTEMPTS: usize = 3;
/// Words in a generated passphrase: ten out of 2048 are 110 bits.
const WORDS: usize = 10;

/// Where answers come from.
pub(crate) enum Prompt {
    Terminal,
    /// A file, or `/dev/fd/N`. Read once: a pipe gives its text only once.
    File {
        path: PathBuf,
        read: OnceLock<SecretString>,
    },
    /// `--batch`.
    Nobody,
}

impl Prompt {
    /// `stdin_taken` says whether standard input carries data or names.
    pub(crate) fn new(args: &Passphrases, stdin_taken: bool) -> Result<Self> {
        let (named, path) = match (args.passphrase_fd, &args.passphrase_file) {
            (Some(_), _) if platform::WINDOWS => {
                return misuse("--passphrase-fd needs /dev/fd, which is not here", "use --passphrase-file");
            }
            (Some(number), _) => (format!("--passphrase-fd {number}"), format!("/dev/fd/{number}").into()),
            (None, Some(path)) => (format!("--passphrase-file {}", quoted(path)), path.clone()),
            (None, None) if args.batch => return Ok(Self::Nobody),
            (None, None) => return Ok(Self::Terminal),
        };
        let prompt = Self::File { path, read: OnceLock::new() };
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
            Self::File { path, .. } => Some(path),
            Self::Terminal | Self::Nobody => None,
        }
    }

    /// The answer to a plugin's question for a secret. Asked on the terminal only.
    pub(crate) fn secret(&self, question: &str) -> Result<SecretString> {
        self.must_be_terminal()?;
        ask(question)
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
            Self::Terminal => Ok(()),
            Self::File { .. } => Err(unanswered("questions are answered on a terminal, not by a file".to_owned())),
            Self::Nobody => Err(unanswered("--batch forbids asking".to_owned())),
        }
    }

    /// An existing passphrase, for the thing that `purpose` names.
    pub(crate) fn passphrase(&self, purpose: Purpose<'_>) -> Result<SecretString> {
        match self {
            Self::Terminal => ask(&questions::existing(purpose)),
            Self::File { path, read } => {
                if read.get().is_none() {
                    let _ = read.set(first_line(path)?);
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
        let attempts = if matches!(self, Self::Terminal) && !persona::is_drop_in() { ATTEMPTS } else { 1 };
        for _ in 1..attempts {
            match open(self.passphrase(purpose)?) {
                Err(error) if ExitStatus::of(&error) == ExitStatus::NoMatch => {
                    let _ = hidden_while(|| Tty::open()?.show("That is not the passphrase.\n"));
                }
                opened => return opened,
            }
        }
        open(self.passphrase(purpose)?)
    }

    /// A passphrase to encrypt with: typed twice, or generated if the answer is empty.
    pub(crate) fn new_passphrase(&self) -> Result<SecretString> {
        let Self::Terminal = self else {
            let passphrase = self.passphrase(Purpose::Encryption)?;
            if is_empty(&passphrase) {
                bail!("the passphrase is empty");
            }
            return Ok(passphrase);
        };
        let passphrase = ask(questions::new())?;
        if is_empty(&passphrase) {
            let generated = generate();
            show(&generated)?;
            return Ok(SecretString::from(generated.as_str()));
        }
        let again = ask("Confirm passphrase: ")?;
        if !equal(&passphrase, &again) {
            return Err(PassphrasesDiffer).hint("nothing was done; try again");
        }
        Ok(passphrase)
    }
}

fn is_empty(passphrase: &SecretString) -> bool {
    passphrase.expose_secret().is_empty()
}

fn equal(left: &SecretString, right: &SecretString) -> bool {
    left.expose_secret() == right.expose_secret()
}

fn ask(prompt: &str) -> Result<SecretString> {
    let _echo = Echo::guard().context("cannot prepare for signals")?;
    match hidden_while(|| rpassword::prompt_password(prompt)) {
        Ok(passphrase) => Ok(SecretString::from(passphrase)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            signals::end_by_interrupt();
            Err(unanswered("the question was cancelled".into()))
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(unanswered("a passphrase is needed, and none was typed".to_owned()))
        }
        Err(_) => Err(unanswered("a passphrase is needed, and there is no terminal to ask on".to_owned())),
    }
}

fn unanswered(what: String) -> anyhow::Error {
    advised(Unanswered(what), "give it with --passphrase-file FILE or --passphrase-fd N")
}

fn first_line(path: &Path) -> Result<SecretString> {
    let cannot_read = || format!("cannot read a passphrase from {}", quoted(path));
    let file = File::open(path).with_context(cannot_read)?;
    // Room for the longest line, since growing would leave copies in memory.
    let mut line = Zeroizing::new(Vec::with_capacity(PASSPHRASE_LIMIT + 2));
    BufReader::new(file.take(PASSPHRASE_LIMIT as u64 + 2)).read_until(b'\n', &mut line).with_context(cannot_read)?;
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    if line.len() > PASSPHRASE_LIMIT {
        bail!("the first line of {} is longer than a passphrase may be, 4096 bytes", quoted(path));
    }
    let text = std::str::from_utf8(&line);
    let text = text.ok().with_context(|| format!("the passphrase in {} is not UTF-8", quoted(path)))?;
    Ok(SecretString::from(text))
}

/// Ten random words of the BIP 39 word list, joined by dashes.
fn generate() -> Zeroizing<String> {
    let words = bip39::Language::English.word_list();
    let mut bytes = Zeroizing::new([0; 2 * WORDS]);
    random(bytes.as_mut());
    let mut passphrase = Zeroizing::new(String::with_capacity(WORDS * 9));
    for pair in bytes.chunks_exact(2) {
        if !passphrase.is_empty() {
            passphrase.push('-');
        }
        // 2048 divides 2^16, so each word is equally likely.
        let number = usize::from(u16::from_le_bytes([pair[0], pair[1]]));
        passphrase.push_str(words[number % words.len()]);
    }
    passphrase
}

/// Shows a generated passphrase on the terminal. Standard error may go to a log.
fn show(passphrase: &str) -> Result<()> {
    let shown = hidden_while(|| Tty::open()?.show(&questions::generated(passphrase)));
    shown.context("cannot show the passphrase on the terminal")
}

/// The controlling terminal, wherever standard input and output go.
struct Tty {
    input: File,
    output: File,
}

impl Tty {
    fn open() -> io::Result<Self> {
        Ok(Self {
            input: File::open(platform::TERMINAL_INPUT)?,
            output: File::options().write(true).open(platform::TERMINAL_OUTPUT)?,
        })
    }

    fn show(&self, text: &str) -> io::Result<()> {
        (&self.output).write_all(text.as_bytes())
    }

    fn line(&self) -> io::Result<String> {
        let mut line = String::new();
        BufReader::new(&self.input).take(PASSPHRASE_LIMIT as u64).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passphrases_are_ten_words_and_differ() {
        let (one, two) = (generate(), generate());
        assert_eq!(one.split('-').count(), WORDS);
        assert_ne!(*one, *two);
        assert_eq!(bip39::Language::English.word_list().len(), 2048);
    }
}
