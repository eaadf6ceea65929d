//! The rules. Each returns its violations, one sentence per violation.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::tree::{Target, Tree, Use};

/// The rooms of `src/cli`, lowest first, and the rooms that each may import from besides its own.
const CLI_ROOMS: Rooms = &[
    ("args", &[]),
    ("platform", &["args"]),
    ("terminal", &["args", "platform"]),
    ("files", &["args", "platform", "terminal"]),
    ("keys", &["args", "platform", "terminal", "files"]),
    ("batch", &["args", "platform", "terminal", "files", "keys"]),
    ("commands", &["args", "platform", "terminal", "files", "keys", "batch"]),
    ("drop_in", &["args", "terminal", "files", "keys"]),
    ("version", &[]),
    ("mod", EVERY_ROOM),
    ("fuzzing", EVERY_ROOM),
];

/// The rooms of `src/crypto`, in the same form.
const CRYPTO_ROOMS: Rooms = &[
    ("error", &[]),
    ("secrecy", &[]),
    ("primitives", &["error", "secrecy"]),
    ("parallel", &["error", "secrecy"]),
    ("format", &["error", "secrecy", "primitives", "parallel"]),
    ("keys", &["error", "secrecy", "primitives", "parallel", "format"]),
    ("payload", &["error", "secrecy", "primitives", "parallel", "format", "keys"]),
    ("unlocked", &["error", "secrecy", "primitives", "parallel", "format", "keys", "payload"]),
    ("encrypt", &["error", "secrecy", "primitives", "parallel", "format", "keys", "payload", "unlocked"]),
    ("decrypt", &["error", "secrecy", "primitives", "parallel", "format", "keys", "payload", "unlocked"]),
    ("mod", EVERY_ROOM),
];

type Rooms = &'static [(&'static str, &'static [&'static str])];
const EVERY_ROOM: &[&str] = &["*"];

/// The files and folders that may name each dependency, by a path or in a `use` item.
const OWNERS: &[(&str, &[&str])] = &[
    // The format's recipients and identities.
    ("age", &["crypto/keys/recipient.rs", "crypto/keys/identity.rs", "crypto/keys/x25519.rs", "crypto/keys/ssh/"]),
    ("age_core", &["crypto/"]),
    ("bech32", &["crypto/keys/hybrid.rs", "crypto/keys/plugin_key.rs", "crypto/keys/seed.rs"]),
    ("hpke", &["crypto/keys/hybrid.rs", "crypto/keys/xwing.rs"]),
    ("ml_kem", &["crypto/keys/xwing.rs"]),
    ("rand_core", &["crypto/primitives/mod.rs", "crypto/keys/hybrid.rs", "crypto/keys/xwing.rs"]),
    ("sha3", &["crypto/keys/xwing.rs"]),
    ("x25519_dalek", &["crypto/keys/xwing.rs"]),
    // SSH keys.
    ("aes", &["crypto/primitives/legacy_pem.rs"]),
    ("bcrypt_pbkdf", &["crypto/primitives/openssh_cipher.rs"]),
    ("cbc", &["crypto/primitives/legacy_pem.rs"]),
    ("des", &["crypto/primitives/legacy_pem.rs"]),
    ("md5", &["crypto/primitives/legacy_pem.rs"]),
    ("pkcs8", &["crypto/keys/ssh/private.rs"]),
    ("rsa", &["crypto/keys/ssh/"]),
    // Primitives and encoding.
    ("aws_lc_rs", &["crypto/primitives/aws_lc.rs", "crypto/primitives/openssh_cipher.rs"]),
    ("base64_simd", &["crypto/format/base64.rs", "crypto/format/armor.rs"]),
    ("openssl", &["crypto/primitives/libcrypto.rs"]),
    ("zeroize", &["crypto/secrecy.rs"]),
    // Errors: typed in `crypto`, with advice in `cli`.
    ("anyhow", &["cli/"]),
    ("thiserror", &["crypto/", "cli/terminal/", "cli/keys/plugins/error.rs"]),
    // The terminal. `cli/mod.rs` runs the parser, and `cli/terminal` prints its errors.
    ("anstream", &["cli/terminal/messages/color.rs"]),
    ("bip39", &["cli/terminal/words.rs", "cli/commands/paper/words.rs"]),
    ("qrcode", &["cli/commands/paper/sheet.rs"]),
    ("clap", &["cli/args/", "cli/mod.rs", "cli/terminal/"]),
    ("humantime", &["cli/keys/new_key_file.rs"]),
    ("strsim", &["cli/terminal/messages/similar.rs"]),
    ("indicatif", &["cli/terminal/progress/look.rs", "cli/terminal/progress/mod.rs"]),
    ("rpassword", &["cli/platform/windows.rs"]),
    // Reports derive `Serialize` where they are defined; one file turns them into text.
    ("serde", &["cli/terminal/", "cli/files/", "cli/keys/", "cli/batch/", "cli/commands/"]),
    ("serde_json", &["cli/terminal/json.rs"]),
    // Files and the operating system.
    ("ctrlc", &["cli/platform/signals.rs"]),
    ("landlock", &["cli/platform/sandbox.rs"]),
    ("libc", &["cli/platform/linux.rs", "cli/platform/sandbox.rs"]),
    ("nix", &["cli/platform/held/file_system.rs", "cli/platform/unix.rs"]),
    ("rustix", &["cli/platform/"]),
    ("seccompiler", &["cli/platform/sandbox.rs"]),
    ("signal_hook", &["cli/platform/signals.rs"]),
    ("tempfile", &["cli/files/pending/hidden_name.rs"]),
    ("walkdir", &["cli/files/walk/mod.rs"]),
    ("winapi_util", &["cli/platform/windows.rs"]),
];

