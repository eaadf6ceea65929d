//! Key material in the wrong place is never repeated: not on the command line, in the environment, or in a file of names.

use std::{collections::HashSet, fs};

use clap::Arg;

use crate::sandbox::{Outcome, Sandbox, finish};

/// Bytes of a key that must not appear in a row.
const WINDOW: usize = 12;

/// Every kind of key material, as text that a user may put in the wrong place.
fn kinds(sandbox: &Sandbox) -> Vec<String> {
    sandbox.keygen("key.txt");
    assert_eq!(sandbox.run(["keygen", "--pq", "-o", "pq.txt"]).status, 0);
    let last_line = |name: &str| sandbox.text(name).lines().last().expect("a key file has lines").to_owned();
    let (key, pq) = (last_line("key.txt"), last_line("pq.txt"));
    let plugin = key.replace("AGE-SECRET-KEY-1", "AGE-PLUGIN-YUBIKEY-1");
    let pem = |label: &str| {
        let body: Vec<_> = PEM_BODY.iter().map(|line| format!("{line}\n")).collect();
        format!("-----BEGIN {label}-----\n{}-----END {label}-----\n", body.concat())
    };
    let openssh = pem("OPENSSH PRIVATE KEY");
    let mut kinds = Vec::new();
    for whole in [&key, &pq, &plugin, &openssh, &pem("RSA PRIVATE KEY"), &pem("ENCRYPTED PRIVATE KEY")] {
        kinds.extend([
            whole.clone(),
            whole.to_lowercase(),
            format!(" \t{whole}\n"),
            whole[..whole.len() / 2].to_owned(),
        ]);
    }
    let cut = [&key[16..], &key[20..], &openssh[14..], PEM_BODY[0], PEM_BODY[1], &PEM_BODY[1][20..]];
    kinds.extend(cut.map(str::to_owned));
    kinds.push(format!("{}\n{}", &key[..30], &key[30..]));
    kinds.push(format!("x={key}"));
    // A key on paper, and a generated passphrase.
    kinds.extend([paper_words(sandbox), PASSPHRASE.to_owned()]);
    kinds
}

/// The words of the sheet of a key, with a space between them.
fn paper_words(sandbox: &Sandbox) -> String {
    let sheet = String::from_utf8(sandbox.run(["paper", "key.txt"]).stdout).expect("a sheet is text");
    let is_row = |line: &&str| line.trim_start().starts_with(|first: char| first.is_ascii_digit());
    let words = sheet.lines().filter(is_row).flat_map(str::split_whitespace);
    let words: Vec<_> = words.filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())).collect();
    assert_eq!(words.len(), 24, "{sheet}");
    words.join(" ")
}

/// As solekey generates one.
const PASSPHRASE: &str = "kangaroo-dentist-hurdle-wisdom-ocean-garlic-tobacco-fiction-palace-velvet";

/// A third of the kinds, another one for each number: every place sees many kinds, and every kind many places.
fn third(kinds: &[String], number: usize) -> impl Iterator<Item = &String> {
    kinds.iter().skip(number % 3).step_by(3)
}

const PEM_BODY: [&str; 3] = [
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW",
    "QyNTUxOQAAACB7Ci6nqZYaVvrjm8+XbzII89TsXzP111AflR7WeorBjQAAAJCfEwtqnxML",
    "agAAAAtzc2gtZWQyNTUxOQAAACB7Ci6nqZYaVvrjm8+XbzII89TsXzP111AflR7WeorBjQ",
];

/// The parts of a key, in lower case, that a message must not contain.
fn parts(key: &str) -> HashSet<Vec<u8>> {
    let lower = key.to_lowercase();
    let windows = |text: &str| -> Vec<_> { text.as_bytes().windows(WINDOW).map(<[u8]>::to_vec).collect() };
    let data = lower.split(|c: char| !(c.is_alphanumeric() || "+/=".contains(c)));
    let parts: HashSet<_> = data.flat_map(windows).collect();
    // Words of a list are short, and the secret is several of them.
    if parts.is_empty() { windows(&lower).into_iter().collect() } else { parts }
}

#[track_caller]
fn does_not_repeat(outcome: &Outcome, key: &str, command: &str) {
    let parts = parts(key);
    assert!(!parts.is_empty(), "{key}");
    for printed in [outcome.stdout.to_ascii_lowercase(), outcome.stderr.to_ascii_lowercase().into_bytes()] {
        let repeated = printed.windows(WINDOW).find(|part| parts.contains(*part));
        assert!(repeated.is_none(), "{command}: {outcome:?}");
    }
}

