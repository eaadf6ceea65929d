//! Identity files: every key comes from a line of the file, or is its SSH key, and no error reveals a secret.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solekey::{
    cli::fuzzing::identity_file,
    crypto::{Identity, secrecy::ExposeSecret},
};

fuzz_target!(|input: &[u8]| {
    match identity_file(input) {
        Ok(keys) => {
            let mut lines = key_lines(input);
            for key in keys {
                let Some(text) = key.to_text() else { continue };
                let is_its_line = |line: &String| line.eq_ignore_ascii_case(text.expose_secret());
                assert!(lines.any(|line| is_its_line(&line)), "a key is not on any line, or is out of order");
            }
        }
        Err(error) => {
            let said = format!("{error:#}");
            for line in key_lines(input).filter(|line| line.parse::<Identity>().is_ok()) {
                assert!(!said.contains(&line), "a secret key is revealed");
            }
        }
    }
});

/// The lines that are neither empty nor comments.
fn key_lines(input: &[u8]) -> impl Iterator<Item = String> {
    let line = |line: &[u8]| String::from_utf8_lossy(line).trim().to_owned();
    input.split(|byte| *byte == b'\n').map(line).filter(|line| !line.is_empty() && !line.starts_with('#'))
}
