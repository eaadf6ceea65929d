//! Stanza types (the tag of a stanza), and what each type says about the file.
//!
//! Spec: <https://c2sp.org/age#recipient-stanza>.

pub(crate) const X25519: &str = "X25519";
pub(crate) const SCRYPT: &str = "scrypt";
pub(crate) const SSH_ED25519: &str = "ssh-ed25519";
pub(crate) const SSH_RSA: &str = "ssh-rsa";
pub(crate) const MLKEM768X25519: &str = "mlkem768x25519";
pub(crate) const P256TAG: &str = "p256tag";
pub(crate) const MLKEM768P256TAG: &str = "mlkem768p256tag";
/// The type of age-plugin-yubikey, a common plugin.
const PIV_P256: &str = "piv-p256";

/// The types that the age specification defines.
const KNOWN: [&str; 7] = [X25519, SCRYPT, SSH_ED25519, SSH_RSA, MLKEM768X25519, P256TAG, MLKEM768P256TAG];

/// Returns whether the age specification defines this type.
#[must_use]
pub fn is_known(kind: &str) -> bool {
    KNOWN.contains(&kind)
}

/// Returns whether stanzas of this type are decoys for no recipient.
///
/// Some programs add them to make sure that others keep ignoring types they do not know.
#[must_use]
pub fn is_grease(kind: &str) -> bool {
    kind.ends_with("-grease")
}

/// Returns whether stanzas of this type are safe from a future quantum computer, or `None` if that is not known.
#[must_use]
pub fn is_post_quantum(kind: &str) -> Option<bool> {
    match kind {
        MLKEM768X25519 | MLKEM768P256TAG | SCRYPT => Some(true),
        X25519 | SSH_ED25519 | SSH_RSA | P256TAG | PIV_P256 => Some(false),
        _ => None,
    }
}
