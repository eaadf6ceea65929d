//! The sources and tools that the program was built from, so that anybody can build it again and compare. Set by `build.rs`.

/// The output of `--version --verbose`.
pub(super) const DETAILS: &str = concat!(
    "solekey ",
    env!("CARGO_PKG_VERSION"),
    "\ncommit    ",
    env!("SOLEKEY_COMMIT"),
    "\ncompiler  ",
    env!("SOLEKEY_COMPILER"),
    "\ntarget    ",
    env!("SOLEKEY_TARGET"),
    "\nfeatures  ",
    env!("SOLEKEY_FEATURES"),
    "\nlock      ",
    env!("SOLEKEY_LOCK"),
    "\n"
);
