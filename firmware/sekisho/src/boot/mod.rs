//! How the box comes up: one file a step, in the order of the units. Each step decides in a pure function and
//! acts through a thin adapter.

pub mod part;
