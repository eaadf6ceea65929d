//! Accepted armor is what the writer produces for its bytes, except for line endings and surrounding white space, and the
//! age crate reads the same bytes.

#![no_main]

use std::io::{Read, Write};

use libfuzzer_sys::fuzz_target;
use solekey::crypto::armor::{ArmorReader, ArmorWriter};

fuzz_target!(|input: &[u8]| {
    let mut bytes = Vec::new();
    if ArmorReader::new(input).read_to_end(&mut bytes).is_err() {
        return;
    }
    let mut writer = ArmorWriter::new(Vec::new());
    writer.write_all(&bytes).expect("writing to memory cannot fail");
    let written = writer.finish().expect("writing to memory cannot fail");
    let read: Vec<u8> = input.trim_ascii().iter().copied().filter(|byte| *byte != b'\r').collect();
    assert_eq!(read, written.trim_ascii());

    let mut theirs = Vec::new();
    age::armor::ArmoredReader::new(&written[..]).read_to_end(&mut theirs).expect("the age crate reads our armor");
    assert_eq!(bytes, theirs);
});
