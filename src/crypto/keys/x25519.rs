//! The X25519 key type: recipients, identities and stanzas.
//!
//! The `age` crate reads and writes the keys. Its stanzas are not used: it panics if a recipient is a point of low order, and
//! computes an identity's public key again for each stanza, of which a hostile header has many. AWS-LC also multiplies faster.
//!
//! Spec: <https://c2sp.org/age#the-x25519-recipient-type>.

use std::fmt;

use age::x25519;
use age_core::{
    format::{FileKey, Stanza},
    primitives::bech32_decode,
    secrecy::{ExposeSecret, SecretString},
};

use crate::crypto::{
    error::Error,
    format::{base64, stanza_type::X25519},
    primitives::{ChaCha20Poly1305, TAG, X25519Key, hkdf_sha256, random},
    secrecy::Zeroizing,
};

const LABEL: &[u8] = b"age-encryption.org/v1/X25519";
/// Bytes in keys, shares and shared secrets.
pub(super) const POINT: usize = 32;
const FILE_KEY: usize = 16;

/// A public key, `age1…`.
pub struct Recipient {
    /// For its text.
    key: x25519::Recipient,
    point: [u8; POINT],
}

/// Why a text is not a recipient of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseError {
    /// It is not the text of one.
    Malformed,
    /// The shared secret would be zero, whatever the sender's key.
    LowOrder,
}

impl Recipient {
    fn of(key: x25519::Recipient) -> Self {
        let mut point = [0; POINT];
        decode(&key.to_string(), &mut point);
        Self { key, point }
    }

    /// Wraps a file key.
    ///
    /// # Errors
    ///
    /// [`Error::Wrap`] if the shared secret is zero, which no key that was parsed allows.
    pub(crate) fn wrap(&self, file_key: &FileKey) -> Result<Stanza, Error> {
        let ephemeral = ephemeral_key();
        let share = ephemeral.public();
        let shared = ephemeral.agree(&self.point).ok_or_else(|| Error::Wrap("its shared secret is zero".to_owned()))?;
        let wrap_key = wrap_key(&shared, &share, &self.point, LABEL);
        let mut body = vec![0; FILE_KEY + TAG];
        // The key wraps one message, so its nonce is zero.
        ChaCha20Poly1305::new(&wrap_key).seal([0; 12], file_key.expose_secret(), &mut body);
        Ok(Stanza { tag: X25519.to_owned(), args: vec![base64::encode(share)], body })
    }
}

impl std::str::FromStr for Recipient {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let recipient = text.parse().map(Self::of).map_err(|_| ParseError::Malformed)?;
        // A point of low order gives zero with every key.
        ephemeral_key().agree(&recipient.point).ok_or(ParseError::LowOrder)?;
        Ok(recipient)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

/// A random key for one message.
fn ephemeral_key() -> X25519Key {
    let mut secret = Zeroizing::new([0; POINT]);
    random(secret.as_mut());
    X25519Key::new(&secret)
}

/// Derives the key that wraps a file key.
pub(super) fn wrap_key(
    shared: &[u8; POINT],
    share: &[u8; POINT],
    recipient: &[u8; POINT],
    label: &[u8],
) -> Zeroizing<[u8; 32]> {
    let mut salt = [0; 2 * POINT];
    salt[..POINT].copy_from_slice(share);
    salt[POINT..].copy_from_slice(recipient);
    hkdf_sha256(shared, &salt, label)
}

/// Decodes a stanza's share, if its body has the length of a wrapped file key. Longer ones can be made to open under many keys.
///
/// # Errors
///
/// [`Error::Stanza`].
pub(super) fn read_share(share: &str, body: &[u8]) -> Result<[u8; POINT], Error> {
    let share = base64::decode(share).and_then(|share| share.try_into().ok());
    share.filter(|_| body.len() == FILE_KEY + TAG).ok_or(Error::Stanza)
}

/// Opens a stanza's body. `None` if it is wrapped under another key.
pub(super) fn unwrap_file_key(wrap_key: &[u8; 32], body: &[u8]) -> Option<FileKey> {
    let mut opened = Zeroizing::new([0; FILE_KEY]);
    // The key wraps one message, so its nonce is zero.
    ChaCha20Poly1305::new(wrap_key).open([0; 12], body, opened.as_mut()).ok()?;
    Some(FileKey::init_with_mut(|key| key.copy_from_slice(opened.as_ref())))
}

/// Decodes the text of a key.
fn decode(text: &str, decoded: &mut [u8; POINT]) {
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
}

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
        let mut secret = Zeroizing::new([0; POINT]);
        decode(key.to_string().expose_secret(), &mut secret);
        let scalar = X25519Key::new(&secret);
        Self { public: scalar.public(), scalar, key }
    }

    pub(crate) fn to_public(&self) -> Recipient {
        Recipient::of(self.key.to_public())
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
        let share = read_share(share, &stanza.body)?;
        // No honest sender produces a shared secret of zeros.
        let shared = self.scalar.agree(&share).ok_or(Error::Stanza)?;
        // The stanza does not name its key, so it may be for somebody else.
        Ok(unwrap_file_key(&wrap_key(&shared, &share, &self.public, LABEL), &stanza.body))
    }
}

impl std::str::FromStr for Identity {
    type Err = <x25519::Identity as std::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::of)
    }
}
