//! Who can be the one that has to act (責任分界点).

use serde::{Deserialize, Serialize};

use crate::words::Text;

/// A party at the border of responsibility. `Unknown` is an honest answer; a wrong accusation is a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// The clinic itself: wiring, hubs, its own settings.
    Clinic,
    /// This box and its settings.
    Box,
    /// The carrier of the line.
    Line,
    /// The provider of a separate internet line.
    Isp,
    /// The provider of the IPsec+IKE connection.
    IpsecProvider,
    /// The qualification service (実施機関).
    Centre,
    /// The qualification terminal and its vendor.
    Terminal,
    /// The receipt computer and its vendor.
    ReceiptComputer,
    /// Who maintains the clinic's computers from afar.
    Maintainer,
    /// Who runs the receipt computer's cloud, with the gateways before it.
    Cloud,
    /// Nothing seen decides it.
    Unknown,
}

impl Party {
    /// Every party, in the order of the path.
    pub const ALL: [Self; 11] = [
        Self::Clinic,
        Self::Box,
        Self::Line,
        Self::Isp,
        Self::IpsecProvider,
        Self::Centre,
        Self::Terminal,
        Self::ReceiptComputer,
        Self::Maintainer,
        Self::Cloud,
        Self::Unknown,
    ];

    /// The name used in the site file and in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Clinic => "clinic",
            Self::Box => "box",
            Self::Line => "line",
            Self::Isp => "isp",
            Self::IpsecProvider => "ipsec-provider",
            Self::Centre => "centre",
            Self::Terminal => "terminal",
            Self::ReceiptComputer => "receipt-computer",
            Self::Maintainer => "maintainer",
            Self::Cloud => "cloud",
            Self::Unknown => "unknown",
        }
    }

    /// The party with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|party| party.key() == key)
    }

    /// What staff call this party.
    pub const fn name(self) -> Text {
        match self {
            Self::Clinic => Text::new("院内の配線・機器", "the clinic's wiring"),
            Self::Box => Text::new("本機", "this box"),
            Self::Line => Text::new("回線事業者", "the line's carrier"),
            Self::Isp => Text::new("プロバイダー", "the internet provider"),
            Self::IpsecProvider => Text::new("IPsec接続事業者", "the IPsec provider"),
            Self::Centre => Text::new("資格確認センター", "the qualification centre"),
            Self::Terminal => Text::new("資格確認端末", "the qualification terminal"),
            Self::ReceiptComputer => Text::new("レセコン", "the receipt computer"),
            Self::Maintainer => Text::new("保守会社", "the maintainer"),
            Self::Cloud => Text::new("レセコンのクラウド", "the receipt computer's cloud"),
            Self::Unknown => Text::new("未確定", "not decided"),
        }
    }
}
