//! Names that somebody else has made, as traps: derived names follow nothing, and what is replaced gives nothing away.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, chown, symlink},
};

use crate::{
    requirements::{installed, skip},
    sandbox::{Sandbox, finish, is_root, unprivileged},
    texts::{CHOOSE_ANOTHER_OUTPUT, OUTPUT_EXISTS},
};

/// A sandbox with a key, its recipient, a file `n` and its encrypted form `n.age`.
fn with_sealed() -> (Sandbox, String) {
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("n", "text");
    sandbox.run(["encrypt", "-r", &recipient, "n"]).is_silent_success();
    (sandbox, recipient)
}

#[test]
fn a_derived_name_that_exists_in_any_form_is_refused_and_with_force_replaced_itself() {
    let (sandbox, recipient) = with_sealed();
    fs::create_dir(sandbox.path("victim")).expect("the name is free");
    fs::create_dir(sandbox.path("tree")).expect("the name is free");
    sandbox.write("victim/file", "theirs");
    fs::copy(sandbox.path("n"), sandbox.path("tree/n")).expect("it is there");
    fs::copy(sandbox.path("n.age"), sandbox.path("tree/n.age")).expect("it is there");
    let decrypt = ["decrypt -i key.txt tree/n.age", "decrypt -i key.txt --recursive tree"];
    let encrypt =
        [format!("encrypt -r {recipient} --recursive tree"), format!("encrypt -r {recipient} -O tree tree/n")];
    let runs = decrypt.iter().map(|run| (*run, "n")).chain(encrypt.iter().map(|run| (run.as_str(), "n.age")));
    for (run, name) in runs {
        let output = format!("tree/{name}");
        let device = if is_root() { "mknod $0 c 1 3" } else { "mkfifo $0" };
        for plant in ["ln -s ../victim/new $0", "ln -s ../victim/file $0", "mkfifo $0", device] {
            fs::remove_file(sandbox.path(&output)).expect("it is there");
            finish(sandbox.detached("sh").args(["-c", plant, &output]).spawn().expect("the shell starts"))
                .is_silent_success();
            let refused = sandbox.run(run.split(' '));
            refused.fails(1, &format!("solekey: error: '{output}' already exists\n{OUTPUT_EXISTS}"));
            assert!(!sandbox.path(&output).symlink_metadata().expect("it is there").is_file(), "{run}, {plant}");

            sandbox.run(format!("{run} -f").split(' ')).is_silent_success();
            assert!(sandbox.path(&output).symlink_metadata().expect("it is there").is_file(), "{run}, {plant}");
            assert_eq!(sandbox.text("victim/file"), "theirs", "{run}, {plant}");
            assert!(!sandbox.path("victim/new").exists(), "{run}, {plant}");
        }
        let folder = sandbox.path(&output);
        fs::remove_file(&folder).and_then(|()| fs::create_dir(&folder)).expect("the name is free");
        for force in ["", " -f"] {
            let refused = sandbox.run(format!("{run}{force}").split(' '));
            refused.fails(2, &format!("solekey: error: '{output}' is a directory\nsolekey: hint: name a file in it\n"));
        }
        fs::remove_dir(&folder).expect("it is empty");
        fs::copy(sandbox.path(name), &folder).expect("it is there");
    }
}

#[test]
fn a_typed_output_follows_links_and_is_written_to_pipes() {
    let (sandbox, recipient) = with_sealed();
    symlink("folder/new", sandbox.path("link")).expect("the name is free");
    fs::create_dir(sandbox.path("folder")).expect("the name is free");
    sandbox.run(["decrypt", "-i", "key.txt", "-o", "link", "n.age"]).is_silent_success();
    assert_eq!(sandbox.text("folder/new"), "text");
    // The folder of -O is typed too.
    symlink("folder", sandbox.path("out")).expect("the name is free");
    sandbox.run(["encrypt", "-r", &recipient, "-O", "out", "n"]).is_silent_success();
    assert!(sandbox.path("folder/n.age").is_file());
    sandbox
        .shell("mkfifo fifo; cat fifo >copy & \"$SOLEKEY\" decrypt -i key.txt -o fifo n.age; wait")
        .is_silent_success();
    assert_eq!(sandbox.text("copy"), "text");
    assert!(sandbox.path("fifo").metadata().expect("it is there").file_type().is_fifo());
}

