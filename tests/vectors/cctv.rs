//! The CCTV test vectors of the age format, all of those in a folder.
//!
//! 123 of them are in the `age` crate's package, which cargo has downloaded anyway. All 143 are in the npm package
//! `cctv-age`: `tests/vectors/fetch.sh DIR` fetches them, and the environment variable `SOLEKEY_CCTV=DIR` makes the tests
//! use them. This project contains none of them.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::read::ZlibDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::requirements::skip;

/// The expected outcome of decrypting a vector's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    Success,
    NoMatch,
    HmacFailure,
    HeaderFailure,
    PayloadFailure,
    ArmorFailure,
}

/// A test vector: a file, its keys and the expected outcome.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) expect: Expect,
    /// SHA-256 of the released bytes, in hexadecimal. Absent for most failures, which release nothing.
    pub(crate) payload: Option<String>,
    pub(crate) identities: Vec<String>,
    pub(crate) passphrases: Vec<String>,
    pub(crate) armored: bool,
    pub(crate) file: Vec<u8>,
}

impl Vector {
    /// Asserts that exactly the right bytes were released.
    pub(crate) fn assert_released(&self, released: &[u8]) {
        let expected = self.payload.clone().unwrap_or_else(|| sha256(b""));
        assert_eq!(sha256(released), expected, "{}: {} bytes were released", self.name, released.len());
    }

    fn parse(path: &Path) -> Self {
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        let content = fs::read(path).expect("the vector can be read");
        let end = content.windows(2).position(|pair| pair == b"\n\n").expect("an empty line ends the vector's header");
        let header = std::str::from_utf8(&content[..end]).expect("the vector's header is text");
        let mut file = content[end + 2..].to_vec();
        let mut vector = Self {
            name,
            expect: Expect::Success,
            payload: None,
            identities: Vec::new(),
            passphrases: Vec::new(),
            armored: false,
            file: Vec::new(),
        };
        for line in header.lines() {
            let (key, value) = line.split_once(": ").expect("a line is a key and a value");
            match key {
                "expect" => vector.expect = expect(value),
                "payload" => vector.payload = Some(value.to_owned()),
                "identity" => vector.identities.push(value.to_owned()),
                "passphrase" => vector.passphrases.push(value.to_owned()),
                "armored" => vector.armored = value == "yes",
                "compressed" => {
                    assert_eq!(value, "zlib");
                    let mut inflated = Vec::new();
                    ZlibDecoder::new(&file[..])
                        .read_to_end(&mut inflated)
                        .expect("the vector says that it is compressed");
                    file = inflated;
                }
                "file key" | "comment" => {}
                other => panic!("{}: unknown key {other}", vector.name),
            }
        }
        vector.file = file;
        vector
    }
}

fn expect(word: &str) -> Expect {
    match word {
        "success" => Expect::Success,
        "no match" => Expect::NoMatch,
        "HMAC failure" => Expect::HmacFailure,
        "header failure" => Expect::HeaderFailure,
        "payload failure" => Expect::PayloadFailure,
        "armor failure" => Expect::ArmorFailure,
        other => panic!("unknown expectation {other}"),
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads all available vectors.
pub(crate) fn all() -> Vec<Vector> {
    let (folder, least) = match std::env::var_os("SOLEKEY_CCTV") {
        Some(folder) => (PathBuf::from(folder), 143),
        None => {
            skip("20 vectors, 19 of them hybrid: run tests/vectors/fetch.sh DIR and set SOLEKEY_CCTV=DIR for them");
            (in_the_age_crate(), 123)
        }
    };
    let entries = fs::read_dir(&folder).expect("the folder of vectors exists");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let vectors: Vec<_> = paths.filter(|path| !hidden(path)).map(|path| Vector::parse(&path)).collect();
    assert!(vectors.len() >= least, "only {} vectors in {}", vectors.len(), folder.display());
    vectors
}

fn in_the_age_crate() -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["metadata", "--offline", "--locked", "--format-version=1"]);
    let output = command.output().expect("cargo starts");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages are listed");
    let age = packages.iter().find(|package| package["name"] == "age").expect("age is a dependency");
    let manifest = Path::new(age["manifest_path"].as_str().expect("a package has a manifest"));
    manifest.with_file_name("tests/testdata/testkit")
}
