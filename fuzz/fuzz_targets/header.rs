//! A header that is read is one that could have been written: its bytes are the input's, and not one beyond them is taken.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solekey::crypto::Decryptor;

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let Ok(decryptor) = Decryptor::read(&mut rest) else { return };
    let header = decryptor.header().as_bytes();
    assert_eq!([header, rest].concat(), input);
    assert!(header.ends_with(b"\n") && header.starts_with(b"age-encryption.org/v1\n-> "));
    // Every byte counts: the same header cut short is none.
    assert!(Decryptor::read(&mut &header[..header.len() - 1]).is_err());
});
