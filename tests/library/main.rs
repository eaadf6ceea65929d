//! The library, without the program, and the sources themselves. It also builds where there is no Unix.
//!
//! One program, because each further one would link all dependencies again. `cargo test --test library NAME` runs the module
//! `NAME`.

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
