//! The properties that the fuzz targets check, under plain `cargo test`: pseudorandom damage, the same in every run.

use std::{collections::BTreeSet, io::Read, num::NonZeroUsize};

use solekey::crypto::{
    Decryptor, Encryptor, Error, Identity, Recipient, Sink, Source, armor::ArmorReader, secrecy::ExposeSecret,
};

use crate::{
    record, rounds,
    sandbox::{Sandbox, data, numbers},
};

fn open(identity: &Identity, file: &[u8]) -> Result<Vec<u8>, Error> {
    let (mut rest, mut opened) = (file, Vec::new());
    let unlocked = Decryptor::read(&mut rest)?.unlock(std::slice::from_ref(identity))?;
    unlocked.decrypt(Source::Sequential(&mut rest), Sink::Sequential(&mut opened), NonZeroUsize::MIN)?;
    Ok(opened)
}

fn open_by_age(identity: &age::x25519::Identity, file: &[u8]) -> Option<Vec<u8>> {
    let decryptor = age::Decryptor::new_buffered(file).ok()?;
    let identity: &dyn age::Identity = identity;
    let mut opened = Vec::new();
    decryptor.decrypt(std::iter::once(identity)).ok()?.read_to_end(&mut opened).ok()?;
    Some(opened)
}

/// Returns a copy of a file with a few bytes changed, inserted, removed or repeated.
fn damaged(file: &[u8], numbers: &[usize]) -> Vec<u8> {
    let mut file = file.to_vec();
    for three in numbers.chunks_exact(3) {
        // Most of what can go wrong is in the header.
        let bound = if three[2] % 2 == 0 { file.len().min(200) } else { file.len() };
        let place = three[0] % bound.max(1);
        let end = (place + three[1] % 40).min(file.len());
        match three[2] / 2 % 5 {
            0 if place < file.len() => file[place] ^= 1 << (three[1] % 8),
            1 => file.insert(place, b"\n -AZ=+\r\0\xff"[three[1] % 10]),
            2 => drop(file.drain(place..end)),
            3 => {
                let part = file[place..end].to_vec();
                file.splice(place..place, part);
            }
            _ => file.truncate(place.max(1)),
        }
    }
    file
}

#[test]
fn solekey_and_the_age_crate_agree_on_damaged_files() {
    let theirs = age::x25519::Identity::generate();
    let ours: Identity = theirs.to_string().expose_secret().parse().expect("it is a key");
    let recipient = ours.to_recipient().expect("a key has a public part");
    let (mut opened, mut refused) = (0, 0);
    for length in [0, 5, 65_536, 65_600] {
        let plaintext = data(length);
        let (mut source, mut file) = (&plaintext[..], Vec::new());
        let encryptor = Encryptor::new(std::slice::from_ref(&recipient)).expect("one recipient is enough");
        let sink = Sink::Sequential(&mut file);
        encryptor.encrypt(Source::Sequential(&mut source), sink, NonZeroUsize::MIN).expect("nothing fails");
        let count = rounds(400, 100_000);
        let numbers = numbers(count * 6, 1 << 20);
        for (round, numbers) in numbers.chunks_exact(6).enumerate() {
            let file = if round == 0 { file.clone() } else { damaged(&file, &numbers[..3 + round % 2 * 3]) };
            match (open(&ours, &file), open_by_age(&theirs, &file)) {
                (Ok(bytes), Some(by_age)) => {
                    assert!(bytes == by_age && bytes == plaintext);
                    opened += 1;
                }
                // The age crate accepts some headers that the format forbids.
                (Err(Error::Header { .. }), _) | (Err(_), None) => refused += 1,
                (Ok(_), None) => panic!("the age crate refuses a file that solekey opens"),
                (Err(error), Some(_)) => panic!("the age crate opens a file that solekey refuses: {error}"),
            }
        }
    }
    assert!(opened >= 4 && refused > 100);
    record("damage at random", &format!("{opened} files opened alike, {refused} refused"));
}

#[test]
fn damaged_keys_and_armor_never_panic_and_are_never_taken_for_other_keys() {
    let (identity, hybrid) = (Identity::generate(), Identity::generate_hybrid());
    let text =
        |identity: &Identity| identity.to_text().expect("a generated identity has a text").expose_secret().to_owned();
    let armor =
        format!("-----BEGIN AGE ENCRYPTED FILE-----\n{}\nAAAA\n-----END AGE ENCRYPTED FILE-----\n", "A".repeat(64));
    let recipient = identity.to_recipient().expect("a key has a public part").to_string();
    let seeds = [text(&identity), text(&hybrid), recipient.clone(), armor];
    let numbers = numbers(rounds(3000, 300_000) * 6, 1 << 20);
    for (round, numbers) in numbers.chunks_exact(6).enumerate() {
        let bytes = damaged(seeds[round % seeds.len()].as_bytes(), numbers);
        let line = String::from_utf8_lossy(&bytes);
        if let Ok(key) = line.parse::<Recipient>() {
            assert_eq!(key.to_string(), recipient, "{line:?} is taken for another key");
        }
        if let Ok(key) = line.parse::<Identity>() {
            assert!([text(&identity), text(&hybrid)].contains(&text(&key)), "a damaged key is taken for another");
        }
        let _ = Identity::from_ssh(&bytes);
        let _ = ArmorReader::new(&bytes[..]).read_to_end(&mut Vec::new());
        let _ = Decryptor::read(&mut &bytes[..]);
    }
}

