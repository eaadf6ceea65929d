//! The recipes of the manual, run as they stand there, with the programs that they name. Long form only: they start servers.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use crate::{
    LONG, record,
    requirements::{installed, skip, which},
    sandbox::{Outcome, SOLEKEY, Sandbox, data, finish, is_root, wait_until},
};

const MANUAL: &str = include_str!("../../man/solekey.1");

/// The lines of the only recipe that has `marker` in it.
fn recipe(marker: &str) -> String {
    let blocks = MANUAL.split("\n.nf\n").skip(1).filter_map(|rest| rest.split_once("\n.fi")).map(|(block, _)| block);
    let plain =
        blocks.map(|block| block.replace("\\-", "-").replace("\\(aq", "'").replace("\\(ha", "^").replace("\\e", "\\"));
    let found: Vec<_> = plain.filter(|block| block.contains(marker)).collect();
    let [block] = &found[..] else { panic!("{} recipes have {marker}", found.len()) };
    block.clone()
}

/// A folder in which recipes run, with `key.txt`, `friends.txt`, and the program in the search path.
struct Kitchen {
    sandbox: Sandbox,
}

impl Kitchen {
    /// `None` in the short form, or if one of the programs is missing.
    fn with(programs: &[&str]) -> Option<Self> {
        if !*LONG || !installed(programs) {
            return None;
        }
        let (sandbox, recipient) = Sandbox::with_key();
        sandbox.write("friends.txt", recipient + "\n");
        fs::create_dir(sandbox.path("bin")).expect("the sandbox is writable");
        symlink(SOLEKEY, sandbox.path("bin/solekey")).expect("the sandbox is writable");
        Some(Self { sandbox })
    }

    fn bash(&self, script: &str) -> Command {
        let mut command = self.sandbox.detached("bash");
        let path = self.sandbox.path("");
        let path = path.display();
        command.args(["-c", &format!("PATH={path}bin:$PATH:/usr/sbin; set -e -o pipefail\n{script}")]);
        command
    }

    #[track_caller]
    fn run(&self, script: &str) -> String {
        let Outcome { status, stdout, stderr } = finish(self.bash(script).spawn().expect("bash starts"));
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        assert_eq!(status, 0, "{script}\n{stdout}{stderr}");
        stdout
    }

    /// Runs lines of the manual, and records what they printed.
    #[track_caller]
    fn cook(&self, lines: &str) -> String {
        let printed = self.run(lines);
        record(
            "recipe",
            &format!("\n{lines}\n-> {}", if printed.is_empty() { "(nothing)" } else { printed.trim_end() }),
        );
        printed
    }

    /// Starts a server, and waits until it accepts connections.
    fn serve(&self, port: u16, script: &str) -> Server {
        let mut command = self.bash(&format!("exec {script}"));
        let server = Server(command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("bash starts"));
        wait_until("the server accepts connections", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        server
    }
}

/// A server, which is ended with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

#[test]
fn a_database_is_dumped_and_restored() {
    let Some(kitchen) = Kitchen::with(&["pg_dump", "psql", "createdb"]) else { return };
    let Some(binaries) = postgresql() else { return skip("PostgreSQL's server is not installed") };
    if is_root() && which("setpriv").is_none() {
        return skip("PostgreSQL does not run as root, and setpriv is not installed");
    }
    let port = free_port();
    // As somebody else than root, who owns a folder of their own.
    let other =
        if is_root() { "setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent " } else { "" };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (binaries, place) = (binaries.display(), folder.path().display());
    kitchen.run(&format!("chmod 755 {place}; test -z '{other}' || chown 65534:65534 {place}"));
    kitchen.run(&format!("cd {place}; {other}{binaries}/initdb -A trust -U app -D {place}/data >/dev/null"));
    let server =
        format!("{other}{binaries}/postgres -D {place}/data -k {place} -p {port} -c listen_addresses=127.0.0.1");
    let _server = kitchen.serve(port, &format!("env -C {place} {server} 2>/dev/null"));
    let settings = format!("export PGHOST=127.0.0.1 PGPORT={port} PGUSER=app\n");
    wait_until("the database answers", || {
        let ready = kitchen.bash(&format!("{settings}psql -c 'select 1' postgres")).status();
        ready.is_ok_and(|status| status.success())
    });
    kitchen.run(&format!(
        "{settings}createdb app; psql -q app <<'END'\n\
         create table notes (id serial primary key, text text, at timestamptz default now(), bytes bytea);\n\
         insert into notes (text, bytes) select 'note ' || n, sha256(n::text::bytea) from generate_series(1, 50000) n;\n\
         create index on notes (text);\nEND"
    ));
    kitchen.cook(&format!("{settings}{}", recipe("pg_dump")));
    // Each dump has a random word of its own in these lines.
    let same = "dump() { pg_dump $1 | grep -v restrict; }; diff <(dump app) <(dump restored) && psql -At -c 'select count(*), max(id) from notes' restored";
    assert_eq!(kitchen.run(&format!("{settings}{same}")), "50000|50000\n");
}

/// The folder of PostgreSQL's programs, which Debian keeps out of the search path.
fn postgresql() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.flatten().map(|version| version.path().join("bin"));
    folders
        .chain(which("postgres").and_then(|path| Some(path.parent()?.to_owned())))
        .find(|folder| folder.join("initdb").exists())
}

