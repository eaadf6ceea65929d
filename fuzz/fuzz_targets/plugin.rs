//! Whatever a plugin answers: a file gets the stanzas that it should have and no others, and opens to what it holds or
//! not at all.
//!
//! The first byte of an input says what is asked of the plugin and how the user answers it, the rest is all that the
//! plugin says. It is a program that plays it, `plugin/age-plugin-fuzz`, since the age crate talks to nothing else: two
//! hundred runs a second. Run with `PATH=fuzz/plugin:$PATH`, from one process at a time.

#![no_main]

use std::{fs, io::Write, num::NonZeroUsize};

use age::{
    Callbacks,
    plugin::{self, IdentityPluginV1, RecipientPluginV1},
};
use libfuzzer_sys::fuzz_target;
use rustix::process::{WaitOptions, wait};
use solekey::crypto::{Decryptor, Encryptor, Identity, Recipient, Sink, Source, secrecy::SecretString};

/// For the plugin alone, with a file key that the corpus knows.
const FILE: &[u8] = include_bytes!("../plugin.age");
const PLAINTEXT: &[u8] = b"secret";
const NAME: &str = "fuzz";

/// Where the plugin finds what it is to say.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plugin/script");

#[derive(Clone)]
struct User {
    answers: bool,
}

impl Callbacks for User {
    fn display_message(&self, _: &str) {}

    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        self.answers.then_some(true)
    }

    fn request_public_string(&self, _: &str) -> Option<String> {
        self.answers.then(|| "an answer\n-> done\n".to_owned())
    }

    fn request_passphrase(&self, _: &str) -> Option<SecretString> {
        self.answers.then(|| SecretString::from("an answer"))
    }
}

fn identity() -> plugin::Identity {
    plugin::Identity::default_for_plugin(NAME).expect("it is a name")
}

/// Encrypts to the plugin and to somebody else, at once or one after the other: that one can open what comes of it.
fn wrap(user: User, many_stanzas: bool, alone: bool, key: Identity, later: bool) {
    let session = RecipientPluginV1::new(NAME, &[], &[identity()], user).expect("PATH has fuzz/plugin in it");
    let plugin = Recipient::External { name: NAME.to_owned(), wrapper: Box::new(session), many_stanzas };
    let other = key.to_recipient().expect("it has one");
    let opens = |header: &[u8]| {
        let header = Decryptor::read(&mut &*header).expect("what is written can be read");
        assert!(header.unlock(std::slice::from_ref(&key)).is_ok(), "the other recipient can open it");
    };
    if later {
        let encryptor = Encryptor::new([&other]).expect("one is enough");
        if let Ok(header) = encryptor.unlocked().rewrap(encryptor.header().stanzas(), [&plugin]) {
            assert!(many_stanzas || header.stanzas().len() == 2, "one stanza for each");
            opens(header.as_bytes());
        }
        return;
    }
    let recipients = if alone { vec![&plugin] } else { vec![&plugin, &other] };
    let Ok(encryptor) = Encryptor::new(recipients.iter().copied()) else { return };
    let stanzas = encryptor.header().stanzas().len();
    assert_eq!(encryptor.stanza_recipients().len(), stanzas);
    assert!(many_stanzas || stanzas == recipients.len(), "one stanza for each");
    if !alone {
        opens(encryptor.header().as_bytes());
    }
}

/// Asks the plugin for the key of a file.
fn unwrap(user: User) {
    let session = IdentityPluginV1::new(NAME, &[identity()], user).expect("PATH has fuzz/plugin in it");
    let mut rest = FILE;
    let header = Decryptor::read(&mut rest).expect("it is a file");
    let Ok(unlocked) = header.unlock(&[Identity::External(Box::new(session))]) else { return };
    let mut opened = Vec::new();
    let outcome = unlocked.decrypt(Source::Sequential(&mut rest), Sink::Sequential(&mut opened), NonZeroUsize::MIN);
    assert_eq!((outcome.ok(), &opened[..]), (Some(PLAINTEXT.len() as u64), PLAINTEXT));
}

fuzz_target!(|input: &[u8]| {
    let Some((how, script)) = input.split_first() else { return };
    // What fits into a pipe is said at once.
    let mut file = fs::File::create(SCRIPT).expect("there is room");
    file.write_all(&script[..script.len().min(60_000)]).expect("there is room");
    drop(file);
    let user = User { answers: how & 1 != 0 };
    if how & 2 == 0 {
        unwrap(user);
    } else {
        let key = if how & 16 == 0 { Identity::generate() } else { Identity::generate_hybrid() };
        wrap(user, how & 4 != 0, how & 8 != 0, key, how & 32 != 0);
    }
    // Nobody else asks what became of the plugin.
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
});
