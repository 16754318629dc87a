//! The life that changes the kernel: looks at the line whenever it changes, and lets the segment follow.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use model::segment::SegmentPart;
use model::site::prefix::Prefix;
use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::kernel::Kernel;
use crate::radvd;
use crate::state::{Kind, Plan, Segment, Wanted};

/// Changes come in flocks: one look for all of them.
const BREATH: Duration = Duration::from_millis(50);

/// So often it is looked without a word: what was remembered of a prefix that is gone ends.
const ROUND: Duration = Duration::from_secs(30);

/// While the line gives nothing yet.
const SHORT_ROUND: Duration = Duration::from_secs(5);

/// Which addresses answer on the terminals' side.
#[derive(Debug)]
pub struct Told {
    /// All of them.
    pub addresses: Vec<Ipv6Addr>,
    /// Answered when they may be used: rules and routes have followed.
    pub reply: oneshot::Sender<()>,
}

/// Whom the segment tells. In the product one is the firewall and the other a file that radvd reads.
pub trait Outward {
    /// These are the terminals' addresses on the line, and no others. False: it could not be taken, and is told again.
    fn terminals(&mut self, prefixes: Vec<Prefix>) -> impl Future<Output = bool> + Send;
    /// The terminals are told this from now on. False as above.
    fn advertise(&mut self, config: &str) -> bool;
    /// What the line gives now.
    fn stands(&mut self, part: SegmentPart);
}

/// Serves the terminals' segment until the kernel does not tell any more.
///
/// # Errors
/// [`Error::Kernel`].
pub async fn run(plan: Plan, mut told: mpsc::Receiver<Told>, mut to: impl Outward) -> Result<(), Error> {
    let mut kernel = Kernel::open()?;
    let seen = kernel.look([&plan.line, &plan.terminals]).await?;
    let mut segment = Segment::new(plan.kind);
    if let Some(port) = seen.ports.get(&plan.terminals) {
        // A restart cuts no flow: who was found before it is there until somebody says otherwise.
        segment.found(kernel.routed(port.index).await?);
    }
    let mut life = Life { segment, plan, said: None, written: None, is_empty: true };
    let mut waiting: Vec<oneshot::Sender<()>> = Vec::new();
    loop {
        if life.follow(&kernel, &mut to).await? {
            for reply in waiting.drain(..) {
                // Who told may have gone.
                let _ = reply.send(());
            }
        }
        tokio::select! {
            Some(news) = told.recv() => {
                life.segment.found(news.addresses);
                waiting.push(news.reply);
            }
            changed = kernel.changed() => {
                changed?;
                tokio::time::sleep(BREATH).await;
            }
            () = tokio::time::sleep(if life.is_empty { SHORT_ROUND } else { ROUND }) => {}
        }
    }
}

struct Life {
    plan: Plan,
    segment: Segment,
    said: Option<Vec<Prefix>>,
    written: Option<String>,
    /// The line gives nothing.
    is_empty: bool,
}

impl Life {
    /// Looks, and lets everything follow that is not so yet. True if all of it has.
    async fn follow(&mut self, kernel: &Kernel, to: &mut impl Outward) -> Result<bool, Error> {
        let seen = kernel.look([&self.plan.line, &self.plan.terminals]).await?;
        let giver = match self.plan.kind {
            Kind::Shared => &self.plan.line,
            Kind::Delegated => &self.plan.terminals,
        };
        let now = Instant::now();
        if !seen.ports.get(&self.plan.line).is_some_and(|line| line.carrier) {
            self.segment.unplugged();
        }
        self.segment.given(seen.of(giver, true), now);
        self.segment.deprecated(seen.of(giver, false), now);
        let part = self.segment.part(now);
        self.is_empty = part.given.is_empty();
        to.stands(part);
        let wanted = self.segment.wanted();
        let mut all = true;
        if let Some(port) = seen.ports.get(&self.plan.terminals)
            && let Err(error) = kernel.route(port.index, &wanted.routes).await
        {
            // A port that is down takes no route: its coming up is a change.
            tracing::debug!(%error, "the routes to the terminals wait");
            all = false;
        }
        all &= self.say(&wanted, to).await;
        Ok(all)
    }

    async fn say(&mut self, wanted: &Wanted, to: &mut impl Outward) -> bool {
        let mut all = true;
        if self.said.as_ref() != Some(&wanted.terminals) {
            all = to.terminals(wanted.terminals.clone()).await;
            self.said = all.then(|| wanted.terminals.clone());
        }
        let config = radvd::config(&self.plan, wanted);
        if self.written.as_ref() != Some(&config) {
            tracing::info!(
                told = wanted.told.len(),
                left = wanted.left.len(),
                "the terminals are told the line's prefix"
            );
            let written = to.advertise(&config);
            self.written = written.then_some(config);
            all &= written;
        }
        all
    }
}
