//! Power loss: a disk as it was at a moment of a run holds a whole file under each name, or none.
//!
//! The disk is an image that lies on a file system with reflinks, so a copy of it takes a moment. Mounting a copy replays its
//! journal, as after a crash.

use std::{fs, path::Path, process::Child, thread, time::Duration};

use crate::{
    LONG, record,
    requirements::{installed, skip},
    rounds,
    sandbox::{Sandbox, data, finish, is_root},
};

/// Files in a run: more than one group takes.
const FILES: usize = 150;

/// How long the power stays on.
const BETWEEN: Duration = Duration::from_millis(20);

/// A file system on a disk that can lose its power.
struct Disk<'s> {
    sandbox: &'s Sandbox,
    kind: &'static str,
    states: usize,
}

impl<'s> Disk<'s> {
    /// Makes the disk and mounts it at `disk`.
    fn new(sandbox: &'s Sandbox, kind: &'static str) -> Self {
        let make = match kind {
            "ext4" => "mkfs.ext4 -q",
            "xfs" => "mkfs.xfs -q",
            // It tells of new defaults, however quiet.
            _ => ">/dev/null mkfs.btrfs -q",
        };
        sandbox
            .shell(&format!(
                "set -e; mkdir -p host disk; truncate -s 4G host.img; mkfs.xfs -q host.img; mount -o loop host.img host
                 truncate -s 400M host/image; {make} host/image; mount -o loop host/image disk"
            ))
            .is_silent_success();
        Self { sandbox, kind, states: 0 }
    }

    /// Keeps a copy of the disk as it is now.
    fn cut_power(&mut self) {
        self.sandbox.shell(&format!("cp --reflink=always host/image host/{}", self.states)).is_silent_success();
        self.states += 1;
    }

    /// Cuts the power again and again until the program ends, and when it has ended. It may run longer than the attack.
    fn cut_power_during(&mut self, child: Child) {
        let ended = thread::scope(|scope| {
            let ended = scope.spawn(|| finish(child));
            while !ended.is_finished() {
                thread::sleep(BETWEEN);
                if self.states < rounds(4, 30) {
                    self.cut_power();
                }
            }
            ended.join().expect("it does not panic")
        });
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        self.cut_power();
    }

    /// Mounts each copy at `disk`, in order, and calls `check` with whether it is the last one.
    fn each_state(self, mut check: impl FnMut(bool)) -> usize {
        let shell = |script: &str| self.sandbox.shell(script).is_silent_success();
        // Two copies of a file system cannot be mounted at a time.
        shell("umount disk");
        let options = if self.kind == "xfs" { "loop,nouuid" } else { "loop" };
        for state in 0..self.states {
            shell(&format!("mount -o {options} host/{state} disk"));
            check(state + 1 == self.states);
            shell(&format!("umount disk && rm host/{state}"));
        }
        self.states
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = self.sandbox.shell("umount disk; umount host; rm -f host.img");
    }
}

fn plaintext(index: usize) -> Vec<u8> {
    data(50 + 100 * index)
}

/// A sandbox with two keys and `sources/f0` to `sources/f149`, in plain and encrypted to the first key.
fn prepared() -> Option<(Sandbox, String)> {
    if !is_root() || !Path::new("/dev/loop-control").exists() {
        skip("only root can mount a disk from a file, and only if there are loop devices");
        return None;
    }
    let kinds: &[_] = if *LONG { &["mkfs.ext4", "mkfs.xfs", "mkfs.btrfs"] } else { &["mkfs.ext4", "mkfs.xfs"] };
    if !installed(kinds) {
        return None;
    }
    let (sandbox, recipient) = Sandbox::with_key();
    fs::create_dir(sandbox.path("sources")).expect("the folder can be made");
    (0..FILES).for_each(|index| sandbox.write(format!("sources/f{index}"), plaintext(index)));
    sandbox.run(["encrypt", "-r", &recipient, "--recursive", "sources"]).is_silent_success();
    Some((sandbox, recipient))
}

/// Which of the files of a folder exist. Asserts that each holds its plaintext.
fn plain(sandbox: &Sandbox, folder: &str) -> Vec<bool> {
    let holds = |index| match fs::read(sandbox.path(format!("{folder}/f{index}"))) {
        Ok(bytes) => {
            assert!(bytes == plaintext(index), "{folder}/f{index} is not whole");
            true
        }
        Err(_) => false,
    };
    (0..FILES).map(holds).collect()
}

