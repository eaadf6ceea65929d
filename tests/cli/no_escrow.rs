//! No escrow: only recipients named on the command line can open a file, and an independent program can verify it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
    process::Command,
    sync::LazyLock,
};

use age_core::primitives::{bech32_decode, bech32_encode};
use bech32::Hrp;
use proptest::{collection::vec, prelude::*};
use serde_json::Value;
use solekey::crypto::{Decryptor, Encryptor, Error, Identity, Recipient, secrecy::ExposeSecret};

use crate::{
    requirements::{installed, skip},
    sandbox::{Outcome, SOLEKEY, Sandbox, finish, is_root},
    texts::MISSING_RECIPIENTS,
};

/// A public key for a secret key held in hardware.
const TAG: &str = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";
/// The generator of P-256, uncompressed. It serves as a public key, since no test decrypts with it.
const P256_POINT: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                          4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
/// Length in bytes of the ML-KEM-768 encapsulation key at the start of a post-quantum key.
const MLKEM768_KEY: usize = 1184;

fn recipient_of(identity: &Identity) -> Recipient {
    identity.to_recipient().expect("a key has a public part")
}

/// A post-quantum public key for a secret key held in hardware.
fn tag_pq() -> String {
    let hybrid = recipient_of(&Identity::generate_hybrid()).to_string();
    let bytes = bech32_decode(&hybrid, |_| (), |_| Ok(()), |_, bytes| Ok(bytes.collect::<Vec<u8>>()));
    let mut key = bytes.expect("it was just encoded")[..MLKEM768_KEY].to_vec();
    let hex = |at: usize| u8::from_str_radix(&P256_POINT[at..at + 2], 16).expect("it is hexadecimal");
    key.extend((0..P256_POINT.len()).step_by(2).map(hex));
    bech32_encode(Hrp::parse("age1tagpq").expect("it is a prefix"), &key)
}

/// Secret keys made by ssh-keygen. Empty if ssh-keygen is missing, which counts as a skipped test.
static SSH_KEYS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let sandbox = Sandbox::new();
    let make = |name: usize| {
        sandbox.shell(&format!("ssh-keygen -q -t ed25519 -N '' -f {name}")).is_silent_success();
        sandbox.read(name.to_string())
    };
    if installed(&["ssh-keygen"]) { (0..4).map(make).collect() } else { Vec::new() }
});

/// Returns the type and arguments of each stanza, as `inspect` shows them.
fn inspected(sandbox: &Sandbox, name: &str) -> Vec<String> {
    let facts: Value = serde_json::from_slice(sandbox.run(["inspect", "--json", name]).gave()).expect("it is JSON");
    let words = |stanza: &Value| {
        let arguments = stanza["arguments"].as_array().expect("it is an array").iter();
        let words = std::iter::once(&stanza["type"]).chain(arguments);
        words.map(|word| word.as_str().expect("it is text")).collect::<Vec<_>>().join(" ")
    };
    facts["stanzas"].as_array().expect("it is an array").iter().map(words).collect()
}

/// Runs the independent header reader, a Python script that shares no code with the program.
fn read_elsewhere(sandbox: &Sandbox, name: &str) -> Outcome {
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/header.py");
    finish(sandbox.detached("python3").arg(reader).arg(name).spawn().expect("Python starts"))
}

