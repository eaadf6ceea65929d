//! The textual header: builds, reads and authenticates it.
//!
//! The reader is strict: it accepts only what the writer could have written, byte for byte.
//! Spec: <https://c2sp.org/age#header>.

use std::{io::BufRead, ops::Deref};

use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret,
};

use crate::crypto::{
    error::{Error, Foreign},
    format::{
        base64,
        lines::{HEADER_LIMIT, LineReader},
        stanza_type::SCRYPT,
    },
    primitives::{hkdf_sha256, hmac_sha256, hmac_sha256_verifies},
};

/// The version line, which starts every file, without its line feed.
pub const VERSION_LINE: &str = "age-encryption.org/v1";
/// The beginning of the version line in every version of the format.
const VERSION_PREFIX: &[u8] = b"age-encryption.org/";
/// Length of the longest version line, in bytes. A longer first line belongs to some other kind of file.
const VERSION_LINE_LIMIT: u64 = 64;

/// The beginning of a recipient stanza.
pub(super) const STANZA_PREFIX: &str = "-> ";
/// The beginning of the MAC line, up to which the MAC covers the header.
pub(super) const MAC_PREFIX: &str = "---";
/// Length of the MAC line, in bytes: `---`, a space, 43 characters of base64 and a line feed.
pub(super) const MAC_LINE: usize = MAC_PREFIX.len() + 1 + 43 + 1;

/// Stanzas in the longest header that is read: as many post-quantum ones as fit into 16 MiB, and somewhat more. Each identity
/// that is tried costs a scalar multiplication for each of them.
pub(super) const STANZA_LIMIT: usize = 16_384;
/// The fault of a header with more.
pub const TOO_MANY_STANZAS: &str = "there are more than 16,384 recipient stanzas";
/// Words in the longest stanza that is read. All known types have four or fewer.
const WORD_LIMIT: usize = 256;

/// Characters in every line of a stanza's body but the last, which has fewer.
const BODY_COLUMNS: usize = 64;

/// A header: the stanzas in file order and the MAC over them.
pub struct Header {
    pub(super) stanzas: Vec<Stanza>,
    pub(super) mac: [u8; 32],
    /// The whole header as it stands in the file.
    pub(super) text: Vec<u8>,
    /// How many bytes of `text` the MAC covers: up to and including the `---` of the MAC line.
    pub(super) authenticated_length: usize,
}

impl Header {
    /// Builds a header from stanzas and authenticates it under the file key.
    ///
    /// # Errors
    ///
    /// [`Error::HeaderLength`].
    pub(crate) fn new(stanzas: Vec<Stanza>, file_key: &FileKey) -> Result<Self, Error> {
        let mut text = format!("{VERSION_LINE}\n");
        for stanza in &stanzas {
            write_stanza(&mut text, stanza);
        }
        text.push_str(MAC_PREFIX);
        let authenticated_length = text.len();
        let mac = hmac_sha256(mac_key(file_key).as_slice(), text.as_bytes());
        text.push_str(&format!(" {}\n", base64::encode(mac)));
        if text.len() as u64 > HEADER_LIMIT || stanzas.len() > STANZA_LIMIT {
            return Err(Error::HeaderLength);
        }
        Ok(Self { stanzas, mac, text: text.into_bytes(), authenticated_length })
    }

    /// Reads a header, and not a byte beyond it. The MAC is not checked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::NotAge`], [`Error::Recoded`], [`Error::Version`], [`Error::Header`], [`Error::Armor`],
    /// [`Error::Read`].
    pub(crate) fn read(input: &mut dyn BufRead) -> Result<Self, Error> {
        let mut lines = LineReader::new(input);
        read_version(&mut lines)?;

        let mut stanzas = Vec::new();
        let mac = loop {
            let line = lines.read_line()?;
            if let Some(arguments) = line.strip_prefix(STANZA_PREFIX) {
                if stanzas.len() == STANZA_LIMIT {
                    return Err(lines.fault(TOO_MANY_STANZAS));
                }
                stanzas.push(read_stanza(arguments, &mut lines)?);
            } else if let Some(mac) = line.strip_prefix(MAC_PREFIX) {
                break read_mac(mac)
                    .ok_or_else(|| lines.fault("the MAC is not a space and 43 characters of base64"))?;
            } else {
                return Err(lines.fault("neither a recipient stanza nor the MAC"));
            }
        };
        if stanzas.is_empty() {
            return Err(lines.fault("there is no recipient stanza"));
        }
        // https://c2sp.org/age#scrypt-recipient-stanza: "there MUST NOT be any other recipient stanza".
        if stanzas.len() > 1 && stanzas.iter().any(|stanza| stanza.tag == SCRYPT) {
            return Err(lines.fault("a passphrase stanza must be the only one"));
        }
        let text = lines.text;
        let authenticated_length = text.len() - (MAC_LINE - MAC_PREFIX.len());
        Ok(Self { stanzas, mac, text, authenticated_length })
    }

