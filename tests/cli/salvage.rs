//! Salvage: recovering the intact chunks of damaged files.

use crate::sandbox::{CHUNK, SEGMENT, Sandbox, data};

#[test]
fn intact_chunks_are_salvaged_and_lost_ranges_are_reported() {
    let (sandbox, recipient) = Sandbox::with_key();
    let plaintext = data(2 * SEGMENT + 500);
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], &plaintext).gave().to_vec();
    sandbox.write("x.age", &sealed);
    sandbox.run(["salvage", "-i", "key.txt", "-o", "whole", "x.age"]).is(
        0,
        "{\"file\":\"x.age\",\"ok\":true,\"length\":2097652,\"recovered\":2097652,\"complete\":true,\"lost\":[]}\n",
        "",
    );
    assert!(sandbox.read("whole") == plaintext);

    let mut damaged = sealed.clone();
    damaged[184 + 3 * (CHUNK + 16) + 9..][..4096].fill(0);
    sandbox.write("x.age", &damaged);
    sandbox.run(["salvage", "-i", "key.txt", "-o", "part", "x.age"]).is(
        4,
        "{\"file\":\"x.age\",\"ok\":false,\"status\":4,\"error\":\"parts of the file are lost\",\"length\":2097652,\"recovered\":2032116,\"complete\":true,\"lost\":[{\"offset\":196608,\"length\":65536}]}\n",
        "solekey: warning: 65536 of 2097652 bytes are lost; they are zeros in 'part'\n",
    );
    let mut expected = plaintext.clone();
    expected[3 * CHUNK..4 * CHUNK].fill(0);
    assert!(sandbox.read("part") == expected);

    sandbox.write("cut.age", &sealed[..SEGMENT]);
    let outcome = sandbox.run(["salvage", "-i", "key.txt", "-o", "cut", "cut.age"]);
    assert_eq!(outcome.status, 4);
    assert!(outcome.stderr.starts_with("solekey: warning: 'cut.age' has lost its end;"), "{}", outcome.stderr);
    assert!(sandbox.read("cut")[..15 * CHUNK] == plaintext[..15 * CHUNK]);
}

#[test]
fn data_after_the_final_chunk_is_ignored() {
    let (sandbox, recipient) = Sandbox::with_key();
    for (length, appended) in [(0, 1), (1000, 1), (CHUNK + 9, 100), (2 * CHUNK, 5), (2 * CHUNK, 3 * CHUNK)] {
        let plaintext = data(length);
        let sealed = sandbox.run_with(["encrypt", "-r", &recipient], &plaintext).gave().to_vec();
        sandbox.write("more.age", [&sealed[..], &vec![0; appended]].concat());
        sandbox.run(["salvage", "-f", "-i", "key.txt", "-o", "more", "more.age"]).is(
            0,
            &format!(
                "{{\"file\":\"more.age\",\"ok\":true,\"length\":{length},\"recovered\":{length},\"complete\":true,\"lost\":[]}}\n"
            ),
            "solekey: warning: 'more.age' has data after its final chunk, which was ignored\n",
        );
        assert!(sandbox.read("more") == plaintext);
    }
}

#[test]
fn a_fragment_shorter_than_a_tag_is_not_reported_as_lost() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], &data(2 * CHUNK)).gave().to_vec();
    sandbox.write("cut.age", &sealed[..sealed.len() - CHUNK - 9]);
    sandbox.run(["salvage", "-i", "key.txt", "-o", "cut", "cut.age"]).is(
        4,
        "{\"file\":\"cut.age\",\"ok\":false,\"status\":4,\"error\":\"more may be lost than is listed\",\"length\":65536,\"recovered\":65536,\"complete\":false,\"lost\":[]}\n",
        "solekey: warning: 'cut.age' has lost its end; the number of missing bytes is unknown\n",
    );
}

