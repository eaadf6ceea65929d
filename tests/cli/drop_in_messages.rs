//! What age 1.3 and rage 0.12 say, error by error, beside what solekey says in their place.

use crate::{
    drop_in::{links, shell},
    requirements::installed,
    sandbox::Sandbox,
};

const RECIPIENT: &str = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef";

/// Command lines with what follows `error: ` in the first line, from age's sources: `cmd/age/age.go`, `cmd/age/parse.go`, `age.go`,
/// `scrypt.go`, `agessh/*.go`, `internal/stream/stream.go` and `armor/armor.go`. age may put more words before them.
const OF_AGE: [(&str, &str); 58] = [
    // cmd/age/age.go: main.
    ("age -r $R x y", "too many INPUT arguments"),
    ("age -r $R x -a", "too many INPUT arguments"),
    ("age -d -e x", "-e/--encrypt can't be used with -d/--decrypt"),
    ("age -d -a x", "-a/--armor can't be used with -d/--decrypt"),
    ("age -d -p x", "-p/--passphrase can't be used with -d/--decrypt"),
    ("age -d -r $R x", "-r/--recipient can't be used with -d/--decrypt"),
    ("age -d -R x x", "-R/--recipients-file can't be used with -d/--decrypt"),
    (
        "age -i key.txt x",
        "-i/--identity and -j can't be used in encryption mode unless symmetric encryption is explicitly selected with \
         -e/--encrypt",
    ),
    ("age x", "missing recipients"),
    ("age -p -r $R x", "-p/--passphrase can't be combined with -r/--recipient"),
    ("age -p -R list x", "-p/--passphrase can't be combined with -R/--recipients-file"),
    ("age -p -e -i key.txt x", "-p/--passphrase can't be combined with -i/--identity and -j"),
    ("age -p -e -j some x", "-p/--passphrase can't be combined with -i/--identity and -j"),
    ("age -r $R missing", "failed to open input file \"missing\""),
    ("age -d -i key.txt 'a \"b\"'", "failed to open input file \"a \\\"b\\\"\""),
    ("age -r $R -o x x", "input and output file are the same"),
    ("age -d -i key.txt -o key.txt mine.age", "input and output file are the same"),
    // cmd/age/parse.go.
    ("age -r nonsense x", "unknown recipient type"),
    ("age -r 'ssh-ed25519 AAAA' x", "malformed SSH recipient"),
    ("age -R missing x", "failed to parse recipient file \"missing\": failed to open recipient file"),
    ("age -R garbage x", "failed to parse recipient file \"garbage\": \"garbage\": malformed recipient at line 2"),
    (
        "age -R key.txt x",
        "failed to parse recipient file \"key.txt\": \"key.txt\": error at line 3: apparent identity found in recipients file",
    ),
    ("age -R nobody x", "failed to parse recipient file \"nobody\""),
    ("age -R latin1 x", "failed to parse recipient file \"latin1\""),
    ("age -d -i missing mine.age", "reading \"missing\": failed to open file"),
    ("age -e -i missing x", "reading \"missing\": failed to open file"),
    (
        "age -d -i garbage mine.age",
        "reading \"garbage\": failed to read \"garbage\": error at line 2: unknown identity type",
    ),
    (
        "age -d -i list mine.age",
        "reading \"list\": failed to read \"list\": error at line 1: apparent recipient found in identities file",
    ),
    (
        "age -d -i mistyped mine.age",
        "reading \"mistyped\": failed to read \"mistyped\": error at line 1: malformed secret key",
    ),
    ("age -d -i nobody mine.age", "reading \"nobody\": failed to read \"nobody\""),
    ("age -d -i broken-ssh mine.age", "reading \"broken-ssh\": malformed SSH identity in \"broken-ssh\""),
    ("age -d -i lone-ssh mine.age", "reading \"lone-ssh\": failed to obtain public key for \"lone-ssh\" SSH key"),
    ("age -R '' x", "failed to parse recipient file \"\": failed to open recipient file"),
    ("age -d -i '' mine.age", "reading \"\": failed to open file"),
    ("age -d -j '' mine.age", "initializing \"\": invalid plugin name: \"\""),
    // cmd/age/age.go: decrypt.
    ("age -d mine.age", "the file is not passphrase-encrypted, identities are required"),
    (
        "age -d -i key.txt words.age",
        "file is passphrase-encrypted but identities were specified with -i/--identity or -j",
    ),
    ("age -d -i key.txt powershell.age", "invalid header intro"),
    ("age -d -i key.txt theirs.age", "no identity matched any of the recipients"),
    ("age -d -i key.txt x", "failed to read header"),
    ("age -d -i key.txt empty", "failed to read header"),
    ("age -d -i key.txt cut-header.age", "failed to read header"),
    ("age -d -i key.txt mac.age", "bad header MAC"),
    ("age -d -i key.txt armor.age", "invalid armor"),
    // internal/stream/stream.go.
    ("age -d -i key.txt flipped.age", "failed to decrypt and authenticate payload chunk"),
    ("age -d -i key.txt cut.age", "failed to decrypt and authenticate payload chunk"),
    ("age -d -i key.txt no-payload.age", "failed to read nonce"),
    // age.go: encrypt.
    ("age -r $R -R pq.pub x", "incompatible recipients: can't mix post-quantum and classic recipients"),
    ("age -e -j no-such-plugin x", "couldn't start plugin"),
    ("age -d -j no-such-plugin mine.age", "couldn't start plugin"),
    // cmd/age-keygen/keygen.go.
    ("age-keygen x", "too many arguments"),
    ("age-keygen -y x y", "too many arguments"),
    ("age-keygen -pq -y x", "-pq cannot be used with -y"),
    ("age-keygen -o key.txt", "failed to open output file \"key.txt\""),
    ("age-keygen -y missing", "failed to open input file \"missing\""),
    ("age-keygen -y garbage", "failed to parse input: error at line 2: unknown identity type"),
    // cmd/age-inspect/inspect.go.
    ("age-inspect missing", "failed to open input file \"missing\""),
    ("age-inspect x", "inspection failed: failed to read header"),
];

