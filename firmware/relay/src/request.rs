//! A request's road, without files: `(state, event) -> (state, effect)`. Requests are submitted at most once.
//!
//! Staged on the terminal under a temporary name; then decided by moving the source into our own `attempted`
//! folder, durably; then published by one rename that replaces nothing. Before the decision everything may be
//! thrown away and begun again. After it nothing is staged again: as long as the staged file lies there, it has
//! not been submitted, and the rename can succeed only once. Its absence says that it was.

use model::parcel::HeldReason;

/// Where a request is on its road.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the clinic's folder.
    Lying,
    /// A copy is being made on the terminal, under a temporary name.
    Staging,
    /// The copy is there; the source is being moved to `attempted`.
    Deciding,
    /// Decided; the staged file is being renamed.
    Publishing,
    /// Decided; whether the rename happened has to be seen on the terminal.
    Doubtful,
    /// Seen staged after an unclear or forgotten rename; being renamed.
    Republishing,
    /// The rename is known to have happened; that is being noted.
    Noting,
    /// Submitted; the source is kept until the answer came or its time is over.
    Submitted,
    /// A person has to look at it; the file lies in `attempted`.
    Held(HeldReason),
    /// Over: nothing of it is left here.
    Settled,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The file is whole and young enough.
    Ripe,
    /// The effect asked for was carried out.
    Done,
    /// The effect asked for failed, and it is certain that it has no consequence.
    Failed,
    /// Whether the effect was carried out cannot be known from here.
    Unclear,
    /// The rename was refused: a file of this name lies there.
    NameTaken,
    /// The staged file lies on the terminal.
    StagedIsThere,
    /// The staged file does not lie on the terminal.
    StagedIsGone,
    /// The staging folder is not the one the file was staged in: the terminal lost its state.
    OtherFolder,
    /// The answer stands in the clinic's share.
    Answered,
    /// The time to live is over.
    TimeOver,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Copy the bytes to the terminal under the temporary name, flush, read back.
    Stage,
    /// Move the source to `attempted`, durably.
    Decide,
    /// Rename the staged file to its own name, replacing nothing.
    Publish,
    /// Write what is now certain into the entry's name, durably.
    Note(Mark),
    /// Remove the entry.
    Settle,
}

impl Effect {
    /// In which order effects are carried out for several files at once: so that all have caught up, and share a
    /// flush, before the next one.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Stage => 0,
            Self::Decide => 1,
            Self::Publish => 2,
            Self::Note(_) => 3,
            Self::Settle => 4,
        }
    }
}

/// What a look at the end's staging folder says of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its staged file lies there.
    pub staged: bool,
    /// The folder is not the one that is known: it or the machine it lies on came anew.
    pub other_folder: bool,
    /// The request's time to live is over.
    pub over: bool,
}

/// What that means in a state; none if it means nothing. What is not in doubt is only checked against a rename that
/// the end took back.
pub const fn found(state: State, found: Found) -> Option<Event> {
    match (state, found) {
        (State::Doubtful, Found { other_folder: true, .. }) => Some(Event::OtherFolder),
        (State::Doubtful, Found { staged: true, over: true, .. }) => Some(Event::TimeOver),
        (State::Doubtful, Found { staged: false, .. }) => Some(Event::StagedIsGone),
        (_, Found { staged: true, other_folder: false, .. }) => Some(Event::StagedIsThere),
        _ => None,
    }
}

/// What an entry in `attempted` says by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Decided: the staged file tells whether it was submitted.
    Decided,
    /// Submitted.
    Submitted,
    /// Held for this reason.
    Held(HeldReason),
}

impl Mark {
    /// The letter in the entry's name.
    pub const fn letter(self) -> char {
        match self {
            Self::Decided => 'd',
            Self::Submitted => 's',
            Self::Held(HeldReason::NameTaken) => 'n',
            Self::Held(HeldReason::TooOld) => 'o',
            Self::Held(HeldReason::Uncertain) => 'u',
            // What a person decides about is taken in hand with its reason.
            Self::Held(HeldReason::UnknownKind) => 'k',
            Self::Held(HeldReason::BadName) => 'b',
            Self::Held(HeldReason::Empty) => 'e',
            Self::Held(HeldReason::TooLarge) => 'l',
            Self::Held(HeldReason::HalfWritten) => 'h',
            Self::Held(HeldReason::NotAFile) => 'f',
            Self::Held(HeldReason::NoEnd) => 'g',
            Self::Held(HeldReason::NotCollected) => 'c',
        }
    }

