//! Zones: what a port belongs to decides what may pass.

use serde::{Deserialize, Serialize};

use crate::words::Text;

/// A zone of the firewall. A port nobody planned is in none and is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Zone {
    /// The qualification line.
    Wan,
    /// The qualification terminals.
    Terminal,
    /// Receipt computers, charts, staff.
    Clinic,
}

impl Zone {
    /// Every zone a port may be given.
    pub const ALL: [Self; 3] = [Self::Wan, Self::Terminal, Self::Clinic];

    /// The name used in the site file, in set names and in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Wan => "wan",
            Self::Terminal => "terminal",
            Self::Clinic => "clinic",
        }
    }

    /// The zone with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|zone| zone.key() == key)
    }

    /// What an installer calls this zone.
    pub const fn name(self) -> Text {
        match self {
            Self::Wan => Text::new("回線", "line"),
            Self::Terminal => Text::new("資格確認端末", "terminal"),
            Self::Clinic => Text::new("院内", "clinic"),
        }
    }
}