/// Asserts that both readers show the same stanzas, with these types in this order.
#[track_caller]
fn both_show(sandbox: &Sandbox, name: &str, types: &[&str]) {
    let stanzas = inspected(sandbox, name);
    let shown: Vec<_> = stanzas.iter().map(|words| words.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(shown, types, "{name}");
    let elsewhere = read_elsewhere(sandbox, name);
    assert_eq!(String::from_utf8_lossy(elsewhere.gave()).lines().collect::<Vec<_>>(), stanzas, "{name}");
}

#[test]
fn an_independent_header_reader_agrees_with_inspect() {
    if !installed(&["python3"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "secret");
    sandbox.write("pass", "correct horse");
    let many = || (0..300).map(|_| recipient_of(&Identity::generate()).to_string() + "\n").collect::<String>();
    sandbox.write("crowd", many());
    for name in ["pq", "pq2"] {
        sandbox.write(format!("{name}.pub"), sandbox.run(["keygen", "--pq", "-o", name]).gave());
    }
    let tag_pq = tag_pq();
    let mut kinds = vec![
        ("one", vec!["-r", &recipient], vec!["X25519"]),
        ("armored", vec!["-a", "-i", "key.txt"], vec!["X25519"]),
        ("many", vec!["-R", "crowd", "-r", &recipient], vec!["X25519"; 301]),
        ("many, armored", vec!["-a", "-R", "crowd"], vec!["X25519"; 300]),
        ("hybrid", vec!["-R", "pq.pub", "-i", "pq2"], vec!["mlkem768x25519"; 2]),
        ("tag", vec!["-r", TAG, "-i", "key.txt"], vec!["p256tag", "X25519"]),
        ("hybrid tag", vec!["-R", "pq.pub", "-r", &tag_pq], vec!["mlkem768x25519", "mlkem768p256tag"]),
        ("passphrase", vec!["-p", "--passphrase-file", "pass"], vec!["scrypt"]),
    ];
    if installed(&["ssh-keygen"]) {
        sandbox.shell("ssh-keygen -q -t ed25519 -N '' -f ed && ssh-keygen -q -t rsa -N '' -f rsa").is_silent_success();
        let named = vec!["-R", "ed.pub", "-r", &recipient, "-R", "rsa.pub"];
        kinds.push(("ssh", named, vec!["ssh-ed25519", "X25519", "ssh-rsa"]));
    }
    for (name, named, types) in kinds {
        let sealed = sandbox.run([&["encrypt", "-o", name][..], &named, &["x"]].concat());
        sealed.is_silent_success();
        both_show(&sandbox, name, &types);
    }
}

#[test]
fn the_independent_reader_shows_extra_stanzas_and_refuses_malformed_headers() {
    if !installed(&["python3"]) {
        return;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    // The age crate adds a grease stanza that belongs to no recipient, so that readers learn to tolerate unknown ones.
    let theirs: age::x25519::Recipient = recipient.parse().expect("it is a recipient");
    let encryptor = age::Encryptor::with_recipients([&theirs as &dyn age::Recipient].into_iter());
    let encryptor = encryptor.expect("there is a recipient");
    let file = File::create(sandbox.path("theirs")).expect("the folder is writable");
    encryptor.wrap_output(file).and_then(age::stream::StreamWriter::finish).expect("the file is writable");
    let stanzas = inspected(&sandbox, "theirs");
    assert_eq!(read_elsewhere(&sandbox, "theirs").gave(), (stanzas.join("\n") + "\n").as_bytes());
    assert!(stanzas.len() == 2 && stanzas.iter().any(|stanza| stanza.contains("-grease")), "{stanzas:?}");

    let sealed = sandbox.run_with(["encrypt", "-a", "-r", &recipient], b"secret");
    let armor = String::from_utf8(sealed.gave().to_vec()).expect("armor is text");
    sandbox.write("mailed", format!("\r\n{}\r\n", armor.replace('\n', "\r\n")));
    both_show(&sandbox, "mailed", &["X25519"]);

    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], b"secret");
    let header = sealed.gave();
    for (name, bytes) in [
        ("cut in the MAC", &header[..150]),
        ("cut in a body", &header[..80]),
        ("cut in a stanza", &header[..40]),
        ("no header", &header[1..]),
        ("empty", b""),
        ("cut armor", &armor.as_bytes()[..100]),
    ] {
        sandbox.write(name, bytes);
        assert_eq!(sandbox.run(["inspect", name]).status, 4, "{name}");
        let refused = read_elsewhere(&sandbox, name);
        assert_eq!(refused.status, 1, "{name}");
        assert!(refused.stderr.starts_with(&format!("{name}: ")), "{}", refused.stderr);
    }
}

/// A stranger named by everything around an encryption: variables, and files with every plausible name.
struct Poison {
    recipient: String,
    identity: Identity,
}

impl Poison {
    const FOLDERS: &str = ". .solekey .age .rage .config .config/solekey .config/age .config/rage .gnupg .ssh \
                           xdg xdg/solekey xdg/age xdg/rage";
    const NAMES: &str = ".age-recipients .agerc .env .recipients .solekey.toml .solekeyrc .sops.yaml age.toml \
                         authorized_keys config config.json config.toml config.yaml config.yml default \
                         default-recipients defaults.toml escrow.txt gpg.conf id_ed25519.pub keys.txt policy.json \
                         policy.toml recipient recipient.txt recipients recipients.txt recovery.txt self.txt \
                         solekey.conf solekey.toml solekeyrc";
    const IDENTITIES: &str = "identity.txt identities.txt";
    const TOOLS: &str = "SOLEKEY AGE RAGE SOPS_AGE PASSAGE GPG";
    /// Suffixes of variable names, after the name of a tool.
    const VARIABLES: &str = "ARGS CONFIG CONFIG_FILE DEFAULT_RECIPIENT DEFAULT_RECIPIENTS ENCRYPT_TO ESCROW FLAGS HOME \
                             HIDDEN_ENCRYPT_TO IDENTITY KEY OPTIONS OPTS POLICY RECIPIENT RECIPIENTS RECIPIENTS_FILE \
                             SELF";
    const FOLDER_VARIABLES: &str = "GNUPGHOME XDG_CACHE_HOME XDG_CONFIG_DIRS XDG_CONFIG_HOME XDG_DATA_DIRS \
                                    XDG_DATA_HOME XDG_RUNTIME_DIR XDG_STATE_HOME";

    /// Writes the files. Each names the stranger in every plausible syntax.
    fn spread(sandbox: &Sandbox) -> Self {
        let identity = Identity::generate();
        let recipient = recipient_of(&identity).to_string();
        let text = identity.to_text().expect("a generated identity has a text");
        for folder in Self::FOLDERS.split(' ') {
            fs::create_dir_all(sandbox.path(folder)).expect("the folder is writable");
            for name in Self::NAMES.split(' ') {
                let names = format!("recipient = \"{recipient}\"\nencrypt-to {recipient}\n-r {recipient}\n");
                sandbox.write(Path::new(folder).join(name), format!("{recipient}\n{names}"));
            }
            for name in Self::IDENTITIES.split(' ') {
                let path = Path::new(folder).join(name);
                sandbox.write(&path, text.expose_secret());
                sandbox.set_mode(&path, 0o600);
            }
        }
        Self { recipient, identity }
    }

    /// Returns all variables, each set to the same `value` that names the stranger.
    fn variables(&self, sandbox: &Sandbox, value: &str) -> Vec<(String, String)> {
        let named = |tool| Self::VARIABLES.split(' ').map(move |rest| (format!("{tool}_{rest}"), value.to_owned()));
        let folder = sandbox.path("xdg").to_string_lossy().into_owned();
        let folders = Self::FOLDER_VARIABLES.split(' ').map(|name| (name.to_owned(), folder.clone()));
        Self::TOOLS.split(' ').flat_map(named).chain(folders).collect()
    }

    /// The values by which a variable could name the stranger.
    fn values(&self, sandbox: &Sandbox) -> [String; 4] {
        let path = |name| sandbox.path(name).to_string_lossy().into_owned();
        [self.recipient.clone(), format!("-r {}", self.recipient), path("recipients.txt"), path("identity.txt")]
    }
}

fn poisoned(mut command: Command, variables: &[(String, String)]) -> Outcome {
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    finish(command.spawn().expect("the program starts"))
}

/// Every way to name recipients, with the resulting stanza types.
fn ways(recipient: &str) -> [(Vec<&str>, Vec<&str>); 5] {
    [
        (vec!["-r", recipient], vec!["X25519"]),
        (vec!["-R", "friends", "-a"], vec!["X25519"; 2]),
        (vec!["-i", "key.txt"], vec!["X25519"]),
        (vec!["-i", "pq.key"], vec!["mlkem768x25519"]),
        (vec!["-p", "--passphrase-file", "pass"], vec!["scrypt"]),
    ]
}

/// A sandbox with the files that [`ways`] need, and its recipient.
fn with_ways() -> (Sandbox, String) {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "secret");
    sandbox.write("pass", "correct horse");
    let friend = sandbox.keygen("friend.key");
    sandbox.write("friends", format!("{recipient}\n{friend}\n"));
    sandbox.run(["keygen", "--pq", "-o", "pq.key"]).gave();
    (sandbox, recipient)
}

