//! Texts of the man pages that are not in the help, in roff. The generator breaks long lines of text.

pub(super) const DROP_IN: &str = "\
.PP
Defaults never add a recipient, and neither do the environment, a configuration file or a key. Section NO ESCROW lists the
rules and how to check each one.
.PP
Without
.IR FILE ,
commands read standard input and write standard output, in bounded memory. With files, encrypt writes
.IR FILE .age
beside each, and decrypt removes that ending. solekey processes many files in parallel and prints messages in the order of the
files. A file that fails does not stop the others. A file gets its final name only when it is complete and on disk.
.PP
Run as
.BR age ,
.BR age\\-keygen ,
.BR age\\-inspect ,
.B rage
or
.BR rage\\-keygen ,
through a link, or with that name as its first argument
.RB ( \"solekey age ...\" ),
solekey takes the place of that tool: it accepts its options, overwrites with
.B \\-o
(but only with complete files), uses its exit statuses, and starts error messages with that tool\\(aqs own.
";

pub(super) const ALIASES: &str = "\
.PP
Aliases:
.B e
for encrypt,
.B d
for decrypt,
.B t
(test) for verify.
";

pub(super) const DEFAULT_IDENTITIES: &str = "\
.TP
.B SOLEKEY_IDENTITY
Identity files to use without
.B \\-i
and
.BR \\-j ,
separated by colons (by semicolons on Windows). They only open files;
.B solekey encrypt
never reads this variable.
";

pub(super) const KEY_FOLDER: &str = "\
.TP
.B XDG_CONFIG_HOME
The configuration folder; the default identity file is in its subfolder
.IR solekey .
If not set, it is
.IR \\(ti/.config .
";

pub(super) const PATH: &str = "\
.TP
.B PATH
Folders to search for plugins. Relative folders are skipped.
";

pub(super) const COLORS: &str = "\
.TP
.BR NO_COLOR \", \" CLICOLOR \", \" CLICOLOR_FORCE \", \" TERM
Messages and help have colors on a terminal, unless NO_COLOR is set, CLICOLOR is 0, or TERM is dumb. CLICOLOR_FORCE turns
them on elsewhere too.
";

pub(super) const DEFAULT_FILE: &str = "\
.TP
.I \\(ti/.config/solekey/identity.txt
The default identity file, made by
.BR \"solekey keygen \\-\\-default\" ,
and used to open files if no identity is named and SOLEKEY_IDENTITY is not set.
";

pub(super) const TERMINAL: &str = "\
.TP
.I /dev/tty
The terminal. solekey asks for passphrases and PINs there, wherever standard input comes from.
";

pub(super) const EXIT_STATUS: &str = "\
.SH EXIT STATUS
.TP
0
Success.
.TP
1
Input/output or other failure.
.TP
2
Command-line usage error.
.TP
3
No identity matched, or the passphrase was wrong.
.TP
4
The file is not an age file, or is corrupted or truncated.
.TP
5
A question had to be asked but could not be.
.TP
6
Some of several files failed. If all of them failed with the same status, that status is used instead.
.TP
141
The output pipe was closed.
.TP
128 and above
A signal ended the program. Subtract 128 to get its number: 130 is an interrupt (Ctrl\\-C).
";

pub(super) const RECIPES: &str = "\
.SH EXAMPLES
Make a key; the public key is printed:
.PP
.RS
.nf
solekey keygen \\-o key.txt
.fi
.RE
.PP
Encrypt a file to a friend\\(aqs public key, or to several and to yourself.
.B \\-r
takes a public key and
.B \\-R
a file of them;
.B \\-i
of encrypt takes your own key file, which holds your public key too:
.PP
.RS
.nf
solekey encrypt \\-r age1... notes.txt
solekey encrypt \\-R friends.txt \\-i key.txt notes.txt
.fi
.RE
.PP
Decrypt it:
.PP
.RS
.nf
solekey decrypt \\-i key.txt notes.txt.age
.fi
.RE
.PP
Encrypt a file with a passphrase instead of keys, and decrypt it:
.PP
.RS
.nf
solekey encrypt \\-p notes.txt
solekey decrypt notes.txt.age
.fi
.RE
.PP
Encrypt a folder as one archive, and unpack it again:
.PP
.RS
.nf
tar c photos | solekey encrypt \\-R friends.txt \\-o photos.tar.age
solekey decrypt \\-i key.txt \\-c photos.tar.age | tar x
.fi
.RE
.PP
Compress first; encrypted data does not compress:
.PP
.RS
.nf
zstd \\-c disk.img | solekey encrypt \\-R friends.txt > disk.img.zst.age
.fi
.RE
.PP
Encrypt a database dump, or any other stream. Without pipefail, a dump that fails halfway looks like a success, because the status
of a pipeline is that of its last command:
.PP
.RS
.nf
set \\-o pipefail
pg_dump app | solekey encrypt \\-R friends.txt \\-o app.sql.age
createdb restored
solekey decrypt \\-i key.txt \\-c app.sql.age | psql \\-q \\-v ON_ERROR_STOP=1 restored
.fi
.RE
.PP
Encrypt on a host that has only public keys, and so cannot open its own backups. The key stays on this machine:
.PP
.RS
.nf
tar c /etc | ssh vault \\(aqsolekey encrypt \\-R keys.txt \\-o etc.tar.age\\(aq
ssh vault cat etc.tar.age | solekey decrypt \\-i key.txt | tar t
.fi
.RE
.PP
Send a file to a host without solekey:
.PP
.RS
.nf
solekey encrypt \\-R friends.txt notes.txt
echo put notes.txt.age | sftp \\-q \\-b \\- vault > /dev/null
.fi
.RE
.PP
Split the output into pieces of 4 GiB, or send it to an object store:
.PP
.RS
.nf
solekey encrypt \\-R friends.txt \\-o \\- disk.img | split \\-b 4G \\- disk.age.
cat disk.age.* | solekey decrypt \\-i key.txt \\-o disk.img
solekey encrypt \\-R friends.txt \\-o \\- disk.img | aws s3 cp \\- s3://bucket/disk.img.age
.fi
.RE
.PP
Send a file to any store that rclone supports, without a temporary file:
.PP
.RS
.nf
solekey encrypt \\-R friends.txt \\-o \\- disk.img | rclone rcat store:disk.img.age
rclone cat store:disk.img.age | solekey decrypt \\-i key.txt \\-o copy.img
.fi
.RE
.PP
Decrypt part of a file in such a store, without fetching all of it:
.PP
.RS
.nf
rclone mount \\-\\-read\\-only \\-\\-daemon store: /mnt/store
solekey decrypt \\-i key.txt \\-c \\-\\-range 2M:64K /mnt/store/disk.img.age > part
.fi
.RE
.PP
Encrypt a folder, file by file; then check all of it, and give it new recipients:
.PP
.RS
.nf
solekey encrypt \\-R friends.txt \\-\\-recursive \\-O /backup photos
solekey verify \\-q \\-i key.txt \\-\\-recursive /backup
solekey rekey \\-i key.txt \\-R new\\-friends.txt \\-\\-recursive /backup
.fi
.RE
.PP
Make the same backup every day, on a host that has only public keys. solekey skips a file if its output has the expected size and
exactly the file\\(aqs modification time, and opens neither. Skipped files keep their recipients: the second line lists them, and
.B rekey
changes them. If the number of recipients changes, so does the expected size, and every file is encrypted again. Files deleted from
the folder stay in the backup. On a file system with coarser times, such as FAT, every file is encrypted again. The third line
restores the files to /restored/photos, except those that are newer there:
.PP
.RS
.nf
solekey encrypt \\-R friends.txt \\-\\-recursive \\-\\-update \\-O /backup photos
solekey inspect \\-\\-recursive /backup
solekey decrypt \\-i key.txt \\-\\-recursive \\-\\-update \\-O /restored /backup/photos
.fi
.RE
.PP
Decrypt a gibibyte from the middle of a backup, without reading the rest:
.PP
.RS
.nf
solekey decrypt \\-i key.txt \\-c \\-\\-range 40G:1G disk.img.age > part
.fi
.RE
.PP
Use several processes at once, or several machines that share a file system:
.PP
.RS
.nf
find tree \\-type f \\-print0 | xargs \\-0 \\-n 100 \\-P 4 solekey encrypt \\-R friends.txt
.fi
.RE
.PP
Use two other machines with GNU parallel, which sends each file there and fetches the result:
.PP
.RS
.nf
find photos \\-type f | parallel \\-S one,two \\-\\-basefile friends.txt \\-\\-transferfile {} \\e
  \\-\\-return {}.age \\-\\-cleanup solekey encrypt \\-R friends.txt {}
.fi
.RE
.PP
Keep encrypted files in Git, with diffs that you can read. Git runs this only in repositories where you configure it:
.PP
.RS
.nf
echo \\(aq*.age diff=solekey\\(aq >> .gitattributes
git config diff.solekey.textconv \\(aqsolekey decrypt \\-i ~/key.txt \\-c\\(aq
git diff HEAD~ notes.txt.age
.fi
.RE
.PP
Sign a receipt with an SSH key, so that others can check who encrypted what to whom. Each line of signers.txt holds a name and a
public key:
.PP
.RS
.nf
solekey encrypt \\-R friends.txt \\-\\-receipt photos.json photos.tar
ssh\\-keygen \\-q \\-Y sign \\-f ~/.ssh/id_ed25519 \\-n receipt photos.json
ssh\\-keygen \\-Y verify \\-f signers.txt \\-I alice@example.org \\-n receipt \\-s photos.json.sig < photos.json
.fi
.RE
.PP
See what would be replaced or deleted:
.PP
.RS
.nf
solekey encrypt \\-R friends.txt \\-\\-recursive \\-\\-rm \\-\\-dry\\-run photos
.fi
.RE
.PP
Give everything new recipients after somebody has left. If this is interrupted, run it again with both identities: it skips files
that only the new one can open. The last line lists the files that the old key still opens:
.PP
.RS
.nf
solekey rekey \\-i new.txt \\-i old.txt \\-R new\\-friends.txt \\-\\-recursive /backup
solekey inspect \\-\\-recursive \\-i old.txt /backup
.fi
.RE
.PP
Print a key on paper, and read it back. The sheet holds the secret key, so print it where nobody else can read it:
.PP
.RS
.nf
solekey paper \\-\\-svg key.svg key.txt | lp
solekey paper \\-\\-read \\-\\-kind x25519 \\-o key.txt
.fi
.RE
.PP
Recover the intact parts of a damaged backup, and list the lost ranges:
.PP
.RS
.nf
solekey salvage \\-i key.txt \\-o disk.img disk.img.age > lost.json
.fi
.RE
";

pub(super) const JSON: &str = "\
.SH JSON
With
.BR \\-\\-json ,
solekey prints one object per line on standard output, one for each file, in the order of the files. For encrypt, decrypt, rekey
and verify, an error in a file\\(aqs object is not repeated on standard error. An error that ends the run before its first file
appears both in an object and on standard error. Bytes in names that are not UTF\\-8 are written as
\\exff. Later versions may add fields; those listed here keep their meaning. Every object has:
.TP
.B file
The input. Missing for standard input with inspect; null or missing if the run failed before its first file.
.TP
.B ok
True if nothing failed.
.TP
.BR status \", \" error \", \" hints
Only after a failure: the exit status that this file alone would give, what happened, and what to do, if known.
.PP
In addition:
.TP
encrypt, decrypt
.BR result :
encrypted, decrypted, unchanged (\\-\\-update), existed (\\-\\-skip\\-existing) or planned (\\-\\-dry\\-run); missing after a failure.
.BR output :
the name of the output.
.BR bytes :
the number of bytes of plaintext.
.BR replaces \", \" deletes :
with \\-\\-dry\\-run, whether a file would be replaced, and whether the input would be deleted.
.TP
rekey
.BR result :
rekeyed, unchanged (an earlier run did it) or planned; missing after a failure.
.BR stanza_types :
the types of the header\\(aqs stanzas.
.TP
verify
.BR chunks \", \" payload :
the number of chunks, and bytes of plaintext.
.BR chunk :
the first chunk that is not authentic, counted from 1.
.TP
inspect
.BR version \", \" armor \", \" postquantum \", \" stanza_types \", \" stanzas \", \" yours \", \" header_authenticated \", \" absent \", \" sizes .
The object is also printed, with ok false, if a file is truncated or no identity opens it.
.TP
salvage
Prints its object even without
.BR \\-\\-json .
.BR length \", \" recovered \", \" complete :
bytes of plaintext, and whether the end was found.
.BR lost :
the offset and length of each lost range of bytes. With
.BR \\-\\-json ,
a failure is also printed as an object.
";

pub(super) const NO_ESCROW: &str = "\
.SH NO ESCROW
Defaults may add to the files you can open, never to the people who can open a file. These are the rules, and how to check each
of them.
.TP
Recipients come only from the command line
They come from \\-r, \\-R, \\-\\-authorized\\-keys, \\-i, \\-j and \\-p of
.BR \"solekey encrypt\" ,
never from a configuration file, an environment variable or a compiled\\-in key. Even if default identities are set, encrypting
fails unless you name a recipient.
.TP
One stanza for each distinct recipient
Stanzas are in the order of the command line, without decoys. solekey counts them before it writes the first byte of payload.
.B sed \\-n \\(aq/\\(ha\\-\\-\\-/q; /\\(ha\\->/p\\(aq FILE.age
lists them.
.TP
Plugins run only when they are named
You must name them on the command line: a plugin key in a default identity file starts no plugin. A plugin sees the file key and
could write extra stanzas, so more than one stanza for a key is an error without
.BR \\-\\-allow\\-plugin\\-stanzas .
.B \\-\\-no\\-plugins
forbids all plugins. solekey looks for them in the absolute folders of PATH, and one process serves all files of a run.
.TP
No network
.B strace \\-f \\-e trace=%network solekey ...
shows no calls.
.TP
Keys are not kept
There is no cache, no agent, no log and no core file. A failed run leaves no files behind. While the program runs,
.B grep core /proc/PID/limits
shows that core files are off.
.TP
You can inspect every file
.B solekey inspect
lists every stanza,
.B \\-\\-expect\\-recipients
fails if there are more or fewer than you expect, and
.B solekey encrypt \\-\\-receipt
records which recipient each stanza is for.
.TP
You can check the program
.B solekey \\-\\-version \\-\\-verbose
shows what it was built from, and
.B bench/reproduce.sh
in the sources builds it twice and compares the results.
.TP
Any age implementation can open the files
You can stop using solekey at any time:
.BR \"age \\-d \\-i key.txt FILE.age\" .
.PP
Some things solekey cannot promise. Nobody can tell from the file alone whom an X25519 or post\\-quantum stanza is for. Every
recipient has the file key, and can pass it on or write another payload under it. Decrypting a file does not tell you who
encrypted it. If you lose all identities, you lose the data; you can name a second recipient yourself, which is a visible choice.
Removing a recipient does not undo what they have already read.
";

pub(super) const CONFINEMENT: &str = "\
.SH CONFINEMENT
solekey gives up rights that it does not need. Before it reads a key, it closes its memory to other programs and gives up the
network. It gives up access to other files as soon as it can.
.TP
Memory
A crash writes no core file, and on Linux other programs of the same user cannot read solekey\\(aqs memory. Keys are overwritten
after use, on the stack too. During encryption or decryption, memory holds the payload key and anything the next file may
need: passphrases, and identities when decrypting. The system may swap out memory.
.TP
Network
On Linux, seccomp refuses all sockets except Unix sockets, and io_uring, which could create others. This cannot be undone, and
applies to plugins too. A plugin that needs the network fails with EPERM, a set\\-user\\-ID plugin runs without that right, and one
for another processor architecture does not run. With
.BR \\-\\-allow\\-plugin\\-network ,
solekey first starts a second process, which never gets a key and starts plugins with all the user\\(aqs rights. When solekey runs
in place of age, plugins always have these rights, as they do under age.
.TP
Files
On Linux, once encrypt, decrypt, verify, rekey or salvage has read the keys and opened its only input and its output, Landlock
keeps it from opening any other file; it can still give the output its name. A run with several inputs, or with
.BR \\-\\-rm ,
has more files to open, and is not confined this way.
.PP
If the system lacks any of this, solekey works without it, and
.B \\-v
says so.
";

pub(super) const PASSPHRASES: &str = "\
.SH PASSPHRASES
You type a passphrase on the terminal, which does not show it, or put it on the first line of the file or descriptor named with
.B \\-\\-passphrase\\-file
or
.BR \\-\\-passphrase\\-fd .
You type a new passphrase twice. If you press Enter instead, solekey generates and shows ten random words: 110 bits, more than
anybody can guess.
.PP
solekey warns you if you type a new passphrase that is easy to guess: one with fewer than 12 characters that count, or 16 if all
are digits. A character does not count if it repeats the one before, or is next to it in the alphabet, among the digits, or in a
row of letters on the keyboard. If the whole passphrase is one text repeated, that text counts only once. The rule is simple on
purpose: it uses no list of passwords, and a passphrase that passes may still be weak. solekey does not warn about a passphrase
from a file or a descriptor.
";

pub(super) const LIMITS: &str = "\
.SH LIMITS
solekey refuses anything beyond these limits with an error, so that a hostile file costs little. The length of a payload, the
number of files and the number of recipients have no limits other than these:
.TP
Header
16 MiB and 16,384 stanzas, each with at most 256 words and tried once for each key. Up to 1,024 bytes of white space before and
after armor.
.TP
Passphrase of a file, or of a protected key file
scrypt with a work factor of 22, which takes 4 GiB of memory;
.B \\-\\-max\\-work\\-factor
changes it for files. Work factors are base\\-2 logarithms. New files use 18.
.TP
Passphrase of an SSH key
4,096 rounds of bcrypt, 10,000,000 iterations of PBKDF2, or 1 GiB of memory for scrypt.
.TP
SSH keys
RSA keys have 2,048 to 16,384 bits. A private key file has at most 16 KiB.
.TP
Key files and recipients files
16 MiB, and 8 KiB per line.
.TP
Passphrases
4,096 bytes. The words for
.B paper \\-\\-read
may have 4,096 bytes in total.
.TP
Lists of files
64 KiB per name, and 1,000,000 empty names in a row. A list can have any length.
.TP
Plugins
1 MiB per message, and 1,024 words of metadata.
.TP
Terminal
64 MiB of typed or pasted text.
.TP
Threads
1,024, each with buffers of 2 MiB. A larger number means 1,024.
";
