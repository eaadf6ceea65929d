//! Passphrases: asked for on the terminal, or read from where the command line says. The only file that names rpassword.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context, Result, anyhow, bail};
use zeroize::Zeroizing;

use crate::{
    cli::{
        args::Answers,
        files::input::is_stdin,
        platform::signals::{self, Echo},
        terminal::{
            messages::{Advise, Status, Unanswered, advised, misuse, quoted, speaks_as_another, status},
            progress::aside,
        },
    },
    crypto::{random, secrecy::SecretString},
};

/// Nobody types a longer one; a file with a longer first line is surely the wrong file.
const PASSPHRASE_LIMIT: usize = 4096;
/// What `--passphrase-fd 0` opens.
const STDIN: &str = "/dev/fd/0";
/// How often somebody is asked who types a wrong one.
const TRIES: usize = 3;
/// Words in a generated passphrase: ten of 2048 are 110 bits.
const WORDS: usize = 10;

/// Who answers when a passphrase is needed.
pub(crate) enum Prompt {
    Terminal,
    /// A file, or `/dev/fd/N`, which is read once: a pipe gives its text only once.
    File {
        path: PathBuf,
        read: OnceLock<SecretString>,
    },
    /// `--batch`.
    Nobody,
}

impl Prompt {
    /// `stdin_taken` says whether standard input carries data or names.
    pub(crate) fn new(answers: &Answers, stdin_taken: bool) -> Result<Self> {
        let (named, path) = match (answers.passphrase_fd, &answers.passphrase_file) {
            (Some(_), _) if cfg!(windows) => {
                return misuse("--passphrase-fd needs /dev/fd, which is not here", "use --passphrase-file");
            }
            (Some(number), _) => (format!("--passphrase-fd {number}"), format!("/dev/fd/{number}").into()),
            (None, Some(path)) => (format!("--passphrase-file {}", quoted(path)), path.clone()),
            (None, None) if answers.batch => return Ok(Self::Nobody),
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
        self.file().is_some_and(|path| path == Path::new(STDIN) || is_stdin(path))
    }

    /// The file that answers, if one does.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Terminal | Self::Nobody => None,
        }
    }

    /// The answer to another program's question for a secret, which is asked on the terminal alone.
    pub(crate) fn secret(&self, question: &str) -> Result<SecretString> {
        self.must_be_terminal()?;
        ask(question)
    }

    /// The answer to another program's question for something that may be seen.
    pub(crate) fn line(&self, question: &str) -> Result<String> {
        self.must_be_terminal()?;
        let answer = aside(|| {
            let terminal = Terminal::open()?;
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

    /// An existing passphrase, of what `purpose` names.
    pub(crate) fn passphrase(&self, purpose: &str) -> Result<SecretString> {
        match self {
            Self::Terminal => ask(&format!("Enter passphrase for {purpose}: ")),
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

    /// What `open` makes of an existing passphrase, of what `purpose` names. Who types a wrong one may try again.
    pub(crate) fn until_right<T>(&self, purpose: &str, open: impl Fn(SecretString) -> Result<T>) -> Result<T> {
        // Programs that talk to age expect one question.
        let tries = if matches!(self, Self::Terminal) && !speaks_as_another() { TRIES } else { 1 };
        for _ in 1..tries {
            match open(self.passphrase(purpose)?) {
                Err(error) if status(&error) == Status::NoMatch => {
                    let _ = aside(|| Terminal::open()?.show("That is not the passphrase.\n"));
                }
                opened => return opened,
            }
        }
        open(self.passphrase(purpose)?)
    }

    /// A passphrase to encrypt with: typed twice, or generated if the answer is empty.
    pub(crate) fn new_passphrase(&self) -> Result<SecretString> {
        let Self::Terminal = self else {
            let passphrase = self.passphrase("the encryption")?;
            if is_empty(&passphrase) {
                bail!("the passphrase is empty");
            }
            return Ok(passphrase);
        };
        let passphrase = ask("Enter passphrase (leave empty to generate one): ")?;
        if is_empty(&passphrase) {
            let generated = generate();
            show(&generated)?;
            return Ok(SecretString::from(generated.as_str()));
        }
        let again = ask("Confirm passphrase: ")?;
        if !equal(&passphrase, &again) {
            return Err(anyhow!("the two passphrases differ")).hint("nothing was done; try again");
        }
        Ok(passphrase)
    }
}

fn is_empty(passphrase: &SecretString) -> bool {
    use crate::crypto::secrecy::ExposeSecret;
    passphrase.expose_secret().is_empty()
}

fn equal(left: &SecretString, right: &SecretString) -> bool {
    use crate::crypto::secrecy::ExposeSecret;
    left.expose_secret() == right.expose_secret()
}

fn ask(prompt: &str) -> Result<SecretString> {
    let _echo = Echo::guard().context("cannot prepare for signals")?;
    match aside(|| rpassword::prompt_password(prompt)) {
        Ok(passphrase) => Ok(SecretString::from(passphrase)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            signals::interrupted();
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
    // Room for the longest line at once, so that no growing leaves copies behind.
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

/// Ten random words of the BIP 39 list, joined by dashes.
fn generate() -> Zeroizing<String> {
    let words = bip39::Language::English.word_list();
    let mut bytes = Zeroizing::new([0; 2 * WORDS]);
    random(bytes.as_mut());
    let mut passphrase = Zeroizing::new(String::with_capacity(WORDS * 9));
    for pair in bytes.chunks_exact(2) {
        if !passphrase.is_empty() {
            passphrase.push('-');
        }
        // 2048 words divide 2^16 evenly, so each is equally likely.
        let number = usize::from(u16::from_le_bytes([pair[0], pair[1]]));
        passphrase.push_str(words[number % words.len()]);
    }
    passphrase
}

/// Shows a generated passphrase on the terminal, and nowhere else: standard error may go to a log.
fn show(passphrase: &str) -> Result<()> {
    let text = Zeroizing::new(format!("Your passphrase, which nobody can recover for you:\n{passphrase}\n"));
    let shown = aside(|| Terminal::open()?.show(&text));
    shown.context("cannot show the passphrase on the terminal")
}

/// The terminal itself, wherever standard input and output go.
struct Terminal {
    input: File,
    output: File,
}

impl Terminal {
    fn open() -> io::Result<Self> {
        let (input, output) = if cfg!(windows) { ("CONIN$", "CONOUT$") } else { ("/dev/tty", "/dev/tty") };
        Ok(Self { input: File::open(input)?, output: File::options().write(true).open(output)? })
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
