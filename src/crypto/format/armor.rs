//! ASCII armor: a file as text, in lines of 64 base64 characters between two marker lines.
//!
//! The reader accepts only the strict form of PEM (RFC 7468), and white space before and after it.
//! Spec: <https://c2sp.org/age#ascii-armor>.

use std::io::{self, BufRead, Read, Write};

use base64_simd::{AsOut, STANDARD as BASE64};

use crate::crypto::error::{Error, Foreign};

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
/// The last line of an armored file.
const END: &str = "-----END AGE ENCRYPTED FILE-----";

/// Characters in every line but the last, which has 1 to this many.
const COLUMNS: usize = 64;
/// Bytes that a full line encodes.
const LINE: usize = COLUMNS / 4 * 3;
/// Bytes of white space that are skipped before the first line, and after the last. Other implementations allow as many.
const SPACE_LIMIT: usize = 1024;
/// Bytes that are encoded or decoded at a time.
const BLOCK: usize = 1024 * LINE;

/// Returns whether a file that starts with these bytes looks armored. A binary age file never does.
#[must_use]
pub fn looks_armored(beginning: &[u8]) -> bool {
    let text = beginning.trim_ascii_start();
    // A pipe may have delivered only white space, or a part of the marker, so far.
    !beginning.is_empty() && (text.starts_with(b"-----") || b"-----".starts_with(text))
}

/// Returns whether a line is the end marker, with white space around it or not.
#[must_use]
pub fn is_end(line: &[u8]) -> bool {
    line.trim_ascii() == END.as_bytes()
}

/// Returns the length of the armor of `binary` bytes, as [`ArmorWriter`] writes it; `None` if no file can be that long.
#[must_use]
pub fn armored_length(binary: u64) -> Option<u64> {
    let base64 = binary.div_ceil(3).checked_mul(4)?;
    let line_feeds = base64.div_ceil(COLUMNS as u64) + 2;
    base64.checked_add(line_feeds + (BEGIN.len() + END.len()) as u64)
}

/// A writer that armors what is written to it. Call [`finish`](Self::finish) at the end.
pub struct ArmorWriter<W: Write> {
    inner: W,
    /// Bytes that do not fill a line yet.
    partial: Vec<u8>,
    /// Encoded lines that have not been written to `inner` yet.
    text: Vec<u8>,
}

impl<W: Write> ArmorWriter<W> {
    /// Creates a writer that armors to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, partial: Vec::with_capacity(LINE), text: format!("{BEGIN}\n").into_bytes() }
    }

    /// Writes the last line and the end marker, flushes the inner writer and returns it.
    ///
    /// # Errors
    ///
    /// Any error of the inner writer.
    pub fn finish(mut self) -> io::Result<W> {
        let rest = std::mem::take(&mut self.partial);
        if !rest.is_empty() {
            self.encode_line(&rest);
        }
        self.text.extend_from_slice(END.as_bytes());
        self.text.push(b'\n');
        self.inner.write_all(&self.text)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// Appends up to [`LINE`] bytes to `text` as one line.
    fn encode_line(&mut self, line: &[u8]) {
        let start = self.text.len();
        self.text.resize(start + COLUMNS, 0);
        let length = BASE64.encode(line, self.text[start..].as_out()).len();
        self.text.truncate(start + length);
        self.text.push(b'\n');
    }
}

impl<W: Write> Write for ArmorWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK);
        let mut rest = &bytes[..taken];
        if !self.partial.is_empty() {
            let (head, after) = rest.split_at(rest.len().min(LINE - self.partial.len()));
            self.partial.extend_from_slice(head);
            rest = after;
            if self.partial.len() == LINE {
                let line = std::mem::take(&mut self.partial);
                self.encode_line(&line);
            }
        }
        let mut lines = rest.chunks_exact(LINE);
        for line in &mut lines {
            self.encode_line(line);
        }
        self.partial.extend_from_slice(lines.remainder());
        self.inner.write_all(&self.text)?;
        self.text.clear();
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A reader that decodes armored text. Its own errors are [`Error::Armor`] inside an [`io::Error`].
pub struct ArmorReader<R: BufRead> {
    inner: R,
    /// The last line read, without its line ending.
    line: Vec<u8>,
    /// Number of that line, from 1.
    number: u64,
    state: State,
    /// Decoded bytes.
    decoded: Vec<u8>,
    /// How many of the decoded bytes have been consumed.
    consumed: usize,
}

