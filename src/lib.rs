//! solekey encrypts files and streams to the public keys named on its command line, and to nobody else,
//! in the age v1 format (<https://c2sp.org/age>).
//!
//! Plaintext comes in, a header is written, chunks are sealed in parallel, a file is committed. The folders follow that path:
//!
//! - [`crypto`] turns bytes into bytes. It knows nothing of paths, terminals, environment variables or exit statuses.
//! - [`cli`] is everything else: arguments, files, terminal, exit status.
//!
//! The crate exists for its own program, tests and benches. Only the program's behaviour is a stable interface.

#[doc(hidden)]
pub mod cli;
pub mod crypto;

#[cfg(test)]
#[path = "../tests/cli/requirements.rs"]
mod requirements;
