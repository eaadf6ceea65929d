//! The command line: everything that is not the format. [`main`] parses the arguments, runs a command, and returns its exit
//! status.
//!
//! Each folder is a room. A module imports from its own room and from the rooms below it:
//!
//! ```text
//! commands   one verb per file, and the session that they share
//! batch      many files: scheduler, groups, encryptors, cores, tally
//! keys       key files, recipients, the keyring, plugins
//! files      inputs, targets, outputs in the making, permissions, receipts
//! terminal   messages, hints, prompts, progress, exit statuses
//! platform   signals, sandbox, and whatever differs between systems
//! ```
//!
//! `args` is the command line as pure data; every room may import it. `drop_in` is outside the rooms: it translates the command
//! lines of age and rage.
//!
//! # The path of `encrypt FILE`
//!
//! 1. [`main`] keeps memory private (`platform`), parses `args`, and gives up network sockets. Called as age or rage, `drop_in`
//!    translates the command line first. With `--allow-plugin-network`, `platform::child` starts a process first that keeps these
//!    rights and starts plugins.
//! 2. `commands::encrypt` asks `files::outputs` for the target, `FILE.age`: `files::naming` derives the name, and
//!    `files::target` checks whether a file of that name exists.
//! 3. `commands::session` sets up messages, prompt, plugins and key files; `keys::recipients` reads the recipients.
//!    With `--receipt`, `files::receipt` is opened.
//! 4. `files::walk` finds the inputs, and `batch::scheduler` works on each: on the calling thread if there is only one.
//! 5. Open: `files::input` opens FILE; the target must be neither FILE nor a key file.
//! 6. Wrap: [`Encryptor::new`](crate::crypto::Encryptor::new) makes a file key and a header with one stanza per recipient. If a
//!    plugin is among them, `batch::encryptors` makes those of all files at once.
//! 7. `batch::cores` grants threads: one for up to 1 MiB, else all. `files::target` opens a file that has no name yet
//!    (`files::pending`; a hidden name where the system has no such files). If FILE is the only input and `--rm` is not given,
//!    `platform::sandbox` then closes off all other files.
//! 8. Write: [`Encryptor::encrypt`](crate::crypto::Encryptor::encrypt) seals the payload into it, on those threads.
//! 9. Commit: `files::commit` has `files::pending` set the permissions (`files::permissions`), sync the file and give it its name.
//! 10. The scheduler has the command report each file, in the order of the inputs, and `batch::tally` gives the exit status.
//!
//! # The path of `decrypt FILE`
//!
//! Steps 1 to 5 are the same, except that the target of `FILE.age` is `FILE`, and `keys::keyring` reads identities instead of
//! recipients. Then:
//!
//! 6. `files::encrypted_input` reads the header, armored or not.
//! 7. Prove: the keyring unwraps the file key, asking for a passphrase only if it can help, and the header and the last chunk
//!    are authenticated. Once a plugin has to be asked, it is asked for all files that `batch::groups` has announced.
//! 8. Write: [`Payload::decrypt`](crate::crypto::Payload::decrypt) opens the payload into a file without a name.
//! 9. Commit and report, as above.

mod args;
mod batch;
mod commands;
mod drop_in;
mod files;
#[cfg(fuzzing)]
pub mod fuzzing;
mod keys;
mod platform;
mod terminal;
mod version;

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::{FromArgMatches, error::ErrorKind};

pub use args::command;

use args::{Arguments, Verb};
use commands::{
    completions::completions, decrypt::decrypt, encrypt::encrypt, inspect::inspect, keygen::keygen, operands, options,
    paper::paper, rekey::rekey, salvage::salvage, verify::verify,
};
use drop_in::{Tool, Translation};
use platform::{child, sandbox, signals};
use terminal::{
    command::remember,
    exit_status::ExitStatus,
    json,
    key_material::{Suspicion, suspicion},
    messages::{self, Messages},
    persona,
};

use crate::crypto::has_room;

