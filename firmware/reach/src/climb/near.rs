//! What lies nearby and is looked at often: the terminals, by their port, by ARP and by their file sharing.
//!
//! Between two looks a glance asks each of them and the line's router once. It is a reason to look, never evidence: one
//! lost packet is no fault.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use model::{Observation, Rung};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::Climber;
use crate::exchange::PATIENCE;
use crate::kernel::Port;
use crate::probe::{gateway, link, terminal_neighbour, terminal_smb};
use crate::who_has::{self, Question};

/// How long a glance waits for an answer; somebody next door who is well gives it within a few milliseconds.
const GLANCE_PATIENCE: Duration = Duration::from_millis(200);

impl Climber {
    /// Finds the near ports; their carrier needs nobody's answer.
    pub(super) async fn near_ports(&mut self) -> Vec<Observation> {
        let began = Instant::now();
        let found = self.kernel.port(&self.plan.terminal_port).await;
        let carrier = link::probe(&self.plan.terminal_port, &found);
        self.terminals = found.ok().flatten().filter(|port| port.carrier);
        let terminals = self.plan.terminals.iter();
        terminals
            .map(|terminal| carrier.clone().at(Rung::TerminalLink, Some(&terminal.name), began))
            .collect()
    }

    /// Everybody near at once: all of ARP over the one socket, and beside it every file sharing.
    pub(super) async fn near(&self) -> Vec<Observation> {
        let Some(port) = self.terminals else { return Vec::new() };
        let terminals = &self.plan.terminals;
        let sharing = terminals.iter().map(|terminal| async move {
            let began = Instant::now();
            terminal_smb::probe(terminal.address).await.at(Rung::TerminalSmb, Some(&terminal.name), began)
        });
        let began = Instant::now();
        let questions = self.whether_terminals_are_there(port);
        let (answers, sharing) =
            tokio::join!(who_has::ask(&self.arp, &questions, PATIENCE), join_all(sharing));
        let neighbours = terminals.iter().zip(&answers).map(|(terminal, answer)| {
            let finding = terminal_neighbour::finding(terminal.address, answer);
            finding.at(Rung::TerminalNeighbour, Some(&terminal.name), began)
        });
        neighbours.chain(sharing).collect()
    }

    fn whether_terminals_are_there(&self, port: Port) -> Vec<Question> {
        let of = |target| Question { port, target, from: self.plan.own };
        self.plan.terminals.iter().map(|terminal| of(terminal.address)).collect()
    }

    /// Whether somebody near who was well does not answer at once any more.
    pub async fn is_uneasy(&self) -> bool {
        tokio::select! {
            // A cable's word comes first.
            () = self.kernel.changed() => true,
            (one, two, three) = async {
                tokio::join!(self.a_terminal_is_silent(), self.a_share_is_shut(), self.the_router_is_silent())
            } => one || two || three,
        }
    }

    async fn a_terminal_is_silent(&self) -> bool {
        let Some(port) = self.terminals else { return false };
        let questions = self.whether_terminals_are_there(port);
        let answers = who_has::ask(&self.arp, &questions, GLANCE_PATIENCE).await;
        answers.iter().any(|answer| answer.as_ref().is_ok_and(|who| who.is_empty()))
    }

    async fn a_share_is_shut(&self) -> bool {
        let terminals = self.plan.terminals.iter().filter(|_| self.terminals.is_some());
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
