//! What is left of a damaged header: the stanzas that are whole, and where the payload begins.

use std::io::{BufRead, Read};

use age_core::format::Stanza;

use crate::crypto::{
    error::Error,
    format::header::{
        FOOTER_PREFIX, HEADER_LIMIT, Header, Lines, STANZA_PREFIX, mac_line_length, read_mac, read_stanza, read_version,
    },
};

impl Header {
    /// Reads what is left of a damaged header: a first line, stanzas and a MAC that are not well formed are passed over. Of
    /// one that is whole, it reads what [`read`](Self::read) does.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), where no last line or no stanza is left.
    pub(crate) fn read_damaged(input: &mut dyn BufRead) -> Result<Self, Error> {
        let mut lines = Lines::of(input);
        let version = read_version(&mut lines);
        let (footer, mac) = loop {
            let start = lines.text.len();
            if lines.read(FOOTER_PREFIX.len() as u64)? == FOOTER_PREFIX.as_bytes() {
                break (start, lines.read_damaged_mac()?);
            }
            if !lines.whole {
                lines.read(HEADER_LIMIT)?;
            }
            if let Err(fault) = lines.complete() {
                // Of something that is no age file at all, its first line tells most.
                return Err(version.err().unwrap_or(fault));
            }
            if let Some(last_line) = damaged_last_line(&lines.text) {
                break last_line;
            }
        };
        // Without the line feed before the last line, whatever has become of that.
        let before = &lines.text[..footer.saturating_sub(1)];
        let stanzas = read_whole_stanzas(&String::from_utf8_lossy(before));
        if stanzas.is_empty() {
            return Err(version.err().unwrap_or_else(|| lines.fault("no recipient stanza before it is whole")));
        }
        Ok(Self { stanzas, mac, text: lines.text, authenticated: footer + FOOTER_PREFIX.len() })
    }
}

impl Lines<'_> {
    /// Reads what follows the `---` of a last line that may be damaged: as long as it is, since the payload is behind it.
    fn read_damaged_mac(&mut self) -> Result<[u8; 32], Error> {
        let start = self.text.len();
        let length = mac_line_length() - FOOTER_PREFIX.len();
        Read::take(&mut *self.input, length as u64).read_to_end(&mut self.text).map_err(Error::from_read)?;
        self.whole = self.text.ends_with(b"\n");
        let mac = str::from_utf8(&self.text[start..]).ok().and_then(|mac| read_mac(mac.strip_suffix('\n')?));
        Ok(mac.unwrap_or_default())
    }
}

/// Where the last line of a header begins, and its MAC, if `text` ends in one that is whole but for a byte of its `---`, or for
/// the line feed before it.
fn damaged_last_line(text: &[u8]) -> Option<(usize, [u8; 32])> {
    let start = text.len().checked_sub(mac_line_length())?;
    let (dashes, mac) = text[start..].split_at(FOOTER_PREFIX.len());
    let damaged = dashes.iter().zip(FOOTER_PREFIX.bytes()).filter(|(is, was)| *is != was).count();
    let mac = read_mac(str::from_utf8(mac).ok()?.strip_suffix('\n')?)?;
    (damaged <= 1).then_some((start, mac))
}

/// The stanzas of a damaged header that are whole. Where one begins, the one before it ends, whatever is left of that.
fn read_whole_stanzas(text: &str) -> Vec<Stanza> {
    let read = |stanza: &str| {
        let (arguments, body) = stanza.split_once('\n')?;
        read_stanza(arguments, &mut Lines::of(&mut format!("{body}\n").as_bytes())).ok()
    };
    // Where the line feed before a stanza is damaged, it begins inside a line.
    let inside = |damaged: &str| damaged.split(STANZA_PREFIX).skip(1).filter_map(read).collect::<Vec<_>>();
    let start = format!("\n{STANZA_PREFIX}");
    let mut parts = text.split(&start);
    let mut stanzas = parts.next().map(inside).unwrap_or_default();
    for part in parts {
        match read(part) {
            Some(stanza) => stanzas.push(stanza),
            None => stanzas.extend(inside(part)),
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
    fn of_a_damaged_header_what_is_whole_is_read_and_the_payload_is_found_behind_it() {
        let stanza = |tag: &str| Stanza { tag: tag.into(), args: vec!["a".into()], body: vec![0xfe; 3] };
        let written = Header::write(vec![stanza("x"), stanza("y"), stanza("z")], &file_key()).expect("it is short");
        let text = str::from_utf8(written.as_bytes()).expect("it is ASCII");
        let read = |text: &str| {
            let mut rest = &[text, "rest"].concat().into_bytes()[..];
            let read = Header::read_damaged(&mut rest).expect("something is left");
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
