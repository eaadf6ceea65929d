//! The types of stanzas, and what each tells of its file.
//!
//! Spec: <https://c2sp.org/age#recipient-stanza>.

pub(crate) const X25519: &str = "X25519";
pub(crate) const SCRYPT: &str = "scrypt";
pub(crate) const SSH_ED25519: &str = "ssh-ed25519";
pub(crate) const SSH_RSA: &str = "ssh-rsa";
pub(crate) const MLKEM768X25519: &str = "mlkem768x25519";
pub(crate) const P256TAG: &str = "p256tag";
pub(crate) const MLKEM768P256TAG: &str = "mlkem768p256tag";
/// A plugin's, and common: that of age-plugin-yubikey.
const PIV_P256: &str = "piv-p256";

/// Those of the format.
const KNOWN: [&str; 7] = [X25519, SCRYPT, SSH_ED25519, SSH_RSA, MLKEM768X25519, P256TAG, MLKEM768P256TAG];

/// Whether a type is one of the format's.
#[must_use]
pub fn is_known(kind: &str) -> bool {
    KNOWN.contains(&kind)
}

/// Whether a type calls itself a decoy, by which programs see to it that others stay used to types that they do not know.
#[must_use]
pub fn is_grease(kind: &str) -> bool {
    kind.ends_with("-grease")
}

/// Whether a stanza of that type is safe from a future quantum computer. None if that is not known.
#[must_use]
pub fn is_post_quantum(kind: &str) -> Option<bool> {
    match kind {
        MLKEM768X25519 | MLKEM768P256TAG | SCRYPT => Some(true),
        X25519 | SSH_ED25519 | SSH_RSA | P256TAG | PIV_P256 => Some(false),
        _ => None,
    }
}
