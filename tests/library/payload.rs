//! Parts of payloads: ranges, final chunks, salvage, and reencryption under another file key. Results are compared with
//! slices of the whole plaintext.

use std::ops::Range;

use solekey::crypto::{
    CHUNK, Decryptor, Encryptor, Error, Identity, PAYLOAD_NONCE, PayloadFault, SEALED_CHUNK, SEGMENT, Salvaged,
    Unlocked,
};

use crate::memory::{Bytes, ENDS, End, THREADS, Written, threads};

const LENGTHS: [usize; 9] = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 500];

fn plaintext(length: usize) -> Vec<u8> {
    (0u64..).flat_map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()).take(length).collect()
}

/// Encrypts `plaintext`. Returns the unlocked file and its payload, without the header.
fn sealed(plaintext: &[u8]) -> (Unlocked, Vec<u8>) {
    let recipient = Identity::generate().to_recipient().expect("an X25519 identity has a recipient");
    let encryptor = Encryptor::new(&[recipient]).expect("one recipient is enough");
    let unlocked = encryptor.unlocked();
    let header = encryptor.header().as_bytes().len();
    let mut written = Written::new();
    encryptor
        .encrypt(Bytes::new(plaintext).source(End::Sequential), written.sink(End::Sequential), threads(2))
        .expect("nothing fails here");
    (unlocked, written.into_bytes().split_off(header))
}

/// The offset at which a chunk of `sealed` begins.
fn chunk(index: usize) -> usize {
    PAYLOAD_NONCE + index * SEALED_CHUNK
}

fn range_of(unlocked: &Unlocked, payload: &[u8], range: Range<u64>, number: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Bytes::new(payload);
    let mut out = Vec::new();
    let payload = unlocked.payload(bytes.source(End::AtOffsets)).expect("the nonce is there");
    payload.decrypt_range(range, &mut out, threads(number)).map(|length| {
        assert_eq!(length, out.len() as u64);
        out
    })
}

#[test]
fn a_decrypted_range_equals_that_slice_of_the_plaintext() {
    for length in LENGTHS {
        let plaintext = plaintext(length);
        let (unlocked, payload) = sealed(&plaintext);
        let marks = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, SEGMENT, SEGMENT + 3, length, length + 1, 3 * SEGMENT];
        for (start, end) in marks.into_iter().flat_map(|start| marks.map(|end| (start, end))) {
            let number = THREADS[(start + end) % THREADS.len()];
            let opened = range_of(&unlocked, &payload, start as u64..end as u64, number).expect("it is authentic");
            let expected = plaintext.get(start..end.min(length)).unwrap_or_default();
            assert!(opened == expected, "{start}..{end} of {length}");
        }
    }
}

#[test]
fn a_range_needs_only_its_own_chunks_and_the_final_one() {
    let plaintext = plaintext(2 * SEGMENT + 500);
    let (unlocked, mut payload) = sealed(&plaintext);
    let range = 20 * CHUNK as u64 + 5..22 * CHUNK as u64;
    for index in [0, 19, 22, 31] {
        payload[chunk(index) + 7] ^= 1;
    }
    assert!(range_of(&unlocked, &payload, range.clone(), 2).expect("its chunks are whole").len() == 2 * CHUNK - 5);
    payload[chunk(21) + 7] ^= 1;
    let fault = range_of(&unlocked, &payload, range.clone(), 2);
    assert!(matches!(fault, Err(Error::Payload { chunk: 21, fault: PayloadFault::Corrupted })));
    payload[chunk(32) + 7] ^= 1;
    let fault = range_of(&unlocked, &payload, range, 2);
    assert!(matches!(fault, Err(Error::Payload { chunk: 32, fault: PayloadFault::CorruptedEnd })));
    let in_turn = unlocked.payload(Bytes::new(&payload).source(End::Sequential)).map(|payload| {
        assert!(matches!(payload.decrypt_range(0..1, &mut Vec::new(), threads(1)), Err(Error::NotSeekable)));
    });
    in_turn.expect("the nonce is there");
}

