//! A line by PPPoE: whether its session is offered, stands, and has an address. See [`crate::session`].

use std::net::Ipv4Addr;

use model::{Observation, Rung, Timestamp};
use tokio::time::Instant;

use super::Climber;
use crate::finding::Finding;
use crate::kernel::Port;
use crate::plan::SessionTarget;
use crate::session;

impl Climber {
    /// Discovery, session and address, which need nobody's answer now; and whether the rest of the line can be looked at.
    pub(super) async fn session_rungs(&self, target: &SessionTarget, port: Port) -> (Vec<Observation>, bool) {
        let began = Instant::now();
        let own = self.session_address(target).await;
        let said = session::read(&target.said);
        let [discovery, stands] = session::findings(own, said.as_ref(), port.wire(), Timestamp::now());
        let mut looked = vec![
            self.progress.told(discovery.at(Rung::Discovery, None, began)),
            self.progress.told(stands.at(Rung::Session, None, began)),
        ];
        if let Some(own) = own {
            let address = Finding::good(own.to_string());
            looked.push(self.progress.told(address.at(Rung::Address, None, began)));
        }
        (looked, own.is_some())
    }

    /// pppd makes the interface anew with each session and gives it its address when the line has said it.
    async fn session_address(&self, target: &SessionTarget) -> Option<Ipv4Addr> {
        let port = self.kernel.port(&target.interface).await.ok()??;
        self.kernel.ground4(port.index).await.ok()?.addresses.first().copied()
    }

    /// What was asked while the session went tells nothing of those who were asked.
    pub(super) async fn forget_what_a_lost_session_said(&self, looked: &mut Vec<Observation>) {
        let Some(target) = &self.plan.session else { return };
        let (Some(port), true) = (self.line, looked.iter().any(|seen| seen.rung == Rung::Address)) else {
            return;
        };
        let (now, stands) = self.session_rungs(target, port).await;
        if !stands {
            looked.retain(|seen| seen.rung == Rung::Link);
            looked.extend(now);
        }
    }
}
