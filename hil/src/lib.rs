//! Hardware in the loop: drives a board over its console, ports and power, and judges it from outside.
//!
//! A [`mod@bench`] says as data how a board is reached; [`board`] is the virtual one, a machine of QEMU's in the place of
//! the virtual clinic's box. The cases never know which it is. [`powercut`] is a check of its own, on a smaller machine.

/// The clinic around the bench has one name, so that a run clears away what a killed one left.
pub const NAME: &str = "hil";

pub mod bench;
pub mod board;
pub mod concentrator;
pub mod console;
pub mod image;
pub mod initrd;
pub mod machine;
pub mod powercut;
pub mod qmp;
pub mod receipt;
pub mod results;
pub mod stage;
pub mod stick;
pub mod story;
pub mod tools;
pub mod wire;
