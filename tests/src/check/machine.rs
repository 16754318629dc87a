//! The box of a lab, as the cases reach it. There are two: sekisho in the clinic's own place for it, and a board on its
//! ports, which can be looked at from outside only.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use model::part::{LinePart, Snapshot};

use super::Wrong;
use crate::{Clinic, ShareStatus};

/// The box.
pub trait Machine: fmt::Debug {
    /// What it says of itself: `sekisho status --json`, or `GET /api/status` from the clinic's zone, which is the same.
    ///
    /// # Errors
    /// Nobody answers.
    fn snapshot(&self, clinic: &Clinic) -> Result<Snapshot, Wrong>;

    /// What it says after a full sweep that ended after this call.
    ///
    /// # Errors
    /// Nobody answers, or no sweep ends in time.
    fn check(&self, clinic: &Clinic) -> Result<LinePart, Wrong>;

    /// The share it serves for the clinic, and an account of it.
    ///
    /// # Errors
    /// It serves none.
    fn share(&self, clinic: &Clinic) -> Result<ShareStatus, Wrong>;

    /// The authority behind the certificate of its HTTPS page.
    ///
    /// # Errors
    /// It has none yet.
    fn authority(&self, clinic: &Clinic) -> Result<PathBuf, Wrong>;

    /// Feels at its own ports what a fault does: a virtual cable ends at a bridge, which keeps its carrier.
    ///
    /// # Errors
    /// The port does not obey.
    fn feel(&self, code: &str, on: bool) -> Result<(), Wrong>;

    /// How long to leave it alone between two askings.
    fn breath(&self) -> Duration;

    /// How many times longer than the lab's own box it may take for anything.
    fn slowness(&self) -> u32;
}