#[test]
fn checking_the_final_chunk_detects_truncated_and_extended_payloads() {
    let (unlocked, payload) = sealed(&plaintext(3 * CHUNK));
    let check = |payload: &[u8]| {
        let mut bytes = Bytes::new(payload);
        unlocked.payload(bytes.source(End::AtOffsets)).expect("the nonce is there").check_final_chunk()
    };
    check(&payload).expect("it is whole");
    let cut = check(&payload[..chunk(2)]);
    assert!(matches!(cut, Err(Error::Payload { chunk: 2, fault: PayloadFault::Truncated })));
    let cut = check(&payload[..chunk(2) + 100]);
    assert!(matches!(cut, Err(Error::Payload { chunk: 2, fault: PayloadFault::CorruptedEnd })));
    assert!(matches!(check(&payload[..PAYLOAD_NONCE]), Err(Error::Payload { chunk: 0, .. })));
    let appended = check(&[&payload[..], &[0; 100]].concat());
    assert!(matches!(appended, Err(Error::Payload { chunk: 3, fault: PayloadFault::CorruptedEnd })));
}

#[test]
fn a_payload_read_at_offsets_knows_its_length_and_number_of_chunks() {
    for length in LENGTHS {
        let (unlocked, payload) = sealed(&plaintext(length));
        let told = |end| {
            let mut bytes = Bytes::new(&payload);
            let payload = unlocked.payload(bytes.source(end)).expect("the nonce is there");
            (payload.length(), payload.chunks())
        };
        assert_eq!(told(End::AtOffsets), (Some(length as u64), Some(length.div_ceil(CHUNK).max(1) as u64)));
        assert_eq!(told(End::Sequential), (None, None));
    }
}

fn salvage(unlocked: &Unlocked, payload: &[u8], ends: (End, End), number: usize) -> (Salvaged, Vec<u8>) {
    let mut written = Written::new();
    let mut bytes = Bytes::new(payload);
    let payload = unlocked.payload(bytes.source(ends.0)).expect("the nonce is there");
    let salvaged = payload.salvage(written.sink(ends.1), threads(number)).expect("nothing fails here");
    (salvaged, written.into_bytes())
}

#[test]
fn intact_chunks_are_salvaged_and_lost_ones_become_zeros() {
    let plaintext = plaintext(2 * SEGMENT + 500);
    let (unlocked, whole) = sealed(&plaintext);
    let all: Vec<_> = ENDS.into_iter().flat_map(|source| ENDS.map(|sink| (source, sink))).collect();
    for (ends, number) in all.iter().flat_map(|ends| THREADS.map(|number| (*ends, number))) {
        let (salvaged, opened) = salvage(&unlocked, &whole, ends, number);
        assert_eq!(salvaged, Salvaged { length: plaintext.len() as u64, has_final_chunk: true, ..Salvaged::default() });
        assert!(opened == plaintext);

        // Damage one sector, zero a range across two segments, and cut off the end.
        let mut damaged = whole.clone();
        damaged[chunk(3)..chunk(3) + 512].fill(b'x');
        damaged[chunk(15) + 9..chunk(17)].fill(0);
        damaged.truncate(chunk(31) + 1000);
        let (salvaged, opened) = salvage(&unlocked, &damaged, ends, number);
        let at = |index: usize| (index * CHUNK) as u64;
        let lost = vec![at(3)..at(4), at(15)..at(17), at(31)..at(31) + 1000 - 16];
        let mut expected = plaintext[..31 * CHUNK + 1000 - 16].to_vec();
        for range in [3 * CHUNK..4 * CHUNK, 15 * CHUNK..17 * CHUNK, 31 * CHUNK..expected.len()] {
            expected[range].fill(0);
        }
        assert_eq!(
            salvaged,
            Salvaged {
                length: expected.len() as u64,
                lost,
                has_final_chunk: false,
                has_trailing_data: false,
                has_early_end: false
            }
        );
        assert_eq!(salvaged.recovered(), 28 * CHUNK as u64);
        assert!(opened == expected);
    }
}

