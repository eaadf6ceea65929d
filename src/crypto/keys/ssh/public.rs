//! SSH public keys: lines of `.pub` and `authorized_keys` files.

use age::ssh::Recipient;
use rsa::{BigUint, RsaPublicKey};

use crate::crypto::{format::base64, keys::ssh::wire::Reader};

/// Bits in the longest RSA key: the longest that ssh-keygen makes.
const RSA_LIMIT: usize = 16384;
/// Bytes in the modulus of the shortest RSA key: 2048 bits, or a few less if it begins with zeros.
const RSA_LEAST: usize = 256;

/// Why a text is not an SSH public key that can be encrypted to. Never carries the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshPublicKeyError {
    /// A well-formed key of a type that cannot encrypt.
    #[error("SSH keys of type {0} cannot be encrypted to; ssh-ed25519 and ssh-rsa can")]
    Unsupported(String),
    /// An RSA key shorter than 2048 bits.
    #[error("this RSA key is shorter than 2048 bits, which is too weak")]
    RsaTooSmall,
    /// An RSA key longer than 16384 bits.
    #[error("this RSA key is longer than 16384 bits, which is not supported")]
    RsaTooLarge,
    /// A point of low order: anybody could open what is encrypted to it.
    #[error("not a safe key: anybody could open what is encrypted to it")]
    LowOrder,
    /// Not a key, for this reason.
    #[error("not a valid SSH public key: {0}")]
    Malformed(&'static str),
}

use SshPublicKeyError::Malformed;

/// Parses a line of an SSH public key file: options, type, base64 and comment, with spaces or tabs between them. `None` if the line
/// does not name the type of an SSH key where one stands.
pub(crate) fn parse_line(line: &str) -> Option<Result<Recipient, SshPublicKeyError>> {
    let key = if is_type(first_word(line).0) { line } else { after_options(line) };
    let (kind, rest) = first_word(key);
    is_type(kind).then(|| {
        let (base64, _) = first_word(rest);
        if base64.is_empty() {
            return Err(Malformed("nothing follows its type"));
        }
        let key = base64::decode_padded(base64).ok_or(Malformed("its base64 is mistyped or cut off"))?;
        if Reader(&key).string() != Some(kind.as_bytes()) {
            return Err(Malformed("its base64 holds a key of another type, or none"));
        }
        parse(&key)
    })
}

/// Parses the binary form of a key, which is what the base64 of a line holds.
///
/// Spec: <https://datatracker.ietf.org/doc/html/rfc4253#section-6.6>, RFC 8709.
pub(super) fn parse(key: &[u8]) -> Result<Recipient, SshPublicKeyError> {
    let mut reader = Reader(key);
    match reader.string().ok_or(Malformed("it is cut off"))? {
        b"ssh-ed25519" => {
            let point = reader.string().filter(|point| point.len() == 32);
            point.filter(|_| reader.is_at_end()).ok_or(Malformed("it has a wrong length"))?;
            // The library makes the point of the curve, so it must parse the key itself.
            let line = format!("ssh-ed25519 {}", base64::encode_padded(key));
            match line.parse().map_err(|_| Malformed("its number is not a point of the curve"))? {
                // The shared secret would be zero, whatever the sender's key.
                Recipient::SshEd25519(_, point) if point.is_small_order() => Err(SshPublicKeyError::LowOrder),
                recipient => Ok(recipient),
            }
        }
        b"ssh-rsa" => {
            let (exponent, modulus) = (reader.integer(), reader.integer());
            let numbers = exponent.zip(modulus).filter(|_| reader.is_at_end());
            let (exponent, modulus) = numbers.ok_or(Malformed("its numbers are malformed or cut off"))?;
            if modulus.len() < RSA_LEAST {
                return Err(SshPublicKeyError::RsaTooSmall);
            }
            if modulus.len() * 8 > RSA_LIMIT {
                return Err(SshPublicKeyError::RsaTooLarge);
            }
            // Not parsed by the library, which stops at 4096 bits although it encrypts to any key.
            let (exponent, modulus) = (BigUint::from_bytes_be(exponent), BigUint::from_bytes_be(modulus));
            let public = RsaPublicKey::new_with_max_size(modulus, exponent, RSA_LIMIT);
            let public = public.map_err(|_| Malformed("its numbers are not those of an RSA key"))?;
            Ok(Recipient::SshRsa(key.to_vec(), public))
        }
        other => Err(SshPublicKeyError::Unsupported(other.escape_ascii().to_string())),
    }
}

