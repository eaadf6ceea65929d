//! Opening files with `ssh-ed25519` keys: the key is turned into one of X25519.
//!
//! The `age` crate does the same, but leaves copies of a private key in memory when it parses one.
//!
//! Source: <https://pkg.go.dev/filippo.io/age/agessh#Ed25519Identity>.

use age_core::format::{FileKey, Stanza};

use crate::crypto::{
    error::Error,
    format::{base64, stanza_type::SSH_ED25519},
    keys::x25519::{POINT, read_share, unwrap_file_key, wrap_key},
    primitives::{X25519Key, hkdf_sha256, sha256, sha512},
    secrecy::Zeroizing,
};

const LABEL: &[u8] = b"age-encryption.org/v1/ssh-ed25519";
/// Bytes of the hash of a public key that a stanza begins with.
const KEY_TAG: usize = 4;

/// A private key, in the form that opens files.
pub(super) struct Identity {
    /// What a stanza for this key begins with, in base64.
    tag: String,
    scalar: X25519Key,
    public: [u8; POINT],
    /// A scalar that depends on the public SSH key only, so that no two keys share a secret.
    tweak: X25519Key,
}

impl Identity {
    /// `ssh_key` is the public key as in a `.pub` file, in binary, and `seed` the private key.
    pub(super) fn new(ssh_key: &[u8], seed: &[u8; POINT]) -> Self {
        let mut scalar = Zeroizing::new([0; POINT]);
        scalar.copy_from_slice(&sha512(seed)[..POINT]);
        let scalar = X25519Key::new(&scalar);
        let tweak = X25519Key::new(&hkdf_sha256(&[], ssh_key, LABEL));
        Self { tag: base64::encode(&sha256(ssh_key)[..KEY_TAG]), public: scalar.public(), scalar, tweak }
    }

    /// Unwraps the file key. `None` if no stanza is for this key.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`] if a stanza for it is malformed, and [`Error::Unwrap`] if it does not open: two keys may have one tag.
    pub(super) fn unwrap(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, Error>> {
        stanzas.iter().find_map(|stanza| match stanza.args.as_slice() {
            [tag, share] if stanza.tag == SSH_ED25519 && *tag == self.tag => Some(self.unwrap_one(share, &stanza.body)),
            _ => None,
        })
    }

    fn unwrap_one(&self, share: &str, body: &[u8]) -> Result<FileKey, Error> {
        let share = read_share(share, body)?;
        // No honest sender produces a shared secret of zeros.
        let shared = self.scalar.agree(&share).ok_or(Error::Stanza)?;
        let shared = self.tweak.agree(&shared).ok_or(Error::Stanza)?;
        unwrap_file_key(&wrap_key(&shared, &share, &self.public, LABEL), body).ok_or(Error::Unwrap)
    }
}
