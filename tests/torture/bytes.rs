//! Every byte counts: each byte changed, truncation to each length, and chunks rearranged.

use std::num::NonZeroUsize;

use solekey::crypto::{
    CHUNK, Decryptor, Encryptor, Error, Identity, PAYLOAD_NONCE, SEALED_CHUNK, Sink, Source,
    armor::{ArmorReader, ArmorWriter},
};

use crate::{LONG, record, sandbox::data};

/// Length of the plaintext, 200 KiB: three whole chunks and a partial one.
const LENGTH: usize = 200 * 1024;

fn seal(identity: &Identity, plaintext: &[u8]) -> Vec<u8> {
    let recipient = identity.to_recipient().expect("an X25519 identity has a recipient");
    let encryptor = Encryptor::new(&[recipient]).expect("one recipient is enough");
    let (mut source, mut sealed) = (plaintext, Vec::new());
    encryptor
        .encrypt(Source::Sequential(&mut source), Sink::Sequential(&mut sealed), NonZeroUsize::MIN)
        .expect("nothing fails");
    sealed
}

/// Returns the outcome and the released bytes.
fn open(identity: &Identity, file: &[u8]) -> (Result<u64, Error>, Vec<u8>) {
    let (mut rest, mut opened) = (file, Vec::new());
    let unlocked = Decryptor::read(&mut rest).and_then(|file| file.unlock(std::slice::from_ref(identity)));
    let outcome = unlocked.and_then(|unlocked| {
        unlocked.decrypt(Source::Sequential(&mut rest), Sink::Sequential(&mut opened), NonZeroUsize::MIN)
    });
    (outcome, opened)
}

/// Asserts that a file is refused, and that the bytes it releases are a prefix of `plaintext`.
fn assert_refused(identity: &Identity, file: &[u8], plaintext: &[u8], damage: &str) {
    let (outcome, opened) = open(identity, file);
    assert!(outcome.is_err(), "{damage} is not detected");
    assert!(plaintext.starts_with(&opened), "{damage} releases false bytes");
}

/// Every offset in the long form; in the short one, the whole header and offsets around chunk boundaries.
fn places(length: usize, header: usize) -> impl Iterator<Item = usize> {
    let near = move |place: usize| {
        place < header + 80
            || place.is_multiple_of(1021)
            || length - place < 80
            || (place - header - PAYLOAD_NONCE + 24) % SEALED_CHUNK < 48
    };
    (0..length).filter(move |place| *LONG || near(*place))
}

#[test]
fn every_changed_byte_is_detected_and_no_false_byte_is_released() {
    let identity = Identity::generate();
    let plaintext = data(LENGTH);
    let sealed = seal(&identity, &plaintext);
    let header = sealed.len() - LENGTH - PAYLOAD_NONCE - 4 * 16;
    let mut changed = sealed.clone();
    let mut count = 0;
    for place in places(sealed.len(), header) {
        changed[place] ^= 1 << (place % 8);
        assert_refused(&identity, &changed, &plaintext, &format!("a change at {place}"));
        changed[place] = sealed[place];
        count += 1;
    }
    record("bytes changed", &format!("{count} of {} one at a time, 0 unnoticed", sealed.len()));
}

#[test]
fn truncation_to_any_length_is_detected() {
    let identity = Identity::generate();
    let plaintext = data(LENGTH);
    let sealed = seal(&identity, &plaintext);
    let header = sealed.len() - LENGTH - PAYLOAD_NONCE - 4 * 16;
    let mut count = 0;
    for length in places(sealed.len(), header) {
        assert_refused(&identity, &sealed[..length], &plaintext, &format!("a cut to {length}"));
        count += 1;
    }
    record("lengths cut to", &format!("{count} of {}, 0 unnoticed", sealed.len()));
}

#[test]
fn chunks_of_two_payloads_under_one_identity_cannot_be_spliced() {
    let identity = Identity::generate();
    let (one, two) = (data(4 * CHUNK), data(4 * CHUNK + 1)[..4 * CHUNK].to_vec());
    let (sealed_one, sealed_two) = (seal(&identity, &one), seal(&identity, &two));
    let payload = sealed_one.len() - 4 * SEALED_CHUNK;
    for chunk in 0..4 {
        let range = payload + chunk * SEALED_CHUNK..payload + (chunk + 1) * SEALED_CHUNK;
        let mut spliced = sealed_one.clone();
        spliced[range.clone()].copy_from_slice(&sealed_two[range.clone()]);
        assert_refused(&identity, &spliced, &one, "a chunk of another file");
        let dropped = [&sealed_one[..range.start], &sealed_one[range.end..]].concat();
        assert_refused(&identity, &dropped, &one, "a missing chunk");
        let repeated = [&sealed_one[..range.end], &sealed_one[range.start..]].concat();
        assert_refused(&identity, &repeated, &one, "a repeated chunk");
    }
    // The header and nonce of one, the chunks of the other.
    let grafted = [&sealed_one[..payload], &sealed_two[payload..]].concat();
    assert_refused(&identity, &grafted, &one, "another file's payload");
    let grafted = [&sealed_one[..payload - PAYLOAD_NONCE], &sealed_two[payload - PAYLOAD_NONCE..]].concat();
    assert_refused(&identity, &grafted, &one, "another file's nonce and payload");
}

#[test]
fn every_flipped_bit_of_armor_is_detected_or_harmless() {
    let identity = Identity::generate();
    let plaintext = data(3000);
    let mut writer = ArmorWriter::new(Vec::new());
    std::io::Write::write_all(&mut writer, &seal(&identity, &plaintext)).expect("writing to memory cannot fail");
    let armored = writer.finish().expect("writing to memory cannot fail");
    let mut changed = armored.clone();
    let mut same = 0;
    let mut flipped = 0;
    // One bit of every third byte in the short form. The last byte is always one of them.
    for place in (0..armored.len()).rev().step_by(if *LONG { 1 } else { 3 }) {
        for bit in if *LONG { 0..8 } else { place % 8..place % 8 + 1 } {
            flipped += 1;
            changed[place] = armored[place] ^ (1 << bit);
            let mut binary = Vec::new();
            if std::io::Read::read_to_end(&mut ArmorReader::new(&changed[..]), &mut binary).is_ok() {
                let (outcome, opened) = open(&identity, &binary);
                // Only white space after the end line can change and mean the same.
                assert!(outcome.is_err() || place + 1 == armored.len(), "bit {bit} at {place} is not detected");
                assert!(plaintext.starts_with(&opened));
                same += usize::from(outcome.is_ok());
            }
        }
        changed[place] = armored[place];
    }
    record("armor", &format!("{flipped} bits changed one at a time, {same} mean the same, 0 unnoticed"));
}
