//! What became of the terminals' own requests on their way through the box, as `netd` publishes it. Conclusions only: no
//! address is in it, and no number that changes with every packet.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `netd`: what the terminals' own requests met of late.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowsPart {
    /// Names are asked for elsewhere, again and again, and of no resolver that is right.
    pub asks_elsewhere: bool,
    /// What the connections to the closed network meet, if every one of late failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<Failing>,
}

/// Connections that fail, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// Whether each was refused (a reset); else some stayed without any answer.
    pub refused: bool,
    /// To which TCP ports, in order, at most [`Failing::PORTS`].
    pub ports: Vec<u16>,
}

impl Failing {
    /// So many ports are told.
    pub const PORTS: usize = 4;
}

impl fmt::Display for Failing {
    /// "TCP 80, 443".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        write!(f, "TCP {}", ports.join(", "))
    }
}
