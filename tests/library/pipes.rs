//! Streams that stall, end early, or are longer than a 32-bit length can express.

use std::{
    io::{self, Read, Write, pipe},
    num::NonZeroUsize,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use solekey::crypto::{
    CHUNK, Decryptor, Encryptor, Error, Identity, PAYLOAD_NONCE, PayloadFault, SEALED_CHUNK, Sink, Source,
};

use crate::watchdog::within_two_minutes;

/// The numbers of threads that must all work.
const THREADS: [usize; 4] = [1, 2, 3, 8];

fn threads(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("the number is not zero")
}

fn encryptor(identity: &Identity) -> Encryptor {
    let recipient = identity.to_recipient().expect("an X25519 identity has a recipient");
    Encryptor::new(&[recipient]).expect("one recipient is enough")
}

/// A source that returns the pieces sent to it, and blocks between them.
struct Pieces {
    pieces: Receiver<Vec<u8>>,
    rest: Vec<u8>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.pieces.recv().unwrap_or_default();
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }
}

#[test]
fn nothing_is_lost_if_the_producer_stalls_repeatedly() {
    within_two_minutes(|| {
        let longest: Vec<u8> = (0..=250).cycle().take(3_000_100).collect();
        for round in 0..100 {
            let identity = Identity::generate();
            let (send, pieces) = mpsc::sync_channel(0);
            let plaintext = &longest[..3_000_000 + round];
            let sent = plaintext.to_vec();
            let producer = thread::spawn(move || {
                for piece in sent.chunks(700_001) {
                    thread::sleep(Duration::from_micros(300));
                    send.send(piece.to_vec()).expect("the reader is still open");
                }
            });
            let mut source = Pieces { pieces, rest: Vec::new() };
            let mut file = Vec::new();
            let number = threads(THREADS[round % THREADS.len()]);
            let outcome =
                encryptor(&identity).encrypt(Source::Sequential(&mut source), Sink::Sequential(&mut file), number);
            outcome.expect("nothing fails");
            producer.join().expect("the producer does not panic");

            let mut rest = &file[..];
            let unlocked = Decryptor::read(&mut rest).and_then(|decryptor| decryptor.unlock(&[identity]));
            let mut opened = Vec::new();
            let unlocked = unlocked.expect("the file is encrypted to this identity");
            unlocked
                .decrypt(Source::Sequential(&mut rest), Sink::Sequential(&mut opened), number)
                .expect("it is authentic");
            assert!(opened == plaintext);
        }
    });
}

#[test]
fn a_consumer_that_closes_early_ends_the_run() {
    within_two_minutes(|| {
        for round in 0..200 {
            let (mut reader, mut writer) = pipe().expect("a pipe can be made");
            let consumer = thread::spawn(move || {
                let _ = io::copy(&mut (&mut reader).take(round * 20_000), &mut io::sink());
            });
            let mut endless = io::repeat(7);
            let number = threads(THREADS[usize::try_from(round).expect("a round is less than 200") % THREADS.len()]);
            let sink = Sink::Sequential(&mut writer);
            let outcome = encryptor(&Identity::generate()).encrypt(Source::Sequential(&mut endless), sink, number);
            let Err(Error::Write(error)) = outcome else {
                panic!("writing to a closed pipe does not fail as expected")
            };
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            consumer.join().expect("the consumer does not panic");
        }
    });
}

/// Counts what is written, and checks that all of it is the byte 7.
struct Sevens(u64);

impl Write for Sevens {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // There are gigabytes of them: comparing slices is a hundred times faster than comparing bytes.
        assert!(bytes.chunks(CHUNK).all(|part| part == &[7; CHUNK][..part.len()]));
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Passes bytes on, but flips one bit of the byte at the offset `damaged`.
struct Damaging<R> {
    inner: R,
    position: u64,
    damaged: u64,
}

impl<R: Read> Read for Damaging<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let end = self.position + count as u64;
        if (self.position..end).contains(&self.damaged) {
            buffer[usize::try_from(self.damaged - self.position).expect("it is in the buffer")] ^= 1;
        }
        self.position = end;
        Ok(count)
    }
}

#[test]
fn a_damaged_chunk_far_into_a_pipe_releases_exactly_the_prefix() {
    within_two_minutes(|| {
        const DAMAGED_CHUNK: u64 = (1 << 13) + 21; // Past 512 MiB of plaintext.
        let identity = Identity::generate();
        let (reader, mut writer) = pipe().expect("a pipe can be made");
        let encryptor = encryptor(&identity);
        let header = encryptor.header().as_bytes().len() as u64;
        let producer = thread::spawn(move || {
            let mut plaintext = io::repeat(7).take((DAMAGED_CHUNK + 100) * CHUNK as u64);
            encryptor.encrypt(Source::Sequential(&mut plaintext), Sink::Sequential(&mut writer), threads(2))
        });
        let damaged = header + PAYLOAD_NONCE as u64 + DAMAGED_CHUNK * SEALED_CHUNK as u64 + 5;
        let mut reader = io::BufReader::new(Damaging { inner: reader, position: 0, damaged });
        let unlocked = Decryptor::read(&mut reader).and_then(|decryptor| decryptor.unlock(&[identity]));
        let mut released = Sevens(0);
        let unlocked = unlocked.expect("the file is encrypted to this identity");
        let outcome = unlocked.decrypt(Source::Sequential(&mut reader), Sink::Sequential(&mut released), threads(2));
        let Err(Error::Payload { chunk, fault: PayloadFault::Corrupted }) = outcome else {
            panic!("the damaged chunk is not detected")
        };
        assert_eq!(chunk, DAMAGED_CHUNK);
        assert_eq!(released.0, DAMAGED_CHUNK * CHUNK as u64);
        drop(reader);
        let _ = producer.join().expect("the producer does not panic");
    });
}
