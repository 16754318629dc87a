//! An address prefix of either family: `2001:db8::/64`, `192.0.2.0/24`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A prefix. The address keeps its host bits, so that `192.0.2.1/24` is an interface's address too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Prefix {
    /// The address as written.
    pub address: IpAddr,
    /// The prefix's length, bits.
    pub length: u8,
}

impl Prefix {
    /// The address with its host bits cleared.
    pub fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let keep = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V4((u32::from(address) & keep).into())
            }
            IpAddr::V6(address) => {
                let keep = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V6((u128::from(address) & keep).into())
            }
        }
    }

    /// The prefix with its host bits cleared.
    pub fn as_network(&self) -> Self {
        Self { address: self.network(), length: self.length }
    }

    /// Whether an address of the same family lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && Self { address, length: self.length }.network() == self.network()
    }

    /// Whether an IPv4 address can be one machine's in this prefix: it lies in it, and is neither the network's nor
    /// everybody's (RFC 1122 section 3.2.1.3).
    pub fn is_machine(&self, address: Ipv4Addr) -> bool {
        let everybody = u32::MAX.checked_shr(u32::from(self.length)).unwrap_or(0);
        let own = u32::from(address) & everybody;
        self.contains(IpAddr::V4(address))
            && own != 0
            && own != everybody
            && !address.is_loopback()
            && !address.is_multicast()
    }

    /// Whether two prefixes share an address.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.network()) || other.contains(self.network())
    }
}

impl FromStr for Prefix {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, length) = text.split_once('/').ok_or("a prefix is written ADDRESS/LENGTH")?;
        let address: IpAddr = address.parse().map_err(|_| "the part before the slash is not an address")?;
        let length: u8 = length.parse().map_err(|_| "the part behind the slash is not a length")?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        if length > most {
            return Err("the length is more than the address has bits");
        }
        Ok(Self { address, length })
    }
}

impl TryFrom<String> for Prefix {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.to_string()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_lengths_hold() {
        let all: Prefix = "192.0.2.9/0".parse().unwrap();
        assert!(all.contains("203.0.113.1".parse().unwrap()));
        let one: Prefix = "2001:db8::5/128".parse().unwrap();
        assert!(one.contains("2001:db8::5".parse().unwrap()));
        assert!(!one.contains("2001:db8::4".parse().unwrap()));
        assert!("192.0.2.0/33".parse::<Prefix>().is_err());
        assert!("192.0.2.0".parse::<Prefix>().is_err());
    }

    #[test]
    fn families_never_mix() {
        let v4: Prefix = "0.0.0.0/0".parse().unwrap();
        assert!(!v4.contains("2001:db8::1".parse().unwrap()));
    }
}