#[test]
fn no_file_or_variable_adds_a_recipient() {
    let (sandbox, recipient) = with_ways();
    let poison = Poison::spread(&sandbox);
    let friends = ["key.txt", "friend.key", "pq.key"].map(|name| {
        let text = sandbox.text(name);
        text.lines().last().and_then(|line| line.parse::<Identity>().ok()).expect("it is an identity")
    });
    for (index, value) in poison.values(&sandbox).iter().enumerate() {
        let variables = poison.variables(&sandbox, value);
        for (named, types) in ways(&recipient) {
            // Encrypting with a passphrase takes a second.
            if index > 0 && types == ["scrypt"] {
                continue;
            }
            let arguments = [&["encrypt", "-f", "-o", "x.age"], &named[..], &["x"]].concat();
            poisoned(sandbox.command(&arguments), &variables).is_silent_success();
            let stanzas = inspected(&sandbox, "x.age");
            let found: Vec<_> = stanzas.iter().filter_map(|stanza| stanza.split(' ').next()).collect();
            assert_eq!(found, types, "{named:?}, {value}");
            if named.contains(&"-a") {
                continue;
            }
            let decryptor = Decryptor::read(&mut &sandbox.read("x.age")[..]).expect("it is an age file");
            assert!(!decryptor.opened_by(&poison.identity).contains(&true), "{named:?}, {value}");
            let opens = |friend: &&Identity| decryptor.opened_by(friend).contains(&true);
            let expected = usize::from(types != ["scrypt"]);
            assert_eq!(friends.iter().filter(opens).count(), expected, "{named:?}, {value}");
        }
        let nobody = poisoned(sandbox.command(["encrypt", "-o", "nobody.age", "x"]), &variables);
        nobody.fails(2, MISSING_RECIPIENTS);
        assert!(!sandbox.path("nobody.age").exists());
    }
    // The variables and files do reach the program: decryption finds the stranger's identity by default.
    sandbox.run(["encrypt", "-f", "-r", &poison.recipient, "x"]).is_silent_success();
    let [.., identity] = poison.values(&sandbox);
    let mut variables = poison.variables(&sandbox, &identity);
    let open = || sandbox.command(["decrypt", "-c", "x.age"]);
    assert_eq!(poisoned(open(), &variables).gave(), b"secret");
    variables.retain(|(name, _)| name != "SOLEKEY_IDENTITY");
    assert_eq!(poisoned(open(), &variables).gave(), b"secret");
}

