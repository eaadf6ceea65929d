//! ChaCha20-Poly1305 from OpenSSL, which is nearly twice as fast as AWS-LC on CPUs with AVX-512.

use std::sync::LazyLock;

use openssl::{
    cipher::Cipher,
    cipher_ctx::{CipherCtx, CipherCtxRef},
    error::ErrorStack,
    lib_ctx::LibCtx,
};

use crate::crypto::{
    primitives::{
        aead::{TAG, Unauthentic},
        aws_lc,
    },
    secrecy::Zeroizing,
};

/// Plaintexts shorter than this are left to AWS-LC, in bytes.
///
/// Loading the algorithm from OpenSSL takes a millisecond, more than it saves on a small file.
const SHORT: usize = 64 * 1024;

/// ChaCha20-Poly1305 under one key, without associated data.
///
/// Each long message gets its own OpenSSL context, so that workers share no mutable state. Setting one up costs at most
/// 4 % of the time to seal a chunk. OpenSSL wipes the key when it frees a context.
///
/// Spec: <https://www.rfc-editor.org/rfc/rfc8439#section-2.8>.
pub(crate) struct ChaCha20Poly1305 {
    key: Zeroizing<[u8; 32]>,
    short: aws_lc::ChaCha20Poly1305,
}

/// OpenSSL's implementation of the algorithm, loaded once.
struct Algorithm {
    cipher: Cipher,
    /// Owns the cipher. Not OpenSSL's default library context, because a system configuration can disable algorithms there.
    _library: LibCtx,
}

static ALGORITHM: LazyLock<Algorithm> = LazyLock::new(|| {
    let fetch = || {
        let library = LibCtx::new()?;
        let cipher = Cipher::fetch(Some(&library), "ChaCha20-Poly1305", None)?;
        Ok::<_, ErrorStack>(Algorithm { cipher, _library: library })
    };
    fetch().expect("OpenSSL 3's default provider has ChaCha20-Poly1305")
});

impl ChaCha20Poly1305 {
    /// Prepares the cipher for `key`.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self { key: Zeroizing::new(*key), short: aws_lc::ChaCha20Poly1305::new(key) }
    }

    /// Encrypts `plaintext` and writes ciphertext then tag to `sealed`.
    ///
    /// `sealed` is [`TAG`] bytes longer than `plaintext`. A nonce must not be used twice under one key.
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
        seal().expect("sealed is exactly one tag longer than plaintext, and both are far below the cipher's limit");
    }

    /// Checks the tag of `sealed` and decrypts it to `plaintext`.
    ///
    /// `sealed` is ciphertext then tag, at least [`TAG`] bytes. `plaintext` is [`TAG`] bytes shorter.
    ///
    /// # Errors
    ///
    /// [`Unauthentic`] if the tag does not verify. `plaintext` then holds zeros.
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
            // OpenSSL decrypts before it compares tags.
            plaintext.fill(0);
            Unauthentic
        })
    }
}

/// Passes all of `input` through the cipher.
///
/// # Errors
///
/// When decrypting, if the tag that was set does not verify.
fn run(context: &mut CipherCtxRef, input: &[u8], output: &mut [u8]) -> Result<(), ErrorStack> {
    context.cipher_update(input, Some(output))?;
    context.cipher_final(&mut []).map(|_| ())
}
