//! The man pages, rendered from the definition of the command line and the texts of [`man_texts`](super::man_texts).
//!
//! Sections are those of man-pages(7), in its order. Lines are at most 80 bytes long, as linters want them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{Arg, Command};

use super::man_texts::{
    ALIASES, COLORS, CONFINEMENT, DEFAULT_IDENTITIES, DROP_IN, EXIT_STATUS, JSON, KEY_FOLDER, LIMITS, NO_ESCROW,
    PASSPHRASES, PATH, RECIPES, TERMINAL,
};

/// The page about key files, which is written by hand.
const FILE_PAGE: &str = include_str!("../../../man/solekey-file.5");

/// The date in the pages: fixed, since the pages of a version are the same whenever they are made.
const DATE: &str = "2026-11-28";

/// The longest line, in bytes.
const WIDTH: usize = 80;

/// Returns all man pages: one for the program, one for each verb, and one for key files.
pub(super) fn man_pages() -> BTreeMap<PathBuf, Vec<u8>> {
    // The verb `help` needs no page, since `solekey help VERB` prints what the pages contain.
    let command = solekey::cli::command();
    let verbs = || command.get_subcommands().filter(|verb| verb.get_name() != "help");
    let names: Vec<_> = std::iter::once("solekey".to_owned())
        .chain(verbs().map(|verb| format!("solekey-{}", verb.get_name())))
        .collect();
    let pages = std::iter::once(&command).chain(verbs());
    let written = (Path::new("man").join("solekey-file.5"), FILE_PAGE.as_bytes().to_vec());
    pages
        .zip(&names)
        .map(|(command, name)| (Path::new("man").join(format!("{name}.1")), page(command, name, &names).into_bytes()))
        .chain([written])
        .collect()
}

fn page(command: &Command, name: &str, names: &[String]) -> String {
    let is_program = name == "solekey";
    let source = concat!("solekey ", env!("CARGO_PKG_VERSION"));
    let mut page = format!(".TH {} 1 {DATE} \"{source}\" \"solekey manual\"\n", escaped(&name.to_uppercase()));
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    page += &section("NAME", &format!("{} \\- {}", escaped(name), escaped(&lower(&about))));
    page += &synopsis(command);
    page += &section("DESCRIPTION", &description(command, &about));
    if is_program {
        page += DROP_IN;
        page += &commands(command);
        page += ALIASES;
    }
    page += &options(command);
    page += EXIT_STATUS;
    page += &environment(command, is_program);
    page += &files(command, is_program);
    if is_program {
        page += JSON;
        page += NO_ESCROW;
        page += CONFINEMENT;
        page += PASSPHRASES;
        page += LIMITS;
        page += RECIPES;
    } else {
        page += &examples(command);
    }
    page += &see_also(name, names);
    filled(&page)
}

fn section(heading: &str, text: &str) -> String {
    format!(".SH {heading}\n{text}\n")
}

/// Literal words in bold, placeholders in italics.
fn synopsis(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let lines = usage.trim_start_matches("Usage: ").lines().map(str::trim);
    let font = |word: &str| {
        let name = word.trim_matches(|character| "[]{}.".contains(character));
        if name.is_empty() || name == "|" {
            return escaped(word);
        }
        let font = if name.starts_with(|first: char| first.is_ascii_uppercase()) { 'I' } else { 'B' };
        escaped(word).replacen(&escaped(name), &format!("\\f{font}{}\\fR", escaped(name)), 1)
    };
    let lines: Vec<String> =
        lines.map(|line| line.split_whitespace().map(font).collect::<Vec<_>>().join(" ")).collect();
    section("SYNOPSIS", &format!(".nf\n{}\n.fi", lines.join("\n")))
}

/// What the long help says after its first paragraph, which is the name.
fn description(command: &Command, about: &str) -> String {
    let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    let paragraphs = long.split("\n\n").filter(|paragraph| paragraph.trim_end_matches('.') != about);
    paragraphs.map(escaped).collect::<Vec<_>>().join("\n.PP\n")
}

fn commands(command: &Command) -> String {
    let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help");
    let list = verbs.map(|verb| {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        format!(".TP\n.BR solekey\\-{} (1)\n{}.\n", escaped(verb.get_name()), escaped(&about))
    });
    let list: String = list.collect();
    format!(".SH COMMANDS\n{list}.TP\n\\fBsolekey help\\fR \\fICOMMAND\\fR\nPrint the help of a command.\n")
}

/// Options under the headings of the help.
fn options(command: &Command) -> String {
    let mut page = String::from(".SH OPTIONS\n");
    for arg in command.get_positionals() {
        let name = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string).unwrap_or_default();
        page += &format!(".TP\n\\fI{}\\fR\n{}", escaped(&name), help(arg));
    }
    let options = || command.get_opts().chain(flags(command)).filter(|arg| !arg.is_hide_set());
    let mut headings: Vec<&str> = Vec::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        headings.extend(arg.get_help_heading().filter(|heading| !headings.contains(heading)));
    }
    for heading in headings {
        let mut args: Vec<&Arg> = options().filter(|arg| arg.get_help_heading() == Some(heading)).collect();
        args.sort_by_key(|arg| arg.get_display_order());
        let args: String = args.into_iter().map(option).collect();
        page += &format!(".SS {heading}\n{args}");
    }
    page
}

