//! How to call each command: what it needs, before what it allows.

/// The command lines of a command, without its name, or of the program.
pub(super) fn of(command: &str) -> &'static [&'static str] {
    match command {
        "encrypt" => &["[OPTIONS] {-r KEY | -R FILE | -i FILE}... [FILE]...", "[OPTIONS] -p [FILE]..."],
        "decrypt" | "verify" | "inspect" => &["[OPTIONS] [-i IDENTITY]... [FILE]..."],
        "keygen" => &["[-o FILE | --default] [--pq] [-p]", "-y [INPUT]", "--protect KEY"],
        "rekey" => &[
            "[OPTIONS] [-i IDENTITY]... {-r KEY | -R FILE}... FILE...",
            "[OPTIONS] {--add | --remove} {-r KEY | -R FILE}... FILE...",
            "[OPTIONS] [-i IDENTITY]... -p FILE...",
        ],
        "salvage" => &["[OPTIONS] [-i IDENTITY]... -o OUT FILE"],
        "paper" => &["[--svg FILE] KEY", "--read --kind KIND -o FILE"],
        "completions" => &["SHELL"],
        _ => &["COMMAND [OPTIONS] [ARGUMENT]..."],
    }
}

/// Formats them for the help.
pub(super) fn text(command: &str) -> String {
    let name = if command == "solekey" { command.to_owned() } else { format!("solekey {command}") };
    let lines: Vec<_> = of(command).iter().map(|words| format!("{name} {words}")).collect();
    lines.join("\n       ")
}
