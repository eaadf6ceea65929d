//! Wrong turns that are easily taken: each error says what to do instead, in one style.

use std::fs;

use crate::sandbox::Sandbox;

/// Prepares `x`, `x.age` for `key.txt`, and files that are mistaken for encrypted ones.
fn prepared() -> (Sandbox, String) {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "hello");
    sandbox.run(["encrypt", "-r", &recipient, "x"]).is_silent_success();
    sandbox.run(["encrypt", "-a", "-r", &recipient, "-o", "armored", "x"]).is_silent_success();
    let armored = sandbox.text("armored");
    let each_line =
        |before: &str, after: &str| armored.lines().map(|line| format!("{before}{line}{after}\n")).collect::<String>();
    sandbox.write("mail", format!("Hi,\n\n{armored}bye\n"));
    sandbox.write("signed", format!("{armored}-- \nme\n"));
    sandbox.write("quoted", each_line("> ", ""));
    sandbox.write("indented", each_line("  ", ""));
    sandbox.write("trailing", each_line("", " "));
    sandbox.write("cut", &sandbox.read("x.age")[..60]);
    sandbox.write("pgp", "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n");
    sandbox.write("gpg", b"\x85\x01\x0c\x03abcdefgh");
    sandbox.write("gz", b"\x1f\x8b\x08\x00abcdefgh");
    sandbox.write("zip", b"PK\x03\x04abcdefgh");
    sandbox.write("openssl", b"Salted__abcdefgh");
    (sandbox, recipient)
}

#[test]
fn a_command_line_that_is_close_to_a_right_one_is_told_which() {
    let (sandbox, recipient) = prepared();
    let recipient = recipient.as_str();
    for (arguments, error, hint) in [
        (&["x"][..], "unrecognized subcommand 'x'", "to encrypt: solekey encrypt -r RECIPIENT x"),
        (&["x.age"], "unrecognized subcommand 'x.age'", "to decrypt: solekey decrypt x.age"),
        (&["-d", "x.age"], "unexpected argument '-d' found", "to decrypt: solekey decrypt x.age"),
        (&["-e", "-r", recipient, "x"], "unexpected argument '-e' found", "to encrypt: solekey encrypt -r RECIPIENT x"),
        (&["-e"], "unexpected argument '-e' found", "to encrypt: solekey encrypt -r RECIPIENT FILE"),
        (&["encypt", "x"], "unrecognized subcommand 'encypt'", "did you mean 'solekey encrypt'?"),
        (&["generate"], "unrecognized subcommand 'generate'", "did you mean 'solekey keygen'?"),
        (&["version"], "unrecognized subcommand 'version'", "did you mean 'solekey --version'?"),
        (&["xyzzy"], "unrecognized subcommand 'xyzzy'", "see 'solekey --help'"),
        (
            &["decrypt", "--idenity", "key.txt", "x.age"],
            "unexpected argument '--idenity' found",
            "did you mean '--identity'? Otherwise see 'solekey decrypt --help'",
        ),
        (
            &["d", "-p", "x.age"],
            "unexpected argument '-p' found",
            "leave it out: the passphrase is asked for if the file needs one",
        ),
        (
            &["encrypt", "-r"],
            "a value is required for '--recipient <KEY>' but none was supplied",
            "see 'solekey encrypt --help'",
        ),
        (
            &["verify", "--progress", "maybe", "x"],
            "invalid value 'maybe' for '--progress <WHEN>' [possible values: auto, always, never]",
            "see 'solekey verify --help'",
        ),
        (
            &["salvage", "x"],
            "the following required arguments were not provided: --output <OUT>",
            "see 'solekey salvage --help'",
        ),
    ] {
        let said = format!("solekey: error: {error}\nsolekey: hint: {hint}\n");
        sandbox.run(arguments).fails(2, &said);
    }
}

#[test]
fn a_key_in_the_place_of_a_file_is_told_where_keys_go() {
    let (sandbox, recipient) = prepared();
    let said = format!(
        "solekey: error: cannot read '{recipient}': No such file or directory\n\
         solekey: hint: -R and -i take the name of a file; to encrypt to a key itself, give it with -r\n"
    );
    sandbox.run(["encrypt", "-c", "-R", &recipient, "x"]).fails(1, &said);
    sandbox.run(["encrypt", "-c", "-i", &recipient, "x"]).fails(1, &said);
    sandbox.run(["decrypt", "-c", "-i", &recipient, "x.age"]).fails(1, &said);
}