/// Options without a value.
fn flags(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_positional() && !arg.get_action().takes_values())
}

fn option(arg: &Arg) -> String {
    let short = arg.get_short().map(|short| format!("\\fB\\-{short}\\fR"));
    let long = arg.get_long().map(|long| format!("\\fB\\-\\-{}\\fR", escaped(long)));
    let spellings = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    let value = match arg.get_value_names() {
        Some([name, ..]) if arg.get_action().takes_values() => format!(" \\fI{}\\fR", escaped(name)),
        _ => String::new(),
    };
    format!(".TP\n{spellings}{value}\n{}", help(arg))
}

/// The help of an argument, as sentences.
fn help(arg: &Arg) -> String {
    let text = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let default = match arg.get_default_values() {
        [default] if !arg.is_hide_default_value_set() && arg.get_action().takes_values() => {
            format!(" The default is {}.", default.to_string_lossy())
        }
        _ => String::new(),
    };
    let values = arg.get_possible_values();
    let values = if arg.is_hide_possible_values_set() || values.is_empty() || !arg.get_action().takes_values() {
        String::new()
    } else {
        format!(": {}", values.iter().map(|value| value.get_name()).collect::<Vec<_>>().join(", "))
    };
    let paragraphs = text.split("\n\n").map(|paragraph| format!("{}\n", escaped(&full_stop(paragraph, &values))));
    let text = paragraphs.collect::<Vec<_>>().join(".IP\n");
    format!("{}{}\n", text.trim_end(), escaped(&default))
}

fn full_stop(text: &str, values: &str) -> String {
    let text = text.trim_end_matches('.');
    format!("{text}{values}{}", if text.ends_with('?') { "" } else { "." })
}

/// The variables that a command reads.
fn environment(command: &Command, is_program: bool) -> String {
    let mut text = String::from(".SH ENVIRONMENT\n");
    if is_program || has(command, "no-default-identity") {
        text += DEFAULT_IDENTITIES;
    }
    if is_program || has(command, "no-default-identity") || has(command, "default") {
        text += KEY_FOLDER;
    }
    if is_program || has(command, "no-plugins") {
        text += PATH;
    }
    text + COLORS
}

/// Files whose names are fixed.
fn files(command: &Command, is_program: bool) -> String {
    let mut text = String::new();
    if is_program || has(command, "no-default-identity") || has(command, "default") {
        text += super::man_texts::DEFAULT_FILE;
    }
    if is_program || has(command, "passphrase-fd") {
        text += TERMINAL;
    }
    if text.is_empty() { text } else { format!(".SH FILES\n{text}") }
}

fn has(command: &Command, long: &str) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some(long))
}

/// The examples at the end of the help.
fn examples(command: &Command) -> String {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let lines = help.lines().skip(1).peekable();
    let mut page = String::from(".SH EXAMPLES\n");
    let mut in_code = false;
    for line in lines {
        let is_code = line.starts_with("    ");
        page += match (in_code, is_code) {
            (false, true) => ".PP\n.nf\n.RS\n",
            (true, false) => ".RE\n.fi\n.PP\n",
            _ => "",
        };
        page += &format!("{}\n", escaped(line.trim()));
        in_code = is_code;
    }
    page + ".RE\n.fi\n"
}

/// The list of the other pages.
fn see_also(name: &str, names: &[String]) -> String {
    let others = names.iter().filter(|other| *other != name);
    let mut pages: Vec<_> = others.map(|other| format!(".BR {} (1)", escaped(other))).collect();
    pages.extend([".BR solekey\\-file (5)", ".BR age (1)"].map(str::to_owned));
    let pages = pages.join(",\n");
    section("SEE ALSO", &format!("{pages}\n.PP\nThe format: https://c2sp.org/age"))
}

/// A text in which no character is an instruction.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped += "\\e",
            '-' => escaped += "\\-",
            '\'' => escaped += "\\(aq",
            '~' => escaped += "\\(ti",
            '^' => escaped += "\\(ha",
            '`' => escaped += "\\(ga",
            other => escaped.push(other),
        }
    }
    escaped
}

fn lower(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// Breaks lines of text that are too long, but none between `.nf` and `.fi`.
fn filled(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut verbatim = false;
    for line in page.lines() {
        verbatim = line == ".nf" || (verbatim && line != ".fi");
        if verbatim || line.starts_with('.') {
            out += line;
            out.push('\n');
            continue;
        }
        let mut width = 0;
        for word in line.split(' ') {
            if width > 0 && width + 1 + word.len() > WIDTH {
                out.push('\n');
                width = 0;
            }
            if width > 0 {
                out.push(' ');
                width += 1;
            } else if word.starts_with('.') {
                out += "\\&";
                width += 2;
            }
            out += word;
            width += word.len();
        }
        out.push('\n');
    }
    out
}
