//! The terminal's segment: what the line gives is given on, and follows its changes.
//!
//! Two lives. [`run`] belongs to who may change the kernel: it looks at the line by rtnetlink, keeps the routes to the terminals'
//! addresses, writes radvd's configuration, and says which addresses are the terminals'. [`answer`] belongs to who may not,
//! because it reads what strangers send: on a line where line and terminals share one /64 it answers for the terminals'
//! addresses there (in the manner of RFC 4389), and finds out which those are. [`state`] and [`answer::state`] are pure.

pub mod answer;
mod error;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod kernel;
pub mod names;
pub mod radvd;
mod run;
pub mod state;

pub use error::Error;
pub use run::{Outward, Told, run};
pub use state::{Kind, Plan};