/// What the reader expects next.
#[derive(PartialEq, Eq)]
enum State {
    /// White space and the begin marker.
    Begin,
    /// A line of base64 or the end marker.
    Lines,
    /// The end marker, because the line before was shorter than the others.
    AfterLastLine,
    /// Nothing: the armor and the white space after it have been read.
    End,
}

impl<R: BufRead> ArmorReader<R> {
    /// Creates a reader that decodes all of `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, line: Vec::new(), number: 0, state: State::Begin, decoded: Vec::new(), consumed: 0 }
    }

    /// Replaces the decoded bytes with the next block, or with fewer if the armor ends.
    fn decode_block(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.consumed = 0;
        while self.state != State::End && self.decoded.len() < BLOCK {
            if self.state == State::Begin {
                self.read_begin()?;
            } else if self.state == State::AfterLastLine || self.decode_full_lines()? == 0 {
                self.decode_line_or_end()?;
            }
        }
        Ok(())
    }

    /// Reads white space and the begin marker.
    fn read_begin(&mut self) -> io::Result<()> {
        // White space starts on line 1. `read_line` counts the line of the marker itself.
        self.number = 1;
        self.skip_space()?;
        self.number -= 1;
        self.read_line()?;
        if self.line != BEGIN.as_bytes() {
            if let Some(foreign) = Foreign::of(&self.line) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, Error::Foreign(foreign)));
            }
            return Err(self.fault("it is not '-----BEGIN AGE ENCRYPTED FILE-----'"));
        }
        self.state = State::Lines;
        Ok(())
    }

    /// Decodes the full lines that the inner reader has buffered, and returns how many there were.
    ///
    /// This is the fast path. It stops at the first line that is not full and valid, and leaves that line to
    /// [`decode_line_or_end`](Self::decode_line_or_end).
    fn decode_full_lines(&mut self) -> io::Result<usize> {
        let available = self.inner.fill_buf()?;
        let line_end: &[u8] = if available.get(COLUMNS) == Some(&b'\r') { b"\r\n" } else { b"\n" };
        let length = COLUMNS + line_end.len();
        let before = self.decoded.len();
        let most = (BLOCK - before).div_ceil(LINE);
        self.decoded.resize(before + most * LINE, 0);
        let decode = |(line, decoded): (&[u8], &mut [u8])| {
            let (text, end) = line.split_at(COLUMNS);
            end == line_end && BASE64.decode(text, decoded.as_out()).is_ok_and(|decoded| decoded.len() == LINE)
        };
        let lines = available.chunks_exact(length).zip(self.decoded[before..].chunks_exact_mut(LINE));
        let count = lines.map(decode).take_while(|full| *full).count();
        self.decoded.truncate(before + count * LINE);
        self.inner.consume(count * length);
        self.number += count as u64;
        Ok(count)
    }

    /// Reads one line and decodes it, or reads the end marker and the white space after it.
    fn decode_line_or_end(&mut self) -> io::Result<()> {
        let is_terminated = self.read_line()?;
        if self.line == END.as_bytes() {
            self.state = State::End;
            return self.read_to_end_of_space();
        }
        if self.line.is_empty() && !is_terminated {
            return Err(self.fault("the text ends before '-----END AGE ENCRYPTED FILE-----'"));
        }
        if self.state == State::AfterLastLine {
            return Err(self.fault("it follows a line of fewer than 64 characters, which must be the last"));
        }
        if self.line.trim_ascii().len() < self.line.len() {
            return Err(self.fault("it begins or ends with white space"));
        }
        if self.line.is_empty() || self.line.len() > COLUMNS {
            return Err(self.fault("it does not have 1 to 64 characters"));
        }
        let mut decoded = [0; LINE];
        let Ok(decoded) = BASE64.decode(&self.line, decoded.as_mut_slice().as_out()) else {
            return Err(self.fault("it is not canonical base64"));
        };
        self.decoded.extend_from_slice(decoded);
        if decoded.len() < LINE {
            self.state = State::AfterLastLine;
        }
        Ok(())
    }

    /// Reads one line without its LF or CR LF, and returns whether it had one.
    ///
    /// A line that is longer than allowed is cut, but still longer than [`COLUMNS`].
    fn read_line(&mut self) -> io::Result<bool> {
        // The longest line allowed, CR LF, and one byte more to recognize a longer line.
        const LIMIT: u64 = COLUMNS as u64 + 3;
        self.number += 1;
        self.line.clear();
        Read::take(&mut self.inner, LIMIT).read_until(b'\n', &mut self.line)?;
        let is_terminated = self.line.pop_if(|byte| *byte == b'\n').is_some();
        if is_terminated {
            self.line.pop_if(|byte| *byte == b'\r');
        }
        Ok(is_terminated)
    }

    /// Skips white space, up to [`SPACE_LIMIT`] bytes, and counts its lines.
    fn skip_space(&mut self) -> io::Result<()> {
        let mut skipped = 0;
        loop {
            let available = self.inner.fill_buf()?;
            let space = available.len() - available.trim_ascii_start().len();
            self.number += available[..space].iter().filter(|byte| **byte == b'\n').count() as u64;
            let done = space < available.len() || available.is_empty();
            self.inner.consume(space);
            skipped += space;
            if skipped > SPACE_LIMIT {
                return Err(self.fault("more than 1024 bytes of white space around the armor"));
            }
            if done {
                return Ok(());
            }
        }
    }

    /// Reads the white space after the end marker, and checks that nothing else follows.
    fn read_to_end_of_space(&mut self) -> io::Result<()> {
        // The line after the end marker.
        self.number += 1;
        self.skip_space()?;
        if self.inner.fill_buf()?.is_empty() { Ok(()) } else { Err(self.fault("text follows the armor's end")) }
    }

    /// Returns an [`Error::Armor`] at the last line read.
    fn fault(&self, fault: &'static str) -> io::Error {
        io::Error::other(Error::Armor { line: self.number, fault })
    }
}

