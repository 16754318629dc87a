//! What the firewall promises, judged by listeners on the far side and by the prover on what the kernel holds.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use model::part::{Promise, Proof};
use nix::sys::signal::Signal;

use super::super::lab::{Lab, PATIENCE};
use super::super::network::{Reach, came, listen, reach};
use super::super::{Case, Outcome, Wrong, must};
use crate::ShareStatus;

const BOX_CLINIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const BOX_TERMINAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const TERMINAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const CLINIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);
/// A port nothing of ours uses.
const STRANGE: u16 = 4545;

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("the_promises_are_proved_on_what_the_kernel_holds", "sekisho policy prove --live", |lab| {
            let output = lab.verb(&["policy", "prove", "--live", "--json"])?;
            let promises: Result<Vec<Promise>, _> = serde_json::from_slice(&output.stdout);
            proved(&promises.map_err(|error| Wrong(error.to_string()))?)?;
            must(output.status.code() == Some(0), || format!("exit {:?}", output.status.code()))
        }),
        Case::outside("the_box_says_that_its_promises_are_proved", "sekisho status", |lab| {
            let wall =
                lab.snapshot()?.firewall.ok_or_else(|| Wrong::new("nothing is known of the firewall"))?;
            proved(&wall.part.promises)
        }),
        Case::outside(
            "the_clinic_cannot_reach_the_terminal",
            "TCP to 445 and a listener",
            clinic_to_terminal,
        ),
        Case::outside("the_terminal_cannot_reach_the_clinic", "TCP to a listener", terminal_to_clinic),
        Case::outside("the_terminal_cannot_reach_the_boxs_share_or_page", "TCP to 445, 80, 443", |lab| {
            route(lab, "terminal", "198.51.100.0/24", BOX_TERMINAL)?;
            for address in [BOX_TERMINAL, BOX_CLINIC] {
                closed(lab, "terminal", address, &[445, 80, 443, 22, STRANGE])?;
            }
            Ok(())
        }),
        Case::new(
            "the_clinic_cannot_reach_the_boxs_address_on_the_terminals_side",
            "TCP to 445, 80, 443",
            |lab| {
                route(lab, "clinic", "192.0.2.0/24", BOX_CLINIC)?;
                // The page's own ports, which the rules let the clinic reach: only the address forbids it.
                for port in [80, 443] {
                    nothing_comes(lab, "clinic", "box", (BOX_TERMINAL, port).into())?;
                }
                closed(lab, "clinic", BOX_TERMINAL, &[445, STRANGE])
            },
        ),
        Case::outside(
            "the_clinic_reaches_the_share_and_the_page_and_nothing_else",
            "TCP to the box",
            clinic_to_box,
        ),
        Case::new(
            "nobody_on_the_line_can_open_a_connection_to_the_box",
            "TCP to its line address",
            line_to_box,
        ),
        Case::new(
            "nothing_from_the_clinic_leaves_by_the_line",
            "IPv6 TCP to the centre's network",
            clinic_to_line,
        ),
    ]
}

/// What leaves a mark on the box: played at the very end.
pub fn last() -> Vec<Case> {
    vec![
        Case::new("a_rule_deleted_behind_our_back_is_found_by_the_proof", "nft delete rule", behind_our_back),
        Case::new(
            "the_terminal_is_refused_the_share_even_with_the_right_password",
            "smbclient, with the rules and without any",
            with_the_right_password,
        ),
    ]
}

fn proved(promises: &[Promise]) -> Outcome {
    for number in 1..=12 {
        let found = promises.iter().find(|promise| promise.number == number);
        let good = found.is_some_and(|promise| promise.proof == Proof::Proved);
        must(good, || format!("promise {number}: {found:?}"))?;
    }
    Ok(())
}

fn route(lab: &Lab, host: &str, net: &str, via: Ipv4Addr) -> Outcome {
    lab.exec(host, &["ip", "route", "replace", net, "via", &via.to_string()]).map(drop)
}

/// Silence is what is promised: a reset would show that the packet had reached somebody.
fn closed(lab: &Lab, from: &str, address: Ipv4Addr, ports: &[u16]) -> Outcome {
    for port in ports {
        let to = SocketAddr::from((address, *port));
        let seen = reach(lab.clinic(), from, to)?;
        must(seen == Reach::Silent, || format!("{to} is {seen:?} for {from}"))?;
    }
    Ok(())
}

