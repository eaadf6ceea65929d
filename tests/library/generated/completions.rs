//! The completion scripts: clap's, extended to suggest the files that an option or a command takes, and the command lines of
//! the tools that solekey stands in for.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, Command, ValueHint};
use clap_complete::{Shell, generate};

/// The verbs that take encrypted files.
const OPENING: &[&str] = &["decrypt", "d", "inspect", "verify", "t", "rekey", "salvage"];

/// Another tool's option: its letter, its name, and whether a file is its value, another word, or none.
type Flag = (Option<char>, &'static str, Takes);

#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    Word,
    File,
}

const AGE: &[Flag] = &[
    (Some('e'), "encrypt", Takes::Nothing),
    (Some('d'), "decrypt", Takes::Nothing),
    (Some('r'), "recipient", Takes::Word),
    (Some('R'), "recipients-file", Takes::File),
    (Some('i'), "identity", Takes::File),
    (Some('j'), "plugin", Takes::Word),
    (Some('p'), "passphrase", Takes::Nothing),
    (Some('a'), "armor", Takes::Nothing),
    (Some('o'), "output", Takes::File),
];

const KEYGEN: &[Flag] = &[(Some('o'), "output", Takes::File), (Some('y'), "to-public", Takes::Nothing)];

/// The other tools: their names, their options, and those that only one has.
const TOOLS: &[(&str, &[Flag], &[Flag])] = &[
    ("age", AGE, &[(None, "version", Takes::Nothing)]),
    ("rage", AGE, &[(None, "max-work-factor", Takes::Word), (Some('V'), "version", Takes::Nothing)]),
    ("age-keygen", KEYGEN, &[(None, "pq", Takes::Nothing), (None, "version", Takes::Nothing)]),
    ("rage-keygen", KEYGEN, &[(Some('V'), "version", Takes::Nothing)]),
    ("age-inspect", &[(None, "json", Takes::Nothing)], &[(Some('v'), "version", Takes::Nothing)]),
];

/// The command line, with the tools as commands.
fn command() -> Command {
    let tools = TOOLS.iter().map(|(name, shared, own)| {
        let arg = |(short, long, takes): &Flag| {
            let arg = Arg::new(*long).long(*long);
            let arg = short.map_or(arg.clone(), |short| arg.short(short));
            match takes {
                Takes::Nothing => arg.action(ArgAction::SetTrue),
                Takes::Word => arg.action(ArgAction::Append).value_hint(ValueHint::Other),
                Takes::File => arg.action(ArgAction::Append).value_hint(ValueHint::FilePath),
            }
        };
        let file = Arg::new("files").num_args(0..).value_hint(ValueHint::FilePath);
        let about = format!("Stand in for {name}");
        let tool = Command::new(*name).bin_name(format!("solekey {name}")).about(about);
        tool.args(shared.iter().chain(*own).map(arg)).arg(file)
    });
    // The command is built, so that the tools do not get the options that every command has.
    solekey::cli::command().bin_name("solekey").subcommands(tools)
}

/// Appended to clap's bash script: the files that each option and each command takes, where that script has all files or only flags.
const BASH_FILES: &str = r#"
# Replies with the names that match one of the patterns, and with folders; with nothing if there are none of these names.
_solekey_names() {
    local IFS=$'\n' cur="$1" pattern
    shift
    COMPREPLY=()
    for pattern in "$@"; do
        COMPREPLY+=($(compgen -f -X "!$pattern" -- "$cur"))
    done
    if [[ ${#COMPREPLY[@]} -gt 0 ]]; then
        COMPREPLY=($(printf '%s\n' "${COMPREPLY[@]}" $(compgen -d -- "$cur") | sort -u))
        compopt -o filenames 2>/dev/null
    fi
}

_solekey_files() {
    local word verb= prev="$3" cur="$2"
    if [[ "$prev" == "=" ]]; then
        prev="${COMP_WORDS[COMP_CWORD-2]}"
    fi
    case "$prev" in
        -O|--output-dir)
            local IFS=$'\n'
            COMPREPLY=($(compgen -d -- "$cur"))
            compopt -o filenames +o default +o bashdefault 2>/dev/null
            return
            ;;
        -i|--identity|--protect)
            _solekey_names "$cur" '*.txt' '*.key' '*id_*[!b]'
            return
            ;;
        -R|--recipients-file|--authorized-keys)
            _solekey_names "$cur" '*.pub' '*.txt' '*.keys' '*authorized_keys*'
            return
            ;;
    esac
    _solekey "$@"
    if [[ "$cur" == -* || ( ${#COMPREPLY[@]} -gt 0 && "${COMPREPLY[0]}" != -* ) ]]; then
        return
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$word" in
            -*) ;;
            # The value of an option before the verb.
            auto|always|never) ;;
            *) verb="$word"; break ;;
        esac
    done
    # The shell completes names of files by itself where there is nothing else.
    local found=("${COMPREPLY[@]}")
    COMPREPLY=()
    case "$verb" in
        ""|help|completions)
            for word in "${found[@]}"; do
                [[ "$word" == -* ]] || COMPREPLY+=("$word")
            done
            ;;
        VERBS)
            _solekey_names "$cur" '*.age' '*.asc'
            ;;
    esac
}
"#;

