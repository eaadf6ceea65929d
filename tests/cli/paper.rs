//! Paper backups: printed, and read back from the sheet alone.

use crate::{
    prompts::on_terminal,
    requirements::installed,
    sandbox::{Outcome, Sandbox},
};

/// The line of a key file that holds the key.
fn secret_line(sandbox: &Sandbox, name: &str) -> String {
    let text = sandbox.text(name);
    text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).expect("there is a key").to_owned()
}

/// The rows of words on a sheet, numbers and all.
fn words(sheet: &Outcome) -> String {
    let text = String::from_utf8(sheet.gave().to_vec()).expect("the sheet is UTF-8");
    let is_row = |line: &&str| line.trim_start().starts_with(|first: char| first.is_ascii_digit());
    text.lines().filter(is_row).collect::<Vec<_>>().join("\n")
}

fn read(sandbox: &Sandbox, kind: &str, output: &str, words: &str) -> Outcome {
    sandbox.run_with(["paper", "--read", "--kind", kind, "-o", output], words.as_bytes())
}

#[test]
fn a_key_is_restored_from_the_sheet_alone() {
    let sandbox = Sandbox::new();
    for (kind, more) in [("x25519", &[][..]), ("pq", &["--pq"])] {
        let key = format!("{kind}.txt");
        let public = sandbox.run([&["keygen", "-o", &key], more].concat()).gave().to_vec();
        let sheet = sandbox.run(["paper", &key]);
        let text = String::from_utf8_lossy(sheet.gave());
        assert!(text.contains(&format!("Kind:       {kind}\n")) && text.contains("Public key: age1"), "{text}");
        let back = format!("{kind}-back.txt");
        let outcome = read(&sandbox, kind, &back, &words(&sheet));
        assert_eq!(outcome.gave(), public);
        assert_eq!(secret_line(&sandbox, &back), secret_line(&sandbox, &key));
        assert_eq!(sandbox.mode(&back) & 0o777, 0o600);
        // Never overwritten.
        assert_eq!(read(&sandbox, kind, &back, &words(&sheet)).status, 1);
    }
}

#[test]
fn what_is_no_list_of_words_for_a_key_is_refused_and_not_repeated() {
    let sandbox = Sandbox::new();
    let abandon = "abandon ".repeat(23);
    let compare = "solekey: hint: compare it with the sheet; 'solekey paper --read' on a terminal suggests words\n";
    let all = "solekey: hint: give all words of the sheet in order; numbers between them are ignored\n";
    let checksum = "solekey: hint: a word is wrong, or two are swapped; compare them with the sheet\n";
    for (words, error, hint) in [
        (format!("{abandon}zoo"), "the checksum of the words is wrong", checksum),
        (format!("{abandon}secretish"), "word 24 is not in the list of words", compare),
        ("abandon ".repeat(12), "12 words hold 16 bytes, but an age key has 32", all),
        (abandon.clone(), "23 words were given, but a key has 24", all),
        (String::new(), "0 words were given, but a key has 24", all),
    ] {
        read(&sandbox, "x25519", "new.txt", &words).fails(1, &format!("solekey: error: {error}\n{hint}"));
        assert!(!sandbox.path("new.txt").exists());
    }
    assert_eq!(read(&sandbox, "x25519", "new.txt", &"abandon ".repeat(600)).status, 1);
    // The words of 32 zero bytes, in upper case and in lines.
    let good = read(&sandbox, "x25519", "new.txt", &format!("{}ART\n", "Abandon\n".repeat(23)));
    assert!(good.gave().starts_with(b"age1"));
}

#[test]
fn only_a_single_age_key_fits_on_a_sheet() {
    let (sandbox, _) = Sandbox::with_key();
    let two = sandbox.text("key.txt").repeat(2);
    sandbox.write("two.txt", two);
    sandbox.set_mode("two.txt", 0o600);
    sandbox.run(["paper", "two.txt"]).fails(
        2,
        "solekey: error: 'two.txt' has 2 keys, but a sheet holds only one\n\
         solekey: hint: put each key into a file of its own\n",
    );
    for words in [&["paper"][..], &["paper", "--read", "-o", "x"], &["paper", "--kind", "pq", "key.txt"]] {
        assert_eq!(sandbox.run(words).status, 2, "{words:?}");
    }
    if installed(&["ssh-keygen"]) {
        sandbox.shell("ssh-keygen -q -t ed25519 -N '' -f ed").is_silent_success();
        sandbox.run(["paper", "ed"]).fails(
            2,
            "solekey: error: 'ed' has no 32-byte age key\n\
             solekey: hint: paper takes X25519 and post-quantum age keys; back up SSH and plugin keys some other way\n",
        );
    }
}

#[test]
fn an_image_is_private_and_never_replaces_a_file() {
    let (sandbox, _) = Sandbox::with_key();
    sandbox.run(["paper", "--svg", "key.svg", "key.txt"]).gave();
    assert!(sandbox.text("key.svg").contains("<svg"));
    assert_eq!(sandbox.mode("key.svg") & 0o777, 0o600);
    sandbox
        .run(["paper", "--svg", "key.svg", "key.txt"])
        .fails(1, "solekey: error: 'key.svg' already exists\nsolekey: hint: choose another name with --svg\n");
}

#[test]
fn words_that_are_typed_are_hidden_and_wrong_ones_get_suggestions() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = Sandbox::new();
    let first = format!("{} abandn\\r", "abandon ".repeat(11).trim_end());
    let rest = format!("{}art\\r", "abandon ".repeat(12));
    let outcome = on_terminal(
        &sandbox,
        "\"$SOLEKEY\" paper --read --kind x25519 -o new.txt 2>log",
        &[("Enter words, starting with number 1", &first), ("Enter words, starting with number 12", &rest)],
    );
    let shown = String::from_utf8_lossy(&outcome.stdout);
    assert!(shown.contains("Word 12, 'abandn', is not in the list; is it abandon?"), "{shown}");
    assert!(!shown.contains("abandon abandon"), "{shown}");
    assert_eq!((outcome.status, sandbox.read("log")), (0, Vec::new()), "{shown}");
    assert!(secret_line(&sandbox, "new.txt").starts_with("AGE-SECRET-KEY-1"));
}
