//! One look at the ladder: what lies in the box first, then every host at once.

pub mod cloud;
mod internet;
mod near;
mod neighbours;
mod session;

use std::future::Future;
use std::time::Instant as Clock;

use model::{Observation, Rung};
use tokio::time::Instant;

use crate::certificate::Authorities;
use crate::error::Error;
use crate::exchange::PATIENCE;
use crate::finding::Finding;
use crate::kernel::{Kernel, Port};
use crate::lease::{LeaseWatch, Way};
use crate::plan::Plan;
use crate::probe::{
    address, area, centre_tcp, centre_tls, distribution, gateway, ike, large, lease, line_auth, link,
    quality, resolver, router, time,
};
use crate::progress::Progress;
use crate::router::RouterWatch;
use crate::sockets::{Arp, Icmp6, Sockets};

/// So many of the line's routers are asked until one answers.
const ROUTERS_ASKED: usize = 3;

/// The instruments, and what must be remembered between two looks.
#[derive(Debug)]
pub struct Climber {
    plan: Plan,
    authorities: Authorities,
    /// Those of the cloud's services.
    cloud_authorities: Authorities,
    kernel: Kernel,
    advertisements: Icmp6,
    neighbours: Icmp6,
    arp: Arp,
    watch: RouterWatch,
    lease: LeaseWatch,
    /// The line's port while it has carrier.
    line: Option<Port>,
    /// What it was lent, where it is lent something.
    way: Option<Way>,
    /// Where what is seen is told while a look is under way.
    progress: Progress,
    near: near::Ports,
    internet: internet::Internet,
}

impl Climber {
    /// Takes the sockets into the runtime.
    ///
    /// # Errors
    /// [`Error::Authorities`], [`Error::Kernel`], [`Error::Socket`].
    pub fn new(plan: Plan, sockets: Sockets) -> Result<Self, Error> {
        let joined = |source| Error::Socket { purpose: "the runtime", source };
        Ok(Self {
            authorities: Authorities::read(plan.authorities_pem.as_deref())?,
            cloud_authorities: Authorities::read(
                plan.cloud.as_ref().and_then(|cloud| cloud.authorities_pem.as_deref()),
            )?,
            kernel: Kernel::open()?,
            advertisements: Icmp6::new(sockets.advertisements).map_err(joined)?,
            neighbours: Icmp6::new(sockets.neighbours).map_err(joined)?,
            arp: Arp::new(sockets.arp).map_err(joined)?,
            watch: RouterWatch::new(Clock::now()),
            lease: LeaseWatch::new(Clock::now()),
            line: None,
            way: None,
            progress: Progress::default(),
            near: near::Ports::default(),
            internet: internet::Internet::default(),
            plan,
        })
    }

    /// Looks at the near rungs, and with `far` at everybody else's hosts too; at the cloud where somebody asked for everything.
    /// The slowest probe sets the time.
    pub async fn look(
        &mut self,
        far: bool,
        cloud: Option<cloud::Known>,
        progress: Progress,
    ) -> Vec<Observation> {
        self.progress = progress;
        let looked = self.climb(far, cloud).await;
        // Whoever listens hears that nothing more comes.
        self.progress = Progress::default();
        looked
    }

    async fn climb(&mut self, far: bool, cloud: Option<cloud::Known>) -> Vec<Observation> {
        let (mut looked, grounded) = self.own_rungs().await;
        let mut carriers: Vec<Observation> =
            self.near_ports().await.into_iter().map(|seen| self.progress.told(seen)).collect();
        let internet = self.internet_own().await;
        let (gateway, hosts, (mut near, by_arp), beyond, cloud) = tokio::join!(
            when(grounded, self.gateway()),
            // Many probes at once: their state is the heap's.
            Box::pin(when(grounded && far, self.hosts())),
            async {
                let (near, internet) = self.near().await;
                let told = |seen| self.progress.told(seen);
                (near.into_iter().map(told).collect::<Vec<_>>(), internet.map(told))
            },
            self.internet_beyond(far),
            Box::pin(self.cloud(cloud)),
        );
        looked.extend([gateway, hosts].into_iter().flatten());
        // The home gateway is asked with those near, and is of the line.
        looked.extend(near.extract_if(.., |seen| seen.rung == Rung::Gateway));
        self.forget_what_a_lost_session_said(&mut looked).await;
        self.forget_what_a_lost_carrier_said(&mut looked).await;
        self.forget_what_a_near_cable_cut_off(&mut carriers, &mut near).await;
        looked.extend(carriers);
        looked.extend(near);
        let asked = by_arp.into_iter().chain(beyond).chain(cloud).collect();
        looked.extend(self.internet_seen(internet, asked).await);
        looked
    }

