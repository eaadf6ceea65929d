//! X-Wing: ML-KEM-768 and X25519 combined into one key encapsulation mechanism, so that both must be broken.
//!
//! Spec: <https://datatracker.ietf.org/doc/draft-connolly-cfrg-xwing-kem/>, as HPKE's `MLKEM768-X25519`, 0x647a, in
//! <https://filippo.io/hpke-pq>.
//!
//! Only the combination is written by hand; the algorithms come from libraries. The `hpke` crate has X-Wing since 0.14, but
//! cannot be built together with `age` 0.12. Through `ml-kem` 0.2.3, `age` requires `kem` =0.3.0-pre.0; through `ml-kem` 0.3 and
//! `x-wing`, `hpke` requires `kem` 0.3; and cargo takes only one of the two. (`ml-kem` 0.2.1 requires no exact version, but
//! does not compile with `kem` 0.3.0.) AWS-LC has ML-KEM-768, but its Rust API has no SHAKE256 and cannot
//! derive a key from a seed.
//!
//! This file can be deleted once `age` depends on `hpke` 0.14 or later, or offers this recipient type itself.

use hpke::{
    Deserializable, HpkeError, Kem, Serializable,
    generic_array::{
        GenericArray,
        typenum::{Sum, U32, Unsigned},
    },
    kem::SharedSecret,
};
use ml_kem::{
    Ciphertext, EncodedSizeUser, KemCore, MlKem768,
    kem::{Decapsulate, Encapsulate},
};
use rand_core::{CryptoRng, RngCore};
use sha3::{
    Digest, Sha3_256, Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};
use x25519_dalek::{EphemeralSecret, StaticSecret};

use crate::crypto::secrecy::Zeroizing;

type MlKemPublic = <MlKem768 as KemCore>::EncapsulationKey;
type MlKemSecret = <MlKem768 as KemCore>::DecapsulationKey;

type PublicLength = Sum<<MlKemPublic as EncodedSizeUser>::EncodedSize, U32>;
type EncappedLength = Sum<<MlKem768 as KemCore>::CiphertextSize, U32>;

const LABEL: &[u8; 6] = br"\.//^\";
const SEED: usize = 32;
const X25519_KEY: usize = 32;
/// What HPKE's derivation of keys from other key material is bound to.
const SUITE: &[u8] = b"KEM\x64\x7a";

/// The mechanism. Authenticated encapsulation is not part of it.
pub(crate) struct XWing;

/// An ML-KEM-768 encapsulation key, then an X25519 public key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PublicKey {
    ml_kem: MlKemPublic,
    x25519: x25519_dalek::PublicKey,
}

impl Eq for PublicKey {}

/// Both secret keys, expanded from the seed that is their text.
#[derive(Clone)]
pub(crate) struct PrivateKey {
    seed: Zeroizing<[u8; SEED]>,
    ml_kem: MlKemSecret,
    x25519: StaticSecret,
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        *self.seed == *other.seed
    }
}

impl Eq for PrivateKey {}

/// An ML-KEM-768 ciphertext, then an X25519 public key.
#[derive(Clone)]
pub(crate) struct EncappedKey {
    ml_kem: Ciphertext<MlKem768>,
    x25519: x25519_dalek::PublicKey,
}

impl Kem for XWing {
    type PublicKey = PublicKey;
    type PrivateKey = PrivateKey;
    type EncappedKey = EncappedKey;
    type NSecret = U32;

    const KEM_ID: u16 = 0x647a;

    fn sk_to_pk(secret: &PrivateKey) -> PublicKey {
        PublicKey {
            ml_kem: secret.ml_kem.encapsulation_key().clone(),
            x25519: x25519_dalek::PublicKey::from(&secret.x25519),
        }
    }

    fn derive_keypair(ikm: &[u8]) -> (PrivateKey, PublicKey) {
        let length = [0, u8::try_from(SEED).expect("it is 32")];
        let mut seed = Zeroizing::new([0; SEED]);
        Shake256::default()
            .chain(ikm)
            .chain(b"HPKE-v1")
            .chain(SUITE)
            .chain([0, 13])
            .chain(b"DeriveKeyPair")
            .chain(length)
            .finalize_xof_into(seed.as_mut());
        let secret = PrivateKey::expand(seed);
        let public = Self::sk_to_pk(&secret);
        (secret, public)
    }

    fn encap<R: CryptoRng + RngCore>(
        recipient: &PublicKey,
        sender: Option<(&PrivateKey, &PublicKey)>,
        random: &mut R,
    ) -> Result<(SharedSecret<Self>, EncappedKey), HpkeError> {
        let (ml_kem, ml_kem_secret) = recipient.ml_kem.encapsulate(random).map_err(|()| HpkeError::EncapError)?;
        let ephemeral = EphemeralSecret::random_from_rng(random);
        let x25519 = x25519_dalek::PublicKey::from(&ephemeral);
        let x25519_secret = ephemeral.diffie_hellman(&recipient.x25519);
        if sender.is_some() || !x25519_secret.was_contributory() {
            return Err(HpkeError::EncapError);
        }
        let combined = combine(&ml_kem_secret, &x25519_secret, &x25519, &recipient.x25519);
        Ok((SharedSecret(combined), EncappedKey { ml_kem, x25519 }))
    }

