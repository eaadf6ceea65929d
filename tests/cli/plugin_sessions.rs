//! Sessions with plugins: their number for many files, their ends, and the rights of plugins.

use std::{
    ffi::OsString,
    fs,
    net::TcpListener,
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command},
    sync::LazyLock,
};

use bech32::{Bech32, Hrp};

use crate::{
    prompts::on_terminal,
    requirements::installed,
    sandbox::{Outcome, SOLEKEY, Sandbox, finish, wait_until},
};

/// A plugin that wraps file keys by writing them down, as many in a session as it is asked for. Notes each session and each question
/// in `sessions`. `$MODE` says how it misbehaves.
const PLUGIN: &str = r#"
echo "${1#--age-plugin=}" >>"$HOME/sessions"
[ "$MODE" != early ] || exit 3
ask() { printf '%s\n%s\n' "$1" "$2"; IFS= read -r head; IFS= read -r body; }
[ "$MODE" != slow ] || while [ ! -e "$HOME/go" ]; do sleep 0.05; done
last= more=1 keys=0
while [ $more ] && IFS= read -r line; do
    case $line in
    '-> done') IFS= read -r line; more= ;;
    '-> wrap-file-key') IFS= read -r key; echo "$keys $key"; keys=$((keys + 1)) ;;
    '-> recipient-stanza '*' written') IFS= read -r key; line=${line#-> recipient-stanza }; echo "${line% written} $key" ;;
    '-> recipient-stanza '*' broken') echo broken ;;
    esac
done >"$HOME/answers"
[ "$MODE" != late ] || { echo 'the card is gone' >&2; echo AGE-SECRET-KEY-1SLIPPED >&2; exit 3; }
[ "$MODE" != broken ] || ! grep -q broken "$HOME/answers" || exit 4
if [ "$MODE" = pin ] && [ "$1" = --age-plugin=identity-v1 ]; then
    echo asked >>"$HOME/sessions"
    ask '-> request-secret' "$(printf 'PIN?' | base64 | tr -d =)"
    [ "$head $body" = '-> ok MTIzNA' ] || { ask '-> error internal' "$(printf 'no PIN' | base64 | tr -d =)"; printf -- '-> done\n\n'; exit; }
fi
while read -r index key <&3; do
    [ "$MODE" != first ] || [ "$index" = 0 ] || continue
    [ "$MODE" != odd ] || [ $((index % 2)) = 1 ] || [ "$1" = --age-plugin=recipient-v1 ] || continue
    # A file has one key, however many stanzas.
    [ "$index" != "$last" ] || continue
    last=$index
    case $1 in
    *recipient-v1) ask "-> recipient-stanza $index written" "$key" ;;
    *) ask "-> file-key $index" "$key" ;;
    esac
    [ "$MODE" != middle ] || exit 5
done 3<"$HOME/answers"
printf -- '-> done\n\n'
"#;

const MODES: [&str; 9] = ["good", "first", "odd", "pin", "early", "late", "middle", "broken", "slow"];

/// A folder with plugins of all modes.
static PLUGINS: LazyLock<Sandbox> = LazyLock::new(|| {
    let plugins = Sandbox::new();
    for mode in MODES {
        plugins.write_program(&format!("age-plugin-{mode}"), format!("#!/bin/sh\nMODE={mode}\n{PLUGIN}"));
    }
    plugins
});

fn encode(prefix: &str) -> String {
    bech32::encode::<Bech32>(Hrp::parse(prefix).expect("it is a prefix"), b"somebody").expect("it is short")
}

fn recipient(plugin: &str) -> String {
    encode(&format!("age1{plugin}"))
}

/// A folder with identities of plugins of all modes, and `files` files `0`, `1`, ...
fn sandbox(files: usize) -> Sandbox {
    let (sandbox, _) = Sandbox::with_key();
    for mode in MODES {
        sandbox.write(format!("{mode}.txt"), encode(&format!("age-plugin-{mode}-")).to_uppercase());
    }
    for number in 0..files {
        sandbox.write(number.to_string(), format!("text {number}"));
    }
    sandbox
}

