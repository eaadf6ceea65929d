//! Drop-in use as age, age-keygen, age-inspect, rage and rage-keygen: the same command lines, exit statuses and wording.

use std::{fs, os::unix::fs::symlink, path::PathBuf, process::Command};

use crate::{
    requirements::{installed, skip, which},
    sandbox::{Outcome, SOLEKEY, Sandbox, finish},
};

const RECIPIENT: &str = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef";
const TOOLS: [&str; 5] = ["age", "age-keygen", "age-inspect", "rage", "rage-keygen"];

/// Creates a folder of links in the sandbox, named after the other tools and leading to the program. Returns its path.
pub(crate) fn links(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.path(".links");
    fs::create_dir(&folder).expect("the sandbox is writable");
    for tool in TOOLS {
        symlink(SOLEKEY, folder.join(tool)).expect("the sandbox is writable");
    }
    folder
}

/// Runs a bash script in which the names of the other tools run the program.
pub(crate) fn shell(sandbox: &Sandbox, script: &str) -> Outcome {
    let mut command = sandbox.detached("bash");
    command.args(["-c", &format!("PATH=$PWD/.links:$PATH\n{script}")]);
    finish(command.spawn().expect("bash starts"))
}

/// Creates a sandbox with the links, a key, a file for that key, a file for another key, and a damaged file.
fn prepared() -> Sandbox {
    let (sandbox, recipient) = Sandbox::with_key();
    links(&sandbox);
    sandbox.write("x", "hello\n");
    sandbox.run(["encrypt", "-r", &recipient, "-o", "mine.age", "x"]).is_silent_success();
    sandbox.run(["encrypt", "-r", RECIPIENT, "-o", "theirs.age", "x"]).is_silent_success();
    let mut sealed = sandbox.read("mine.age");
    let last = sealed.len() - 1;
    sealed[last] ^= 1;
    sandbox.write("flipped.age", sealed);
    sandbox
}

/// Command lines, with the exit status and the words on standard error that both programs give. `$R` is a recipient.
const SAME: [(&str, i32, &str); 36] = [
    ("age", 1, "Usage:"),
    ("age -h", 0, "Usage:"),
    ("age -help", 0, "Usage:"),
    ("age -p -h", 0, "Usage:"),
    ("age -zz", 2, "flag provided but not defined: -zz"),
    ("age -da x", 2, "flag provided but not defined: -da"),
    ("age -r", 2, "flag needs an argument: -r"),
    ("age -a=perhaps x", 2, "invalid boolean value"),
    ("age x", 1, "missing recipients"),
    ("age -e <x", 1, "missing recipients"),
    ("age -r $R x -a", 1, "too many INPUT arguments"),
    ("age -d -e x", 1, "-e/--encrypt can't be used with -d/--decrypt"),
    ("age -d -a x", 1, "-a/--armor can't be used with -d/--decrypt"),
    ("age -d -p x", 1, "-p/--passphrase can't be used with -d/--decrypt"),
    ("age -d -r $R x", 1, "-r/--recipient can't be used with -d/--decrypt"),
    ("age -d -R x x", 1, "-R/--recipients-file can't be used with -d/--decrypt"),
    ("age -p -r $R x", 1, "-p/--passphrase can't be combined with -r/--recipient"),
    ("age -i key.txt x", 1, "-i/--identity and -j can't be used in encryption mode unless"),
    ("age -j some x", 1, "-i/--identity and -j can't be used in encryption mode unless"),
    ("age -r '' x", 1, "unknown recipient type"),
    ("age -r mistyped x", 1, "unknown recipient type"),
    ("age -d -i key.txt theirs.age", 1, "no identity matched any of the recipients"),
    ("age --decrypt --identity=key.txt <theirs.age", 1, "no identity matched any of the recipients"),
    ("age -d -i key.txt x", 1, "failed to read header"),
    ("age -d -i key.txt flipped.age", 1, "failed to decrypt and authenticate payload chunk"),
    ("age -d -i key.txt missing", 1, "missing"),
    ("age -r $R -o no/folder x", 1, "no/folder"),
    ("age -d -i missing mine.age", 1, "missing"),
    ("age -R missing x", 1, "missing"),
    ("age -e -j no-such-plugin x", 1, "couldn't start plugin"),
    ("age-keygen -o key.txt", 1, "key.txt"),
    ("age-keygen x", 1, "too many arguments"),
    ("age-keygen -y x", 1, "age-keygen: error: "),
    ("age-keygen -y missing", 1, "missing"),
    ("age-keygen -zz", 2, "flag provided but not defined: -zz"),
    ("age-keygen -h", 0, "Usage:"),
];

