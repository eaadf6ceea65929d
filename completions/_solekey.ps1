
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'solekey' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'solekey'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'solekey' {
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show a progress bar on standard error')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('encrypt', 'encrypt', [CompletionResultType]::ParameterValue, 'Encrypt files or a stream to recipients')
            [CompletionResult]::new('e', 'e', [CompletionResultType]::ParameterValue, 'Encrypt files or a stream to recipients')
            [CompletionResult]::new('decrypt', 'decrypt', [CompletionResultType]::ParameterValue, 'Decrypt files or a stream with identities')
            [CompletionResult]::new('d', 'd', [CompletionResultType]::ParameterValue, 'Decrypt files or a stream with identities')
            [CompletionResult]::new('keygen', 'keygen', [CompletionResultType]::ParameterValue, 'Make a key file, or print the public key of one')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Print what the header of a file says')
            break
        }
        'solekey;encrypt' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Encrypt to the public key KEY: age1..., age1pq1..., ssh-ed25519 ..., ssh-rsa ..., or a plugin''s')
            [CompletionResult]::new('--recipient', '--recipient', [CompletionResultType]::ParameterName, 'Encrypt to the public key KEY: age1..., age1pq1..., ssh-ed25519 ..., ssh-rsa ..., or a plugin''s')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'Encrypt to the public keys in FILE, one a line')
            [CompletionResult]::new('--recipients-file', '--recipients-file', [CompletionResultType]::ParameterName, 'Encrypt to the public keys in FILE, one a line')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Encrypt to the public keys of the identities in FILE')
            [CompletionResult]::new('--identity', '--identity', [CompletionResultType]::ParameterName, 'Encrypt to the public keys of the identities in FILE')
            [CompletionResult]::new('--expect-recipients', '--expect-recipients', [CompletionResultType]::ParameterName, 'Fail, before anything is written, unless the header has exactly N stanzas')
            [CompletionResult]::new('--receipt', '--receipt', [CompletionResultType]::ParameterName, 'Record in FILE which stanza is whose, and the SHA-256 of what is written: one line of JSON for each output')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to FILE (''-'' for standard output); takes one input')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to FILE (''-'' for standard output); takes one input')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Use N threads; 0 means all cores')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Use N threads; 0 means all cores')
            [CompletionResult]::new('--passphrase-fd', '--passphrase-fd', [CompletionResultType]::ParameterName, 'Read the passphrase from file descriptor N, to the end of its first line')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from the first line of FILE')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show a progress bar on standard error')
            [CompletionResult]::new('--no-plugins', '--no-plugins', [CompletionResultType]::ParameterName, 'Fail rather than run a plugin')
            [CompletionResult]::new('--allow-plugin-stanzas', '--allow-plugin-stanzas', [CompletionResultType]::ParameterName, 'Let a plugin write any number of stanzas for a key, not just one; each can open the file')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Encrypt with a passphrase, which is asked for; an empty answer generates one')
            [CompletionResult]::new('--passphrase', '--passphrase', [CompletionResultType]::ParameterName, 'Encrypt with a passphrase, which is asked for; an empty answer generates one')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Write ASCII armor: text that survives mail and paste')
            [CompletionResult]::new('--armor', '--armor', [CompletionResultType]::ParameterName, 'Write ASCII armor: text that survives mail and paste')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Write to standard output; takes one input')
            [CompletionResult]::new('--stdout', '--stdout', [CompletionResultType]::ParameterName, 'Write to standard output; takes one input')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Overwrite existing output files')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite existing output files')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Keep the input files (the default; accepted for gzip''s sake)')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keep the input files (the default; accepted for gzip''s sake)')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Never ask; fail with status 5 where an answer is needed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'solekey;e' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Encrypt to the public key KEY: age1..., age1pq1..., ssh-ed25519 ..., ssh-rsa ..., or a plugin''s')
            [CompletionResult]::new('--recipient', '--recipient', [CompletionResultType]::ParameterName, 'Encrypt to the public key KEY: age1..., age1pq1..., ssh-ed25519 ..., ssh-rsa ..., or a plugin''s')
            [CompletionResult]::new('-R', '-R ', [CompletionResultType]::ParameterName, 'Encrypt to the public keys in FILE, one a line')
            [CompletionResult]::new('--recipients-file', '--recipients-file', [CompletionResultType]::ParameterName, 'Encrypt to the public keys in FILE, one a line')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Encrypt to the public keys of the identities in FILE')
            [CompletionResult]::new('--identity', '--identity', [CompletionResultType]::ParameterName, 'Encrypt to the public keys of the identities in FILE')
            [CompletionResult]::new('--expect-recipients', '--expect-recipients', [CompletionResultType]::ParameterName, 'Fail, before anything is written, unless the header has exactly N stanzas')
            [CompletionResult]::new('--receipt', '--receipt', [CompletionResultType]::ParameterName, 'Record in FILE which stanza is whose, and the SHA-256 of what is written: one line of JSON for each output')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to FILE (''-'' for standard output); takes one input')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to FILE (''-'' for standard output); takes one input')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Use N threads; 0 means all cores')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Use N threads; 0 means all cores')
            [CompletionResult]::new('--passphrase-fd', '--passphrase-fd', [CompletionResultType]::ParameterName, 'Read the passphrase from file descriptor N, to the end of its first line')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from the first line of FILE')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show a progress bar on standard error')
            [CompletionResult]::new('--no-plugins', '--no-plugins', [CompletionResultType]::ParameterName, 'Fail rather than run a plugin')
            [CompletionResult]::new('--allow-plugin-stanzas', '--allow-plugin-stanzas', [CompletionResultType]::ParameterName, 'Let a plugin write any number of stanzas for a key, not just one; each can open the file')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Encrypt with a passphrase, which is asked for; an empty answer generates one')
            [CompletionResult]::new('--passphrase', '--passphrase', [CompletionResultType]::ParameterName, 'Encrypt with a passphrase, which is asked for; an empty answer generates one')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Write ASCII armor: text that survives mail and paste')
            [CompletionResult]::new('--armor', '--armor', [CompletionResultType]::ParameterName, 'Write ASCII armor: text that survives mail and paste')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Write to standard output; takes one input')
            [CompletionResult]::new('--stdout', '--stdout', [CompletionResultType]::ParameterName, 'Write to standard output; takes one input')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Overwrite existing output files')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite existing output files')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Keep the input files (the default; accepted for gzip''s sake)')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keep the input files (the default; accepted for gzip''s sake)')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Never ask; fail with status 5 where an answer is needed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'solekey;decrypt' {
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Open with the identities in FILE: an identity file, also one protected by a passphrase, or an SSH private key')
            [CompletionResult]::new('--identity', '--identity', [CompletionResultType]::ParameterName, 'Open with the identities in FILE: an identity file, also one protected by a passphrase, or an SSH private key')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Open with the plugin age-plugin-NAME, which needs no identity')
            [CompletionResult]::new('--plugin', '--plugin', [CompletionResultType]::ParameterName, 'Open with the plugin age-plugin-NAME, which needs no identity')
            [CompletionResult]::new('--max-work-factor', '--max-work-factor', [CompletionResultType]::ParameterName, 'Refuse files whose passphrase costs more than 2^N scrypt work')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to FILE (''-'' for standard output); takes one input')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to FILE (''-'' for standard output); takes one input')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Use N threads; 0 means all cores')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Use N threads; 0 means all cores')
            [CompletionResult]::new('--passphrase-fd', '--passphrase-fd', [CompletionResultType]::ParameterName, 'Read the passphrase from file descriptor N, to the end of its first line')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from the first line of FILE')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show a progress bar on standard error')
            [CompletionResult]::new('--no-default-identity', '--no-default-identity', [CompletionResultType]::ParameterName, 'Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder')
            [CompletionResult]::new('--no-plugins', '--no-plugins', [CompletionResultType]::ParameterName, 'Fail rather than run a plugin')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Write to standard output; takes one input')
            [CompletionResult]::new('--stdout', '--stdout', [CompletionResultType]::ParameterName, 'Write to standard output; takes one input')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Overwrite existing output files')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite existing output files')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Keep the input files (the default; accepted for gzip''s sake)')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keep the input files (the default; accepted for gzip''s sake)')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Never ask; fail with status 5 where an answer is needed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'solekey;d' {
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Open with the identities in FILE: an identity file, also one protected by a passphrase, or an SSH private key')
            [CompletionResult]::new('--identity', '--identity', [CompletionResultType]::ParameterName, 'Open with the identities in FILE: an identity file, also one protected by a passphrase, or an SSH private key')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Open with the plugin age-plugin-NAME, which needs no identity')
            [CompletionResult]::new('--plugin', '--plugin', [CompletionResultType]::ParameterName, 'Open with the plugin age-plugin-NAME, which needs no identity')
            [CompletionResult]::new('--max-work-factor', '--max-work-factor', [CompletionResultType]::ParameterName, 'Refuse files whose passphrase costs more than 2^N scrypt work')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to FILE (''-'' for standard output); takes one input')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to FILE (''-'' for standard output); takes one input')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Use N threads; 0 means all cores')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Use N threads; 0 means all cores')
            [CompletionResult]::new('--passphrase-fd', '--passphrase-fd', [CompletionResultType]::ParameterName, 'Read the passphrase from file descriptor N, to the end of its first line')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from the first line of FILE')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show a progress bar on standard error')
            [CompletionResult]::new('--no-default-identity', '--no-default-identity', [CompletionResultType]::ParameterName, 'Without -i and -j, do not look for identities in $SOLEKEY_IDENTITY and in the configuration folder')
            [CompletionResult]::new('--no-plugins', '--no-plugins', [CompletionResultType]::ParameterName, 'Fail rather than run a plugin')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Write to standard output; takes one input')
            [CompletionResult]::new('--stdout', '--stdout', [CompletionResultType]::ParameterName, 'Write to standard output; takes one input')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Overwrite existing output files')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite existing output files')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Keep the input files (the default; accepted for gzip''s sake)')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keep the input files (the default; accepted for gzip''s sake)')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Never ask; fail with status 5 where an answer is needed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'solekey;keygen' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the key to FILE (mode 0600), and print its public key')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write the key to FILE (mode 0600), and print its public key')
            [CompletionResult]::new('--passphrase-fd', '--passphrase-fd', [CompletionResultType]::ParameterName, 'Read the passphrase from file descriptor N, to the end of its first line')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from the first line of FILE')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show a progress bar on standard error')
            [CompletionResult]::new('--pq', '--pq', [CompletionResultType]::ParameterName, 'Make a key that is safe from quantum computers too; with -o, its long public key also goes to FILE.pub')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Protect the key file with a passphrase, which is asked for; an empty answer generates one')
            [CompletionResult]::new('--passphrase', '--passphrase', [CompletionResultType]::ParameterName, 'Protect the key file with a passphrase, which is asked for; an empty answer generates one')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Print the public keys of the identities in INPUT')
            [CompletionResult]::new('--to-public', '--to-public', [CompletionResultType]::ParameterName, 'Print the public keys of the identities in INPUT')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Never ask; fail with status 5 where an answer is needed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'solekey;inspect' {
            [CompletionResult]::new('--expect-recipients', '--expect-recipients', [CompletionResultType]::ParameterName, 'Fail unless the header has exactly N stanzas')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'Show a progress bar on standard error')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object for each file')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