/// A listener on the far side must be reachable from beside it, or its silence proves nothing.
fn nothing_comes(lab: &Lab, from: &str, on: &str, to: SocketAddr) -> Outcome {
    let listener = listen(lab.clinic(), on, to)?;
    let beside = reach(lab.clinic(), on, to)?;
    must(beside == Reach::Open && came(&listener), || format!("the listener on {on} is deaf: {beside:?}"))?;
    let seen = reach(lab.clinic(), from, to)?;
    must(seen == Reach::Silent && !came(&listener), || format!("{to} is {seen:?} for {from}"))
}

fn clinic_to_terminal(lab: &mut Lab) -> Outcome {
    route(lab, "clinic", "192.0.2.0/24", BOX_CLINIC)?;
    route(lab, "terminal", "198.51.100.0/24", BOX_TERMINAL)?;
    nothing_comes(lab, "clinic", "terminal", (TERMINAL, STRANGE).into())?;
    let share = SocketAddr::from((TERMINAL, 445));
    must(reach(lab.clinic(), "terminal", share)? == Reach::Open, || "the terminal's share is not up".into())?;
    closed(lab, "clinic", TERMINAL, &[445])
}

fn terminal_to_clinic(lab: &mut Lab) -> Outcome {
    route(lab, "clinic", "192.0.2.0/24", BOX_CLINIC)?;
    route(lab, "terminal", "198.51.100.0/24", BOX_TERMINAL)?;
    nothing_comes(lab, "terminal", "clinic", (CLINIC, STRANGE).into())
}

fn clinic_to_box(lab: &mut Lab) -> Outcome {
    for port in [445, 80, 443] {
        let to = SocketAddr::from((BOX_CLINIC, port));
        let seen = reach(lab.clinic(), "clinic", to)?;
        must(seen == Reach::Open, || format!("{to} is {seen:?}"))?;
    }
    let deaf = SocketAddr::from((BOX_CLINIC, STRANGE));
    // Somebody who would hear it; on a board nobody can be put there.
    let _listener = if lab.is_board() { None } else { Some(listen(lab.clinic(), "box", deaf)?) };
    closed(lab, "clinic", BOX_CLINIC, &[STRANGE, 22, 139])
}

/// The box's addresses on the line, as `clinic status` has them now.
fn line_addresses(lab: &Lab) -> Result<Vec<std::net::Ipv6Addr>, Wrong> {
    let status = lab.status()?;
    let ports = &status.hosts.get("box").ok_or_else(|| Wrong::new("no box"))?.addresses;
    let addresses = ports.get("wan0").into_iter().flatten();
    let globals = addresses.filter(|address| !address.starts_with("fe80"));
    Ok(globals.filter_map(|address| address.split('/').next()?.parse().ok()).collect())
}

fn line_to_box(lab: &mut Lab) -> Outcome {
    let addresses = line_addresses(lab)?;
    must(!addresses.is_empty(), || "the box has no address on the line".into())?;
    for address in addresses {
        let to = SocketAddr::from((address, STRANGE));
        for from in ["ngn", "centre"] {
            nothing_comes(lab, from, "box", to)?;
            for port in [22, 80, 443, 445, 53] {
                let seen = reach(lab.clinic(), from, (address, port).into())?;
                must(seen == Reach::Silent, || format!("{address} port {port} is {seen:?} for {from}"))?;
            }
        }
    }
    Ok(())
}

/// The clinic's host takes an address of the line's own prefix and the box as its router: the most it can try.
fn clinic_to_line(lab: &mut Lab) -> Outcome {
    let link_local =
        lab.exec("box", &["ip", "-6", "-o", "address", "show", "dev", "lan0", "scope", "link"])?;
    let router = link_local.split_whitespace().skip_while(|word| *word != "inet6").nth(1);
    let router =
        router.and_then(|word| word.split('/').next()).ok_or_else(|| Wrong::new("lan0 has no address"))?;
    lab.exec("clinic", &["ip", "-6", "address", "replace", "2001:db8:0:1::bad/128", "dev", "e0", "nodad"])?;
    lab.exec("clinic", &["ip", "-6", "route", "replace", "default", "via", router, "dev", "e0"])?;
    lab.exec("ngn", &["ip", "-6", "route", "replace", "2001:db8:0:1::bad/128", "dev", "w0"])?;
    let outcome = leaves_nothing(lab);
    lab.exec("ngn", &["ip", "-6", "route", "del", "2001:db8:0:1::bad/128", "dev", "w0"])?;
    lab.exec("clinic", &["ip", "-6", "route", "del", "default"])?;
    lab.exec("clinic", &["ip", "-6", "address", "del", "2001:db8:0:1::bad/128", "dev", "e0"])?;
    outcome
}

