//! Lengths around every boundary, in every mode, compared with the age crate; then damage and failures.

use solekey::crypto::{
    CHUNK, CHUNK_OVERHEAD, Decryptor, Encryptor, Error, Identity, PAYLOAD_NONCE, PayloadFault, SEALED_CHUNK, Sink,
    Source,
    armor::{ArmorReader, ArmorWriter},
    plaintext_length,
    secrecy::ExposeSecret,
};

use crate::{
    memory::{Bytes, ENDS, End, THREADS, Written, threads},
    watchdog::within_two_minutes,
};

const SEGMENT: usize = 16 * CHUNK;
const LENGTHS: [usize; 9] = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 500];

/// Bytes without repetition, so that a misplaced chunk shows.
fn plaintext(length: usize) -> Vec<u8> {
    (0u64..).flat_map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).take(length).collect()
}

/// The same identity for solekey and for the age crate.
struct Pair {
    identity: Identity,
    age: age::x25519::Identity,
}

fn pair() -> Pair {
    let age = age::x25519::Identity::generate();
    let identity = age.to_string().expose_secret().parse().expect("a generated key is well formed");
    Pair { identity, age }
}

/// Every mode: the kinds of source and sink, and the number of threads.
fn ways() -> impl Iterator<Item = (End, End, usize)> {
    let ends = ENDS.into_iter().flat_map(|source| ENDS.map(|sink| (source, sink)));
    ends.flat_map(|(source, sink)| THREADS.map(|number| (source, sink, number)))
}

/// A quarter of the modes, covering every pair of ends and every number of threads. Each round picks different ones.
fn some_ways(round: usize) -> Vec<(End, End, usize)> {
    let chosen = ways().enumerate().filter(|(index, _)| (index / 4 + index % 4 + round).is_multiple_of(4));
    chosen.map(|(_, way)| way).collect()
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

/// Returns the outcome and the bytes that were written.
fn decrypt(pair: &Pair, file: &[u8], source: End, sink: End, number: usize) -> (Result<u64, Error>, Vec<u8>) {
    let mut rest = file;
    let decryptor = Decryptor::read(&mut rest).expect("the header is whole");
    let unlocked =
        decryptor.unlock(std::slice::from_ref(&pair.identity)).expect("the file is encrypted to this identity");
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
        let theirs = age::encrypt_and_armor(&pair.age.to_public(), &plaintext).expect("the age crate encrypts");
        // Armor is read and written sequentially; the plaintext may be of either kind.
        for (end, number) in ENDS.into_iter().flat_map(|end| THREADS.map(|number| (end, number))) {
            let mut armor = ArmorWriter::new(Vec::new());
            let encryptor = Encryptor::new(std::slice::from_ref(&recipient)).expect("one recipient is enough");
            let mut bytes = Bytes::new(&plaintext);
            let binary = encryptor.encrypt(bytes.source(end), Sink::Sequential(&mut armor), threads(number));
            let ours = armor.finish().expect("writing to memory cannot fail");
            assert_eq!(ours.len() as u64, armored_length(binary.expect("nothing fails here")));
            assert!(age::decrypt(&pair.age, &ours).expect("the age crate opens it") == plaintext);

            for text in [&ours[..], theirs.as_bytes()] {
                let mut armor = ArmorReader::new(text);
                let decryptor = Decryptor::read(&mut armor).expect("the header is whole");
                let unlocked = decryptor
                    .unlock(std::slice::from_ref(&pair.identity))
                    .expect("the file is encrypted to this identity");
                let mut opened = Written::new();
                let outcome = unlocked.decrypt(Source::Sequential(&mut armor), opened.sink(end), threads(number));
                assert_eq!(outcome.expect("it is authentic"), length as u64);
                assert!(opened.into_bytes() == plaintext, "{length} bytes, {end:?}, {number} threads");
            }
        }
    }
}

/// Length of an armored file: two marker lines, and base64 in lines of 64 characters.
fn armored_length(binary: u64) -> u64 {
    let text = binary.div_ceil(3) * 4;
    let markers = "-----BEGIN AGE ENCRYPTED FILE-----\n-----END AGE ENCRYPTED FILE-----\n".len() as u64;
    markers + text + text.div_ceil(64)
}

