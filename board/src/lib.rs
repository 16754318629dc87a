//! The scene on the lamps, and the boards that show it.
//!
//! [`scene`] is pure: parts in, lights out. A reader of lamps needs no colour, because no two signs of a lamp
//! share a blink ([`model::scene::Sign`]). One board exists so far, so there is no trait yet. [`mod@file`] reads the
//! board files and finds out which board a machine is.

mod button;
pub mod file;
mod scene;
mod simulated;

pub use button::Press;
pub use scene::scene;
pub use simulated::Simulated;
