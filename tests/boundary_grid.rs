//! Lengths around every boundary, in every way of running, against the age crate; then damage and failures.

mod memory;
mod watchdog;

use memory::{Bytes, ENDS, End, THREADS, Written, threads};
use solekey::crypto::{
    CHUNK, CHUNK_OVERHEAD, Decryptor, Encryptor, Error, Identity, PAYLOAD_NONCE, PayloadFault, SEALED_CHUNK, Sink,
    Source,
    armor::{ArmorReader, ArmorWriter},
    plaintext_length,
    secrecy::ExposeSecret,
};
use watchdog::within_two_minutes;

const SEGMENT: usize = 16 * CHUNK;
const LENGTHS: [usize; 9] = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 500];

/// Bytes without repetition, so that a chunk in the wrong place shows.
fn plaintext(length: usize) -> Vec<u8> {
    (0u64..).flat_map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).take(length).collect()
}

struct Pair {
    identity: Identity,
    age: age::x25519::Identity,
}

fn pair() -> Pair {
    let age = age::x25519::Identity::generate();
    let identity = age.to_string().expose_secret().parse().expect("a generated key is well formed");
    Pair { identity, age }
}

fn ways() -> impl Iterator<Item = (End, End, usize)> {
    let ends = ENDS.into_iter().flat_map(|source| ENDS.map(|sink| (source, sink)));
    ends.flat_map(|(source, sink)| THREADS.map(|number| (source, sink, number)))
}

fn encrypt(pair: &Pair, plaintext: &[u8], source: End, sink: End, number: usize) -> Vec<u8> {
    let recipient = pair.identity.to_recipient().expect("an X25519 identity has a recipient");
    let encryptor = Encryptor::new(&[recipient]).expect("one recipient is enough");
    let mut written = Written::new();
    let length = encryptor.encrypt(Bytes::new(plaintext).source(source), written.sink(sink), threads(number));
    let file = written.into_bytes();
    assert_eq!(length.expect("nothing fails here"), file.len() as u64);
    file
}

/// The outcome, and what was delivered.
fn decrypt(pair: &Pair, file: &[u8], source: End, sink: End, number: usize) -> (Result<u64, Error>, Vec<u8>) {
    let mut rest = file;
    let decryptor = Decryptor::read(&mut rest).expect("the header is whole");
    let unlocked = decryptor.unlock(std::slice::from_ref(&pair.identity)).expect("it is for this identity");
    let mut written = Written::new();
    let outcome = unlocked.decrypt(Bytes::new(rest).source(source), written.sink(sink), threads(number));
    (outcome, written.into_bytes())
}

fn header_length(file: &[u8]) -> usize {
    let mut rest = file;
    Decryptor::read(&mut rest).expect("the header is whole");
    file.len() - rest.len()
}

#[test]
fn every_length_round_trips_and_the_age_crate_agrees() {
    let pair = pair();
    for length in LENGTHS {
        let plaintext = plaintext(length);
        for (source, sink, number) in ways() {
            let file = encrypt(&pair, &plaintext, source, sink, number);
            let payload = file.len() - header_length(&file);
            assert_eq!(payload, PAYLOAD_NONCE + length + CHUNK_OVERHEAD * length.div_ceil(CHUNK).max(1));
            assert_eq!(plaintext_length(payload as u64), Some(length as u64));
            assert!(age::decrypt(&pair.age, &file).expect("the age crate opens it") == plaintext);

            let (outcome, opened) = decrypt(&pair, &file, source, sink, number);
            assert_eq!(outcome.expect("it is authentic"), length as u64);
            assert!(opened == plaintext, "{length} bytes, {source:?} to {sink:?}, {number} threads");
        }
        let theirs = age::encrypt(&pair.age.to_public(), &plaintext).expect("the age crate encrypts");
        for (source, sink, number) in ways() {
            let (outcome, opened) = decrypt(&pair, &theirs, source, sink, number);
            assert_eq!(outcome.expect("it is authentic"), length as u64);
            assert!(opened == plaintext);
        }
    }
}

