//! Plugins: one that works, written in a few lines of shell after the protocol's specification, and others that do not.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    process::Command,
    sync::LazyLock,
};

use bech32::{Bech32, Hrp};

use crate::{
    requirements::installed,
    sandbox::{Outcome, Sandbox, feed, finish},
    texts::mistyped_recipient,
};

/// A plugin that wraps a file key by writing it down. `$MODE` says how it misbehaves.
const PLUGIN: &str = r#"
done=0 key= stanza=
send() { printf '%s\n%s\n' "$1" "$2"; read -r _; read -r _; }
while [ $done = 0 ] && IFS= read -r line; do
    case $line in
    '-> done') IFS= read -r line; done=1 ;;
    '-> wrap-file-key') IFS= read -r key ;;
    '-> recipient-stanza 0 written' | '-> recipient-stanza 0 scrypt '*) IFS= read -r stanza ;;
    esac
done
case $MODE in
dies) exit 1 ;;
hangs) exec sleep 60 ;;
garbage) printf 'what is this?\n'; exit ;;
asks) send '-> request-secret' "$(printf 'Which number?' | base64 | tr -d =)" ;;
says) send '-> msg' "$(printf 'touch\033[2J the key' | base64 | tr -d =)" ;;
leaves)
    # As plugins that use age's framework do.
    send '-> error internal' "$(printf 'no such key' | base64 | tr -d =)"
    exit 3 ;;
refuses | insists)
    [ $MODE = refuses ] || send '-> request-secret' "$(printf 'Which number?' | base64 | tr -d =)"
    send '-> error internal' "$(printf 'no such key' | base64 | tr -d =)"
    printf -- '-> done\n\n'
    exit ;;
esac
if [ -n "$key" ]; then
    if [ $MODE = scrypt ]; then
        send '-> recipient-stanza 0 scrypt AAAAAAAAAAAAAAAAAAAAAA 10' "$key"
    else
        send '-> recipient-stanza 0 written' "$key"
    fi
    [ $MODE != many ] || send '-> recipient-stanza 0 written' "$key"
elif [ -n "$stanza" ]; then
    send '-> file-key 0' "$stanza"
fi
printf -- '-> done\n\n'
"#;

const MODES: [&str; 11] =
    ["good", "many", "scrypt", "dies", "garbage", "hangs", "asks", "says", "refuses", "insists", "leaves"];

/// A folder with all plugins.
static PLUGINS: LazyLock<Sandbox> = LazyLock::new(|| {
    let plugins = Sandbox::new();
    for mode in MODES {
        let name = format!("age-plugin-{mode}");
        plugins.write_program(&name, format!("#!/bin/sh\nMODE={mode}\n{PLUGIN}"));
    }
    plugins
});

/// A folder with the identities of all plugins.
fn sandbox() -> Sandbox {
    let (sandbox, _) = Sandbox::with_key();
    for mode in MODES {
        sandbox.write(format!("{mode}.txt"), identity(mode));
    }
    sandbox.write("x", "secret");
    sandbox
}

fn recipient(plugin: &str) -> String {
    let prefix = Hrp::parse(&format!("age1{plugin}")).expect("it is a prefix");
    bech32::encode::<Bech32>(prefix, b"somebody").expect("it is short")
}

fn identity(plugin: &str) -> String {
    let prefix = Hrp::parse(&format!("age-plugin-{plugin}-")).expect("it is a prefix");
    bech32::encode::<Bech32>(prefix, b"somebody").expect("it is short").to_uppercase()
}

fn command(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.command(arguments);
    let mut search = PLUGINS.path("").into_os_string();
    search.push(OsString::from(":"));
    search.push(std::env::var_os("PATH").unwrap_or_default());
    command.env("PATH", search);
    command
}

fn run(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    finish(command(sandbox, arguments).spawn().expect("the program starts"))
}

