//! How the box came up: which board it is, in which situation, and what a person has to be told about it.
//! Written once at boot, read by every face; a stick that is refused adds its notice later.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::notice::Notice;
use crate::site::prefix::Prefix;
use crate::words::Text;

/// What the box may do since it came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Situation {
    /// It has a site file that is right: it does its work.
    Site,
    /// As it left the carton: it waits for a stick with a site file.
    Carton,
    /// Something is in the way: it says so on the setup port and does nothing else.
    Closed,
}

impl Situation {
    /// The name in JSON and in class names.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Carton => "carton",
            Self::Closed => "closed",
        }
    }

    /// What a person calls it.
    pub const fn name(self) -> Text {
        match self {
            Self::Site => Text::new("運用中", "in service"),
            Self::Carton => Text::new("設定待ち", "waiting for its settings"),
            Self::Closed => Text::new("停止中", "closed"),
        }
    }
}

/// The port where the setup page is, while there is no site in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The interface.
    pub port: String,
    /// What is printed at it.
    pub label: String,
    /// The box's address on it.
    pub address: Prefix,
}

impl Setup {
    /// The TCP port of the setup page; there is no plain HTTP before a site is in force.
    pub const HTTPS: u16 = 443;

    /// Where a browser finds the setup page.
    pub fn url(&self) -> String {
        url(self.address.address, Self::HTTPS)
    }
}

/// The address of a page as it is typed.
pub fn url(address: IpAddr, port: u16) -> String {
    let host = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    if port == Setup::HTTPS { format!("https://{host}/") } else { format!("https://{host}:{port}/") }
}

/// How the box came up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootPart {
    /// The version of the firmware that runs.
    pub version: String,
    /// The board's name; empty if no board file is this machine's.
    pub board: String,
    /// What tells this box from others of its kind: the serial number, as the machine says it.
    #[serde(default)]
    pub serial: String,
    /// What it may do.
    pub situation: Situation,
    /// What a person has to be told, the reason of the situation first.
    #[serde(default)]
    pub notices: Vec<Notice>,
    /// Where the setup page is; none in service, and none if the box does not know its ports.
    #[serde(default)]
    pub setup: Option<Setup>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_what_a_person_types() {
        let prefix: Prefix = "198.51.100.1/24".parse().unwrap();
        let setup = Setup { port: "lan0".into(), label: "SETUP".into(), address: prefix };
        assert_eq!(setup.url(), "https://198.51.100.1/");
        assert_eq!(url("2001:db8::1".parse().unwrap(), 8443), "https://[2001:db8::1]:8443/");
    }

    #[test]
    fn what_is_written_at_boot_is_read_back_whole() {
        let part = BootPart {
            version: "0.1.0".into(),
            board: "virtual".into(),
            serial: "S1".into(),
            situation: Situation::Closed,
            notices: vec![
                Notice::DataFull,
                Notice::DataNewer { format: 2 },
                Notice::StickRefused { why: crate::notice::Stick::SeveralSiteFiles { count: 10 } },
            ],
            setup: None,
        };
        let text = serde_json::to_string(&part).unwrap();
        assert_eq!(serde_json::from_str::<BootPart>(&text).unwrap(), part);
        assert!(text.contains(r#""is":"data-newer""#), "{text}");
    }
}
