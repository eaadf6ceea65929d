//! The recipients that `rekey` gives to files.

use std::sync::OnceLock;

use anyhow::Result;

use crate::{
    cli::{
        args::Rekey,
        keys::{
            key_file::KeyFiles,
            recipients::{Named, Recipients},
        },
        terminal::{advice::Advise, prompt::Prompt},
    },
    crypto::Recipient,
};

/// Recipients named on the command line, or a new passphrase.
pub(super) struct NewRecipients<'a> {
    args: &'a Rekey,
    stdin_is_taken: bool,
    /// Empty until the new passphrase is known.
    keys: OnceLock<Vec<Recipient>>,
}

impl<'a> NewRecipients<'a> {
    /// Asks for the new passphrase of several files. That of a single file can wait until the file has been opened: its old
    /// passphrase is asked for first.
    ///
    /// # Errors
    ///
    /// Those of the recipients, and of asking.
    pub(super) fn new(args: &'a Rekey, key_files: &mut KeyFiles, named: Named, stdin_is_taken: bool) -> Result<Self> {
        if !args.passphrase {
            let keys = Recipients::to_encrypt_to(key_files, named)?.keys.into();
            return Ok(Self { args, stdin_is_taken, keys });
        }
        let new = Self { args, stdin_is_taken, keys: OnceLock::new() };
        if !args.inputs.is_single() {
            new.get()?;
        }
        Ok(new)
    }

    /// The recipients. Asks for the new passphrase if it is not known yet.
    ///
    /// # Errors
    ///
    /// Those of asking.
    pub(super) fn get(&self) -> Result<&[Recipient]> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let prompt = Prompt::new(&self.args.new_passphrases.source(self.args.passphrases.batch), self.stdin_is_taken)?;
        let passphrase = prompt
            .replacing_passphrase()
            .hint("the new passphrase comes from --new-passphrase-file or --new-passphrase-fd, or is typed")?;
        prompt.show_input();
        Ok(self.keys.get_or_init(|| vec![Recipient::passphrase(passphrase)]))
    }

    /// Whether plugins may ask for something while they wrap a file key.
    pub(super) fn may_ask_plugins(&self) -> bool {
        self.keys.get().is_some_and(|keys| keys.iter().any(Recipient::is_external))
    }
}
