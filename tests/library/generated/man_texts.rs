//! What the man pages say that the help does not, in roff. Lines of text are broken where the pages are made.

pub(super) const DROP_IN: &str = "\
.PP
Defaults never add a recipient: neither the environment nor a configuration file nor a key does. Section NO ESCROW lists the
rules and how to check each.
.PP
Without
.IR FILE ,
commands read standard input and write standard output, in bounded memory. With files, encrypt writes
.IR FILE .age
beside each, and decrypt removes that ending. Many files are worked on in parallel; messages come in the order of the files, and
one that fails stops no other. A file appears under its final name only when it is whole and on the disk.
.PP
Called
.BR age ,
.BR age\\-keygen ,
.BR age\\-inspect ,
.B rage
or
.BR rage\\-keygen ,
through a link, or with that name as its first word
.RB ( \"solekey age ...\" ),
solekey stands in for that tool: it takes the options of that tool, overwrites with
.B \\-o
(but only with whole files), exits with its statuses, and begins error messages with that tool\\(aqs own.
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
The folder that has the folder solekey with the default identity file. It is
.I \\(ti/.config
if this is not set.
";

pub(super) const PATH: &str = "\
.TP
.B PATH
Where plugins are looked for; relative folders are skipped.
";

pub(super) const COLORS: &str = "\
.TP
.BR NO_COLOR \", \" CLICOLOR \", \" CLICOLOR_FORCE \", \" TERM
Messages and help have colors on a terminal, unless NO_COLOR is set, CLICOLOR is 0, or TERM is dumb. CLICOLOR_FORCE asks for them
elsewhere too.
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
The terminal, where passphrases and PINs are asked for, wherever standard input comes from.
";

pub(super) const EXIT_STATUS: &str = "\
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
The program was ended by a signal, which has the number above 128: 130 is an interrupt (Ctrl\\-C).
";

pub(super) const RECIPES: &str = "\
.SH EXAMPLES
A folder as one archive, there and back:
.PP
.nf
tar c photos | solekey encrypt \\-R friends.txt \\-o photos.tar.age
solekey decrypt \\-i key.txt \\-c photos.tar.age | tar x
.fi
.PP
Compress first; encrypted data does not compress:
.PP
.nf
zstd \\-c disk.img | solekey encrypt \\-R friends.txt > disk.img.zst.age
.fi
.PP
A database dump, or any other stream. Without pipefail, a dump that fails halfway looks like a success, since the status of a
pipeline is that of its last command:
.PP
.nf
set \\-o pipefail
pg_dump app | solekey encrypt \\-R friends.txt \\-o app.sql.age
createdb restored
solekey decrypt \\-i key.txt \\-c app.sql.age | psql \\-q \\-v ON_ERROR_STOP=1 restored
.fi
.PP
On a host that has only public keys, and so cannot open its own backups. The key stays here:
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
In pieces of 4 GiB, and to an object store:
.PP
.nf
solekey encrypt \\-R friends.txt \\-o \\- disk.img | split \\-b 4G \\- disk.age.
cat disk.age.* | solekey decrypt \\-i key.txt \\-o disk.img
solekey encrypt \\-R friends.txt \\-o \\- disk.img | aws s3 cp \\- s3://bucket/disk.img.age
.fi
.PP
With rclone, to any store that it supports, without a temporary file:
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
A folder, file by file; then check all of it, and give it new recipients:
.PP
.nf
solekey encrypt \\-R friends.txt \\-\\-recursive \\-O /backup photos
solekey verify \\-q \\-i key.txt \\-\\-recursive /backup
solekey rekey \\-i key.txt \\-R new\\-friends.txt \\-\\-recursive /backup
.fi
.PP
The same backup every day, on a host that has only public keys. A file is skipped if its output has the expected size and exactly
the file\\(aqs modification time; neither is opened. Skipped files keep their recipients: the second line lists them, and
.B rekey
changes them. Files deleted from the folder stay in the backup. On a file system with coarser times, such as FAT, every file is
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
Several processes at once, or several machines that share a file system:
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
See what would be replaced or deleted:
.PP
.nf
solekey encrypt \\-R friends.txt \\-\\-recursive \\-\\-rm \\-\\-dry\\-run photos
.fi
.PP
After somebody has left, new recipients for everything. If this is interrupted, run it again with both identities: files that
only the new one can open are skipped. The last line lists the files that the old key still opens:
.PP
.nf
solekey rekey \\-i new.txt \\-i old.txt \\-R new\\-friends.txt \\-\\-recursive /backup
solekey inspect \\-\\-recursive \\-i old.txt /backup
.fi
.PP
A key on paper, and back. The sheet holds the secret key: print it where nobody else can read it:
.PP
.nf
solekey paper \\-\\-svg key.svg key.txt | lp
solekey paper \\-\\-read \\-\\-kind x25519 \\-o key.txt
.fi
.PP
Recover what is left of a damaged backup, and list the missing bytes:
.PP
.nf
solekey salvage \\-i key.txt \\-o disk.img disk.img.age > lost.json
.fi
";

pub(super) const JSON: &str = "\
.SH JSON
With
.BR \\-\\-json ,
standard output gets one object per line, one for each file, in the order of the files. An error in the object of a file of
encrypt, decrypt, rekey or verify is not printed on standard error too; one that ends the run before its first file is both in an
object and on standard error. Bytes in names that are not UTF\\-8 are written as
\\exff. Later versions may add fields; those listed here keep their meaning. Every object has:
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
rekeyed, unchanged (an earlier run did it) or planned; missing after a failure.
.BR stanza_types :
those of the header.
.TP
verify
.BR chunks \", \" payload :
the number of chunks, and bytes of plaintext.
.BR chunk :
the first chunk that is not authentic, counted from 1.
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

pub(super) const NO_ESCROW: &str = "\
.SH NO ESCROW
Defaults may widen what you can open, never who can open. These are the rules, and how to check each of them.
.TP
Recipients come from this command line alone
From \\-r, \\-R, \\-\\-authorized\\-keys, \\-i, \\-j and \\-p of
.BR \"solekey encrypt\" :
from no configuration file, no environment variable and no compiled\\-in key. Even if default identities are set, encrypting
fails unless somebody is named.
.TP
One stanza for each distinct recipient
In the order of the command line; no decoys. They are counted before the first byte of payload is written.
.B sed \\-n \\(aq/\\(ha\\-\\-\\-/q; /\\(ha\\->/p\\(aq FILE.age
lists them.
.TP
Plugins run only when they are named
They must be named on the command line: a plugin key in a default identity file starts none. A plugin sees the file key, and could
write extra stanzas: more than one for a key is an error, unless it has
.BR \\-\\-allow\\-plugin\\-stanzas .
.B \\-\\-no\\-plugins
forbids them all. They are looked for in the absolute folders of PATH, and one process serves all files of a run.
.TP
No network
.B strace \\-f \\-e trace=%network solekey ...
shows no call.
.TP
Nothing keeps keys
No cache, no agent, no log, no core file; a failed run leaves no files. While the program runs,
.B grep core /proc/PID/limits
shows that core files are off.
.TP
Every file can be inspected
.B solekey inspect
lists every stanza,
.B \\-\\-expect\\-recipients
fails if there are more or fewer, and
.B solekey encrypt \\-\\-receipt
records which recipient each stanza is for.
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

pub(super) const CONFINEMENT: &str = "\
.SH CONFINEMENT
The program gives up rights that it does not need: readable memory and the network before it reads a key, other files as soon as
it can.
.TP
Memory
A crash writes no core file, and on Linux other programs of the same user cannot read its memory. Keys are overwritten after use, on the stack too. While a payload is encrypted or decrypted, memory
holds its key, and what the next file may need: passphrases, and identities when decrypting. Memory can be swapped out.
.TP
Network
On Linux, seccomp refuses all sockets except Unix sockets, and io_uring, which could create others. This cannot be undone, and
applies to plugins: one that needs the network fails with EPERM, a set\\-user\\-ID plugin runs without that right, and one for
another processor architecture does not run. With
.BR \\-\\-allow\\-plugin\\-network ,
a second process, which never gets a key, is started first, and starts plugins with all rights of the user. Where solekey stands
in for age, plugins always have these rights, as they do under age.
.TP
Files
On Linux, once encrypt, decrypt, verify, rekey or salvage has read the keys and opened its only input and its output, Landlock
keeps it from opening any other file; all it can do is give the output its name. A run with several inputs, or with
.BR \\-\\-rm ,
has more files to open, and is not confined this way.
.PP
Where the system lacks any of this, the program works without it, and
.B \\-v
says so.
";

pub(super) const PASSPHRASES: &str = "\
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
passwords, and a passphrase that passes may still be weak. There is no warning about a passphrase from a file or a descriptor.
";

pub(super) const LIMITS: &str = "\
.SH LIMITS
Anything larger is refused with an error, so that a hostile file costs little. The length of a payload and the numbers of files and
of recipients have no other limits than these:
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
