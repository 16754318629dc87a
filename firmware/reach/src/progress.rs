//! Tells of a look while it is under way, observation by observation, if somebody listens.

use model::Observation;
use tokio::sync::mpsc;

/// Where the observations of a look are told as they come; nowhere unless somebody asked.
#[derive(Clone, Debug, Default)]
pub struct Progress(Option<mpsc::UnboundedSender<Observation>>);

impl Progress {
    /// Progress that is heard. There are no more observations than rungs, so nothing piles up.
    pub fn heard() -> (Self, mpsc::UnboundedReceiver<Observation>) {
        let (tell, heard) = mpsc::unbounded_channel();
        (Self(Some(tell)), heard)
    }

    /// Tells it, and gives it on.
    pub fn told(&self, seen: Observation) -> Observation {
        // A listener that went away is no reason not to look.
        let _ = self.0.as_ref().map(|tell| tell.send(seen.clone()));
        seen
    }
}