impl<R: BufRead> BufRead for ArmorReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.consumed == self.decoded.len() {
            self.decode_block()?;
        }
        Ok(&self.decoded[self.consumed..])
    }

    fn consume(&mut self, count: usize) {
        self.consumed += count;
    }
}

impl<R: BufRead> Read for ArmorReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armored(bytes: &[u8], piece: usize) -> String {
        let mut writer = ArmorWriter::new(Vec::new());
        for piece in bytes.chunks(piece) {
            writer.write_all(piece).expect("writing to memory does not fail");
        }
        String::from_utf8(writer.finish().expect("writing to memory does not fail")).expect("armor is ASCII")
    }

    #[test]
    fn what_is_written_is_read_back() {
        for length in [0, 1, 47, 48, 49, 95, 96, 97, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let text = armored(&bytes, 1000);
            assert_eq!(text, armored(&bytes, 7), "the sizes of reads and writes make no difference");
            let mut read = Vec::new();
            ArmorReader::new(text.as_bytes()).read_to_end(&mut read).expect("it is well formed");
            assert!(read == bytes);
            let crlf = format!(" \n{}\t", text.replace('\n', "\r\n"));
            read.clear();
            ArmorReader::new(crlf.as_bytes())
                .read_to_end(&mut read)
                .expect("CR LF, and white space around the armor, are allowed");
            assert!(read == bytes);
            // The inner reader never has a whole line in its buffer.
            read.clear();
            let pieces = io::BufReader::with_capacity(7, text.as_bytes());
            ArmorReader::new(pieces).read_to_end(&mut read).expect("the sizes of reads and writes make no difference");
            assert!(read == bytes);
        }
    }

    #[test]
    fn only_the_beginning_of_a_marker_looks_armored() {
        for text in ["-----BEGIN AGE", "-----", "--", " \r\n\t-----B", " \n"] {
            assert!(looks_armored(text.as_bytes()), "{text:?}");
        }
        for text in ["", "age-encryption.org/v1", "--x", "x-----"] {
            assert!(!looks_armored(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn flushing_reaches_the_inner_writer() {
        let mut writer = ArmorWriter::new(io::BufWriter::new(Vec::new()));
        writer.write_all(&[7; LINE]).expect("writing to memory does not fail");
        assert!(writer.inner.get_ref().is_empty());
        writer.flush().expect("writing to memory does not fail");
        assert_eq!(writer.inner.get_ref().len(), BEGIN.len() + 1 + COLUMNS + 1);
    }

    #[test]
    fn buffered_full_lines_are_decoded_together_up_to_a_block() {
        for end in ["\n", "\r\n"] {
            let text = format!("{}{end}", "A".repeat(COLUMNS)).repeat(4000);
            let mut reader = ArmorReader::new(text.as_bytes());
            assert_eq!(reader.decode_full_lines().expect("reading from memory does not fail"), BLOCK / LINE);
            assert_eq!((reader.decoded.len(), reader.number), (BLOCK, (BLOCK / LINE) as u64));
            // One line was decoded already, because the inner reader did not have it whole.
            reader.decoded.truncate(LINE);
            assert_eq!(reader.decode_full_lines().expect("reading from memory does not fail"), BLOCK / LINE - 1);
            assert_eq!(reader.decoded.len(), BLOCK);
            reader.state = State::Lines;
            reader.decode_block().expect("its lines are whole");
            assert_eq!(reader.decoded.len(), BLOCK);
        }
    }

    /// Returns the line and fault of armored text, or `None` if it is well formed. The sizes of reads make no difference.
    fn fault(text: &str) -> Option<(u64, &'static str)> {
        let read = |inner: &mut dyn BufRead| match ArmorReader::new(inner).read_to_end(&mut Vec::new()) {
            Ok(_) => None,
            Err(error) => match Error::from_read(error) {
                Error::Armor { line, fault } => Some((line, fault)),
                other => panic!("{text:?}: {other}"),
            },
        };
        let whole = read(&mut text.as_bytes());
        assert_eq!(read(&mut io::BufReader::with_capacity(3, text.as_bytes())), whole, "{text:?}");
        whole
    }

    #[test]
    fn every_fault_is_reported_with_its_line() {
        let full = "A".repeat(COLUMNS);
        let no_begin = "it is not '-----BEGIN AGE ENCRYPTED FILE-----'";
        let no_end = "the text ends before '-----END AGE ENCRYPTED FILE-----'";
        let follows = "it follows a line of fewer than 64 characters, which must be the last";
        let length = "it does not have 1 to 64 characters";
        for (text, line, said) in [
            ("x".to_owned(), 1, no_begin),
            ("\n \n\n\nx".to_owned(), 5, no_begin),
            (format!("{BEGIN}\n{full}\n"), 3, no_end),
            (format!("{BEGIN}\n{full}\n\n{END}\n"), 3, length),
            (format!("{BEGIN}\n{full}A\n{END}\n"), 2, length),
            (format!("{BEGIN}\n{full}{full}\n{END}\n"), 2, length),
            (format!("{BEGIN}\nAAAA\n{full}\n{full}\n{END}\n"), 3, follows),
            (format!("{BEGIN}\nAAAA\nAAAA\n{END}\n"), 3, follows),
            (format!("{BEGIN}\nAAAAAB\n{END}\n"), 2, "it is not canonical base64"),
            (format!("{BEGIN}\nAAAA\n{END}\nx"), 4, "text follows the armor's end"),
            (format!("{BEGIN}\nAAAA\n{END}\n\n \nx"), 6, "text follows the armor's end"),
        ] {
            assert_eq!(fault(&text), Some((line, said)), "{text:?}");
        }
    }

    #[test]
    fn up_to_a_kibibyte_of_white_space_is_skipped() {
        let armor = format!("{BEGIN}\nAAAA\n{END}\n");
        let space = |count| " ".repeat(count);
        let too_much = "more than 1024 bytes of white space around the armor";
        assert_eq!(fault(&format!("{}{armor}{}", space(SPACE_LIMIT), space(SPACE_LIMIT))), None);
        for count in [SPACE_LIMIT + 1, SPACE_LIMIT + 2, 2 * SPACE_LIMIT] {
            assert_eq!(fault(&format!("{}{armor}", space(count))), Some((1, too_much)));
            assert_eq!(fault(&format!("{armor}{}", space(count))), Some((4, too_much)));
        }
    }

    #[test]
    fn errors_name_their_line() {
        let text = armored(&[7; 200], 200);
        let cut = text.lines().take(3).collect::<Vec<_>>().join("\n");
        let mut sink = Vec::new();
        let error = ArmorReader::new(cut.as_bytes()).read_to_end(&mut sink).expect_err("it has no end");
        assert!(matches!(Error::from_read(error), Error::Armor { line: 4, .. }));
    }
}