#[test]
fn no_link_below_an_output_folder_is_followed() {
    let (sandbox, recipient) = with_sealed();
    sandbox
        .shell("mkdir -p tree/sub out/tree victim; echo x >tree/sub/f; ln -s ../../victim out/tree/sub")
        .is_silent_success();
    for force in [&[][..], &["-f"]] {
        let run = ["encrypt", "-r", &recipient, "--recursive", "-O", "out", "tree"];
        sandbox.run([&run[..], force].concat()).fails(
            1,
            "solekey: error: cannot create 'out/tree/sub/f.age': its path contains a link, which solekey does not follow\n\
             solekey: hint: links below the -O folder are not followed; name the link's target with -O\n",
        );
    }
    assert_eq!(fs::read_dir(sandbox.path("victim")).expect("it is there").count(), 0);
}

#[test]
fn a_name_of_standard_input_means_standard_input() {
    let (sandbox, recipient) = with_sealed();
    for name in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        for input in ["<n", "< <(cat n)"] {
            sandbox.bash(&format!("\"$SOLEKEY\" encrypt -r {recipient} {name} {input} >x")).is_silent_success();
            sandbox.bash(&format!("\"$SOLEKEY\" decrypt -i key.txt {name} <x")).is(0, "text", "");
        }
        assert!(!fs::exists(format!("{name}.age")).unwrap_or(true));
        sandbox
            .run(["encrypt", "-r", &recipient, name, "-"])
            .fails(2, "solekey: error: standard input is named more than once\nsolekey: hint: name it once\n");
        sandbox.write("list", format!("{name}\n"));
        sandbox.run(["encrypt", "-r", &recipient, "--files-from", "list"]).fails(
            2,
            &format!(
                "solekey: error: the list names '{name}', and standard input is not a file\n\
                 solekey: hint: name '-' on the command line instead\n"
            ),
        );
    }
}

#[test]
fn an_input_that_is_named_twice_is_worked_on_once() {
    let (sandbox, recipient) = with_sealed();
    sandbox
        .shell("mkdir -p tree/sub; echo a >tree/a; echo b >tree/sub/b; ln tree/a tree/hard; ln -s a tree/soft")
        .is_silent_success();
    let seal = |arguments: &[&str]| sandbox.run([&["encrypt", "-r", &recipient], arguments].concat());
    seal(&["--recursive", "tree", "tree/sub", "./tree/sub/b", "tree"]).is_silent_success();
    for name in ["tree/a.age", "tree/hard.age", "tree/sub/b.age"] {
        assert!(sandbox.path(name).exists(), "{name}");
    }
    for force in ["-f", "-fT1", "-fT8"] {
        seal(&[force, "tree/a", "tree/../tree/a", "tree/hard", "tree/soft", "n", "n"]).is_silent_success();
    }
    assert!(sandbox.path("tree/soft.age").exists(), "a link has an output of its own");
    sandbox.write("list", "tree/a\ntree/sub/../a\n");
    seal(&["-f", "--files-from", "list"]).is_silent_success();
    sandbox.run(["decrypt", "-f", "-i", "key.txt", "n.age", "./n.age"]).is_silent_success();
    let said = sandbox.run(["rekey", "-v", "-i", "key.txt", "-r", &recipient, "n.age", "./n.age"]);
    assert!(said.stderr.contains("solekey: skipped './n.age': it was already named\n"), "{}", said.stderr);
    assert_eq!(said.stderr.matches("gave 'n.age' new recipients").count(), 1, "{}", said.stderr);
    // A link leads to the file that is changed.
    symlink("n.age", sandbox.path("link.age")).expect("the name is free");
    sandbox.run(["rekey", "-i", "key.txt", "-r", &recipient, "link.age", "n.age"]).is_silent_success();
}

