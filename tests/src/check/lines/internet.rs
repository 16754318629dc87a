//! The cases of an internet line beside the line: who leaves by it, and that it takes nothing from the line.

use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};

use super::super::lab::{Lab, PATIENCE};
use super::super::{Case, Outcome, Wrong, must};
use super::cases::{REFUSED, every_rung};
use crate::layout::{INTERNET, SOMEBODY};

/// Where somebody listens on the internet.
const PORT: u16 = 8080;

/// The cases.
pub fn of() -> Vec<Case> {
    vec![
        Case::new("every_rung_is_green", "nothing", every_rung),
        Case::new(
            "the_clinic_leaves_by_the_internet_line_and_the_terminal_does_not",
            "connections of both, seen there",
            leaves,
        ),
        Case::new(
            "an_internet_line_that_was_away_is_taken_up_again",
            "the provider's link goes down and up",
            away,
        ),
        Case::new("in_the_end_every_rung_is_green", "nothing", every_rung),
    ]
}

fn leaves(lab: &mut Lab) -> Outcome {
    for (host, way) in [("clinic", "198.51.100.1"), ("terminal", "192.0.2.1")] {
        lab.exec(host, &["ip", "route", "replace", "default", "via", way])?;
    }
    comes(lab)?;
    must(seen(lab, "terminal")?.is_none(), || "the terminal leaves by the internet line".into())
}

fn away(lab: &mut Lab) -> Outcome {
    lab.exec("isp", &["ip", "link", "set", "i0", "down"])?;
    lab.until("the box has no way there", PATIENCE, || {
        Ok(lab.exec("box", &["ip", "-4", "route", "show", "default"])?.is_empty().then_some(()))
    })?;
    lab.exec("isp", &["ip", "link", "set", "i0", "up"])?;
    comes(lab)
}

/// The clinic reaches somebody there, as the box.
fn comes(lab: &Lab) -> Outcome {
    lab.until("the clinic is seen on the internet as the box", PATIENCE, || {
        let own = lab.exec("box", &["ip", "-4", "-o", "address", "show", "dev", INTERNET])?;
        let own = own.split_whitespace().nth(3).and_then(|word| word.split('/').next()?.parse().ok());
        Ok((own.is_some() && seen(lab, "clinic")? == own).then_some(()))
    })
}

/// As whom somebody there sees a host that opens a connection to him.
fn seen(lab: &Lab, host: &str) -> Result<Option<Ipv4Addr>, Wrong> {
    let somebody: Ipv4Addr = SOMEBODY.parse().map_err(|_| Wrong(format!("{SOMEBODY} is no address")))?;
    let listener = lab.clinic().inside("isp", || TcpListener::bind((somebody, PORT)))??;
    listener.set_nonblocking(true)?;
    let tried =
        lab.clinic().inside(host, || TcpStream::connect_timeout(&(somebody, PORT).into(), REFUSED))?;
    let heard = listener.accept();
    drop(tried);
    Ok(heard.ok().and_then(|(_, sender)| match sender.ip() {
        IpAddr::V4(sender) => Some(sender),
        IpAddr::V6(_) => None,
    }))
}
