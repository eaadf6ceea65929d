# Prints the names whose end matches a pattern, and folders; all names if there are none of these names.
function __solekey_names
    set -l all (complete -C "'' "(commandline -ct) | string replace -r '\t.*' '')
    set -l fit (string match -r -- ".*$argv[1]\$" $all)
    if set -q fit[1]
        set all $fit (string match -r -- '.*/$' $all)
    end
    # With a tab after it, a name does not get the description of the option.
    set -q all[1]; and printf '%s\t\n' $all
end

# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_solekey_global_optspecs
    string join \n q/quiet v/verbose progress= V/version h/help
end

function __fish_solekey_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_solekey_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_solekey_using_subcommand
    set -l cmd (__fish_solekey_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c solekey -n "__fish_solekey_needs_command" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_needs_command" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_needs_command" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_needs_command" -s V -l version -d 'Print the version; with -v, also what it was built from'
complete -c solekey -n "__fish_solekey_needs_command" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "encrypt" -d 'Encrypt files or a stream to recipients'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "e" -d 'Encrypt files or a stream to recipients'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "decrypt" -d 'Decrypt files or a stream with identities'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "d" -d 'Decrypt files or a stream with identities'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "keygen" -d 'Make a key file, or print its public key'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "inspect" -d 'List who can open a file, as far as its header shows'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "verify" -d 'Check that files are intact'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "t" -d 'Check that files are intact'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "rekey" -d 'Change who can open files'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "salvage" -d 'Recover the intact parts of a damaged file'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "paper" -d 'Print a key as words and a QR code, or read it back'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "completions" -d 'Print the completion script for a shell'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "help" -d 'Print the help of COMMAND'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "age" -d 'Stand in for age'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "rage" -d 'Stand in for rage'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "age-keygen" -d 'Stand in for age-keygen'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "rage-keygen" -d 'Stand in for rage-keygen'
complete -c solekey -n "__fish_solekey_needs_command" -f -a "age-inspect" -d 'Stand in for age-inspect'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s r -l recipient -d 'Encrypt to the public key KEY: age1..., age1pq1..., ssh-ed25519 ..., ssh-rsa ..., or a plugin\'s' -r -f
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s R -l recipients-file -d 'Encrypt to the public keys in FILE, one per line' -r -f -a "(__solekey_names '(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)')"
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l authorized-keys -d 'Like -R, but skip SSH keys of types that cannot be encrypted to, with a warning' -r -f -a "(__solekey_names '(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)')"
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s i -l identity -d 'Encrypt to the public keys of the identities in FILE, your own key file for example' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s j -l plugin -d 'Encrypt with the plugin age-plugin-NAME, which needs no key' -r -f
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l expect-recipients -d 'Fail, before anything is written, unless the header has exactly N stanzas' -r
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s o -l output -d 'Write to FILE, or to standard output if FILE is \'-\'; write through links, devices and pipes; for one input only' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s O -l output-dir -d 'Write outputs to the folder DIR, created if missing; with --recursive, they keep their folders below it' -r -f -a "(__fish_complete_directories)"
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l receipt -d 'Record in FILE which recipient each stanza is for, and the SHA-256 of the output' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l files-from -d 'Process the files that LIST names, one per line; \'-\' for standard input' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s T -l threads -d 'Use N threads, at most 1024; by default, or if N is 0, one for each core' -r
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s p -l passphrase -d 'Ask for a passphrase and encrypt with it; an empty answer generates one'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s a -l armor -d 'Write ASCII armor, text that can be mailed and pasted'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s c -l stdout -d 'Write to standard output; for one input only'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s f -l force -d 'Overwrite existing output files, but never an input of the same run'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l update -d 'Skip an input if its output exists with the expected size and the input\'s modification time; replace other outputs'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l skip-existing -d 'Skip an input if its output exists, whatever it contains'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l no-preserve -d 'Create outputs with the default mode (see umask) and the current time instead of those of their inputs'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l dry-run -d 'Write and delete nothing; print what would be written and deleted'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l check -d 'Sync each output, read it back and authenticate it before it gets its name'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s 0 -l null -d 'Expect a zero byte after each name in LIST, as \'find -print0\' writes it'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s k -l keep -d 'Keep the input files (the default; accepted for compatibility with gzip)'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l recursive -d 'Encrypt every file in the named folders and below; skip .age files, links and devices'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l rm -d 'Delete each input once its output is written, synced, read back and verified, and the input has been read again; keep it if it has changed'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l no-plugins -d 'Fail instead of running a plugin'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l allow-plugin-network -d 'Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself still cannot'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l allow-plugin-stanzas -d 'Let a plugin write any number of stanzas for a key, not just one; each can open the file'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -l json -d 'Print one JSON object for each file'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand encrypt" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand e" -s r -l recipient -d 'Encrypt to the public key KEY: age1..., age1pq1..., ssh-ed25519 ..., ssh-rsa ..., or a plugin\'s' -r -f
complete -c solekey -n "__fish_solekey_using_subcommand e" -s R -l recipients-file -d 'Encrypt to the public keys in FILE, one per line' -r -f -a "(__solekey_names '(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)')"
complete -c solekey -n "__fish_solekey_using_subcommand e" -l authorized-keys -d 'Like -R, but skip SSH keys of types that cannot be encrypted to, with a warning' -r -f -a "(__solekey_names '(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)')"
complete -c solekey -n "__fish_solekey_using_subcommand e" -s i -l identity -d 'Encrypt to the public keys of the identities in FILE, your own key file for example' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand e" -s j -l plugin -d 'Encrypt with the plugin age-plugin-NAME, which needs no key' -r -f
complete -c solekey -n "__fish_solekey_using_subcommand e" -l expect-recipients -d 'Fail, before anything is written, unless the header has exactly N stanzas' -r
complete -c solekey -n "__fish_solekey_using_subcommand e" -s o -l output -d 'Write to FILE, or to standard output if FILE is \'-\'; write through links, devices and pipes; for one input only' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand e" -s O -l output-dir -d 'Write outputs to the folder DIR, created if missing; with --recursive, they keep their folders below it' -r -f -a "(__fish_complete_directories)"
complete -c solekey -n "__fish_solekey_using_subcommand e" -l receipt -d 'Record in FILE which recipient each stanza is for, and the SHA-256 of the output' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand e" -l files-from -d 'Process the files that LIST names, one per line; \'-\' for standard input' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand e" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand e" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand e" -s T -l threads -d 'Use N threads, at most 1024; by default, or if N is 0, one for each core' -r
complete -c solekey -n "__fish_solekey_using_subcommand e" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand e" -s p -l passphrase -d 'Ask for a passphrase and encrypt with it; an empty answer generates one'
complete -c solekey -n "__fish_solekey_using_subcommand e" -s a -l armor -d 'Write ASCII armor, text that can be mailed and pasted'
complete -c solekey -n "__fish_solekey_using_subcommand e" -s c -l stdout -d 'Write to standard output; for one input only'
complete -c solekey -n "__fish_solekey_using_subcommand e" -s f -l force -d 'Overwrite existing output files, but never an input of the same run'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l update -d 'Skip an input if its output exists with the expected size and the input\'s modification time; replace other outputs'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l skip-existing -d 'Skip an input if its output exists, whatever it contains'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l no-preserve -d 'Create outputs with the default mode (see umask) and the current time instead of those of their inputs'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l dry-run -d 'Write and delete nothing; print what would be written and deleted'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l check -d 'Sync each output, read it back and authenticate it before it gets its name'
complete -c solekey -n "__fish_solekey_using_subcommand e" -s 0 -l null -d 'Expect a zero byte after each name in LIST, as \'find -print0\' writes it'
complete -c solekey -n "__fish_solekey_using_subcommand e" -s k -l keep -d 'Keep the input files (the default; accepted for compatibility with gzip)'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l recursive -d 'Encrypt every file in the named folders and below; skip .age files, links and devices'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l rm -d 'Delete each input once its output is written, synced, read back and verified, and the input has been read again; keep it if it has changed'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l no-plugins -d 'Fail instead of running a plugin'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l allow-plugin-network -d 'Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself still cannot'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l allow-plugin-stanzas -d 'Let a plugin write any number of stanzas for a key, not just one; each can open the file'
complete -c solekey -n "__fish_solekey_using_subcommand e" -l json -d 'Print one JSON object for each file'
complete -c solekey -n "__fish_solekey_using_subcommand e" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand e" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand e" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s i -l identity -d 'Use the identities in FILE: an identity file, which may be protected by a passphrase, or an SSH private key' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s j -l plugin -d 'Use the plugin age-plugin-NAME without an identity' -r
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l max-work-factor -d 'Reject files with a scrypt work factor above N' -r
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s o -l output -d 'Write to FILE, or to standard output if FILE is \'-\'; write through links, devices and pipes; for one input only' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s O -l output-dir -d 'Write outputs to the folder DIR, created if missing; with --recursive, they keep their folders below it' -r -f -a "(__fish_complete_directories)"
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l range -d 'Write only LENGTH bytes, starting at OFFSET' -r
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l files-from -d 'Process the files that LIST names, one per line; \'-\' for standard input' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s T -l threads -d 'Use N threads, at most 1024; by default, or if N is 0, one for each core' -r
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l no-default-identity -d 'Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l identities-only -d 'Reject files encrypted with a passphrase instead of asking for it'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s c -l stdout -d 'Write to standard output, one file after another'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s f -l force -d 'Overwrite existing output files, but never an input of the same run'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l update -d 'Skip an input if its output exists with the expected size and the input\'s modification time; replace other outputs, but none that is newer than its input'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l skip-existing -d 'Skip an input if its output exists, whatever it contains'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l no-preserve -d 'Create outputs with the default mode (see umask) and the current time instead of those of their inputs'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l dry-run -d 'Write and delete nothing; print what would be written and deleted'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l verify-first -d 'Authenticate all of a file before writing any of it; this reads the file twice'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l sparse -d 'Leave holes in the output for blocks of zeros'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l recursive -d 'Decrypt every .age file in the named folders and below; skip links and devices'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s 0 -l null -d 'Expect a zero byte after each name in LIST, as \'find -print0\' writes it'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l rm -d 'Delete each input once its output is written, synced, read back and verified'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s k -l keep -d 'Keep the input files (the default; accepted for compatibility with gzip)'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l no-plugins -d 'Fail instead of running a plugin'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l allow-plugin-network -d 'Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself still cannot'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -l json -d 'Print one JSON object for each file'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand decrypt" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand d" -s i -l identity -d 'Use the identities in FILE: an identity file, which may be protected by a passphrase, or an SSH private key' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand d" -s j -l plugin -d 'Use the plugin age-plugin-NAME without an identity' -r
complete -c solekey -n "__fish_solekey_using_subcommand d" -l max-work-factor -d 'Reject files with a scrypt work factor above N' -r
complete -c solekey -n "__fish_solekey_using_subcommand d" -s o -l output -d 'Write to FILE, or to standard output if FILE is \'-\'; write through links, devices and pipes; for one input only' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand d" -s O -l output-dir -d 'Write outputs to the folder DIR, created if missing; with --recursive, they keep their folders below it' -r -f -a "(__fish_complete_directories)"
complete -c solekey -n "__fish_solekey_using_subcommand d" -l range -d 'Write only LENGTH bytes, starting at OFFSET' -r
complete -c solekey -n "__fish_solekey_using_subcommand d" -l files-from -d 'Process the files that LIST names, one per line; \'-\' for standard input' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand d" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand d" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand d" -s T -l threads -d 'Use N threads, at most 1024; by default, or if N is 0, one for each core' -r
complete -c solekey -n "__fish_solekey_using_subcommand d" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand d" -l no-default-identity -d 'Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l identities-only -d 'Reject files encrypted with a passphrase instead of asking for it'
complete -c solekey -n "__fish_solekey_using_subcommand d" -s c -l stdout -d 'Write to standard output, one file after another'
complete -c solekey -n "__fish_solekey_using_subcommand d" -s f -l force -d 'Overwrite existing output files, but never an input of the same run'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l update -d 'Skip an input if its output exists with the expected size and the input\'s modification time; replace other outputs, but none that is newer than its input'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l skip-existing -d 'Skip an input if its output exists, whatever it contains'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l no-preserve -d 'Create outputs with the default mode (see umask) and the current time instead of those of their inputs'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l dry-run -d 'Write and delete nothing; print what would be written and deleted'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l verify-first -d 'Authenticate all of a file before writing any of it; this reads the file twice'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l sparse -d 'Leave holes in the output for blocks of zeros'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l recursive -d 'Decrypt every .age file in the named folders and below; skip links and devices'
complete -c solekey -n "__fish_solekey_using_subcommand d" -s 0 -l null -d 'Expect a zero byte after each name in LIST, as \'find -print0\' writes it'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l rm -d 'Delete each input once its output is written, synced, read back and verified'
complete -c solekey -n "__fish_solekey_using_subcommand d" -s k -l keep -d 'Keep the input files (the default; accepted for compatibility with gzip)'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l no-plugins -d 'Fail instead of running a plugin'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l allow-plugin-network -d 'Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself still cannot'
complete -c solekey -n "__fish_solekey_using_subcommand d" -l json -d 'Print one JSON object for each file'
complete -c solekey -n "__fish_solekey_using_subcommand d" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand d" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand d" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l protect -d 'Protect the key file KEY with a new passphrase, or change its passphrase' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -s o -l output -d 'Write the key to FILE (mode 0600), and print its public key' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l new-passphrase-fd -d 'Read the new passphrase from the first line of file descriptor N; --passphrase-fd gives the old one' -r
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l new-passphrase-file -d 'Read the new passphrase from the first line of FILE; --passphrase-file gives the old one' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l dry-run -d 'Change nothing; check that KEY can be protected'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l pq -d 'Make a post-quantum key; with -o, its long public key is also written to FILE.pub'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -s p -l passphrase -d 'Ask for a passphrase and protect the key file with it; an empty answer generates one'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -s y -l to-public -d 'Print the public keys of the identities in INPUT'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l default -d 'Write the key to the default identity file, used to decrypt if you name no identity'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l announce -d 'Print the public key on standard error only, as age-keygen does'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand keygen" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -s r -l recipient -d 'Report which stanzas are for the public key KEY; X25519 and post-quantum stanzas do not tell' -r -f
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -s R -l recipients-file -d 'Report the same for the public keys in FILE, one per line' -r -f -a "(__solekey_names '(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)')"
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l expect-recipients -d 'Fail unless the header has exactly N stanzas' -r
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -s i -l identity -d 'Use the identities in FILE: an identity file, which may be protected by a passphrase, or an SSH private key' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -s j -l plugin -d 'Use the plugin age-plugin-NAME without an identity' -r
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l no-default-identity -d 'Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l recursive -d 'Inspect every .age file in the named folders and below, and print a line for each, with the types of its stanzas; skip links and devices'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l no-plugins -d 'Fail instead of running a plugin'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l allow-plugin-network -d 'Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself still cannot'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l json -d 'Print one JSON object for each file'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -l padded -d 'Also report the size of the payload as age-inspect does'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand inspect" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -s i -l identity -d 'Use the identities in FILE: an identity file, which may be protected by a passphrase, or an SSH private key' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand verify" -s j -l plugin -d 'Use the plugin age-plugin-NAME without an identity' -r
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l max-work-factor -d 'Reject files with a scrypt work factor above N' -r
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l files-from -d 'Process the files that LIST names, one per line; \'-\' for standard input' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand verify" -s T -l threads -d 'Use N threads, at most 1024; by default, or if N is 0, one for each core' -r
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l no-default-identity -d 'Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l identities-only -d 'Reject files encrypted with a passphrase instead of asking for it'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -s 0 -l null -d 'Expect a zero byte after each name in LIST, as \'find -print0\' writes it'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l recursive -d 'Verify every .age file in the named folders and below; skip links and devices'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l no-plugins -d 'Fail instead of running a plugin'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l allow-plugin-network -d 'Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself still cannot'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -l json -d 'Print one JSON object for each file'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand verify" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand t" -s i -l identity -d 'Use the identities in FILE: an identity file, which may be protected by a passphrase, or an SSH private key' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand t" -s j -l plugin -d 'Use the plugin age-plugin-NAME without an identity' -r
complete -c solekey -n "__fish_solekey_using_subcommand t" -l max-work-factor -d 'Reject files with a scrypt work factor above N' -r
complete -c solekey -n "__fish_solekey_using_subcommand t" -l files-from -d 'Process the files that LIST names, one per line; \'-\' for standard input' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand t" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand t" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand t" -s T -l threads -d 'Use N threads, at most 1024; by default, or if N is 0, one for each core' -r
complete -c solekey -n "__fish_solekey_using_subcommand t" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand t" -l no-default-identity -d 'Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder'
complete -c solekey -n "__fish_solekey_using_subcommand t" -l identities-only -d 'Reject files encrypted with a passphrase instead of asking for it'
complete -c solekey -n "__fish_solekey_using_subcommand t" -s 0 -l null -d 'Expect a zero byte after each name in LIST, as \'find -print0\' writes it'
complete -c solekey -n "__fish_solekey_using_subcommand t" -l recursive -d 'Verify every .age file in the named folders and below; skip links and devices'
complete -c solekey -n "__fish_solekey_using_subcommand t" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand t" -l no-plugins -d 'Fail instead of running a plugin'
complete -c solekey -n "__fish_solekey_using_subcommand t" -l allow-plugin-network -d 'Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself still cannot'
complete -c solekey -n "__fish_solekey_using_subcommand t" -l json -d 'Print one JSON object for each file'
complete -c solekey -n "__fish_solekey_using_subcommand t" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand t" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand t" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s r -l recipient -d 'Encrypt to the public key KEY: age1..., age1pq1..., ssh-ed25519 ..., ssh-rsa ..., or a plugin\'s' -r -f
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s R -l recipients-file -d 'Encrypt to the public keys in FILE, one per line' -r -f -a "(__solekey_names '(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)')"
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s i -l identity -d 'Use the identities in FILE: an identity file, which may be protected by a passphrase, or an SSH private key' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s j -l plugin -d 'Use the plugin age-plugin-NAME without an identity' -r
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l max-work-factor -d 'Reject files with a scrypt work factor above N' -r
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l files-from -d 'Process the files that LIST names, one per line; \'-\' for standard input' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l new-passphrase-fd -d 'Read the new passphrase from the first line of file descriptor N; --passphrase-fd gives the old one' -r
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l new-passphrase-file -d 'Read the new passphrase from the first line of FILE; --passphrase-file gives the old one' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s T -l threads -d 'Use N threads, at most 1024; by default, or if N is 0, one for each core' -r
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s p -l passphrase -d 'Ask for a new passphrase and set it; --passphrase-* gives the old one'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l add -d 'Add these recipients to those of each file; use --header-only unless your identities show who the others are'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l remove -d 'Remove these recipients from each file; for X25519 and post-quantum keys, also give their identities with -i'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l header-only -d 'Write only a new header: fast, but the file key stays the same, so anyone who has it can still decrypt'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l no-default-identity -d 'Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l identities-only -d 'Reject files encrypted with a passphrase instead of asking for it'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s f -l force -d 'Change files even if none of the given identities can open them afterwards'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l check -d 'Sync each new file, read it back and authenticate it before it replaces the old one'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l dry-run -d 'Change nothing; open every file, and print which would change'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s 0 -l null -d 'Expect a zero byte after each name in LIST, as \'find -print0\' writes it'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l recursive -d 'Change every .age file in the named folders and below; skip links and devices'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l no-plugins -d 'Fail instead of running a plugin'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l allow-plugin-network -d 'Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself still cannot'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l allow-plugin-stanzas -d 'Let a plugin write any number of stanzas for a key, not just one; each can open the file'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -l json -d 'Print one JSON object for each file'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand rekey" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -s i -l identity -d 'Use the identities in FILE: an identity file, which may be protected by a passphrase, or an SSH private key' -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -s j -l plugin -d 'Use the plugin age-plugin-NAME without an identity' -r
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l max-work-factor -d 'Reject files with a scrypt work factor above N' -r
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -s o -l output -d 'Write the recovered data to OUT' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -s T -l threads -d 'Use N threads, at most 1024; by default, or if N is 0, one for each core' -r
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l no-default-identity -d 'Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l identities-only -d 'Reject files encrypted with a passphrase instead of asking for it'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -s f -l force -d 'Overwrite an existing output file'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l dry-run -d 'Print what could be recovered, and write nothing'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l no-plugins -d 'Fail instead of running a plugin'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l allow-plugin-network -d 'Let plugins use the network, and devices they reach through network sockets, such as some security keys; solekey itself still cannot'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -l json -d 'Also print a JSON object for a failure'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand salvage" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand paper" -l kind -d 'The kind of the key, as on the sheet: x25519 for AGE-SECRET-KEY-1..., pq for AGE-SECRET-KEY-PQ-1...' -r -f -a "x25519\t'AGE-SECRET-KEY-1...'
pq\t'AGE-SECRET-KEY-PQ-1...'"
complete -c solekey -n "__fish_solekey_using_subcommand paper" -l svg -d 'Also write the QR code to FILE, as an SVG image for printing (mode 0600)' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand paper" -s o -l output -d 'Write the key to FILE (mode 0600), which must not exist' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand paper" -l passphrase-fd -d 'Read the passphrase from the first line of file descriptor N, a pipe or a file that nothing else reads' -r
complete -c solekey -n "__fish_solekey_using_subcommand paper" -l passphrase-file -d 'Read the passphrase from the first line of FILE' -r -F
complete -c solekey -n "__fish_solekey_using_subcommand paper" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand paper" -l read -d 'Read words, and write their key to the file named with -o'
complete -c solekey -n "__fish_solekey_using_subcommand paper" -l batch -d 'Never ask questions; fail with status 5 if an answer is needed'
complete -c solekey -n "__fish_solekey_using_subcommand paper" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand paper" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand paper" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand completions" -l progress -d 'Show a progress bar on standard error: auto (the default: on a terminal, for work longer than a second), always, or never' -r -f -a "auto\t'On a terminal, for work longer than a second'
always\t'Also when standard error is not a terminal'
never\t'Not at all'"
complete -c solekey -n "__fish_solekey_using_subcommand completions" -s v -l verbose -d 'Print more, such as each file processed and protections that the system lacks'
complete -c solekey -n "__fish_solekey_using_subcommand completions" -s q -l quiet -d 'Print errors only'
complete -c solekey -n "__fish_solekey_using_subcommand completions" -s h -l help -d 'Print help; -h is short, --help is long'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "encrypt" -d 'Encrypt files or a stream to recipients'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "decrypt" -d 'Decrypt files or a stream with identities'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "keygen" -d 'Make a key file, or print its public key'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "inspect" -d 'List who can open a file, as far as its header shows'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "verify" -d 'Check that files are intact'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "rekey" -d 'Change who can open files'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "salvage" -d 'Recover the intact parts of a damaged file'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "paper" -d 'Print a key as words and a QR code, or read it back'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "completions" -d 'Print the completion script for a shell'
complete -c solekey -n "__fish_solekey_using_subcommand help; and not __fish_seen_subcommand_from encrypt decrypt keygen inspect verify rekey salvage paper completions" -f -a "help" -d 'Print the help of COMMAND'
complete -c solekey -n "__fish_solekey_using_subcommand age" -s r -l recipient -r -f
complete -c solekey -n "__fish_solekey_using_subcommand age" -s R -l recipients-file -r -f -a "(__solekey_names '(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)')"
complete -c solekey -n "__fish_solekey_using_subcommand age" -s i -l identity -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand age" -s j -l plugin -r -f
complete -c solekey -n "__fish_solekey_using_subcommand age" -s o -l output -r -F
complete -c solekey -n "__fish_solekey_using_subcommand age" -s e -l encrypt
complete -c solekey -n "__fish_solekey_using_subcommand age" -s d -l decrypt
complete -c solekey -n "__fish_solekey_using_subcommand age" -s p -l passphrase
complete -c solekey -n "__fish_solekey_using_subcommand age" -s a -l armor
complete -c solekey -n "__fish_solekey_using_subcommand age" -l version
complete -c solekey -n "__fish_solekey_using_subcommand age" -s h -l help -d 'Print help'
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s r -l recipient -r -f
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s R -l recipients-file -r -f -a "(__solekey_names '(?:\.pub|\.txt|\.keys|authorized_keys[^/]*)')"
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s i -l identity -r -f -a "(__solekey_names '(?:\.txt|\.key|id_[^/]*[^b/])')"
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s j -l plugin -r -f
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s o -l output -r -F
complete -c solekey -n "__fish_solekey_using_subcommand rage" -l max-work-factor -r -f
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s e -l encrypt
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s d -l decrypt
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s p -l passphrase
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s a -l armor
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s V -l version
complete -c solekey -n "__fish_solekey_using_subcommand rage" -s h -l help -d 'Print help'
complete -c solekey -n "__fish_solekey_using_subcommand age-keygen" -s o -l output -r -F
complete -c solekey -n "__fish_solekey_using_subcommand age-keygen" -s y -l to-public
complete -c solekey -n "__fish_solekey_using_subcommand age-keygen" -l pq
complete -c solekey -n "__fish_solekey_using_subcommand age-keygen" -l version
complete -c solekey -n "__fish_solekey_using_subcommand age-keygen" -s h -l help -d 'Print help'
complete -c solekey -n "__fish_solekey_using_subcommand rage-keygen" -s o -l output -r -F
complete -c solekey -n "__fish_solekey_using_subcommand rage-keygen" -s y -l to-public
complete -c solekey -n "__fish_solekey_using_subcommand rage-keygen" -s V -l version
complete -c solekey -n "__fish_solekey_using_subcommand rage-keygen" -s h -l help -d 'Print help'
complete -c solekey -n "__fish_solekey_using_subcommand age-inspect" -l json
complete -c solekey -n "__fish_solekey_using_subcommand age-inspect" -s v -l version
complete -c solekey -n "__fish_solekey_using_subcommand age-inspect" -s h -l help -d 'Print help'
complete -c solekey -n "__fish_seen_subcommand_from decrypt d inspect verify t rekey salvage" -xa "(__solekey_names '\.(?:age|asc)')"
complete -c solekey -n "__fish_solekey_using_subcommand completions" -f -a "bash elvish fish powershell zsh"
