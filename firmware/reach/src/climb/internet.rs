//! The internet line beside the line. It is looked at in the same looks and says nothing of the line: neither waits for the
//! other's answers, and no fault of it makes the line's hosts be asked more often.

use std::net::Ipv4Addr;
use std::time::Instant as Clock;

use model::{Observation, Rung};
use tokio::time::Instant;

use super::Climber;
use crate::kernel::{Ground4, Port};
use crate::plan::InternetTarget;
use crate::probe::{internet, link};
use crate::who_has::{Answer, Question};

/// What is remembered of it between two looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Internet {
    /// The port, while it has carrier.
    port: Option<Port>,
    /// Our address there and the gateway, while it lends both.
    way: Option<(Ipv4Addr, Ipv4Addr)>,
    /// Since when it lends nothing.
    without: Option<Clock>,
    /// Whether somebody far on it answered when he was asked last.
    beyond: bool,
}

impl Internet {
    /// The port, and what it lends: our address and the gateway.
    pub(super) const fn here(&self) -> (Option<Port>, Option<(Ipv4Addr, Ipv4Addr)>) {
        (self.port, self.way)
    }

    /// Its gateway, asked for by ARP.
    pub(super) fn question(&self) -> Option<Question> {
        let (port, (from, target)) = (self.port?, self.way?);
        Some(Question { port, target, from, expected: true })
    }
}

impl Climber {
    /// Carrier and address, which need nobody's answer; nothing where there is no such line.
    pub(super) async fn internet_own(&mut self) -> Vec<Observation> {
        let Some(InternetTarget { port: name, .. }) = self.plan.internet.clone() else { return Vec::new() };
        let began = Instant::now();
        let found = self.kernel.port(&name).await;
        let carrier = link::probe(&name, &found).at(Rung::InternetLink, None, began);
        let mut looked = vec![self.progress.told(carrier)];
        self.internet.port = found.ok().flatten().filter(|port| port.carrier);
        self.internet.way = None;
        let Some(port) = self.internet.port else {
            (self.internet.without, self.internet.beyond) = (None, false);
            return looked;
        };
        let address = match self.kernel.ground4(port.index).await {
            Ok(ground) => {
                self.internet.way = way(&ground);
                internet::address(&ground, &mut self.internet.without, Clock::now())
            }
            Err(error) => crate::finding::Finding::open(error.to_string()),
        };
        looked.push(self.progress.told(address.at(Rung::InternetAddress, None, began)));
        looked
    }

    /// What its gateway answered to [`Internet::question`].
    pub(super) fn internet_gateway(&self, answer: &Answer, began: Instant) -> Option<Observation> {
        let (_, router) = self.internet.way?;
        Some(internet::gateway(router, answer).at(Rung::InternetGateway, None, began))
    }

    /// Somebody far on it: asked as seldom as other people's hosts, but again in each look while he does not answer.
    pub(super) async fn internet_beyond(&self, far: bool) -> Option<Observation> {
        let internet = self.plan.internet.as_ref().filter(|_| far || !self.internet.beyond)?;
        self.internet.way?;
        let began = Instant::now();
        let found = internet::beyond(&internet.port, &internet.resolvers).await;
        Some(self.progress.told(found.at(Rung::InternetBeyond, None, began)))
    }

    /// Notes whether somebody far on it answered.
    pub(super) fn internet_heard(&mut self, asked: &[Observation]) {
        if let Some(beyond) = asked.iter().find(|seen| seen.rung == Rung::InternetBeyond) {
            self.internet.beyond = beyond.outcome.is_good();
        }
    }

    /// Puts together what was seen of it. What was asked while its cable was out tells nothing of those who were asked.
    pub(super) async fn internet_seen(
        &mut self,
        mut own: Vec<Observation>,
        asked: Vec<Observation>,
    ) -> Vec<Observation> {
        self.internet_heard(&asked);
        if asked.iter().all(|seen| seen.outcome.is_good()) {
            own.extend(asked);
            return own;
        }
        let here = self.internet.here();
        let now = self.internet_own().await;
        let same = self.internet.here() == here;
        now.into_iter().chain(asked.into_iter().filter(|_| same)).collect()
    }
}

/// Our address and the gateway.
fn way(ground: &Ground4) -> Option<(Ipv4Addr, Ipv4Addr)> {
    Some((*ground.addresses.first()?, *ground.routers.first()?))
}
