//! File systems in user space: sizes that are too small, writes that must come in order, closing that fails, deletion and links
//! that are refused.

use std::{fs, io::Write, process::Command};

use crate::{
    pass_through::{EINVAL, EIO, ESPIPE, Faults, PassThrough},
    requirements::{installed, skip},
    sandbox::{SEGMENT, Sandbox, data, finish, is_root, wait_until},
};

#[test]
fn files_that_the_kernel_generates_are_read_to_their_end() {
    let (sandbox, recipient) = Sandbox::with_key();
    // The size of the first is said to be 0, that of the others a page.
    for file in ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/notes"] {
        let Ok(expected) = fs::read(file) else { continue };
        for run in [
            format!("encrypt -r {recipient} -o x.age {file}"),
            format!("encrypt -r {recipient} <{file} >x.age"),
            format!("encrypt -r {recipient} -o x.age --check {file}"),
        ] {
            sandbox.shell(&format!("rm -f x.age; \"$SOLEKEY\" {run}")).is_silent_success();
            assert_eq!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "x.age"]).gave(), expected, "{run}");
        }
    }
}

/// A key, its recipient, a plaintext of several segments in `a` and sealed in `a.age`, and a mount with faults.
fn mounted(faults: Faults) -> Option<(Sandbox, String, Vec<u8>, PassThrough)> {
    let (sandbox, recipient) = Sandbox::with_key();
    let plaintext = data(3 * SEGMENT + 77);
    sandbox.write("a", &plaintext);
    sandbox.run(["encrypt", "-r", &recipient, "a"]).is_silent_success();
    let mount = PassThrough::mount(&sandbox, faults)?;
    Some((sandbox, recipient, plaintext, mount))
}

#[test]
fn output_is_written_in_order_where_it_must_be() {
    for errno in [EINVAL, ESPIPE] {
        let Some((sandbox, recipient, plaintext, _mount)) =
            mounted(Faults { out_of_order: Some(errno), ..Faults::default() })
        else {
            return;
        };
        let other = sandbox.keygen("other.txt");
        for (run, opened) in [
            ("\"$SOLEKEY\" encrypt -T3 -r PUBLIC -o m/x.age a", false),
            ("\"$SOLEKEY\" encrypt -f -T3 -r PUBLIC -o m/x.age a", false),
            ("\"$SOLEKEY\" encrypt -f -a -T3 -r PUBLIC -o m/x.age a", false),
            ("\"$SOLEKEY\" encrypt -f -T3 --check -r PUBLIC -o m/x.age a", false),
            ("\"$SOLEKEY\" encrypt -T3 -c -r PUBLIC a >m/x.age", false),
            ("\"$SOLEKEY\" rekey -T3 -i key.txt -r PUBLIC m/x.age", false),
            ("\"$SOLEKEY\" rekey -q --header-only --add -T3 -i key.txt -r OTHER m/x.age", false),
            ("\"$SOLEKEY\" decrypt -T3 -i key.txt -o m/x a.age", true),
            ("\"$SOLEKEY\" decrypt -f --sparse -T3 -i key.txt -o m/x a.age", true),
            ("\"$SOLEKEY\" salvage -f -T3 -i key.txt -o m/x a.age >/dev/null", true),
            ("\"$SOLEKEY\" decrypt -T3 -i key.txt -c a.age >m/x", true),
            ("cp a m/b; \"$SOLEKEY\" encrypt -T3 --rm -r PUBLIC m/b && mv m/b.age m/x.age", false),
        ] {
            let outcome = sandbox.shell(&run.replace("PUBLIC", &recipient).replace("OTHER", &other));
            assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{run}");
            if opened {
                assert!(sandbox.read("backing/x") == plaintext, "{run}");
            } else {
                assert!(sandbox.run(["decrypt", "-i", "key.txt", "-c", "m/x.age"]).gave() == plaintext, "{run}");
            }
            assert!(fs::read_dir(sandbox.path("backing")).expect("it is there").count() <= 2, "{run}");
        }
    }
}

