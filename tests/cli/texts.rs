//! Messages that tests in several modules assert, each with its line ending.

/// The error and hint for encrypting without recipients.
pub(crate) const MISSING_RECIPIENTS: &str = "solekey: error: missing recipients: there is nobody to encrypt to\n\
     solekey: hint: name a public key with -r, a file of public keys with -R, or your own key file with -i, or use a passphrase with -p; 'solekey keygen -o key.txt' makes a key\n";

/// The error and hint for decrypting `x.age`, which has an X25519 stanza, without identities.
pub(crate) const MISSING_IDENTITIES: &str = "solekey: error: cannot decrypt 'x.age': missing identities: the file is for X25519 (an age1... key)\n\
     solekey: hint: name your identity file with -i\n";

/// The error and hint for a mistyped recipient given with `-r`.
pub(crate) fn mistyped_recipient(key: &str) -> String {
    let start = &key[..16];
    format!(
        "solekey: error: -r {start}...: the key's checksum is wrong; it was mistyped or cut off\n\
         solekey: hint: copy the whole key again\n"
    )
}

/// The hint when no identity matches.
pub(crate) const NAME_MATCHING_IDENTITY: &str = "solekey: hint: name the matching identity file with -i\n";

/// The hint for a truncated file.
pub(crate) const FETCH_AGAIN: &str =
    "solekey: hint: fetch the file again; without another copy, use 'solekey salvage' to recover the intact parts\n";

/// The hint for a corrupted file.
pub(crate) const SALVAGE: &str =
    "solekey: hint: without another copy, use 'solekey salvage' to recover the intact parts\n";

/// The hint when an output already exists.
pub(crate) const OUTPUT_EXISTS: &str =
    "solekey: hint: overwrite it with -f, or choose another name with -o, or another folder with -O\n";

/// The hint when an output is also an input or another output.
pub(crate) const CHOOSE_ANOTHER_OUTPUT: &str = "solekey: hint: nothing was written; choose another output with -o\n";

/// The hint when there is no way to ask for a passphrase.
pub(crate) const GIVE_PASSPHRASE: &str = "solekey: hint: give it with --passphrase-file FILE or --passphrase-fd N\n";

/// The hint for a text file in another encoding.
pub(crate) const SAVE_AS_UTF_8: &str = "solekey: hint: save it as UTF-8, without a byte order mark\n";
