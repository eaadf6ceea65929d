//! Whole files, encrypted to the identity in `key.txt`: one thread reading sequentially, three reading at offsets, and the
//! age crate agree on the verdict and the bytes.

#![no_main]

use std::{
    io::{self, Read},
    num::NonZeroUsize,
    sync::LazyLock,
};

use libfuzzer_sys::fuzz_target;
use solekey::crypto::{Decryptor, Error, Identity, ReadAt, Sink, Source};

/// A key made for fuzzing. It protects nothing.
const KEY: &str = include_str!("../key.txt");

static OURS: LazyLock<Identity> = LazyLock::new(|| KEY.trim().parse().expect("it is a key"));
static THEIRS: LazyLock<age::x25519::Identity> = LazyLock::new(|| KEY.trim().parse().expect("it is a key"));

struct Bytes<'a>(&'a [u8]);

impl ReadAt for Bytes<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = &self.0[usize::try_from(offset).expect("it is in memory").min(self.0.len())..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

fn ours(input: &[u8], at_offsets: bool) -> (Result<u64, Error>, Vec<u8>) {
    let mut rest = input;
    let mut opened = Vec::new();
    let unlocked = Decryptor::read(&mut rest).and_then(|decryptor| decryptor.unlock(std::slice::from_ref(&OURS)));
    let outcome = unlocked.and_then(|unlocked| {
        let (file, length) = (Bytes(rest), rest.len() as u64);
        let mut reader = rest;
        let source = if at_offsets {
            Source::AtOffsets { file: &file, start: 0, length }
        } else {
            Source::Sequential(&mut reader)
        };
        let threads = NonZeroUsize::new(if at_offsets { 3 } else { 1 }).expect("the number is not zero");
        unlocked.decrypt(source, Sink::Sequential(&mut opened), threads)
    });
    (outcome, opened)
}

/// Returns `None` if the age crate does not open the file, whatever it released before it failed.
fn theirs(input: &[u8]) -> Option<Vec<u8>> {
    let decryptor = age::Decryptor::new_buffered(input).ok()?;
    let identity: &dyn age::Identity = &*THEIRS;
    let mut opened = Vec::new();
    decryptor.decrypt(std::iter::once(identity)).ok()?.read_to_end(&mut opened).ok()?;
    Some(opened)
}

fuzz_target!(|input: &[u8]| {
    let (outcome, opened) = ours(input, false);
    let (again, opened_again) = ours(input, true);
    let text = |outcome: &Result<u64, Error>| outcome.as_ref().map_err(ToString::to_string).copied();
    assert_eq!((text(&outcome), &opened), (text(&again), &opened_again));
    match (outcome, theirs(input)) {
        (Ok(length), Some(theirs)) => {
            assert_eq!(length, opened.len() as u64);
            assert!(opened == theirs);
        }
        (Err(_), None) => {}
        (Ok(_), None) => panic!("the age crate refuses a file that solekey opens"),
        // The age crate accepts some headers that the format forbids.
        (Err(Error::Header { .. }), Some(_)) => {}
        (Err(error), Some(_)) => panic!("the age crate opens a file that solekey refuses: {error}"),
    }
});
