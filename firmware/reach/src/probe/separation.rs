//! Who belongs to one zone is not seen in another, and no two of our ports are on one network.
//!
//! Each near port is asked for addresses that must not be there: those of the other zone's machines, and our own at the
//! other port. Our own kernel answers for any of its addresses on any port, so it names the port that heard the question.
//! Whoever also answers for an address that nobody has answers for everybody (RFC 1027) and proves nothing.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use model::Symptom;
use pnet_base::MacAddr;

use crate::finding::Finding;
use crate::who_has::Answer;

/// What one near port was asked for, and who answered.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The port's name.
    pub port: &'a str,
    /// Our own address at the other near port.
    pub ours: &'a Answer,
    /// The machines of the other zone.
    pub others: Vec<(Ipv4Addr, &'a Answer)>,
    /// An address of the other zone that nobody has, where there is one.
    pub nobody: Option<&'a Answer>,
    /// Everything else that was answered at this port: who belongs here.
    pub here: Vec<&'a Answer>,
}

impl Asked<'_> {
    /// Whoever answers for everybody.
    pub fn proxies(&self) -> BTreeSet<MacAddr> {
        self.nobody.into_iter().flatten().flatten().copied().collect()
    }

    fn all(&self) -> impl Iterator<Item = &Answer> {
        let others = self.others.iter().map(|(_, answer)| *answer);
        [self.ours].into_iter().chain(others).chain(self.nobody).chain(self.here.iter().copied())
    }
}

/// What the near ports' answers come to. `ports` are our own ports with their names; `terminals` the link addresses at
/// which the terminals are at home.
pub fn finding(asked: &[Asked<'_>], ports: &[(&str, MacAddr)], terminals: &BTreeSet<MacAddr>) -> Finding {
    let refused = asked.iter().flat_map(Asked::all).find_map(|answer| answer.as_ref().err());
    let found = joined(asked, ports).or_else(|| elsewhere(asked, terminals));
    match (found, refused) {
        (Some(finding), _) => finding,
        (None, Some(refused)) => refused.clone(),
        (None, None) => Finding::good(""),
    }
}

/// One of our own ports answers at another. What answers at a port as that port itself, answers in our name: some switches
/// do.
fn joined(asked: &[Asked<'_>], ports: &[(&str, MacAddr)]) -> Option<Finding> {
    asked.iter().find_map(|asked| {
        let heard = |who: &MacAddr| ports.iter().find(|(name, own)| own == who && *name != asked.port);
        let (name, _) = asked.all().flatten().flatten().find_map(heard)?;
        let said = format!("what goes out of {} comes in at {name}", asked.port);
        Some(Finding::bad(Symptom::Joined, said))
    })
}

/// A machine of one zone answers in the other.
fn elsewhere(asked: &[Asked<'_>], terminals: &BTreeSet<MacAddr>) -> Option<Finding> {
    asked.iter().find_map(|asked| {
        let proxies = asked.proxies();
        asked.others.iter().find_map(|(address, answer)| {
            let who = answer.as_ref().ok()?.difference(&proxies).next()?;
            let whose = if terminals.contains(who) { "the terminal itself" } else { "another link address" };
            let said = format!("{address} answers at {} too, as {who}: {whose}", asked.port);
            Some(Finding::bad(Symptom::Elsewhere, said))
        })
    })
}

#[cfg(test)]
mod tests {
    use model::Outcome;

    use super::*;

    const TERMINAL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
    const PORTS: [(&str, MacAddr); 2] =
        [("term0", MacAddr(2, 0, 0, 0, 0, 1)), ("lan0", MacAddr(2, 0, 0, 0, 0, 2))];
    const SOMEBODY: MacAddr = MacAddr(2, 0, 0, 0, 0, 9);

    fn outcome(ours: &[MacAddr], other: &[MacAddr], nobody: &[MacAddr]) -> Outcome {
        let answer = |who: &[MacAddr]| -> Answer { Ok(who.iter().copied().collect()) };
        let (ours, other, nobody) = (answer(ours), answer(other), answer(nobody));
        let asked = Asked {
            port: "lan0",
            ours: &ours,
            others: vec![(TERMINAL, &other)],
            nobody: Some(&nobody),
            here: Vec::new(),
        };
        finding(&[asked], &PORTS, &BTreeSet::new()).outcome
    }

    #[test]
    fn silence_is_as_it_should_be() {
        assert_eq!(outcome(&[], &[], &[]), Outcome::Good);
    }

    #[test]
    fn a_machine_of_the_other_zone_is_told_from_one_that_answers_for_everybody() {
        assert_eq!(outcome(&[], &[SOMEBODY], &[]), Outcome::Bad(Symptom::Elsewhere));
        assert_eq!(outcome(&[], &[SOMEBODY], &[SOMEBODY]), Outcome::Good);
    }

    #[test]
    fn our_own_port_answers_where_the_wires_are_joined_and_that_comes_first() {
        let (_, term0) = PORTS[0];
        assert_eq!(outcome(&[term0], &[SOMEBODY], &[]), Outcome::Bad(Symptom::Joined));
        assert_eq!(outcome(&[SOMEBODY], &[], &[]), Outcome::Good, "a stranger with our address is no wire");
        let (_, lan0) = PORTS[1];
        assert_eq!(outcome(&[lan0], &[], &[]), Outcome::Good, "a switch that answers for us is no wire");
    }

    #[test]
    fn what_could_not_be_asked_is_not_well() {
        let (silent, shut): (Answer, Answer) = (Ok(BTreeSet::new()), Err(Finding::open("no such port")));
        let asked =
            Asked { port: "lan0", ours: &shut, others: Vec::new(), nobody: Some(&silent), here: Vec::new() };
        assert_eq!(finding(&[asked], &PORTS, &BTreeSet::new()).outcome, Outcome::Open);
    }
}
