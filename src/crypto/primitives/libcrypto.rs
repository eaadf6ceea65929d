//! The AEAD from OpenSSL, whose code for AVX-512 is nearly twice as fast as AWS-LC's.

use std::sync::LazyLock;

use openssl::{
    cipher::Cipher,
    cipher_ctx::{CipherCtx, CipherCtxRef},
    error::ErrorStack,
    lib_ctx::LibCtx,
};

use crate::crypto::secrecy::Zeroizing;
use crate::crypto::primitives::{TAG, Unauthentic, aws_lc};

/// Shorter plaintexts are AWS-LC's: getting OpenSSL ready takes a millisecond, which a small file would not win back.
const SHORT: usize = 64 * 1024;

/// ChaCha20-Poly1305 (RFC 8439) under one key, with no associated data.
///
/// Every long message has a context of its own, so that workers share nothing that changes; that costs at most 4 % of
/// sealing a chunk. OpenSSL wipes the key in a context that it frees.
pub(crate) struct ChaCha20Poly1305 {
    key: Zeroizing<[u8; 32]>,
    short: aws_lc::ChaCha20Poly1305,
}

/// OpenSSL's code for the algorithm, looked up once.
struct Algorithm {
    cipher: Cipher,
    /// Owns the cipher. Not the default one, for which the system's configuration can leave algorithms out.
    _library: LibCtx,
}

static ALGORITHM: LazyLock<Algorithm> = LazyLock::new(|| {
    let fetch = || {
        let library = LibCtx::new()?;
        let cipher = Cipher::fetch(Some(&library), "ChaCha20-Poly1305", None)?;
        Ok::<_, ErrorStack>(Algorithm { cipher, _library: library })
    };
    fetch().expect("OpenSSL has the algorithm built in")
});

impl ChaCha20Poly1305 {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self { key: Zeroizing::new(*key), short: aws_lc::ChaCha20Poly1305::new(key) }
    }

    /// `sealed = ciphertext || tag`; it is [`TAG`] bytes longer than `plaintext`.
    pub(crate) fn seal(&self, nonce: [u8; 12], plaintext: &[u8], sealed: &mut [u8]) {
        if plaintext.len() < SHORT {
            return self.short.seal(nonce, plaintext, sealed);
        }
        let (ciphertext, tag) = sealed.split_at_mut(plaintext.len());
        let mut seal = || {
            let mut context = CipherCtx::new()?;
            context.encrypt_init(Some(&ALGORITHM.cipher), Some(&self.key[..]), Some(&nonce))?;
            run(&mut context, plaintext, ciphertext)?;
            context.tag(tag)
        };
        seal().expect("the lengths agree, and are far below the algorithm's limit");
    }

    /// The inverse of [`seal`](Self::seal). `sealed` is at least [`TAG`] bytes, and stays as it is.
    pub(crate) fn open(&self, nonce: [u8; 12], sealed: &[u8], plaintext: &mut [u8]) -> Result<(), Unauthentic> {
        if plaintext.len() < SHORT {
            return self.short.open(nonce, sealed, plaintext);
        }
        let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG);
        let mut open = || {
            let mut context = CipherCtx::new()?;
            context.decrypt_init(Some(&ALGORITHM.cipher), Some(&self.key[..]), Some(&nonce))?;
            context.set_tag(tag)?;
            run(&mut context, ciphertext, plaintext)
        };
        open().map_err(|_: ErrorStack| {
            // OpenSSL deciphers before it compares tags.
            plaintext.fill(0);
            Unauthentic
        })
    }
}

/// All of `input` through the cipher. When opening, it fails unless the tag that was set is the right one.
fn run(context: &mut CipherCtxRef, input: &[u8], output: &mut [u8]) -> Result<(), ErrorStack> {
    context.cipher_update(input, Some(output))?;
    context.cipher_final(&mut []).map(|_| ())
}
