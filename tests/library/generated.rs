//! The man pages and shell completions match the definition of the command line.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::Command;
use clap_complete::{Shell, generate};

const EXIT_STATUS: &str = "\
.SH EXIT STATUS
.TP
0
Done.
.TP
1
Input/output or another failure.
.TP
2
Misuse of the command line.
.TP
3
No identity matched, or the passphrase was wrong.
.TP
4
The file is not an age file, or is corrupted or truncated.
.TP
5
An answer was needed and nobody could give it.
.TP
6
Some of several files failed. If all failed alike, the status is that of each.
.TP
141
The pipe that was written to was closed.
.TP
128 and more
A signal with the number of what is above 128 ended the program: 130 is an interrupt (Ctrl\\-C).
";

const RECIPES: &str = "\
.SH RECIPES
A folder as one archive, there and back:
.PP
.nf
tar c photos | solekey encrypt \\-R friends.txt \\-o photos.tar.age
solekey decrypt \\-i key.txt \\-c photos.tar.age | tar x
.fi
.PP
Compressed; what is encrypted cannot be compressed any more:
.PP
.nf
zstd \\-c disk.img | solekey encrypt \\-R friends.txt > disk.img.zst.age
.fi
.PP
A database, or any program that writes a stream. Without pipefail, a dump that fails half\\-way passes for a whole one, since
the status of a pipe is that of its last program:
.PP
.nf
set \\-o pipefail
pg_dump app | solekey encrypt \\-R friends.txt \\-o app.sql.age
createdb restored
solekey decrypt \\-i key.txt \\-c app.sql.age | psql \\-q \\-v ON_ERROR_STOP=1 restored
.fi
.PP
On a host that holds recipients only, and so cannot open its own backups. The key stays here:
.PP
.nf
tar c /etc | ssh vault \\(aqsolekey encrypt \\-R keys.txt \\-o etc.tar.age\\(aq
ssh vault cat etc.tar.age | solekey decrypt \\-i key.txt | tar t
.fi
.PP
To a host without solekey:
.PP
.nf
solekey encrypt \\-R friends.txt notes.txt
echo put notes.txt.age | sftp \\-q \\-b \\- vault > /dev/null
.fi
.PP
In volumes, and to an object store:
.PP
.nf
solekey encrypt \\-R friends.txt \\-o \\- disk.img | split \\-b 4G \\- disk.age.
cat disk.age.* | solekey decrypt \\-i key.txt \\-o disk.img
solekey encrypt \\-R friends.txt \\-o \\- disk.img | aws s3 cp \\- s3://bucket/disk.img.age
.fi
.PP
With rclone, to any store that it knows, without a file in between:
.PP
.nf
solekey encrypt \\-R friends.txt \\-o \\- disk.img | rclone rcat store:disk.img.age
rclone cat store:disk.img.age | solekey decrypt \\-i key.txt \\-o copy.img
.fi
.PP
A part of a file in such a store, without fetching all of it:
.PP
.nf
rclone mount \\-\\-read\\-only \\-\\-daemon store: /mnt/store
solekey decrypt \\-i key.txt \\-c \\-\\-range 2M:64K /mnt/store/disk.img.age > part
.fi
.PP
A tree, file by file; then all of it checked, and given to somebody else:
.PP
.nf
solekey encrypt \\-R friends.txt \\-\\-recursive \\-O /backup photos
solekey verify \\-q \\-i key.txt \\-\\-recursive /backup
solekey rekey \\-i key.txt \\-R new\\-friends.txt \\-\\-recursive /backup
.fi
.PP
The same backup every day, on a host that holds recipients only. A file is left as it is if its output has the size that it must
have and the file\\(aqs time, to the last digit; neither is opened. Files that are left keep the recipients they have: the
second line lists them, and
.B rekey
changes them. What was deleted in the folder stays in the backup. Where a file system keeps coarser times, such as FAT, everything is
encrypted again:
.PP
.nf
solekey encrypt \\-R friends.txt \\-\\-recursive \\-\\-update \\-O /backup photos
solekey inspect \\-\\-recursive /backup
solekey decrypt \\-i key.txt \\-\\-recursive \\-\\-update \\-O /restored /backup
.fi
.PP
A gibibyte from the middle of a backup, without reading the rest:
.PP
.nf
solekey decrypt \\-i key.txt \\-c \\-\\-range 40G:1G disk.img.age > part
.fi
.PP
Several processes, or several machines that share a file system, at once:
.PP
.nf
find tree \\-type f \\-print0 | xargs \\-0 \\-n 100 \\-P 4 solekey encrypt \\-R friends.txt
.fi
.PP
Two other machines with GNU parallel, which sends each file there and fetches the result:
.PP
.nf
find photos \\-type f | parallel \\-S one,two \\-\\-basefile friends.txt \\-\\-transferfile {} \\e
  \\-\\-return {}.age \\-\\-cleanup solekey encrypt \\-R friends.txt {}
.fi
.PP
Encrypted files under Git, with differences that you can read. Git runs this only in repositories where you set it:
.PP
.nf
echo \\(aq*.age diff=solekey\\(aq >> .gitattributes
git config diff.solekey.textconv \\(aqsolekey decrypt \\-i ~/key.txt \\-c\\(aq
git diff HEAD~ notes.txt.age
.fi
.PP
A receipt, signed with an SSH key, so that others can check who encrypted what to whom. The file signers.txt has lines of a name and a
public key:
.PP
.nf
solekey encrypt \\-R friends.txt \\-\\-receipt photos.json photos.tar
ssh\\-keygen \\-q \\-Y sign \\-f ~/.ssh/id_ed25519 \\-n receipt photos.json
ssh\\-keygen \\-Y verify \\-f signers.txt \\-I alice@example.org \\-n receipt \\-s photos.json.sig < photos.json
.fi
.PP
Before anything is replaced or deleted, what would be:
.PP
.nf
solekey encrypt \\-R friends.txt \\-\\-recursive \\-\\-rm \\-\\-dry\\-run photos
.fi
.PP
After somebody has left: new recipients for everything. If that is interrupted, run it again, with both identities: files that
only the new ones can open are passed over. The last line lists what the old key still opens:
.PP
.nf
solekey rekey \\-i new.txt \\-i old.txt \\-R new\\-friends.txt \\-\\-recursive /backup
solekey inspect \\-\\-recursive \\-i old.txt /backup
.fi
.PP
A key on paper, and back. The sheet holds the secret key: print it where nobody else reads it:
.PP
.nf
solekey paper \\-\\-svg key.svg key.txt | lp
solekey paper \\-\\-read \\-\\-kind x25519 \\-o key.txt
.fi
.PP
What is left of a damaged backup, and which bytes are missing:
.PP
.nf
solekey salvage \\-i key.txt \\-o disk.img disk.img.age > lost.json
.fi
";

const JSON: &str = "\
.SH JSON
With
.BR \\-\\-json ,
standard output gets one object per line, and one for each file, in the order of the files. An error in the object of a file of
encrypt, decrypt, rekey or verify is not printed on standard error; one that ends the run before its first file is in an object and
on standard error. Names have bytes that are not UTF\\-8 as
\\exff. Fields may be added in later versions; those that are here keep their meaning. Every object has:
.TP
.B file
The input. Missing for standard input with inspect, null or missing if the run failed before its first file.
.TP
.B ok
Whether nothing failed.
.TP
.BR status \", \" error \", \" hints
Only if something failed: the exit status that this file alone would have, what happened, and what to do, if that is known.
.PP
Besides:
.TP
encrypt, decrypt
.BR result :
encrypted, decrypted, unchanged (\\-\\-update), existed (\\-\\-skip\\-existing) or planned (\\-\\-dry\\-run); missing after a failure.
.BR output :
the name of the output.
.BR bytes :
of plaintext.
.BR replaces \", \" deletes :
with \\-\\-dry\\-run, whether a file would be replaced, and whether the input would be deleted.
.TP
rekey
.BR result :
rekeyed, unchanged (an earlier run has done it) or planned; missing after a failure.
.BR stanza_types :
those of the header.
.TP
verify
.BR chunks \", \" payload :
the number of chunks, and bytes of plaintext.
.BR chunk :
the first that is not authentic, from 1.
.TP
inspect
.BR version \", \" armor \", \" postquantum \", \" stanza_types \", \" stanzas \", \" yours \", \" header_authenticated \", \" absent \", \" sizes .
Also printed, with ok false, if a file is truncated or no identity opens it.
.TP
salvage
Prints its object without
.B \\-\\-json
too.
.BR length \", \" recovered \", \" complete :
bytes of plaintext, and whether the end was found.
.BR lost :
the offset and length of each range of bytes that is lost. With
.BR \\-\\-json ,
a failure has an object.
";

const NO_ESCROW: &str = "\
.SH NO ESCROW
Defaults may widen what you can open, never who can open. These are the rules, each with what checks it.
.TP
Recipients come from this command line alone
From \\-r, \\-R, \\-\\-authorized\\-keys, \\-i, \\-j and \\-p of
.BR \"solekey encrypt\" :
from no configuration, no environment variable, no compiled\\-in key. With default identities set, and nobody named,
it says that recipients are missing.
.TP
One stanza for each distinct recipient
In the order of the command line; no decoys. They are counted before the first byte of payload is written.
.B sed \\-n \\(aq/\\(ha\\-\\-\\-/q; /\\(ha\\->/p\\(aq FILE.age
lists them.
.TP
Plugins run only when they are named
On the command line, that is: for a key of a plugin in a default identity file, none is run. They see the file key, and so
could write more stanzas: more than one for a key is an error, unless
.BR \\-\\-allow\\-plugin\\-stanzas .
.B \\-\\-no\\-plugins
forbids them. They are looked for in the absolute folders of the PATH, and one process serves all files of a run.
.TP
No network
.B strace \\-f \\-e trace=%network solekey ...
shows no call.
.TP
Nothing keeps keys
No cache, no agent, no log, no core file; what fails leaves nothing behind. While the program runs,
.B grep core /proc/PID/limits
shows that core files are off.
.TP
Every file can be inspected
.B solekey inspect
lists every stanza,
.B \\-\\-expect\\-recipients
fails if there are more or fewer, and
.B solekey encrypt \\-\\-receipt
records which stanza is whose.
.TP
The program can be checked
.B solekey \\-\\-version \\-\\-verbose
says what it was built from, and
.B bench/reproduce.sh
in the sources builds that twice and compares.
.TP
Any age implementation opens the files
.B age \\-d \\-i key.txt FILE.age
is your exit.
.PP
What cannot be promised: an X25519 or post\\-quantum stanza cannot be attributed to a person from the file alone. Every recipient
holds the file key, and can pass it on or write another payload under it. Decrypting does not tell who encrypted. Losing
all identities loses the data: name a second recipient yourself, which is a visible choice. Removing a recipient does not
take back what it has already read.
";

const CONFINEMENT: &str = "\
.SH CONFINEMENT
The program gives up what it does not need: memory that others can read and the network before it reads a key, and files as
soon as it can.
.TP
Memory
A crash writes no core file, and on Linux other programs of the same user cannot read the memory. Keys are overwritten as
soon as they have been used, also where they were on the stack; while a payload is sealed or opened, the key of that payload
is there, and what the next file may need: passphrases, and when decrypting the identities. Memory is not kept from being swapped out.
.TP
Network
On Linux, sockets are refused (seccomp), but for those of the Unix family; io_uring, which could make some, is refused
too. This cannot be undone, and holds for plugins: one that needs the network fails with EPERM, one that is set-user-ID
runs without that, and one for another kind of processor than the program's does not run. With
.BR \\-\\-allow\\-plugin\\-network ,
a second process of the program, which never gets a key, is started before and starts plugins with all rights of the user. In
age's place, plugins have these rights as they do under age.
.TP
Files
On Linux, encrypt, decrypt, verify, rekey and salvage of one input open no other file once the keys have been read and the input and the
output are open (Landlock): all that is left is to give the output its name. A run with several inputs, or with
.BR \\-\\-rm ,
has others to open, and goes without.
.PP
Where the system has none of this, the program works without, and
.B \\-v
says so.
";

const PASSPHRASES: &str = "\
.SH PASSPHRASES
A passphrase is typed on the terminal, which shows nothing of it, or is the first line of the file that
.B \\-\\-passphrase\\-file
or
.B \\-\\-passphrase\\-fd
names. A new one is typed twice. If you press Enter instead, ten random words are generated and shown: 110 bits, more than anybody can guess.
.PP
You are warned of a new passphrase that is typed and easy to guess: one with fewer than 12 characters that count, or 16 if all are
digits. A character does not count if it repeats the one before, or is next to it in the alphabet, in counting, or in a row of
letters on the keyboard; of a text that is repeated, the first part counts. The rule is plain on purpose: it knows no list of
passwords, and a passphrase that passes may still be weak. Nothing is said about a passphrase from a file or a descriptor.
";

const LIMITS: &str = "\
.SH LIMITS
What is larger is refused with an error, so that a hostile file costs little. Nothing limits the length of a payload, the number of
files or the number of recipients but these:
.TP
Header
16 MiB and 16,384 stanzas, each of at most 256 words and tried once for each key. Before and after armor, 1,024 bytes of white
space.
.TP
Passphrase of a file, or of a protected key file
scrypt with a work factor of 22, which takes 4 GiB of memory;
.B \\-\\-max\\-work\\-factor
changes it for files. Work factors are logarithms to base 2. New files have one of 18.
.TP
Passphrase of an SSH key
4,096 rounds of bcrypt, 10,000,000 iterations of PBKDF2, or 1 GiB of memory for scrypt.
.TP
SSH keys
RSA keys have 2,048 to 16,384 bits. A private key file has at most 16 KiB.
.TP
Key files and recipients files
16 MiB, and 8 KiB in a line.
.TP
Passphrases
4,096 bytes. The words of
.B paper \\-\\-read
have 4,096 bytes together.
.TP
Lists of files
64 KiB in a name, and 1,000,000 empty names in a row. A list can be of any length.
.TP
Plugins
1 MiB in a message, and 1,024 words of metadata.
.TP
Terminal
64 MiB of typed or pasted text.
.TP
Threads
1,024, each with buffers of 2 MiB. A larger number counts as that.
";

/// The page about the file format, which is written by hand.
const FILE_PAGE: &str = include_str!("../../man/solekey-file.5");

/// Returns all man pages: one for the program, one for each verb, and one for the file format.
fn man_pages() -> BTreeMap<PathBuf, Vec<u8>> {
    // The verb `help` needs no page, since `solekey help VERB` prints what the pages contain.
    let mut command = solekey::cli::command().disable_help_subcommand(true);
    command.build();
    let names: Vec<_> = std::iter::once("solekey".to_owned())
        .chain(command.get_subcommands().map(|verb| format!("solekey-{}", verb.get_name())))
        .collect();
    let pages = std::iter::once(command.clone()).chain(command.get_subcommands().cloned());
    let written = (Path::new("man").join("solekey-file.5"), FILE_PAGE.as_bytes().to_vec());
    pages
        .map(|page| {
            let name = page.get_display_name().unwrap_or(page.get_name()).to_owned();
            (Path::new("man").join(format!("{name}.1")), man_page(page, &name, &names))
        })
        .chain([written])
        .collect()
}

/// Formats the synopsis: literal words in bold, placeholders in italics.
fn synopsis(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let mut lines = String::from(".SH SYNOPSIS\n");
    for word in usage.trim_start_matches("Usage: ").split_whitespace().map(|word| word.replace(['<', '>'], "")) {
        let name = word.trim_matches(['[', ']', '.']);
        let font = if name.starts_with(|first: char| first.is_ascii_uppercase()) { 'I' } else { 'B' };
        let word = word.replacen(name, &format!("\\f{font}{name}\\fR"), 1).replace('-', "\\-");
        lines += if lines.ends_with('\n') { "" } else { " " };
        lines += &word;
    }
    lines + "\n"
}

/// Formats the list of the other pages.
fn see_also(name: &str, names: &[String]) -> String {
    let others = names.iter().filter(|other| *other != name);
    let mut pages: Vec<_> = others.map(|other| format!("\\fB{}\\fR(1)", other.replace('-', "\\-"))).collect();
    pages.extend(["\\fBsolekey\\-file\\fR(5)", "\\fBage\\fR(1)"].map(str::to_owned));
    format!(".SH SEE ALSO\n{}\n.PP\nThe format: https://c2sp.org/age\n", pages.join(",\n"))
}

fn man_page(command: Command, name: &str, names: &[String]) -> Vec<u8> {
    let is_program = name == "solekey";
    let synopsis = synopsis(&command);
    let source = concat!("solekey ", env!("CARGO_PKG_VERSION"));
    // The text after the help has sections of its own here.
    let man = clap_mangen::Man::new(command.after_help(""))
        .title(name.to_uppercase())
        .manual("solekey manual")
        .source(source)
        .date("");
    let mut page = Vec::new();
    let render = |result: std::io::Result<()>| result.expect("writing to memory cannot fail");
    render(man.render_title(&mut page));
    render(man.render_name_section(&mut page));
    page.extend_from_slice(synopsis.as_bytes());
    render(man.render_description_section(&mut page));
    render(man.render_options_section(&mut page));
    if is_program {
        render(man.render_subcommands_section(&mut page));
        page.extend_from_slice(b".TP\nsolekey help \\fICOMMAND\\fR\nPrint the help of a command\n");
        page.extend_from_slice(RECIPES.as_bytes());
        page.extend_from_slice(PASSPHRASES.as_bytes());
    }
    page.extend_from_slice(EXIT_STATUS.as_bytes());
    if is_program {
        page.extend_from_slice(JSON.as_bytes());
        page.extend_from_slice(NO_ESCROW.as_bytes());
        page.extend_from_slice(CONFINEMENT.as_bytes());
        page.extend_from_slice(LIMITS.as_bytes());
    }
    page.extend_from_slice(see_also(name, names).as_bytes());
    page
}

/// The verbs that take encrypted files.
const OPENING: &[&str] = &["decrypt", "d", "inspect", "verify", "t", "rekey", "salvage"];

/// Appended to clap's bash script: completes file names where that script has only flags, and encrypted files for the
/// verbs that open them.
const BASH_FILES: &str = r#"
# The names of files that the verbs take, where the script above has only flags.
_solekey_files() {
    _solekey "$@"
    local word verb=
    if [[ "$2" == -* || ( ${#COMPREPLY[@]} -gt 0 && "${COMPREPLY[0]}" != -* ) ]]; then
        return
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$word" in
            -*) ;;
            *) verb="$word"; break ;;
        esac
    done
    # The shell completes names of files by itself where there is nothing else.
    local found=("${COMPREPLY[@]}")
    COMPREPLY=()
    case "$verb" in
        "")
            for word in "${found[@]}"; do
                [[ "$word" == -* ]] || COMPREPLY+=("$word")
            done
            ;;
        VERBS)
            local IFS=$'\n'
            COMPREPLY=($(compgen -f -X '!*.age' -- "$2") $(compgen -f -X '!*.asc' -- "$2"))
            if [[ ${#COMPREPLY[@]} -gt 0 ]]; then
                COMPREPLY+=($(compgen -d -- "$2"))
                compopt -o filenames 2>/dev/null
            fi
            ;;
    esac
}
"#;

/// Generates a completion script with clap, extended to suggest encrypted files first for the verbs that open them.
fn completion(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut solekey::cli::command(), "solekey", &mut script);
    let script = String::from_utf8(script).expect("scripts are text");
    let script = match shell {
        Shell::Bash => {
            let (functions, last) =
                script.split_once("\nif [[ \"${BASH_VERSINFO[0]}\" -eq 4").expect("clap's bash script ends this way");
            let files = BASH_FILES.replace("VERBS", &OPENING.join("|"));
            let last = last.replace("-F _solekey ", "-F _solekey_files ");
            format!("{functions}{files}\nif [[ \"${{BASH_VERSINFO[0]}}\" -eq 4{last}")
        }
        Shell::Zsh => {
            let mut opening = false;
            let lines = script.split_inclusive('\n').map(|line| {
                if let Some(verb) = line.trim().strip_prefix('(').and_then(|line| line.strip_suffix(')')) {
                    opening = OPENING.contains(&verb);
                }
                match line.strip_suffix(":_files' \\\n") {
                    Some(files) if opening && files.starts_with("'*::files") => {
                        format!("{files}:_files -g \"*.(age|asc)(-.)\"' \\\n")
                    }
                    _ => line.to_owned(),
                }
            });
            lines.collect()
        }
        Shell::Fish => {
            let opening = OPENING.join(" ");
            let condition = format!("__fish_seen_subcommand_from {opening}");
            format!("{script}complete -c solekey -n \"{condition}\" -kxa \"(__fish_complete_suffix .age)\"\n")
        }
        _ => script,
    };
    script.into_bytes()
}

fn completions() -> BTreeMap<PathBuf, Vec<u8>> {
    let shells = [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell];
    let files = ["solekey.bash", "_solekey", "solekey.fish", "solekey.elv", "_solekey.ps1"];
    let generated = shells.into_iter().zip(files);
    generated.map(|(shell, file)| (Path::new("completions").join(file), completion(shell))).collect()
}

/// Asserts that a folder holds exactly the expected files. With `BLESS=1`, writes them first.
fn assert_folder_is(folder: &str, expected: &BTreeMap<PathBuf, Vec<u8>>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        for (path, content) in expected {
            fs::write(root.join(path), content).expect("the folder is writable");
        }
    }
    let entries = fs::read_dir(root.join(folder)).expect("the folder exists");
    let found: BTreeMap<_, _> = entries
        .map(|entry| {
            let path = entry.expect("the folder can be read").path();
            let content = fs::read(&path).expect("the file can be read");
            (path.strip_prefix(root).expect("it is in the project").to_owned(), content)
        })
        .collect();
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected), "files in {folder}");
    for (path, content) in expected {
        assert!(
            found[path] == *content,
            "{} is out of date: run BLESS=1 cargo test --test library generated",
            path.display()
        );
    }
}

#[test]
fn man_pages_are_up_to_date() {
    assert_folder_is("man", &man_pages());
}

#[test]
fn completions_are_up_to_date() {
    assert_folder_is("completions", &completions());
}
