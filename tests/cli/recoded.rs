//! Files that a shell or an editor treated as text and re-encoded.

use crate::{sandbox::Sandbox, texts::SAVE_AS_UTF_8};

/// Encodes bytes as UTF-16 with a byte order mark, as PowerShell's `>` does.
fn utf16(bytes: &[u8]) -> Vec<u8> {
    [&[0xff, 0xfe][..], &bytes.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<_>>()].concat()
}

const HINT: &str = "solekey: hint: armored files can be turned back (iconv -f UTF-16 -t UTF-8, or remove the mark); others are lost: \
                    encrypt again with -o FILE, because PowerShell's > converts binary data to text\n";

#[test]
fn a_recoded_age_file_is_distinguished_from_other_text() {
    let (sandbox, recipient) = Sandbox::with_key();
    for armor in [&["encrypt", "-r", &recipient][..], &["encrypt", "-a", "-r", &recipient]] {
        let sealed = sandbox.run_with(armor, b"hello\n");
        let marked = [b"\xef\xbb\xbf", sealed.gave()].concat();
        for (bytes, encoding) in [(utf16(sealed.gave()), "UTF-16"), (marked, "UTF-8 (with a byte order mark)")] {
            sandbox.write("x.age", bytes);
            let said = format!(
                "solekey: error: cannot decrypt 'x.age': no longer an age file: it was converted to {encoding} text\n{HINT}"
            );
            sandbox.run(["decrypt", "-i", "key.txt", "x.age"]).fails(4, &said);
        }
    }
    sandbox.write("x.age", utf16(b"a letter"));
    let said = "solekey: error: cannot decrypt 'x.age': not an age file\n";
    sandbox.run(["decrypt", "-i", "key.txt", "x.age"]).fails(4, said);
    assert_eq!(sandbox.names(), ["key.txt", "x.age"]);
}

#[test]
fn a_recoded_armored_file_can_be_restored_as_the_hint_says() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-a", "-r", &recipient], b"hello\n");
    sandbox.write("x.age", utf16(sealed.gave()));
    let outcome = sandbox.shell("iconv -f UTF-16 -t UTF-8 x.age | \"$SOLEKEY\" decrypt -i key.txt");
    outcome.is(0, "hello\n", "");
}

#[test]
fn a_key_file_in_utf_16_is_reported_as_such() {
    let (sandbox, _) = Sandbox::with_key();
    sandbox.write("wide.txt", utf16(&sandbox.read("key.txt")));
    let said = &format!("solekey: error: 'wide.txt' is text in UTF-16\n{SAVE_AS_UTF_8}");
    sandbox.run(["decrypt", "-i", "wide.txt", "x.age"]).fails(1, said);
    sandbox.run(["encrypt", "-R", "wide.txt", "key.txt"]).fails(1, said);
}
