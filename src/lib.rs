//! solekey encrypts files and streams to the public keys named on its command line, and to nobody else,
//! in the age v1 format (<https://c2sp.org/age>).
//!
//! Plaintext comes in, a header is sealed, chunks are sealed in parallel, a file is committed. The folders follow that:
//!
//! - [`crypto`] turns bytes into bytes. It has never heard of an operating system's names: no paths, no terminal, no
//!   environment. Its two verbs are [`crypto::Encryptor`] and [`crypto::Decryptor`].
//! - `cli` is the operating system: arguments, files, terminal, exit status.
//!
//! The crate exists for its own program, tests and benches; only the program's behaviour is a stable interface.

#[doc(hidden)]
pub mod cli;
pub mod crypto;
