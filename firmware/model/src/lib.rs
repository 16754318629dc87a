//! The nouns every room shares. No I/O, no runtime, no clock: a reader can hold all of it in the head.
//!
//! - [`site`]: the one file a clinic is described by, checked as a whole before anything is opened;
//! - [`profile`]: what a line's provider has in common for all clinics (names, resolvers, kinds of files);
//! - [`kind`]: what a parcel may be; [`opening`]: the days that count; [`calendar`]: what is known beforehand;
//! - [`observation`]: what one rung of the ladder saw; [`verdict`]: what follows from it, and whose it is;
//! - [`decision`]: what a person may decide about a parcel that is held;
//! - [`maintenance`]: remote maintenance and the consent to it;
//! - [`drops`]: what the firewall refused; [`ruleset`]: a change of its rules, by a person or behind our back;
//! - [`fault`]: every fault a person can be shown, with its words in Japanese and English;
//! - [`part`]: what each role publishes about itself; [`scene`]: what the lamps show;
//! - [`past`]: what is remembered of the line; [`policy`]: what the firewall says of itself;
//! - [`packet`]: one packet, as the firewall sees it;
//! - [`flows`]: what the terminals' own requests met; [`tunnel`]: the tunnel to the provider;
//! - [`boot`]: how the box came up; [`notice`]: what a person is told about it.

pub mod boot;
pub mod calendar;
pub mod decision;
pub mod drops;
pub mod fault;
pub mod flows;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod kind;
pub mod maintenance;
pub mod notice;
pub mod observation;
pub mod opening;
pub mod packet;
pub mod parcel;
pub mod part;
pub mod party;
pub mod past;
pub mod policy;
pub mod profile;
pub mod ruleset;
pub mod scene;
pub mod segment;
pub mod selftest;
pub mod site;
pub mod tunnel;
pub mod verdict;
pub mod words;
pub mod zone;

pub use calendar::Calendar;
pub use fault::FaultCode;
pub use kind::Kind;
pub use notice::Notice;
pub use observation::{Observation, Outcome, Rung, Symptom};
pub use opening::Opening;
pub use party::Party;
pub use profile::Profile;
pub use site::Site;
pub use verdict::{Certainty, Fault, Usability, Verdict};
pub use words::{Language, Text};
pub use zone::Zone;

/// An instant as the box's own clock had it; UTC, written as RFC 3339.
pub use jiff::Timestamp;
/// A day of the clinic's.
pub use jiff::civil::Date;
