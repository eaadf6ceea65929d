//! Checks on a passphrase's stanza before any work is done for it.
//!
//! Spec: <https://c2sp.org/age#the-scrypt-recipient-type>.

use age_core::format::Stanza;

use crate::crypto::{error::Error, format::base64, parallel::memory::has_room, primitives::TAG};

const SALT: usize = 16;
const FILE_KEY: usize = 16;
/// Bytes of memory per unit of work: 128 times the block size of 8.
const UNIT: u64 = 1024;
/// The largest work factor that has a meaning: the number of units has 64 bits.
const LARGEST: u8 = 63;

/// Checks that a stanza is well formed, and that its work is allowed and its memory available.
///
/// # Errors
///
/// [`Error::Stanza`], [`Error::WorkFactor`], [`Error::Memory`].
pub(crate) fn check(stanza: &Stanza, work_factor_limit: u8) -> Result<(), Error> {
    let [salt, work_factor] = stanza.args.as_slice() else { return Err(Error::Stanza) };
    let is_salt = base64::decode(salt).is_some_and(|salt| salt.len() == SALT);
    let work_factor = decimal(work_factor).filter(|factor| *factor <= LARGEST).ok_or(Error::Stanza)?;
    if !is_salt || stanza.body.len() != FILE_KEY + TAG {
        return Err(Error::Stanza);
    }
    if work_factor > work_factor_limit {
        return Err(Error::WorkFactor { required: work_factor, limit: work_factor_limit });
    }
    check_memory(work_factor)
}

/// Checks that the memory for scrypt can be had, because the library that asks for it would end the program if not.
///
/// # Errors
///
/// [`Error::Memory`].
pub(crate) fn check_memory(work_factor: u8) -> Result<(), Error> {
    let bytes = UNIT.checked_shl(work_factor.into()).filter(|bytes| bytes >> work_factor == UNIT);
    let is_granted = |bytes: u64| usize::try_from(bytes).is_ok_and(has_room);
    let mebibytes = bytes.unwrap_or(u64::MAX) >> 20;
    // Nothing touches the memory, so reserving it costs nothing. The library takes a little more.
    bytes.filter(|bytes| is_granted(bytes + bytes / 64)).map(drop).ok_or(Error::Memory { work_factor, mebibytes })
}

/// A positive number in decimal digits, without leading zeros.
fn decimal(text: &str) -> Option<u8> {
    let is_canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(arguments: &[&str], body: usize) -> Stanza {
        let args = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Stanza { tag: "scrypt".to_owned(), args, body: vec![0; body] }
    }

    #[test]
    fn only_what_the_format_allows_is_worked_on() {
        const SALT: &str = "AAAAAAAAAAAAAAAAAAAAAA";
        let checked = |arguments: &[&str]| check(&stanza(arguments, 32), 20);
        assert!(checked(&[SALT, "10"]).is_ok());
        for arguments in [
            &[SALT][..],
            &[SALT, "1e1"],
            &[SALT, "+1"],
            &[SALT, "0"],
            &[SALT, "010"],
            &[SALT, ""],
            &[SALT, "64"],
            &[SALT, "256"],
            &[SALT, "10", "10"],
            &["AAAA", "10"],
            &["AAAAAAAAAAAAAAAAAAAAAB", "10"],
        ] {
            assert!(matches!(checked(arguments), Err(Error::Stanza)), "{arguments:?}");
        }
        assert!(matches!(check(&stanza(&[SALT, "10"], 31), 20), Err(Error::Stanza)));
        assert!(matches!(checked(&[SALT, "21"]), Err(Error::WorkFactor { required: 21, limit: 20 })));
    }

    #[test]
    fn memory_that_no_machine_has_is_an_error() {
        assert!(check_memory(18).is_ok());
        for work_factor in [40, 53, 54, 63] {
            assert!(matches!(check_memory(work_factor), Err(Error::Memory { .. })), "{work_factor}");
        }
    }
}
