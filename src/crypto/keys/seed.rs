//! The 32 bytes that an age key is made of, for other encodings of it than its text.

use age_core::{
    primitives::{bech32_decode, bech32_encode},
    secrecy::ExposeSecret,
};
use bech32::Hrp;

use crate::crypto::{
    keys::identity::Identity,
    primitives::stack::wipe_stack_after,
    secrecy::{Zeroize, Zeroizing},
};

/// Bytes in a seed.
pub const SEED: usize = 32;

/// The kind of an age key. Its bytes do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// An `AGE-SECRET-KEY-1…`.
    X25519,
    /// An `AGE-SECRET-KEY-PQ-1…`.
    Hybrid,
}

impl KeyKind {
    fn prefix(self) -> Hrp {
        Hrp::parse_unchecked(match self {
            Self::X25519 => "age-secret-key-",
            Self::Hybrid => "age-secret-key-pq-",
        })
    }
}

impl Identity {
    /// The bytes of an `AGE-SECRET-KEY-…` key, and its kind. `None` for all other identities.
    #[must_use]
    pub fn to_seed(&self) -> Option<(KeyKind, Zeroizing<[u8; SEED]>)> {
        let kind = match self {
            Self::X25519(_) => KeyKind::X25519,
            Self::Hybrid(_) => KeyKind::Hybrid,
            Self::Ssh(_) | Self::Passphrase { .. } | Self::External(_) => return None,
        };
        let text = self.to_text()?;
        let mut seed = Zeroizing::new([0; SEED]);
        let decoded = bech32_decode(
            text.expose_secret(),
            |_| (),
            |_| Ok(()),
            |_, bytes| {
                seed.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
                Ok(())
            },
        );
        decoded.expect("it was just encoded");
        Some((kind, seed))
    }

    /// The key of this kind that is made of these bytes. Any bytes make one.
    #[must_use]
    pub fn from_seed(kind: KeyKind, seed: &[u8; SEED]) -> Self {
        wipe_stack_after(|| {
            let mut lower = bech32_encode(kind.prefix(), seed);
            let upper = Zeroizing::new(lower.to_ascii_uppercase());
            lower.zeroize();
            upper.parse().expect("any 32 bytes are a key")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_kind_and_its_bytes() {
        for identity in [Identity::generate(), Identity::generate_hybrid()] {
            let (kind, seed) = identity.to_seed().expect("it is an age key");
            let again = Identity::from_seed(kind, &seed);
            let text = |identity: &Identity| identity.to_text().expect("it is an age key");
            assert_eq!(text(&again).expose_secret(), text(&identity).expose_secret());
        }
    }
}