/// Starts SSH servers for hosts of these names, each with a folder of its name for a home, and makes `ssh` find them.
fn hosts<const N: usize>(kitchen: &Kitchen, names: [&str; N]) -> [Server; N] {
    let folder = kitchen.sandbox.path("");
    let place = folder.display().to_string();
    kitchen.run("ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f id; cp id.pub authorized");
    if is_root() {
        // Where systemd does not make it.
        kitchen.run("mkdir -p /run/sshd");
    }
    let mut known = format!(
        "Host *\nHostName 127.0.0.1\nIdentityFile {place}id\nIdentitiesOnly yes\nLogLevel ERROR\n\
         UserKnownHostsFile {place}known\nStrictHostKeyChecking no\n"
    );
    let servers = names.map(|name| {
        let port = free_port();
        known += &format!("Host {name}\nPort {port}\n");
        fs::create_dir(folder.join(name)).expect("the sandbox is writable");
        kitchen.sandbox.write_program(
            &format!("enter-{name}"),
            format!(
                "#!/bin/sh\ncd {place}{name} && HOME=$PWD PATH={place}bin:$PATH exec sh -c \"$SSH_ORIGINAL_COMMAND\"\n"
            ),
        );
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {place}host\nAuthorizedKeysFile {place}authorized\n\
             PidFile none\nStrictModes no\nUsePAM no\nLogLevel FATAL\nSubsystem sftp /usr/lib/openssh/sftp-server\n\
             ForceCommand {place}enter-{name}\n"
        );
        kitchen.sandbox.write(format!("sshd-{name}"), config);
        kitchen.serve(port, &format!("$(command -v sshd) -D -e -f {place}sshd-{name}"))
    });
    kitchen.sandbox.write("ssh_config", known);
    for program in ["ssh", "sftp"] {
        let real = which(program).expect("it is installed");
        let script = format!("#!/bin/sh\nexec {} -F {place}ssh_config \"$@\"\n", real.display());
        kitchen.sandbox.write_program(&format!("bin/{program}"), script);
    }
    servers
}

/// Whether there is an SSH server, which Debian keeps out of users' search path.
fn has_sshd() -> bool {
    let there = which("sshd").is_some() || PathBuf::from("/usr/sbin/sshd").exists();
    if !there {
        skip("not installed: [\"sshd\"]");
    }
    there
}

#[test]
fn files_go_to_another_host_and_back() {
    let Some(kitchen) = Kitchen::with(&["ssh", "sftp", "ssh-keygen", "tar"]) else { return };
    if !has_sshd() {
        return;
    }
    let _servers = hosts(&kitchen, ["vault"]);
    kitchen.run("cp friends.txt vault/keys.txt; mkdir etc; seq 10000 >etc/one; seq 5 >etc/two");
    let lines = recipe("ssh vault").replace("/etc", "etc");
    let listed = kitchen.cook(&lines);
    assert_eq!(listed, "etc/\netc/one\netc/two\n");
    let sent = kitchen.sandbox.read("vault/etc.tar.age");
    assert!(sent.starts_with(b"age-encryption.org/v1\n"));

    kitchen.sandbox.write("notes.txt", data(100_000));
    kitchen.cook(&recipe("sftp"));
    kitchen.run("solekey decrypt -i key.txt -c vault/notes.txt.age | cmp - notes.txt");
}