#[test]
fn every_length_round_trips_in_armor_and_the_age_crate_agrees() {
    let pair = pair();
    let recipient = pair.identity.to_recipient().expect("an X25519 identity has a recipient");
    for length in LENGTHS {
        let plaintext = plaintext(length);
        let mut armor = ArmorWriter::new(Vec::new());
        let encryptor = Encryptor::new(std::slice::from_ref(&recipient)).expect("one recipient is enough");
        let source = Source::InTurn(&mut &plaintext[..]);
        encryptor.encrypt(source, Sink::InTurn(&mut armor), threads(2)).expect("nothing fails here");
        let ours = armor.finish().expect("memory takes it");
        let theirs = age::encrypt_and_armor(&pair.age.to_public(), &plaintext).expect("the age crate encrypts");
        assert_eq!(age::decrypt(&pair.age, &ours).ok().as_deref(), Some(&plaintext[..]));
        for text in [&ours[..], theirs.as_bytes()] {
            let mut armor = ArmorReader::new(text);
            let decryptor = Decryptor::read(&mut armor).expect("the header is whole");
            let unlocked = decryptor.unlock(std::slice::from_ref(&pair.identity)).expect("it is for this identity");
            let mut opened = Vec::new();
            let source = Source::InTurn(&mut armor);
            unlocked.decrypt(source, Sink::InTurn(&mut opened), threads(2)).expect("it is authentic");
            assert!(opened == plaintext);
        }
    }
}

/// Asserts that a damaged file gives the same error and releases the same bytes in every way, and returns the error.
fn assert_same_failure(pair: &Pair, file: &[u8], plaintext: &[u8]) -> Error {
    let mut first: Option<Error> = None;
    for (source, sink, number) in ways() {
        let (outcome, mut opened) = decrypt(pair, file, source, sink, number);
        let error = outcome.expect_err("it is damaged");
        let released = usize::try_from(error.released().expect("the payload is at fault")).expect("it is in memory");
        if sink == End::InTurn {
            assert_eq!(opened.len(), released, "{source:?}, {number} threads: {error}");
        }
        opened.truncate(released);
        assert!(opened == plaintext[..released], "released bytes are a prefix of the plaintext");
        if let Some(first) = &first {
            assert_eq!(first.to_string(), error.to_string(), "{source:?} to {sink:?}, {number} threads");
        }
        first.get_or_insert(error);
    }
    first.expect("there is a way to run")
}

#[test]
fn a_cut_file_releases_exactly_the_whole_chunks_before_the_cut() {
    let pair = pair();
    let plaintext = plaintext(2 * SEGMENT + CHUNK + 100);
    let file = encrypt(&pair, &plaintext, End::InTurn, End::InTurn, 1);
    let chunks = header_length(&file) + PAYLOAD_NONCE;
    for boundary in [0, 1, 15, 16, 17, 32, 33] {
        for shift in [-1, 0, 1, 15, 16, 17, 40_000] {
            let cut = (chunks + boundary * SEALED_CHUNK).checked_add_signed(shift).expect("it is within the file");
            if cut < chunks || cut >= file.len() {
                continue;
            }
            let error = assert_same_failure(&pair, &file[..cut], &plaintext);
            let whole = ((cut - chunks) / SEALED_CHUNK) as u64;
            let Error::Payload { chunk, fault } = error else { panic!("{error}") };
            assert_eq!(chunk, whole, "cut {shift} from boundary {boundary}: {fault:?}");
            let expected = match (cut - chunks) % SEALED_CHUNK {
                0 => PayloadFault::Truncated,
                CHUNK_OVERHEAD if whole > 0 => PayloadFault::EmptyFinalChunk,
                _ => PayloadFault::CorruptedEnd,
            };
            assert_eq!(fault, expected);
        }
    }
}

#[test]
fn a_damaged_chunk_ends_the_output_right_before_it_and_the_first_one_counts() {
    let pair = pair();
    let plaintext = plaintext(3 * SEGMENT);
    let file = encrypt(&pair, &plaintext, End::InTurn, End::InTurn, 1);
    let chunks = header_length(&file) + PAYLOAD_NONCE;
    for (first, second) in [(0, 47), (5, 6), (15, 16), (16, 40), (31, 33), (47, 47)] {
        let mut damaged = file.clone();
        for chunk in [first, second] {
            damaged[chunks + chunk * SEALED_CHUNK + 1000] ^= u8::try_from(chunk + 1).expect("there are 48");
        }
        if first == second {
            damaged = file.clone();
            damaged[chunks + first * SEALED_CHUNK] ^= 1;
        }
        let error = assert_same_failure(&pair, &damaged, &plaintext);
        let expected = Error::Payload { chunk: first as u64, fault: PayloadFault::Corrupted };
        assert_eq!(error.to_string(), expected.to_string());
    }
}

