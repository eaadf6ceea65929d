//! SSH keys as people have them: public lines, and private keys in each format that OpenSSH has written.
//!
//! The library does the cryptography. It reads one spelling of each key, and these files turn all others into that one.

pub(crate) mod private;
pub(crate) mod public;

mod ed25519;
mod openssh;
mod pem;
mod wire;
