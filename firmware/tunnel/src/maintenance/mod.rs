//! The tunnel that a consent opens: called outward, with certificates on both sides, by a charon of its own that lives
//! no longer than the consent, nor than the process that holds it.

mod called;
pub mod identity;
mod line;
mod way;

pub use line::{Line, Seen};
