//! The age v1 format: bytes in, bytes out. Spec: <https://c2sp.org/age>.
//!
//! Nothing here knows of paths, terminals, environment variables or exit statuses. Each folder is a room, and imports from the
//! rooms below it; `error` and `secrecy` are for all of them:
//!
//! ```text
//! encrypt, decrypt, unlocked   the format as the specification reads
//! payload      chunks and segments, opened, sealed, salvaged
//! keys         recipients wrap a file key, identities unwrap it
//! format       the header, stanza types, ASCII armor
//! parallel     moves bytes from a source to a sink on many threads; no cryptography
//! primitives   AEAD, HKDF, HMAC, SHA-256, random bytes
//! ```
//!
//! # Sealing a file
//!
//! 1. [`Encryptor::new`] makes a random file key (`primitives`).
//! 2. `keys::wrap` has each [`Recipient`] wrap it into a stanza, and checks that the stanzas go together.
//! 3. `format::header` writes the stanzas as text, with a MAC under a key derived from the file key.
//! 4. The written header is parsed again: it must have one stanza per distinct recipient, unless a plugin is allowed more.
//! 5. [`Encryptor::encrypt`] writes the header and a random nonce, and derives the payload key from the file key and the nonce
//!    (`payload::chunk`).
//! 6. `parallel::pipeline` reads segments of 1 MiB from a [`Source`], and a worker seals the 16 chunks of each
//!    (`payload::segment`).
//! 7. Each sealed segment goes to the [`Sink`]: at its offset in a file, or in sequence into a pipe.
//!
//! # Opening a file
//!
//! 1. [`Decryptor::read`] parses the header (`format::header`), through an [`ArmorReader`](armor::ArmorReader) if the file is
//!    armored.
//! 2. [`Decryptor::unlock`] tries the identities in order: the first [`Identity`] that finds its stanza unwraps the file key
//!    (`keys::identity`).
//! 3. The header's MAC is verified with that file key. The result is [`Unlocked`].
//! 4. [`Unlocked::payload`] reads the nonce and derives the payload key.
//! 5. The caller can have [`Payload::check_final_chunk`] authenticate the last chunk first, if the source can be read at offsets:
//!    a truncated file then fails before anything is released.
//! 6. [`Payload::decrypt`] runs the same pipeline: each chunk is authenticated before its plaintext is delivered.

mod decrypt;
mod encrypt;
mod error;
mod format;
mod keys;
// Not private: `cli::batch` reports files in order with its sequencer.
pub(crate) mod parallel;
mod payload;
mod primitives;
pub mod secrecy;
mod unlocked;

pub use age_core::format::{FileKey, Stanza};

pub use decrypt::Decryptor;
pub use encrypt::Encryptor;
pub use error::{Error, Foreign, PayloadFault, list_stanza_types};
pub(crate) use format::base64;
pub use format::{
    armor,
    header::{Header, TOO_MANY_STANZAS, VERSION_LINE},
    lines::{HEADER_CUT, HEADER_TOO_LONG},
    stanza_type,
};
pub(crate) use keys::plugin_key;
pub use keys::{
    external::{ExternalIdentity, ExternalRecipient, UnwrappedKey, WrappedKeys},
    identity::{Identity, ParseIdentityError, WORK_FACTOR_LIMIT},
    recipient::{Match, ParseRecipientError, Recipient, WORK_FACTOR},
    seed::{KeyKind, SEED},
    ssh::{private::SshPrivateKeyError, public::SshPublicKeyError},
};
pub(crate) use parallel::memory::{has_room, spawn, spawn_scoped};
pub use parallel::{
    endpoints::{ReadAt, Sink, Source, WriteAt},
    wanted::is_wanted,
};
pub use payload::{
    Payload,
    chunk::{CHUNK, CHUNK_OVERHEAD, PAYLOAD_NONCE, SEALED_CHUNK, payload_length, plaintext_length},
    salvage::Salvaged,
    segment::SEGMENT,
};
pub use primitives::{Sha256, random};
pub use unlocked::Unlocked;