#[test]
fn a_file_that_is_longer_than_its_size_is_read_to_its_end() {
    let Some((sandbox, recipient, plaintext, _mount)) =
        mounted(Faults { size: Some(SEGMENT as u64), ..Faults::default() })
    else {
        return;
    };
    let other = sandbox.keygen("other.txt");
    sandbox.shell("cp a backing/a; cp a.age backing/s.age; head -c 100 a >backing/short").is_silent_success();
    for run in [
        "encrypt -r PUBLIC -o x.age m/a && \"$SOLEKEY\" decrypt -i key.txt -o x x.age",
        "encrypt -T3 -r PUBLIC -O . m/a m/short && \"$SOLEKEY\" decrypt -i key.txt -o x a.age",
        "encrypt --update -r PUBLIC -O . m/a m/short && \"$SOLEKEY\" decrypt -i key.txt -o x a.age",
        "encrypt -r PUBLIC <m/a | \"$SOLEKEY\" decrypt -i key.txt -o x",
        "encrypt --rm -r PUBLIC -o x.age m/a && \"$SOLEKEY\" decrypt -i key.txt -o x x.age",
        "decrypt -T3 -i key.txt -o x m/s.age",
        "decrypt -i key.txt <m/s.age >x",
        "verify -q -i key.txt m/s.age && cp a x",
        "salvage -i key.txt -o x m/s.age >/dev/null",
        "rekey --header-only --add -q -i key.txt -r OTHER m/s.age && \"$SOLEKEY\" decrypt -i key.txt -o x m/s.age",
        "rekey -i key.txt -r PUBLIC m/s.age && \"$SOLEKEY\" decrypt -i key.txt -o x m/s.age",
        "decrypt --rm -T3 -i key.txt -o x m/s.age",
    ] {
        sandbox.shell("rm -f x x.age a.age").is_silent_success();
        let run = run.replace("PUBLIC", &recipient).replace("OTHER", &other);
        let outcome = sandbox.shell(&format!("\"$SOLEKEY\" {run}"));
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{run}");
        assert!(sandbox.read("x") == plaintext, "{run}: {} bytes", sandbox.read("x").len());
    }
}

#[test]
fn nothing_is_written_where_it_could_not_be_deleted() {
    let refused = |name: &str, left: &str| {
        format!(
            "solekey: error: cannot create '{name}': files in its folder cannot be deleted: Operation not permitted; \
             the empty '{left}' is left there\n\
             solekey: hint: use a folder in which files can be deleted\n"
        )
    };
    let Some((sandbox, recipient, _, _mount)) = mounted(Faults { no_deletion: true, ..Faults::default() }) else {
        return;
    };
    for (run, output) in [
        ("encrypt -r PUBLIC -o m/x a", "m/x"),
        ("decrypt -i key.txt -o m/x a.age", "m/x"),
        ("encrypt --recursive -r PUBLIC -O m src", "m/src/f.age"),
        ("keygen -o m/k", "m/k"),
    ] {
        sandbox.shell("mkdir -p src backing/src; echo f >src/f").is_silent_success();
        let outcome = sandbox.shell(&format!("\"$SOLEKEY\" {}", run.replace("PUBLIC", &recipient)));
        let left = outcome.stderr.split('\'').find(|quoted| quoted.contains(".solekey-")).unwrap_or_default();
        outcome.fails(1, &refused(output, left));
        assert_eq!(sandbox.read(left), b"", "{run}");
        sandbox.shell("rm -r backing; mkdir backing").is_silent_success();
    }
}

#[test]
fn nothing_is_replaced_in_an_append_only_folder() {
    if !is_root() || !installed(&["chattr"]) {
        return skip("only root can make a folder append-only");
    }
    let (sandbox, recipient) = Sandbox::with_key();
    sandbox.write("a", "text");
    sandbox.shell("mkdir d; cp a d/a; \"$SOLEKEY\" encrypt -i key.txt d/a; cp d/a.age old").is_silent_success();
    if sandbox.shell("chattr +a d").status != 0 {
        return skip("this file system knows no append-only folders");
    }
    let reason = "its folder is append-only, and a file in it can be neither replaced nor deleted";
    let runs = [
        (format!("encrypt -f -r {recipient} d/a"), "d/a.age", true),
        ("decrypt -f -i key.txt d/a.age".to_owned(), "d/a", true),
        (format!("rekey -i key.txt -r {recipient} d/a.age"), "d/a.age", false),
    ];
    let outcomes = runs.map(|(run, output, streams)| (sandbox.run(run.split(' ')), output, streams));
    let new = sandbox.run(["encrypt", "-r", &recipient, "-o", "d/new", "a"]);
    sandbox.shell("chattr -a d").is_silent_success();
    for (outcome, output, streams) in outcomes {
        let hint = if streams {
            format!("the file can only be replaced through its folder; to write into it as it is, use -c > '{output}'")
        } else {
            "use a folder in which files can be deleted".to_owned()
        };
        outcome.fails(1, &format!("solekey: error: cannot create '{output}': {reason}\nsolekey: hint: {hint}\n"));
    }
    new.is_silent_success();
    assert_eq!(sandbox.shell("cmp a d/a; cmp old d/a.age; ls -A d").gave(), b"a\na.age\nnew\n");
}

