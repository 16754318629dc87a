//! IPsec (strongSwan over vici) and remote maintenance with consent.
//!
//! - [`provider`]: what a provider asks of a box, one checked file; [`strength`]: which transforms are too weak;
//! - [`psk`], [`certificate`]: what is wrong with a secret, before anything is called;
//! - [`charon`]: how a charon is set; [`connection`]: what it is told; both pure;
//! - [`keep`]: keeps one tunnel up, a pure state machine; [`way`]: the routes that go with it, as text;
//! - [`vici`]: the thin adapter to charon, [`said`]: what its log means; [`room`]: all of it at work;
//! - [`consent`]: the clinic's consent to remote maintenance, and [`maintenance`]: the tunnel that it opens.

pub mod certificate;
pub mod charon;
pub mod connection;
pub mod consent;
pub mod error;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod keep;
mod kernel;
pub mod maintenance;
pub mod provider;
pub mod psk;
pub mod room;
pub mod said;
pub mod strength;
pub mod vici;
pub mod way;

pub use error::Error;
pub use provider::Provider;
pub use room::{Plan, run};
