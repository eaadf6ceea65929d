//! Whatever a plugin answers: a file gets the stanzas that it should have and no others, and opens to what it holds or
//! not at all.
//!
//! The first byte of an input says what is asked of the plugin and how the user answers it, the rest is all that the
//! plugin says. The session is in memory; no program is started.

#![no_main]

use std::num::NonZeroUsize;

use libfuzzer_sys::fuzz_target;
use solekey::{
    cli::fuzzing::ScriptedPlugin,
    crypto::{Decryptor, Encryptor, ExternalIdentity, ExternalRecipient, FileKey, Identity, Recipient, Sink, Source},
};

/// For the plugin alone, with a file key that the corpus knows.
const FILE: &[u8] = include_bytes!("../plugin.age");
const PLAINTEXT: &[u8] = b"secret";
const NAME: &str = "fuzz";

/// Encrypts to the plugin and to somebody else, at once or one after the other: that one can open what comes of it.
fn wrap(plugin: ScriptedPlugin, many_stanzas: bool, alone: bool, key: Identity, later: bool) {
    let plugin = Recipient::External { name: NAME.to_owned(), wrapper: Box::new(plugin), many_stanzas };
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
fn unwrap(plugin: ScriptedPlugin) {
    let mut rest = FILE;
    let header = Decryptor::read(&mut rest).expect("it is a file");
    let Ok(unlocked) = header.unlock(&[Identity::External(Box::new(plugin))]) else { return };
    let mut opened = Vec::new();
    let outcome = unlocked.decrypt(Source::Sequential(&mut rest), Sink::Sequential(&mut opened), NonZeroUsize::MIN);
    assert_eq!((outcome.ok(), &opened[..]), (Some(PLAINTEXT.len() as u64), PLAINTEXT));
}

/// Asks for several files in one session.
fn many(plugin: &ScriptedPlugin) {
    let keys: Vec<_> = (0..3).map(|byte| FileKey::new(Box::new([byte; 16]))).collect();
    if let Ok(wrapped) = plugin.wrap(&keys) {
        assert_eq!(wrapped.stanzas.len(), keys.len());
        assert!(wrapped.stanzas.iter().all(|stanzas| !stanzas.is_empty()));
    }
    let header = Decryptor::read(&mut &FILE[..]).expect("it is a file");
    let stanzas = header.header().stanzas();
    if let Ok(unwrapped) = plugin.unwrap(&[stanzas, &[], stanzas]) {
        assert_eq!(unwrapped.len(), 3);
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((how, says)) = input.split_first() else { return };
    let plugin = ScriptedPlugin { says: says.to_vec(), answers: how & 1 != 0 };
    if how & 64 != 0 {
        many(&plugin);
    } else if how & 2 == 0 {
        unwrap(plugin);
    } else {
        let key = if how & 16 == 0 { Identity::generate() } else { Identity::generate_hybrid() };
        wrap(plugin, how & 4 != 0, how & 8 != 0, key, how & 32 != 0);
    }
});
