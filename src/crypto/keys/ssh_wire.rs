//! Checks SSH keys before the `age` crate parses them. Version 0.12 of it panics at an integer that is all zeros.
//!
//! Spec: RFC 4251, section 5 (`string`, `mpint`); RFC 4253, section 6.6 (public keys);
//! <https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key> (private keys).

use crate::crypto::{
    format::{base64, stanza_type::SSH_RSA},
    secrecy::Zeroizing,
};

const BEGIN_OPENSSH: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Whether the `age` crate can parse a line with an SSH public key: a type, a space and base64.
pub(crate) fn is_safe_public(line: &str) -> bool {
    let Some(text) = line.strip_prefix(SSH_RSA).and_then(|rest| rest.strip_prefix(' ')) else { return true };
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    let end = text.find(|c| !is_base64(c)).unwrap_or(text.len());
    base64::decode(&text[..end]).is_some_and(|key| is_safe_key(&key))
}

/// Whether the `age` crate can parse the text of an SSH private key. Other formats than OpenSSH's are not looked at.
///
/// The part that a passphrase protects cannot be checked.
pub(crate) fn is_safe_private(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let Some(rest) = text.strip_prefix(BEGIN_OPENSSH) else { return true };
    let body = rest.iter().take_while(|byte| **byte != b'-').filter(|byte| !byte.is_ascii_whitespace());
    // Room for all of it, since growing would leave copies in memory.
    let mut encoded = Zeroizing::new(Vec::with_capacity(rest.len()));
    encoded.extend(body);
    let Some(key) = base64::decode_padded(encoded.as_slice()).map(Zeroizing::new) else { return false };
    is_safe_openssh(&key).unwrap_or(false)
}

/// Checks the decoded file. `None` if it is malformed.
fn is_safe_openssh(file: &[u8]) -> Option<bool> {
    let mut rest = file.strip_prefix(MAGIC)?;
    let cipher = string(&mut rest)?;
    let _kdf = string(&mut rest)?;
    let _kdf_options = string(&mut rest)?;
    // Files with more than one key are not supported, by OpenSSH either.
    rest = rest.strip_prefix(&[0, 0, 0, 1])?;
    let public = string(&mut rest)?;
    let private = string(&mut rest)?;
    // Two check numbers precede the key.
    let is_safe = is_safe_key(public) && (cipher != b"none" || is_safe_key(private.get(8..)?));
    Some(is_safe)
}

/// Whether no integer of a key is all zeros. Zero itself has no bytes at all.
fn is_safe_key(mut key: &[u8]) -> bool {
    if string(&mut key) != Some(SSH_RSA.as_bytes()) {
        return true;
    }
    while let Some(integer) = string(&mut key) {
        if !integer.is_empty() && integer.iter().all(|byte| *byte == 0) {
            return false;
        }
    }
    true
}

/// Takes a `string`: its length in four bytes, and its bytes.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (string, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Identity, ParseIdentityError, ParseRecipientError, Recipient};

    fn strings(parts: &[&[u8]]) -> Vec<u8> {
        let length = |part: &[u8]| u32::try_from(part.len()).expect("it is short").to_be_bytes();
        parts.iter().flat_map(|part| [&length(part)[..], part].concat()).collect()
    }

    #[test]
    fn zeros_in_a_public_key_are_refused_before_the_library_sees_them() {
        for numbers in [[&[0][..], &[1]], [&[1], &[0]], [&[3], &[0, 0, 0]], [&[0, 0], &[0]]] {
            let key = strings(&[b"ssh-rsa", numbers[0], numbers[1]]);
            let line = format!("ssh-rsa {} comment", base64::encode(&key));
            assert_eq!(line.parse::<Recipient>().err(), Some(ParseRecipientError::Unknown), "{line}");
        }
        let line = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA=";
        assert_eq!(line.parse::<Recipient>().err(), Some(ParseRecipientError::Unknown));
    }

    #[test]
    fn zeros_in_a_private_key_are_refused_before_the_library_sees_them() {
        let zero = strings(&[b"ssh-rsa", &[1], &[0]]);
        let sound = strings(&[b"ssh-rsa", &[1], &[3]]);
        let private = |key: &[u8]| [&[0; 8][..], key].concat();
        for (cipher, public, private) in
            [(&b"none"[..], &zero, private(&sound)), (b"none", &sound, private(&zero)), (b"aes256-ctr", &zero, vec![])]
        {
            let head = strings(&[cipher, b"none", b""]);
            let file = [MAGIC, &head, &[0, 0, 0, 1], &strings(&[public, &private])].concat();
            let mut body = base64::encode(&file);
            body.push_str(["", "", "==", "="][body.len() % 4]);
            let text = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n");
            assert!(base64::decode_padded(&body).is_some());
            assert_eq!(Identity::from_ssh(text.as_bytes()).err(), Some(ParseIdentityError::MalformedSsh));
        }
    }
}