#[test]
fn command_lines_give_the_same_status_and_words_as_with_age() {
    let sandbox = prepared();
    let with_age = installed(&["age"]);
    for (line, status, words) in SAME {
        let script = format!("R={RECIPIENT}; {line}");
        let before = sandbox.names();
        let ours = shell(&sandbox, &script);
        assert_eq!((ours.status, ours.stdout.as_slice()), (status, &b""[..]), "{line}: {ours:?}");
        assert!(ours.stderr.contains(words), "{line}: {ours:?}");
        assert_eq!(sandbox.names(), before, "{line}");
        if with_age {
            let theirs = sandbox.bash(&script);
            assert_eq!((theirs.status, theirs.stdout.as_slice()), (status, &b""[..]), "{line}: {theirs:?}");
            assert!(theirs.stderr.contains(words), "{line}: {theirs:?}");
        }
    }
}

#[test]
fn errors_use_the_words_of_later_versions_of_age_too() {
    let sandbox = prepared();
    sandbox.write("pass", "correct horse\n");
    sandbox.run(["encrypt", "-p", "--passphrase-file", "pass", "-o", "words.age", "x"]).is_silent_success();
    sandbox.run(["keygen", "--pq", "-o", "pq.txt"]);
    sandbox.write("pq.pub", sandbox.read("pq.txt.pub"));
    for (line, words) in [
        ("age -d mine.age", "the file is not passphrase-encrypted, identities are required"),
        ("age -d -i key.txt words.age", "file is passphrase-encrypted but identities were specified"),
        ("age -r $R -o x x", "input and output file are the same"),
        ("age -r $R -o x <x", "input and output file are the same"),
        ("age -d -i key.txt -o key.txt mine.age", "input and output file are the same"),
        ("age -r $R -R pq.pub x", "incompatible recipients"),
        ("rage -d mine.age -i missing", "missing"),
    ] {
        let before = sandbox.names();
        let outcome = shell(&sandbox, &format!("R={RECIPIENT}; {line}"));
        assert_eq!((outcome.status, outcome.stdout.as_slice()), (1, &b""[..]), "{line}: {outcome:?}");
        assert!(outcome.stderr.contains(words), "{line}: {outcome:?}");
        assert_eq!(sandbox.names(), before, "{line}");
    }
    assert_eq!(sandbox.text("x"), "hello\n");
}

/// Scripts that print the same bytes whichever age runs them.
const SCRIPTS: [&str; 10] = [
    "age -r $R x | age -d -i key.txt",
    "age -a -r $R x | head -n 1; age -armor=true -recipient $R x | age --decrypt -identity key.txt",
    "age --encrypt --armor --recipient $R --output out x && age -d -i key.txt -o back out && cat back",
    "age -r $R -o old x && age -r $R -o old mine.age && age -d -i key.txt old | age -d -i key.txt",
    "echo $R | age -R - x | age -d -i key.txt",
    "age -e -i key.txt x | age -d -i - - <key.txt 2>/dev/null; age -d -i - mine.age <key.txt",
    "cat key.txt | age-keygen -y; age-keygen -y -o pub key.txt && cat pub",
    "age-keygen 2>said | tail -n 1 | cut -c1-16; cut -c1-15 said",
    "age-keygen -o new 2>&1 | cut -c1-15; stat -c %a new; age-keygen -o new 2>/dev/null || echo kept",
    "age -r $R -- x | age -d -i key.txt -; age -a=false -o '' -r $R x | age -d -i key.txt ''",
];

#[test]
fn scripts_print_the_same_as_with_age() {
    if !installed(&["age"]) {
        return;
    }
    for script in SCRIPTS {
        let sandbox = prepared();
        let recipient =
            String::from_utf8(sandbox.run(["keygen", "-y", "key.txt"]).stdout).expect("recipients are ASCII");
        let script = format!("R={recipient}\n{script}");
        let ours = shell(&sandbox, &script);
        for name in ["out", "back", "old", "pub", "new", "said"] {
            let _ = fs::remove_file(sandbox.path(name));
        }
        let theirs = sandbox.bash(&script);
        assert_eq!(ours, theirs, "{script}");
        assert!(!ours.stdout.is_empty() && ours.stderr.is_empty(), "{script}: {ours:?}");
    }
}

