//! Messages of the plugin protocol: a command or a response, with metadata and data.
//!
//! They are written as the stanzas of a header are. `age-core` has a codec for those, but it leaves the base64 of a file key
//! in freed memory, and it parses a message anew for each of its lines.
//!
//! Spec: <https://c2sp.org/age-plugin#ipc-protocol>.

use std::{
    io::{ErrorKind, Read},
    mem,
};

use crate::{
    cli::keys::plugins::error::Fault,
    crypto::{base64, secrecy::Zeroizing},
};

/// The most bytes in the first line of a message, and in its data: 1 MiB. A post-quantum stanza takes 2 KiB.
pub(super) const MESSAGE_LIMIT: usize = 1 << 20;
/// The most words of metadata in a message.
const WORD_LIMIT: usize = 1024;
/// Bytes that all messages of a session may have, apart from those that each of its files adds.
const SESSION_BUDGET: usize = 4 << 20;
/// Bytes that each file of a session adds to the budget.
const FILE_BUDGET: usize = 64 << 10;

const PREFIX: &[u8] = b"-> ";
/// Characters in every line of data but the last, which has fewer.
const COLUMNS: usize = 64;
/// Bytes that a full line of data encodes. Data that is not longer is decoded without moving.
const LINE: usize = COLUMNS / 4 * 3;
/// Bytes that are read at once.
const BUFFER: usize = 8 << 10;

/// A message that was read. Its data is wiped when it is dropped: it may be a file key.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) command: String,
    pub(super) metadata: Vec<String>,
    pub(super) data: Zeroizing<Vec<u8>>,
}

impl Message {
    /// Takes the data of a message that holds no secret.
    pub(super) fn take_data(&mut self) -> Vec<u8> {
        mem::take(&mut self.data)
    }
}