#[test]
fn a_plugin_seals_and_opens() {
    let sandbox = sandbox();
    run(&sandbox, &["encrypt", "-r", &recipient("good"), "x"]).is_silent_success();
    assert_eq!(run(&sandbox, &["decrypt", "-i", "good.txt", "-c", "x.age"]).gave(), b"secret");
    assert_eq!(run(&sandbox, &["decrypt", "-j", "good", "-c", "x.age"]).gave(), b"secret");
    // From an identity, beside a key of another kind; each opens alone.
    run(&sandbox, &["encrypt", "-i", "good.txt", "-i", "key.txt", "-o", "both", "x"]).is_silent_success();
    assert_eq!(run(&sandbox, &["decrypt", "-i", "good.txt", "-c", "both"]).gave(), b"secret");
    assert_eq!(run(&sandbox, &["decrypt", "-i", "key.txt", "-c", "both"]).gave(), b"secret");
    let inspected = run(&sandbox, &["inspect", "--json", "both"]);
    assert!(String::from_utf8_lossy(&inspected.stdout).contains(r#""stanza_types":["written","X25519"]"#));
}

#[test]
fn plugins_files_go_both_ways_between_age_rage_and_this_program() {
    for other in ["age", "rage"].into_iter().filter(|other| installed(&[other])) {
        let sandbox = sandbox();
        let script = format!(
            "PATH={plugins}:$PATH; \"$SOLEKEY\" encrypt -r {recipient} x && {other} -d -i good.txt x.age > theirs && \
             {other} -r {recipient} -o y.age x && \"$SOLEKEY\" decrypt -i good.txt -o ours y.age",
            plugins = PLUGINS.path("").display(),
            recipient = recipient("good")
        );
        let done = sandbox.shell(&script);
        assert_eq!(done.status, 0, "{other}: {}", done.stderr);
        assert_eq!(
            (sandbox.text("theirs"), sandbox.text("ours")),
            ("secret".to_owned(), "secret".to_owned()),
            "{other}"
        );
    }
}

#[test]
fn inspect_runs_a_plugin_only_when_it_is_named() {
    let sandbox = sandbox();
    run(&sandbox, &["encrypt", "-i", "key.txt", "-r", &recipient("good"), "x"]).is_silent_success();
    let inspect = |defaults: &str, arguments: &[&str]| {
        let mut command = command(&sandbox, arguments);
        command.env("SOLEKEY_IDENTITY", defaults).args(["--json", "x.age"]);
        finish(command.spawn().expect("the program starts"))
    };
    let says = |outcome: &Outcome, said: &str| String::from_utf8_lossy(outcome.gave()).contains(said);
    assert!(says(&inspect("", &["inspect", "-i", "good.txt"]), r#""yours":[2],"header_authenticated":true"#));
    assert!(says(&inspect("", &["inspect", "-i", "key.txt", "-j", "good"]), r#""yours":[1,2],"#));
    assert!(says(&inspect("good.txt", &["inspect"]), r#""yours":null,"header_authenticated":false"#));
    assert!(says(&inspect("dies.txt:hangs.txt:key.txt", &["inspect", "--no-plugins"]), r#""yours":[1],"#));
    // A plugin may write stanzas of any type.
    let asked = inspect("", &["inspect", "-r", &recipient("hangs")]);
    assert_eq!(String::from_utf8_lossy(asked.gave()).matches(r#""match":"untold""#).count(), 2);
    let forbidden = inspect("", &["inspect", "--no-plugins", "-j", "good"]);
    assert_eq!(
        (forbidden.status, &forbidden.stderr[..]),
        (
            2,
            "solekey: error: age-plugin-good is needed for a named key, and --no-plugins forbids running it\n\
             solekey: hint: leave out that key, or --no-plugins\n",
        )
    );
    let failed = inspect("", &["inspect", "-i", "dies.txt"]);
    assert!(
        failed.status != 0
            && failed.stderr.starts_with("solekey: error: cannot tell which stanza of 'x.age' is yours: ")
    );
    assert!(failed.stdout.starts_with(b"{"));
}

#[test]
fn a_plugin_is_not_started_when_another_key_opens_the_file() {
    let sandbox = sandbox();
    run(&sandbox, &["encrypt", "-i", "key.txt", "x"]).is_silent_success();
    let opened = run(&sandbox, &["decrypt", "-i", "dies.txt", "-j", "missing", "-i", "key.txt", "-c", "x.age"]);
    assert_eq!(opened.gave(), b"secret");
}

#[test]
fn a_plugin_that_writes_more_stanzas_than_recipients_is_refused() {
    let sandbox = sandbox();
    let recipient = recipient("many");
    let refused = run(&sandbox, &["encrypt", "-r", &recipient, "x"]);
    refused.fails(
        1,
        &format!(
            "solekey: error: cannot encrypt 'x': 2 stanzas were made for {recipient}; there must be exactly one\n\
             solekey: hint: if you trust the plugin, allow it with --allow-plugin-stanzas: whoever holds the key of any of \
             them can open the file\n"
        ),
    );
    assert!(!sandbox.names().contains(&"x.age".to_owned()));
    run(&sandbox, &["encrypt", "--allow-plugin-stanzas", "-r", &recipient, "x"]).is_silent_success();
    assert_eq!(run(&sandbox, &["decrypt", "-i", "good.txt", "-c", "x.age"]).gave(), b"secret");
}

#[test]
fn a_plugin_that_knows_the_passphrase_opens_its_file_and_shares_none() {
    let sandbox = sandbox();
    run(&sandbox, &["encrypt", "-j", "scrypt", "x"]).is_silent_success();
    assert_eq!(run(&sandbox, &["decrypt", "--batch", "-j", "scrypt", "-c", "x.age"]).gave(), b"secret");
    let inspected = run(&sandbox, &["inspect", "--json", "-j", "scrypt", "x.age"]);
    assert!(String::from_utf8_lossy(inspected.gave()).contains(r#""yours":[1],"header_authenticated":true"#));
    // A key of its own is none of a passphrase.
    assert_eq!(run(&sandbox, &["decrypt", "--batch", "-i", "scrypt.txt", "-c", "x.age"]).status, 5);

    run(&sandbox, &["encrypt", "-i", "key.txt", "-o", "y.age", "x"]).is_silent_success();
    let before = sandbox.read("y.age");
    let recipient = recipient("scrypt");
    let said = format!("{recipient} gave a passphrase stanza, which must be the only stanza of a file\n");
    let both = ["encrypt", "-i", "key.txt", "-r", &recipient, "-o", "z.age", "x"];
    run(&sandbox, &both).fails(
        1,
        &format!(
            "solekey: error: cannot encrypt 'x': {said}solekey: hint: encrypt a file for each kind of recipient\n"
        ),
    );
    let added = run(&sandbox, &["rekey", "--add", "--header-only", "-i", "key.txt", "-r", &recipient, "y.age"]);
    assert_eq!(added.status, 1);
    assert!(added.stderr.contains(&said), "{}", added.stderr);
    assert!(sandbox.read("y.age") == before && !sandbox.path("z.age").exists());
}

#[test]
fn a_plugins_key_in_upper_case_is_the_same_key() {
    let sandbox = sandbox();
    let key = recipient("good");
    let upper = key.to_uppercase();
    let warning = format!("solekey: warning: {key} is named more than once; it gets one stanza\n");
    let padded = format!(" {key}\t");
    for both in [[&key, &upper], [&upper, &key], [&upper, &upper], [&padded, &key]] {
        let named = ["encrypt", "-f", "--expect-recipients", "1", "-r", both[0], "-r", both[1], "x"];
        run(&sandbox, &named).is(0, "", &warning);
        assert_eq!(run(&sandbox, &["decrypt", "-i", "good.txt", "-c", "x.age"]).gave(), b"secret");
    }
    // Mixed case is a typing error.
    let mixed = key.replace("good", "GOOD");
    run(&sandbox, &["encrypt", "-f", "-r", &mixed, "x"]).fails(2, &mistyped_recipient(&mixed));
    // Two keys of one plugin remain two.
    let other = bech32::encode::<Bech32>(Hrp::parse("age1good").expect("it is a prefix"), b"somebody else");
    let other = other.expect("it is short").to_uppercase();
    run(&sandbox, &["encrypt", "-f", "--expect-recipients", "2", "-r", &key, "-r", &other, "x"]).is_silent_success();
}

#[test]
fn a_plugin_that_misbehaves_is_named_and_loses_nothing() {
    let sandbox = sandbox();
    run(&sandbox, &["encrypt", "-r", &recipient("good"), "x"]).is_silent_success();
    let cases = [
        ("dies", 1, "age-plugin-dies: it exited before it had finished"),
        ("garbage", 1, "age-plugin-garbage: it "),
        ("refuses", 1, "age-plugin-refuses: (internal) no such key"),
        ("leaves", 1, "age-plugin-leaves: (internal) no such key\n"),
        ("asks", 5, "age-plugin-asks asks: Which number? (no answer: "),
    ];
    for (mode, status, said) in cases {
        if mode != "asks" {
            let encrypted = run(&sandbox, &["encrypt", "-r", &recipient(mode), "-o", "y.age", "x"]);
            assert_eq!(encrypted.status, status, "{}", encrypted.stderr);
            assert!(encrypted.stderr.contains(said), "{}", encrypted.stderr);
        }
        let decrypted = run(&sandbox, &["decrypt", "-i", &format!("{mode}.txt"), "-o", "y", "x.age"]);
        if mode == "asks" {
            // The plugin goes on without an answer, and has what it needs.
            assert!(decrypted.stderr.contains(said), "{}", decrypted.stderr);
            assert_eq!((decrypted.status, sandbox.text("y").as_str()), (0, "secret"));
            continue;
        }
        assert_eq!(decrypted.status, status, "{}", decrypted.stderr);
        assert!(decrypted.stderr.contains(said), "{}", decrypted.stderr);
        assert!(!sandbox.names().iter().any(|name| name == "y" || name == "y.age"));
    }
}

#[test]
fn what_a_plugin_says_cannot_control_the_terminal() {
    let sandbox = sandbox();
    let encrypted = run(&sandbox, &["encrypt", "-r", &recipient("says"), "x"]);
    encrypted.is(0, "", "solekey: age-plugin-says: touch [2J the key\n");
}

#[test]
fn in_the_place_of_age_a_plugin_is_quoted_in_the_words_of_age() {
    let sandbox = sandbox();
    run(&sandbox, &["encrypt", "-r", &recipient("good"), "x"]).is_silent_success();
    let age = |arguments: &[&str]| run(&sandbox, &[&["age"], arguments].concat());
    for mode in ["refuses", "leaves"] {
        let said =
            |verb: &str, name: &str| format!("age: error: cannot {verb} \"{name}\": {mode} plugin: no such key\n");
        age(&["-r", &recipient(mode), "-o", "y.age", "x"]).fails(1, &said("encrypt", "x"));
        age(&["-d", "-i", &format!("{mode}.txt"), "x.age"]).fails(1, &said("decrypt", "x.age"));
    }
    let said = "age: error: cannot decrypt \"x.age\": dies plugin: it exited before it had finished (exit status: 1)\n";
    age(&["-d", "-i", "dies.txt", "x.age"]).fails(1, said);
    age(&["-r", &recipient("says"), "-o", "y.age", "x"]).is(0, "", "age: says plugin: touch [2J the key\n");
    // It makes a passphrase stanza.
    let mixed = age(&["-e", "-j", "scrypt", "-r", &recipient("good"), "-o", "z.age", "x"]);
    assert!(mixed.stderr.starts_with("age: error: incompatible recipients: "), "{mixed:?}");
}

#[test]
fn a_plugin_that_gives_up_for_want_of_an_answer_has_a_status_of_its_own() {
    let sandbox = sandbox();
    run(&sandbox, &["encrypt", "-r", &recipient("good"), "x"]).is_silent_success();
    let decrypted = run(&sandbox, &["decrypt", "-i", "insists.txt", "-o", "y", "x.age"]);
    assert_eq!(decrypted.status, 5, "{}", decrypted.stderr);
    assert!(decrypted.stderr.contains("age-plugin-insists: (internal) no such key"), "{}", decrypted.stderr);
}

#[test]
fn plugins_can_be_forbidden_and_may_be_missing() {
    let sandbox = sandbox();
    let forbidden = run(&sandbox, &["encrypt", "--no-plugins", "-r", &recipient("good"), "x"]);
    forbidden.fails(
        2,
        "solekey: error: age-plugin-good is needed for a named key, and --no-plugins forbids running it\n\
         solekey: hint: leave out that key, or --no-plugins\n",
    );
    let missing = run(&sandbox, &["encrypt", "-r", &recipient("nowhere"), "x"]);
    missing.fails(
        1,
        "solekey: error: age-plugin-nowhere is not on the PATH; install that plugin to use its keys\n\
         solekey: hint: visit https://age-encryption.org/awesome#plugins for a list of available plugins\n",
    );
    run(&sandbox, &["encrypt", "-r", &recipient("good"), "x"]).is_silent_success();
    let missing = run(&sandbox, &["decrypt", "-j", "nowhere", "-c", "x.age"]);
    assert_eq!(missing.status, 1);
    assert!(missing.stderr.contains("age-plugin-nowhere is not on the PATH"), "{}", missing.stderr);
    let piped = feed(command(&sandbox, &["decrypt", "-j", "good"]), &sandbox.read("x.age"));
    assert_eq!(piped.gave(), b"secret");
}

#[test]
fn a_plugins_key_may_stand_in_a_protected_identity_file() {
    let sandbox = sandbox();
    run(&sandbox, &["encrypt", "-r", &recipient("good"), "x"]).is_silent_success();
    sandbox.write("pass", "correct horse");
    sandbox.write_protected("safe.txt", sandbox.read("good.txt"), "correct horse");
    let open = ["decrypt", "-i", "safe.txt", "--passphrase-file", "pass", "-c", "x.age"];
    assert_eq!(run(&sandbox, &open).gave(), b"secret");
}

#[test]
fn who_waits_for_a_plugin_that_hangs_is_told_and_can_leave() {
    let sandbox = sandbox();
    let mut started =
        command(&sandbox, &["encrypt", "-r", &recipient("hangs"), "x"]).spawn().expect("the program starts");
    // Where standard error is not a terminal, it takes ten seconds.
    let mut said = String::new();
    let stderr = started.stderr.take().expect("it is a pipe");
    BufReader::new(stderr).read_line(&mut said).expect("it is text");
    assert_eq!(said, "solekey: waiting for age-plugin-hangs...\n");
    let pid = rustix::process::Pid::from_child(&started);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it still runs");
    assert_eq!(finish(started).status, 128 + 2);
    assert!(!sandbox.path("x.age").exists());
}

#[test]
fn a_plugin_runs_for_no_key_of_a_default_file() {
    let sandbox = sandbox();
    run(&sandbox, &["encrypt", "-r", &recipient("good"), "x"]).is_silent_success();
    sandbox.write("pass", "correct horse");
    sandbox.write_protected("safe.txt", sandbox.read("good.txt"), "correct horse");
    sandbox.write("both.txt", [sandbox.read("good.txt"), b"\n".to_vec(), sandbox.read("key.txt")].concat());
    sandbox.set_mode("both.txt", 0o600);
    let hint = "solekey: hint: a default identity file has a plugin's key, and plugins run only for keys that the command \
                line names: name that file with -i\n";
    for (default, status) in [("good.txt", 2), ("both.txt", 3), ("safe.txt", 3)] {
        let with_default = |arguments: &[&str]| {
            let mut command = command(&sandbox, arguments);
            command.env("SOLEKEY_IDENTITY", default);
            finish(command.spawn().expect("the program starts"))
        };
        let outcome = with_default(&["decrypt", "--passphrase-file", "pass", "-c", "x.age"]);
        assert_eq!((outcome.status, &outcome.stdout[..]), (status, &b""[..]), "{default}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(hint), "{}", outcome.stderr);
        let named = with_default(&["decrypt", "--passphrase-file", "pass", "-i", default, "-c", "x.age"]);
        assert_eq!(named.gave(), b"secret");
        // Nothing to forbid.
        let forbidden = with_default(&["decrypt", "--no-plugins", "--passphrase-file", "pass", "-c", "x.age"]);
        assert_eq!(forbidden.status, status, "{}", forbidden.stderr);
    }
}

#[test]
fn the_public_key_of_a_plugins_identity_is_its_plugins_to_tell() {
    let sandbox = sandbox();
    run(&sandbox, &["keygen", "-y", "good.txt"]).fails(
        2,
        "solekey: error: 'good.txt', line 1: only its plugin knows the public key of a plugin's identity, and keygen runs none\n\
         solekey: hint: most plugins write it beside the identity, in a comment\n",
    );
}
