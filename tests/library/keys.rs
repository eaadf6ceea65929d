//! Recipients and identities of every kind: who gets a stanza, who can open a file, and how invalid keys are reported.

use std::{
    collections::HashSet,
    fs, io,
    process::Command,
    sync::{Arc, Mutex},
};

use solekey::crypto::{
    Decryptor, Encryptor, Error, ExternalIdentity, ExternalRecipient, FileKey, Identity, Match, ParseIdentityError,
    ParseRecipientError, Recipient, SshPrivateKeyError, SshPublicKeyError, Stanza, UnwrappedKey, WORK_FACTOR_LIMIT,
    WrappedKeys,
    secrecy::{ExposeSecret, SecretString},
};

use crate::requirements::installed;

fn recipient_of(identity: &Identity) -> Recipient {
    identity.to_recipient().expect("a key has a public part")
}

fn header(recipients: &[Recipient]) -> Decryptor {
    let encryptor = Encryptor::new(recipients).expect("they can share a file");
    let decryptor = Decryptor::read(&mut encryptor.header().as_bytes()).expect("our own header is well formed");
    assert_eq!(decryptor.header().stanzas().len(), recipients.len());
    decryptor
}

/// A key pair made by ssh-keygen, or `None` if there is no ssh-keygen.
fn ssh_key(kind: &str, passphrase: &str) -> Option<(Identity, Recipient)> {
    if !installed(&["ssh-keygen"]) {
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", passphrase, "-f"]).arg(&path).status();
    assert!(made.expect("ssh-keygen starts").success());
    let secret = fs::read(&path).expect("ssh-keygen wrote a secret key");
    let public = fs::read_to_string(path.with_extension("pub")).expect("ssh-keygen wrote a public key");
    let identity = Identity::from_ssh(&secret).expect("the secret key is well formed");
    Some((identity, public.parse().expect("the public key is well formed")))
}

#[test]
fn each_recipient_gets_one_stanza_in_order_and_can_open_it() {
    let mut keys: Vec<_> = (0..3).map(|_| Identity::generate()).map(|key| (recipient_of(&key), key)).collect();
    for kind in ["ed25519", "rsa"] {
        if let Some((identity, recipient)) = ssh_key(kind, "") {
            assert_eq!(recipient_of(&identity).to_string(), recipient.to_string());
            keys.insert(1, (recipient, identity));
        }
    }
    let (recipients, identities): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let types: Vec<_> = recipients
        .iter()
        .map(|recipient| match recipient {
            Recipient::X25519(_) => "X25519".to_owned(),
            other => other.to_string().split(' ').next().expect("a split gives a first part").to_owned(),
        })
        .collect();
    let decryptor = header(&recipients);
    let found: Vec<_> = decryptor.header().stanzas().iter().map(|stanza| stanza.tag.clone()).collect();
    assert_eq!(found, types);
    for identity in &identities {
        decryptor.unlock(std::slice::from_ref(identity)).expect("it is a recipient");
    }
    let stranger = [Identity::generate()];
    assert!(matches!(decryptor.unlock(&stranger), Err(Error::NoMatch(_))));
}

#[test]
fn a_locked_ssh_key_opens_nothing_until_it_is_unlocked() {
    let Some((locked, recipient)) = ssh_key("ed25519", "open sesame") else { return };
    assert!(locked.is_locked());
    assert_eq!(recipient_of(&locked).to_string(), recipient.to_string());
    let decryptor = header(&[recipient]);
    let wrong = locked.unlock(SecretString::from("wrong"));
    assert!(matches!(wrong, Err(Error::WrongPassphrase)));
    assert!(matches!(decryptor.unlock(std::slice::from_ref(&locked)), Err(Error::NoMatch(_))));
    let open = locked.unlock(SecretString::from("open sesame")).expect("the passphrase is right");
    assert!(!open.is_locked());
    decryptor.unlock(&[open]).expect("it is a recipient");
}

#[test]
fn a_passphrase_excludes_other_recipients_and_a_wrong_one_has_its_own_error() {
    let passphrase = || Recipient::passphrase(SecretString::from("correct horse"));
    let decryptor = header(&[passphrase()]);
    assert!(decryptor.header().is_passphrase());
    let open = |text: &str, limit| decryptor.unlock(&[Identity::passphrase(SecretString::from(text), limit)]).map(drop);
    open("correct horse", WORK_FACTOR_LIMIT).expect("the passphrase is right");
    assert!(matches!(open("wrong", WORK_FACTOR_LIMIT), Err(Error::WrongPassphrase)));
    assert!(matches!(open("correct horse", 17), Err(Error::WorkFactor { required: 18, limit: 17 })));
    assert!(matches!(decryptor.unlock(&[Identity::generate()]), Err(Error::NoMatch(_))));

    let mixed = [passphrase(), recipient_of(&Identity::generate())];
    assert!(matches!(Encryptor::new(&mixed), Err(Error::Incompatible)));
    assert!(matches!(Encryptor::new(&[passphrase(), passphrase()]), Err(Error::Incompatible)));
    assert!(matches!(Encryptor::new(&[]), Err(Error::NoRecipients)));
}

#[test]
fn post_quantum_recipients_can_share_a_file_but_not_with_classic_ones() {
    let identities = [Identity::generate_hybrid(), Identity::generate_hybrid()];
    let decryptor = header(&identities.iter().map(recipient_of).collect::<Vec<_>>());
    assert_eq!(decryptor.stanza_types(), ["mlkem768x25519"]);
    for identity in &identities {
        decryptor.unlock(std::slice::from_ref(identity)).expect("it is a recipient");
        let text = identity.to_text().expect("a generated identity has a text");
        let again: Identity = text.expose_secret().parse().expect("it is well formed");
        assert_eq!(recipient_of(&again).to_string(), recipient_of(identity).to_string());
        assert!(text.expose_secret().to_lowercase().parse::<Identity>().is_err());
    }
    assert!(matches!(decryptor.unlock(&[Identity::generate_hybrid()]), Err(Error::NoMatch(_))));

    let mixed = [recipient_of(&identities[0]), recipient_of(&Identity::generate())];
    assert!(matches!(Encryptor::new(&mixed), Err(Error::MixedQuantumSafety)));
}

#[test]
fn files_can_be_encrypted_to_tag_recipients() {
    // Any point on the curve serves as a public key. Nobody holds the secret key of this one.
    let recipient: Recipient =
        "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e".parse().expect("it is well formed");
    let decryptor = header(&[recipient]);
    assert_eq!(decryptor.stanza_types(), ["p256tag"]);
    assert_eq!(decryptor.header().stanzas()[0].body.len(), 32);
}

#[test]
fn a_recipient_is_certain_of_its_stanza_only_if_the_stanza_names_its_key() {
    let tag = || -> Recipient {
        "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e".parse().expect("it is well formed")
    };
    let x25519 = Identity::generate();
    let mut keys = vec![recipient_of(&x25519), tag()];
    keys.extend(ssh_key("ed25519", "").map(|(_, recipient)| recipient));
    let decryptor = header(&keys);
    for (index, recipient) in keys.iter().enumerate() {
        for (place, stanza) in decryptor.header().stanzas().iter().enumerate() {
            let own = if index == 0 { Match::Unknown } else { Match::Yes };
            assert_eq!(recipient.matches(stanza), if place == index { own } else { Match::No });
        }
    }
    let Stanza { tag: kind, args, body } = &decryptor.header().stanzas()[1];
    let mut other = Stanza { tag: kind.clone(), args: args.clone(), body: body.clone() };
    let changed = if other.args[1].as_bytes()[4] == b'A' { "B" } else { "A" };
    other.args[1].replace_range(4..5, changed);
    assert_eq!(tag().matches(&other), Match::No);
    other.args.clear();
    assert_eq!(tag().matches(&other), Match::No);
}

#[test]
fn an_identity_finds_all_its_stanzas_and_a_stranger_finds_none() {
    let identities = [Identity::generate(), Identity::generate(), Identity::generate()];
    let decryptor = header(&identities.iter().map(recipient_of).collect::<Vec<_>>());
    for (index, identity) in identities.iter().enumerate() {
        let found = decryptor.stanzas_of(std::slice::from_ref(identity)).expect("it is a recipient");
        assert_eq!(found, [index]);
    }
    assert_eq!(decryptor.stanzas_of(&identities).expect("they are recipients"), [0, 1, 2]);
    assert!(matches!(decryptor.stanzas_of(&[Identity::generate()]), Err(Error::NoMatch(_))));
}

#[test]
fn a_duplicate_recipient_is_refused() {
    let identity = Identity::generate();
    let twice = [recipient_of(&identity), recipient_of(&identity)];
    assert!(matches!(Encryptor::new(&twice), Err(Error::HeaderCount { stanzas: 2, recipients: 1 })));
}

#[test]
fn every_spelling_of_a_recipient_has_the_same_canonical_text() {
    for identity in [Identity::generate(), Identity::generate_hybrid()] {
        equal_texts(&recipient_of(&identity).to_string());
    }
}

fn equal_texts(text: &str) {
    for spelling in [text.to_owned(), text.to_uppercase(), format!("  {text}\t")] {
        let recipient: Recipient = spelling.parse().expect("it is well formed");
        assert_eq!(recipient.to_string(), text);
    }
}

#[test]
fn an_invalid_recipient_is_reported_as_what_it_looks_like() {
    let secret = Identity::generate().to_text().expect("a generated identity has a text");
    let parse = |text: &str| text.parse::<Recipient>().err().expect("it is not a recipient");
    assert_eq!(parse(secret.expose_secret()), ParseRecipientError::SecretKey);
    assert_eq!(parse(&secret.expose_secret().to_lowercase()), ParseRecipientError::SecretKey);
    assert_eq!(parse("-----BEGIN OPENSSH PRIVATE KEY-----"), ParseRecipientError::SecretKey);
    let public = recipient_of(&Identity::generate()).to_string();
    assert_eq!(parse(&public[..public.len() - 1]), ParseRecipientError::Mistyped);
    // A plugin's key. The prefixes of built-in types are not plugin names.
    let plugin = "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt";
    assert_eq!(parse(plugin), ParseRecipientError::Plugin("yubikey".into()));
    assert_eq!(parse(&plugin.to_uppercase()), ParseRecipientError::Plugin("yubikey".into()));
    assert_eq!(parse(&plugin.replace("q2w7", "q2w8")), ParseRecipientError::Mistyped);
    let hybrid = recipient_of(&Identity::generate_hybrid()).to_string();
    assert_eq!(parse(&hybrid[..hybrid.len() - 1]), ParseRecipientError::Mistyped);
    let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA==";
    assert_eq!(parse(ecdsa), ParseRecipientError::Ssh(SshPublicKeyError::Unsupported("ecdsa-sha2-nistp256".into())));
    assert!(matches!(parse("ssh-ed25519 AAAA"), ParseRecipientError::Ssh(SshPublicKeyError::Malformed(_))));
    for text in ["", "alice", "ssh", "alice@example.com and others"] {
        assert_eq!(parse(text), ParseRecipientError::Unknown, "{text}");
    }
}

#[test]
fn an_invalid_identity_is_reported_as_what_it_looks_like_and_never_shown() {
    let secret = Identity::generate().to_text().expect("a generated identity has a text");
    let secret = secret.expose_secret();
    let public = recipient_of(&Identity::generate()).to_string();
    let cases = [
        (&secret[..secret.len() - 1], ParseIdentityError::Mistyped),
        ("AGE-SECRET-KEY-PQ-1QQQQQQ", ParseIdentityError::Mistyped),
        ("AGE-PLUGIN-FOOBAR-1QVHULF", ParseIdentityError::Plugin("foobar".into())),
        ("AGE-PLUGIN-FOOBAR-1QVHULG", ParseIdentityError::Mistyped),
        (&public, ParseIdentityError::PublicKey),
        ("ssh-ed25519 AAAA", ParseIdentityError::PublicKey),
        ("hunter22hunter22", ParseIdentityError::Unknown),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Identity>().err().expect("it is not an identity");
        assert_eq!(error, expected);
        assert!(!error.to_string().contains(&text[..16.min(text.len())]));
    }
    assert_eq!(
        Identity::from_ssh(b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n").err(),
        Some(SshPrivateKeyError::Malformed)
    );
}

/// The base point of X25519's curve.
const POINT: &str = "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The same stanzas for each file key, without labels.
fn each(file_keys: &[FileKey], stanzas: impl Fn() -> Vec<Stanza>) -> WrappedKeys {
    WrappedKeys { stanzas: file_keys.iter().map(|_| stanzas()).collect(), labels: HashSet::new() }
}

/// An external recipient that returns the same stanza for every file key: type, arguments and length of the body.
struct Gives(&'static str, &'static [&'static str], usize);

impl ExternalRecipient for Gives {
    fn wrap(&self, file_keys: &[FileKey]) -> io::Result<WrappedKeys> {
        let args = || self.1.iter().map(|&argument| argument.to_owned()).collect();
        Ok(each(file_keys, || vec![Stanza { tag: self.0.to_owned(), args: args(), body: vec![7; self.2] }]))
    }
}

#[test]
fn an_external_stanza_that_would_lock_out_other_recipients_is_refused() {
    let key = Identity::generate();
    for (stanza, is_well_formed) in [
        (Gives("another", &[], 0), true),
        (Gives("X25519", &[POINT], 32), true),
        (Gives("X25519", &["AAAA"], 32), false),
        (Gives("X25519", &[], 32), false),
        (Gives("X25519", &[POINT], 31), false),
        (Gives("mlkem768x25519", &["AAAA"], 32), false),
        (Gives("ssh-rsa", &["AAAAAA"], 256), true),
        (Gives("ssh-rsa", &[], 256), false),
        (Gives("ssh-rsa", &["AAAAAA", POINT], 256), false),
        (Gives("ssh-ed25519", &["AAAAAA", POINT], 32), true),
        (Gives("ssh-ed25519", &["AAAAAA", "AAAA"], 32), false),
        (Gives("ssh-ed25519", &["AAAAAA"], 32), false),
    ] {
        let described = format!("{} {:?} {}", stanza.0, stanza.1, stanza.2);
        let external = Recipient::External { name: "it".to_owned(), wrapper: Box::new(stanza), many_stanzas: false };
        match Encryptor::new([&external, &recipient_of(&key)]) {
            Ok(encryptor) => {
                assert!(is_well_formed, "{described}");
                let header = Decryptor::read(&mut encryptor.header().as_bytes()).expect("it is well formed");
                assert!(header.unlock(std::slice::from_ref(&key)).is_ok(), "{described} locks out another recipient");
            }
            Err(Error::Wrap(text)) => {
                assert!(!is_well_formed && text.starts_with("it gave a malformed"), "{described}")
            }
            Err(other) => panic!("{described}: {other}"),
        }
    }
}

/// Copies a stanza. If `name` is given, the copy names that key instead.
fn copy(stanza: &Stanza, name: Option<&str>) -> Stanza {
    let mut args = stanza.args.clone();
    if let Some(name) = name {
        args[0] = name.to_owned();
    }
    Stanza { tag: stanza.tag.clone(), args, body: stanza.body.clone() }
}

/// An external recipient that returns a copy of an existing stanza.
struct Repeats(Stanza);

impl ExternalRecipient for Repeats {
    fn wrap(&self, file_keys: &[FileKey]) -> io::Result<WrappedKeys> {
        Ok(each(file_keys, || vec![copy(&self.0, None)]))
    }
}

#[test]
fn an_external_stanza_that_names_another_recipient_is_refused() {
    for kind in ["ed25519", "rsa"] {
        let Some((identity, recipient)) = ssh_key(kind, "") else { return };
        let sealed = Encryptor::new([&recipient]).expect("one recipient is enough");
        let header = Decryptor::read(&mut sealed.header().as_bytes()).expect("it is well formed");
        let stanza = &header.header().stanzas()[0];
        let external = |name| Recipient::External {
            name: "it".to_owned(),
            wrapper: Box::new(Repeats(copy(stanza, name))),
            many_stanzas: false,
        };
        // The owner of that key would take this stanza for its own and fail: it holds another file's key, or none.
        let refused = Encryptor::new([&external(None), &recipient]).err();
        let said = "it gave a stanza in another recipient's name";
        assert!(matches!(&refused, Some(Error::Wrap(text)) if text.starts_with(said)), "{kind}");
        assert!(matches!(Encryptor::new([&recipient, &external(None)]), Err(Error::Wrap(_))), "{kind}");

        let encryptor =
            Encryptor::new([&external(Some("AAAAAA")), &recipient]).expect("no recipient here has that name");
        let header = Decryptor::read(&mut encryptor.header().as_bytes()).expect("it is well formed");
        assert!(header.unlock(&[identity]).is_ok(), "{kind}");
    }
}

/// An external recipient that returns a number of empty stanzas of one type for every file key.
struct Writes(&'static str, usize);

impl ExternalRecipient for Writes {
    fn wrap(&self, file_keys: &[FileKey]) -> io::Result<WrappedKeys> {
        let stanza = |_| Stanza { tag: self.0.to_owned(), args: Vec::new(), body: Vec::new() };
        Ok(each(file_keys, || (0..self.1).map(stanza).collect()))
    }
}

#[test]
fn an_external_recipient_writes_one_stanza_or_more_if_allowed_but_never_none() {
    let stanzas = |count, many_stanzas| {
        let external =
            Recipient::External { name: "it".to_owned(), wrapper: Box::new(Writes("another", count)), many_stanzas };
        match Encryptor::new([&external, &recipient_of(&Identity::generate())]) {
            Ok(encryptor) => Some(encryptor.stanza_recipients().to_vec()),
            Err(Error::StanzaCount { recipient, stanzas }) => {
                assert_eq!((recipient.as_str(), stanzas), ("it", count));
                None
            }
            Err(other) => panic!("{count}: {other}"),
        }
    };
    assert_eq!([false, true].map(|many| stanzas(0, many)), [None, None]);
    assert_eq!([false, true].map(|many| stanzas(1, many)), [Some(vec![0, 1]), Some(vec![0, 1])]);
    assert_eq!([false, true].map(|many| stanzas(2, many)), [None, Some(vec![0, 0, 1])]);
}

#[test]
fn an_external_recipient_wraps_the_file_keys_of_many_files_at_once() {
    struct Counts(Arc<Mutex<Vec<usize>>>);

    impl ExternalRecipient for Counts {
        fn wrap(&self, file_keys: &[FileKey]) -> io::Result<WrappedKeys> {
            self.0.lock().expect("no test panics while it counts").push(file_keys.len());
            let stanza = |key: &FileKey| {
                vec![Stanza { tag: "another".to_owned(), args: Vec::new(), body: key.expose_secret().to_vec() }]
            };
            Ok(WrappedKeys { stanzas: file_keys.iter().map(stanza).collect(), labels: HashSet::new() })
        }
    }

    let calls = Arc::default();
    let wrapper = Box::new(Counts(Arc::clone(&calls)));
    let external = Recipient::External { name: "it".to_owned(), wrapper, many_stanzas: false };
    let key = Identity::generate();
    let encryptors = Encryptor::new_many([&external, &recipient_of(&key)], 5).expect("they are compatible");
    assert_eq!(*calls.lock().expect("no test panics while it counts"), [5]);
    let bodies: HashSet<_> = encryptors.iter().map(|encryptor| encryptor.header().stanzas()[0].body.clone()).collect();
    assert_eq!((encryptors.len(), bodies.len()), (5, 5));
    // The other recipient of each file has the key that the first was given.
    for encryptor in encryptors {
        let header = Decryptor::read(&mut encryptor.header().as_bytes()).expect("it was just written");
        assert_eq!(header.stanzas_of(std::slice::from_ref(&key)).expect("it is for this key"), [1]);
    }
}

/// An external recipient and identity that returns this many results, whatever it is asked for.
struct Miscounts(usize);

impl ExternalRecipient for Miscounts {
    fn wrap(&self, _: &[FileKey]) -> io::Result<WrappedKeys> {
        let stanza = |_| vec![Stanza { tag: "another".to_owned(), args: Vec::new(), body: Vec::new() }];
        Ok(WrappedKeys { stanzas: (0..self.0).map(stanza).collect(), labels: HashSet::new() })
    }
}

impl ExternalIdentity for Miscounts {
    fn unwrap(&self, _: &[&[Stanza]]) -> io::Result<Vec<UnwrappedKey>> {
        Ok((0..self.0).map(|_| None).collect())
    }
}

#[test]
fn an_external_program_must_give_one_result_for_each_file() {
    let key = Identity::generate();
    let header = header(&[recipient_of(&key)]);
    for count in [0, 1, 2] {
        let wrapper = Box::new(Miscounts(count));
        let external = Recipient::External { name: "it".to_owned(), wrapper, many_stanzas: true };
        let encrypted = Encryptor::new([&external]);
        assert!(matches!(&encrypted, Err(Error::External(_))) == (count != 1), "{count}");
        let unlocked = header.unlock(&[Identity::External(Box::new(Miscounts(count)))]);
        let expected = if count == 1 {
            matches!(unlocked, Err(Error::NoMatch(_)))
        } else {
            matches!(unlocked, Err(Error::External(_)))
        };
        assert!(expected, "{count}");
    }
}

#[test]
fn an_external_passphrase_stanza_must_be_the_only_stanza() {
    let external = |count| Recipient::External {
        name: "it".to_owned(),
        wrapper: Box::new(Writes("scrypt", count)),
        many_stanzas: true,
    };
    let (one, two, key) = (external(1), external(2), recipient_of(&Identity::generate()));
    let encryptor = Encryptor::new([&key]).expect("one recipient is enough");
    let kept = &encryptor.header().stanzas()[0];
    let rewrap = |kept: &[&Stanza], added: &[&Recipient]| {
        encryptor.unlocked().rewrap(kept.iter().copied(), added.iter().copied()).map(drop)
    };
    let encrypt = |recipients: &[&Recipient]| Encryptor::new(recipients.iter().copied()).map(drop);
    assert!(encrypt(&[&one]).is_ok() && rewrap(&[], &[&one]).is_ok());
    for refused in [
        encrypt(&[&two]),
        encrypt(&[&one, &key]),
        encrypt(&[&key, &one]),
        rewrap(&[kept], &[&one]),
        rewrap(&[kept], &[&one, &key]),
    ] {
        assert!(matches!(&refused, Err(Error::SharedPassphrase { .. })), "{refused:?}");
    }
}

#[test]
fn an_added_recipient_must_be_compatible_with_the_kept_stanzas() {
    let classic = recipient_of(&Identity::generate());
    let hybrid = recipient_of(&Identity::generate_hybrid());
    let unlocked = Encryptor::new([&classic]).expect("one recipient is enough").unlocked();
    let added = |kept: &Stanza, recipient: &Recipient| {
        unlocked.rewrap([kept], [recipient]).map(|header| header.stanzas().len())
    };
    let empty = |tag: &str| Stanza { tag: tag.to_owned(), args: Vec::new(), body: Vec::new() };
    let of = |recipient: &Recipient| {
        let encryptor = Encryptor::new([recipient]).expect("one recipient is enough");
        copy(&encryptor.header().stanzas()[0], None)
    };
    for kept in [of(&classic), empty("ssh-rsa"), empty("another")] {
        assert!(matches!(added(&kept, &classic), Ok(2)), "{}", kept.tag);
        assert!(matches!(added(&kept, &hybrid), Err(Error::MixedQuantumSafety)), "{}", kept.tag);
    }
    for kept in [of(&hybrid), empty("mlkem768p256tag")] {
        assert!(matches!(added(&kept, &hybrid), Ok(2)), "{}", kept.tag);
        assert!(matches!(added(&kept, &classic), Err(Error::MixedQuantumSafety)), "{}", kept.tag);
    }
    assert!(matches!(added(&empty("scrypt"), &classic), Err(Error::Incompatible)));
    // Even after a stanza of unknown type, which is compatible with both.
    let both = [&empty("another"), &of(&hybrid)];
    assert!(matches!(unlocked.rewrap(both, [&classic]), Err(Error::MixedQuantumSafety)));
    assert!(unlocked.rewrap(both, [&hybrid]).is_ok());
    // An identity fails at a malformed stanza of its own type; others skip it.
    for (tag, recipient, other) in [("X25519", &classic, &hybrid), ("mlkem768x25519", &hybrid, &classic)] {
        let refused = unlocked.rewrap([&of(recipient), &empty(tag)], [recipient]);
        let named = recipient.to_string();
        assert!(
            matches!(refused, Err(Error::MalformedKeptStanza { stanza: 2, recipient }) if recipient == named),
            "{tag}"
        );
        assert!(!matches!(added(&empty(tag), other), Err(Error::MalformedKeptStanza { .. })), "{tag}");
    }
}

#[test]
fn a_header_that_is_too_long_to_be_read_is_never_written() {
    let key = Identity::generate();
    let long = |bytes| {
        let stanza = Stanza { tag: "long".to_owned(), args: Vec::new(), body: vec![0; bytes] };
        let external =
            Recipient::External { name: "it".to_owned(), wrapper: Box::new(Repeats(stanza)), many_stanzas: false };
        Encryptor::new([&external, &recipient_of(&key)])
    };
    let encryptor = long(11 << 20).expect("with base64 and line feeds, that is 15 MiB");
    let header = Decryptor::read(&mut encryptor.header().as_bytes()).expect("the header is within the limit");
    assert!(header.unlock(std::slice::from_ref(&key)).is_ok());
    assert!(matches!(long(12 << 20), Err(Error::HeaderLength)));
}

/// Points of Curve25519 whose product with any secret key is zero. See <https://cr.yp.to/ecdh.html#validate>.
const LOW_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/// The same for Ed25519: points of order 1, 2 and 4, and two of order 8.
const LOW_ORDER_ED25519: [&str; 5] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];

fn unhex(text: &str) -> Vec<u8> {
    let digit = |index| u8::from_str_radix(&text[index..index + 2], 16).expect("it is hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}

#[test]
fn a_key_that_lets_everybody_open_the_file_is_refused() {
    let age = bech32::Hrp::parse("age").expect("it is a prefix");
    for point in LOW_ORDER {
        let mut point = unhex(point);
        // The highest bit does not count.
        for _ in 0..2 {
            let text = bech32::encode::<bech32::Bech32>(age, &point).expect("the text is short enough");
            assert_eq!(text.parse::<Recipient>().err(), Some(ParseRecipientError::LowOrder), "{text}");
            point[31] ^= 0x80;
        }
    }
    for point in LOW_ORDER_ED25519 {
        let key = [b"\0\0\0\x0bssh-ed25519\0\0\0\x20", unhex(point).as_slice()].concat();
        let text = format!("ssh-ed25519 {}", base64_simd::STANDARD.encode_to_string(key));
        let error = ParseRecipientError::Ssh(SshPublicKeyError::LowOrder);
        assert_eq!(text.parse::<Recipient>().err(), Some(error), "{text}");
    }
}

#[test]
fn malformed_keys_of_built_in_types_are_not_taken_for_plugin_keys() {
    for name in ["pq", "tag", "tagpq"] {
        let prefix = bech32::Hrp::parse(&format!("age1{name}")).expect("it is a prefix");
        let text = bech32::encode::<bech32::Bech32>(prefix, b"no key").expect("the text is short enough");
        assert_eq!(text.parse::<Recipient>().err(), Some(ParseRecipientError::Mistyped), "{text}");
    }
}
