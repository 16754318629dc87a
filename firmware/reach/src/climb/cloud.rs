//! The receipt computer's cloud, over the internet line: its gateway, and who is behind its tunnel. It says nothing of the
//! line either, and the line's looks never wait for it: it is asked beside them, by a clock of its own ([`crate::pace`]), and
//! within a look only where somebody asked for everything.

use std::net::{IpAddr, Ipv4Addr};

use model::{Observation, Outcome, Rung, Symptom};
use tokio::time::Instant;

use super::Climber;
use crate::certificate::Authorities;
use crate::finding::Finding;
use crate::kernel::Port;
use crate::plan::CloudTarget;
use crate::probe::{cloud, ike, internet};
use crate::progress::Progress;

/// What the ladder knows of the cloud when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its tunnel stands.
    pub stands: bool,
    /// Its services were silent.
    pub silent: bool,
}

/// Everything that is needed to ask it, also while looks go on.
#[derive(Clone, Debug)]
pub struct Question {
    target: CloudTarget,
    authorities: Authorities,
    /// Whom else to ask on the internet where nobody behind the tunnel answers.
    resolvers: Vec<IpAddr>,
    known: Known,
    way: Way,
}

/// The port, our address there and the gateway, as they were when it was asked.
type Way = (Option<Port>, Option<(Ipv4Addr, Ipv4Addr)>);

/// What came of it.
#[derive(Debug)]
pub struct Answer {
    /// What was seen.
    pub seen: Vec<Observation>,
    way: Way,
}

impl Answer {
    /// Whether all of it holds.
    pub fn holds(&self) -> bool {
        holds(&self.seen)
    }
}

/// Whether the cloud was asked in this look, and all of it held.
pub fn holds(seen: &[Observation]) -> bool {
    seen.iter().all(|seen| seen.outcome.is_good())
}

impl Question {
    /// Asks beside the looks. Where nobody behind the tunnel answers, somebody else on the internet is asked at the same time:
    /// his word decides whose that is.
    pub async fn beside(self) -> Answer {
        let (progress, beyond) = (Progress::default(), async {
            let began = Instant::now();
            let found = internet::beyond(&self.target.port, &self.resolvers).await;
            (!self.resolvers.is_empty()).then(|| found.at(Rung::InternetBeyond, None, began))
        });
        let seen = self.ask(&progress, beyond).await;
        Answer { seen, way: self.way }
    }

    /// Asks within a look, which asks somebody else on the internet itself.
    async fn within(&self, progress: &Progress) -> Vec<Observation> {
        self.ask(progress, async { None }).await
    }

    /// A gateway whose tunnel stands is not asked: whoever answers behind it speaks for it. Where nobody does, its word tells
    /// whether the way to it holds.
    async fn ask(
        &self,
        progress: &Progress,
        beyond: impl Future<Output = Option<Observation>>,
    ) -> Vec<Observation> {
        let began = Instant::now();
        let neighbours = async { tokio::join!(self.gateway(progress), beyond) };
        if !self.known.stands || self.known.silent {
            let (services, (gateway, beyond)) = tokio::join!(self.services(progress), neighbours);
            return [vec![gateway], services].concat().into_iter().chain(beyond).collect();
        }
        let services = self.services(progress).await;
        if !services.iter().any(is_gone) {
            let spared = Finding::good("its tunnel stands").at(Rung::CloudIke, None, began);
            return [vec![progress.told(spared)], services].concat();
        }
        let (gateway, beyond) = neighbours.await;
        [vec![gateway], services].concat().into_iter().chain(beyond).collect()
    }

    async fn gateway(&self, progress: &Progress) -> Observation {
        let began = Instant::now();
        let found = ike::probe(Some(&self.target.port), &self.target.gateways, ike::IKE).await;
        progress.told(found.at(Rung::CloudIke, None, began))
    }

    async fn services(&self, progress: &Progress) -> Vec<Observation> {
        let target = &self.target;
        if target.endpoints.is_empty() {
            return Vec::new();
        }
        let began = Instant::now();
        let (door, shown) = cloud::probe(&self.authorities, &target.endpoints).await;
        let mut looked = vec![progress.told(door.at(Rung::CloudTcp, None, began))];
        if target.endpoints.iter().any(|endpoint| endpoint.name.is_some()) {
            looked.push(progress.told(shown.at(Rung::CloudTls, None, began)));
        }
        looked
    }
}

/// Nobody said anything at all.
fn is_gone(seen: &Observation) -> bool {
    let silent = Outcome::Bad(Symptom::Silent);
    seen.rung == Rung::CloudTcp && [silent, Outcome::Bad(Symptom::Unreachable)].contains(&seen.outcome)
}

impl Climber {
    /// Whether the site has one.
    pub const fn has_a_cloud(&self) -> bool {
        self.plan.cloud.is_some()
    }

    /// What to ask of the cloud now; nothing without an address on the internet line. What stands on a tunnel that is not there
    /// is silenced by the ladder.
    pub fn cloud_question(&self, known: Known) -> Option<Question> {
        let target = self.plan.cloud.clone()?;
        let resolvers = self.plan.internet.as_ref().map_or_else(Vec::new, |one| one.resolvers.clone());
        let way = self.internet.here();
        way.1?;
        Some(Question { target, authorities: self.cloud_authorities.clone(), resolvers, known, way })
    }

    /// The same within a look that somebody asked for.
    pub(super) async fn cloud(&self, asked: Option<Known>) -> Vec<Observation> {
        match asked.and_then(|known| self.cloud_question(known)) {
            Some(question) => question.within(&self.progress).await,
            None => Vec::new(),
        }
    }

    /// What an answer says: nothing, if the cable was out or the address another one meanwhile.
    pub async fn cloud_answered(&mut self, answer: Answer) -> Vec<Observation> {
        self.internet_own().await;
        if self.internet.here() != answer.way {
            return Vec::new();
        }
        self.internet_heard(&answer.seen);
        answer.seen
    }
}
