//! Tests of the library, without the program, and of the sources themselves. They also build on systems other than Unix.
//!
//! They form one test binary, because each additional one would link all dependencies again.
//! `cargo test --test library NAME` runs the module `NAME`.

#[path = "../vectors/cctv.rs"]
mod cctv;
mod memory;
#[path = "../cli/requirements.rs"]
mod requirements;
mod watchdog;

mod architecture;
mod boundary_grid;
mod generated;
mod keys;
mod payload;
mod pipes;
mod sequencer_model;
mod vectors;
