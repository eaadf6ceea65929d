//! Version and help.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};

use crate::sandbox::Sandbox;

#[test]
fn the_version_is_one_line() {
    for version in ["-V", "--version"] {
        Sandbox::new().run([version]).is(0, concat!("solekey ", env!("CARGO_PKG_VERSION"), "\n"), "");
    }
}

#[test]
fn the_verbose_version_says_what_the_program_was_built_from() {
    let lock = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).expect("it exists");
    let lock: String = Sha256::digest(lock).iter().map(|byte| format!("{byte:02x}")).collect();
    for arguments in [["--version", "--verbose"], ["-V", "-v"], ["-v", "-V"]] {
        let said = Sandbox::new().run(arguments);
        let said = String::from_utf8(said.gave().to_vec()).expect("it is text");
        let lines: Vec<_> = said.lines().collect();
        let [program, commit, compiler, target, features, locked] = lines[..] else { panic!("{said}") };
        assert_eq!(program, concat!("solekey ", env!("CARGO_PKG_VERSION")));
        // Only a release build knows its commit; see bench/reproduce.sh.
        assert!(commit.starts_with("commit    "), "{said}");
        assert!(compiler.starts_with("compiler  rustc 1."), "{said}");
        assert!(target.starts_with("target    ") && target.contains(std::env::consts::ARCH), "{said}");
        assert_eq!(features, "features  none");
        assert_eq!(locked, format!("lock      sha256:{lock}"));
    }
}

#[test]
fn the_help_verb_prints_the_same_as_the_help_flag() {
    let sandbox = Sandbox::new();
    for verb in ["encrypt", "inspect"] {
        let (as_flag, as_verb) = (sandbox.run([verb, "--help"]), sandbox.run(["help", verb]));
        assert_eq!((as_verb.status, as_verb.stderr.as_str()), (0, ""));
        assert!(as_verb.stdout == as_flag.stdout, "{verb}: {as_verb:?}");
    }
    assert_eq!(sandbox.run(["help", "nothing"]).status, 2);
}