    /// What was asked while the cable was out tells nothing of those who were asked; the cable's own word stays.
    async fn forget_what_a_lost_carrier_said(&mut self, looked: &mut Vec<Observation>) {
        let Some(before) = self.line else { return };
        let began = Instant::now();
        let found = self.kernel.port(&self.plan.line_port).await;
        let is_same = |now: &Port| (now.index, now.carrier, now.downs) == (before.index, true, before.downs);
        if found.as_ref().is_ok_and(|port| port.as_ref().is_some_and(is_same)) {
            return;
        }
        let carrier = link::probe(&self.plan.line_port, &found).at(Rung::Link, None, began);
        looked.clear();
        looked.push(carrier);
    }

    /// Whether the kernel tells us nothing any more: only a fresh start helps.
    pub fn is_deaf(&self) -> bool {
        self.kernel.is_closed()
    }

    /// Ends when something says that another look is due: a router, a link, a route, or patience running out.
    pub async fn stirred(&mut self) {
        loop {
            let before = self.watch.standing(Clock::now());
            let due = self.line.and_then(|_| self.due(Clock::now())).map(Instant::from_std);
            tokio::select! {
                () = self.kernel.changed() => return,
                () = sleep_until(due) => return,
                heard = self.advertisements.receive() => {
                    if let (Ok(message), Some(port), true) = (heard, self.line, self.plan.is_advertised()) {
                        address::hear(&message, port.index, &mut self.watch);
                    }
                }
            }
            if self.watch.standing(Clock::now()) != before {
                return;
            }
        }
    }

    fn due(&self, now: Clock) -> Option<Clock> {
        match self.plan.lent {
            true => self.lease.next(now),
            false => self.watch.next(now).filter(|_| self.plan.is_advertised()),
        }
    }

    /// Carrier and address, which need nobody's answer, and whether the rest of the line can be looked at.
    async fn own_rungs(&mut self) -> (Vec<Observation>, bool) {
        let began = Instant::now();
        let found = self.kernel.port(&self.plan.line_port).await;
        let carrier = link::probe(&self.plan.line_port, &found);
        let port = found.ok().flatten().filter(|port| port.carrier);
        let index = |port: Option<Port>| port.map(|port| port.index);
        if port.is_some() && index(port) != index(self.line) {
            self.watch.link_up(Clock::now());
            self.lease.link_up(Clock::now());
        }
        (self.line, self.way) = (port, None);
        let mut looked = vec![self.progress.told(carrier.at(Rung::Link, None, began))];
        let Some(port) = port else { return (looked, false) };
        if let Some(target) = &self.plan.session {
            let (session, stands) = self.session_rungs(target, port).await;
            looked.extend(session);
            return (looked, stands);
        }
        let began = Instant::now();
        let address = self.address(port).await;
        let address = self.progress.told(address.at(Rung::Address, None, began));
        let grounded = address.outcome.is_good();
        looked.push(address);
        (looked, grounded)
    }

    async fn address(&mut self, port: Port) -> Finding {
        if !self.plan.lent {
            return address::probe(&self.kernel, &self.advertisements, &mut self.watch, port).await;
        }
        let (finding, way) = lease::probe(&self.kernel, &mut self.lease, port).await;
        self.way = way;
        finding
    }