/// The words that give an argument this value, in every way that its flags allow.
fn uses(argument: &Arg, value: &str) -> Vec<Vec<String>> {
    let takes_value = argument.get_action().takes_values();
    let mut uses = Vec::new();
    if let Some(long) = argument.get_long() {
        uses.push(vec![format!("--{long}={value}")]);
        uses.extend(takes_value.then(|| vec![format!("--{long}"), value.to_owned()]));
    }
    if let Some(short) = argument.get_short() {
        uses.push(vec![format!("-{short}{value}")]);
    }
    if argument.is_positional() {
        uses.push(vec![value.to_owned()]);
        uses.push(vec!["--".to_owned(), value.to_owned()]);
    }
    uses
}

/// Removes what was written under the name of a key: a file that exists is named in messages.
fn remove_outputs(sandbox: &Sandbox) {
    for name in sandbox.names() {
        if !["key.txt", "pq.txt"].contains(&name.as_str()) && !name.starts_with('.') {
            let _ = fs::remove_file(sandbox.path(name));
        }
    }
}

#[test]
fn no_argument_of_any_command_repeats_key_material() {
    let sandbox = Sandbox::new();
    let command = solekey::cli::command();
    let verbs: Vec<_> = command.get_subcommands().collect();
    assert!(verbs.iter().any(|verb| verb.get_name() == "paper") && verbs.len() >= 9);
    let kinds = kinds(&sandbox);
    // What is recognized as a key is refused before it is parsed; fragments are tried with every argument.
    let (whole, fragments): (Vec<_>, Vec<_>) =
        kinds.iter().partition(|key| sandbox.run(["inspect", key]).stderr.contains("is on the command line"));
    assert!(whole.len() >= 20 && fragments.len() >= 4, "{fragments:?}");
    for verb in verbs {
        let globals = command.get_arguments().filter(|argument| argument.is_global_set());
        for (number, argument) in verb.get_arguments().chain(globals).enumerate() {
            // Each argument gets another whole key and another fragment.
            for key in [whole[number % whole.len()], fragments[number % fragments.len()]] {
                for words in uses(argument, key) {
                    let words = [vec![verb.get_name().to_owned(), "-v".to_owned()], words].concat();
                    does_not_repeat(&sandbox.run(&words), key, &words.join(" "));
                    remove_outputs(&sandbox);
                }
            }
        }
    }
    for key in &kinds {
        for words in [&[key.as_str()][..], &["--progress", key], &["help", key], &["encrypt", "--rm", "-k", key]] {
            does_not_repeat(&sandbox.run(words), key, &words.join(" "));
        }
        // As the shell splits it.
        let words: Vec<_> = ["encrypt", "-r"].into_iter().chain(key.split_whitespace()).collect();
        does_not_repeat(&sandbox.run(&words), key, &words.join(" "));
    }
}

#[test]
fn no_argument_of_age_or_rage_repeats_key_material() {
    let sandbox = Sandbox::new();
    let kinds = kinds(&sandbox);
    let flags = ["-r", "-i", "-R", "-j", "-o", "-d", "-y", "--unknown", "--json", "-x", ""];
    for tool in ["age", "rage", "age-keygen", "rage-keygen", "age-inspect"] {
        for (number, flag) in flags.into_iter().enumerate() {
            // The last ones are fragments.
            for key in [&kinds[number], &kinds[kinds.len() - 3 - number % 5]] {
                let joined = format!("{flag}={key}");
                for words in [vec![tool, flag, key], vec![tool, "-d", &joined], vec![tool, key, flag]] {
                    does_not_repeat(&sandbox.run(&words), key, &words.join(" "));
                    remove_outputs(&sandbox);
                }
            }
        }
    }
}

#[test]
fn key_material_in_the_environment_is_not_repeated() {
    let sandbox = Sandbox::new();
    let kinds = kinds(&sandbox);
    let recipient = sandbox.run(["keygen", "-y", "key.txt"]).stdout;
    let recipient = String::from_utf8(recipient).expect("it is ASCII");
    sandbox.write("x", "x");
    sandbox.run(["encrypt", "-r", recipient.trim_end(), "x"]).is_silent_success();
    let uses = [
        ("SOLEKEY_IDENTITY", &["verify", "-v", "x.age"][..]),
        ("SOLEKEY_IDENTITY", &["verify", "--json", "x.age"]),
        ("SOLEKEY_IDENTITY", &["inspect", "-v", "x.age"]),
        ("SOLEKEY_IDENTITY", &["rekey", "-v", "-r", recipient.trim_end(), "x.age"]),
        ("SOLEKEY_IDENTITY", &["rekey", "--json", "-r", recipient.trim_end(), "x.age"]),
        ("SOLEKEY_IDENTITY", &["decrypt", "--json", "-f", "x.age"]),
        ("SOLEKEY_IDENTITY", &["salvage", "--json", "-o", "out", "x.age"]),
        ("SOLEKEY_IDENTITY", &["inspect", "--json", "x.age"]),
        ("XDG_CONFIG_HOME", &["keygen", "--default"]),
        ("XDG_CONFIG_HOME", &["verify", "--json", "x.age"]),
        ("TMPDIR", &["encrypt", "-v", "-f", "-r", recipient.trim_end(), "x"]),
        ("XDG_CONFIG_HOME", &["decrypt", "-v", "-c", "x.age"]),
        ("HOME", &["decrypt", "-v", "-c", "x.age"]),
    ];
    for (number, (variable, words)) in uses.into_iter().enumerate() {
        for key in third(&kinds, number) {
            let mut command = sandbox.command(words);
            let outcome = finish(command.env(variable, key).spawn().expect("the program starts"));
            does_not_repeat(&outcome, key, &format!("{variable} {words:?}"));
        }
    }
    let mut command = sandbox.command(["verify", "x.age"]);
    let outcome = finish(command.env("SOLEKEY_IDENTITY", &kinds[0]).spawn().expect("the program starts"));
    outcome.fails(
        2,
        "solekey: error: $SOLEKEY_IDENTITY holds a secret key, not names of files\n\
         solekey: hint: keep the key in a file and name the file; treat this key as disclosed if others can see where it was\n",
    );
}