#[test]
fn swapped_repeated_and_appended_chunks_are_found() {
    let pair = pair();
    let plaintext = plaintext(2 * SEGMENT);
    let file = encrypt(&pair, &plaintext, End::InTurn, End::InTurn, 1);
    let (head, payload) = file.split_at(header_length(&file) + PAYLOAD_NONCE);
    let chunk = |index: usize| &payload[index * SEALED_CHUNK..(index + 1) * SEALED_CHUNK];
    let fault = |chunks: &[&[u8]]| {
        let error = assert_same_failure(&pair, &[&[head], chunks].concat().concat(), &plaintext);
        let Error::Payload { chunk, fault } = error else { panic!("{error}") };
        (chunk, fault)
    };
    let all: Vec<_> = (0..32).map(chunk).collect();

    let mut swapped = all.clone();
    swapped.swap(15, 16);
    assert_eq!(fault(&swapped), (15, PayloadFault::Corrupted));
    let mut repeated = all.clone();
    repeated.insert(3, chunk(2));
    assert_eq!(fault(&repeated), (3, PayloadFault::Corrupted));
    let mut dropped = all.clone();
    dropped.remove(20);
    assert_eq!(fault(&dropped), (20, PayloadFault::Corrupted));
    let mut appended = all.clone();
    appended.push(b"tail");
    assert_eq!(fault(&appended), (32, PayloadFault::TrailingData));
    assert_eq!(fault(&all[..31]), (31, PayloadFault::Truncated));
    assert_eq!(fault(&all[..16]), (16, PayloadFault::Truncated));
}

#[test]
fn a_failing_source_or_sink_ends_the_run_with_its_error() {
    within_two_minutes(|| {
        let pair = pair();
        let recipient = pair.identity.to_recipient().expect("an X25519 identity has a recipient");
        let plaintext = plaintext(4 * SEGMENT);
        let places = [0, 1, 5000, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 7];
        for (round, (source, sink, number)) in (0..15).flat_map(|round| ways().map(move |way| (round, way))) {
            let place = places[round % places.len()];
            let encryptor = || Encryptor::new(std::slice::from_ref(&recipient)).expect("one recipient is enough");

            let mut failing = Bytes::failing_at(&plaintext, place);
            let mut written = Written::new();
            let outcome = encryptor().encrypt(failing.source(source), written.sink(sink), threads(number));
            assert!(matches!(outcome, Err(Error::Read(_))), "{source:?} to {sink:?}, {number} threads, at {place}");

            let mut written = Written::failing_at(place);
            let outcome =
                encryptor().encrypt(Bytes::new(&plaintext).source(source), written.sink(sink), threads(number));
            assert!(matches!(outcome, Err(Error::Write(_))), "{source:?} to {sink:?}, {number} threads, at {place}");
        }
    });
}

#[test]
fn a_source_that_becomes_shorter_is_an_error() {
    let pair = pair();
    let recipient = pair.identity.to_recipient().expect("an X25519 identity has a recipient");
    let plaintext = plaintext(2 * SEGMENT);
    for number in THREADS {
        let mut bytes = Bytes::new(&plaintext);
        let Source::AtOffsets { file, start, .. } = bytes.source(End::AtOffsets) else { unreachable!() };
        let source = Source::AtOffsets { file, start, length: 2 * SEGMENT as u64 + 1 };
        let encryptor = Encryptor::new(std::slice::from_ref(&recipient)).expect("one recipient is enough");
        let outcome = encryptor.encrypt(source, Written::new().sink(End::InTurn), threads(number));
        let text = outcome.expect_err("a byte is missing").to_string();
        assert_eq!(text, "cannot read: it became shorter while it was being read");
    }
}
