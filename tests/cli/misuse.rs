//! Command lines that ask for something that would not happen.

use crate::sandbox::Sandbox;

/// Replaces KEY by a recipient.
fn words<'w>(line: &'w str, recipient: &'w str) -> impl Iterator<Item = &'w str> {
    line.split(' ').map(move |word| if word == "KEY" { recipient } else { word })
}

#[test]
fn an_option_that_has_no_effect_is_refused_before_any_work() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    sandbox.write("pw", "correct horse\n");
    let (sparse, force) = ("standard output gets no holes", "standard output replaces no file");
    let (no_plugin, no_word) = ("no plugin is named", "none of the named keys needs a passphrase");
    let (clear, no_folder) = ("without -p, the key file is not protected", "no folder is named");
    let no_stanza = "no plugin adds a stanza";
    let refused = "--identities-only refuses every passphrase";
    for (line, option, why) in [
        ("encrypt -r KEY --passphrase-file pw x", "--passphrase-file", no_word),
        ("encrypt -r KEY --passphrase-fd 0 x", "--passphrase-fd", no_word),
        ("encrypt --authorized-keys keys --passphrase-file pw x", "--passphrase-file", no_word),
        ("encrypt -r KEY --allow-plugin-network x", "--allow-plugin-network", no_plugin),
        ("encrypt -p --allow-plugin-network x", "--allow-plugin-network", no_plugin),
        ("encrypt -r KEY --allow-plugin-stanzas x", "--allow-plugin-stanzas", no_plugin),
        ("encrypt -r KEY -f -c x", "--force", force),
        ("encrypt -r KEY -f", "--force", force),
        ("encrypt -r KEY -f -o - x", "--force", force),
        ("encrypt -r KEY --recursive", "--recursive", no_folder),
        ("encrypt -r KEY --recursive -", "--recursive", no_folder),
        ("decrypt -i key.txt -f -c x.age", "--force", force),
        ("decrypt -i key.txt --sparse -c x.age", "--sparse", sparse),
        ("decrypt -i key.txt --sparse", "--sparse", sparse),
        ("decrypt -i key.txt --recursive", "--recursive", no_folder),
        ("decrypt --allow-plugin-network x.age", "--allow-plugin-network", no_plugin),
        ("decrypt -i key.txt --identities-only --max-work-factor 30 x.age", "--max-work-factor", refused),
        ("verify --allow-plugin-network x.age", "--allow-plugin-network", no_plugin),
        ("verify --recursive", "--recursive", no_folder),
        ("verify --identities-only --max-work-factor 30 x.age", "--max-work-factor", refused),
        ("rekey -r KEY --allow-plugin-network x.age", "--allow-plugin-network", no_plugin),
        ("rekey -i key.txt -r KEY --allow-plugin-stanzas x.age", "--allow-plugin-stanzas", no_stanza),
        ("rekey -i key.txt -R keys --remove --allow-plugin-stanzas x.age", "--allow-plugin-stanzas", no_stanza),
        ("rekey -r KEY --identities-only --max-work-factor 30 x.age", "--max-work-factor", refused),
        ("salvage --allow-plugin-network -o y x.age", "--allow-plugin-network", no_plugin),
        ("salvage --identities-only --max-work-factor 30 -o y x.age", "--max-work-factor", refused),
        ("inspect --allow-plugin-network x.age", "--allow-plugin-network", no_plugin),
        (
            "inspect --passphrase-file pw x.age",
            "--passphrase-file",
            "inspect needs a passphrase only for keys named with -i",
        ),
        ("keygen --passphrase-file pw -o k", "--passphrase-file", clear),
        ("keygen --passphrase-fd 0 -o k", "--passphrase-fd", clear),
        ("keygen --progress always -o k", "--progress", "keygen shows none"),
    ] {
        let said = format!("solekey: error: {option} has no effect: {why}\nsolekey: hint: leave out {option}\n");
        sandbox.run(words(line, &recipient)).fails(2, &said);
    }
    assert_eq!(sandbox.names(), ["key.txt", "pw", "x"]);
}

#[test]
fn an_option_that_may_have_an_effect_is_taken() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("x", "text");
    sandbox.write("pw", "correct horse\n");
    sandbox.write("keys", &recipient);
    for line in [
        "encrypt -k --batch --no-plugins --no-preserve -r KEY x",
        "encrypt -i key.txt --passphrase-file pw -o y1 x",
        "encrypt -R keys --passphrase-file pw --allow-plugin-stanzas --allow-plugin-network -o y2 x",
        "encrypt -f -c -r KEY --receipt pw x",
        "encrypt -f --recursive -r KEY - .",
        "decrypt -f --sparse -i key.txt --allow-plugin-network -o y3 x.age",
        "decrypt --identities-only -i key.txt -c x.age",
        "verify -i key.txt --max-work-factor 10 x.age",
        "rekey -f -i key.txt -R keys --allow-plugin-stanzas --allow-plugin-network x.age",
        "inspect -i key.txt --passphrase-file pw --no-default-identity x.age",
        "keygen -y --passphrase-file pw key.txt",
    ] {
        let outcome = sandbox.run(words(line, &recipient));
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn a_part_of_a_file_does_not_get_the_name_of_the_whole() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("n", "0123456789abcdef");
    sandbox.run(["encrypt", "-r", &recipient, "n"]).is_silent_success();
    for more in [&["n.age"][..], &["-f", "n.age"], &["-O", "out", "n.age"], &["--recursive", "."]] {
        sandbox.run([&["decrypt", "-i", "key.txt", "--range", "0:10"], more].concat()).fails(
            2,
            "solekey: error: --range writes part of a file, which must not get the name of the whole file\n\
             solekey: hint: send it to standard output with -c, or name the output with -o FILE\n",
        );
    }
    assert_eq!(sandbox.names(), ["key.txt", "n", "n.age"]);
    sandbox.run(["decrypt", "-i", "key.txt", "--range", "0:10", "-c", "n.age"]).is(0, "0123456789", "");
    sandbox.shell("\"$SOLEKEY\" decrypt -i key.txt --range 0:10 <n.age").is(0, "0123456789", "");
    sandbox.run(["decrypt", "-i", "key.txt", "--range", "0:10", "-o", "part", "n.age"]).is_silent_success();
    assert_eq!(sandbox.text("part"), "0123456789");
}