/// Returns the keys on the lines of a key file, or `None` if a line is not a key.
fn keys<K: std::str::FromStr>(file: &[u8]) -> Option<Vec<K>> {
    let text = std::str::from_utf8(file).ok()?;
    let lines = text.split('\n').map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.parse().ok()).collect()
}

#[test]
fn damaged_recipients_files_are_read_in_full_or_not_at_all() {
    let sandbox = Sandbox::new();
    let key = |_| Identity::generate().to_recipient().expect("a key has a public part").to_string();
    let [first, second] = [0, 1].map(key);
    let file = format!("# The office\n{first}\r\n\n  # Home\n{second}\n");
    let (mut read, mut refused) = (0, 0);
    let numbers = numbers(rounds(200, 10_000) * 3, 1 << 20);
    for numbers in numbers.chunks_exact(3) {
        let damaged = damaged(file.as_bytes(), numbers);
        sandbox.write("team.txt", &damaged);
        let outcome = sandbox.run_with(["encrypt", "-R", "team.txt"], b"text");
        let expected: BTreeSet<_> =
            keys::<Recipient>(&damaged).unwrap_or_default().iter().map(ToString::to_string).collect();
        let shown = String::from_utf8_lossy(&damaged);
        if expected.is_empty() {
            assert!(matches!(outcome.status, 1 | 2) && outcome.stdout.is_empty(), "{shown}: {outcome:?}");
            assert!(outcome.stderr.contains("team.txt"), "{shown}: {}", outcome.stderr);
            refused += 1;
        } else {
            assert_eq!(outcome.status, 0, "{shown}: {}", outcome.stderr);
            let header = Decryptor::read(&mut &outcome.stdout[..]).expect("it was just written");
            assert_eq!(header.header().stanzas().len(), expected.len(), "{shown}");
            read += 1;
        }
    }
    assert!(read > 10 && refused > 10, "{read} read, {refused} refused");
    record("damaged recipients files", &format!("{read} read in full, {refused} refused"));
}

#[test]
fn damaged_identity_files_open_nothing_they_should_not_and_reveal_no_secret() {
    let sandbox = Sandbox::new();
    let key = |_| Identity::generate().to_text().expect("a generated identity has a text").expose_secret().to_owned();
    let [first, second] = [0, 1].map(key);
    let opens: Identity = first.parse().expect("it is a key");
    let recipient = opens.to_recipient().expect("a key has a public part").to_string();
    let file = format!("# created: today\n# public key: {recipient}\n{first}\r\n\n{second}\n");
    assert_eq!(sandbox.run_with(["encrypt", "-r", &recipient, "-o", "x.age"], b"text").status, 0);

    let (mut opened, mut refused) = (0, 0);
    let numbers = numbers(rounds(200, 10_000) * 3, 1 << 20);
    for numbers in numbers.chunks_exact(3) {
        let damaged = damaged(file.as_bytes(), numbers);
        sandbox.write("key.txt", &damaged);
        sandbox.set_mode("key.txt", 0o600);
        let outcome = sandbox.run(["decrypt", "-i", "key.txt", "-o", "-", "x.age"]);
        let is_first = |key: &Identity| key.to_text().is_some_and(|text| text.expose_secret() == first);
        let said = [&outcome.stdout[..], outcome.stderr.as_bytes()].concat();
        if keys(&damaged).is_some_and(|keys: Vec<Identity>| keys.iter().any(is_first)) {
            assert_eq!((outcome.status, &outcome.stdout[..]), (0, &b"text"[..]), "{}", outcome.stderr);
            opened += 1;
        } else {
            assert!(matches!(outcome.status, 1..=3) && outcome.stdout.is_empty(), "{outcome:?}");
            refused += 1;
        }
        for secret in [&first, &second] {
            let mut parts = secret.as_bytes()["AGE-SECRET-KEY-1".len()..].windows(10);
            assert!(!parts.any(|part| said.windows(10).any(|words| words == part)), "a secret is revealed");
        }
    }
    assert!(opened > 10 && refused > 10, "{opened} opened, {refused} refused");
    record("damaged identity files", &format!("{opened} opened the file, {refused} refused, no secret told"));
}