/// Encodes a message.
pub(super) fn encode<'m>(
    command: &str,
    metadata: impl Iterator<Item = &'m str> + Clone,
    data: &[u8],
) -> Zeroizing<Vec<u8>> {
    let mut encoded = Zeroizing::new(vec![0; base64::encoded_length(data.len())]);
    let characters = base64::encode_into(data, &mut encoded).len();
    let words: usize = metadata.clone().map(|word| 1 + word.len()).sum();
    // All of the room at once, so that no growing leaves copies.
    let room = PREFIX.len() + command.len() + words + 1 + characters + characters / COLUMNS + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    text.extend_from_slice(PREFIX);
    text.extend_from_slice(command.as_bytes());
    for word in metadata {
        text.push(b' ');
        text.extend_from_slice(word.as_bytes());
    }
    text.push(b'\n');
    for line in encoded[..characters].chunks(COLUMNS) {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    // The last line is short, and empty where the data fills its lines.
    if characters.is_multiple_of(COLUMNS) {
        text.push(b'\n');
    }
    debug_assert_eq!(text.len(), room);
    text
}

/// Reads messages, from a peer that may be malicious, in bounded memory.
pub(super) struct Incoming {
    buffer: Zeroizing<Vec<u8>>,
    /// The part of the buffer that was read from the peer and not used yet.
    start: usize,
    end: usize,
    /// How many bytes may still be read.
    budget: usize,
}

impl Incoming {
    /// `files` is the number of files in the session; it limits what is read.
    pub(super) fn new(files: usize) -> Self {
        let budget = SESSION_BUDGET.saturating_add(FILE_BUDGET.saturating_mul(files));
        Self { buffer: Zeroizing::new(vec![0; BUFFER]), start: 0, end: 0, budget }
    }

    /// Reads the next message.
    ///
    /// # Errors
    ///
    /// [`Fault::Ended`], [`Fault::Protocol`], [`Fault::TooMuch`], [`Fault::Io`].
    pub(super) fn read(&mut self, peer: &mut impl Read) -> Result<Message, Fault> {
        let mut line = Vec::new();
        self.line(peer, &mut line, MESSAGE_LIMIT, || Fault::TooMuch("in one message"))?;
        let words = line.strip_prefix(PREFIX).ok_or(Fault::Protocol("a message does not begin with '->'"))?;
        let (command, metadata) = words_of(words)?;

        let mut data = Zeroizing::new(Vec::with_capacity(LINE));
        let mut line = Zeroizing::new(Vec::with_capacity(COLUMNS));
        let mut buffer = Zeroizing::new([0; LINE]);
        loop {
            line.clear();
            let too_long = || Fault::Protocol("a line of data is longer than 64 characters");
            self.line(peer, &mut line, COLUMNS, too_long)?;
            let decoded = base64::decode_line(&line, &mut buffer[..]);
            data.extend_from_slice(decoded.ok_or(Fault::Protocol("a line of data is not canonical base64"))?);
            if data.len() > MESSAGE_LIMIT {
                return Err(Fault::TooMuch("in one message"));
            }
            if line.len() < COLUMNS {
                return Ok(Message { command, metadata, data });
            }
        }
    }

    /// Appends the next line, without its line feed, to `line`. It may have up to `limit` bytes.
    fn line(
        &mut self,
        peer: &mut impl Read,
        line: &mut Vec<u8>,
        limit: usize,
        too_long: impl Fn() -> Fault,
    ) -> Result<(), Fault> {
        loop {
            let unused = &self.buffer[self.start..self.end];
            let end = unused.iter().position(|byte| *byte == b'\n');
            let part = &unused[..end.unwrap_or(unused.len())];
            if line.len() + part.len() > limit {
                return Err(too_long());
            }
            line.extend_from_slice(part);
            self.start += part.len();
            if end.is_some() {
                self.start += 1;
                return Ok(());
            }
            self.fill(peer)?;
        }
    }

    /// Reads more, once all that was read is used.
    fn fill(&mut self, peer: &mut impl Read) -> Result<(), Fault> {
        if self.budget == 0 {
            return Err(Fault::TooMuch("in one session"));
        }
        let room = self.buffer.len().min(self.budget);
        let read = loop {
            match peer.read(&mut self.buffer[..room]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.map_err(Fault::Io)?,
            }
        };
        if read == 0 {
            return Err(Fault::Ended);
        }
        (self.start, self.end) = (0, read);
        self.budget -= read;
        Ok(())
    }
}

/// The command and the metadata in the first line of a message, after its prefix.
fn words_of(line: &[u8]) -> Result<(String, Vec<String>), Fault> {
    const FAULT: &str = "the words of a message are not visible characters, one space apart";
    let line = std::str::from_utf8(line).map_err(|_| Fault::Protocol(FAULT))?;
    if line.split(' ').any(|word| word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Err(Fault::Protocol(FAULT));
    }
    let mut words = line.split(' ').map(str::to_owned);
    let command = words.next().expect("a split gives at least one word");
    let metadata: Vec<_> = words.by_ref().take(WORD_LIMIT).collect();
    if words.next().is_some() {
        return Err(Fault::TooMuch("in one message"));
    }
    Ok((command, metadata))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn read(text: &[u8]) -> Result<Message, Fault> {
        Incoming::new(1).read(&mut &*text)
    }

    /// Gives one byte at a time.
    struct Slowly<'t>(&'t [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }

    #[test]
    fn messages_are_read_as_they_are_written() {
        for length in [0, 1, 16, 47, 48, 49, 95, 96, 97, 1000] {
            let data: Vec<_> = (0..length).map(|byte: usize| byte.to_le_bytes()[0]).collect();
            for metadata in [&[][..], &["a"], &["0", "X25519", "!~"]] {
                let text = encode("command", metadata.iter().copied(), &data);
                let twice = [&text[..], &text[..]].concat();
                let mut incoming = Incoming::new(1);
                let mut peer = Slowly(&twice);
                for _ in 0..2 {
                    let message = incoming.read(&mut peer).expect("it is well formed");
                    assert_eq!(
                        (message.command.as_str(), &message.metadata[..]),
                        ("command", &metadata.iter().map(ToString::to_string).collect::<Vec<_>>()[..])
                    );
                    assert_eq!(*message.data, data);
                }
                assert!(matches!(incoming.read(&mut peer), Err(Fault::Ended)));
            }
        }
    }

    #[test]
    fn the_encoding_is_that_of_stanzas() {
        let text = |data: &[u8]| String::from_utf8(encode("a", ["b", "c"].into_iter(), data).to_vec()).expect("ASCII");
        assert_eq!(text(b""), "-> a b c\n\n");
        assert_eq!(text(b"!"), "-> a b c\nIQ\n");
        assert_eq!(text(&[0; 48]), format!("-> a b c\n{}\n\n", "A".repeat(64)));
        assert_eq!(text(&[0; 49]), format!("-> a b c\n{}\nAA\n", "A".repeat(64)));
    }

    #[test]
    fn malformed_messages_are_refused() {
        for text in [
            "\n\n",
            "->\n\n",
            "-> \n\n",
            "->a\n\n",
            "-> a \n\n",
            "->  a\n\n",
            "-> a  b\n\n",
            "-> a\tb\n\n",
            "-> a\r\n\r\n",
            "-> \u{e9}\n\n",
            "-> a\nA\n",
            "-> a\nAA==\n",
            "-> a\nAB\n",
            "-> a\nAA \n",
            "-> a\n-> b\n",
        ] {
            assert!(matches!(read(text.as_bytes()), Err(Fault::Protocol(_))), "{text:?}");
        }
        assert!(matches!(read(b"-> \xff\n\n"), Err(Fault::Protocol(_))));
        let long = format!("-> a\n{}\n\n", "A".repeat(65));
        assert!(matches!(read(long.as_bytes()), Err(Fault::Protocol("a line of data is longer than 64 characters"))));
    }

    #[test]
    fn a_message_that_breaks_off_anywhere_is_an_end() {
        let text = encode("command", ["a", "b"].into_iter(), &[7; 100]);
        for length in 0..text.len() {
            assert!(matches!(read(&text[..length]), Err(Fault::Ended)), "{length}");
        }
    }

    #[test]
    fn endless_messages_are_refused_in_bounded_memory() {
        let endless = |start: &'static str, byte| {
            let mut peer = start.as_bytes().chain(io::repeat(byte));
            Incoming::new(1).read(&mut peer)
        };
        assert!(matches!(endless("-> ", b'a'), Err(Fault::TooMuch("in one message"))));
        assert!(matches!(endless("-> a\n", b'A'), Err(Fault::Protocol(_))));
        assert!(matches!(endless("", b' '), Err(Fault::TooMuch(_))));

        let line = format!("{}\n", "A".repeat(64));
        let lines = format!("-> a\n{}", line.repeat(MESSAGE_LIMIT / LINE + 1));
        assert!(matches!(read(lines.as_bytes()), Err(Fault::TooMuch("in one message"))));
        let words = format!("-> a{}\n\n", " a".repeat(WORD_LIMIT + 1));
        assert!(matches!(read(words.as_bytes()), Err(Fault::TooMuch("in one message"))));
        assert!(read(format!("-> a{}\n\n", " a".repeat(WORD_LIMIT)).as_bytes()).is_ok());
    }

    #[test]
    fn a_session_without_end_is_refused() {
        struct Repeats(usize);

        impl Read for Repeats {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                const MESSAGE: &[u8] = b"-> nonsense\n\n";
                for byte in &mut *buffer {
                    *byte = MESSAGE[self.0 % MESSAGE.len()];
                    self.0 += 1;
                }
                Ok(buffer.len())
            }
        }

        let mut peer = Repeats(0);
        let mut incoming = Incoming::new(1);
        let fault = loop {
            if let Err(fault) = incoming.read(&mut peer) {
                break fault;
            }
        };
        assert!(matches!(fault, Fault::TooMuch("in one session")), "{fault}");
        assert_eq!(peer.0, SESSION_BUDGET + FILE_BUDGET);
    }

    #[test]
    fn the_data_of_a_short_message_is_decoded_where_it_stays() {
        let message = read(&encode("file-key", ["0"].into_iter(), &[7; 16])).expect("it is well formed");
        assert_eq!(message.data.capacity(), LINE);
    }
}