/// The paths that a run of the program passed to system calls, taken from strace's output.
fn paths(calls: &str) -> BTreeSet<&str> {
    let asked = calls.lines().filter(|line| !line.contains(" execve("));
    asked.flat_map(|line| line.split('"').skip(1).step_by(2)).collect()
}

#[test]
fn encryption_looks_for_no_file_that_it_was_not_given() {
    if !installed(&["strace"]) {
        return;
    }
    let (sandbox, recipient) = with_ways();
    let poison = Poison::spread(&sandbox);
    let here = format!("{}/", sandbox.path("").display());
    let system =
        ["/etc/ld.so.", "/lib", "/usr/lib", "/proc/self/", "/sys/fs/cgroup/", "/sys/devices/system/cpu/", "/dev/"];
    // The last is not a path but the extended attribute that holds an access control list.
    let told = ["x", "x.age", "friends", "key.txt", "pq.key", "pass", ".", "./", "", "system.posix_acl_access"];
    let unknown = |path: &&&str| {
        let local = path.strip_prefix(here.trim_end_matches('/')).map_or(**path, |rest| rest.trim_start_matches('/'));
        let local = local.trim_start_matches("./");
        let is_part = local.starts_with(".solekey-") && local.ends_with(".part");
        !is_part && !told.contains(&local) && !system.iter().any(|prefix| path.starts_with(prefix))
    };
    let [value, ..] = poison.values(&sandbox);
    let mut variables = poison.variables(&sandbox, &value);
    for (named, _) in ways(&recipient) {
        let mut traced = sandbox.detached("strace");
        traced.args(["-f", "-qq", "-e", "trace=%file", "-e", "signal=none", "-o", "calls", SOLEKEY]);
        traced.args([&["encrypt", "-f", "-o", "x.age"], &named[..], &["x"]].concat());
        poisoned(traced, &variables).is_silent_success();
        let calls = sandbox.text("calls");
        let paths = paths(&calls);
        // The program makes its memory private, so strace can read the paths only as root.
        if !paths.contains("x") {
            assert!(!is_root(), "{calls}");
            skip("strace sees no paths; run this test as root");
            return;
        }
        let unknown: Vec<_> = paths.iter().filter(unknown).collect();
        assert!(unknown.is_empty(), "{named:?}: {unknown:?}");
    }
    // Such a trace does show lookups of default files: decryption makes one.
    sandbox.run(["encrypt", "-f", "-r", &poison.recipient, "x"]).is_silent_success();
    let mut traced = sandbox.detached("strace");
    traced.args(["-f", "-qq", "-e", "trace=%file", "-o", "calls", SOLEKEY, "decrypt", "-c", "x.age"]);
    variables.retain(|(name, _)| name != "SOLEKEY_IDENTITY");
    assert_eq!(poisoned(traced, &variables).gave(), b"secret");
    let calls = sandbox.text("calls");
    let paths = paths(&calls);
    let [found] = paths.iter().filter(unknown).collect::<Vec<_>>()[..] else { panic!("{calls}") };
    assert!(found.ends_with("/xdg/solekey/identity.txt"), "{found}");
}

