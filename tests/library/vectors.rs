//! Runs every CCTV vector through the library: its category and the hash of the released bytes, in every mode.

use std::io::BufRead;

use solekey::crypto::{
    Decryptor, Error, Identity, Source, Unlocked, WORK_FACTOR_LIMIT, armor::ArmorReader, secrecy::SecretString,
};

use crate::{
    cctv::{self, Expect, Vector},
    memory::{Bytes, ENDS, End, THREADS, Written, threads},
};

fn identities(vector: &Vector) -> Vec<Identity> {
    let keys = vector.identities.iter().map(|text| text.parse().expect("the vector's identity is well formed"));
    let passphrases = vector
        .passphrases
        .iter()
        .map(|text| Identity::passphrase(SecretString::from(text.as_str()), WORK_FACTOR_LIMIT));
    keys.chain(passphrases).collect()
}

fn category(error: &Error) -> Expect {
    match error {
        Error::NoMatch(_) | Error::WrongPassphrase => Expect::NoMatch,
        Error::HeaderMac => Expect::HmacFailure,
        Error::Payload { .. } => Expect::PayloadFailure,
        Error::Armor { .. } => Expect::ArmorFailure,
        Error::NotAge
        | Error::Empty
        | Error::Version(_)
        | Error::Header { .. }
        | Error::NoNonce
        | Error::Stanza
        | Error::WorkFactor { .. } => Expect::HeaderFailure,
        other => panic!("a vector cannot give this error: {other}"),
    }
}

/// Reads the header and unlocks the file. Also returns the length of the header in bytes.
fn unlock(vector: &Vector, input: &mut dyn BufRead) -> Result<(Unlocked, u64), Error> {
    let decryptor = Decryptor::read(input)?;
    let length = decryptor.header().as_bytes().len() as u64;
    Ok((decryptor.unlock(&identities(vector))?, length))
}

/// Decrypts a vector in one mode. Returns the outcome and the released bytes.
fn decrypt(vector: &Vector, source: End, sink: End, number: usize) -> (Result<u64, Error>, Vec<u8>) {
    let mut written = Written::new();
    let outcome = if vector.armored {
        let mut armor = ArmorReader::new(&vector.file[..]);
        unlock(vector, &mut armor).and_then(|(unlocked, _)| {
            unlocked.decrypt(Source::Sequential(&mut armor), written.sink(sink), threads(number))
        })
    } else {
        let mut rest = &vector.file[..];
        unlock(vector, &mut rest).and_then(|(unlocked, length)| {
            assert_eq!(rest.len() as u64, vector.file.len() as u64 - length, "not a byte is read beyond the header");
            let mut bytes = Bytes::new(rest);
            unlocked.decrypt(bytes.source(source), written.sink(sink), threads(number))
        })
    };
    let mut released = written.into_bytes();
    if let Err(error) = &outcome {
        // At offsets, later chunks may be written before the failure; they do not count as released.
        let length = error.released().map_or(0, |length| usize::try_from(length).expect("it is in memory"));
        assert!(released.len() >= length, "{}: {length} bytes should have been released", vector.name);
        if sink == End::Sequential && error.released().is_some() {
            assert_eq!(released.len(), length, "{}: {error}", vector.name);
        }
        released.truncate(length);
    }
    (outcome, released)
}

#[test]
fn every_vector_has_its_expected_outcome_in_every_mode() {
    let vectors = cctv::all();
    for vector in &vectors {
        // Scrypt takes a second, so one mode has to be enough.
        let ways: Vec<_> = if vector.passphrases.is_empty() {
            let ends = ENDS.into_iter().flat_map(|source| ENDS.map(|sink| (source, sink)));
            ends.flat_map(|(source, sink)| THREADS.map(|number| (source, sink, number))).collect()
        } else {
            vec![(End::Sequential, End::Sequential, 1)]
        };
        let mut texts = Vec::new();
        for (source, sink, number) in ways {
            let (outcome, released) = decrypt(vector, source, sink, number);
            let found = outcome.as_ref().map_or_else(category, |_| Expect::Success);
            assert_eq!(found, vector.expect, "{}: {outcome:?}", vector.name);
            vector.assert_released(&released);
            texts.push(outcome.map_or_else(|error| error.to_string(), |length| length.to_string()));
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "{}: {texts:?}", vector.name);
    }
}