    /// The router that advertises itself, and whether it is the only one: both over the one socket.
    async fn gateway(&self) -> Vec<Observation> {
        let began = Instant::now();
        let (Some(port), true) = (self.line, self.plan.is_advertised()) else { return Vec::new() };
        let mut gateway = None;
        // One that fell silent may have a successor, which the kernel finds too.
        for router in self.watch.routers().into_iter().take(ROUTERS_ASKED) {
            let asked = gateway::probe(&self.neighbours, port, router, PATIENCE).await;
            let is_good = asked.outcome.is_good();
            gateway = gateway.filter(|_| !is_good).or(Some(asked));
            if is_good {
                break;
            }
        }
        let Some(gateway) = gateway else { return Vec::new() };
        let gateway = self.progress.told(gateway.at(Rung::Gateway, None, began));
        let began = Instant::now();
        let one = router::probe(&self.neighbours, port, self.watch.rivals()).await;
        vec![gateway, self.progress.told(one.at(Rung::Router, None, began))]
    }

    async fn hosts(&self) -> Vec<Observation> {
        let plan = &self.plan;
        let [one, two] = plan.resolvers;
        let area = async {
            let other = plan.other_area.as_deref()?;
            Some(self.timed(Rung::Area, area::probe(plan, other)).await)
        };
        // A tunnel and a session are their own authentication, and smaller than the line's own packets.
        let by_tunnel = !plan.gateways.is_empty() || plan.session.is_some();
        let line_auth = async {
            if by_tunnel { None } else { Some(self.timed(Rung::LineAuth, line_auth::probe(plan)).await) }
        };
        let large = async {
            if by_tunnel { None } else { Some(self.timed(Rung::LargePackets, large::probe(plan)).await) }
        };
        let two = async {
            if plan.one_resolver {
                return None;
            }
            Some(self.timed(Rung::ResolverTwo, resolver::probe(plan, two)).await)
        };
        let (one, two, line_auth, distribution, area, quality, large, time, centre, gateways) = tokio::join!(
            self.timed(Rung::ResolverOne, resolver::probe(plan, one)),
            two,
            line_auth,
            self.timed(Rung::Distribution, distribution::probe(plan)),
            area,
            self.timed(Rung::Quality, quality::probe(plan)),
            large,
            self.timed(Rung::Time, time::probe(plan)),
            self.centre(),
            self.gateways(),
        );
        let mut looked = vec![one, distribution, quality, time];
        looked.extend([two, line_auth, large].into_iter().flatten());
        looked.extend(gateways);
        looked.extend(area);
        looked.extend(centre);
        looked
    }

    /// The provider's gateways, by both ports; nothing on a line without a tunnel.
    async fn gateways(&self) -> Vec<Observation> {
        if self.plan.gateways.is_empty() {
            return Vec::new();
        }
        let (ike, nat) = tokio::join!(
            self.timed(Rung::Ike, ike::probe(None, &self.plan.gateways, ike::IKE)),
            self.timed(Rung::IkeNat, ike::probe(None, &self.plan.gateways, ike::NAT)),
        );
        vec![ike, nat]
    }

    async fn timed(&self, rung: Rung, probe: impl Future<Output = Finding>) -> Observation {
        let began = Instant::now();
        self.progress.told(probe.await.at(rung, None, began))
    }

    async fn centre(&self) -> [Observation; 2] {
        let began = Instant::now();
        let (tcp, stream) = centre_tcp::probe(&self.plan).await;
        let tcp = self.progress.told(tcp.at(Rung::CentreTcp, None, began));
        let began = Instant::now();
        let tls = match stream {
            Some(stream) => centre_tls::probe(&self.authorities, &self.plan.centre.name, stream).await,
            None => Finding::skipped(),
        };
        [tcp, self.progress.told(tls.at(Rung::CentreTls, None, began))]
    }
}

async fn when(wanted: bool, look: impl Future<Output = Vec<Observation>>) -> Vec<Observation> {
    if wanted { look.await } else { Vec::new() }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
