//! Encryptors for the files of a run, made in advance where a plugin wraps their file keys.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::{
    cli::terminal::errors::Shared,
    crypto::{Encryptor, Error, Recipient, armor::armored_length, payload_length},
};

/// Bytes in the headers of encryptors that are made at once.
const HEADERS: usize = 16 << 20;
/// Bytes in a long stanza, such as a post-quantum one.
const STANZA: usize = 2 << 10;

/// Gives each file an encryptor. If a plugin is among the recipients, it wraps the file keys of all files that were announced in
/// one session.
#[derive(Default)]
pub(crate) struct Encryptors {
    ahead: Mutex<Ahead>,
    /// Bytes in the header of every output, or `None` if no header can be made. Unset until it is first needed.
    header_length: OnceLock<Option<u64>>,
}

/// The size of an output with this header, or `None` if no file can be that long.
pub(crate) fn output_size(encryptor: &Encryptor, plaintext: u64, armor: bool) -> Option<u64> {
    size(header_length(encryptor), plaintext, armor)
}

fn header_length(encryptor: &Encryptor) -> u64 {
    encryptor.header().as_bytes().len() as u64
}

fn size(header: u64, plaintext: u64, armor: bool) -> Option<u64> {
    let binary = payload_length(plaintext)?.checked_add(header)?;
    if armor { armored_length(binary) } else { Some(binary) }
}

#[derive(Default)]
struct Ahead {
    /// Number of announced files without an encryptor.
    announced: usize,
    ready: Vec<Encryptor>,
    /// The number of files that get no encryptor, and the reason.
    failed: Option<(usize, Arc<Error>)>,
}

impl Encryptors {
    /// Announces files that [`next`](Self::next) will be called for.
    pub(crate) fn announce(&self, files: usize) {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).announced += files;
    }

    /// The size that an output for a plaintext of this many bytes would have now. `None` if no header can be made.
    pub(crate) fn output_size(&self, recipients: &[Recipient], plaintext: u64, armor: bool) -> Option<u64> {
        // The same recipients give headers of the same length, except with some plugins. With those, files are encrypted again.
        let header = self.header_length.get_or_init(|| Some(header_length(&Encryptor::new(recipients).ok()?)));
        size((*header)?, plaintext, armor)
    }

    /// The encryptor for a file.
    ///
    /// # Errors
    ///
    /// Those of [`Encryptor::new`]. If a plugin fails, all files that it was asked for fail.
    pub(crate) fn next(&self, recipients: &[Recipient]) -> anyhow::Result<Encryptor> {
        if !recipients.iter().any(Recipient::is_external) {
            return Ok(Encryptor::new(recipients)?);
        }
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if ahead.ready.is_empty() && ahead.failed.is_none() {
            let most = HEADERS / (STANZA * recipients.len());
            let count = ahead.announced.min(most).max(1);
            ahead.announced = ahead.announced.saturating_sub(count);
            match Encryptor::new_many(recipients, count) {
                Ok(ready) => ahead.ready = ready,
                Err(error) => ahead.failed = Some((count, Arc::new(error))),
            }
        }
        if let Some(encryptor) = ahead.ready.pop() {
            return Ok(encryptor);
        }
        let (files, error) = ahead.failed.take().expect("making encryptors gave some, or an error");
        if files > 1 {
            ahead.failed = Some((files - 1, error.clone()));
        }
        Err(Shared(error).into())
    }
}
