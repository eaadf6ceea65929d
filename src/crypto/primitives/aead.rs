//! Shared by all implementations of the AEAD.

/// Length of a Poly1305 tag in bytes: a sealed message is this much longer than its plaintext.
pub(crate) const TAG: usize = 16;

/// The error of opening a message that is not authentic under the given key and nonce.
pub(crate) struct Unauthentic;
