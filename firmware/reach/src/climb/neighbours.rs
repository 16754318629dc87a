//! The addresses asked for by ARP on the near ports, what each question is for, and what the answers come to. Pure.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use model::{Observation, Rung};
use pnet_base::MacAddr;
use tokio::time::Instant;

use super::near::Ports;
use crate::kernel::Port;
use crate::lease::Way;
use crate::plan::Plan;
use crate::probe::separation::{self, Asked};
use crate::probe::{clinic_address, receipt_computer, terminal_neighbour};
use crate::who_has::{Answer, Question};

/// A near port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Terminals,
    Clinic,
    Line,
}

/// What a question is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Somebody at home here: so many machines of its zone stand before it in the plan.
    Home(usize),
    /// The same machines, at the other port.
    Away(usize),
    /// Our own address at this port: whether somebody else has it.
    Twin,
    /// Our own address at the other port.
    Ours,
    /// An address of the other zone that nobody has.
    Nobody,
    /// One of this zone.
    NobodyHere,
}

/// All that is asked in one look.
#[derive(Debug)]
pub struct Neighbours<'a> {
    plan: &'a Plan,
    ports: Ports,
    line: Option<Port>,
    way: Option<Way>,
    asked: Vec<(Side, Wanted, Question)>,
}

impl<'a> Neighbours<'a> {
    /// What is to be asked at ports that have carrier. `line` is the line's port, `way` what it was lent.
    pub fn of(plan: &'a Plan, ports: Ports, line: Option<Port>, way: Option<Way>) -> Self {
        let mut asked = Vec::new();
        let terminals: Vec<Ipv4Addr> = plan.terminals.iter().map(|one| one.address).collect();
        let consumers: Vec<Ipv4Addr> = plan.clinic.consumers.iter().map(|one| one.address).collect();
        if let Some(port) = ports.terminals {
            asked.extend(homes(Side::Terminals, port, plan.own, &terminals));
            asked.extend(strangers(Side::Terminals, port, plan.own, &consumers, plan.clinic.nobody));
            asked.push((Side::Terminals, Wanted::Ours, probe(port, plan.clinic.own)));
        }
        if let Some(port) = ports.clinic {
            asked.extend(homes(Side::Clinic, port, plan.clinic.own, &consumers));
            asked.push((Side::Clinic, Wanted::Twin, probe(port, plan.clinic.own)));
            let here = plan.clinic.nobody.map(|target| probe(port, target));
            asked.extend(here.map(|question| (Side::Clinic, Wanted::NobodyHere, question)));
            let nobody = plan.clinic.nobody_terminal;
            asked.extend(strangers(Side::Clinic, port, plan.clinic.own, &terminals, nobody));
            asked.push((Side::Clinic, Wanted::Ours, probe(port, plan.own)));
        }
        if let (Some(port), Some(Way { own, router })) = (line, way) {
            asked.extend(homes(Side::Line, port, own, &[router]));
        }
        Self { plan, ports, line, way, asked }
    }

    /// Every question.
    pub fn questions(&self) -> Vec<Question> {
        self.asked.iter().map(|(_, _, question)| *question).collect()
    }

    /// Those that somebody should answer.
    pub fn expected(&self) -> Vec<Question> {
        self.questions().into_iter().filter(|question| question.expected).collect()
    }

    /// What the answers to [`Self::questions`] come to, of a look that began then.
    pub fn observations(&self, answers: &[Answer], began: Instant) -> Vec<Observation> {
        let said = Said { asked: &self.asked, answers };
        let mut looked = Vec::new();
        for (terminal, answer) in self.plan.terminals.iter().zip(said.homes(Side::Terminals)) {
            let finding = terminal_neighbour::finding(terminal.address, answer);
            looked.push(finding.at(Rung::TerminalNeighbour, Some(&terminal.name), began));
        }
        if self.ports.clinic.is_some() {
            looked.extend(self.of_clinic(&said, began));
        }
        if let (Some(way), Some(answer)) = (self.way, said.homes(Side::Line).next()) {
            looked.push(terminal_neighbour::finding(way.router, answer).at(Rung::Gateway, None, began));
        }
        looked
    }