/// The search path with the folder of plugins first.
fn search() -> OsString {
    let mut search = PLUGINS.path("").into_os_string();
    search.push(OsString::from(":"));
    search.push(std::env::var_os("PATH").unwrap_or_default());
    search
}

fn command(sandbox: &Sandbox, words: &str) -> Command {
    let mut command = sandbox.command(words.split_whitespace());
    command.env("PATH", search());
    command
}

fn run(sandbox: &Sandbox, words: &str) -> Outcome {
    finish(command(sandbox, words).spawn().expect("the program starts"))
}

/// The sessions and questions since the last call.
fn sessions(sandbox: &Sandbox) -> Vec<String> {
    let noted = fs::read_to_string(sandbox.path("sessions")).unwrap_or_default();
    let _ = fs::remove_file(sandbox.path("sessions"));
    noted.lines().map(str::to_owned).collect()
}

fn names(count: usize, suffix: &str) -> String {
    (0..count).map(|number| format!(" {number}{suffix}")).collect()
}

#[track_caller]
fn has_decrypted(sandbox: &Sandbox, folder: &str, count: usize) {
    for number in 0..count {
        assert_eq!(sandbox.text(format!("{folder}/{number}")), format!("text {number}"));
    }
}

const WRAPS: &str = "recipient-v1";
const UNWRAPS: &str = "identity-v1";

