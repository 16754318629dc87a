//! What was told, and how the kernel's sets follow it without a reload: the ruleset before and after are compiled, and
//! if only elements differ, only elements are changed, in one transaction. A flow that is open stays open.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::Site;
use model::site::prefix::Prefix;
use model::site::uplink::Line;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::apply::{InForce, may_be_loaded, swap_and_prove};
use crate::error::Error;
use crate::kernel::Kernel;
use crate::nft::{self, Holds, Operand, Set, TABLE};
use crate::now::{self, Answer, Consent, Learned, Now};
use crate::plan::{Plan, by_name};
use crate::prove::{all_proved, prove};
use crate::ruleset::Ground;
use crate::watch::Watch;

/// What another room tells this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A terminal asked the resolver, and this was the answer. It is told before the terminal has it, or at most one
    /// packet is lost.
    Answered(Answer),
    /// The terminals' addresses on the line are these, and no others.
    Terminals(Vec<Prefix>),
    /// The same of the claims terminals.
    Claims(Vec<Prefix>),
    /// Maintenance is open, or is not any more.
    Maintenance(Option<Consent>),
}

/// Why news are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{prefix} is no address of a host behind this line (allowed: {allowed})")]
pub struct Refused {
    /// What was told.
    pub prefix: Prefix,
    /// What could have been.
    pub allowed: &'static str,
}

/// Everything that was told, with the time at which answers end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// Without the answers.
    now: Now,
    answers: BTreeMap<(IpAddr, &'static str, u16), Instant>,
}

/// An answer that would stay only so little longer changes nothing.
const HARDLY_LONGER: Duration = Duration::from_secs(5);