#[test]
fn an_existing_output_is_replaced_only_by_a_complete_one() {
    let sandbox = prepared();
    sandbox.write("out", "old");
    let damaged = shell(&sandbox, "age -d -i key.txt -o out flipped.age");
    assert_eq!((damaged.status, sandbox.text("out").as_str()), (1, "old"));
    shell(&sandbox, "age -d -i key.txt -o out mine.age").is_silent_success();
    assert_eq!(sandbox.text("out"), "hello\n");
}

#[test]
fn a_tool_name_as_the_first_argument_works_like_a_link() {
    let sandbox = prepared();
    sandbox.run(["age", "-d", "-i", "key.txt", "mine.age"]).is(0, "hello\n", "");
    sandbox
        .run(["rage-keygen", "-o", "key.txt"])
        .fails(1, "rage-keygen: error: Failed to open output: 'key.txt' already exists\nrage-keygen: hint: choose another name with -o\n");
    sandbox.run(["age", "--version"]).is(0, &format!("1.3.0 (solekey {})\n", env!("CARGO_PKG_VERSION")), "");
}

#[test]
fn rage_accepts_joined_short_flags_and_flags_after_the_input() {
    let sandbox = prepared();
    for line in [
        "rage mine.age -di key.txt",
        "rage -dikey.txt mine.age",
        "rage --decrypt mine.age --identity key.txt --max-work-factor 20",
        "rage -e mine.age -aikey.txt -o twice && rage -d -i key.txt twice | rage -d -i key.txt",
    ] {
        shell(&sandbox, line).is(0, "hello\n", "");
    }
    if let Some(rage) = which("rage") {
        let theirs = sandbox.detached(rage).args(["mine.age", "-di", "key.txt"]).output().expect("rage starts");
        assert_eq!(theirs.stdout, b"hello\n");
    }
}

#[test]
fn post_quantum_keys_are_generated_as_in_age_1_3() {
    let sandbox = prepared();
    let made = shell(&sandbox, "age-keygen -pq -o pq.txt");
    assert_eq!((made.status, made.stdout.as_slice()), (0, &b""[..]));
    let public = made.stderr.strip_prefix("Public key: ").expect("the public key is printed").trim_end();
    assert!(public.starts_with("age1pq1"), "{public}");
    assert!(!sandbox.names().contains(&"pq.txt.pub".to_owned()), "only the key file is created");
    let opened = shell(&sandbox, "age-keygen -y pq.txt | age -R - x | age -d -i pq.txt");
    opened.is(0, "hello\n", "");
}

#[test]
fn unsupported_ssh_keys_are_skipped_with_a_warning() {
    if !installed(&["age", "ssh-keygen"]) {
        return;
    }
    let sandbox = prepared();
    let keys = "ssh-keygen -q -t ecdsa -N '' -f ec; ssh-keygen -q -t ed25519 -N '' -f ed; cat ec.pub ed.pub >keys";
    sandbox.shell(keys).is_silent_success();
    let script = "age -R keys x | age -d -i ed; cat keys | age -R - x | age -d -i ed";
    for outcome in [shell(&sandbox, script), sandbox.bash(script)] {
        assert_eq!((outcome.status, outcome.stdout.as_slice()), (0, &b"hello\nhello\n"[..]), "{outcome:?}");
        assert_eq!(outcome.stderr.matches("ignoring unsupported SSH key").count(), 2, "{outcome:?}");
    }
    let outcome = sandbox.run(["encrypt", "--authorized-keys", "keys", "-o", "x.age", "x"]);
    outcome.is(
        0,
        "",
        "solekey: warning: 'keys', line 1: ignoring unsupported SSH key: SSH keys of type ecdsa-sha2-nistp256 cannot be \
         encrypted to; ssh-ed25519 and ssh-rsa can\n",
    );
    sandbox.run(["encrypt", "-R", "keys", "-o", "y.age", "x"]).fails(
        1,
        "solekey: error: 'keys', line 1: SSH keys of type ecdsa-sha2-nistp256 cannot be encrypted to; ssh-ed25519 and \
         ssh-rsa can\n",
    );
    // A line that is not a key is an error in both, and neither encrypts to the remaining keys.
    sandbox.write("keys", format!("{}not a key\n", sandbox.text("ed.pub")));
    for outcome in [shell(&sandbox, "age -R keys x"), sandbox.bash("age -R keys x")] {
        assert_eq!((outcome.status, outcome.stdout.as_slice()), (1, &b""[..]), "{outcome:?}");
    }
}