/// Whether a word is the type of an SSH key, as OpenSSH names them.
fn is_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-", "rsa-sha2-"].iter().any(|prefix| word.starts_with(prefix))
}

/// The first word of a line, and what follows it.
fn first_word(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()))
}

/// What follows the options of an `authorized_keys` line. They end at the first space that is not in double quotes.
///
/// Spec: sshd(8), AUTHORIZED_KEYS FILE FORMAT.
fn after_options(line: &str) -> &str {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let end = line.find(|character: char| {
        match character {
            '"' if !is_escaped => is_quoted = !is_quoted,
            _ if character.is_whitespace() && !is_quoted => return true,
            _ => {}
        }
        is_escaped = character == '\\' && !is_escaped;
        false
    });
    &line[end.unwrap_or(line.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::keys::ssh::wire::{write_integer, write_string};

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";

    fn rsa(exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
        let mut key = Vec::new();
        write_string(&mut key, b"ssh-rsa");
        write_integer(&mut key, exponent);
        write_integer(&mut key, modulus);
        key
    }

    #[test]
    fn a_line_is_read_as_sshd_reads_it() {
        let (kind, base64) = ED25519.split_once(' ').expect("it has a space");
        for line in [
            ED25519.to_owned(),
            format!("{kind}\t  {base64}"),
            format!("{ED25519} alice@example"),
            format!("{ED25519}\talice and bob # and others \r"),
            format!("no-pty,no-X11-forwarding {ED25519}"),
            format!("command=\"ssh-rsa \\\" run\",no-pty \t{kind} {base64} alice"),
            format!("from=\"10.0.0.0/8, ::1\" {ED25519}"),
        ] {
            let parsed = parse_line(&line).expect("it has a type").expect("it is well formed");
            assert_eq!(parsed.to_string(), ED25519, "{line:?}");
        }
        for line in ["", "alice", "age1xyz ssh", "no-pty no-pty ssh-rsa AAAA", "command=\"ssh-ed25519 AAAA"] {
            assert!(parse_line(line).is_none(), "{line:?}");
        }
    }

    #[test]
    fn a_malformed_line_says_what_is_wrong() {
        let cut = &ED25519[..ED25519.len() - 4];
        for (line, fault) in [
            ("ssh-ed25519", "nothing follows its type"),
            ("ssh-ed25519 AAAA", "its base64 holds a key of another type, or none"),
            ("ssh-ed25519 AAA!", "its base64 is mistyped or cut off"),
            (&ED25519.replace("ssh-ed25519", "ssh-rsa"), "its base64 holds a key of another type, or none"),
            (cut, "it has a wrong length"),
        ] {
            assert_eq!(parse_line(line).expect("it has a type").err(), Some(Malformed(fault)), "{line}");
        }
    }

    #[test]
    fn rsa_keys_of_all_lengths_are_read_or_refused_with_a_reason() {
        use SshPublicKeyError::{RsaTooLarge, RsaTooSmall};
        let odd = |bytes: usize| vec![0xff; bytes];
        for (bytes, refused) in
            [(255, Some(RsaTooSmall)), (256, None), (513, None), (2048, None), (2049, Some(RsaTooLarge))]
        {
            assert_eq!(parse(&rsa(&[1, 0, 1], &odd(bytes))).err(), refused, "{bytes} bytes");
        }
        let even = [&odd(256)[..255], &[0xfe]].concat();
        let impossible = Malformed("its numbers are not those of an RSA key");
        for (exponent, modulus) in [(&[1, 0, 1][..], even), (&[1], odd(256)), (&[2], odd(256)), (&[1; 9], odd(256))] {
            assert_eq!(parse(&rsa(exponent, &modulus)).err().as_ref(), Some(&impossible), "{exponent:?}");
        }
        let mut zero = Vec::new();
        for string in [&b"ssh-rsa"[..], &[1, 0, 1], &[0]] {
            write_string(&mut zero, string);
        }
        assert_eq!(parse(&zero).err(), Some(Malformed("its numbers are malformed or cut off")));
        assert!(parse(&[rsa(&[3], &odd(256)), vec![0]].concat()).is_err(), "data after the key");
    }
}
