//! The built program, run as a user runs it: one module per family of scenarios.
//!
//! One program, because each further one would link all dependencies again. `cargo test --test cli NAME` runs the module `NAME`.

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
mod files;
mod inspect;
mod interop;
mod interop_npm;
mod keys;
mod memory_forgets;
mod no_escrow;
mod plugins;
mod prompts;
mod readme;
mod receipt;
mod recoded;
mod rekey;
mod salvage;
mod sandboxing;
mod vectors;
mod version;
