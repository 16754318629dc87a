//! The receipt computer's cloud, over the internet line: its gateway, and who is behind its tunnel. It says nothing of the
//! line either, and no fault of it makes the line's hosts be asked more often.

use model::{Observation, Rung};
use tokio::time::Instant;

use super::Climber;
use crate::plan::CloudTarget;
use crate::probe::{cloud, ike};

/// What is remembered of it between two looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cloud {
    /// Whether all of it held when it was asked last.
    holds: bool,
}

impl Climber {
    /// The gateway by IKE and the services by TCP and TLS: asked as seldom as other people's hosts, but again in each look while
    /// not all of it holds. Without an address on the internet line nobody is asked, and what stands on a tunnel that is not
    /// there is silenced by the ladder.
    pub(super) async fn cloud(&self, far: bool) -> Vec<Observation> {
        let (Some(target), true) = (&self.plan.cloud, self.internet.has_a_way()) else { return Vec::new() };
        if !far && self.cloud.holds {
            return Vec::new();
        }
        let (gateway, services) = tokio::join!(
            self.timed(Rung::CloudIke, ike::probe(Some(&target.port), &target.gateways, ike::IKE)),
            self.services(target),
        );
        [vec![gateway], services].concat()
    }

    async fn services(&self, target: &CloudTarget) -> Vec<Observation> {
        if target.endpoints.is_empty() {
            return Vec::new();
        }
        let began = Instant::now();
        let (door, shown) = cloud::probe(&self.cloud_authorities, &target.endpoints).await;
        let mut looked = vec![self.progress.told(door.at(Rung::CloudTcp, None, began))];
        if target.endpoints.iter().any(|endpoint| endpoint.name.is_some()) {
            looked.push(self.progress.told(shown.at(Rung::CloudTls, None, began)));
        }
        looked
    }

    /// Notes whether it has to be asked again soon.
    pub(super) fn note_cloud(&mut self, asked: &[Observation]) {
        if !asked.is_empty() {
            self.cloud.holds = asked.iter().all(|seen| seen.outcome.is_good());
        }
    }
}
