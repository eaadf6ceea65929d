//! Tests that run the built program as a user would, with one module per group of scenarios.
//!
//! They share one binary, because each additional one would link every dependency again. `cargo test --test cli NAME` runs the
//! module `NAME`.

#[path = "../vectors/cctv.rs"]
mod cctv;
mod requirements;
mod sandbox;
mod texts;

mod backups;
mod completions;
mod damage;
mod defaults;
mod dependencies;
mod drop_in;
mod drop_in_messages;
mod files;
mod inspect;
mod interop;
mod interop_npm;
mod key_files;
mod key_material;
mod keys;
mod limits;
mod memory_forgets;
mod misuse;
mod no_escrow;
mod paper;
mod planted;
mod plugin_sessions;
mod plugins;
mod prompts;
mod readme;
mod receipt;
mod recoded;
mod rekey;
mod reports;
mod salvage;
mod sandboxing;
mod screen;
mod ssh_keys;
mod terminals;
mod trees;
mod updates;
mod vectors;
mod version;
mod wrong_turns;
