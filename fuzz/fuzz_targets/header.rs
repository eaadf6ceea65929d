//! A header that is read is one that could have been written: its bytes are the input's, and not one beyond them is taken. Read as a
//! damaged one, it is the same.

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
    // Every byte counts: the same header cut short is none.
    assert!(Decryptor::read(&mut &header[..header.len() - 1]).is_err());
    let damaged = damaged.expect("what is whole is read as it is");
    assert_eq!(damaged.header().as_bytes(), header);
    assert_eq!(damaged.header().stanzas(), decryptor.header().stanzas());
});
