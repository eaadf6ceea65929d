//! The value of `--range`.

use std::{ops::Range, str::FromStr};

/// A range of plaintext bytes: `OFFSET:LENGTH`, or `OFFSET:` for everything from there on.
#[derive(Clone)]
pub(crate) struct ByteRange(pub(crate) Range<u64>);

impl FromStr for ByteRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (offset, length) = text.split_once(':').ok_or("it is not OFFSET:LENGTH or OFFSET:")?;
        let offset = bytes(offset)?;
        let end = if length.is_empty() { u64::MAX } else { offset.saturating_add(bytes(length)?) };
        Ok(Self(offset..end))
    }
}

/// A number of bytes, with K, M, G or T for powers of 1024.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, power) = match text.char_indices().next_back() {
        Some((at, suffix)) if suffix.is_ascii_alphabetic() => {
            let power = ["K", "M", "G", "T"].iter().position(|known| known.eq_ignore_ascii_case(&text[at..]));
            (&text[..at], power.ok_or_else(|| format!("'{suffix}' is not one of K, M, G and T"))? + 1)
        }
        _ => (text, 0),
    };
    let number: u64 =
        digits.parse().map_err(|_| format!("'{text}' is not a number of bytes, such as 4096, 4K or 1G"))?;
    let factor = 1024_u64.pow(u32::try_from(power).expect("it is at most 4"));
    number.checked_mul(factor).ok_or_else(|| "the number of bytes is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_offsets_and_lengths_with_suffixes() {
        let range = |text: &str| text.parse().map(|ByteRange(range)| range).ok();
        assert_eq!(range("0:10"), Some(0..10));
        assert_eq!(range("1k:2M"), Some(1 << 10..(1 << 10) + (2 << 20)));
        assert_eq!(range("3G:"), Some(3 << 30..u64::MAX));
        assert_eq!(range("1:99999999999999999999"), None);
        assert_eq!(range("16T:18446744073709551615"), Some(16 << 40..u64::MAX));
    }
}
