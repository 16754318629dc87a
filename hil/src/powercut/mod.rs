//! `check powercut`: what the relay has promised holds whenever the power goes.
//!
//! [`record`] runs the relay under load in a machine of QEMU's that writes down every write of its disk; [`guest`] is
//! that load. The box's state, the terminal, and what everybody outside remembers lie on partitions of one disk, so
//! that one log orders what all of them saw. [`cut`] chooses moments of it and what the box's disk kept of the writes
//! nobody had flushed; [`replay`] makes those disks, has the product come up on them, and lets everybody outside
//! ([`outside`]) go on as if nothing had happened, until nothing moves any more. [`tally`] counts from outside.
//! What no real file system forgets is played on one that does ([`forgetful`]). [`sabotage`] shows that it can fail: each
//! flush the promises need is left out once.

pub mod carry;
pub mod cut;
pub mod forgetful;
pub mod guest;
pub mod log;
pub mod outside;
pub mod place;
pub mod record;
pub mod replay;
pub mod sabotage;
pub mod tally;

/// The word by which this program is the relay and nothing else.
pub const CARRY: &str = "carry";
/// The word by which it answers a question of the relay's about its history.
pub const HISTORY: &str = "history";
