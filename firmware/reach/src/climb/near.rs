//! What lies nearby and is looked at often: the terminals, by their port, by ARP and by their file sharing; the clinic's
//! port and who is on it.
//!
//! Between two looks a glance asks each of them and the line's router once. It is a reason to look, never evidence: one
//! lost packet is no fault.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use model::{Observation, Rung};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::Climber;
use super::neighbours::Neighbours;
use crate::exchange::PATIENCE;
use crate::kernel::Port;
use crate::probe::{gateway, link, terminal_smb};
use crate::who_has;

/// How long a glance waits for an answer; somebody next door who is well gives it within a few milliseconds.
const GLANCE_PATIENCE: Duration = Duration::from_millis(200);

/// The near ports, while they have carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// The terminals'.
    pub terminals: Option<Port>,
    /// The clinic's.
    pub clinic: Option<Port>,
}

impl Climber {
    /// Finds the near ports; their carrier needs nobody's answer.
    pub(super) async fn near_ports(&mut self) -> Vec<Observation> {
        let began = Instant::now();
        let (of_terminals, of_clinic) = (&self.plan.terminal_port, &self.plan.clinic.port);
        let (terminals, clinic) = (self.kernel.port(of_terminals).await, self.kernel.port(of_clinic).await);
        let carrier = link::probe(of_terminals, &terminals);
        let names = self.plan.terminals.iter().map(|terminal| terminal.name.as_str());
        let carriers = names.map(|name| carrier.clone().at(Rung::TerminalLink, Some(name), began));
        let looked = carriers.chain([link::probe(of_clinic, &clinic).at(Rung::ClinicLink, None, began)]);
        let looked = looked.collect();
        let up = |found: Result<Option<Port>, _>| found.ok().flatten().filter(|port| port.carrier);
        self.near = Ports { terminals: up(terminals), clinic: up(clinic) };
        looked
    }

    /// Everybody near at once: all of ARP over the one socket, the home gateway and the internet line's too, and beside it every
    /// file sharing.
    pub(super) async fn near(&self) -> (Vec<Observation>, Option<Observation>) {
        let terminals = self.plan.terminals.iter().filter(|_| self.near.terminals.is_some());
        let sharing = terminals.map(|terminal| async move {
            let began = Instant::now();
            terminal_smb::probe(terminal.address).await.at(Rung::TerminalSmb, Some(&terminal.name), began)
        });
        let neighbours = Neighbours::of(&self.plan, self.near, self.line, self.way);
        let began = Instant::now();
        let mut questions = neighbours.questions();
        let near = questions.len();
        questions.extend(self.internet.question());
        let asked = who_has::ask(&self.arp, &questions, PATIENCE);
        let (mut answers, sharing) = tokio::join!(asked, join_all(sharing));
        let internet = answers.drain(near..).next();
        let mut looked = neighbours.observations(&answers, began);
        looked.extend(sharing);
        (looked, internet.and_then(|answer| self.internet_gateway(&answer, began)))
    }

    /// What was asked while a cable was out tells nothing of those who were asked.
    pub(super) async fn forget_what_a_near_cable_cut_off(
        &mut self,
        carriers: &mut Vec<Observation>,
        near: &mut Vec<Observation>,
    ) {
        if near.iter().all(|seen| seen.outcome.is_good()) {
            return;
        }
        let before = self.near;
        let now = self.near_ports().await;
        if self.near != before {
            *carriers = now;
            near.clear();
        }
    }

    /// Whether somebody near who was well does not answer at once any more.
    pub async fn is_uneasy(&self) -> bool {
        tokio::select! {
            // A cable's word comes first.
            () = self.kernel.changed() => true,
            (one, two, three) = async {
                tokio::join!(self.a_neighbour_is_silent(), self.a_share_is_shut(), self.the_router_is_silent())
            } => one || two || three,
        }
    }

    async fn a_neighbour_is_silent(&self) -> bool {
        let questions = Neighbours::of(&self.plan, self.near, self.line, self.way).expected();
        let answers = who_has::ask(&self.arp, &questions, GLANCE_PATIENCE).await;
        answers.iter().any(|answer| answer.as_ref().is_ok_and(BTreeSet::is_empty))
    }

    async fn a_share_is_shut(&self) -> bool {
        let terminals = self.plan.terminals.iter().filter(|_| self.near.terminals.is_some());
        join_all(terminals.map(|terminal| is_shut(terminal.address))).await.contains(&true)
    }

    async fn the_router_is_silent(&self) -> bool {
        let (Some(port), Some(router)) = (self.line, self.watch.routers().first().copied()) else {
            return false;
        };
        !gateway::probe(&self.neighbours, port, router, GLANCE_PATIENCE).await.outcome.is_good()
    }
}

async fn is_shut(terminal: Ipv4Addr) -> bool {
    let share = SocketAddr::from((terminal, terminal_smb::SMB));
    !timeout(GLANCE_PATIENCE, TcpStream::connect(share)).await.is_ok_and(|opened| opened.is_ok())
}
