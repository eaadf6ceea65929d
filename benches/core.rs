//! The library in memory: headers, armor, and the whole pipeline at 1, 2 and 4 threads.

use std::{
    io::{self, Read, Write},
    num::NonZeroUsize,
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use solekey::crypto::{
    Decryptor, Encryptor, Identity, ReadAt, Recipient, Sink, Source, WriteAt,
    armor::{ArmorReader, ArmorWriter},
};

const PAYLOAD: usize = 64 << 20;

fn recipient(identity: &Identity) -> Recipient {
    identity.to_recipient().expect("an X25519 identity has a recipient")
}

fn threads(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("the number is not zero")
}

fn encrypt(recipients: &[Recipient], plaintext: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let source = Source::Sequential(&mut &plaintext[..]);
    let encryptor = Encryptor::new(recipients).expect("there are recipients");
    encryptor.encrypt(source, Sink::Sequential(&mut file), threads(1)).expect("writing to memory cannot fail");
    file
}

fn header(c: &mut Criterion) {
    let mut group = c.benchmark_group("header");
    for number in [1, 100] {
        let identities: Vec<_> = (0..number).map(|_| Identity::generate()).collect();
        let recipients: Vec<_> = identities.iter().map(recipient).collect();
        group.bench_function(BenchmarkId::new("write", number), |b| b.iter(|| Encryptor::new(&recipients).is_ok()));
        let file = encrypt(&recipients, b"");
        group.bench_function(BenchmarkId::new("read", number), |b| b.iter(|| Decryptor::read(&mut &file[..]).is_ok()));
        let decryptor = Decryptor::read(&mut &file[..]).expect("it is well formed");
        let last = &identities[number - 1..];
        group.bench_function(BenchmarkId::new("unlock with the last", number), |b| {
            b.iter(|| decryptor.unlock(last).is_ok())
        });
    }
}

/// A source of bytes at offsets.
struct Memory(Vec<u8>);

impl ReadAt for Memory {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let offset = usize::try_from(offset).expect("it is in memory");
        (&self.0[offset..]).read(buffer)
    }
}

/// A sink that discards what is written to it.
struct Discard;

impl WriteAt for Discard {
    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }
}

fn pipeline(c: &mut Criterion) {
    let identity = Identity::generate();
    let recipients = [recipient(&identity)];
    let plaintext = Memory(vec![1; PAYLOAD]);
    let file = Memory(encrypt(&recipients, &plaintext.0));
    let decryptor = Decryptor::read(&mut &file.0[..]).expect("it is well formed");
    let start = decryptor.header().as_bytes().len();

    let mut group = c.benchmark_group("pipeline");
    group.throughput(Throughput::Bytes(PAYLOAD as u64)).sample_size(10);
    for number in [1, 2, 4] {
        group.bench_function(BenchmarkId::new("encrypt at offsets", number), |b| {
            b.iter(|| {
                let source = Source::AtOffsets { file: &plaintext, start: 0, length: PAYLOAD as u64 };
                let sink = Sink::AtOffsets { file: &Discard, start: 0 };
                Encryptor::new(&recipients).expect("there is a recipient").encrypt(source, sink, threads(number))
            });
        });
        group.bench_function(BenchmarkId::new("encrypt in turn", number), |b| {
            b.iter(|| {
                let (mut source, mut sink) = (&plaintext.0[..], io::sink());
                let (source, sink) = (Source::Sequential(&mut source), Sink::Sequential(&mut sink));
                Encryptor::new(&recipients).expect("there is a recipient").encrypt(source, sink, threads(number))
            });
        });
        let unlocked =
            || decryptor.unlock(std::slice::from_ref(&identity)).expect("the file is encrypted to this identity");
        group.bench_function(BenchmarkId::new("decrypt at offsets", number), |b| {
            b.iter(|| {
                let length = (file.0.len() - start) as u64;
                let source = Source::AtOffsets { file: &file, start: start as u64, length };
                unlocked().decrypt(source, Sink::AtOffsets { file: &Discard, start: 0 }, threads(number))
            });
        });
        group.bench_function(BenchmarkId::new("decrypt in turn", number), |b| {
            b.iter(|| {
                let (mut source, mut sink) = (&file.0[start..], io::sink());
                unlocked().decrypt(Source::Sequential(&mut source), Sink::Sequential(&mut sink), threads(number))
            });
        });
    }
}

fn armor(c: &mut Criterion) {
    let bytes = vec![1; PAYLOAD];
    let mut group = c.benchmark_group("armor");
    group.throughput(Throughput::Bytes(PAYLOAD as u64)).sample_size(10);
    group.bench_function("write", |b| {
        b.iter(|| {
            let mut writer = ArmorWriter::new(io::sink());
            writer.write_all(&bytes).and_then(|()| writer.finish())
        });
    });
    let mut writer = ArmorWriter::new(Vec::new());
    writer.write_all(&bytes).expect("writing to memory cannot fail");
    let text = writer.finish().expect("writing to memory cannot fail");
    group.bench_function("read", |b| b.iter(|| io::copy(&mut ArmorReader::new(&text[..]), &mut io::sink())));
}

criterion_group!(benches, header, pipeline, armor);
criterion_main!(benches);