#[test]
fn a_mistyped_input_is_reported_before_anything_about_the_output() {
    let (sandbox, recipient) = with_sealed();
    sandbox.write("gone.age", "");
    let missing = |name: &str| format!("solekey: error: cannot open '{name}': No such file or directory\n");
    for arguments in [&["gone"][..], &["-o", "n", "gone"], &["-O", "n", "gone"], &["-o", "/missing/folder/x", "gone"]] {
        sandbox.run([&["encrypt", "-r", &recipient], arguments].concat()).fails(1, &missing("gone"));
    }
    sandbox.run(["decrypt", "-i", "key.txt", "other"]).fails(1, &missing("other"));
    sandbox.run(["encrypt", "-f", "-r", &recipient, "gone", "n"]).fails(6, &missing("gone"));
    sandbox
        .run(["encrypt", "-r", &recipient, "n"])
        .fails(1, &format!("solekey: error: 'n.age' already exists\n{OUTPUT_EXISTS}"));
}

#[test]
fn an_output_whose_folder_takes_no_new_file_can_be_streamed_into() {
    let script = "./solekey keygen -o key.txt >public; mkdir folder; echo secret >note; echo old >folder/x; \
                  chmod 500 folder; ./solekey encrypt -f -R public note -o folder/x || echo $?; \
                  ./solekey encrypt -R public note -c >folder/x && ./solekey decrypt -i key.txt <folder/x";
    let Some((_, outcome)) = unprivileged(script) else { return };
    outcome.is(
        0,
        "1\nsecret\n",
        "solekey: error: cannot create 'folder/x': Permission denied\n\
         solekey: hint: the file can only be replaced through its folder; to write into it as it is, use -c > 'folder/x'\n",
    );
}

#[test]
fn a_mount_point_as_output_can_be_streamed_into() {
    let (sandbox, recipient) = with_sealed();
    sandbox.shell("echo old >a; touch b").is_silent_success();
    if !is_root() || sandbox.shell("unshare -m mount --bind a b").status != 0 {
        return skip("only root may mount");
    }
    let run = format!(
        "unshare -m sh -c 'mount --bind a b; \"$SOLEKEY\" encrypt -f -r {recipient} -o b n; echo $?; \
         \"$SOLEKEY\" encrypt -r {recipient} -c n >b'; \"$SOLEKEY\" decrypt -i key.txt <a"
    );
    sandbox.shell(&run).is(
        0,
        "1\ntext",
        "solekey: error: cannot finish 'b': Device or resource busy\n\
         solekey: hint: the file can only be replaced through its folder; to write into it as it is, use -c > 'b'\n\
         solekey: hint: 'b' was left as it was\n",
    );
}

#[test]
fn a_folder_gives_its_default_access_list_to_no_copy() {
    if !installed(&["setfacl", "getfacl"]) {
        return;
    }
    let (sandbox, recipient) = with_sealed();
    fs::create_dir(sandbox.path("shared")).expect("the name is free");
    if sandbox.shell("setfacl -d -m user:1001:rw shared").status != 0 {
        return skip("the file system has no access lists");
    }
    sandbox.set_mode("n", 0o640);
    sandbox.set_mode("n.age", 0o640);
    sandbox.write("shared/old", "old");
    sandbox.shell("setfacl -b shared/old; chmod 640 shared/old").is_silent_success();
    let decrypt = ["decrypt", "-f", "-i", "key.txt", "n.age", "-o"];
    sandbox.run([&decrypt[..], &["shared/old"]].concat()).is_silent_success();
    sandbox.run([&decrypt[..], &["shared/new"]].concat()).is_silent_success();
    sandbox.shell(&format!("\"$SOLEKEY\" encrypt -f -r {recipient} -o shared/old <n")).is_silent_success();
    for name in ["old", "new"] {
        let list = sandbox.run_getfacl(name);
        assert!(!list.contains("1001"), "{name}: {list}");
        assert_eq!(sandbox.mode(format!("shared/{name}")), 0o640);
    }
    // A stream has no permissions of its own, and gets those of any new file there.
    sandbox.shell(&format!("cat n | \"$SOLEKEY\" encrypt -r {recipient} -o shared/stream")).is_silent_success();
    assert!(sandbox.run_getfacl("stream").contains("user:1001:rw"));
}

