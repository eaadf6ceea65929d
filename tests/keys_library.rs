//! Recipients and identities of every kind: who gets a stanza, who opens, and what is said of texts that are neither.

use std::{fs, process::Command};

use solekey::crypto::{
    Decryptor, Encryptor, Error, Identity, ParseIdentityError, ParseRecipientError, Recipient, WORK_FACTOR_LIMIT,
    secrecy::{ExposeSecret, SecretString},
};

fn recipient_of(identity: &Identity) -> Recipient {
    identity.to_recipient().expect("a key has a public part")
}

fn header(recipients: &[Recipient]) -> Decryptor {
    let encryptor = Encryptor::new(recipients).expect("they can share a file");
    let decryptor = Decryptor::read(&mut encryptor.header().as_bytes()).expect("our own header is well formed");
    assert_eq!(decryptor.header().stanzas().len(), recipients.len());
    decryptor
}

/// A key pair made by ssh-keygen. None, said loudly, where there is no ssh-keygen.
#[allow(clippy::print_stderr, reason = "what is skipped is said")]
fn ssh_key(kind: &str, passphrase: &str) -> Option<(Identity, Recipient)> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", passphrase, "-f"]).arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: SSH keys of type {kind}, for there is no ssh-keygen");
        return None;
    }
    let secret = fs::read(&path).expect("ssh-keygen wrote a secret key");
    let public = fs::read_to_string(path.with_extension("pub")).expect("ssh-keygen wrote a public key");
    let identity = Identity::from_ssh(&secret).expect("the secret key is well formed");
    Some((identity, public.parse().expect("the public key is well formed")))
}

#[test]
fn each_recipient_gets_one_stanza_in_order_and_opens() {
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
    let wrong = Identity::unlock(clone_locked(&locked), SecretString::from("wrong"));
    assert!(matches!(wrong, Err(Error::WrongPassphrase)));
    assert!(matches!(decryptor.unlock(&[clone_locked(&locked)]), Err(Error::NoMatch(_))));
    let open = locked.unlock(SecretString::from("open sesame")).expect("the passphrase is right");
    assert!(!open.is_locked());
    decryptor.unlock(&[open]).expect("it is a recipient");
}

fn clone_locked(identity: &Identity) -> Identity {
    let Identity::Ssh(key) = identity else { panic!("it is an SSH key") };
    Identity::Ssh(key.clone())
}

#[test]
fn a_passphrase_stands_alone_and_a_wrong_one_is_told_from_no_match() {
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
fn equal_recipients_have_equal_texts() {
    let text = recipient_of(&Identity::generate()).to_string();
    for spelling in [text.clone(), text.to_uppercase(), format!("  {text}\t")] {
        let recipient: Recipient = spelling.parse().expect("it is well formed");
        assert_eq!(recipient.to_string(), text);
    }
}

#[test]
fn what_is_no_recipient_says_what_it_looks_like() {
    let secret = Identity::generate().to_text().expect("a generated identity has a text");
    let parse = |text: &str| text.parse::<Recipient>().err().expect("it is no recipient");
    assert_eq!(parse(secret.expose_secret()), ParseRecipientError::SecretKey);
    assert_eq!(parse(&secret.expose_secret().to_lowercase()), ParseRecipientError::SecretKey);
    assert_eq!(parse("-----BEGIN OPENSSH PRIVATE KEY-----"), ParseRecipientError::SecretKey);
    let public = recipient_of(&Identity::generate()).to_string();
    assert_eq!(parse(&public[..public.len() - 1]), ParseRecipientError::Mistyped);
    assert_eq!(parse("age1yubikey1qwerty"), ParseRecipientError::UnsupportedType("age1yubikey1".into()));
    let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA==";
    assert_eq!(parse(ecdsa), ParseRecipientError::UnsupportedSsh("ecdsa-sha2-nistp256".into()));
    for text in ["", "alice", "ssh-ed25519", "ssh-ed25519 AAAA", "alice@example.com and others"] {
        assert_eq!(parse(text), ParseRecipientError::Unknown, "{text}");
    }
}

#[test]
fn what_is_no_identity_says_what_it_looks_like_and_nothing_of_its_text() {
    let secret = Identity::generate().to_text().expect("a generated identity has a text");
    let secret = secret.expose_secret();
    let public = recipient_of(&Identity::generate()).to_string();
    let cases = [
        (&secret[..secret.len() - 1], ParseIdentityError::Mistyped),
        ("AGE-SECRET-KEY-FUTURE-1QQQQQQ", ParseIdentityError::UnsupportedType),
        ("AGE-PLUGIN-YUBIKEY-1QQQQQQ", ParseIdentityError::UnsupportedType),
        (&public, ParseIdentityError::PublicKey),
        ("ssh-ed25519 AAAA", ParseIdentityError::PublicKey),
        ("hunter22hunter22", ParseIdentityError::Unknown),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Identity>().err().expect("it is no identity");
        assert_eq!(error, expected);
        assert!(!error.to_string().contains(&text[..16.min(text.len())]));
    }
    assert_eq!(
        Identity::from_ssh(b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n").err(),
        Some(ParseIdentityError::MalformedSsh)
    );
}