/// The same for rage, from its English messages. They follow `Error: ` there.
const OF_RAGE: [(&str, &str); 25] = [
    ("rage x", "Missing recipients."),
    ("rage -i key.txt x", "-i/--identity requires either -e/--encrypt or -d/--decrypt."),
    ("rage -e -d x", "-e/--encrypt can't be used with -d/--decrypt"),
    ("rage -p -r $R x", "-r/--recipient can't be used with -p/--passphrase."),
    ("rage -p -R list x", "-R/--recipients-file can't be used with -p/--passphrase."),
    ("rage -d -a x", "-a/--armor can't be used with -d/--decrypt"),
    ("rage -d -p x", "-p/--passphrase can't be used with -d/--decrypt"),
    ("rage -d -r $R x", "-r/--recipient can't be used with -d/--decrypt"),
    ("rage -d -R list x", "-R/--recipients-file can't be used with -d/--decrypt"),
    ("rage -r $R missing", "No such file or directory"),
    ("rage -r $R ''", "No such file or directory"),
    ("rage -r $R -o '' x", "invalid filename ''"),
    ("rage-keygen -o ''", "Failed to open output: invalid filename ''"),
    ("rage-keygen -o key.txt", "Failed to open output"),
    ("rage-keygen -y missing", "Failed to open input"),
    ("rage -r nonsense x", "Invalid recipient"),
    ("rage -R '' x", "Recipients file not found: "),
    ("rage -d -i '' mine.age", "Identity file not found: "),
    ("rage -R missing x", "Recipients file not found: missing"),
    ("rage -R garbage x", "Recipients file 'garbage' contains non-recipient data on line 2"),
    ("rage -d -i missing mine.age", "Identity file not found: missing"),
    ("rage -d mine.age", "Missing identities."),
    ("rage -d -i key.txt words.age", "-i/--identity can't be used with passphrase-encrypted files."),
    ("rage -d -i key.txt theirs.age", "No matching keys found"),
    ("rage -d -i key.txt mac.age", "Header MAC is invalid"),
];

