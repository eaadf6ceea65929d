//! PEM: base64 between two lines, after headers in the old format of encrypted keys.

use crate::crypto::{
    format::base64,
    primitives::legacy_pem::{Cipher, decrypt},
    secrecy::Zeroizing,
};

/// A PEM block.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) encryption: Encryption,
    pub(super) contents: Zeroizing<Vec<u8>>,
}

/// How the contents are encrypted, if the headers say so. Formats that encrypt inside the contents have no headers.
pub(super) enum Encryption {
    None,
    Legacy { cipher: Cipher, iv: Vec<u8> },
    Unknown(String),
}

impl Block {
    /// Parses the first block of a text. Lines may end with CRLF or spaces. `None` if it is malformed.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let label = lines.find_map(|line| line.strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----"))?;
        let end = [b"-----END ", label, b"-----"].concat();
        let mut dek = None;
        // Room for everything, since growing would leave copies in memory.
        let mut body = Zeroizing::new(Vec::with_capacity(text.len()));
        loop {
            let line = lines.next()?;
            if line == end {
                break;
            }
            if let Some(info) = line.strip_prefix(b"DEK-Info:") {
                dek = Some(str::from_utf8(info).ok()?.trim());
            } else if !line.contains(&b':') {
                body.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
            }
        }
        Some(Self {
            label: str::from_utf8(label).ok()?.to_owned(),
            encryption: dek.map_or(Some(Encryption::None), Encryption::parse)?,
            contents: Zeroizing::new(base64::decode_padded(&*body)?),
        })
    }

    /// Decrypts the contents. `None` if they are not encrypted in the old format, or with another passphrase.
    pub(super) fn decrypt(&self, passphrase: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match &self.encryption {
            Encryption::Legacy { cipher, iv } => decrypt(*cipher, passphrase, iv, &self.contents),
            Encryption::None | Encryption::Unknown(_) => None,
        }
    }
}

impl Encryption {
    /// Parses the value of the header `DEK-Info`: a cipher, and its IV in hexadecimal. Spec: RFC 1421, section 4.6.1.3.
    fn parse(info: &str) -> Option<Self> {
        let (name, iv) = info.split_once(',')?;
        let Some(cipher) = Cipher::named(name) else { return Some(Self::Unknown(name.escape_default().to_string())) };
        let digits = iv.trim().as_bytes();
        let byte = |pair: &[u8]| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        };
        let iv = digits.chunks(2).map(byte).collect::<Option<Vec<_>>>()?;
        (iv.len() == cipher.block()).then_some(Self::Legacy { cipher, iv })
    }
}

fn digit(hexadecimal: u8) -> Option<u32> {
    char::from(hexadecimal).to_digit(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_spaces_do_not_matter() {
        for text in [
            "-----BEGIN X-----\nAAEC\nAwQF\n-----END X-----\n",
            "-----BEGIN X-----\r\nAAEC\r\nAwQF\r\n-----END X-----",
            "  \n-----BEGIN X-----  \nAAE C\t\n\nAwQF \n-----END X----- \nmore",
        ] {
            let block = Block::parse(text.as_bytes()).expect("it is well formed");
            assert_eq!((block.label.as_str(), block.contents.as_slice()), ("X", &[0, 1, 2, 3, 4, 5][..]), "{text:?}");
        }
        for text in
            ["", "AAEC", "-----BEGIN X-----\nAAEC", "-----BEGIN X-----\nAA!C\n-----END X-----", "-----BEGIN X\nAAEC"]
        {
            assert!(Block::parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn headers_name_the_cipher_and_its_iv() {
        let parse = |info: &str| {
            let head = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: ";
            Block::parse(format!("{head}{info}\r\n\r\nAAEC\n-----END RSA PRIVATE KEY-----").as_bytes())
        };
        let block = parse("DES-EDE3-CBC,0102030405060708").expect("it is well formed");
        assert!(matches!(block.encryption, Encryption::Legacy { cipher: Cipher::TripleDes, iv } if iv[7] == 8));
        let block = parse("ROT-13,01").expect("it is well formed");
        assert!(matches!(block.encryption, Encryption::Unknown(name) if name == "ROT-13"));
        for info in ["AES-128-CBC", "AES-128-CBC,", "AES-128-CBC,01", "AES-128-CBC,+1020304050607080910111213141516"] {
            assert!(parse(info).is_none(), "{info}");
        }
    }
}