/// The files that may read the environment: the start of the program, the default identities, and the search for plugins.
const ENVIRONMENT: &[&str] = &["cli/mod.rs", "cli/keys/default_identities.rs", "cli/keys/plugins/search.rs"];

/// The files that decide who can open a file, and the code that those commands build on.
const DECIDE_RECIPIENTS: &[&str] = &[
    "cli/keys/recipients.rs",
    "cli/keys/public_keys.rs",
    "cli/keys/key_file.rs",
    "cli/commands/encrypt/",
    "cli/commands/session.rs",
];

const OPERATING_SYSTEMS: &[&str] = &["target_os", "target_family", "unix", "windows"];

pub(crate) const MOST_LINES: usize = 320;
pub(crate) const MOST_MODULES: usize = 13;

/// Returns the room of a file: `files` for `cli/files/walk.rs` in the house `cli`, and `mod` for `cli/mod.rs`.
fn room<'a>(file: &'a str, house: &str) -> Option<&'a str> {
    let below = file.strip_prefix(house)?.strip_prefix('/')?;
    Some(below.split('/').next().unwrap_or(below).trim_end_matches(".rs"))
}

/// Every use of another file, with that file.
fn imports(tree: &Tree) -> impl Iterator<Item = (&str, &Use, &str)> {
    uses(tree).filter_map(|(file, used)| match &used.target {
        Target::Item(to) | Target::Module(to) if to != file => Some((file, used, to.as_str())),
        _ => None,
    })
}

/// Every use of another crate, with its full path.
fn externals(tree: &Tree) -> impl Iterator<Item = (&str, &[String])> {
    uses(tree).filter_map(|(file, used)| match &used.target {
        Target::Outside(path) => Some((file, path.as_slice())),
        _ => None,
    })
}

fn uses(tree: &Tree) -> impl Iterator<Item = (&str, &Use)> {
    tree.files.iter().flat_map(|(file, parts)| parts.uses.iter().map(move |used| (file.as_str(), used)))
}

fn is_below(file: &str, places: &[&str]) -> bool {
    places.iter().any(|place| file.starts_with(place))
}

/// One violation for each use of another crate that `is_wrong`.
fn wrong_externals(tree: &Tree, is_wrong: impl Fn(&str, &[String]) -> bool) -> Vec<String> {
    let wrong = externals(tree).filter(|(file, path)| is_wrong(file, path));
    wrong.map(|(file, path)| format!("{file} names {}", path.join("::"))).collect()
}

/// Whether a path is one of these modules of the standard library, or below it.
fn is_std(path: &[String], modules: &[&str]) -> bool {
    path[0] == "std" && path.get(1).is_some_and(|module| modules.contains(&module.as_str()))
}

/// One violation for each path that is wrong as it is written.
fn wrong_spelling(tree: &Tree, is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let wrong = uses(tree).filter(|(_, used)| is_wrong(&used.written));
    wrong.map(|(file, used)| format!("{file} writes {}", used.written)).collect()
}

