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
        (&["x"][..], "'x' is not a command", "to encrypt: solekey encrypt -r RECIPIENT x"),
        (&["x.age"], "'x.age' is not a command", "to decrypt: solekey decrypt x.age"),
        (&["-d", "x.age"], "unknown option '-d'", "to decrypt: solekey decrypt x.age"),
        (&["-e", "-r", recipient, "x"], "unknown option '-e'", "to encrypt: solekey encrypt -r RECIPIENT x"),
        (&["-e"], "unknown option '-e'", "to encrypt: solekey encrypt -r RECIPIENT FILE"),
        (&["encypt", "x"], "'encypt' is not a command", "did you mean 'solekey encrypt'?"),
        (&["generate"], "'generate' is not a command", "did you mean 'solekey keygen'?"),
        (&["version"], "'version' is not a command", "did you mean 'solekey --version'?"),
        (
            &["keygen", "key.txt"],
            "missing --to-public",
            "to make a key: solekey keygen -o FILE; to print the public key of one: solekey keygen -y FILE",
        ),
        (
            &["paper"],
            "missing KEY",
            "usage: solekey paper [--svg FILE] KEY, or solekey paper --read --kind KIND -o FILE",
        ),
        (&["nope"], "'nope' is not a command", "see 'solekey --help'"),
        (&["--verison"], "unknown option '--verison'", "did you mean 'solekey --version'?"),
        (&["encrypt", "--to", recipient], "unknown option '--to'", "see 'solekey encrypt --help'"),
        (&["encrypt", "--sparse", "x"], "unknown option '--sparse'", "see 'solekey encrypt --help'"),
        (
            &["encrypt", "--threads", "x"],
            "invalid value 'x' for '--threads <N>': it is not a number from 0 to 1,024",
            "see 'solekey encrypt --help'",
        ),
        (
            &["inspect", "--expect-recipients", "one", "x"],
            "invalid value 'one' for '--expect-recipients <N>': it is not a number of stanzas, such as 2",
            "see 'solekey inspect --help'",
        ),
        (
            &["verify", "--max-work-factor", "64", "x"],
            "invalid value '64' for '--max-work-factor <N>': it is not a number from 1 to 63",
            "see 'solekey verify --help'",
        ),
        (
            &["keygen", "--protect", "x", "--new-passphrase-fd", "x"],
            "invalid value 'x' for '--new-passphrase-fd <N>': it is not the number of a file descriptor, such as 3",
            "see 'solekey keygen --help'",
        ),
        (&["xyzzy"], "'xyzzy' is not a command", "see 'solekey --help'"),
        (
            &["decrypt", "--idenity", "key.txt", "x.age"],
            "unknown option '--idenity'",
            "did you mean '--identity'? Otherwise see 'solekey decrypt --help'",
        ),
        (
            &["d", "-p", "x.age"],
            "unknown option '-p'",
            "leave it out: solekey asks for a passphrase if the file needs one",
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
        (&["salvage", "x"], "missing --output OUT", "usage: solekey salvage [OPTIONS] [-i IDENTITY]... -o OUT FILE"),
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

/// Before anything is written: the output of the other operands would lack a recipient.
#[test]
fn a_key_among_the_operands_is_told_where_keys_go() {
    let (sandbox, recipient) = prepared();
    sandbox.write("y", "hello");
    let age = format!("'{}...'", &recipient[..16]);
    let ssh = "'ssh-ed25519'".to_owned();
    let own = "give each key its own -r";
    let quote = "give each key its own -r, and quote a key that has spaces";
    let encrypted = "name the encrypted file, and give your secret key's file with -i";
    let secret = "name the file that holds the secret key";
    for (line, key, hint) in [
        ("encrypt -r KEY KEY y", &age, own),
        ("encrypt -r KEY y KEY", &age, own),
        ("encrypt KEY y", &age, own),
        ("encrypt -p -c KEY", &age, own),
        ("encrypt --json -r KEY KEY,KEY y", &age, own),
        ("encrypt -r ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA y", &"'AAAAC3NzaC1lZDI1...'".to_owned(), quote),
        ("encrypt -r KEY ssh-ed25519 y", &ssh, quote),
        ("inspect -r KEY KEY x.age", &age, own),
        ("rekey -i key.txt -r KEY KEY x.age", &age, own),
        ("decrypt -i key.txt x.age KEY", &age, encrypted),
        ("verify -i key.txt x.age KEY", &age, encrypted),
        ("salvage -i key.txt -o z KEY", &age, encrypted),
        ("keygen -y KEY", &age, secret),
        ("paper KEY", &age, secret),
    ] {
        let line = line.replace("KEY", &recipient);
        let outcome = sandbox.run(line.split(' '));
        let said = format!("solekey: error: {key} is a public key, not a file\nsolekey: hint: {hint}\n");
        assert_eq!((outcome.status, outcome.stderr.as_str()), (2, said.as_str()), "{line}");
        assert!(!sandbox.path("y.age").exists() && !sandbox.path("z").exists(), "{line}");
    }
    // A file may have such a name.
    sandbox.write(&recipient, "hello");
    sandbox.run(["encrypt", "-r", &recipient, &recipient]).is_silent_success();
}

#[test]
fn an_error_about_a_folder_names_it_once_and_options_that_the_command_has() {
    let (sandbox, recipient) = prepared();
    fs::create_dir(sandbox.path("folder.age")).expect("the folder is new");
    let recursive = "add --recursive, or name its files";
    for (line, hint) in [
        (
            "encrypt -r KEY folder.age",
            "add --recursive, or make one archive: tar c DIR | solekey encrypt -r KEY -o DIR.tar.age",
        ),
        ("decrypt -i key.txt folder.age", recursive),
        ("rekey -i key.txt -r KEY folder.age", recursive),
        ("inspect folder.age", recursive),
        ("salvage -i key.txt -o y folder.age", "name a file in it"),
    ] {
        let said = format!("solekey: error: 'folder.age' is a directory\nsolekey: hint: {hint}\n");
        sandbox.run(line.replace("KEY", &recipient).split(' ')).fails(2, &said);
    }
    let exists = "'x' already exists\nsolekey: hint: overwrite it with -f, or choose another name with -o";
    let missing = "No such file or directory\n\
                   solekey: hint: the folder 'no dir' is missing; create it with mkdir -p";
    let only = "; only -O creates folders";
    for (line, error) in [
        ("salvage|-i|key.txt|-o|x|x.age", exists.to_owned()),
        ("decrypt|-i|key.txt|x.age", format!("{exists}, or another folder with -O")),
        ("decrypt|-i|key.txt|-o|no dir/y|x.age", format!("cannot create 'no dir/y': {missing}{only}")),
        ("encrypt|-r|KEY|-o|no dir/y|x", format!("cannot create 'no dir/y': {missing}{only}")),
        ("salvage|-i|key.txt|-o|no dir/y|x.age", format!("cannot create 'no dir/y': {missing}")),
        ("keygen|-o|no dir/y", format!("cannot create 'no dir/y': {missing}")),
        ("paper|--svg|no dir/y|key.txt", format!("cannot create 'no dir/y': {missing}")),
    ] {
        let said = format!("solekey: error: {error}\n");
        sandbox.run(line.replace("KEY", &recipient).split('|')).fails(1, &said);
    }
}

#[test]
fn a_name_without_an_output_name_is_told_what_may_have_been_meant() {
    let (sandbox, _) = prepared();
    sandbox.write(".age", "");
    sandbox.write("-dash", "");
    let name = "name the output with -o FILE, or send it to standard output with -c";
    for (line, error, hint) in [
        (
            "decrypt -i key.txt x",
            "'x' does not end in '.age', so the name of its output is not known",
            format!("did you mean 'x.age'? Otherwise {name}"),
        ),
        (
            "decrypt -i key.txt armored",
            "'armored' does not end in '.age', so the name of its output is not known",
            name.to_owned(),
        ),
        (
            "decrypt -i key.txt .age",
            "'.age' has nothing before its '.age', so the name of its output is not known",
            name.to_owned(),
        ),
        ("decrypt -dash x.age", "unknown option '-d'", "if you mean the file '-dash', write './-dash'".to_owned()),
    ] {
        let said = format!("solekey: error: {error}\nsolekey: hint: {hint}\n");
        sandbox.run(line.split(' ')).fails(2, &said);
    }
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
            "armored text begins on line {line}: keep it and what follows up to '-----END AGE ENCRYPTED FILE-----', \
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
    sandbox.keygen("other.txt");
    let wrong = "x.age: CANNOT OPEN none of these identities can open it; it is for: X25519 (an age1... key)\n";
    sandbox.run(["verify", "-i", "other.txt", "x.age"]).is(
        3,
        wrong,
        "solekey: hint: name the matching identity file with -i\n",
    );
    let none = "x.age: CANNOT OPEN missing identities: the file is for X25519 (an age1... key)\n";
    sandbox.run(["verify", "x.age"]).is(2, none, "solekey: hint: name your identity file with -i\n");
    let outcome = sandbox.run(["verify", "-i", "key.txt", "none.age", "folder.age", "x.age", "cut"]);
    let stdout = "none.age: CANNOT OPEN No such file or directory\nfolder.age: CANNOT OPEN it is a directory\n\
                  x.age: OK\ncut: FAILED malformed header, line 2: the file ends inside the header\n";
    assert_eq!((outcome.status, String::from_utf8_lossy(&outcome.stdout)), (6, stdout.into()), "{outcome:?}");
}

#[test]
fn a_mistyped_recipient_is_told_from_the_others() {
    let (sandbox, recipient) = prepared();
    let mistyped = format!("{}b", &recipient[..recipient.len() - 1]);
    let shown = format!("-r {}...: the key's checksum is wrong; it was mistyped or cut off", &mistyped[..16]);
    let pair = format!("{recipient},{recipient}");
    let copy = "copy the whole key again";
    let begins = "a recipient begins with age1, ssh-ed25519 or ssh-rsa";
    for (words, error, hint) in [
        (&["-r", &mistyped, "-r", &recipient][..], shown.as_str(), copy),
        (&["-r", &recipient, "-r", &mistyped], &shown, copy),
        (
            &["-r", "age1\u{1b}[31mred\nforged"],
            "-r age1...: the key's checksum is wrong; it was mistyped or cut off",
            copy,
        ),
        (&["-r", "age1\u{202e}gpj"], "-r age1...: the key's checksum is wrong; it was mistyped or cut off", copy),
        (&["-r", "age1"], "-r age1: the key's checksum is wrong; it was mistyped or cut off", copy),
        (&["-r", &pair], &format!("-r {}...: text follows the key", &recipient[..16]), "give each key its own -r"),
        (&["-r", &recipient, "-r", "alice"], "-r, recipient 2 of 2: not a recipient", begins),
        (&["-r", "alice"], "-r: not a recipient", begins),
    ] {
        let said = format!("solekey: error: {error}\nsolekey: hint: {hint}\n");
        sandbox.run(["encrypt", "-c"].iter().chain(words).chain(&["x"])).fails(2, &said);
    }
}

/// First malformed keys, then the input, then the output. A passphrase is asked for only if all of them are right.
#[test]
fn questions_come_last() {
    let (sandbox, recipient) = prepared();
    sandbox.write("pw", "secret\n");
    sandbox.run(["keygen", "-p", "--passphrase-file", "pw", "-o", "locked"]).gave();
    let mistyped = format!("{}b", &recipient[..recipient.len() - 1]);
    let key = "checksum is wrong";
    let missing = "cannot open 'none.age': No such file or directory";
    let exists = "'x' already exists";
    let question = "a passphrase is needed";
    for (line, first) in [
        ("encrypt -i locked -r MISTYPED -o x none.age", key),
        ("encrypt -i locked -i x -o x none.age", "'x', line 1: not an identity"),
        ("encrypt -i locked -o x none.age", missing),
        ("encrypt -i locked -o x x.age", exists),
        ("encrypt -i locked -c x", question),
        ("encrypt -p -o x none.age", missing),
        ("encrypt -p -o x x.age", exists),
        ("encrypt -p --files-from none.age", "cannot read 'none.age'"),
        ("encrypt -p -c x", question),
        ("encrypt -p none.age gone.age", missing),
        ("rekey -i locked -p none.age gone.age", missing),
        ("decrypt -i locked none.age gone.age", missing),
        ("decrypt -i locked -i x -o x none.age", "'x', line 1: not an identity"),
        ("decrypt -i locked -o x none.age", missing),
        ("decrypt -i locked -o x gz", exists),
        ("decrypt -i locked none.age", missing),
        ("decrypt -i locked -c gz", "not an age file"),
        ("decrypt -i locked -c x.age", question),
        ("verify -i locked -i x none.age", "'x', line 1: not an identity"),
        ("verify -i locked gz", "not an age file"),
        ("inspect -i locked none.age", missing),
        ("inspect -i locked gz", "not an age file"),
        ("rekey -i locked -r MISTYPED none.age", key),
        ("rekey -i locked -r RECIPIENT none.age", missing),
        ("rekey -i locked -r RECIPIENT x.age", question),
        ("rekey -i locked -p none.age", missing),
        ("rekey -i locked -p gz", "not an age file"),
        ("rekey -i locked -p x.age", question),
        ("salvage -i locked -o x none.age", missing),
        ("salvage -i locked -o x x.age", exists),
        ("salvage -i locked -o y gz", "not an age file"),
        ("salvage -i locked -o y x.age", question),
        ("keygen -p -o x", exists),
        ("keygen -p -o none/x", "cannot create 'none/x'"),
        ("keygen --protect none.age", missing),
        ("keygen --protect x", "'x', line 1: not an identity"),
        ("keygen -p -o y", question),
        ("keygen -y none.age", "cannot read 'none.age'"),
        ("keygen -y locked", question),
        ("paper none.age", "cannot read 'none.age'"),
        ("paper locked", question),
    ] {
        let words = line.split(' ').map(|word| match word {
            "MISTYPED" => mistyped.as_str(),
            "RECIPIENT" => &recipient,
            word => word,
        });
        let outcome = sandbox.run(words.chain(["--batch"]));
        let said = [outcome.stdout.as_slice(), outcome.stderr.as_bytes()].concat();
        let said = String::from_utf8_lossy(&said);
        let error = said.lines().next().unwrap_or_default();
        assert!(outcome.status != 0 && error.contains(first), "{line}: {said}");
        assert_eq!(outcome.status == 5, first == question, "{line}: {said}");
    }
}

#[test]
fn salvage_names_what_it_cannot_salvage() {
    let (sandbox, _) = prepared();
    for (file, status, error, hint) in [
        ("pgp", 4, "cannot salvage 'pgp': not an age file: it is a PGP message", "decrypt a PGP message with gpg -d"),
        (
            "armored",
            1,
            "'armored' is armored, and only binary files can be salvaged",
            "repair its lines of base64 as far as you can, and convert them: sed /-----/d FILE | base64 -d > FILE.bin",
        ),
    ] {
        let said = format!("solekey: error: {error}\nsolekey: hint: {hint}\n");
        sandbox.run(["salvage", "-i", "key.txt", "-o", "y", file]).fails(status, &said);
    }
    // Too long is not lost.
    let stanza = format!("-> X25519 {0}\n{0}\n", "A".repeat(43));
    sandbox.write("long", format!("age-encryption.org/v1\n{}--- {}\n", stanza.repeat(200_000), "A".repeat(43)));
    let outcome = sandbox.run(["salvage", "-i", "key.txt", "-o", "y", "long"]);
    assert_eq!(outcome.status, 4, "{outcome:?}");
    assert!(outcome.stderr.contains("fewer recipients") && !outcome.stderr.contains("by anybody"), "{outcome:?}");
}
