//! Identity files: what is read of one is the key on each of its lines, or one SSH key, and no error tells a secret.

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
                assert!(lines.any(|line| is_its_line(&line)), "a key is on no line, or on an earlier one");
            }
        }
        Err(error) => {
            let said = format!("{error:#}");
            for line in key_lines(input).filter(|line| line.parse::<Identity>().is_ok()) {
                assert!(!said.contains(&line), "a secret key is told");
            }
        }
    }
});

/// The lines that are neither empty nor comments.
fn key_lines(input: &[u8]) -> impl Iterator<Item = String> {
    let line = |line: &[u8]| String::from_utf8_lossy(line).trim().to_owned();
    input.split(|byte| *byte == b'\n').map(line).filter(|line| !line.is_empty() && !line.starts_with('#'))
}