    /// Checks the MAC, which proves that the author of this header knew the file key.
    ///
    /// # Errors
    ///
    /// [`Error::HeaderMac`].
    pub(crate) fn authenticate(&self, file_key: &FileKey) -> Result<(), Error> {
        if hmac_sha256_verifies(&mac_key(file_key), &self.text[..self.authenticated_length], &self.mac) {
            Ok(())
        } else {
            Err(Error::HeaderMac)
        }
    }

    /// Returns the stanzas, in file order.
    #[must_use]
    pub fn stanzas(&self) -> &[Stanza] {
        &self.stanzas
    }

    /// Returns whether the file is encrypted to a passphrase.
    #[must_use]
    pub fn is_passphrase(&self) -> bool {
        self.stanzas.iter().any(|stanza| stanza.tag == SCRYPT)
    }

    /// Returns the header as it stands in the file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

/// Derives the key of the MAC: `HKDF-SHA-256(ikm = file key, salt = empty, info = "header")`.
fn mac_key(file_key: &FileKey) -> impl Deref<Target = [u8; 32]> {
    hkdf_sha256(file_key.expose_secret(), &[], b"header")
}

/// Appends a stanza to the text of a header: its tag and arguments, then its body in lines of base64.
fn write_stanza(text: &mut String, stanza: &Stanza) {
    text.push_str(STANZA_PREFIX);
    text.push_str(&stanza.tag);
    for argument in &stanza.args {
        text.push(' ');
        text.push_str(argument);
    }
    text.push('\n');
    let body = base64::encode(&stanza.body);
    let mut rest = body.as_str();
    while rest.len() >= BODY_COLUMNS {
        let (line, after) = rest.split_at(BODY_COLUMNS);
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    // The last line is always short, so it is empty if the body fills its lines.
    text.push_str(rest);
    text.push('\n');
}

/// Reads and checks the version line.
///
/// # Errors
///
/// [`Error::Empty`], [`Error::NotAge`], [`Error::Recoded`], [`Error::Version`], [`Error::Header`]; those of the input.
pub(super) fn read_version(lines: &mut LineReader<'_>) -> Result<(), Error> {
    let line = lines.read_bytes(VERSION_LINE_LIMIT)?;
    if line == VERSION_LINE.as_bytes() {
        return lines.check_terminated();
    }
    if line.is_empty() && lines.text.is_empty() {
        return Err(Error::Empty);
    }
    if !line.starts_with(VERSION_PREFIX) {
        let foreign = || Foreign::of(&line).map_or(Error::NotAge, Error::Foreign);
        return Err(recoded(&line).map_or_else(foreign, Error::Recoded));
    }
    if line.ends_with(b"\r") {
        return Err(lines.fault("it ends in CR LF; the file was changed by a transfer in text mode"));
    }
    Err(Error::Version(String::from_utf8_lossy(&line).escape_default().to_string()))
}

/// Recognizes an age file, armored or not, that was converted to another text encoding. Returns the encoding's name.
fn recoded(beginning: &[u8]) -> Option<&'static str> {
    let (encoding, rest) = match beginning {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => ("UTF-16", rest),
        [0xef, 0xbb, 0xbf, rest @ ..] => ("UTF-8 (with a byte order mark)", rest),
        _ => return None,
    };
    let ascii: Vec<_> = rest.iter().copied().filter(|byte| *byte != 0).collect();
    (ascii.starts_with(VERSION_PREFIX) || ascii.starts_with(b"-----BEGIN AGE")).then_some(encoding)
}

/// Reads the body of a stanza, given the tag and arguments after its `-> `.
///
/// # Errors
///
/// [`Error::Header`]; those of the input.
pub(super) fn read_stanza(arguments: &str, lines: &mut LineReader<'_>) -> Result<Stanza, Error> {
    if arguments.split(' ').nth(WORD_LIMIT).is_some() {
        return Err(lines.fault("the stanza has more than 256 words"));
    }
    let mut words = arguments.split(' ').map(str::to_owned);
    if arguments.split(' ').any(|word| word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Err(lines.fault("the stanza's words are not one or more visible characters, one space apart"));
    }
    let tag = words.next().expect("splitting a string gives at least one part");

    let mut body = Vec::new();
    loop {
        let line = lines.read_line()?;
        let columns = line.len();
        if columns > BODY_COLUMNS {
            return Err(lines.fault("the line of the stanza's body is longer than 64 characters"));
        }
        // The decoder rejects padding and stray bits, so only the canonical encoding is accepted.
        let mut decoded = [0; BODY_COLUMNS / 4 * 3];
        let Some(decoded) = base64::decode_line(line.as_bytes(), &mut decoded) else {
            return Err(lines.fault("the line of the stanza's body is not canonical base64"));
        };
        body.extend_from_slice(decoded);
        if columns < BODY_COLUMNS {
            return Ok(Stanza { tag, args: words.collect(), body });
        }
    }
}

/// Decodes the MAC, given the text after the `---` of the MAC line. Returns `None` if it is malformed.
pub(super) fn read_mac(text: &str) -> Option<[u8; 32]> {
    let mac = base64::decode(text.strip_prefix(' ')?)?;
    mac.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn file_key() -> FileKey {
        FileKey::new(Box::new([7; 16]))
    }

    #[test]
    fn what_is_written_is_read_back_and_authenticates() {
        for length in [0, 1, 47, 48, 49, 96, 1000] {
            let stanza = || Stanza { tag: "t".into(), args: vec!["a".into(), "!".into()], body: vec![0xfe; length] };
            let written = Header::new(vec![stanza(), stanza()], &file_key()).expect("it is short");
            let mut rest = &[written.as_bytes(), b"rest"].concat()[..];
            let read = Header::read(&mut rest).expect("it is well formed");
            assert_eq!(rest, b"rest");
            assert_eq!(read.as_bytes(), written.as_bytes());
            assert_eq!(read.stanzas(), [stanza(), stanza()]);
            read.authenticate(&file_key()).expect("it is authentic");
            assert!(matches!(read.authenticate(&FileKey::new(Box::new([8; 16]))), Err(Error::HeaderMac)));
        }
    }

    #[test]
    fn errors_name_their_line() {
        let line = |text: &str| match Header::read(&mut text.as_bytes()) {
            Err(Error::Header { line, .. }) => line,
            Err(other) => panic!("{text:?}: {other}"),
            Ok(_) => panic!("{text:?} was read"),
        };
        assert_eq!(line("age-encryption.org/v1"), 1);
        assert_eq!(line("age-encryption.org/v1\r\n"), 1);
        assert_eq!(line("age-encryption.org/v1\n"), 2);
        assert_eq!(line("age-encryption.org/v1\n-> a\n"), 3);
        assert_eq!(line("age-encryption.org/v1\n-> a\nAA==\n"), 3);
        assert_eq!(line("age-encryption.org/v1\n-> a\n\n--- short\n"), 4);
    }

    #[test]
    fn other_files_are_not_age_files() {
        let read = |bytes: &[u8]| Header::read(&mut &bytes[..]).err().map(|error| error.to_string());
        assert_eq!(read(b"").as_deref(), Some("not an age file: it is empty"));
        assert_eq!(read(b"\n").as_deref(), Some("not an age file"));
        assert_eq!(read(&[0; 100_000]).as_deref(), Some("not an age file"));
        assert_eq!(
            read(b"age-encryption.org/v2\n").as_deref(),
            Some("unsupported version of the age format: age-encryption.org/v2")
        );
    }

    #[test]
    fn an_endless_header_is_rejected_in_bounded_memory() {
        let mut endless = io::BufReader::new(io::Read::chain(&b"age-encryption.org/v1\n-> "[..], io::repeat(b'a')));
        let fault = "the header is longer than 16 MiB";
        assert!(matches!(Header::read(&mut endless), Err(Error::Header { line: 2, fault: said }) if said == fault));
        assert!(matches!(
            Header::read(&mut &b"age-encryption.org/v1\n-> a"[..]),
            Err(Error::Header { line: 2, fault: "the file ends inside the header" })
        ));
    }

    #[test]
    fn a_passphrase_stanza_is_recognized_and_must_be_the_only_one() {
        let read = |tags: &[&str]| {
            let stanzas: String = tags.iter().map(|tag| format!("-> {tag}\n\n")).collect();
            let text = format!("{VERSION_LINE}\n{stanzas}--- {}\n", "A".repeat(43));
            Header::read(&mut text.as_bytes()).map(|header| header.is_passphrase())
        };
        assert!(read(&["scrypt"]).is_ok_and(|is_passphrase| is_passphrase));
        assert!(read(&["a", "a"]).is_ok_and(|is_passphrase| !is_passphrase));
        for tags in [&["scrypt", "a"][..], &["a", "scrypt"], &["scrypt", "scrypt"], &["a", "a", "scrypt"]] {
            let fault = "a passphrase stanza must be the only one";
            assert!(matches!(read(tags), Err(Error::Header { fault: said, .. }) if said == fault), "{tags:?}");
        }
    }

    #[test]
    fn words_of_a_stanza_are_visible_characters_separated_by_one_space() {
        for words in ["", " a", "a ", "a  b", "a\tb", "a\u{7f}"] {
            let text = format!("{VERSION_LINE}\n-> {words}\n\n--- {}\n", "A".repeat(43));
            assert!(matches!(Header::read(&mut text.as_bytes()), Err(Error::Header { line: 2, .. })), "{words:?}");
        }
    }

    #[test]
    fn age_files_in_another_encoding_are_recognized() {
        for text in [VERSION_LINE, "-----BEGIN AGE ENCRYPTED FILE-----"] {
            let utf16 = |bytes: fn(u16) -> [u8; 2]| [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(bytes);
            for bytes in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)].map(Iterator::collect::<Vec<_>>) {
                assert_eq!(recoded(&bytes), Some("UTF-16"));
            }
            assert_eq!(recoded(format!("{}{text}", '\u{feff}').as_bytes()), Some("UTF-8 (with a byte order mark)"));
            assert_eq!(recoded(text.as_bytes()), None);
        }
        assert_eq!(recoded("\u{feff}something else".as_bytes()), None);
        assert_eq!(recoded(b"\xff\xfex\0"), None);
    }
}