#[test]
fn data_appended_to_a_payload_is_not_salvaged() {
    for (length, appended) in [
        (0, 1),
        (1, 15),
        (500, 17),
        (500, 2 * CHUNK),
        (CHUNK - 1, 1),
        (CHUNK, 1),
        (CHUNK, CHUNK),
        (CHUNK + 1, 500),
        (SEGMENT, SEGMENT),
    ] {
        let plaintext = plaintext(length);
        let (unlocked, whole) = sealed(&plaintext);
        let longer = [&whole[..], &vec![b'x'; appended]].concat();
        let ways = ENDS.into_iter().flat_map(|source| ENDS.map(|sink| (source, sink)));
        for (ends, number) in ways.zip([1, 3, 2, 3]) {
            let (salvaged, opened) = salvage(&unlocked, &longer, ends, number);
            let expected = Salvaged {
                length: length as u64,
                lost: vec![],
                has_final_chunk: true,
                has_trailing_data: true,
                has_early_end: false,
            };
            assert_eq!(salvaged, expected, "{length} and {appended}");
            assert!(opened[..length] == plaintext, "{length} and {appended}");
            assert!(opened.len() == length || ends.1 == End::AtOffsets, "{length} and {appended}");
        }
    }
}

#[test]
fn data_that_follows_a_payload_is_told_from_damage() {
    let (unlocked, whole) = sealed(&plaintext(CHUNK + 5));
    for (appended, number) in [(9, 1), (CHUNK, 3)] {
        let decrypt = |bytes: &[u8]| {
            let mut bytes = Bytes::new(bytes);
            let payload = unlocked.payload(bytes.source(End::Sequential)).expect("the nonce is there");
            payload.may_be_followed().decrypt(Written::new().sink(End::Sequential), threads(number))
        };
        let mut longer = [&whole[..], &vec![b'x'; appended]].concat();
        let fault = decrypt(&longer).expect_err("data follows");
        assert!(matches!(fault, Error::Payload { chunk: 1, fault: PayloadFault::FollowedByData }), "{fault:?}");
        longer[chunk(1)] ^= 1;
        let fault = decrypt(&longer).expect_err("it is damaged");
        assert!(!matches!(fault, Error::Payload { fault: PayloadFault::FollowedByData, .. }), "{fault:?}");
    }
}

#[test]
fn a_reencrypted_payload_opens_to_the_same_plaintext() {
    let new = Identity::generate();
    let recipient = new.to_recipient().expect("an X25519 identity has a recipient");
    for length in LENGTHS {
        let plaintext = plaintext(length);
        let (unlocked, old) = sealed(&plaintext);
        for number in THREADS {
            let (source, sink) = (ENDS[number % 2], ENDS[number / 2 % 2]);
            let encryptor = Encryptor::new([&recipient]).expect("one recipient is enough");
            let mut written = Written::new();
            let mut bytes = Bytes::new(&old);
            let payload = unlocked.payload(bytes.source(source)).expect("the nonce is there");
            let count = encryptor.reencrypt(payload, written.sink(sink), threads(number)).expect("it is authentic");
            let file = written.into_bytes();
            assert_eq!(count, file.len() as u64);

            let mut rest = &file[..];
            let decryptor = Decryptor::read(&mut rest).expect("the header is whole");
            let again = decryptor.unlock(std::slice::from_ref(&new)).expect("the file is encrypted to this identity");
            let mut opened = Written::new();
            let count = again.decrypt(Bytes::new(rest).source(source), opened.sink(sink), threads(number));
            assert_eq!(count.expect("it is authentic"), length as u64);
            assert!(opened.into_bytes() == plaintext);
        }
    }
}

#[test]
fn reencryption_stops_at_a_damaged_chunk() {
    let (unlocked, mut old) = sealed(&plaintext(2 * SEGMENT));
    old[chunk(20)] ^= 1;
    let recipient = Identity::generate().to_recipient().expect("an X25519 identity has a recipient");
    let encryptor = Encryptor::new([&recipient]).expect("one recipient is enough");
    let header = encryptor.header().as_bytes().len();
    let mut written = Written::new();
    let mut bytes = Bytes::new(&old);
    let payload = unlocked.payload(bytes.source(End::AtOffsets)).expect("the nonce is there");
    let outcome = encryptor.reencrypt(payload, written.sink(End::Sequential), threads(3));
    assert!(matches!(outcome, Err(Error::Payload { chunk: 20, fault: PayloadFault::Corrupted })));
    // The segments before the damaged chunk's are written, and nothing of its own.
    assert_eq!(written.into_bytes().len(), header + chunk(16));
}