impl Told {
    /// What holds at an instant.
    pub(crate) fn at(&self, instant: Instant) -> Now {
        let left = |until: &Instant| until.checked_duration_since(instant).map(|left| left.as_secs());
        let learned = |(key, until): (&(IpAddr, &'static str, u16), &Instant)| {
            let seconds = left(until).and_then(|left| u32::try_from(left).ok()).filter(|left| *left > 0)?;
            Some(Learned { address: key.0, protocol: key.1, port: key.2, seconds })
        };
        Now { learned: self.answers.iter().filter_map(learned).collect(), ..self.now.clone() }
    }

    /// What was told before a restart, as far as the kernel still holds it: nothing that this site does not let be told.
    /// Consent to maintenance is not taken from there.
    pub(crate) fn found(listing: &Value, site: &Site, at: Instant) -> Self {
        let of = |name: &str| elements(listing, name);
        let prefixes = |name| {
            let list: Option<Vec<Prefix>> = of(name).iter().map(prefix).collect();
            list.and_then(|list| checked(list, site).ok()).unwrap_or_default()
        };
        let now = Now {
            terminals6: prefixes("terminal_addresses6"),
            claims6: prefixes("claims_addresses6"),
            ..Now::default()
        };
        let services: Vec<_> = by_name(site).flat_map(now::services).collect();
        let learned = of("learned");
        let answers = learned.iter().filter_map(|element| answer(element, site, &services, at)).collect();
        Self { now, answers }
    }

    /// Takes news in. False if they change nothing.
    ///
    /// # Errors
    /// Addresses that no host behind this line can have: nothing of the news is taken then.
    pub(crate) fn take(&mut self, news: News, site: &Site, at: Instant) -> Result<bool, Refused> {
        self.answers.retain(|_, until| *until > at);
        match news {
            News::Answered(answer) => Ok(self.learn(&answer, site, at)),
            News::Terminals(list) => replace(&mut self.now.terminals6, checked(list, site)?),
            News::Claims(list) => replace(&mut self.now.claims6, checked(list, site)?),
            News::Maintenance(consent) => replace(&mut self.now.consent, consent),
        }
    }

    fn learn(&mut self, answer: &Answer, site: &Site, at: Instant) -> bool {
        let mut longer = false;
        for one in answer.admits(site) {
            let key = (one.address, one.protocol, one.port);
            let until = at + Duration::from_secs(one.seconds.into());
            if self.answers.get(&key).is_none_or(|before| *before + HARDLY_LONGER < until) {
                self.answers.insert(key, until);
                longer = true;
            }
        }
        longer
    }
}

/// The elements of a set of our table.
fn elements(listing: &Value, name: &str) -> Vec<Value> {
    let items = listing["nftables"].as_array().map_or(&[][..], Vec::as_slice);
    let mut sets = items.iter().map(|item| &item.get("add").unwrap_or(item)["set"]);
    let own = |set: &&Value| set["family"] == TABLE.0 && set["table"] == TABLE.1 && set["name"] == name;
    sets.find(own).and_then(|set| set["elem"].as_array()).cloned().unwrap_or_default()
}

fn prefix(element: &Value) -> Option<Prefix> {
    let (address, length) = match element.get("prefix") {
        Some(prefix) => (prefix["addr"].as_str()?, prefix["len"].as_u64()?),
        None => (element.as_str()?, 128),
    };
    format!("{address}/{length}").parse().ok()
}

/// A learned element that an answer could have led to, and until when it stays. The kernel tells whole seconds.
fn answer(
    element: &Value,
    site: &Site,
    services: &[(&'static str, u16)],
    at: Instant,
) -> Option<((IpAddr, &'static str, u16), Instant)> {
    let inner = &element["elem"];
    let [address, protocol, port] = inner["val"]["concat"].as_array()?.as_slice() else { return None };
    let address: IpAddr = address.as_str()?.parse().ok()?;
    let service = services.iter().find(|one| protocol == one.0 && *port == one.1)?;
    let left = inner["expires"].as_u64().or_else(|| inner["timeout"].as_u64())?;
    let is_expected = site.profile.expected.iter().any(|prefix| prefix.contains(address));
    let until = at + Duration::from_secs(left + 1);
    (is_expected && left <= now::LONGEST.into()).then_some(((address, service.0, service.1), until))
}

fn replace<T: PartialEq>(place: &mut T, value: T) -> Result<bool, Refused> {
    let differs = *place != value;
    *place = value;
    Ok(differs)
}

/// Hosts beyond the link (RFC 4291 section 2.4, RFC 4193), one by one where line and terminals share a prefix, and no
/// more than a part of a delegation otherwise.
fn checked(list: Vec<Prefix>, site: &Site) -> Result<Vec<Prefix>, Refused> {
    let (shortest, allowed) = match site.line {
        Line::Ra => (128, "single addresses of 2000::/3 or fc00::/7"),
        _ => (60, "prefixes of 2000::/3 or fc00::/7, of length 60 or more"),
    };
    let right = |prefix: &Prefix| match prefix.address {
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            prefix.length >= shortest && (first & 0xe000 == 0x2000 || first & 0xfe00 == 0xfc00)
        }
        IpAddr::V4(_) => false,
    };
    match list.iter().find(|prefix| !right(prefix)) {
        Some(prefix) => Err(Refused { prefix: *prefix, allowed }),
        None => Ok(list),
    }
}

/// The commands that lead from one ruleset to the other by elements alone; none if more than elements differs.
pub(crate) fn steps(before: &Plan, after: &Plan) -> Option<Value> {
    let bare = |plan: &Plan| Plan {
        sets: plan.sets.iter().map(|set| Set { elements: Vec::new(), ..set.clone() }).collect(),
        ..plan.clone()
    };
    if bare(before) != bare(after) {
        return None;
    }
    let pairs = before.sets.iter().zip(&after.sets);
    let commands: Vec<Value> = pairs.flat_map(|(before, after)| change(before, after)).collect();
    Some(json!({ "nftables": commands }))
}

fn change(before: &Set, after: &Set) -> Vec<Value> {
    let without = |list: &[Operand], others: &[Operand]| -> Vec<Operand> {
        list.iter().filter(|one| others.binary_search(one).is_err()).cloned().collect()
    };
    let sorted = |set: &Set| {
        let mut list = set.elements.clone();
        list.sort_unstable();
        list
    };
    let (old, new) = (sorted(before), sorted(after));
    let (gone, come) = (without(&old, &new), without(&new, &old));
    if before.holds != Holds::Timed {
        let commands =
            [nft::elements("delete", before.name, &gone), nft::elements("add", before.name, &come)];
        return commands.into_iter().flatten().collect();
    }
    // Time takes away what is gone. nft does not lengthen the time of an element that is there: it is added, so that it
    // is there in any case, deleted, and added anew.
    let add = || nft::elements("add", before.name, &come);
    let values: Vec<Operand> = come.iter().map(untimed).collect();
    [add(), nft::elements("delete", before.name, &values), add()].into_iter().flatten().collect()
}

fn untimed(element: &Operand) -> Operand {
    match element {
        Operand::Timed(value, _) => (**value).clone(),
        other => other.clone(),
    }
}

impl<K: Kernel> Watch<K> {
    /// Takes news in and lets the kernel follow. If it does not, the ruleset is put right as after a change by hand.
    ///
    /// # Errors
    /// As [`Watch::run`] ends.
    pub(crate) async fn hear(&mut self, news: News) -> Result<Result<(), Refused>, Error> {
        let Ground::Site(site) = self.ground.clone() else { return Ok(Ok(())) };
        let at = Instant::now();
        let before = Plan::compile(&site, &self.told.at(at));
        match self.told.take(news, &site, at) {
            Ok(true) => {}
            Ok(false) => return Ok(Ok(())),
            Err(refused) => return Ok(Err(refused)),
        }
        let now = self.told.at(at);
        self.ruleset = self.ground.ruleset(&now);
        let followed = match steps(&before, &Plan::compile(&site, &now)) {
            // A ruleset that breaks a promise is not loaded; a set is a part of it.
            Some(steps) if all_proved(&prove(&self.ruleset.document, &self.ruleset.intent)) => {
                self.kernel.load(&steps).await.is_ok()
            }
            Some(_) => false,
            None => match self.swapped(&before.document()).await {
                Ok(in_force) => {
                    self.in_force(in_force).await;
                    true
                }
                Err(_) => false,
            },
        };
        if !followed {
            tracing::warn!("the kernel did not follow what was told");
            self.reload().await?;
        }
        Ok(Ok(()))
    }

    /// More than elements differs: the rules are changed in their place, if they may be.
    async fn swapped(&self, held: &Value) -> Result<InForce, Error> {
        may_be_loaded(&self.ruleset)?;
        swap_and_prove(&self.kernel, held, &self.ruleset).await
    }

    /// What is compared with the kernel: of what was told only what still has time.
    pub(crate) fn refresh(&mut self, now: &Now) {
        if let Ground::Site(site) = &self.ground {
            self.ruleset.document = Plan::compile(site, now).document();
        }
    }
}