#[test]
fn one_session_serves_all_files_of_a_run() {
    let sandbox = sandbox(20);
    let (plain, sealed) = (names(20, ""), names(20, ".age"));
    run(&sandbox, &format!("encrypt -r {}{plain}", recipient("good"))).is_silent_success();
    assert_eq!(sessions(&sandbox), [WRAPS]);
    run(&sandbox, &format!("decrypt -i good.txt -O out{sealed}")).is_silent_success();
    assert_eq!(sessions(&sandbox), [UNWRAPS]);
    has_decrypted(&sandbox, "out", 20);
    run(&sandbox, &format!("verify -q -i good.txt{sealed}")).is_silent_success();
    assert_eq!(sessions(&sandbox), [UNWRAPS]);
    run(&sandbox, &format!("rekey -q -i good.txt -r {}{sealed}", recipient("good"))).is_silent_success();
    let mut both = sessions(&sandbox);
    both.sort();
    assert_eq!(both, [UNWRAPS, WRAPS]);
    let inspected = run(&sandbox, &format!("inspect --json -i good.txt{sealed}"));
    assert_eq!(String::from_utf8_lossy(inspected.gave()).matches(r#""yours":[1]"#).count(), 20);
    assert_eq!(sessions(&sandbox), [UNWRAPS]);
    // Files that another key opens, and those that cannot be opened at all, are in the way of none.
    run(&sandbox, "encrypt -i key.txt -o other.age 0").is_silent_success();
    sandbox.write("torn.age", b"age-encryption.org/v1\n-> written\n");
    let mixed = run(&sandbox, &format!("verify -i key.txt -i good.txt torn.age other.age missing.age{sealed}"));
    assert_eq!((mixed.status, sessions(&sandbox)), (6, vec![UNWRAPS.to_owned()]));
    assert_eq!(String::from_utf8_lossy(&mixed.stdout).matches(": OK").count(), 21);
    // Of a header, too.
    run(&sandbox, &format!("encrypt -i key.txt -r {} -o both.age 0", recipient("good"))).is_silent_success();
    sessions(&sandbox);
    run(&sandbox, "salvage -i good.txt -o saved both.age").gave();
    assert_eq!(sessions(&sandbox), [UNWRAPS]);
    let inspected = run(&sandbox, "inspect --json -i good.txt both.age");
    assert!(String::from_utf8_lossy(inspected.gave()).contains(r#""yours":[2]"#));
    assert_eq!(sessions(&sandbox), [UNWRAPS]);
}

#[test]
fn a_pin_is_typed_once_for_hundreds_of_files() {
    if !installed(&["expect"]) {
        return;
    }
    const FILES: usize = 200;
    let sandbox = sandbox(FILES);
    run(&sandbox, &format!("encrypt -r {}{}", recipient("pin"), names(FILES, ""))).is_silent_success();
    assert_eq!(sessions(&sandbox), [WRAPS]);
    let decrypt =
        format!("PATH={}:$PATH exec \"$SOLEKEY\" decrypt -i pin.txt -O out *.age", PLUGINS.path("").display());
    let outcome = on_terminal(&sandbox, &decrypt, &[("age-plugin-pin: PIN? ", "1234\\r")]);
    assert_eq!(
        outcome.status,
        0,
        "{}",
        String::from_utf8_lossy(&outcome.stdout).chars().take(1000).collect::<String>()
    );
    assert_eq!(sessions(&sandbox), [UNWRAPS, "asked"]);
    has_decrypted(&sandbox, "out", FILES);
    // Without an answer, the question is not asked again for each file.
    let refused = run(&sandbox, "decrypt --batch -i pin.txt -f -O out 0.age 1.age 2.age");
    assert_eq!((refused.status, sessions(&sandbox)), (5, vec![UNWRAPS.to_owned(), "asked".to_owned()]));
    assert!(refused.stderr.contains("age-plugin-pin: (internal) no PIN"), "{}", refused.stderr);
    // A wrong answer is wrong for all files.
    let outcome = on_terminal(&sandbox, &decrypt.replace("-O out", "-f -O out"), &[("PIN? ", "1\\r")]);
    assert_eq!((outcome.status, sessions(&sandbox).len()), (1, 2));
}

#[test]
fn files_that_a_ready_key_opens_do_not_wait_for_a_plugin() {
    let sandbox = sandbox(20);
    sandbox.write("go", "");
    run(&sandbox, &format!("encrypt -r {} -o slow.age 0", recipient("slow"))).is_silent_success();
    run(&sandbox, &format!("encrypt -i key.txt{}", names(20, ""))).is_silent_success();
    fs::remove_file(sandbox.path("go")).expect("it exists");
    let words = format!("decrypt -T 2 -i key.txt -i slow.txt -O out slow.age{}", names(20, ".age"));
    let child = command(&sandbox, &words).spawn().expect("the program starts");
    wait_until("all other files are open", || (0..20).all(|number| sandbox.path(format!("out/{number}")).exists()));
    assert!(!sandbox.path("out/slow").exists());
    sandbox.write("go", "");
    finish(child).is_silent_success();
    has_decrypted(&sandbox, "out", 20);
    assert_eq!(sandbox.text("out/slow"), "text 0");
}

#[test]
fn a_plugin_that_answers_for_some_files_leaves_the_others_to_the_next_identity() {
    let sandbox = sandbox(6);
    run(&sandbox, &format!("encrypt -r {}{}", recipient("good"), names(6, ""))).is_silent_success();
    sessions(&sandbox);
    run(&sandbox, &format!("decrypt -i odd.txt -i good.txt -O out{}", names(6, ".age"))).is_silent_success();
    assert_eq!(sessions(&sandbox), [UNWRAPS, UNWRAPS]);
    has_decrypted(&sandbox, "out", 6);
    let some = run(&sandbox, &format!("decrypt -i odd.txt -f -O out{}", names(6, ".age")));
    assert_eq!((some.status, sessions(&sandbox).len()), (6, 1));
    assert_eq!(some.stderr.matches("none of these identities").count() + some.stderr.matches("not for any").count(), 3);
}

#[test]
fn a_plugin_that_serves_one_file_in_a_session_is_asked_for_each() {
    let sandbox = sandbox(4);
    run(&sandbox, &format!("encrypt -r {}{}", recipient("first"), names(4, ""))).is_silent_success();
    // The first attempt, and one for each file.
    assert_eq!(sessions(&sandbox).len(), 5);
    run(&sandbox, &format!("decrypt -i first.txt -O out{}", names(4, ".age"))).is_silent_success();
    // The first attempt, one that shows that there is more to find, and one for each file.
    assert_eq!(sessions(&sandbox).len(), 6);
    has_decrypted(&sandbox, "out", 4);
    // Also if the first file is for another recipient.
    run(&sandbox, "encrypt -i key.txt -o a.age 0").is_silent_success();
    let mixed = run(&sandbox, &format!("decrypt -i first.txt -f -O out a.age{}", names(4, ".age")));
    assert_eq!(mixed.status, 6);
    has_decrypted(&sandbox, "out", 4);
}

#[test]
fn a_header_that_a_plugin_dies_of_keeps_no_other_file_from_being_opened() {
    let sandbox = sandbox(9);
    run(&sandbox, &format!("encrypt -r {}{}", recipient("broken"), names(9, ""))).is_silent_success();
    let text = String::from_utf8_lossy(&sandbox.read("4.age")).replace("-> written", "-> broken");
    sandbox.write("4.age", text);
    let most = run(&sandbox, &format!("decrypt -i broken.txt -O out{}", names(9, ".age")));
    assert_eq!(most.status, 6, "{}", most.stderr);
    assert_eq!(most.stderr.matches("solekey: error: ").count(), 1, "{}", most.stderr);
    for number in (0..9).filter(|number| *number != 4) {
        assert_eq!(sandbox.text(format!("out/{number}")), format!("text {number}"));
    }
}

#[test]
fn a_plugin_that_dies_is_named_with_its_last_words_but_not_with_a_key() {
    let sandbox = sandbox(2);
    run(&sandbox, &format!("encrypt -r {} 0 1", recipient("good"))).is_silent_success();
    for (mode, said) in [
        ("early", "it exited before it had finished (exit status: 3)"),
        (
            "late",
            "it exited before it had finished (exit status: 3); its standard error ends with: the card is gone; [key material]",
        ),
        ("middle", "it exited before it had finished (exit status: 5)"),
    ] {
        let hint = "solekey: hint: plugins have no network, nor devices that they reach through such sockets; if this one needs \
                    them, allow it with --allow-plugin-network\n";
        let hint = if cfg!(target_os = "linux") { hint } else { "" };
        run(&sandbox, &format!("decrypt -i {mode}.txt -o y 0.age"))
            .fails(1, &format!("solekey: error: cannot decrypt '0.age': age-plugin-{mode}: {said}\n{hint}"));
        run(&sandbox, &format!("encrypt -r {} -o y 0", recipient(mode)))
            .fails(1, &format!("solekey: error: cannot encrypt '0': age-plugin-{mode}: {said}\n{hint}"));
        // Of several files, each has the error; and the plugin is not asked for ever.
        sessions(&sandbox);
        let both = run(&sandbox, &format!("decrypt -i {mode}.txt -O out 0.age 1.age"));
        assert_eq!((both.status, both.stderr.matches(said).count()), (1, 2), "{}", both.stderr);
        assert!(sessions(&sandbox).len() <= 4);
        assert!(!sandbox.path("y").exists() && !sandbox.path("out/0").exists());
    }
}

#[test]
fn a_plugin_that_writes_without_end_is_an_error() {
    let sandbox = sandbox(1);
    run(&sandbox, &format!("encrypt -r {} 0", recipient("good"))).is_silent_success();
    sandbox.write("endless.txt", encode("age-plugin-endless-").to_uppercase());
    for (command, said) in [
        ("tr '\\0' a </dev/zero", "it sent too much in one message"),
        ("while :; do printf -- '-> msg\\n\\n'; done", "it sent too much to show and to ask"),
        ("yes >&2", "it exited before it had finished"),
        ("yes", "it violates the plugin protocol (a message does not begin with '->')"),
    ] {
        // The one that floods standard error only ends by itself.
        let limit = if command.contains(">&2") { "timeout 1 " } else { "" };
        sandbox.write_program("age-plugin-endless", format!("#!/bin/sh\n{limit}{command}\n"));
        let decrypt = "decrypt -q -i endless.txt -o y 0.age 2>&1 >/dev/null | tail -n 1";
        let ended = sandbox.shell(&format!("PATH=\"$HOME:$PATH\"; \"$SOLEKEY\" {decrypt}"));
        let printed = String::from_utf8_lossy(&ended.stdout);
        assert!(printed.contains(said), "{command}: {printed}");
        assert!(!sandbox.path("y").exists());
    }
}

#[test]
fn who_waits_at_a_terminal_is_told_and_can_leave() {
    if !installed(&["expect"]) {
        return;
    }
    let sandbox = sandbox(1);
    sandbox.write_program("age-plugin-stuck", "#!/bin/sh\nfolder=$(mktemp -d)\ntrap 'rm -r \"$folder\"; exit' TERM\nsleep 600 &\necho $$ $! >\"$HOME/processes\"\nwait\n");
    let encrypt = format!("PATH=$HOME:$PATH exec \"$SOLEKEY\" encrypt -r {} 0", recipient("stuck"));
    let outcome = on_terminal(&sandbox, &encrypt, &[("solekey: waiting for age-plugin-stuck...", "\\x03")]);
    // Status and message are those of `expect`, which reports signals in its own way.
    assert!(!String::from_utf8_lossy(&outcome.stdout).contains("error"), "{outcome:?}");
    for process in sandbox.text("processes").split_whitespace() {
        assert!(!runs(process));
    }
    assert!(!sandbox.path("0.age").exists());
}

/// Plugins that cannot be started: contents and mode of the file, and the message.
const UNUSABLE: &[(&str, u32, &str)] = &[
    ("", 0o755, "is empty; install the plugin again"),
    ("#!/bin/sh\n", 0o644, "is not executable; fix it with chmod +x"),
    (
        "#!/no/such/shell\n",
        0o755,
        "is a script for '/no/such/shell', which does not exist; install that, or correct the first line",
    ),
    ("#!/bin/sh\r\n", 0o755, "has Windows line endings (CR LF) in its first line; convert them"),
    ("echo\n", 0o755, "is neither a program nor a script that begins with #!; install the plugin again"),
    (
        "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x7f\x7f\x01\0\0\0",
        0o755,
        "is a program for another processor or system; install a build for this one",
    ),
];

#[test]
fn a_plugin_that_cannot_be_started_is_named_with_the_reason() {
    let sandbox = sandbox(1);
    sandbox.write("unusable.txt", encode("age-plugin-unusable-").to_uppercase());
    run(&sandbox, &format!("encrypt -r {} 0", recipient("good"))).is_silent_success();
    let search = sandbox.path("");
    for (contents, mode, said) in UNUSABLE {
        // Long enough for the system to read all of a program's header.
        let contents =
            if contents.starts_with('\x7f') { format!("{contents:\0<4096}") } else { (*contents).to_owned() };
        sandbox.write_program("age-plugin-unusable", contents);
        sandbox.set_mode("age-plugin-unusable", *mode);
        let fault = format!(
            "age-plugin-unusable cannot be started: '{}' {said}\n",
            search.join("age-plugin-unusable").display()
        );
        let run = |words: &str| sandbox.shell(&format!("PATH='{}' exec \"$SOLEKEY\" {words}", search.display()));
        run("decrypt -i unusable.txt -o y 0.age").fails(1, &format!("solekey: error: cannot decrypt '0.age': {fault}"));
        let encrypted = run(&format!("encrypt -r {} -o y 0", recipient("unusable")));
        assert_eq!(encrypted.status, 1);
        assert!(encrypted.stderr.ends_with(&fault), "{}", encrypted.stderr);
        let under_age = run("decrypt -i unusable.txt 0.age -o y --allow-plugin-network");
        under_age.fails(1, &format!("solekey: error: cannot decrypt '0.age': {fault}"));
        assert!(!sandbox.path("y").exists());
    }
}

#[test]
fn no_plugin_runs_from_the_current_folder() {
    let sandbox = sandbox(1);
    sandbox.write_program("age-plugin-here", "#!/bin/sh\ntouch \"$HOME/ran\"\n");
    let encrypt = format!("encrypt -r {} 0", recipient("here"));
    for search in ["", ".", ":", ":/usr/bin", "/usr/bin:", "bin:.", "./"] {
        let outcome = sandbox.shell(&format!("PATH='{search}' exec \"$SOLEKEY\" {encrypt}"));
        let said = "solekey: error: age-plugin-here is not on the PATH; install that plugin to use its keys\n\
                    solekey: hint: visit https://age-encryption.org/awesome#plugins for a list of available plugins\n";
        outcome.fails(1, said);
        assert!(!sandbox.path("ran").exists(), "{search}");
    }
}

/// Whether a process runs.
fn runs(process: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

/// Starts an encryption with a plugin that hangs, with a child, and returns both their numbers.
fn hang(sandbox: &Sandbox, options: &str) -> (Child, Vec<String>) {
    let _ = fs::remove_file(sandbox.path("processes"));
    sandbox.write_program("age-plugin-stuck", "#!/bin/sh\nsleep 600 &\necho $$ $! >\"$HOME/processes\"\nwait\n");
    fs::create_dir_all(sandbox.path("tmp")).expect("the folder takes it");
    let mut command = sandbox.command(format!("encrypt {options} -r {} 0", recipient("stuck")).split_whitespace());
    let search = format!("{}:{}", sandbox.path("").display(), std::env::var("PATH").unwrap_or_default());
    let child = command.env("PATH", search).env("TMPDIR", sandbox.path("tmp")).spawn().expect("the program starts");
    let noted = || fs::read_to_string(sandbox.path("processes")).unwrap_or_default();
    wait_until("the plugin", || noted().ends_with('\n'));
    (child, noted().split_whitespace().map(str::to_owned).collect())
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_ends_a_plugin_and_its_children() {
    use rustix::process::{Pid, Signal, kill_process};

    let sandbox = sandbox(1);
    for options in ["", "--allow-plugin-network"] {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            let (child, processes) = hang(&sandbox, options);
            assert!(processes.len() == 2 && processes.iter().all(|process| runs(process)));
            kill_process(Pid::from_child(&child), signal).expect("it runs");
            finish(child).fails(128 + signal.as_raw(), "");
            assert!(!processes.iter().any(|process| runs(process)), "{options} {signal:?}");
            assert_eq!(fs::read_dir(sandbox.path("tmp")).expect("it is a folder").count(), 0);
            assert!(!sandbox.path("0.age").exists());
        }
    }
    // Nothing can be done at this signal, but the launcher notices it.
    let (mut child, processes) = hang(&sandbox, "--allow-plugin-network");
    child.kill().expect("it runs");
    let _ = child.wait();
    wait_until("the end of the plugin", || !processes.iter().any(|process| runs(process)));
}

/// A plugin that does nothing without a connection to `port`, which is otherwise like the good one.
fn write_networked(sandbox: &Sandbox, port: u16) {
    let script = format!(
        "#!/usr/bin/env bash\n{{ exec 9<>/dev/tcp/127.0.0.1/{port}; }} || exit 1\nexec '{}' \"$@\"\n",
        PLUGINS.path("age-plugin-good").display()
    );
    sandbox.write_program("age-plugin-net", script);
    sandbox.write("net.txt", encode("age-plugin-net-").to_uppercase());
}

#[test]
#[cfg(target_os = "linux")]
fn a_plugin_has_the_network_if_it_is_allowed_and_in_the_place_of_age() {
    if !installed(&["bash"]) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a loopback interface");
    let sandbox = sandbox(3);
    write_networked(&sandbox, listener.local_addr().expect("it is bound").port());
    let run = |words: &str| {
        let search = format!("{}:{}", sandbox.path("").display(), search().to_string_lossy());
        finish(command(&sandbox, words).env("PATH", search).spawn().expect("the program starts"))
    };
    let refused = run(&format!("encrypt -r {} 0", recipient("net")));
    assert_eq!(refused.status, 1);
    assert!(
        refused.stderr.contains("hint: plugins have no network") && refused.stderr.contains("--allow-plugin-network")
    );
    run(&format!("encrypt --allow-plugin-network -r {} 0 1 2", recipient("net"))).is_silent_success();
    run("decrypt --allow-plugin-network -i net.txt -O out 0.age 1.age 2.age").is_silent_success();
    has_decrypted(&sandbox, "out", 3);
    run(&format!("age -r {} -o x 0", recipient("net"))).is_silent_success();
    assert_eq!(run("age -d -i net.txt x").gave(), b"text 0");
    assert_eq!(run("decrypt --no-plugins --allow-plugin-network -i net.txt x").status, 2);
}

#[test]
#[cfg(target_os = "linux")]
fn there_is_a_launcher_only_if_the_network_is_allowed_and_it_opens_no_socket() {
    if !installed(&["strace"]) {
        return;
    }
    let sandbox = sandbox(1);
    for (option, launchers) in [("", 0), ("--allow-plugin-network", 1)] {
        let traced = sandbox.shell(&format!(
            "PATH={}:$PATH; strace -f -e trace=execve,socket,connect,seccomp -o calls \"$SOLEKEY\" encrypt -f {option} -r {} 0",
            PLUGINS.path("").display(),
            recipient("good"),
        ));
        assert_eq!(traced.status, 0, "{}", traced.stderr);
        let calls = sandbox.text("calls");
        assert_eq!(calls.matches("--launch-plugins").count(), launchers, "{calls}");
        assert!(!calls.contains("socket(") && !calls.contains("connect("), "{calls}");
        // The launcher starts before the filter is set, and sets none itself.
        assert_eq!(calls.matches("seccomp(").count(), 1, "{calls}");
        if launchers == 1 {
            assert!(calls.find("--launch-plugins") < calls.find("seccomp("), "{calls}");
        }
    }
}

#[test]
fn the_launcher_survives_whatever_it_is_told() {
    let sandbox = sandbox(0);
    for told in
        [&b""[..], b"nonsense\0", b"start\0", b"start\0/no/such\0x\0", b"exit\0end\0exit\0", b"start\0/bin/true\0x\0"]
    {
        let outcome = sandbox.run_with(["--launch-plugins"], told);
        assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""), "{outcome:?}");
    }
}

#[test]
fn files_of_one_session_go_both_ways_between_age_rage_and_this_program() {
    for other in ["age", "rage"].into_iter().filter(|other| installed(&[other])) {
        let sandbox = sandbox(3);
        let script = format!(
            "PATH={plugins}:$PATH; \"$SOLEKEY\" encrypt -r {recipient} 0 1 2 && \
             for n in 0 1 2; do {other} -d -i good.txt $n.age >theirs.$n && {other} -r {recipient} -o y$n.age $n || exit 1; done && \
             \"$SOLEKEY\" decrypt -i good.txt -O ours y0.age y1.age y2.age",
            plugins = PLUGINS.path("").display(),
            recipient = recipient("good"),
        );
        let done = sandbox.shell(&script);
        assert_eq!((done.status, done.stderr.as_str()), (0, ""), "{other}");
        for number in 0..3 {
            assert_eq!(sandbox.text(format!("theirs.{number}")), format!("text {number}"), "{other}");
            assert_eq!(sandbox.text(format!("ours/y{number}")), format!("text {number}"), "{other}");
        }
    }
}

#[test]
fn the_program_finds_its_launcher_under_any_name() {
    let sandbox = sandbox(1);
    symlink(Path::new(SOLEKEY), sandbox.path("age")).expect("the folder takes it");
    let script = format!(
        "PATH={}:$PATH; ./age -r {} -o x 0 && ./age -d -i good.txt x",
        PLUGINS.path("").display(),
        recipient("good")
    );
    let done = sandbox.shell(&script);
    assert_eq!(done.gave(), b"text 0");
}