/// Asserts that a damaged file gives the same error and releases the same bytes in each of these modes. Returns the error.
fn assert_same_failure(
    pair: &Pair,
    file: &[u8],
    plaintext: &[u8],
    ways: impl IntoIterator<Item = (End, End, usize)>,
) -> Error {
    let mut first: Option<Error> = None;
    for (source, sink, number) in ways {
        let (outcome, mut opened) = decrypt(pair, file, source, sink, number);
        let error = outcome.expect_err("it is damaged");
        let released = usize::try_from(error.released().expect("the payload is at fault")).expect("it is in memory");
        if sink == End::Sequential {
            assert_eq!(opened.len(), released, "{source:?}, {number} threads: {error}");
        }
        opened.truncate(released);
        assert!(opened == plaintext[..released], "released bytes are a prefix of the plaintext");
        if let Some(first) = &first {
            assert_eq!(first.to_string(), error.to_string(), "{source:?} to {sink:?}, {number} threads");
        }
        first.get_or_insert(error);
    }
    first.expect("there is at least one mode")
}

#[test]
fn a_cut_file_releases_exactly_the_whole_chunks_before_the_cut() {
    let pair = pair();
    let plaintext = plaintext(3 * SEGMENT + 100);
    let file = encrypt(&pair, &plaintext, End::Sequential, End::Sequential, 1);
    let chunks = header_length(&file) + PAYLOAD_NONCE;
    let around = |boundary: usize| [-1, 0, 1].map(|shift| (boundary * SEALED_CHUNK).saturating_add_signed(shift));
    // Exactly one tag, and one byte more or less, in the first chunk and later ones, including next to a segment's end.
    let tags = [0, 1, 15, 16, 17, 48].into_iter().flat_map(|chunk| [15, 16, 17].map(|at| chunk * SEALED_CHUNK + at));
    let scattered = (1..=20).map(|round| round * 1_618_033_988 % (file.len() - chunks));
    let boundaries = [0, 1, 2, 14, 15, 16, 17, 31, 32, 33, 47, 48];
    for (round, place) in boundaries.into_iter().flat_map(around).chain(tags).chain(scattered).enumerate() {
        let whole = place / SEALED_CHUNK;
        let ways = if [0, 15, 16].contains(&whole) { ways().collect() } else { some_ways(round) };
        let error = assert_same_failure(&pair, &file[..chunks + place], &plaintext, ways);
        let fault = match place % SEALED_CHUNK {
            0 => PayloadFault::Truncated,
            CHUNK_OVERHEAD if whole > 0 => PayloadFault::EmptyFinalChunk,
            _ => PayloadFault::CorruptedEnd,
        };
        let expected = Error::Payload { chunk: whole as u64, fault };
        assert_eq!(error.to_string(), expected.to_string(), "cut at {place}");
        assert_eq!(error.released(), Some((whole * CHUNK) as u64), "cut at {place}");
    }
}

#[test]
fn a_file_cut_inside_its_nonce_releases_nothing() {
    let pair = pair();
    let file = encrypt(&pair, b"plaintext", End::Sequential, End::Sequential, 1);
    let header = header_length(&file);
    for (cut, (source, sink, number)) in
        (header..header + PAYLOAD_NONCE).flat_map(|cut| ways().map(move |way| (cut, way)))
    {
        let (outcome, opened) = decrypt(&pair, &file[..cut], source, sink, number);
        assert!(matches!(outcome, Err(Error::NoNonce)), "{source:?} to {sink:?}, {number} threads, cut at {cut}");
        assert!(opened.is_empty());
    }
}

#[test]
fn a_flipped_bit_in_any_chunk_releases_exactly_the_chunks_before_it() {
    let pair = pair();
    let plaintext = plaintext(3 * SEGMENT + 100);
    let mut file = encrypt(&pair, &plaintext, End::Sequential, End::Sequential, 1);
    let chunks = header_length(&file) + PAYLOAD_NONCE;
    for chunk in 0..=48 {
        let place = chunks + chunk * SEALED_CHUNK + chunk;
        file[place] ^= 0x80;
        let error = assert_same_failure(&pair, &file, &plaintext, some_ways(chunk));
        let fault = if chunk == 48 { PayloadFault::CorruptedEnd } else { PayloadFault::Corrupted };
        let expected = Error::Payload { chunk: chunk as u64, fault };
        assert_eq!(error.to_string(), expected.to_string());
        file[place] ^= 0x80;
    }
}

