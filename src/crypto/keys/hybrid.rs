//! The post-quantum key type: recipients, identities and stanzas of `mlkem768x25519`.
//!
//! Spec: <https://c2sp.org/age#the-mlkem768x25519-recipient-type>: HPKE with [`XWing`].

use std::{fmt, str::FromStr};

use age_core::{
    format::{FileKey, Stanza},
    primitives::{bech32_decode, bech32_encode},
    secrecy::{ExposeSecret, SecretString},
};
use bech32::Hrp;
use hpke::{
    Deserializable, HpkeError, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    single_shot_open, single_shot_seal,
};
use rand_core::OsRng;

use crate::crypto::{
    error::Error,
    format::base64,
    format::stanza_type::MLKEM768X25519,
    keys::xwing::{EncappedKey, PrivateKey, PublicKey, XWing},
    primitives::{TAG, random},
    secrecy::{Zeroize, Zeroizing},
};

/// The label that all post-quantum recipients of a file share. They share no file with others.
pub(crate) const LABEL: &str = "postquantum";

const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
const RECIPIENT_PREFIX: Hrp = Hrp::parse_unchecked("age1pq");
const IDENTITY_PREFIX: Hrp = Hrp::parse_unchecked("age-secret-key-pq-");

const FILE_KEY: usize = 16;
const SEED: usize = 32;

/// The text is not a key of this type.
#[derive(Debug)]
pub struct NotHybrid;

/// A public key, `age1pq1…`.
pub struct Recipient(PublicKey);

/// A secret key, `AGE-SECRET-KEY-PQ-1…`.
pub struct Identity(PrivateKey);

impl Recipient {
    /// Wraps the file key.
    pub(crate) fn wrap(&self, file_key: &FileKey) -> Result<Stanza, Error> {
        let (encapsulated, body) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing, _>(
            &OpModeS::Base,
            &self.0,
            INFO,
            file_key.expose_secret(),
            b"",
            &mut OsRng,
        )
        .map_err(|error| Error::Wrap(error.to_string()))?;
        Ok(Stanza { tag: MLKEM768X25519.to_owned(), args: vec![base64::encode(encapsulated.to_bytes())], body })
    }
}

impl Identity {
    pub(crate) fn generate() -> Self {
        let mut seed = Zeroizing::new([0; SEED]);
        random(seed.as_mut());
        Self::from_seed(seed.as_ref()).expect("any seed is a key")
    }

    fn from_seed(seed: &[u8]) -> Option<Self> {
        PrivateKey::from_bytes(seed).ok().map(Self)
    }

    pub(crate) fn to_recipient(&self) -> Recipient {
        Recipient(XWing::sk_to_pk(&self.0))
    }

    /// The text of the secret key.
    pub(crate) fn to_text(&self) -> SecretString {
        let mut seed = Zeroizing::new([0; SEED]);
        self.0.write_exact(seed.as_mut());
        let mut lower = bech32_encode(IDENTITY_PREFIX, seed.as_ref());
        let upper = lower.to_ascii_uppercase();
        lower.zeroize();
        SecretString::from(upper)
    }

    /// Unwraps the file key. `None` if no stanza is for this identity.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`] if a stanza of this type is malformed.
    pub(crate) fn unwrap(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, Error>> {
        stanzas
            .iter()
            .filter(|stanza| stanza.tag == MLKEM768X25519)
            .find_map(|stanza| self.unwrap_one(stanza).transpose())
    }

    fn unwrap_one(&self, stanza: &Stanza) -> Result<Option<FileKey>, Error> {
        let [encapsulated] = stanza.args.as_slice() else { return Err(Error::Stanza) };
        let encapsulated = base64::decode(encapsulated).ok_or(Error::Stanza)?;
        let encapsulated = EncappedKey::from_bytes(&encapsulated).map_err(|_| Error::Stanza)?;
        // The body's length is checked before it is decrypted: longer ones can be made to open under many keys.
        if stanza.body.len() != FILE_KEY + TAG {
            return Err(Error::Stanza);
        }
        let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            INFO,
            &stanza.body,
            b"",
        );
        let opened = match opened {
            Ok(opened) => Zeroizing::new(opened),
            // The shared secret is all zero, which no honest sender makes.
            Err(HpkeError::DecapError) => return Err(Error::Stanza),
            // Not an error: the stanza does not name its key, so it may be for somebody else. Try the next one.
            Err(_) => return Ok(None),
        };
        Ok(Some(FileKey::init_with_mut(|key| key.copy_from_slice(&opened))))
    }
}

impl FromStr for Recipient {
    type Err = NotHybrid;

    fn from_str(text: &str) -> Result<Self, NotHybrid> {
        decode(text, RECIPIENT_PREFIX, |key| PublicKey::from_bytes(key).ok().map(Self))
    }
}

impl FromStr for Identity {
    type Err = NotHybrid;

    fn from_str(text: &str) -> Result<Self, NotHybrid> {
        // Upper case, as the specification writes it; the encoding itself allows either.
        if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err(NotHybrid);
        }
        decode(text, IDENTITY_PREFIX, Self::from_seed)
    }
}

fn decode<K>(text: &str, prefix: Hrp, key: impl FnOnce(&[u8]) -> Option<K>) -> Result<K, NotHybrid> {
    bech32_decode(
        text,
        |_| NotHybrid,
        |found| if found == prefix { Ok(()) } else { Err(NotHybrid) },
        |_, bytes| key(&Zeroizing::new(bytes.collect::<Vec<u8>>())).ok_or(NotHybrid),
    )
}

/// The text of the public key.
impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        age_core::primitives::bech32_encode_to_fmt(f, RECIPIENT_PREFIX, &self.0.to_bytes())
    }
}
