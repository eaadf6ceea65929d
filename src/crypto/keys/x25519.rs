//! X25519 identities that try many stanzas quickly.
//!
//! The `age` crate computes the public key again for each stanza, and a hostile header has many. Here it is computed once, and
//! AWS-LC multiplies. Spec: <https://c2sp.org/age#the-x25519-recipient-type>.

use age::x25519;
use age_core::{
    format::{FileKey, Stanza},
    primitives::bech32_decode,
    secrecy::{ExposeSecret, SecretString},
};

use crate::crypto::{
    error::Error,
    format::{base64, stanza_type::X25519},
    primitives::{ChaCha20Poly1305, TAG, X25519Key, hkdf_sha256},
    secrecy::Zeroizing,
};

const LABEL: &[u8] = b"age-encryption.org/v1/X25519";
/// Bytes in keys, shares and shared secrets.
const POINT: usize = 32;
const FILE_KEY: usize = 16;

/// A secret key, `AGE-SECRET-KEY-1…`.
pub struct Identity {
    /// For its text and its public key.
    key: x25519::Identity,
    scalar: X25519Key,
    public: [u8; POINT],
}

impl Identity {
    pub(crate) fn generate() -> Self {
        Self::of(x25519::Identity::generate())
    }

    fn of(key: x25519::Identity) -> Self {
        let bytes = |text: &str, decoded: &mut [u8; POINT]| {
            let written = bech32_decode(
                text,
                |_| (),
                |_| Ok(()),
                |_, bytes| {
                    decoded.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
                    Ok(())
                },
            );
            written.expect("it was just encoded");
        };
        let mut secret = Zeroizing::new([0; POINT]);
        bytes(key.to_string().expose_secret(), &mut secret);
        let mut public = [0; POINT];
        bytes(&key.to_public().to_string(), &mut public);
        Self { scalar: X25519Key::new(&secret), public, key }
    }

    pub(crate) fn to_public(&self) -> x25519::Recipient {
        self.key.to_public()
    }

    /// The text of the secret key.
    pub(crate) fn to_text(&self) -> SecretString {
        self.key.to_string()
    }

    /// Unwraps the file key. `None` if no stanza is for this identity.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`] if a stanza of this type is malformed.
    pub(crate) fn unwrap(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, Error>> {
        let own = stanzas.iter().filter(|stanza| stanza.tag == X25519);
        own.map(|stanza| self.unwrap_one(stanza)).find_map(Result::transpose)
    }

    fn unwrap_one(&self, stanza: &Stanza) -> Result<Option<FileKey>, Error> {
        let [share] = stanza.args.as_slice() else { return Err(Error::Stanza) };
        let share: [u8; POINT] = base64::decode(share).and_then(|share| share.try_into().ok()).ok_or(Error::Stanza)?;
        // The body's length is checked before it is decrypted: longer ones can be made to open under many keys.
        if stanza.body.len() != FILE_KEY + TAG {
            return Err(Error::Stanza);
        }
        // A shared secret of zeros is one that no honest sender makes.
        let shared = self.scalar.agree(&share).ok_or(Error::Stanza)?;
        let mut salt = [0; 2 * POINT];
        salt[..POINT].copy_from_slice(&share);
        salt[POINT..].copy_from_slice(&self.public);
        let wrap_key = hkdf_sha256(shared.as_slice(), &salt, LABEL);
        let mut opened = Zeroizing::new([0; FILE_KEY]);
        // The key wraps one message, so its nonce is zero. The stanza does not name its key, so it may be for somebody else.
        let is_ours = ChaCha20Poly1305::new(&wrap_key).open([0; 12], &stanza.body, opened.as_mut()).is_ok();
        Ok(is_ours.then(|| FileKey::init_with_mut(|key| key.copy_from_slice(opened.as_ref()))))
    }
}

impl std::str::FromStr for Identity {
    type Err = <x25519::Identity as std::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::of)
    }
}
