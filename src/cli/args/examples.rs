//! Examples in the help and the manual: what each one does, and its command line.

use clap::builder::StyledStr;

use crate::cli::args::layout::STYLES;

/// One example: a sentence, and command lines of at most 76 columns that need no more explanation.
type Example = (&'static str, &'static str);

const PROGRAM: &[Example] = &[
    ("Make a key; the public key is printed:", "solekey keygen -o key.txt"),
    ("Encrypt to a friend's public key, into notes.txt.age:", "solekey encrypt -r age1... notes.txt"),
    ("Decrypt it again, into notes.txt:", "solekey decrypt -i key.txt notes.txt.age"),
    (
        "Encrypt a folder as one archive, and unpack it:",
        "tar c photos | solekey encrypt -R friends.txt -o photos.tar.age\n\
         solekey decrypt -i key.txt < photos.tar.age | tar x",
    ),
    (
        "Back up a folder; the next day, only new and changed files:",
        "solekey encrypt -R friends.txt --recursive --update -O backup photos",
    ),
];

const ENCRYPT: &[Example] = &[
    ("To a public key, into notes.txt.age:", "solekey encrypt -r age1... notes.txt"),
    ("To everybody in a file of public keys, and to yourself:", "solekey encrypt -R friends.txt -i key.txt notes.txt"),
    ("To the SSH keys of a user on GitHub:", "curl -s https://github.com/NAME.keys | solekey encrypt -R - notes.txt"),
    ("With a passphrase, as text to paste into an email:", "solekey encrypt -p -a -c notes.txt"),
    ("A stream:", "tar c photos | solekey encrypt -R friends.txt -o photos.tar.age"),
    (
        "A folder, file by file; the next time, only new and changed files:",
        "solekey encrypt -R friends.txt --recursive --update -O backup photos",
    ),
];

const DECRYPT: &[Example] = &[
    ("With the key in key.txt, into notes.txt:", "solekey decrypt -i key.txt notes.txt.age"),
    ("With an SSH key, to the screen:", "solekey decrypt -i ~/.ssh/id_ed25519 -c notes.txt.age"),
    ("A stream:", "solekey decrypt -i key.txt < photos.tar.age | tar x"),
    (
        "A backup of the folder photos, into restored/photos:",
        "solekey decrypt -i key.txt --recursive -O restored backup/photos",
    ),
    ("A gibibyte from the middle of a large file:", "solekey decrypt -i key.txt --range 40G:1G -o part disk.img.age"),
];

const KEYGEN: &[Example] = &[
    ("Make a key; the public key is printed:", "solekey keygen -o key.txt"),
    ("Print the public key again:", "solekey keygen -y key.txt"),
    ("Make a post-quantum key; the public key is also in pq.txt.pub:", "solekey keygen --pq -o pq.txt"),
    ("Make the key that decrypt uses by default, with a passphrase:", "solekey keygen --default -p"),
    ("Put a passphrase on an existing key:", "solekey keygen --protect key.txt"),
];

const INSPECT: &[Example] = &[
    ("List who can open a file:", "solekey inspect notes.txt.age"),
    ("Which stanza is mine?", "solekey inspect -i key.txt notes.txt.age"),
    ("Is the file for me, and for nobody else?", "solekey inspect -i key.txt --expect-recipients 1 notes.txt.age"),
    (
        "Is it for this SSH key, and for nobody else? (An age1... key takes -i.)",
        "solekey inspect -R ~/.ssh/id_ed25519.pub --expect-recipients 1 notes.txt.age",
    ),
    ("What types of keys open the files of a backup?", "solekey inspect --recursive backup"),
    ("Which files does an old key still open?", "solekey inspect --recursive -i old.txt backup"),
];

const VERIFY: &[Example] = &[
    ("Check one file:", "solekey verify -i key.txt notes.txt.age"),
    ("Check a backup; print failures only:", "solekey verify -q -i key.txt --recursive backup"),
];

const REKEY: &[Example] = &[
    ("Give files a new set of recipients; nobody else keeps access:", "solekey rekey -i key.txt -R team.txt *.age"),
    (
        "The same for a backup, after checking which files would change:",
        "solekey rekey -i key.txt -R team.txt --recursive --dry-run backup\n\
         solekey rekey -i key.txt -R team.txt --recursive backup",
    ),
    (
        "Add a recipient, without naming the others; the file key stays the same:",
        "solekey rekey --add --header-only -i key.txt -r age1... notes.txt.age",
    ),
    (
        "Remove an SSH key from files that only it and key.txt open:",
        "solekey rekey --remove -i key.txt -R ~/.ssh/id_ed25519.pub *.age",
    ),
];

const SALVAGE: &[Example] = &[
    ("How much could be recovered?", "solekey salvage --dry-run -i key.txt -o disk.img disk.img.age"),
    (
        "Recover it, and keep a list of the lost ranges:",
        "solekey salvage -i key.txt -o disk.img disk.img.age > lost.json",
    ),
];

const PAPER: &[Example] = &[
    ("Print a key on paper:", "solekey paper key.txt | lp"),
    ("Read it back from the words on the sheet:", "solekey paper --read --kind x25519 -o key.txt"),
];

const COMPLETIONS: &[Example] = &[
    ("In the current bash:", "source <(solekey completions bash)"),
    ("In every new bash:", "echo 'source <(solekey completions bash)' >> ~/.bashrc"),
    ("In fish:", "solekey completions fish > ~/.config/fish/completions/solekey.fish"),
    ("In zsh, if ~/.zfunc is in $fpath:", "solekey completions zsh > ~/.zfunc/_solekey"),
];

/// The examples of a command, or of the program.
fn of(command: &str) -> &'static [Example] {
    match command {
        "encrypt" => ENCRYPT,
        "decrypt" => DECRYPT,
        "keygen" => KEYGEN,
        "inspect" => INSPECT,
        "verify" => VERIFY,
        "rekey" => REKEY,
        "salvage" => SALVAGE,
        "paper" => PAPER,
        "completions" => COMPLETIONS,
        _ => PROGRAM,
    }
}

/// Formats the examples of a command, or of the program, as the end of its help.
pub(super) fn text(command: &str) -> StyledStr {
    let styles = STYLES;
    let (heading, literal) = (styles.get_header(), styles.get_literal());
    let mut text = format!("{heading}Examples:{heading:#}\n");
    for (does, lines) in of(command) {
        text += &format!("  {does}\n");
        for line in lines.lines() {
            text += &format!("    {literal}{line}{literal:#}\n");
        }
    }
    StyledStr::from(text.trim_end().to_owned())
}