    fn decap(
        recipient: &PrivateKey,
        sender: Option<&PublicKey>,
        encapped: &EncappedKey,
    ) -> Result<SharedSecret<Self>, HpkeError> {
        let ml_kem_secret = recipient.ml_kem.decapsulate(&encapped.ml_kem).map_err(|()| HpkeError::DecapError)?;
        let x25519_secret = recipient.x25519.diffie_hellman(&encapped.x25519);
        // A shared secret that is all zero: RFC 7748, section 6.1.
        if sender.is_some() || !x25519_secret.was_contributory() {
            return Err(HpkeError::DecapError);
        }
        let public = x25519_dalek::PublicKey::from(&recipient.x25519);
        Ok(SharedSecret(combine(&ml_kem_secret, &x25519_secret, &encapped.x25519, &public)))
    }
}

/// `SHA3-256(ML-KEM's secret || X25519's secret || encapsulated X25519 key || recipient's X25519 key || label)`.
fn combine(
    ml_kem_secret: &[u8],
    x25519_secret: &x25519_dalek::SharedSecret,
    encapped: &x25519_dalek::PublicKey,
    recipient: &x25519_dalek::PublicKey,
) -> GenericArray<u8, U32> {
    let hash = Sha3_256::new_with_prefix(ml_kem_secret);
    hash.chain_update(x25519_secret).chain_update(encapped).chain_update(recipient).chain_update(LABEL).finalize()
}

impl PrivateKey {
    /// `SHAKE256(seed, 96)` is ML-KEM's `d` and `z`, then the X25519 secret key.
    fn expand(seed: Zeroizing<[u8; SEED]>) -> Self {
        let mut expanded = Shake256::default().chain(*seed).finalize_xof();
        let [mut d, mut z, mut x25519] = [0; 3].map(|_: u8| Zeroizing::new([0; 32]));
        for part in [&mut d, &mut z, &mut x25519] {
            expanded.read(part.as_mut());
        }
        let (ml_kem, _) = MlKem768::generate_deterministic(&(*d).into(), &(*z).into());
        Self { seed, ml_kem, x25519: StaticSecret::from(*x25519) }
    }
}

fn exactly<T: Serializable>(bytes: &[u8]) -> Result<&[u8], HpkeError> {
    if bytes.len() == T::OutputSize::USIZE {
        Ok(bytes)
    } else {
        Err(HpkeError::IncorrectInputLength(T::OutputSize::USIZE, bytes.len()))
    }
}

/// The 32 bytes at the end.
fn x25519_key(bytes: &[u8]) -> x25519_dalek::PublicKey {
    let key: [u8; X25519_KEY] = bytes.try_into().expect("it has the length of a key");
    x25519_dalek::PublicKey::from(key)
}

impl Serializable for PrivateKey {
    type OutputSize = U32;

    fn write_exact(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(self.seed.as_ref());
    }
}

impl Deserializable for PrivateKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let mut seed = Zeroizing::new([0; SEED]);
        seed.copy_from_slice(exactly::<Self>(bytes)?);
        Ok(Self::expand(seed))
    }
}

impl Serializable for PublicKey {
    type OutputSize = PublicLength;

    fn write_exact(&self, bytes: &mut [u8]) {
        let (ml_kem, x25519) = bytes.split_at_mut(PublicLength::USIZE - X25519_KEY);
        ml_kem.copy_from_slice(&self.ml_kem.as_bytes());
        x25519.copy_from_slice(self.x25519.as_bytes());
    }
}

impl Deserializable for PublicKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let (ml_kem_bytes, x25519) = exactly::<Self>(bytes)?.split_at(PublicLength::USIZE - X25519_KEY);
        let ml_kem = MlKemPublic::from_bytes(ml_kem_bytes.try_into().expect("it was split there"));
        // FIPS 203, section 7.2: every coefficient must be reduced, which shows when it is encoded again.
        if ml_kem.as_bytes().as_slice() != ml_kem_bytes {
            return Err(HpkeError::ValidationError);
        }
        Ok(Self { ml_kem, x25519: x25519_key(x25519) })
    }
}

impl Serializable for EncappedKey {
    type OutputSize = EncappedLength;

    fn write_exact(&self, bytes: &mut [u8]) {
        let (ml_kem, x25519) = bytes.split_at_mut(EncappedLength::USIZE - X25519_KEY);
        ml_kem.copy_from_slice(&self.ml_kem);
        x25519.copy_from_slice(self.x25519.as_bytes());
    }
}

impl Deserializable for EncappedKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let (ml_kem, x25519) = exactly::<Self>(bytes)?.split_at(EncappedLength::USIZE - X25519_KEY);
        let ml_kem = ml_kem.try_into().expect("it was split there");
        Ok(Self { ml_kem, x25519: x25519_key(x25519) })
    }
}