#[test]
fn two_hosts_share_the_work() {
    let Some(kitchen) = Kitchen::with(&["ssh", "ssh-keygen", "parallel", "rsync", "perl"]) else { return };
    if !has_sshd() {
        return;
    }
    let servers = hosts(&kitchen, ["one", "two"]);
    kitchen.run("mkdir -p .parallel photos/a photos/b; touch .parallel/will-cite");
    for number in 0..40 {
        kitchen
            .sandbox
            .write(format!("photos/{}/{number}.jpg", if number % 2 == 0 { "a" } else { "b" }), data(number * 1000));
    }
    // Each host notes what it does.
    for name in ["one", "two"] {
        let place = kitchen.sandbox.path("");
        let script =
            format!("#!/bin/sh\necho \"$@\" >>{0}did-$(basename $PWD)\nexec {SOLEKEY} \"$@\"\n", place.display());
        kitchen.run("rm -f bin/solekey");
        kitchen.sandbox.write_program("bin/solekey", script);
        assert!(!kitchen.sandbox.path(format!("did-{name}")).exists());
    }
    kitchen.cook(&recipe("parallel"));
    assert_eq!(kitchen.run("find photos -name '*.age' | wc -l").trim(), "40");
    kitchen.run("for f in $(find photos -name '*.jpg'); do solekey decrypt -i key.txt -c $f.age | cmp - $f; done");
    let did = kitchen.run("wc -l did-one did-two; find one two -type f");
    assert!(!did.contains(" 0 did") && !did.contains(".jpg"), "{did}");
    record("recipe", &did);
    drop(servers);
}

#[test]
fn a_remote_store_takes_a_stream_and_gives_parts() {
    let Some(kitchen) = Kitchen::with(&["rclone", "fusermount"]) else { return };
    let (port, image) = (free_port(), data(5_000_000));
    kitchen.sandbox.write("disk.img", &image);
    kitchen.run("mkdir served mnt");
    kitchen
        .sandbox
        .write("rclone.conf", format!("[store]\ntype = webdav\nurl = http://127.0.0.1:{port}\nvendor = other\n"));
    let server = kitchen.serve(port, &format!("rclone serve webdav --addr 127.0.0.1:{port} served 2>/dev/null"));
    let config = "export RCLONE_CONFIG=$PWD/rclone.conf\n";
    kitchen.cook(&format!("{config}{}", recipe("rclone rcat")));
    assert_eq!(kitchen.sandbox.read("copy.img"), image);

    if fs::OpenOptions::new().write(true).open("/dev/fuse").is_err() {
        return skip("/dev/fuse cannot be opened");
    }
    let lines = recipe("rclone mount").replace("/mnt/store", "mnt");
    kitchen.cook(&format!("{config}trap 'fusermount -u mnt' EXIT\n{lines}"));
    assert_eq!(kitchen.sandbox.read("part"), &image[2 << 20..(2 << 20) + (64 << 10)]);
    drop(server);
}

#[test]
fn git_shows_what_changed_in_an_encrypted_file() {
    let Some(kitchen) = Kitchen::with(&["git"]) else { return };
    let who = "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org\n";
    kitchen.run(&format!(
        "{who}git init -q; printf 'one\\ntwo\\n' | solekey encrypt -R friends.txt -o notes.txt.age\n\
         git add notes.txt.age; git commit -qm one\n\
         printf 'one\\nthree\\n' | solekey encrypt -f -R friends.txt -o notes.txt.age; git commit -qam two"
    ));
    let shown = kitchen.cook(&recipe("textconv"));
    assert!(shown.ends_with("\n one\n-two\n+three\n"), "{shown}");
}

#[test]
fn a_receipt_is_signed_and_verified() {
    let Some(kitchen) = Kitchen::with(&["ssh-keygen", "sha256sum"]) else { return };
    kitchen.sandbox.write("photos.tar", data(300_000));
    kitchen.run("mkdir .ssh; ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519");
    kitchen.run("echo \"alice@example.org $(cat .ssh/id_ed25519.pub)\" >signers.txt");
    let printed = kitchen.cook(&recipe("-Y verify"));
    assert!(printed.starts_with("Good \"receipt\" signature for alice@example.org"), "{printed}");
    kitchen.run("grep -q $(sha256sum photos.tar.age | cut -d' ' -f1) photos.json");
    // A receipt that was changed.
    let lines = recipe("-Y verify");
    let verify = lines.lines().last().expect("there are lines");
    let forged =
        finish(kitchen.bash(&format!("sed -i s/sha256/sha255/ photos.json; {verify}")).spawn().expect("bash starts"));
    assert_ne!(forged.status, 0, "{forged:?}");
}

#[test]
fn a_printed_code_is_the_key() {
    let Some(kitchen) = Kitchen::with(&["rsvg-convert", "zbarimg"]) else { return };
    kitchen.run("solekey keygen --pq -o pq.txt");
    for key in ["key.txt", "pq.txt"] {
        let lines = recipe("--svg key.svg").replace("key.txt", key).replace("| lp", ">sheet");
        let print = lines.lines().next().expect("there are lines");
        kitchen.cook(&format!("rm -f key.svg; umask 077; {print}"));
        let read = kitchen.run("rsvg-convert -o key.png key.svg; zbarimg -q --raw key.png 2>/dev/null");
        assert_eq!(kitchen.sandbox.text(key).lines().last(), Some(read.trim_end()));
    }
}
