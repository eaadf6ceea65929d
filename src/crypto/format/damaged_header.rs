//! Reads a damaged header: the stanzas that are still whole, and where the payload starts.

use std::io::{BufRead, Read};

use age_core::format::Stanza;

use crate::crypto::{
    error::Error,
    format::{
        header::{
            Header, MAC_LINE, MAC_PREFIX, STANZA_LIMIT, STANZA_PREFIX, TOO_MANY_STANZAS, read_mac, read_stanza,
            read_version,
        },
        lines::{HEADER_LIMIT, LineReader},
    },
};

impl Header {
    /// Reads what is left of a header that may be damaged, and not a byte beyond it.
    ///
    /// A malformed version line, malformed stanzas and a malformed MAC are skipped. For a well-formed header the result
    /// is that of [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), if no MAC line is found or no stanza is whole.
    pub(crate) fn read_damaged(input: &mut dyn BufRead) -> Result<Self, Error> {
        let mut lines = LineReader::new(input);
        let version = match read_version(&mut lines) {
            Err(error @ (Error::Foreign(_) | Error::Armor { .. })) => return Err(error),
            version => version,
        };
        let (mac_line_start, mac) = loop {
            let start = lines.text.len();
            if lines.read_bytes(MAC_PREFIX.len() as u64)? == MAC_PREFIX.as_bytes() {
                break (start, read_damaged_mac(&mut lines)?);
            }
            if !lines.is_terminated {
                lines.read_bytes(HEADER_LIMIT)?;
            }
            if let Err(error) = lines.check_terminated() {
                // If this is not an age file at all, the error of its first line says so.
                return Err(version.err().unwrap_or(error));
            }
            if let Some(mac_line) = find_damaged_mac_line(&lines.text) {
                break mac_line;
            }
        };
        // The line feed before the MAC line is dropped, because it may be damaged too.
        let before = &lines.text[..mac_line_start.saturating_sub(1)];
        let stanzas = read_whole_stanzas(&String::from_utf8_lossy(before));
        if stanzas.len() > STANZA_LIMIT {
            return Err(lines.fault(TOO_MANY_STANZAS));
        }
        if stanzas.is_empty() {
            return Err(version.err().unwrap_or_else(|| lines.fault("no recipient stanza before it is intact")));
        }
        Ok(Self { stanzas, mac, text: lines.text, authenticated_length: mac_line_start + MAC_PREFIX.len() })
    }
}

/// Reads the rest of a MAC line after its `---`. Returns zeros if the MAC is malformed.
///
/// The rest always has its regular length, even if its line feed is damaged, because the payload follows it.
fn read_damaged_mac(lines: &mut LineReader<'_>) -> Result<[u8; 32], Error> {
    let start = lines.text.len();
    let length = MAC_LINE - MAC_PREFIX.len();
    Read::take(&mut *lines.input, length as u64).read_to_end(&mut lines.text).map_err(Error::from_read)?;
    lines.is_terminated = lines.text.ends_with(b"\n");
    let mac = str::from_utf8(&lines.text[start..]).ok().and_then(|mac| read_mac(mac.strip_suffix('\n')?));
    Ok(mac.unwrap_or_default())
}

/// Finds a MAC line at the end of `text`, and returns where it starts and its MAC.
///
/// One byte of its `---` and the line feed before it may be damaged.
fn find_damaged_mac_line(text: &[u8]) -> Option<(usize, [u8; 32])> {
    let start = text.len().checked_sub(MAC_LINE)?;
    let (dashes, mac) = text[start..].split_at(MAC_PREFIX.len());
    let damaged = dashes.iter().zip(MAC_PREFIX.bytes()).filter(|(found, expected)| *found != expected).count();
    let mac = read_mac(str::from_utf8(mac).ok()?.strip_suffix('\n')?)?;
    (damaged <= 1).then_some((start, mac))
}

/// Reads the whole stanzas of a damaged header. A stanza ends where the next one starts, whatever is left of it.
fn read_whole_stanzas(text: &str) -> Vec<Stanza> {
    let read = |stanza: &str| {
        let (arguments, body) = stanza.split_once('\n')?;
        read_stanza(arguments, &mut LineReader::new(&mut format!("{body}\n").as_bytes())).ok()
    };
    // If the line feed before a stanza is damaged, the stanza starts in the middle of a line.
    let read_inside = |damaged: &str| damaged.split(STANZA_PREFIX).skip(1).filter_map(read).collect::<Vec<_>>();
    let start = format!("\n{STANZA_PREFIX}");
    let mut parts = text.split(&start);
    let mut stanzas = parts.next().map(read_inside).unwrap_or_default();
    for part in parts {
        match read(part) {
            Some(stanza) => stanzas.push(stanza),
            None => stanzas.extend(read_inside(part)),
        }
    }
    stanzas
}

#[cfg(test)]
mod tests {
    use age_core::format::FileKey;

    use super::*;

    fn file_key() -> FileKey {
        FileKey::new(Box::new([7; 16]))
    }

    #[test]
    fn whole_stanzas_of_a_damaged_header_are_read_and_the_payload_after_it_is_found() {
        let stanza = |tag: &str| Stanza { tag: tag.into(), args: vec!["a".into()], body: vec![0xfe; 3] };
        let written = Header::new(vec![stanza("x"), stanza("y"), stanza("z")], &file_key()).expect("it is short");
        let text = str::from_utf8(written.as_bytes()).expect("it is ASCII");
        let read = |text: &str| {
            let mut rest = &[text, "rest"].concat().into_bytes()[..];
            let read = Header::read_damaged(&mut rest).expect("a stanza is whole");
            assert!(rest == b"rest" && read.as_bytes() == text.as_bytes(), "{text}");
            let tags: String = read.stanzas().iter().map(|stanza| stanza.tag.as_str()).collect();
            (tags, read.authenticate(&file_key()).is_ok())
        };
        assert_eq!(read(text), ("xyz".to_owned(), true));
        let last = text.len() - 1;
        let mac = &text[last - 43..last];
        for (whole, damaged, tags) in [
            ("age-", "bge-", "xyz"),
            ("v1\n", "v1\u{b}", "xyz"),
            ("-> y a", "-> y\0a", "xz"),
            ("-> y a", "-< y a", "xz"),
            ("-> y a\n", "-> y a*", "xz"),
            ("/v7+\n-> z", "/v7+*-> z", "xz"),
            ("/v7+\n---", "/v7=\n---", "xy"),
            ("--- ", "---_", "xyz"),
            ("--- ", "*-- ", "xyz"),
            ("--- ", "--* ", "xyz"),
            ("--- ", "-\n- ", "xyz"),
            ("/v7+\n---", "/v7+*---", "xyz"),
            (mac, &"*".repeat(43), "xyz"),
            (mac, &"\n".repeat(43), "xyz"),
            (&format!("{mac}\n"), &format!("{mac}*"), "xyz"),
        ] {
            let damaged = text.replacen(whole, damaged, 1);
            assert!(damaged != text);
            assert_eq!(read(&damaged), (tags.to_owned(), false), "{damaged}");
        }
    }
}
