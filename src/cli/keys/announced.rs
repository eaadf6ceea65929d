//! Files that a run will open soon. Once a plugin has to be asked for one of them, it is asked for all.

use std::{
    collections::VecDeque,
    fs, mem,
    sync::{Mutex, PoisonError},
};

use crate::{
    cli::files::{encrypted_input::read_header, naming::InputPath},
    crypto::Decryptor,
};

/// Bytes of headers that are held at once.
const HEADERS: usize = 16 << 20;
/// Groups that are remembered: the files of the last but one may still be in work.
const GROUPS: usize = 2;

/// The files, in groups. Nothing is read before it is asked for.
#[derive(Default)]
pub(crate) struct Announced(Mutex<VecDeque<Vec<InputPath>>>);

impl Announced {
    pub(crate) fn add(&self, group: Vec<InputPath>) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.len() == GROUPS {
            groups.pop_front();
        }
        groups.push_back(group);
    }

    /// Forgets the files, and calls `use_headers` with their headers, as many at once as memory allows.
    ///
    /// Files that cannot be read or are not regular are left out. They are reported when their turn comes.
    pub(crate) fn take(&self, mut use_headers: impl FnMut(&[Decryptor])) {
        let groups = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let (mut headers, mut bytes) = (Vec::new(), 0);
        for path in groups.into_iter().flatten() {
            if !fs::metadata(&path.path).is_ok_and(|metadata| metadata.is_file()) {
                continue;
            }
            let Ok(header) = read_header(&path) else { continue };
            bytes += header.header().as_bytes().len();
            headers.push(header);
            if bytes > HEADERS {
                use_headers(&mem::take(&mut headers));
                bytes = 0;
            }
        }
        use_headers(&headers);
    }
}