impl Sandbox {
    fn run_getfacl(&self, name: &str) -> String {
        let list = self.shell(&format!("getfacl --omit-header shared/{name}"));
        String::from_utf8_lossy(list.gave()).into_owned()
    }
}

#[test]
fn deleting_the_source_of_another_user_keeps_its_owner_where_that_is_safe() {
    const USER: u32 = 12345;
    if !is_root() {
        return skip("only root may give files away");
    }
    let (sandbox, recipient) = with_sealed();
    let owner = |name: &str| fs::metadata(sandbox.path(name)).expect("it is there").uid();
    let give = |name: &str| chown(sandbox.path(name), Some(USER), Some(USER)).expect("root may change owners");
    for (folder, encrypted, decrypted) in [("ours", USER, USER), ("theirs", USER, 0)] {
        fs::create_dir(sandbox.path(folder)).expect("the name is free");
        let (plain, sealed) = (format!("{folder}/x"), format!("{folder}/x.age"));
        sandbox.write(&plain, "text");
        give(&plain);
        if folder == "theirs" {
            give(folder);
        }
        sandbox.run(["encrypt", "-r", &recipient, &plain]).is_silent_success();
        assert_eq!(owner(&sealed), 0, "without --rm, the output is a copy");
        fs::remove_file(sandbox.path(&sealed)).expect("it is there");
        sandbox.run(["encrypt", "--rm", "-r", &recipient, &plain]).is_silent_success();
        assert_eq!(owner(&sealed), encrypted, "{folder}");
        sandbox.run(["decrypt", "--rm", "-i", "key.txt", &sealed]).is_silent_success();
        assert_eq!(owner(&plain), decrypted, "{folder}");
    }
}

#[test]
fn a_file_that_another_program_has_locked_is_not_rewritten() {
    if !installed(&["flock"]) {
        return;
    }
    let (sandbox, recipient) = with_sealed();
    let old = sandbox.read("n.age");
    for run in ["rekey -i key.txt -r {} n.age", "encrypt -f -r {} n", "encrypt -f -r {} -o n.age n"] {
        let run = format!("flock n.age \"$SOLEKEY\" {}", run.replace("{}", &recipient));
        sandbox.shell(&run).fails(
            1,
            "solekey: error: 'n.age' is locked by another program\n\
             solekey: hint: wait until that program has finished, then try again\n",
        );
        assert!(sandbox.read("n.age") == old);
    }
    sandbox.run(["encrypt", "-f", "-r", &recipient, "n"]).is_silent_success();
}

#[test]
fn the_name_that_keygen_derives_for_a_public_key_is_not_followed() {
    let sandbox = Sandbox::new();
    symlink("elsewhere", sandbox.path("k.pub")).expect("the name is free");
    sandbox
        .run(["keygen", "--pq", "-o", "k"])
        .fails(1, "solekey: error: 'k.pub' already exists\nsolekey: hint: choose another name with -o\n");
    assert_eq!(sandbox.names(), ["k.pub"]);
}

#[test]
fn a_key_file_is_no_output_under_a_derived_name() {
    let (sandbox, recipient) = with_sealed();
    fs::rename(sandbox.path("key.txt"), sandbox.path("k")).expect("the folder takes it");
    sandbox.run(["encrypt", "-r", &recipient, "-o", "k.age", "n"]).is_silent_success();
    sandbox
        .run(["decrypt", "-f", "-i", "k", "k.age"])
        .fails(2, &format!("solekey: error: 'k' would be both read and written\n{CHOOSE_ANOTHER_OUTPUT}"));
    assert!(sandbox.text("k").contains("AGE-SECRET-KEY-"));
}