fn order(tree: &Tree, house: &str, rooms: Rooms) -> Vec<String> {
    let allowed = |name| rooms.iter().find(|(room, _)| *room == name).map(|(_, allowed)| *allowed);
    let strays = tree.files.keys().filter_map(|file| {
        let room = room(file, house)?;
        allowed(room).is_none().then(|| format!("{file} is in no room: {room} is not in the table"))
    });
    let upward = imports(tree).filter_map(|(file, used, to)| {
        let (from, into) = (room(file, house)?, room(to, house)?);
        let allowed = allowed(from)?;
        let is_allowed = from == into || allowed == EVERY_ROOM || allowed.contains(&into);
        (!is_allowed).then(|| format!("{file} uses {} of {to}: {from} may not import {into}", used.written))
    });
    strays.chain(upward).collect()
}

pub(crate) fn order_of_cli(tree: &Tree) -> Vec<String> {
    order(tree, "cli", CLI_ROOMS)
}

pub(crate) fn order_of_crypto(tree: &Tree) -> Vec<String> {
    order(tree, "crypto", CRYPTO_ROOMS)
}

pub(crate) fn parallel_is_plain(tree: &Tree) -> Vec<String> {
    wrong_externals(tree, |file, path| room(file, "crypto") == Some("parallel") && path[0] != "std")
}

pub(crate) fn crypto_is_pure(tree: &Tree) -> Vec<String> {
    let in_crypto = |file: &str| file.starts_with("crypto/");
    let of_cli = |name: &str| {
        OWNERS.iter().any(|(owned, owners)| *owned == name && owners.iter().all(|owner| owner.starts_with("cli/")))
    };
    let mut violations = wrong_externals(tree, |file, path| {
        in_crypto(file) && (is_std(path, &["fs", "env", "path", "process", "os", "net"]) || of_cli(&path[0]))
    });
    let upward = imports(tree).filter(|(file, _, to)| in_crypto(file) && to.starts_with("cli/"));
    violations.extend(upward.map(|(file, used, _)| format!("{file} uses {}", used.written)));
    violations
}

pub(crate) fn cycles(tree: &Tree) -> Vec<String> {
    let reachable: BTreeMap<&str, BTreeSet<&str>> =
        tree.files.keys().map(|file| (file.as_str(), tree.reachable(file).into_keys().collect())).collect();
    let mut seen = BTreeSet::new();
    let mut cycles = Vec::new();
    for (&file, reached) in reachable.iter().filter(|(file, reached)| reached.contains(*file)) {
        // The files that reach each other.
        let knot: BTreeSet<&str> = reached.iter().copied().filter(|other| reachable[other].contains(file)).collect();
        if seen.insert(knot.clone()) {
            let shortest =
                knot.iter().filter_map(|&start| tree.way(start, start)).min_by_key(|way| way.lines().count());
            let ties = knot.iter().flat_map(|&from| {
                let inner = tree.neighbours(from).into_iter().filter(|(to, _)| knot.contains(to));
                inner.map(move |(to, names)| format!("\n      {from} -> {to}: {}", names.join(", ")))
            });
            let (ties, shortest) = (ties.collect::<String>(), shortest.expect("each of them reaches itself"));
            cycles.push(format!("{} files import each other, in short:{shortest}\n    and in full:{ties}", knot.len()));
        }
    }
    cycles
}

pub(crate) fn commands_are_apart(tree: &Tree) -> Vec<String> {
    let between = imports(tree).filter(|(file, _, to)| {
        let (from, into) = (room(file, "cli/commands"), room(to, "cli/commands"));
        from.is_some() && from != Some("mod") && into.is_some() && into != from && into != Some("session")
    });
    between.map(|(file, used, to)| format!("{file} uses {} of {to}", used.written)).collect()
}

pub(crate) fn defaults_open_only(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    let deciding: Vec<&String> = tree.files.keys().filter(|file| is_below(file, DECIDE_RECIPIENTS)).collect();
    for from in &deciding {
        for to in ["cli/keys/keyring.rs", "cli/keys/key_set.rs", "cli/keys/default_identities.rs"] {
            violations.extend(tree.way(from, to).map(|way| format!("{from} reaches {to}:{way}")));
        }
    }
    let named = imports(tree).filter(|(file, used, to)| {
        let is_keyring = is_below(file, DECIDE_RECIPIENTS)
            && (["cli/keys/keyring.rs", "cli/keys/key_set.rs"].contains(to)
                || used.written.split("::").any(|name| name == "Identities"));
        let is_default = *to == "cli/keys/default_identities.rs";
        // keygen writes the default identity, and encrypts to nobody.
        let may_name = ["cli/keys/key_set.rs", "cli/commands/keygen/mod.rs", "cli/mod.rs"];
        is_keyring || is_default && !may_name.contains(file)
    });
    violations.extend(named.map(|(file, used, _)| format!("{file} names {}", used.written)));
    violations
}

