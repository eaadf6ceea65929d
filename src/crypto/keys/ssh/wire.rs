//! The encoding inside SSH keys: strings and integers, each after its length.
//!
//! Spec: <https://datatracker.ietf.org/doc/html/rfc4251#section-5>.

/// Reads fields in order. Each method returns `None` if the next field is malformed or cut off.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (string, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }

    /// Reads a positive integer in its shortest form. Returns its bytes, most significant first, without leading zeros.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        match *self.string()? {
            [0, ref digits @ ..] if digits.first().is_some_and(|first| *first >= 0x80) => Some(digits),
            ref digits if digits.first().is_some_and(|first| (1..0x80).contains(first)) => Some(digits),
            _ => None,
        }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends a number of four bytes.
pub(super) fn write_number(to: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("no key is longer than 16 KiB");
    to.extend_from_slice(&number.to_be_bytes());
}

/// Appends a string.
pub(super) fn write_string(to: &mut Vec<u8>, string: &[u8]) {
    write_number(to, string.len());
    to.extend_from_slice(string);
}

/// Appends a positive integer. `digits` are its bytes, most significant first, without leading zeros.
pub(super) fn write_integer(to: &mut Vec<u8>, digits: &[u8]) {
    let sign = usize::from(digits.first().is_some_and(|first| *first >= 0x80));
    write_number(to, sign + digits.len());
    to.extend_from_slice(&[0][..sign]);
    to.extend_from_slice(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut text = Vec::new();
        write_string(&mut text, b"ssh-rsa");
        for digits in [&[1][..], &[0x7f, 0], &[0x80], &[0xff; 300]] {
            write_integer(&mut text, digits);
        }
        let mut reader = Reader(&text);
        assert_eq!(reader.string(), Some(&b"ssh-rsa"[..]));
        for digits in [&[1][..], &[0x7f, 0], &[0x80], &[0xff; 300]] {
            assert_eq!(reader.integer(), Some(digits));
        }
        assert!(reader.is_at_end());
        assert_eq!(reader.string(), None);
    }

    #[test]
    fn only_the_shortest_form_of_a_positive_integer_is_read() {
        for text in [&[][..], &[0], &[0, 0], &[0, 1], &[0, 0, 0x80], &[0x80], &[0xff, 1]] {
            let mut written = Vec::new();
            write_string(&mut written, text);
            assert_eq!(Reader(&written).integer(), None, "{text:?}");
        }
    }
}