#[test]
fn a_default_identity_that_is_missing_is_said_to_be_a_default() {
    let (sandbox, _) = prepared();
    let mut command = sandbox.command(["decrypt", "-c", "x.age"]);
    let outcome = crate::sandbox::finish(command.env("SOLEKEY_IDENTITY", "gone").spawn().expect("the program starts"));
    let said = "solekey: error: cannot read 'gone': No such file or directory\n\
                solekey: hint: $SOLEKEY_IDENTITY lists 'gone'\n";
    outcome.fails(1, said);
}

#[test]
fn a_file_of_another_format_is_named_for_what_it_is() {
    let (sandbox, _) = prepared();
    for (file, is, hint) in [
        ("pgp", "a PGP message", "decrypt a PGP message with gpg -d"),
        ("gpg", "a PGP message", "decrypt a PGP message with gpg -d"),
        ("gz", "compressed with gzip", "unpack it with gunzip first"),
        ("zip", "a zip archive", "unpack it with unzip first"),
        (
            "openssl",
            "encrypted by openssl",
            "decrypt it with openssl enc -d, and the options that it was encrypted with",
        ),
    ] {
        let said =
            format!("solekey: error: cannot decrypt '{file}': not an age file: it is {is}\nsolekey: hint: {hint}\n");
        sandbox.run(["decrypt", "-i", "key.txt", "-c", file]).fails(4, &said);
    }
}

#[test]
fn armor_that_was_copied_with_too_much_is_told_what_to_keep() {
    let (sandbox, _) = prepared();
    let keep = "keep the lines from '-----BEGIN AGE ENCRYPTED FILE-----' to '-----END AGE ENCRYPTED FILE-----', \
                and nothing before, after or between them";
    let within = |line: usize| {
        format!(
            "armored text begins in line {line}: keep it and what follows up to '-----END AGE ENCRYPTED FILE-----', \
             without anything before each line"
        )
    };
    for (file, error, hint) in [
        ("mail", "not an age file", within(3)),
        ("quoted", "not an age file", within(1)),
        ("indented", "malformed armor, line 2: it begins or ends with white space", keep.to_owned()),
        ("trailing", "malformed armor, line 1: it is not '-----BEGIN AGE ENCRYPTED FILE-----'", keep.to_owned()),
        ("signed", "malformed armor, line 8: text follows the armor's end", keep.to_owned()),
    ] {
        let said = format!("solekey: error: cannot decrypt '{file}': {error}\nsolekey: hint: {hint}\n");
        sandbox.run(["decrypt", "-i", "key.txt", "-c", file]).fails(4, &said);
    }
}

#[test]
fn a_salvage_is_advised_only_where_it_can_help() {
    let (sandbox, _) = prepared();
    let cut = "malformed header, line 2: the file ends inside the header\n\
               solekey: hint: fetch the file again: the rest cannot be opened, because the file key is in the header\n";
    sandbox
        .run(["decrypt", "-i", "key.txt", "-c", "cut"])
        .fails(4, &format!("solekey: error: cannot decrypt 'cut': {cut}"));
    let whole = sandbox.read("x.age");
    let payload = whole.windows(5).position(|part| part == b"\n--- ").expect("a header has a MAC") + 49;
    for length in [0, 10, 60, payload - 1, payload, payload + 10, payload + 16, whole.len() - 1] {
        sandbox.write("damaged", &whole[..length]);
        let outcome = sandbox.run(["salvage", "-f", "-i", "key.txt", "-o", "y", "damaged"]);
        assert_eq!(outcome.status, 4, "{length}: {outcome:?}");
        assert!(!outcome.stderr.contains("solekey salvage"), "{length}: {outcome:?}");
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_not_said_to_be_damaged() {
    let (sandbox, _) = prepared();
    fs::create_dir(sandbox.path("folder.age")).expect("the folder is new");
    let outcome = sandbox.run(["verify", "-i", "key.txt", "none.age", "folder.age", "x.age", "cut"]);
    let stdout = "none.age: CANNOT OPEN No such file or directory\nfolder.age: CANNOT OPEN 'folder.age' is a directory\n\
                  x.age: OK\ncut: FAILED malformed header, line 2: the file ends inside the header\n";
    assert_eq!((outcome.status, String::from_utf8_lossy(&outcome.stdout)), (6, stdout.into()), "{outcome:?}");
}