/// A rule for files that do not exist would hold whatever the others do.
pub(crate) fn deciding_files_exist(tree: &Tree) -> Vec<String> {
    let missing = DECIDE_RECIPIENTS.iter().filter(|listed| !tree.files.keys().any(|file| file.starts_with(**listed)));
    missing.map(|listed| format!("{listed} decides who can open a file, and there is no such file")).collect()
}

pub(crate) fn one_owner(tree: &Tree, dependencies: &BTreeSet<String>) -> Vec<String> {
    let listed: BTreeSet<String> = OWNERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unlisted = dependencies.difference(&listed).map(|name| format!("{name} is a dependency and not in the table"));
    let gone = listed.difference(dependencies).map(|name| format!("{name} is in the table and not a dependency"));
    let found: BTreeSet<(&str, &str)> = externals(tree).map(|(file, path)| (path[0].as_str(), file)).collect();
    let foreign = found.iter().filter_map(|(name, file)| {
        let (_, owners) = OWNERS.iter().find(|(listed, _)| listed == name)?;
        (!is_below(file, owners)).then(|| format!("{file} names {name}, which belongs to {}", owners.join(", ")))
    });
    let idle = OWNERS.iter().flat_map(|(name, owners)| owners.iter().map(move |owner| (name, owner)));
    let idle =
        idle.filter(|(name, owner)| !found.iter().any(|(used, file)| used == *name && file.starts_with(**owner)));
    let idle = idle.map(|(name, owner)| format!("{owner} owns {name} and does not name it"));
    unlisted.chain(gone).chain(foreign).chain(idle).collect()
}

pub(crate) fn systems_are_apart(tree: &Tree) -> Vec<String> {
    let elsewhere = |file: &str| room(file, "cli") != Some("platform");
    let mut violations = wrong_externals(tree, |file, path| elsewhere(file) && is_std(path, &["os"]));
    for (file, parts) in tree.files.iter().filter(|(file, _)| elsewhere(file)) {
        let words = OPERATING_SYSTEMS.iter().filter(|word| parts.conditions.iter().any(|other| other == *word));
        violations.extend(words.map(|word| format!("{file} has a condition on {word}")));
    }
    violations
}

pub(crate) fn no_grandparents(tree: &Tree) -> Vec<String> {
    wrong_spelling(tree, |written| written.contains("super::super"))
}

pub(crate) fn no_globs(tree: &Tree) -> Vec<String> {
    wrong_spelling(tree, |written| written.ends_with("::*"))
}

pub(crate) fn no_sockets(tree: &Tree) -> Vec<String> {
    wrong_externals(tree, |_, path| match path[0].as_str() {
        "std" => path.iter().any(|name| name == "net"),
        "rustix" => path.get(1).is_some_and(|name| name == "net"),
        "libc" => path.get(1).is_some_and(|name| name == "socket"),
        _ => false,
    })
}

pub(crate) fn environment_is_read_at_the_edge(tree: &Tree) -> Vec<String> {
    wrong_externals(tree, |file, path| is_std(path, &["env"]) && !is_below(file, ENVIRONMENT))
}

pub(crate) fn sizes(tree: &Tree) -> Vec<String> {
    let long = tree.files.iter().filter(|(_, parts)| parts.lines > MOST_LINES);
    let long = long.map(|(file, parts)| format!("{file} has {} lines before its tests", parts.lines));
    let mut folders = BTreeMap::<_, BTreeSet<_>>::new();
    for file in tree.files.keys() {
        for (module, folder) in Path::new(file).ancestors().zip(Path::new(file).ancestors().skip(1)) {
            if !module.ends_with("mod.rs") {
                folders.entry(folder).or_default().insert(module);
            }
        }
    }
    let full = folders.into_iter().filter(|(_, modules)| modules.len() > MOST_MODULES);
    long.chain(full.map(|(folder, modules)| format!("{} has {} modules", folder.display(), modules.len()))).collect()
}