#[test]
fn output_ends_right_before_the_first_damaged_chunk() {
    let pair = pair();
    let plaintext = plaintext(3 * SEGMENT);
    let file = encrypt(&pair, &plaintext, End::Sequential, End::Sequential, 1);
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
        let error = assert_same_failure(&pair, &damaged, &plaintext, ways());
        let expected = Error::Payload { chunk: first as u64, fault: PayloadFault::Corrupted };
        assert_eq!(error.to_string(), expected.to_string());
    }
}

#[test]
fn swapped_repeated_and_appended_chunks_are_detected() {
    let pair = pair();
    let plaintext = plaintext(2 * SEGMENT);
    let file = encrypt(&pair, &plaintext, End::Sequential, End::Sequential, 1);
    let (head, payload) = file.split_at(header_length(&file) + PAYLOAD_NONCE);
    let chunk = |index: usize| &payload[index * SEALED_CHUNK..(index + 1) * SEALED_CHUNK];
    let fault = |chunks: &[&[u8]]| {
        let error = assert_same_failure(&pair, &[&[head], chunks].concat().concat(), &plaintext, ways());
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
fn a_failing_source_or_sink_ends_encryption_with_its_error() {
    within_two_minutes(|| {
        let pair = pair();
        let recipient = pair.identity.to_recipient().expect("an X25519 identity has a recipient");
        let plaintext = plaintext(4 * SEGMENT);
        let places = [0, 1, 5000, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 7];
        for (round, (source, sink, number)) in (0..places.len()).flat_map(|round| ways().map(move |way| (round, way))) {
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
fn a_failing_source_or_sink_ends_decryption_with_its_error() {
    within_two_minutes(|| {
        let pair = pair();
        let plaintext = plaintext(4 * SEGMENT);
        let file = encrypt(&pair, &plaintext, End::Sequential, End::Sequential, 1);
        let places = [0, 1, 5000, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 7];
        for (round, (source, sink, number)) in (0..places.len()).flat_map(|round| ways().map(move |way| (round, way))) {
            let place = places[round % places.len()];
            let way = format!("{source:?} to {sink:?}, {number} threads, at {place}");
            let (outcome, _) = decrypt_failing(&pair, &file, (source, sink, number), place, usize::MAX);
            assert_eq!(outcome.expect_err("it cannot be read").to_string(), CANNOT_READ, "{way}");
            let (outcome, written) = decrypt_failing(&pair, &file, (source, sink, number), usize::MAX, place);
            assert_eq!(outcome.expect_err("it cannot be written").to_string(), CANNOT_WRITE, "{way}");
            assert!(written == plaintext[..written.len()], "{way}");
        }
    });
}

const CANNOT_READ: &str = "cannot read: no more can be read";
const CANNOT_WRITE: &str = "cannot write: no more can be written";

/// Decrypts from a source that fails from one offset on, to a sink that fails beyond another.
fn decrypt_failing(
    pair: &Pair,
    file: &[u8],
    (source, sink, number): (End, End, usize),
    read_fails_at: usize,
    write_fails_at: usize,
) -> (Result<u64, Error>, Vec<u8>) {
    let mut rest = file;
    let decryptor = Decryptor::read(&mut rest).expect("the header is whole");
    let unlocked =
        decryptor.unlock(std::slice::from_ref(&pair.identity)).expect("the file is encrypted to this identity");
    let mut written = Written::failing_at(write_fails_at);
    let mut payload = Bytes::failing_at(rest, read_fails_at);
    let outcome = unlocked.decrypt(payload.source(source), written.sink(sink), threads(number));
    (outcome, written.into_bytes())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Damage,
    Read,
    Write,
}

#[test]
fn the_earlier_of_two_faults_in_different_segments_is_returned() {
    within_two_minutes(|| {
        let pair = pair();
        let plaintext = plaintext(5 * SEGMENT);
        let file = encrypt(&pair, &plaintext, End::Sequential, End::Sequential, 1);
        let header = header_length(&file);
        let kinds = [Fault::Damage, Fault::Read, Fault::Write];
        let faults = kinds.into_iter().flat_map(|early| kinds.map(|late| (early, late)));
        let faults = faults.filter(|(early, late)| early != late);
        for (round, (early, late)) in faults.enumerate() {
            for (first, second) in [(0, 1), (0, 4), (1, 2), (1, 4), (2, 3), (3, 4)] {
                let segment = |kind| [(early, first), (late, second)].into_iter().find(|(of, _)| *of == kind);
                // Each fault is in the middle of a segment.
                let sealed = |(_, segment)| PAYLOAD_NONCE + (segment * 16 + 5) * SEALED_CHUNK + 7;
                let mut damaged = file.clone();
                if let Some(place) = segment(Fault::Damage).map(sealed) {
                    damaged[header + place] ^= 1;
                }
                let read_fails_at = segment(Fault::Read).map_or(usize::MAX, sealed);
                let write_fails_at = segment(Fault::Write).map_or(usize::MAX, |(_, segment)| segment * SEGMENT + 7);
                let expected = match early {
                    Fault::Damage => {
                        Error::Payload { chunk: first as u64 * 16 + 5, fault: PayloadFault::Corrupted }.to_string()
                    }
                    Fault::Read => CANNOT_READ.to_owned(),
                    Fault::Write => CANNOT_WRITE.to_owned(),
                };
                let before = first * SEGMENT + if early == Fault::Damage { 5 * CHUNK } else { 0 };
                for way @ (_, sink, _) in some_ways(round + first + second) {
                    let (outcome, mut written) = decrypt_failing(&pair, &damaged, way, read_fails_at, write_fails_at);
                    let text = outcome.expect_err("there are two faults").to_string();
                    assert_eq!(text, expected, "{early:?} in {first}, {late:?} in {second}, {way:?}");
                    if sink == End::Sequential {
                        assert_eq!(written.len(), before, "{early:?} in {first}, {late:?} in {second}, {way:?}");
                    }
                    written.truncate(before);
                    assert!(written == plaintext[..before], "{early:?} in {first}, {late:?} in {second}, {way:?}");
                }
            }
        }
    });
}

#[test]
fn a_ciphertext_that_shrinks_during_decryption_is_a_read_error() {
    let pair = pair();
    let plaintext = plaintext(2 * SEGMENT + 500);
    let file = encrypt(&pair, &plaintext, End::Sequential, End::Sequential, 1);
    let payload = file.len() - header_length(&file);
    for (missing, sink, number) in [1, 516, SEALED_CHUNK, 17 * SEALED_CHUNK]
        .into_iter()
        .flat_map(|missing| ENDS.into_iter().flat_map(move |sink| THREADS.map(|number| (missing, sink, number))))
    {
        let mut rest = &file[..];
        let decryptor = Decryptor::read(&mut rest).expect("the header is whole");
        let unlocked =
            decryptor.unlock(std::slice::from_ref(&pair.identity)).expect("the file is encrypted to this identity");
        let bytes = Bytes::new(&rest[..payload - missing]);
        let source = Source::AtOffsets { file: &bytes, start: 0, length: payload as u64 };
        let outcome = unlocked.decrypt(source, Written::new().sink(sink), threads(number));
        let text = outcome.expect_err("bytes are missing").to_string();
        let expected = "cannot read: it became shorter while it was being read";
        assert_eq!(text, expected, "{missing} missing, {sink:?}, {number} threads");
    }
}

#[test]
fn a_plaintext_that_shrinks_during_encryption_is_a_read_error() {
    let pair = pair();
    let recipient = pair.identity.to_recipient().expect("an X25519 identity has a recipient");
    let plaintext = plaintext(2 * SEGMENT);
    for number in THREADS {
        let mut bytes = Bytes::new(&plaintext);
        let Source::AtOffsets { file, start, .. } = bytes.source(End::AtOffsets) else { unreachable!() };
        let source = Source::AtOffsets { file, start, length: 2 * SEGMENT as u64 + 1 };
        let encryptor = Encryptor::new(std::slice::from_ref(&recipient)).expect("one recipient is enough");
        let outcome = encryptor.encrypt(source, Written::new().sink(End::Sequential), threads(number));
        let text = outcome.expect_err("a byte is missing").to_string();
        assert_eq!(text, "cannot read: it became shorter while it was being read");
    }
}
