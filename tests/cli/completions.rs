//! Completions in real shells, on a terminal that tmux provides.

use std::{fs, path::Path};

use crate::{
    requirements::installed,
    sandbox::{Sandbox, wait_until},
};

/// A shell on a tmux terminal, ready for keystrokes.
struct Session<'a> {
    sandbox: &'a Sandbox,
}

impl Session<'_> {
    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = self.sandbox.detached("tmux");
        command.env("TERM", "xterm").env("LC_ALL", "C.UTF-8").args(["-f", "/dev/null", "-S", "tmux"]).args(arguments);
        let output = command.output().expect("tmux starts");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", "s"])
    }

    /// Types the start of a line, presses Tab, and waits until the line is completed to `whole`.
    fn completes(&self, typed: &str, whole: &str) {
        self.tmux(&["send-keys", "-t", "s", "C-u"]);
        self.tmux(&["send-keys", "-t", "s", "-l", typed]);
        wait_until(typed, || self.screen().contains(typed));
        self.tmux(&["send-keys", "-t", "s", "Tab"]);
        wait_until(&format!("{typed} to become {whole}"), || self.screen().contains(whole));
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Starts a shell, loads the completions, and completes verbs, flags and file names. `opened` is how the shell completes the
/// name of an encrypted file when another file has a similar name, and `key` that of a public key.
fn complete_in(shell: &str, start: &str, setup: &str, opened: &str, key: &str) {
    if !installed(&["tmux", shell]) {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("outputs")).expect("the folder is new");
    for name in
        ["bob.csv", "bob.pub", "friends.txt", "key.txt", "numbers.aac", "numbers.age", "outline.csv", "plain.csv"]
    {
        sandbox.write(name, "");
    }
    let session = Session { sandbox: &sandbox };
    session.tmux(&["new-session", "-d", "-s", "s", "-x", "150", "-y", "50", start]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let setup = setup.replace("FOLDER", &folder.display().to_string());
    session.tmux(&["send-keys", "-t", "s", "-l", &format!("{setup}; echo rea''dy")]);
    session.tmux(&["send-keys", "-t", "s", "Enter"]);
    wait_until("the shell", || session.screen().contains("ready"));
    session.completes("solekey decr", "solekey decrypt");
    // With nothing typed, pressing Tab twice lists the verbs.
    session.tmux(&["send-keys", "-t", "s", "C-u"]);
    session.tmux(&["send-keys", "-t", "s", "-l", "solekey "]);
    session.tmux(&["send-keys", "-t", "s", "Tab", "Tab"]);
    wait_until("the verbs", || ["salvage", "verify"].iter().all(|verb| session.screen().contains(verb)));
    session.tmux(&["send-keys", "-t", "s", "Escape", "C-c"]);
    session.completes("solekey encrypt --recipients-f", "solekey encrypt --recipients-file");
    session.completes("solekey encrypt -R fri", "solekey encrypt -R friends.txt");
    session.completes("solekey decrypt -i ke", "solekey decrypt -i key.txt");
    session.completes("solekey decrypt -i key.txt numb", opened);
    // Other files are offered if there are no encrypted ones.
    session.completes("solekey verify pla", "solekey verify plain.csv");
    session.completes("solekey encrypt -r age1 pla", "solekey encrypt -r age1 plain.csv");
    session.completes("solekey encrypt -R bo", key);
    session.completes("solekey decrypt -O out", "solekey decrypt -O outputs/");
    session.completes("solekey age --recipients-f", "solekey age --recipients-file");
    session.completes("solekey age -d -i ke", "solekey age -d -i key.txt");
    session.completes("solekey decrypt --progress alw", "solekey decrypt --progress always");
    session.completes("solekey completions powe", "solekey completions powershell");
    session.completes("solekey help salv", "solekey help salvage");
}

#[test]
fn bash_completes_verbs_flags_and_files() {
    complete_in(
        "bash",
        "bash --norc --noprofile",
        "source FOLDER/solekey.bash",
        "-i key.txt numbers.age",
        "-R bob.pub",
    );
}

#[test]
fn zsh_completes_verbs_flags_and_files() {
    complete_in(
        "zsh",
        "zsh -f",
        "fpath=(FOLDER $fpath); autoload -U compinit; compinit -u -D",
        "-i key.txt numbers.age",
        "-R bob.pub",
    );
}

#[test]
fn fish_completes_verbs_flags_and_files() {
    complete_in("fish", "fish --no-config", "source FOLDER/solekey.fish", "-i key.txt numbers.age", "-R bob.pub");
}