/// Creates a sandbox with the links and every file that the tables name.
fn prepared() -> Sandbox {
    let (sandbox, recipient) = Sandbox::with_key();
    links(&sandbox);
    sandbox.write("x", "hello\n");
    sandbox.write("list", format!("{recipient}\n"));
    sandbox.write("garbage", "# one\nnot a key\n");
    sandbox.write("nobody", "# nobody\n");
    sandbox.write("empty", "");
    sandbox.write("latin1", b"# \xe9\n\xe9\n");
    sandbox.write("pass", "correct horse\n");
    sandbox.run(["keygen", "--pq", "-o", "pq.txt"]);
    sandbox.write("pq.pub", sandbox.read("pq.txt.pub"));
    sandbox.run(["encrypt", "-r", &recipient, "-o", "mine.age", "x"]).is_silent_success();
    sandbox.run(["encrypt", "-r", RECIPIENT, "-o", "theirs.age", "x"]).is_silent_success();
    sandbox.run(["encrypt", "-p", "--passphrase-file", "pass", "-o", "words.age", "x"]).is_silent_success();
    let mine = sandbox.read("mine.age");
    let payload = mine.windows(5).position(|part| part == b"\n--- ").expect("a header has a MAC") + 49;
    let changed = |at: usize| {
        let mut file = mine.clone();
        file[at] = if file[at] == b'A' { b'B' } else { b'A' };
        file
    };
    sandbox.write("flipped.age", changed(mine.len() - 20));
    sandbox.write("mac.age", changed(payload - 30));
    sandbox.write("cut.age", &mine[..mine.len() - 1]);
    sandbox.write("cut-header.age", &mine[..payload - 10]);
    sandbox.write("no-payload.age", &mine[..payload]);
    sandbox.write("armor.age", "-----BEGIN AGE ENCRYPTED FILE-----\n!!!!\n-----END AGE ENCRYPTED FILE-----\n");
    let utf16: Vec<u8> = "age-encryption.org/v1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    sandbox.write("powershell.age", [&[0xff, 0xfe], utf16.as_slice()].concat());
    let secret = sandbox.text("key.txt").lines().last().expect("a key file has a key").to_owned();
    sandbox.write("mistyped", &secret[..secret.len() - 1]);
    sandbox.write("broken-ssh", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
    sandbox.write(
        "lone-ssh",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n\
         AAAA\n-----END RSA PRIVATE KEY-----\n",
    );
    for name in ["broken-ssh", "lone-ssh", "key.txt", "mistyped", "garbage", "list", "nobody"] {
        sandbox.set_mode(name, 0o600);
    }
    sandbox
}

#[test]
fn every_error_begins_with_the_words_of_the_tool() {
    let sandbox = prepared();
    let before = sandbox.names();
    let mut wrong = Vec::new();
    for (line, words) in OF_AGE.iter().chain(&OF_RAGE) {
        let outcome = shell(&sandbox, &format!("R={RECIPIENT}; {line}"));
        assert_eq!((outcome.status, outcome.stdout.as_slice()), (1, &b""[..]), "{line}: {outcome:?}");
        let tool = line.split(' ').next().expect("a line begins with the tool");
        if !outcome.stderr.starts_with(&format!("{tool}: error: {words}")) {
            wrong.push(format!("{line}: {}", outcome.stderr));
        }
        assert_eq!(sandbox.names(), before, "{line}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn our_part_of_an_error_does_not_repeat_the_words_of_the_tool() {
    let sandbox = prepared();
    for (line, said) in [
        ("age -r $R missing", "error: failed to open input file \"missing\": No such file or directory"),
        (
            "age x",
            "error: missing recipients\n\
             age: hint: did you forget to specify -r/--recipient, -R/--recipients-file or -p/--passphrase?",
        ),
        ("age -d -i missing mine.age", "error: reading \"missing\": failed to open file: No such file or directory"),
        (
            "age -R missing x",
            "error: failed to parse recipient file \"missing\": failed to open recipient file: No such file or directory",
        ),
    ] {
        shell(&sandbox, &format!("R={RECIPIENT}; {line}")).fails(1, &format!("age: {said}\n"));
    }
}

#[test]
fn rage_says_what_the_table_says() {
    if !installed(&["rage", "rage-keygen"]) {
        return;
    }
    let sandbox = prepared();
    let mut wrong = Vec::new();
    for (line, words) in OF_RAGE {
        let outcome = sandbox.bash(&format!("R={RECIPIENT}; {line}"));
        assert_ne!(outcome.status, 0, "{line}: {outcome:?}");
        if !outcome.stderr.starts_with(&format!("Error: {words}")) {
            wrong.push(format!("{line}: {}", outcome.stderr));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn warnings_are_those_of_age_and_success_is_silent() {
    let sandbox = prepared();
    sandbox.set_mode("key.txt", 0o644);
    for (line, warnings) in [
        ("age -r $R -o out x", ""),
        ("age -d -i key.txt -o out mine.age", ""),
        ("age -e -i key.txt -o out x", ""),
        ("age -r $R -r $R -r $R -o out x", &*format!("age: warning: duplicate recipient \"{RECIPIENT}\"\n")),
        ("age -R list -o out -R list x", "age: warning: duplicate recipients file \"list\"\n"),
        ("age -d -i key.txt -o out -i key.txt mine.age", "age: warning: duplicate identity file \"key.txt\"\n"),
        // Age compares spellings.
        ("age -R list -R ./list -o out x", ""),
        ("age -r $R -r \" $R\" -o out x", ""),
        // rage warns of neither.
        ("rage -r $R -r $R -o out x", ""),
        ("rage -d -i key.txt -o out mine.age", ""),
    ] {
        shell(&sandbox, &format!("R={RECIPIENT}; {line}")).is(0, "", warnings);
    }
    let outcome = shell(&sandbox, "umask 022; age-keygen >out; grep -c ^AGE-SECRET-KEY-1 out");
    let warning = "age-keygen: warning: writing secret key to a world-readable file\nPublic key: age1";
    assert_eq!(outcome.stdout, b"1\n");
    assert!(outcome.stderr.starts_with(warning), "{outcome:?}");
}

#[test]
fn a_missing_plugin_names_the_page_of_plugins() {
    let sandbox = prepared();
    for line in
        ["age -e -j no-such-plugin x", "age -d -j no-such-plugin mine.age", "age -r age1nonexistentplugin1pt5d8z x"]
    {
        let outcome = shell(&sandbox, line);
        assert!(
            outcome.stderr.contains("\nage: hint: visit https://age-encryption.org/awesome#plugins"),
            "{outcome:?}"
        );
    }
}
