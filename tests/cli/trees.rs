//! Copies of trees below `-O`: the places of listed files, empty folders, and lists that are not plain.

use std::fs;

use crate::sandbox::Sandbox;

/// Creates a folder with a key and these files. Also returns the recipient.
fn with_files(names: &[&str]) -> (Sandbox, String) {
    let (sandbox, recipient) = Sandbox::with_key();
    for name in names {
        fs::create_dir_all(sandbox.path(name).parent().expect("it is in a folder")).expect("the sandbox is writable");
        sandbox.write(name, name);
    }
    (sandbox, recipient)
}

#[test]
fn listed_files_keep_their_folders_below_the_output_folder() {
    let (sandbox, recipient) = with_files(&["ca/x", "cb/x", "nb/y", "na/deep/z"]);
    let list = "ca/x\n./cb/x\nca/../nb/y\nna\n";
    let arguments = ["encrypt", "-r", &recipient, "-O", "out", "--recursive", "--files-from", "-"];
    sandbox.run_with(arguments, list.as_bytes()).is(
        0,
        "",
        "solekey: warning: output names omit '..' and everything before it\n",
    );
    let opened = sandbox.run(["decrypt", "-i", "key.txt", "-O", "back", "--recursive", "out"]);
    opened.is_silent_success();
    for name in ["ca/x", "cb/x", "nb/y", "na/deep/z"] {
        assert_eq!(sandbox.text(format!("back/out/{name}")), name);
    }
}

#[test]
fn absolute_names_in_a_list_lose_their_root_with_a_word() {
    let (sandbox, recipient) = with_files(&["a/x", "a/y"]);
    let list = format!("{}\n{}\n", sandbox.path("a/x").display(), sandbox.path("a/y").display());
    let outcome = sandbox.run_with(["encrypt", "-r", &recipient, "-O", "out", "--files-from", "-"], list.as_bytes());
    outcome.is(0, "", "solekey: warning: output names omit the leading '/'\n");
    let place = sandbox.path("a/x.age");
    let place = place.strip_prefix("/").expect("it is absolute");
    assert!(sandbox.path("out").join(place).exists());

    // Beside their sources nothing is cut off.
    sandbox.run_with(["encrypt", "-r", &recipient, "--files-from", "-"], list.as_bytes()).is_silent_success();
    assert!(sandbox.path("a/x.age").exists());
}

#[test]
fn a_copy_has_the_empty_folders_too_and_says_what_it_lacks() {
    let (sandbox, recipient) = with_files(&["tree/a", "tree/b.age"]);
    sandbox.shell("mkdir -p tree/empty/inner tree/links; chmod 750 tree/empty; ln -s a tree/links/1; ln -s a tree/links/2; mkfifo tree/pipe").is_silent_success();
    let encrypt = || sandbox.run(["encrypt", "-f", "-r", &recipient, "--recursive", "-O", "tree/out", "tree"]);
    let lacks = "solekey: warning: skipped in the folders: \
        2 links, 1 device, pipe or socket, 1 name that ends in .age; -v names them\n";
    encrypt().is(0, "", lacks);
    // The outputs are no input of the next run.
    encrypt().is(0, "", lacks);
    let folders = sandbox.shell("cd tree/out; find . -type d | sort");
    assert_eq!(folders.gave(), b".\n./tree\n./tree/empty\n./tree/empty/inner\n./tree/links\n");
    assert_eq!(sandbox.mode("tree/out/tree/empty") & 0o777, 0o750);
    sandbox.run(["decrypt", "-i", "key.txt", "--recursive", "-O", "back", "tree/out/tree"]).is_silent_success();
    assert!(sandbox.path("back/tree/empty/inner").is_dir());
}

#[test]
fn a_list_that_is_not_plain_names_is_an_error_before_anything_is_written() {
    let (sandbox, recipient) = with_files(&["x"]);
    let utf_16 = "solekey: hint: save it as UTF-8, without a byte order mark\n";
    for (list, error, hint) in [
        (&b"x\0"[..], "the names in the list are separated by zero bytes, not lines", "solekey: hint: add -0\n"),
        (b"\xef\xbb\xbfx\n", "the list begins with a byte order mark", utf_16),
        (b"\xff\xfex\0\n\0", "the list is in UTF-16", utf_16),
        (
            b"x\r\n",
            "the lines of the list end in CR LF, as on Windows",
            "solekey: hint: remove the carriage returns: tr -d '\\r'\n",
        ),
    ] {
        let outcome = sandbox.run_with(["encrypt", "-r", &recipient, "-O", "out", "--files-from", "-"], list);
        outcome.fails(2, &format!("solekey: error: {error}\n{hint}"));
        assert!(!sandbox.path("out").exists());
    }
    // Names that have such bytes are taken as they are.
    for name in [&b"x\r"[..], b"\xef\xbb\xbfx"] {
        sandbox.write(crate::sandbox::os(name), "odd");
        let list = [name, b"\n"].concat();
        sandbox.run_with(["encrypt", "-r", &recipient, "-O", "out", "--files-from", "-"], &list).is_silent_success();
    }
}

#[test]
fn a_file_that_cannot_fit_is_told_before_the_work() {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.shell("truncate -s 15T huge").is_silent_success();
    let outcome = sandbox.run(["encrypt", "-r", &recipient, "-O", "out", "huge"]);
    let said = "solekey: error: cannot encrypt 'huge': 'out/huge.age' needs 15.00 TiB, but only ";
    assert!(outcome.status == 1 && outcome.stderr.starts_with(said), "{outcome:?}");
    assert!(!sandbox.path("out").exists());
}