/// The same in zsh: the end of the line of an option.
const ZSH_FILES: &[(&[&str], &str)] = &[
    (&["-i+", "--identity=", "--protect="], "(*.(txt|key)|id_*~*.pub)"),
    (&["-R+", "--recipients-file=", "--authorized-keys="], "(*.(pub|txt|keys)|authorized_keys*)"),
];

/// The same in fish: the name of an option, and a pattern for the ends of names.
const FISH_FILES: &[(&str, &str)] = &[
    (" -l identity ", r"(?:\.txt|\.key|id_[^/]*[^b/])"),
    (" -l protect ", r"(?:\.txt|\.key|id_[^/]*[^b/])"),
    (" -l recipients-file ", r"(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)"),
    (" -l authorized-keys ", r"(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)"),
];

/// Put before clap's fish script.
const FISH_NAMES: &str = r#"# Prints the names whose end matches a pattern, and folders; all names if there are none of these names.
function __solekey_names
    set -l all (complete -C "'' "(commandline -ct) | string replace -r '\t.*' '')
    set -l fit (string match -r -- ".*$argv[1]\$" $all)
    if set -q fit[1]
        set all $fit (string match -r -- '.*/$' $all)
    end
    # With a tab after it, a name does not get the description of the option.
    set -q all[1]; and printf '%s\t\n' $all
end

"#;

/// Generates a completion script with clap, extended to suggest the right files first.
fn completion(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut command(), "solekey", &mut script);
    let script = String::from_utf8(script).expect("scripts are text");
    let script = match shell {
        Shell::Bash => bash(&script),
        Shell::Zsh => zsh(&script),
        Shell::Fish => fish(&script),
        _ => script,
    };
    script.into_bytes()
}

fn bash(script: &str) -> String {
    let (functions, last) =
        script.split_once("\nif [[ \"${BASH_VERSINFO[0]}\" -eq 4").expect("clap's bash script ends this way");
    let files = BASH_FILES.replace("VERBS", &OPENING.join("|"));
    // Names in the order of the folder are hard to read.
    let last = last.replace("-F _solekey ", "-F _solekey_files ").replace("-o nosort ", "");
    format!("{functions}{files}\nif [[ \"${{BASH_VERSINFO[0]}}\" -eq 4{last}")
}

fn zsh(script: &str) -> String {
    let mut opening = false;
    let lines = script.split_inclusive('\n').map(|line| {
        if let Some(verb) = line.trim().strip_prefix('(').and_then(|line| line.strip_suffix(')')) {
            opening = OPENING.contains(&verb);
        }
        let Some(files) = line.strip_suffix(":_files' \\\n") else { return line.to_owned() };
        let of_option = ZSH_FILES.iter().find(|(options, _)| options.iter().any(|option| line.contains(option)));
        match of_option {
            Some((_, pattern)) => format!("{files}:_files -g \"{pattern}(-.)\"' \\\n"),
            None if opening && files.starts_with("'*::files") => {
                format!("{files}:_files -g \"*.(age|asc)(-.)\"' \\\n")
            }
            None => line.to_owned(),
        }
    });
    lines.collect()
}

fn fish(script: &str) -> String {
    let lines = script.split_inclusive('\n').map(|line| {
        let of_option = FISH_FILES.iter().find(|(option, _)| line.contains(option));
        match (of_option, line.strip_suffix(" -r -F\n")) {
            (Some((_, pattern)), Some(start)) => format!("{start} -r -f -a \"(__solekey_names '{pattern}')\"\n"),
            // Clap's condition for the words after `help` includes the word `help`, and so never holds.
            _ if line.contains("using_subcommand help; and not ") => line.replacen(" help\" -f", "\" -f", 1),
            _ => line.to_owned(),
        }
    });
    let script: String = lines.collect();
    let condition = format!("__fish_seen_subcommand_from {}", OPENING.join(" "));
    let opening = format!("complete -c solekey -n \"{condition}\" -xa \"(__solekey_names '\\.(?:age|asc)')\"\n");
    // Clap's script leaves out the values of arguments without a name.
    let shells = "complete -c solekey -n \"__fish_solekey_using_subcommand completions\" -f -a \"bash elvish fish powershell zsh\"\n";
    format!("{FISH_NAMES}{script}{opening}{shells}")
}

/// Returns the scripts for all shells.
pub(super) fn completions() -> BTreeMap<PathBuf, Vec<u8>> {
    let shells = [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell];
    let files = ["solekey.bash", "_solekey", "solekey.fish", "solekey.elv", "_solekey.ps1"];
    let generated = shells.into_iter().zip(files);
    generated.map(|(shell, file)| (Path::new("completions").join(file), completion(shell))).collect()
}
