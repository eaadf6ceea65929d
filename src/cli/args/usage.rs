//! How to call each command: what it needs, before what it allows.

/// The command lines of a command, without its name, or of the program.
fn of(command: &str) -> &'static [&'static str] {
    match command {
        "encrypt" => &["[OPTIONS] {-r KEY | -R FILE | -i FILE}... [FILE]...", "[OPTIONS] -p [FILE]..."],
        "decrypt" | "verify" | "inspect" => &["[OPTIONS] [-i IDENTITY]... [FILE]..."],
        "keygen" => &["[-o FILE | --default] [--pq] [-p]", "-y [INPUT]", "--protect KEY"],
        "rekey" => &[
            "[OPTIONS] [-i IDENTITY]... {-r KEY | -R FILE}... FILE...",
            "--add [-i IDENTITY]... {-r KEY | -R FILE}... FILE...",
            "--remove [-i IDENTITY]... {-r KEY | -R FILE}... FILE...",
            "[OPTIONS] [-i IDENTITY]... -p FILE...",
        ],
        "salvage" => &["[OPTIONS] [-i IDENTITY]... -o OUT FILE"],
        "paper" => &["[--svg FILE] KEY", "--read --kind KIND -o FILE"],
        "completions" => &["SHELL"],
        _ => &["COMMAND [OPTIONS] [ARGUMENT]..."],
    }
}

/// The command lines of a command, or of the program.
pub(crate) fn lines(command: &str) -> impl Iterator<Item = String> {
    let name = if command == "solekey" { command.to_owned() } else { format!("solekey {command}") };
    of(command).iter().map(move |words| format!("{name} {words}"))
}

/// Formats them for the help.
pub(super) fn text(command: &str) -> String {
    let lines: Vec<_> = lines(command).collect();
    lines.join("\n       ")
}
