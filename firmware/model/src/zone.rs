//! Zones: what a port belongs to decides what may pass.

use serde::{Deserialize, Serialize};

use crate::words::Text;

/// A zone of the firewall. A port nobody planned is in none and is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Zone {
    /// The qualification line.
    Wan,
    /// A separate line or session to the internet.
    Isp,
    /// IPsec to the qualification's provider.
    Tunnel,
    /// IPsec to the receipt computer's cloud.
    Cloud,
    /// The qualification terminals.
    Terminal,
    /// Receipt computers, charts, staff.
    Clinic,
    /// Hosts that send the claims.
    Claims,
    /// Printers that clinic and terminals share.
    Printer,
    /// The maintainer, while consent is open.
    Maint,
}

impl Zone {
    /// Every zone.
    pub const ALL: [Self; 9] = [
        Self::Wan,
        Self::Isp,
        Self::Tunnel,
        Self::Cloud,
        Self::Terminal,
        Self::Clinic,
        Self::Claims,
        Self::Printer,
        Self::Maint,
    ];

    /// The zones without which there is no site: each has a port of its own.
    pub const NEEDED: [Self; 3] = [Self::Wan, Self::Terminal, Self::Clinic];

    /// The zones a port of the box may be given; the others are reached by interfaces that are made.
    pub const OF_PORTS: [Self; 6] =
        [Self::Wan, Self::Isp, Self::Terminal, Self::Clinic, Self::Claims, Self::Printer];

    /// The name used in the site file, in set names and in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Wan => "wan",
            Self::Isp => "isp",
            Self::Tunnel => "tunnel",
            Self::Cloud => "cloud",
            Self::Terminal => "terminal",
            Self::Clinic => "clinic",
            Self::Claims => "claims",
            Self::Printer => "printer",
            Self::Maint => "maint",
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
            Self::Isp => Text::new("インターネット", "internet"),
            Self::Tunnel => Text::new("IPsec接続", "IPsec tunnel"),
            Self::Cloud => Text::new("クラウド", "cloud"),
            Self::Terminal => Text::new("資格確認端末", "terminal"),
            Self::Clinic => Text::new("院内", "clinic"),
            Self::Claims => Text::new("請求端末", "claims terminal"),
            Self::Printer => Text::new("プリンタ", "printer"),
            Self::Maint => Text::new("保守", "maintenance"),
        }
    }
}
