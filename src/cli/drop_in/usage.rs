//! The usage of the tools that solekey stands in for.

pub(crate) const AGE: &str = "\
Usage:
    age [--encrypt] (-r RECIPIENT | -R PATH)... [--armor] [-o OUTPUT] [INPUT]
    age [--encrypt] --passphrase [--armor] [-o OUTPUT] [INPUT]
    age --encrypt (-i PATH | -j PLUGIN)... [--armor] [-o OUTPUT] [INPUT]
    age --decrypt [-i PATH | -j PLUGIN]... [-o OUTPUT] [INPUT]

This is solekey in the place of age. INPUT is standard input if it is missing,
OUTPUT is standard output. An existing OUTPUT is replaced, once it is whole.";

pub(crate) const RAGE: &str = "\
Usage:
    rage [--encrypt] (-r RECIPIENT | -R PATH)... [-a] [-o OUTPUT] [INPUT]
    rage [--encrypt] --passphrase [-a] [-o OUTPUT] [INPUT]
    rage --encrypt (-i PATH | -j PLUGIN)... [-a] [-o OUTPUT] [INPUT]
    rage --decrypt [-i PATH | -j PLUGIN]... [--max-work-factor N] [-o OUTPUT] [INPUT]

This is solekey in the place of rage. INPUT is standard input if it is missing,
OUTPUT is standard output. An existing OUTPUT is replaced, once it is whole.";

pub(crate) const AGE_KEYGEN: &str = "\
Usage:
    age-keygen [-pq] [-o OUTPUT]
    age-keygen -y [-o OUTPUT] [INPUT]

This is solekey in the place of age-keygen. An existing OUTPUT is not overwritten.";

pub(crate) const RAGE_KEYGEN: &str = "\
Usage:
    rage-keygen [-o OUTPUT]
    rage-keygen -y [-o OUTPUT] [INPUT]

This is solekey in the place of rage-keygen. An existing OUTPUT is not overwritten.";

pub(crate) const AGE_INSPECT: &str = "\
Usage:
    age-inspect [--json] [INPUT]

This is solekey in the place of age-inspect. INPUT is standard input if it is missing.";
