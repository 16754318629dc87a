//! The seven states and their fixed words. Each has a shape, so that no state is told by colour alone.

use model::{Text, Usability};

/// What a thing on the page is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Normal,
    /// Somebody should look.
    Attention,
    /// Broken.
    Fault,
    /// Being looked at; nothing can be said yet.
    Checking,
    /// Switched off on purpose.
    Stopped,
    /// A maintainer works on it.
    Maintenance,
    /// Not seen for too long, or never.
    Unknown,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Normal,
        Self::Attention,
        Self::Fault,
        Self::Checking,
        Self::Stopped,
        Self::Maintenance,
        Self::Unknown,
    ];

    /// The word, always the same one.
    pub const fn word(self) -> Text {
        match self {
            Self::Normal => Text::new("正常", "Normal"),
            Self::Attention => Text::new("注意", "Attention"),
            Self::Fault => Text::new("異常", "Fault"),
            Self::Checking => Text::new("確認中", "Checking"),
            Self::Stopped => Text::new("停止中", "Stopped"),
            Self::Maintenance => Text::new("保守中", "Maintenance"),
            Self::Unknown => Text::new("不明", "Unknown"),
        }
    }

    /// The shape, always the same one.
    pub const fn shape(self) -> &'static str {
        match self {
            Self::Normal => "●",
            Self::Attention => "▲",
            Self::Fault => "■",
            Self::Checking => "◌",
            Self::Stopped => "○",
            Self::Maintenance => "◆",
            Self::Unknown => "?",
        }
    }

    /// The name in class names and addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Attention => "attention",
            Self::Fault => "fault",
            Self::Checking => "checking",
            Self::Stopped => "stopped",
            Self::Maintenance => "maintenance",
            Self::Unknown => "unknown",
        }
    }

    /// The state with this name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }
}

impl From<Usability> for State {
    fn from(usability: Usability) -> Self {
        match usability {
            Usability::Usable => Self::Normal,
            Usability::Partly => Self::Attention,
            Usability::Unusable => Self::Fault,
            Usability::Unknown => Self::Checking,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn shapes_words_and_names_tell_all_states_apart() {
        let count =
            |text: fn(State) -> &'static str| State::ALL.map(text).into_iter().collect::<BTreeSet<_>>().len();
        assert_eq!(count(State::shape), State::ALL.len());
        assert_eq!(count(|state| state.word().ja), State::ALL.len());
        assert_eq!(count(State::key), State::ALL.len());
        assert!(State::ALL.into_iter().all(|state| State::from_key(state.key()) == Some(state)));
    }
}
