//! The virtual clinic itself: what it makes is really there, what it takes down is really gone. Needs root.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod board;
mod box_faults;
mod faults;
mod felt;
mod internet_faults;
mod life;
mod on_the_box;
mod parts;
mod scene;
mod terminal_faults;
mod wire;