#[test]
fn key_material_in_a_file_of_something_else_is_not_repeated() {
    let sandbox = Sandbox::new();
    let kinds = kinds(&sandbox);
    sandbox.write("x", "x");
    sandbox.write_protected("p.age", "x", "right");
    sandbox.write("right", "right");
    let uses = [
        &["encrypt", "-R", "wrong", "x"][..],
        &["encrypt", "--authorized-keys", "wrong", "x"],
        &["inspect", "-i", "wrong", "p.age"],
        &["encrypt", "-R", "x", "--files-from", "wrong"],
        &["verify", "-v", "--files-from", "wrong"],
        &["verify", "--json", "--files-from", "wrong"],
        &["verify", "--json", "-0", "--files-from", "wrong0"],
        &["decrypt", "--passphrase-file", "wrong", "p.age", "-o", "out"],
        &["keygen", "-y", "wrong"],
        &["inspect", "wrong"],
        &["verify", "--json", "wrong"],
        &["age", "-R", "wrong", "x"],
        &["encrypt", "--json", "-R", "wrong", "x"],
        &["encrypt", "--json", "-R", "x", "--files-from", "wrong"],
        &["encrypt", "-i", "wrong", "x"],
        &["decrypt", "--json", "-i", "wrong", "p.age"],
        &["decrypt", "-c", "wrong", "p.age"],
        &["decrypt", "--json", "--files-from", "wrong"],
        &["inspect", "--json", "-R", "wrong", "p.age"],
        &["rekey", "--json", "-i", "wrong", "-R", "wrong", "p.age"],
        &["salvage", "--json", "-i", "wrong", "-o", "out", "p.age"],
        &["salvage", "-o", "out", "wrong"],
        &["keygen", "--protect", "wrong", "--passphrase-file", "x", "--dry-run"],
        &["paper", "wrong"],
        &["paper", "--passphrase-file", "wrong", "wrong"],
        &["completions", "wrong"],
    ];
    for (number, words) in uses.into_iter().enumerate() {
        for key in third(&kinds, number) {
            sandbox.write("wrong", key);
            sandbox.write("wrong0", format!("{key}\0"));
            // `keygen -y` and `paper` print what belongs to a key, but not it; a sheet is made to show it.
            let outcome = sandbox.run(words);
            if !(words[0] == "paper" && outcome.status == 0) {
                does_not_repeat(&outcome, key, &words.join(" "));
            }
            let _ = fs::remove_file(sandbox.path("out"));
        }
    }
    for key in &kinds {
        let words = ["paper", "--read", "--kind", "x25519", "-o", "out"];
        does_not_repeat(&sandbox.run_with(words, key.as_bytes()), key, "paper --read");
        let _ = fs::remove_file(sandbox.path("out"));
        does_not_repeat(
            &sandbox.run_with(["verify", "--json", "--files-from", "-"], key.as_bytes()),
            key,
            "--files-from -",
        );
    }
}

#[test]
fn a_list_of_files_that_holds_a_key_is_refused_at_its_first_line() {
    let sandbox = Sandbox::new();
    sandbox.write("list", format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\nxyz\n", PEM_BODY.join("\n")));
    sandbox.run(["verify", "--files-from", "list"]).fails(
        2,
        "solekey: error: the list holds a secret key, not names of files\n\
         solekey: hint: keep the key in a file and name the file; treat this key as disclosed if others can see where it was\n",
    );
}

#[test]
fn a_file_may_have_a_name_of_random_characters() {
    let (sandbox, recipient) = Sandbox::with_key();
    let name = PEM_BODY[0];
    sandbox.write(name, "x");
    sandbox.write("list", name);
    sandbox.run(["encrypt", "-r", &recipient, "--files-from", "list"]).is_silent_success();
    sandbox.run(["verify", "-i", "key.txt", &format!("{name}.age")]).is(0, &format!("{name}.age: OK\n"), "");
}
