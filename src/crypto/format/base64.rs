//! Base64 as the format writes it: canonical, and without padding. The owner of base64-simd, together with the armor.
//!
//! Spec: <https://c2sp.org/age#stanza-arguments-and-body>, RFC 4648, section 4.

use base64_simd::{AsOut, STANDARD, STANDARD_NO_PAD};

/// Encodes without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD_NO_PAD.encode_to_string(bytes)
}

/// Encodes without padding into `buffer`, which has room for it, and returns the text. For secrets: no copy is left elsewhere.
pub(crate) fn encode_into<'b>(bytes: &[u8], buffer: &'b mut [u8]) -> &'b [u8] {
    STANDARD_NO_PAD.encode(bytes, buffer.as_out())
}

/// Number of characters that encode `bytes` bytes without padding.
pub(crate) fn encoded_length(bytes: usize) -> usize {
    STANDARD_NO_PAD.encoded_length(bytes)
}

/// Decodes text without padding. `None` if it is not the canonical encoding of any bytes.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode_to_vec(text).ok()
}

/// Encodes with padding, as in PEM and SSH public keys.
pub(crate) fn encode_padded(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode_to_string(bytes)
}

/// Decodes text with padding, as SSH public keys have it. `None` if it is not the canonical encoding of any bytes.
pub(crate) fn decode_padded(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    STANDARD.decode_to_vec(text).ok()
}

/// Decodes a line without padding into `buffer`, which has room for it, and returns the bytes. `None` as for [`decode`].
pub(crate) fn decode_line<'b>(line: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    STANDARD_NO_PAD.decode(line, buffer.as_out()).ok().map(|decoded| &*decoded)
}
