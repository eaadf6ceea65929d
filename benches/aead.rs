//! The benchmark that decided the choice of AEAD library: ChaCha20-Poly1305 over chunks of 64 KiB, from one buffer into
//! another, or in place if a library supports nothing else.

use std::hint::black_box;

use chacha20poly1305::{AeadInPlace, KeyInit};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 12] = [9; 12];

fn seal(c: &mut Criterion) {
    let mut group = c.benchmark_group("seal");
    group.throughput(Throughput::Bytes(CHUNK as u64));
    let plaintext = vec![1; CHUNK];
    let mut sealed = vec![0; CHUNK + TAG];

    group.bench_function("aws-lc-rs", |b| {
        use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &KEY).expect("the key has the right length"));
        b.iter(|| {
            let (ciphertext, tag) = sealed.split_at_mut(CHUNK);
            let nonce = Nonce::assume_unique_for_key(NONCE);
            key.seal_out_of_place_scatter(nonce, Aad::empty(), black_box(&plaintext), ciphertext, &[], tag)
        });
    });
    #[cfg(feature = "openssl")]
    group.bench_function("OpenSSL", |b| {
        use openssl::{cipher::Cipher, cipher_ctx::CipherCtx};
        let cipher = Cipher::fetch(None, "ChaCha20-Poly1305", None).expect("it is built in");
        b.iter(|| {
            let (ciphertext, tag) = sealed.split_at_mut(CHUNK);
            let mut context = CipherCtx::new().expect("there is memory");
            context.encrypt_init(Some(&cipher), Some(&KEY), Some(&NONCE)).expect("the lengths are right");
            context.cipher_update(black_box(&plaintext), Some(ciphertext)).expect("there is room");
            context.cipher_final(&mut []).and_then(|_| context.tag(tag)).expect("there is a tag");
        });
    });
    group.bench_function("ring, in place", |b| {
        use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &KEY).expect("the key has the right length"));
        b.iter(|| {
            let nonce = Nonce::assume_unique_for_key(NONCE);
            key.seal_in_place_separate_tag(nonce, Aad::empty(), black_box(&mut sealed[..CHUNK]))
        });
    });
    group.bench_function("RustCrypto, in place", |b| {
        let key = chacha20poly1305::ChaCha20Poly1305::new(&KEY.into());
        b.iter(|| key.encrypt_in_place_detached(&NONCE.into(), &[], black_box(&mut sealed[..CHUNK])));
    });
}

fn open(c: &mut Criterion) {
    let mut group = c.benchmark_group("open");
    group.throughput(Throughput::Bytes(CHUNK as u64));
    let key = chacha20poly1305::ChaCha20Poly1305::new(&KEY.into());
    let mut ciphertext = vec![1; CHUNK];
    let tag = key.encrypt_in_place_detached(&NONCE.into(), &[], &mut ciphertext).expect("the length is right");
    let sealed = [&ciphertext[..], &tag].concat();
    let mut plaintext = vec![0; CHUNK];

    group.bench_function("aws-lc-rs", |b| {
        use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &KEY).expect("the key has the right length"));
        b.iter(|| {
            let nonce = Nonce::assume_unique_for_key(NONCE);
            let (ciphertext, tag) = black_box(&sealed).split_at(CHUNK);
            key.open_separate_gather(nonce, Aad::empty(), ciphertext, tag, &mut plaintext).expect("it is authentic");
        });
    });
    #[cfg(feature = "openssl")]
    group.bench_function("OpenSSL", |b| {
        use openssl::{cipher::Cipher, cipher_ctx::CipherCtx};
        let cipher = Cipher::fetch(None, "ChaCha20-Poly1305", None).expect("it is built in");
        b.iter(|| {
            let (ciphertext, tag) = black_box(&sealed).split_at(CHUNK);
            let mut context = CipherCtx::new().expect("there is memory");
            context.decrypt_init(Some(&cipher), Some(&KEY), Some(&NONCE)).expect("the lengths are right");
            context.set_tag(tag).expect("the length is right");
            context.cipher_update(ciphertext, Some(&mut plaintext)).expect("there is room");
            context.cipher_final(&mut []).expect("it is authentic");
        });
    });
    // Opening in place destroys the ciphertext, so the copy that the program would need is part of the cost.
    let mut buffer = vec![0; CHUNK + TAG];
    group.bench_function("ring, in a copy", |b| {
        use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &KEY).expect("the key has the right length"));
        b.iter(|| {
            buffer.copy_from_slice(black_box(&sealed));
            let nonce = Nonce::assume_unique_for_key(NONCE);
            key.open_in_place(nonce, Aad::empty(), &mut buffer).expect("it is authentic").len()
        });
    });
    group.bench_function("RustCrypto, in a copy", |b| {
        b.iter(|| {
            plaintext.copy_from_slice(black_box(&sealed[..CHUNK]));
            key.decrypt_in_place_detached(&NONCE.into(), &[], &mut plaintext, &tag).expect("it is authentic");
        });
    });
}

criterion_group!(benches, seal, open);
criterion_main!(benches);