#[test]
fn age_inspect_prints_the_fields_that_programs_read() {
    let sandbox = prepared();
    let outcome = shell(&sandbox, "age-inspect --json mine.age");
    let facts: serde_json::Value = serde_json::from_slice(outcome.gave()).expect("the output is JSON");
    assert_eq!(facts["version"], "age-encryption.org/v1");
    assert_eq!((&facts["postquantum"], &facts["armor"]), (&"no".into(), &false.into()));
    assert_eq!(facts["stanza_types"], serde_json::json!(["X25519"]));
    for (name, size) in [("header", 168), ("armor", 0), ("overhead", 32), ("min_payload", 6), ("max_padding", 0)] {
        assert_eq!(facts["sizes"][name], size, "{name}");
    }
    shell(&sandbox, "age-inspect x; echo $?").is(
        0,
        "1\n",
        "age-inspect: error: inspection failed: failed to read header: cannot inspect \"x\": not an age file\n",
    );
}

#[test]
fn the_no_escrow_promise_holds_under_every_name() {
    let sandbox = prepared();
    sandbox.write("default.txt", sandbox.read("key.txt"));
    // Default identities are used neither to decrypt nor to encrypt.
    let outcome = shell(&sandbox, "export SOLEKEY_IDENTITY=$PWD/default.txt; age -d mine.age");
    assert_eq!((outcome.status, outcome.stdout.as_slice()), (1, &b""[..]));
    let outcome = shell(
        &sandbox,
        &format!(
            "SOLEKEY_IDENTITY=$PWD/default.txt age -r {RECIPIENT} x | age-inspect --json | grep -o X25519 | sort -u"
        ),
    );
    outcome.is(0, "X25519\n", "");
    let outcome =
        shell(&sandbox, "SOLEKEY_IDENTITY=$PWD/default.txt age-inspect --json mine.age | grep -o '\"yours\":null'");
    outcome.is(0, "\"yours\":null\n", "");
    let sealed = shell(&sandbox, &format!("SOLEKEY_IDENTITY=$PWD/default.txt age -r {RECIPIENT} x | grep -ac '^-> '"));
    sealed.is(0, "1\n", "");
    let outcome = shell(&sandbox, "age -r AGE-SECRET-KEY-1QQQ x");
    assert_eq!(outcome.status, 1);
    assert!(!outcome.stderr.contains("QQQ"), "{outcome:?}");
}

