//! The virtual clinic: a whole clinic in network namespaces, with the real parts running.
//!
//! The `clinic` program builds and tears it down; tests hold one as [`Clinic`]. What stands around the box and is not
//! ours to run is played by the doubles in [`faux`].

mod change;
pub mod check;
pub mod cli;
mod daemon;
mod error;
mod fault;
pub mod faux;
mod forward;
mod ground;
mod held;
mod host;
mod keeper;
mod layout;
mod line;
mod lives;
mod networkd;
mod plan;
mod process;
mod record;
mod remains;
mod roles;
mod samba;
mod status;
mod terminal;
mod the_box;
mod tools;
mod up;
mod watch;
pub mod wire;

pub use error::Error;
pub use fault::{CATALOGUE, Fault};
pub use held::Clinic;
pub use layout::{Layout, Line, Uplink, Wiring};
pub use plan::TheBox;
pub use status::{BoxStatus, HostStatus, Page, ShareStatus, Shares, Status};