    fn of_clinic(&self, said: &Said<'_>, began: Instant) -> Vec<Observation> {
        let (plan, mut looked) = (self.plan, Vec::new());
        let consumers = &plan.clinic.consumers;
        if !consumers.is_empty() {
            let answers: Vec<&Answer> = said.homes(Side::Clinic).collect();
            let finding = receipt_computer::finding(consumers, &answers);
            looked.push(finding.at(Rung::ReceiptComputer, None, began));
        }
        let terminals: Vec<Ipv4Addr> = plan.terminals.iter().map(|one| one.address).collect();
        let away: Vec<Ipv4Addr> = consumers.iter().map(|one| one.address).collect();
        let sides =
            [(Side::Clinic, &plan.clinic.port, terminals), (Side::Terminals, &plan.terminal_port, away)];
        let asked: Vec<Asked<'_>> =
            sides.into_iter().filter_map(|(side, port, others)| said.at(side, port, &others)).collect();
        let ours = self.our_ports();
        if let Some(answer) = said.find(Side::Clinic, Wanted::Twin) {
            let mut known: BTreeSet<MacAddr> = ours.iter().map(|(_, own)| *own).collect();
            known.extend(asked.iter().flat_map(Asked::proxies));
            // Who answers for everybody in this very zone answers for us as well.
            let here = said.find(Side::Clinic, Wanted::NobodyHere);
            known.extend(here.into_iter().flatten().flatten().copied());
            let finding = clinic_address::finding(plan.clinic.own, answer, &known);
            looked.push(finding.at(Rung::ClinicAddress, None, began));
        }
        let at_home: BTreeSet<MacAddr> = said.homes(Side::Terminals).flatten().flatten().copied().collect();
        looked.push(separation::finding(&asked, &ours, &at_home).at(Rung::Separation, None, began));
        looked
    }

    /// Our own ports by name.
    fn our_ports(&self) -> Vec<(&'a str, MacAddr)> {
        let plan = self.plan;
        let own = |port: Option<Port>| port.map(|port| port.own);
        let ports = [
            (plan.line_port.as_str(), own(self.line)),
            (plan.terminal_port.as_str(), own(self.ports.terminals)),
            (plan.clinic.port.as_str(), own(self.ports.clinic)),
        ];
        ports.into_iter().filter_map(|(name, own)| Some((name, own?))).collect()
    }
}

/// Those who should be there.
fn homes(
    side: Side,
    port: Port,
    from: Ipv4Addr,
    machines: &[Ipv4Addr],
) -> impl Iterator<Item = (Side, Wanted, Question)> {
    let of = move |target: &Ipv4Addr| Question { port, target: *target, from, expected: true };
    machines.iter().map(of).enumerate().map(move |(at, question)| (side, Wanted::Home(at), question))
}

/// Those who should not. Asked in our own name too: a machine that is just taking its address would give it up for a probe
/// (RFC 5227 section 2.1.1).
fn strangers(
    side: Side,
    port: Port,
    from: Ipv4Addr,
    machines: &[Ipv4Addr],
    nobody: Option<Ipv4Addr>,
) -> impl Iterator<Item = (Side, Wanted, Question)> {
    let away = machines.iter().enumerate().map(|(at, target)| (Wanted::Away(at), *target));
    let all = away.chain(nobody.map(|target| (Wanted::Nobody, target)));
    all.map(move |(wanted, target)| (side, wanted, Question { port, target, from, expected: false }))
}

/// Our own address, of which nobody else may think that it is to be had: a probe changes nobody's tables.
const fn probe(port: Port, target: Ipv4Addr) -> Question {
    Question { port, target, from: Ipv4Addr::UNSPECIFIED, expected: false }
}

/// The answers beside what was asked.
struct Said<'a> {
    asked: &'a [(Side, Wanted, Question)],
    answers: &'a [Answer],
}

impl<'a> Said<'a> {
    fn of(&self, side: Side) -> impl Iterator<Item = (Wanted, &'a Answer)> {
        let both = self.asked.iter().zip(self.answers);
        both.filter(move |((at, ..), _)| *at == side).map(|((_, wanted, _), answer)| (*wanted, answer))
    }

    fn find(&self, side: Side, wanted: Wanted) -> Option<&'a Answer> {
        self.of(side).find(|(found, _)| *found == wanted).map(|(_, answer)| answer)
    }

    fn homes(&self, side: Side) -> impl Iterator<Item = &'a Answer> {
        self.of(side).filter(|(wanted, _)| matches!(wanted, Wanted::Home(_))).map(|(_, answer)| answer)
    }

    /// What one side was asked beside those at home; none if it was not.
    fn at(&self, side: Side, port: &'a str, others: &[Ipv4Addr]) -> Option<Asked<'a>> {
        let away = |(at, address): (usize, &Ipv4Addr)| Some((*address, self.find(side, Wanted::Away(at))?));
        Some(Asked {
            port,
            ours: self.find(side, Wanted::Ours)?,
            others: others.iter().enumerate().filter_map(away).collect(),
            nobody: self.find(side, Wanted::Nobody),
            here: self.homes(side).chain(self.find(side, Wanted::Twin)).collect(),
        })
    }
}