/// The kind of a key.
#[derive(Debug, Clone, Copy)]
enum Kind {
    X25519,
    Ssh,
    Hybrid,
}

/// Sets of keys that can share a file, in any order.
fn sets() -> impl Strategy<Value = Vec<Kind>> {
    let classic = prop_oneof![3 => Just(Kind::X25519), 1 => Just(Kind::Ssh)];
    prop_oneof![vec(Just(Kind::X25519), 1..12), vec(classic, 1..8), vec(Just(Kind::Hybrid), 1..5)]
}

/// Makes one key of each kind. When the SSH keys are used up, an X25519 key takes their place.
fn keys(kinds: &[Kind]) -> Vec<Identity> {
    let mut ssh = SSH_KEYS.iter();
    let make = |kind: &Kind| match kind {
        Kind::Hybrid => Identity::generate_hybrid(),
        Kind::Ssh if let Some(key) = ssh.next() => Identity::from_ssh(key).expect("ssh-keygen made it"),
        Kind::Ssh | Kind::X25519 => Identity::generate(),
    };
    kinds.iter().map(make).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_recipient_opens_only_its_own_stanza_and_a_stranger_opens_none(kinds in sets()) {
        let identities = keys(&kinds);
        let recipients: Vec<_> = identities.iter().map(recipient_of).collect();
        let encryptor = Encryptor::new(&recipients).expect("they can share a file");
        let decryptor = Decryptor::read(&mut encryptor.header().as_bytes()).expect("our own header is well formed");
        prop_assert_eq!(decryptor.header().stanzas().len(), kinds.len());
        for (place, identity) in identities.iter().enumerate() {
            let own: Vec<_> = (0..kinds.len()).map(|index| index == place).collect();
            prop_assert_eq!(decryptor.opened_by(identity), own);
            prop_assert!(decryptor.unlock(std::slice::from_ref(identity)).is_ok());
        }
        for stranger in [Identity::generate(), Identity::generate_hybrid()] {
            prop_assert!(!decryptor.opened_by(&stranger).contains(&true));
            prop_assert!(matches!(decryptor.unlock(&[stranger]), Err(Error::NoMatch(_))));
        }
    }
}