fn leaves_nothing(lab: &Lab) -> Outcome {
    let to: SocketAddr = SocketAddr::from(([0x2001, 0xdb8, 0, 0xcc, 0, 0, 0, 0x30], 80));
    must(reach(lab.clinic(), "box", to)? == Reach::Open, || "the distribution host is not up".into())?;
    let seen = reach(lab.clinic(), "clinic", to)?;
    must(seen == Reach::Silent, || format!("the line is {seen:?} for the clinic"))
}

/// The rule that keeps the clinic to the box's clinic address: most others stand before a policy that drops, and a
/// promise does not hang on them.
const LOAD_BEARING: &str = "clinic-input-address:";

fn behind_our_back(lab: &mut Lab) -> Outcome {
    let text = lab.exec("box", &["nft", "-j", "list", "ruleset"])?;
    let ruleset: serde_json::Value = serde_json::from_str(&text).map_err(|error| Wrong(error.to_string()))?;
    let mut rules =
        ruleset["nftables"].as_array().into_iter().flatten().filter_map(|object| object.get("rule"));
    let is_it = |rule: &&serde_json::Value| {
        rule["comment"].as_str().is_some_and(|text| text.starts_with(LOAD_BEARING))
    };
    let rule = rules.find(is_it).ok_or_else(|| Wrong(format!("the kernel holds no rule {LOAD_BEARING}")))?;
    let word = |key: &str| rule[key].as_str().unwrap_or_default().to_owned();
    let (words, handle) = ([word("family"), word("table"), word("chain")], rule["handle"].to_string());
    lab.exec("box", &["nft", "delete", "rule", &words[0], &words[1], &words[2], "handle", &handle])?;
    let code = lab.exit(&["policy", "prove", "--live"])?;
    lab.restart()?;
    must(code == 1, || format!("prove --live exits {code} though a rule is gone"))?;
    lab.until("the ruleset is proved again", PATIENCE, || {
        Ok((lab.exit(&["policy", "prove", "--live"])? == 0).then_some(()))
    })
}

/// Once as it is, where the packets do not come through, and once without our rules, where Samba itself has to refuse.
fn with_the_right_password(lab: &mut Lab) -> Outcome {
    route(lab, "terminal", "198.51.100.0/24", BOX_TERMINAL)?;
    let share = lab.status()?.shares.clinic.ok_or_else(|| Wrong::new("the box serves no share"))?;
    must(is_let_in(lab, &share, "clinic")?, || "the password does not open the share for the clinic".into())?;
    must(!is_let_in(lab, &share, "terminal")?, || "the terminal is let in".into())?;
    // Whoever would put the rules right again is away; Samba is a daemon of its own.
    let netd = lab.hold("netd")?;
    netd.signal(Signal::SIGKILL);
    must(netd.ended(Instant::now() + PATIENCE), || "netd does not die".into())?;
    lab.exec("box", &["nft", "flush", "ruleset"])?;
    let to = SocketAddr::from((BOX_CLINIC, 445));
    let seen =
        reach(lab.clinic(), "terminal", to).map(|reached| (reached, is_let_in(lab, &share, "terminal")));
    lab.restart()?;
    let (reached, let_in) = seen?;
    must(reached == Reach::Open, || format!("without rules {to} is {reached:?} for the terminal"))?;
    must(!let_in?, || "without our rules Samba lets the terminal in".into())
}

/// Whether the share lists its folders for who knows the password.
fn is_let_in(lab: &Lab, share: &ShareStatus, host: &str) -> Result<bool, Wrong> {
    let said = lab.clinic().smbclient_at(host, share, "ls")?;
    Ok(said.status.success() && String::from_utf8_lossy(&said.stdout).contains("req"))
}