#[test]
fn a_file_that_cannot_be_salvaged_is_explained_and_leaves_no_output() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], &data(CHUNK + 9)).gave().to_vec();
    const GONE: &str = "solekey: hint: the file key is in the header: if that is gone, nothing of the file can be recovered, by anybody\n";
    let mut no_header = sealed.clone();
    no_header[..150].fill(0);
    sandbox.write("x.age", &no_header);
    let salvage = ["salvage", "-i", "key.txt", "-o", "out", "x.age"];
    sandbox.run(salvage).fails(4, &format!("solekey: error: cannot salvage 'x.age': not an age file\n{GONE}"));

    let mut no_nonce = sealed.clone();
    no_nonce[168..184].fill(0);
    sandbox.write("x.age", &no_nonce);
    let outcome = sandbox.run(salvage);
    assert_eq!((outcome.status, outcome.stdout.len()), (4, 0));
    let said = "solekey: error: cannot salvage 'x.age': no chunk of it is authentic\n";
    assert!(outcome.stderr.starts_with(said), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the 16 bytes after the header may be damaged"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("'solekey salvage'"), "{}", outcome.stderr);

    sandbox.run(["encrypt", "-a", "-r", &recipient, "-o", "x.asc", "key.txt"]).is_silent_success();
    let outcome = sandbox.run(["salvage", "-i", "key.txt", "-o", "out", "x.asc"]);
    assert_eq!(outcome.status, 1);
    assert_eq!(sandbox.run(["salvage", "-i", "key.txt", "-o", "x.age", "-f", "x.age"]).status, 2);
    assert_eq!(sandbox.run(["salvage", "-i", "key.txt", "-o", "-", "x.age"]).status, 2);
    assert_eq!(sandbox.names(), ["key.txt", "x.age", "x.asc"]);
}

const GONE: &str =
    "solekey: hint: the file key is in the header: if that is gone, nothing of the file can be recovered, by anybody\n";
const OPENS: &str = "solekey: warning: the header of 'x.age' is damaged, but a stanza of it still opens\n";

#[test]
fn a_damaged_header_still_opens_with_an_intact_stanza() {
    let (sandbox, recipient) = Sandbox::with_key();
    let other = sandbox.keygen("other.txt");
    let plaintext = data(CHUNK + 9);
    let encrypt = ["encrypt", "-r", &other, "-r", &recipient];
    let sealed = sandbox.run_with(encrypt, &plaintext).gave().to_vec();
    let header = String::from_utf8_lossy(&sealed[..266]).into_owned();
    let lines: Vec<_> = header.split_inclusive('\n').collect();
    assert_eq!((lines.len(), lines[5].len()), (6, 48), "{header}");
    let starts: Vec<_> = (0..6).map(|line| lines[..line].concat().len()).collect();

    // Damage in the version line, in the other recipient's stanza, or in the MAC line or the line feed before it.
    let harmless = (0..starts[3] - 1).chain(starts[5] - 1..starts[5] + 48);
    for offset in harmless {
        let mut damaged = sealed.clone();
        damaged[offset] = [0, sealed[offset] ^ 1, b'\n', b'A'][offset % 4];
        if damaged == sealed {
            continue;
        }
        sandbox.write("x.age", &damaged);
        let outcome = sandbox.run(["salvage", "-f", "-i", "key.txt", "-o", "out", "x.age"]);
        assert_eq!((outcome.status, outcome.stderr.as_str()), (4, OPENS), "byte {offset} of {header}");
        assert!(sandbox.read("out") == plaintext, "byte {offset}");
        assert_eq!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "x.age"]).status, 4, "byte {offset}");
    }
}

#[test]
fn a_file_is_lost_if_its_only_stanza_is_damaged() {
    let (sandbox, recipient) = Sandbox::with_key();
    let sealed = sandbox.run_with(["encrypt", "-r", &recipient], b"text").gave().to_vec();
    let salvage = ["salvage", "-i", "key.txt", "-o", "out", "x.age"];
    for (offset, fault) in [
        (40, "malformed header: a recipient stanza breaks the rules of its type"),
        (80, "malformed header, line 4: no recipient stanza before it is intact"),
    ] {
        let mut damaged = sealed.clone();
        damaged[offset] = b'!';
        sandbox.write("x.age", damaged);
        sandbox.run(salvage).fails(4, &format!("solekey: error: cannot salvage 'x.age': {fault}\n{GONE}"));
    }
    assert_eq!(sandbox.names(), ["key.txt", "x.age"]);
}