/// Commands that programs run with age, line by line from their sources. A prelude has already created their keys.
const CALLS: [&str; 14] = [
    // passage 1.7.4, src/password-store.sh: cmd_insert and cmd_show, with each kind of AGE_RECIPIENT_ARGS.
    "echo secret | $AGE -e -R \"$RECIPIENTS\" -o \"$passfile\" \
        && pass=\"$($AGE -d -i \"$IDENTITIES\" \"$passfile\" | base64)\" && echo \"$pass\" | base64 -d",
    "echo secret | $AGE -e -r \"$(cat $RECIPIENTS)\" -o \"$passfile\" && $AGE -d -i \"$IDENTITIES\" \"$passfile\" | head -n 1",
    "echo secret | $AGE -e -i \"$IDENTITIES\" -o \"$passfile\" && $AGE -d -i \"$IDENTITIES\" \"$passfile\"",
    // cmd_edit.
    "echo old | $AGE -e -R \"$RECIPIENTS\" -o \"$passfile\" && $AGE -d -o edited -i \"$IDENTITIES\" \"$passfile\" \
        && echo secret >edited && ! $AGE -d -o - -i \"$IDENTITIES\" \"$passfile\" 2>/dev/null | diff - edited &>/dev/null \
        && $AGE -e -R \"$RECIPIENTS\" -o \"$passfile\" edited && $AGE -d -i \"$IDENTITIES\" \"$passfile\"",
    // reencrypt_path.
    "echo secret | $AGE -e -R \"$RECIPIENTS\" -o \"$passfile\" && $AGE -d -i \"$IDENTITIES\" \"$passfile\" \
        | $AGE -e -R \"$RECIPIENTS\" -o \"$passfile.tmp\" && mv \"$passfile.tmp\" \"$passfile\" \
        && $AGE -d -i \"$IDENTITIES\" \"$passfile\"",
    // pa: main, which creates the keys, pw_add and pw_show.
    "set -C -f -o pipefail; umask 077; age-keygen 2>/dev/null >|identities \
        && grep ^AGE-SECRET-KEY- identities | age-keygen -y >>new-recipients \
        && $AGE --encrypt -R new-recipients -o ./name.age <<<secret && $AGE --decrypt -i identities ./name.age",
    // pw_edit: the output already exists and is empty.
    "echo old | $AGE --encrypt -R \"$RECIPIENTS\" -o ./name.age && : >edited \
        && $AGE --decrypt -i \"$IDENTITIES\" -o edited ./name.age && echo secret >edited \
        && $AGE --encrypt -R \"$RECIPIENTS\" -o ./name.age edited && $AGE --decrypt -i \"$IDENTITIES\" ./name.age",
    // change_recipients, which counts stanzas by itself.
    "echo secret | $AGE --encrypt -R \"$RECIPIENTS\" -o ./name.age && [ \"$(grep -c '^-> ' ./name.age)\" = 1 ] \
        && $AGE --decrypt -i \"$IDENTITIES\" ./name.age 2>/dev/null | $AGE -R \"$RECIPIENTS\" -o re && mv re ./name.age \
        && $AGE --decrypt -i \"$IDENTITIES\" ./name.age",
    // agenix, pkgs/agenix.sh: edit, then --decrypt.
    "$AGE --version >/dev/null && echo secret >clear && $AGE --recipient \"$(cat $RECIPIENTS)\" -o re.age <clear \
        && mv -f re.age \"$passfile\" && $AGE --decrypt --identity \"$IDENTITIES\" -o clear \"$passfile\" \
        && $AGE --decrypt --identity \"$IDENTITIES\" -o - \"$passfile\"",
    // agenix, modules/age.nix, which installs secrets with a mask.
    "$AGE --recipient \"$(cat $RECIPIENTS)\" -o \"$passfile\" <<<secret && (umask u=r,g=,o= \
        && LANG=C $AGE --decrypt -i \"$IDENTITIES\" -o decrypted \"$passfile\") && cat decrypted",
    // chezmoi, internal/chezmoi/ageencryption.go: Encrypt and Decrypt, through the standard streams.
    "$AGE --armor --encrypt --recipient \"$(cat $RECIPIENTS)\" --recipients-file \"$RECIPIENTS\" <<<secret 2>/dev/null \
        | $AGE --decrypt --identity \"$IDENTITIES\"",
    // EncryptFile and DecryptToFile, where symmetric is set.
    "echo secret >clear && $AGE --armor --encrypt --identity \"$IDENTITIES\" clear >\"$passfile\" \
        && $AGE --decrypt --identity \"$IDENTITIES\" --output decrypted <\"$passfile\" && cat decrypted",
    // pgduz, src/encrypt.rs: a dump, encrypted to a file beside it.
    "echo secret >dump && $AGE -r \"$(cat $RECIPIENTS)\" -o dump.age dump && $AGE -d -i \"$IDENTITIES\" dump.age",
    // A makefile's pattern rule.
    "echo secret >n; printf '%s\\n\\t%s\\n' '%.age: %' 'age -R recipients -o $@ $<' >rules \
        && make -s -f rules n.age && $AGE -d -i \"$IDENTITIES\" n.age",
];

#[test]
fn programs_that_call_age_get_the_same_results() {
    let (with_age, with_make) = (installed(&["age"]), installed(&["make"]));
    for call in CALLS.iter().filter(|call| with_make || !call.contains("make ")) {
        let prelude = "AGE=age; IDENTITIES=key.txt; RECIPIENTS=recipients; passfile=store.age";
        let script = format!("{prelude}; age-keygen -y key.txt >recipients\n{call}");
        shell(&prepared(), &script).is(0, "secret\n", "");
        if with_age {
            prepared().bash(&script).is(0, "secret\n", "");
        }
    }
}

/// Runs a Python script that uses PyPI packages that call age. Returns `None` if they are missing.
fn python(sandbox: &Sandbox, script: &str) -> Option<Outcome> {
    let Some(folder) = std::env::var_os("SOLEKEY_PYPI").filter(|_| which("python3").is_some()) else {
        skip(
            "agenv and pagesign are missing: install them with pip install --target FOLDER and set SOLEKEY_PYPI to FOLDER",
        );
        return None;
    };
    sandbox.write("client.py", script);
    Some(shell(sandbox, &format!("PYTHONPATH='{}' python3 client.py", folder.display())))
}

