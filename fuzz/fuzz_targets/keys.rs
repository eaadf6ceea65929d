//! Lines of key files: every key can be printed and parsed again unchanged, and nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solekey::crypto::{Identity, Recipient, secrecy::ExposeSecret};

fuzz_target!(|input: &[u8]| {
    // `from_ssh` gets whole files, even ones that look nothing like an SSH key.
    let _ = Identity::from_ssh(input);
    for line in String::from_utf8_lossy(input).lines() {
        if let Ok(recipient) = line.parse::<Recipient>() {
            let text = recipient.to_string();
            assert_eq!(text.parse::<Recipient>().expect("its own text is a recipient").to_string(), text);
        }
        if let Ok(identity) = line.parse::<Identity>() {
            let text = identity.to_text().expect("it was parsed from text");
            let again: Identity = text.expose_secret().parse().expect("its own text is an identity");
            let recipient = |identity: Identity| identity.to_recipient().expect("a key has a public part").to_string();
            assert_eq!(recipient(identity), recipient(again));
        }
    }
});
