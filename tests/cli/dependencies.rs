//! What the program is made of, as `deny.toml` allows it: no crate that opens connections, and known licences alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, Package, PackageId};
use serde::Deserialize;

use crate::{requirements::installed, sandbox::SOLEKEY};

/// The part of `deny.toml` that this checks without cargo-deny, which takes minutes to build.
#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
    features: Vec<BannedFeatures>,
}

#[derive(Deserialize)]
struct Banned {
    name: String,
}

#[derive(Deserialize)]
struct BannedFeatures {
    #[serde(rename = "crate")]
    name: String,
    deny: BTreeSet<String>,
}

fn rules() -> Rules {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml"));
    let rules: Rules = toml::from_str(&text.expect("the rules are there")).expect("they are well formed");
    assert!(!rules.licenses.allow.is_empty() && !rules.bans.deny.is_empty() && !rules.bans.features.is_empty());
    rules
}

/// Every crate of the lock file that is built for the program or builds it, for any system.
struct Shipped {
    metadata: Metadata,
    nodes: Vec<Node>,
}

impl Shipped {
    fn new() -> Self {
        let mut command = MetadataCommand::new();
        command.manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
        // Without optional features: of these, `openssl` brings a library that can do much more than is asked of it.
        command.other_options(["--locked".to_owned()]);
        let metadata = command.exec().expect("cargo knows the project");
        let resolved = metadata.resolve.as_ref().expect("the dependencies are resolved");
        let all: BTreeMap<&PackageId, &Node> = resolved.nodes.iter().map(|node| (&node.id, node)).collect();
        let mut found = BTreeSet::new();
        let mut next = vec![resolved.root.as_ref().expect("there is one package")];
        while let Some(id) = next.pop() {
            if found.insert(id) {
                let is_shipped = |kind: DependencyKind| kind != DependencyKind::Development;
                let shipped = all[id].deps.iter().filter(|dep| dep.dep_kinds.iter().any(|kind| is_shipped(kind.kind)));
                next.extend(shipped.map(|dep| &dep.pkg));
            }
        }
        let nodes = found.into_iter().map(|id| all[id].clone()).collect();
        Self { metadata, nodes }
    }

    fn packages(&self) -> impl Iterator<Item = (&Node, &Package)> {
        self.nodes.iter().map(|node| (node, &self.metadata[&node.id]))
    }
}

#[test]
fn no_crate_opens_connections() {
    let bans = rules().bans;
    let shipped = Shipped::new();
    let mut names = BTreeSet::new();
    for (node, package) in shipped.packages() {
        let name = package.name.as_str();
        names.insert(name);
        assert!(!bans.deny.iter().any(|banned| banned.name == name), "{name} is banned");
        for banned in bans.features.iter().filter(|banned| banned.name == name) {
            let used: Vec<_> = node.features.iter().filter(|feature| banned.deny.contains(feature.as_str())).collect();
            assert!(used.is_empty(), "{name} with {used:?} is banned");
        }
    }
    // The walk reached what the program is made of, and what is made for other systems alone; of tests it reached nothing.
    for name in ["solekey", "age", "aws-lc-sys", "cc", "rustix", "windows-sys"] {
        assert!(names.contains(name), "{name} is not found");
    }
    assert!(!names.contains("criterion"));
}

#[test]
fn every_crate_has_an_allowed_licence() {
    let allowed = rules().licenses.allow;
    for (_, package) in Shipped::new().packages() {
        let name = &package.name;
        let licence = package.license.as_deref().unwrap_or_else(|| panic!("{name} names no licence"));
        let licence = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX).expect("it is SPDX");
        let is_allowed = |required: &spdx::LicenseReq| {
            required.license.id().is_some_and(|id| required.addition.is_none() && allowed.contains(id.name))
        };
        assert!(licence.evaluate(is_allowed), "{name}: {licence}");
    }
}

#[test]
fn the_program_is_linked_with_no_call_that_opens_a_connection() {
    if !cfg!(target_os = "linux") || !installed(&["nm"]) {
        return;
    }
    let listed = Command::new("nm").args(["-D", "--undefined-only", SOLEKEY]).output().expect("nm starts");
    let listed = String::from_utf8(listed.stdout).expect("symbols are text");
    let called: BTreeSet<_> =
        listed.lines().filter_map(|line| line.split_whitespace().last()?.split('@').next()).collect();
    assert!(called.contains("read"), "{listed}");
    for call in ["socket", "connect", "bind", "listen", "accept", "accept4", "getaddrinfo"] {
        assert!(!called.contains(call), "{call} is linked");
    }
}