/// agenv reads settings from encrypted files.
#[test]
fn agenv_reads_encrypted_files() {
    let sandbox = prepared();
    let script = "\
import agenv, os
print(agenv.decrypt('mine.age', 'key.txt'), end='')
os.environ['AGE_SECRET_KEY'] = open('key.txt').readlines()[-1].strip()
print(agenv.decrypt('mine.age'), end='')
try:
    agenv.decrypt('theirs.age')
except RuntimeError as error:
    print('no identity matched any of the recipients' in str(error))
";
    if let Some(outcome) = python(&sandbox, script) {
        outcome.is(0, "hello\nhello\nTrue\n", "");
    }
}

/// pagesign creates a key, and encrypts and signs a file with it.
#[test]
fn pagesign_makes_a_key_and_encrypts_to_it() {
    if !installed(&["minisign"]) {
        return;
    }
    let sandbox = prepared();
    let script = "\
import pagesign
identity = pagesign.Identity()
identity.save('alice')
assert identity.crypt_public.startswith('age1') and identity.created.startswith('20')
pagesign.encrypt_and_sign('x', ['alice'], 'alice', armor=True)
assert open('x.age', 'rb').read().startswith(b'-----BEGIN AGE')
open('x', 'w').close()
pagesign.verify_and_decrypt('x.age', 'alice', 'alice')
print(open('x').read(), end='')
";
    if let Some(outcome) = python(&sandbox, script) {
        outcome.is(0, "hello\n", "");
    }
}

/// git keeps files encrypted in its objects, and decrypts them into the work tree and for comparisons.
#[test]
fn git_filters_files_through_age() {
    if !installed(&["git", "age"]) {
        return;
    }
    let script = "\
set -e
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
age-keygen -y key.txt >recipients
git init -q store && cd store
git config filter.age.clean 'age -a -R ../recipients -'
git config filter.age.smudge 'age -d -i ../key.txt'
git config filter.age.required true
git config diff.age.textconv 'age -d -i ../key.txt'
printf '*.txt filter=age\n*.age diff=age\n' >.gitattributes
echo secret >one.txt
age -a -R ../recipients -o two.age one.txt
git add . && git commit -qm first
git cat-file -p HEAD:one.txt | head -n 1
rm one.txt && git checkout -q one.txt && cat one.txt
echo changed | age -a -R ../recipients -o two.age
git diff two.age | grep '^[-+][a-z]'
git clone -q --no-checkout . ../clone && cd ../clone
git config filter.age.smudge 'age -d -i ../key.txt'
git checkout -q && cat one.txt";
    let expected = "-----BEGIN AGE ENCRYPTED FILE-----\nsecret\n-secret\n+changed\nsecret\n";
    shell(&prepared(), script).is(0, expected, "");
    prepared().bash(script).is(0, expected, "");
}

#[test]
fn passphrase_prompts_work_as_in_age() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = prepared();
    let ask = |line: &str, answers: &[&str]| {
        let mut script =
            format!("log_user 1\nset timeout 100\nspawn -noecho bash -c {{PATH=$PWD/.links:$PATH; exec {line}}}\n");
        for answer in answers {
            script += &format!(
                "expect -nocase -re {{passphrase[^\\n]*: }} {{ after 200; send \"{answer}\\r\" }} timeout {{ exit 99 }}\n"
            );
        }
        script += "expect eof {} timeout { exit 99 }\ncatch wait result\nexit [lindex $result 3]\n";
        sandbox.write("script", script);
        let mut command: Command = sandbox.detached("expect");
        finish(command.arg("script").spawn().expect("expect starts"))
    };
    let sealed = ask("age -p -o p.age x", &["correct horse", "correct horse"]);
    assert_eq!(sealed.status, 0, "{sealed:?}");
    let opened = ask("age -d p.age", &["correct horse"]);
    assert_eq!(opened.status, 0, "{opened:?}");
    assert!(String::from_utf8_lossy(&opened.stdout).ends_with("hello\r\n"), "{opened:?}");
    for (line, answers, words) in [
        ("age -d p.age", &["wrong"][..], "incorrect passphrase"),
        ("age -p -o q.age x", &["one", "two"], "passphrases didn't match"),
        (
            "age -r age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef x",
            &[],
            "refusing to output binary to the terminal",
        ),
    ] {
        let outcome = ask(line, answers);
        assert_eq!(outcome.status, 1, "{outcome:?}");
        assert!(String::from_utf8_lossy(&outcome.stdout).contains(words), "{outcome:?}");
    }
    assert!(!sandbox.names().contains(&"q.age".to_owned()));
}