#[test]
fn a_signal_deletes_a_file_with_a_hidden_name() {
    let Some((sandbox, recipient, _, _mount)) = mounted(Faults::default()) else { return };
    sandbox.shell("mkfifo fifo").is_silent_success();
    let names = || fs::read_dir(sandbox.path("backing")).expect("it is there").count();
    for (signal, number) in [("HUP", 1), ("TERM", 15), ("USR1", 10), ("USR2", 12), ("ALRM", 14), ("XCPU", 24)] {
        let run = ["encrypt", "-r", &recipient, "-o", "m/x", "fifo"];
        let child = sandbox.command(run).spawn().expect("the program starts");
        let mut input = fs::OpenOptions::new().write(true).open(sandbox.path("fifo")).expect("it is read");
        input.write_all(&data(3 * SEGMENT)).expect("it is read");
        wait_until("the hidden name", || names() == 1);
        let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(sent.expect("kill can be run").success());
        finish(child).fails(128 + number, "");
        assert_eq!(names(), 0, "{signal}");
    }
}

#[test]
fn an_error_of_closing_is_reported_and_keeps_the_source() {
    let Some((sandbox, recipient, _, _mount)) = mounted(Faults { close: Some(EIO), ..Faults::default() }) else {
        return;
    };
    sandbox.shell("cp a backing/a; cp a.age backing/s.age").is_silent_success();
    for (run, said) in [
        ("encrypt --rm -r PUBLIC m/a", "cannot finish 'm/a.age': Input/output error"),
        ("encrypt -c -r PUBLIC m/a >m/x", "cannot finish standard output: Input/output error"),
        ("decrypt --rm -i key.txt m/s.age", "cannot finish 'm/s': Input/output error"),
        ("decrypt -i key.txt -c m/s.age >m/x", "cannot finish standard output: Input/output error"),
        ("rekey -i key.txt -r PUBLIC m/s.age", "cannot finish 'm/s.age': Input/output error"),
    ] {
        let outcome = sandbox.shell(&format!("\"$SOLEKEY\" {}", run.replace("PUBLIC", &recipient)));
        assert!(outcome.status == 1 && outcome.stderr.contains(said), "{run}: {outcome:?}");
        sandbox.shell("rm -f backing/x; cmp a backing/a && cmp a.age backing/s.age").is_silent_success();
        assert_eq!(fs::read_dir(sandbox.path("backing")).expect("it is there").count(), 2, "{run}");
    }
}

#[test]
fn standard_output_is_not_closed_before_it_is_written() {
    let Some((sandbox, recipient, plaintext, _mount)) = mounted(Faults { ends_at_close: true, ..Faults::default() })
    else {
        return;
    };
    for run in [
        "encrypt -c -r PUBLIC a >m/x; \"$SOLEKEY\" decrypt -i key.txt -c backing/x >x",
        "encrypt -r PUBLIC <a >m/x; \"$SOLEKEY\" decrypt -i key.txt -c backing/x >x",
        "encrypt -r PUBLIC -o - a >m/x; \"$SOLEKEY\" decrypt -i key.txt -c backing/x >x",
        "encrypt -r PUBLIC -o /dev/stdout a >m/x; \"$SOLEKEY\" decrypt -i key.txt -c backing/x >x",
        "decrypt -i key.txt -c a.age >m/x; cp backing/x x",
        "decrypt -i key.txt -c a.age a.age >m/x; head -c $(stat -c%s a) backing/x >x",
        "decrypt -i key.txt <a.age >m/x; cp backing/x x",
        "verify -i key.txt a.age >m/x; grep OK backing/x >/dev/null; cp a x",
        "inspect --json a.age >m/x; grep stanza backing/x >/dev/null; cp a x",
        "keygen >m/x 2>/dev/null; grep AGE-SECRET backing/x >/dev/null; cp a x",
        "salvage -o y -i key.txt a.age >m/x; grep complete backing/x >/dev/null; cp a x; rm y",
    ] {
        let outcome = sandbox.shell(&format!("set -e; \"$SOLEKEY\" {}", run.replace("PUBLIC", &recipient)));
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{run}");
        assert!(sandbox.read("x") == plaintext, "{run}");
        sandbox.shell("rm backing/x x").is_silent_success();
    }
}
