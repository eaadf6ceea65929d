//! Errors of the format, of keys, and of the streams that files are read from and written to.

use std::{fmt, io};

/// An error of this crate. Never carries a secret, and never mentions a command line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source of bytes failed.
    #[error("cannot read: {0}")]
    Read(io::Error),
    /// The sink of bytes failed.
    #[error("cannot write: {0}")]
    Write(io::Error),

    /// The input does not begin like an age file.
    #[error("not an age file")]
    NotAge,
    /// The input is a file of another format.
    #[error("not an age file: it is {}", .0.name())]
    Foreign(Foreign),
    /// The input was an age file until a program took it for text and converted it to this encoding.
    #[error("no longer an age file: it was converted to {0} text")]
    Recoded(&'static str),
    /// The input is empty. No age file is.
    #[error("not an age file: it is empty")]
    Empty,
    /// An age file of another version of the format; the text is its version line.
    #[error("unsupported version of the age format: {0}")]
    Version(String),
    /// The header breaks the format's rules. `line` counts from 1.
    #[error("malformed header, line {line}: {fault}")]
    Header {
        /// The line at fault, from 1.
        line: u64,
        /// The rule that is broken.
        fault: &'static str,
    },
    /// The file ends before the nonce that follows the header.
    #[error("the file is truncated: it ends right after its header")]
    NoNonce,
    /// A stanza of a known type breaks that type's rules.
    #[error("malformed header: a recipient stanza breaks the rules of its type")]
    Stanza,
    /// The header's MAC does not verify under the unwrapped file key.
    #[error("the header failed authentication; it was corrupted or tampered with")]
    HeaderMac,
    /// The ASCII armor breaks the format's rules. `line` counts from 1.
    #[error("malformed armor, line {line}: {fault}")]
    Armor {
        /// The line at fault, from 1.
        line: u64,
        /// The rule that is broken.
        fault: &'static str,
    },
    /// The payload stops being authentic at `chunk`; the chunks before it were released.
    #[error("{}", fault.describe(*chunk))]
    Payload {
        /// The first chunk that was not released, from 0.
        chunk: u64,
        /// What is wrong there.
        fault: PayloadFault,
    },

    /// A range was asked for, but the source can only be read in sequence.
    #[error("it cannot be read at offsets")]
    NotSeekable,

    /// No identity unwraps any stanza. Carries the distinct stanza types of the file, in file order.
    #[error("none of these identities can open it; it is for: {}", list_stanza_types(.0))]
    NoMatch(Vec<String>),
    /// The passphrase does not unwrap the file key.
    #[error("incorrect passphrase")]
    WrongPassphrase,
    /// An SSH private key was decrypted, and is not that of the public key that was beside it.
    #[error("the private key is not that of its public key file")]
    SshKeyMismatch,
    /// The file demands more scrypt work than is allowed. Both are logarithms to base 2.
    #[error("the passphrase's work factor is 2^{required}, more than the 2^{limit} that is allowed")]
    WorkFactor {
        /// The work that the file demands.
        required: u8,
        /// The most that is allowed.
        limit: u8,
    },
    /// The system does not grant the memory that a passphrase's work takes.
    #[error(
        "the passphrase's work factor is 2^{work_factor}, which takes {mebibytes} MiB of memory, more than the system grants"
    )]
    Memory {
        /// The work, as a logarithm to base 2.
        work_factor: u8,
        /// The memory that it takes.
        mebibytes: u64,
    },
    /// The system does not grant the memory to read and write a part of a file.
    #[error("there is not enough memory to read and write the file")]
    NoBuffer,
    /// A stanza names the identity's key, but does not open with it.
    #[error("a stanza names this identity's key, but does not open with it; it was corrupted or tampered with")]
    Unwrap,

    /// There is nobody to encrypt to.
    #[error("no recipients")]
    NoRecipients,
    /// These recipients refuse to share a file.
    #[error("these recipients cannot share a file")]
    Incompatible,
    /// Post-quantum recipients and others: the file would be only as safe as the weaker ones.
    #[error(
        "post-quantum and classic recipients cannot share a file: a quantum computer could open it through the classic ones"
    )]
    MixedQuantumSafety,
    /// A plugin gave a passphrase stanza for a file that others are to open too.
    #[error("{recipient} gave a passphrase stanza, which must be the only stanza of a file")]
    SharedPassphrase {
        /// The recipient's name.
        recipient: String,
    },
    /// A recipient has more stanzas than one, or none.
    #[error("{stanzas} stanzas were made for {recipient}; there must be exactly one")]
    StanzaCount {
        /// The recipient's name.
        recipient: String,
        /// Stanzas made.
        stanzas: usize,
    },
    /// The new header does not have one stanza per distinct recipient.
    #[error("the header has {stanzas} stanzas for {recipients} distinct recipients")]
    HeaderCount {
        /// Stanzas in the header.
        stanzas: usize,
        /// Distinct recipients.
        recipients: usize,
    },
    /// The new header would be longer than any header that is read.
    #[error("the header would exceed 16 MiB or 16,384 stanzas, and solekey could not read the file")]
    HeaderLength,
    /// A kept stanza is malformed, and would stop an added recipient from opening the file.
    #[error("stanza {stanza}, which is to stay, is malformed, and would stop {recipient} from opening the file")]
    MalformedKeptStanza {
        /// Its number, from 1.
        stanza: usize,
        /// The added recipient.
        recipient: String,
    },
    /// A plugin failed, or said that it cannot wrap or unwrap the file key.
    #[error("{0}")]
    External(io::Error),
    /// Wrapping the file key failed.
    #[error("cannot wrap the file key: {0}")]
    Wrap(String),
}

