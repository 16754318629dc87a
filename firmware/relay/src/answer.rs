//! An answer's road, without files: `(state, event) -> (state, effect)`. Answers arrive at least once and are
//! seen once.
//!
//! Copied into our own `arriving` folder, flushed and read back; then recorded by the hash of name and bytes,
//! durably; then shown by one rename into the clinic's folder that replaces nothing; then removed on the terminal.
//! A recorded copy that still lies in `arriving` has not been shown, and the rename can succeed only once. A
//! recorded copy that does not lie there was shown, collected or not: what the terminal still has is removed.

/// Where an answer is on its road.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// On the terminal.
    Lying,
    /// Being copied into `arriving`.
    Copying,
    /// The copy is complete; its record is being written.
    Recording,
    /// Recorded; being renamed into the clinic's folder.
    Showing,
    /// Recorded; the clinic's folder has an uncollected file of this name, or cannot be written.
    Blocked,
    /// Shown; being removed on the terminal.
    Removing,
    /// Over.
    Arrived,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Whole, and never seen before.
    New,
    /// Recorded and shown before.
    Known,
    /// The effect asked for was carried out.
    Done,
    /// It failed.
    Failed,
    /// The clinic's folder may have room now.
    Again,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Copy into `arriving`, flush, read back.
    Copy,
    /// Append the hash to the log, durably.
    Record,
    /// Rename into the clinic's folder, replacing nothing.
    Show,
    /// Remove on the terminal, if it is still the file that was read.
    Remove,
}

impl Effect {
    /// In which order effects are carried out for several files at once: so that all have caught up, and share a
    /// flush, before the next one.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Copy => 0,
            Self::Record => 1,
            Self::Show => 2,
            Self::Remove => 3,
        }
    }
}

/// Where a whole file begins. `recorded`: its very bytes were recorded before; `waiting`: recorded copies of it are
/// still waiting to be shown.
pub const fn begin(recorded: bool, waiting: bool) -> (State, Option<Event>) {
    match (recorded, waiting) {
        (true, true) => (State::Blocked, None),
        (true, false) => (State::Lying, Some(Event::Known)),
        (false, _) => (State::Lying, Some(Event::New)),
    }
}

/// One step. An event that means nothing in a state changes nothing.
pub const fn step(state: State, event: Event) -> (State, Option<Effect>) {
    match (state, event) {
        (State::Lying, Event::New) => (State::Copying, Some(Effect::Copy)),
        (State::Blocked, Event::Again) | (State::Recording, Event::Done) => {
            (State::Showing, Some(Effect::Show))
        }
        (State::Lying, Event::Known) | (State::Showing, Event::Done) => {
            (State::Removing, Some(Effect::Remove))
        }
        (State::Copying, Event::Done) => (State::Recording, Some(Effect::Record)),
        // A copy without a record is nobody's: it is begun again from the terminal, which still has the file.
        (State::Copying | State::Recording | State::Removing, Event::Failed) => (State::Lying, None),
        (State::Showing, Event::Failed) => (State::Blocked, None),
        (State::Removing, Event::Done) => (State::Arrived, None),
        (state, _) => (state, None),
    }
}

#[cfg(test)]
mod tests;