/// Which of the encrypted files of a folder exist. Asserts that each opens to its plaintext.
fn encrypted(sandbox: &Sandbox, folder: &str) -> Vec<bool> {
    let name = |index: usize| format!("{folder}/f{index}.age");
    let exists: Vec<_> = (0..FILES).map(|index| sandbox.path(name(index)).exists()).collect();
    let names: Vec<_> = (0..FILES).filter(|index| exists[*index]).map(name).collect();
    if !names.is_empty() {
        let options = ["decrypt", "-i", "key.txt", "-i", "second.txt", "-O", "opened"].map(str::to_owned);
        sandbox.run(options.into_iter().chain(names)).is_silent_success();
        assert_eq!(plain(sandbox, "opened"), exists);
        fs::remove_dir_all(sandbox.path("opened")).expect("the folder can be removed");
    }
    exists
}

/// Runs a command on `disk/sources`, and checks what the disk holds after a loss of power.
fn attack(sandbox: &Sandbox, kind: &'static str, command: &str) -> usize {
    let mut disk = Disk::new(sandbox, kind);
    let kept = if command.starts_with("encrypt") { "[0-9]" } else { "age" };
    sandbox
        .shell(&format!("mkdir disk/sources && cp sources/*{kept} disk/sources && sync -f disk"))
        .is_silent_success();
    let child = sandbox.command(command.split(' ')).spawn().expect("the program starts");
    disk.cut_power_during(child);
    let (mut named, mut missing) = (0, 0);
    let states = disk.each_state(|is_last| {
        let (sources, outputs) = match command.split(' ').next() {
            Some("encrypt") => (plain(sandbox, "disk/sources"), encrypted(sandbox, "disk/out/sources")),
            Some("decrypt") => (encrypted(sandbox, "disk/sources"), plain(sandbox, "disk/out/sources")),
            // What is rekeyed is both.
            _ => (vec![true; FILES], encrypted(sandbox, "disk/sources")),
        };
        let lost = (0..FILES).find(|index| !sources[*index] && !outputs[*index]);
        assert_eq!(lost, None, "{command} lost a file");
        assert!(!is_last || outputs.iter().all(|exists| *exists), "{command} ended before its outputs were durable");
        named += outputs.iter().filter(|exists| **exists).count();
        missing += outputs.iter().filter(|exists| !**exists).count();
    });
    record(
        "power_loss",
        &format!("{kind}, {command}: {states} states, {named} files named and whole, {missing} absent"),
    );
    states
}

#[test]
fn after_a_loss_of_power_each_name_holds_a_whole_file_or_none() {
    let Some((sandbox, recipient)) = prepared() else { return };
    let second = sandbox.keygen("second.txt");
    let commands = [
        format!("encrypt -T 2 --rm -r {recipient} -O disk/out --recursive disk/sources"),
        format!("encrypt -T 2 -r {recipient} -O disk/out --recursive disk/sources"),
        format!("rekey -T 2 -i key.txt -i second.txt -r {second} --recursive disk/sources"),
        "decrypt -T 2 -i key.txt -O disk/out --recursive disk/sources".to_owned(),
        "decrypt -T 2 --rm -i key.txt -O disk/out --recursive disk/sources".to_owned(),
        format!("encrypt -T 2 --receipt disk/receipt -r {recipient} -O disk/out --recursive disk/sources"),
    ];
    let kinds: &[_] = if *LONG { &["btrfs", "ext4", "xfs"] } else { &["ext4"] };
    let mut states = 0;
    for kind in kinds {
        for command in &commands[..rounds(1, commands.len())] {
            states += attack(&sandbox, kind, command);
        }
    }
    assert!(states > 0);
}

/// The attack would find a copy that is not synced.
#[test]
fn after_a_loss_of_power_a_plain_copy_is_not_there() {
    let Some((sandbox, _)) = prepared() else { return };
    let mut disk = Disk::new(&sandbox, "ext4");
    sandbox.shell("cp -r sources disk/out").is_silent_success();
    disk.cut_power();
    let whole =
        |index| fs::read(sandbox.path(format!("disk/out/f{index}"))).is_ok_and(|bytes| bytes == plaintext(index));
    disk.each_state(|_| assert!(!(0..FILES).all(whole)));
}
