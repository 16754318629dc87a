//! The clinic's consent to remote maintenance. Closed is the normal state: no interface, no rule, no route.
//!
//! [`Consent`] thinks (state, event, now -> effects) and [`Room`] carries out, through [`Doors`]. What must survive is
//! the record alone (`entry.rs`): a chain of entries, of which the sessions are made again at every start. A consent does
//! not outlive the process that holds it: a session without an end in the record was ended by a crash or a reboot.

mod entry;
mod past;
mod pin;
mod record;
mod room;
mod state;
mod tries;

#[cfg(test)]
mod tests;

pub use entry::Entry;
pub use past::Past;
pub use pin::Keeper;
pub use record::{Record, folder};
pub use room::{Ask, Doors, Look, Room, Source, kernel};
pub use state::{Consent, Effect, Event, Now};
