//! Recipients files: if every line is a key, all are read in order; otherwise none is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solekey::{cli::fuzzing::recipients_file, crypto::Recipient};

fuzz_target!(|input: &[u8]| {
    let lines = input.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).trim().to_owned());
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let expected: Option<Vec<_>> = lines.map(|line| line.parse().ok().map(|key: Recipient| key.to_string())).collect();
    match recipients_file(input) {
        Ok(keys) => {
            let keys = keys.iter().map(ToString::to_string).collect();
            assert_eq!(Some(keys), expected);
        }
        // A valid list may still be refused if the file is not UTF-8, or if a line is too long for a key.
        Err(_) => assert!(
            expected.is_none_or(|keys| keys.is_empty())
                || std::str::from_utf8(input).is_err()
                || input.split(|byte| *byte == b'\n').any(|line| line.len() > 8 << 10)
        ),
    }
});