/// A format that is mistaken for age's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// A message or a file that OpenPGP programs encrypted or signed.
    Pgp,
    /// A file that gzip compressed.
    Gzip,
    /// A zip archive.
    Zip,
    /// A file that `openssl enc` encrypted with a passphrase.
    OpenSsl,
}

impl Foreign {
    /// Recognizes a file by its beginning.
    pub(crate) fn of(beginning: &[u8]) -> Option<Self> {
        let begins: [(&[u8], Self); 4] = [
            (b"-----BEGIN PGP ", Self::Pgp),
            (b"\x1f\x8b", Self::Gzip),
            (b"PK\x03\x04", Self::Zip),
            (b"Salted__", Self::OpenSsl),
        ];
        // OpenPGP packets that begin an encrypted message: for a public key, or for a passphrase. RFC 9580, sections 4.2 and 5.
        if let [0x84 | 0xc1, _, 3, ..] | [0x85, _, _, 3, ..] | [0x8c | 0xc3, _, 4..=6, ..] = beginning {
            return Some(Self::Pgp);
        }
        begins.into_iter().find(|(magic, _)| beginning.starts_with(magic)).map(|(_, format)| format)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pgp => "a PGP message",
            Self::Gzip => "compressed with gzip",
            Self::Zip => "a zip archive",
            Self::OpenSsl => "encrypted by openssl",
        }
    }
}

/// What is wrong with a payload at a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadFault {
    /// The chunk does not authenticate.
    Corrupted,
    /// The last chunk does not authenticate and is short: the file is truncated or corrupted.
    CorruptedEnd,
    /// The chunk is missing: all chunks before it are whole, and none is final.
    Truncated,
    /// The chunk before was the final one, and data follows it.
    TrailingData,
    /// The chunk begins with the final one, and other data follows it.
    FollowedByData,
    /// The final chunk is empty, which is only allowed for an empty payload.
    EmptyFinalChunk,
}

/// Lists stanza types in one line of bounded length: a hostile header may have millions, or very long ones.
#[must_use]
pub fn list_stanza_types(types: &[String]) -> String {
    const TYPES: usize = 16;
    const CHARACTERS: usize = 64;
    let shortened = |kind: &String| match (kind.char_indices().nth(CHARACTERS), key_prefix(kind)) {
        (Some((end, _)), _) => format!("{}...", &kind[..end]),
        (None, Some(prefix)) => format!("{kind} (an {prefix}... key)"),
        (None, None) => kind.clone(),
    };
    let mut shown: Vec<_> = types.iter().take(TYPES).map(shortened).collect();
    if types.len() > TYPES {
        shown.push(format!("and {} more", types.len() - TYPES));
    }
    shown.join(", ")
}

/// How the public keys begin that stanzas of a type are for, if the type does not say it.
fn key_prefix(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "X25519" => "age1",
        "mlkem768x25519" => "age1pq1",
        "p256tag" => "age1tag1",
        "mlkem768p256tag" => "age1tagpq1",
        _ => return None,
    })
}

impl PayloadFault {
    /// What is wrong, for a message that already names the chunk.
    #[must_use]
    pub fn in_short(self) -> &'static str {
        match self {
            Self::Corrupted => "it is corrupted or was tampered with",
            Self::CorruptedEnd => "the file is truncated or corrupted",
            Self::Truncated => "the file is truncated before it",
            Self::TrailingData | Self::FollowedByData => "data follows the final chunk",
            Self::EmptyFinalChunk => "it is final but empty, which the format forbids",
        }
    }

    fn describe(self, chunk: u64) -> impl fmt::Display {
        // People count chunks from 1.
        let number = chunk + 1;
        match self {
            Self::Corrupted => {
                format!("chunk {number} failed authentication; the file is corrupted or was tampered with")
            }
            Self::CorruptedEnd => {
                format!("chunk {number}, the last, failed authentication; the file is truncated or corrupted")
            }
            Self::Truncated if chunk == 0 => "the file is truncated: it ends before its first chunk".to_owned(),
            Self::Truncated => {
                format!("the file is truncated: it ends after chunk {chunk}, which is not its final one")
            }
            Self::TrailingData => {
                format!("data follows chunk {chunk}, the final one; something was appended to the file")
            }
            Self::FollowedByData => {
                format!("chunk {number} is the final one, and other data follows it")
            }
            Self::EmptyFinalChunk => format!("chunk {number} is final but empty, which the format forbids"),
        }
    }
}

impl Error {
    /// Converts an error of reading: one from the armor reader, or one of the source itself.
    #[must_use]
    pub fn from_read(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Read)
    }
}