/// Small allocations are not checked one by one. Without room for them, the program would be aborted.
const NO_MEMORY: &str = "solekey: error: there is not enough memory to start\n\
    solekey: hint: close other programs, raise the limit on memory (ulimit -v), or use a larger machine\n";

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    if !has_room(0) {
        // If this fails, nobody is left to tell.
        let _ = io::stderr().write_all(NO_MEMORY.as_bytes());
        return ExitStatus::Failure.code();
    }
    if env::args_os().skip(1).eq([child::LAUNCHER].map(OsString::from)) {
        child::serve_as_launcher();
        return ExitCode::SUCCESS;
    }
    // Before any key is read, and while there is one thread.
    platform::keep_memory_private();
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let messages = Messages::new(&arguments.messages);
    if arguments.verb.allows_plugin_network()
        && let Err(error) = child::start_launcher()
    {
        messages.error(&anyhow::Error::new(error).context("cannot start the process that starts plugins"));
        return ExitStatus::Failure.code();
    }
    let confined = sandbox::refuse_network_sockets();
    if let Err(missing) = confined {
        messages.verbose(&format!("solekey cannot deny itself network sockets: {missing}"));
    }
    // Remembered while there is one thread.
    platform::umask();
    signals::fail_on_file_size_limit();
    let outcome = run(&arguments).and_then(|status| {
        // Failures of writing to some file systems show only now.
        platform::stdout()
            .and_then(|stdout| platform::close_duplicate(&stdout))
            .context("cannot write to standard output")?;
        Ok(status)
    });
    messages.say_what_lacks();
    match outcome {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(status)) => status.code(),
        Err(error) => {
            if arguments.verb.prints_json() {
                // If this fails, nobody is left to tell.
                let _ = io::stdout().write_all(json::line(&json::Failed::new(None, &error)).as_bytes());
            }
            messages.error(&error);
            ExitStatus::of(&error).code()
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<Option<ExitStatus>> {
    let messages = &arguments.messages;
    // Another tool's command line is translated to more options than it needs.
    if !persona::is_drop_in() {
        options::check(&arguments.verb, messages)?;
        operands::check(&arguments.verb)?;
    }
    match &arguments.verb {
        Verb::Encrypt(args) => encrypt(args, messages),
        Verb::Decrypt(args) => decrypt(args, messages),
        Verb::Keygen(args) => keygen(args, messages),
        Verb::Inspect(args) => inspect(args, messages),
        Verb::Verify(args) => verify(args, messages),
        Verb::Rekey(args) => rekey(args, messages),
        Verb::Salvage(args) => salvage(args, messages),
        Verb::Paper(args) => paper(args, messages),
        Verb::Completions(args) => completions(args),
    }
}

/// Parses the command line. Otherwise returns the status to exit with: help was printed, or an error.
fn parse() -> Result<Arguments, ExitCode> {
    let typed: Vec<_> = env::args_os().collect();
    let called = Tool::called(&typed);
    if let Some((tool, _)) = called {
        persona::assume(tool.persona());
    }
    // Before clap sees the arguments: its messages quote what it does not understand. Joined, because the shell makes many
    // words of an unquoted PEM file.
    if suspicion(typed.join(OsStr::new(" ")).as_encoded_bytes()) == Suspicion::Key {
        messages::secret_argument();
        return Err(ExitStatus::Misuse.code());
    }
    let words = match called {
        Some((tool, words)) => translate(tool, words)?,
        None => typed.clone(),
    };
    let parsed = args::parser().try_get_matches_from(&words);
    let arguments = parsed.and_then(|matches| {
        matches.subcommand_name().into_iter().for_each(remember);
        Arguments::from_arg_matches(&matches)
    });
    arguments.map_err(|error| {
        // Help is printed as an error too, and only the complete command line has all of it.
        let error = command().try_get_matches_from(&words).err().unwrap_or(error);
        if error.kind() == ErrorKind::DisplayVersion && env::args_os().any(|argument| is_verbose_flag(&argument)) {
            return printed(io::stdout().write_all(version::DETAILS.as_bytes()));
        }
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return printed(error.print());
        }
        messages::usage(&error, &typed);
        ExitStatus::Misuse.code()
    })
}

/// The exit code after printing to standard output.
fn printed(result: io::Result<()>) -> ExitCode {
    match result.and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::ClosedPipe.code(),
        Err(error) => {
            Messages::default().error(&anyhow::Error::new(error).context("cannot write to standard output"));
            ExitStatus::Failure.code()
        }
    }
}

/// Clap stops at `--version`, and does not tell whether `--verbose` follows.
fn is_verbose_flag(argument: &OsStr) -> bool {
    ["-v", "--verbose", "-vV", "-Vv"].iter().any(|verbose| argument == *verbose)
}

/// Translates the command line of another tool into one of this program.
fn translate(tool: &Tool, words: &[OsString]) -> Result<Vec<OsString>, ExitCode> {
    match tool.translate(words) {
        Ok(Translation::Words(words)) => Ok([OsString::from("solekey")].into_iter().chain(words).collect()),
        Ok(Translation::Version(version)) => Err(printed(writeln!(io::stdout(), "{version}"))),
        Ok(Translation::Usage { fault, usage, status }) => {
            messages::foreign_usage(fault.as_deref(), usage);
            Err(ExitCode::from(status))
        }
        Err(error) => {
            Messages::default().translation_error(&error);
            Err(ExitStatus::of(&error).code())
        }
    }
}
