//! The `solekey` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    solekey::cli::main()
}