    /// The mark with this letter.
    pub const fn from_letter(letter: char) -> Option<Self> {
        match letter {
            'd' => Some(Self::Decided),
            's' => Some(Self::Submitted),
            'n' => Some(Self::Held(HeldReason::NameTaken)),
            'o' => Some(Self::Held(HeldReason::TooOld)),
            'u' => Some(Self::Held(HeldReason::Uncertain)),
            'k' => Some(Self::Held(HeldReason::UnknownKind)),
            'b' => Some(Self::Held(HeldReason::BadName)),
            'e' => Some(Self::Held(HeldReason::Empty)),
            'l' => Some(Self::Held(HeldReason::TooLarge)),
            'h' => Some(Self::Held(HeldReason::HalfWritten)),
            'f' => Some(Self::Held(HeldReason::NotAFile)),
            'g' => Some(Self::Held(HeldReason::NoEnd)),
            'c' => Some(Self::Held(HeldReason::NotCollected)),
            _ => None,
        }
    }

    /// Where a request with this mark stands after a restart.
    pub const fn state(self) -> State {
        match self {
            Self::Decided => State::Doubtful,
            Self::Submitted => State::Submitted,
            Self::Held(reason) => State::Held(reason),
        }
    }
}

/// One step. An event that means nothing in a state changes nothing.
pub const fn step(state: State, event: Event) -> (State, Option<Effect>) {
    use HeldReason::{NameTaken, TooOld, Uncertain};
    match (state, event) {
        (State::Lying, Event::Ripe) => (State::Staging, Some(Effect::Stage)),
        (State::Staging, Event::Done) => (State::Deciding, Some(Effect::Decide)),
        // What may lie on the terminal is swept there: no entry speaks of it.
        (State::Staging, Event::Failed | Event::Unclear) | (State::Deciding, Event::Failed) => {
            (State::Lying, None)
        }
        (State::Deciding, Event::Done) => (State::Publishing, Some(Effect::Publish)),
        (State::Publishing | State::Republishing, Event::Done)
        // An earlier rename, asked for and never confirmed, was carried out.
        | (State::Doubtful | State::Republishing, Event::StagedIsGone) => {
            (State::Noting, Some(Effect::Note(Mark::Submitted)))
        }
        (State::Publishing | State::Republishing, Event::Failed | Event::Unclear)
        // Moved, and the flush failed: a cut may take it back or not. The staged file waits for a flush that succeeds.
        | (State::Deciding, Event::Unclear) => (State::Doubtful, None),
        (State::Publishing | State::Republishing, Event::NameTaken) => held(NameTaken),
        // Nobody but us touches the staging folder, and this rename was the only one ever asked for.
        (State::Publishing, Event::StagedIsGone) => held(Uncertain),
        (State::Doubtful, Event::StagedIsThere) => (State::Republishing, Some(Effect::Publish)),
        (State::Doubtful, Event::OtherFolder) => held(Uncertain),
        (State::Doubtful, Event::TimeOver) => held(TooOld),
        // Without the note a restart looks again and finds the same; only this run must not publish any more.
        (State::Noting, Event::Done | Event::Failed | Event::Unclear) => (State::Submitted, None),
        // The rename was taken back by the terminal's file system.
        (State::Submitted, Event::StagedIsThere) => held(Uncertain),
        (State::Submitted, Event::Answered | Event::TimeOver) => (State::Settled, Some(Effect::Settle)),
        (state, _) => (state, None),
    }
}

const fn held(reason: HeldReason) -> (State, Option<Effect>) {
    (State::Held(reason), Some(Effect::Note(Mark::Held(reason))))
}

#[cfg(test)]
mod tests;
