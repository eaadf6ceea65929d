//! Reading a header preserves its bytes and consumes none after it. Reading it as a damaged header gives the same result.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solekey::crypto::Decryptor;

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    let damaged = Decryptor::read_damaged(&mut rest).map(|decryptor| {
        assert_eq!([decryptor.header().as_bytes(), rest].concat(), input);
        decryptor
    });
    let mut rest = input;
    let Ok(decryptor) = Decryptor::read(&mut rest) else { return };
    let header = decryptor.header().as_bytes();
    assert_eq!([header, rest].concat(), input);
    assert!(header.ends_with(b"\n") && header.starts_with(b"age-encryption.org/v1\n-> "));
    // Every byte counts: a shortened header is invalid.
    assert!(Decryptor::read(&mut &header[..header.len() - 1]).is_err());
    let damaged = damaged.expect("an intact header can also be read as a damaged one");
    assert_eq!(damaged.header().as_bytes(), header);
    assert_eq!(damaged.header().stanzas(), decryptor.header().stanzas());
});
