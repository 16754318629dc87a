//! The life of who answers.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use futures_util::future::OptionFuture;
use tokio::time::sleep;

use super::message::{self, EVERYBODY, Heard};
use super::sockets::{Ear, Mouth, Sockets};
use super::state::{AGAIN, Answerer, Effect, Event, prefix};
use crate::error::Error;
use crate::kernel::{Kernel, Seen};
use crate::state::{Kind, Plan};

/// How often it is looked whether a question is due, while nothing is being asked.
const CALM: Duration = Duration::from_secs(5);

/// So often all addresses are told anew, in case who was told has started anew.
const REMIND: Duration = Duration::from_secs(20);

/// Answers on the line for the terminals' addresses until the kernel does not tell any more. `tell` says which addresses are the
/// terminals', and gives true when their packets pass.
///
/// # Errors
/// [`Error::Kernel`]; [`Error::Socket`].
pub async fn answer<T>(plan: Plan, sockets: Sockets, tell: impl Fn(Vec<Ipv6Addr>) -> T) -> Result<(), Error>
where
    T: Future<Output = bool>,
{
    if plan.kind == Kind::Delegated {
        // The line has a route to the terminals' prefix: nobody asks there for their addresses.
        return std::future::pending().await;
    }
    let broken = |source| Error::Socket { purpose: "neighbour discovery", source };
    let (ear, mouth) = sockets.in_runtime().map_err(broken)?;
    let mut kernel = Kernel::open()?;
    let mut answerer = Answerer::default();
    let mut ground = Seen::default();
    // What is told, and what is to be told next: the newest only.
    let (mut telling, mut next): (Option<(Vec<Ipv6Addr>, _)>, Option<Vec<Ipv6Addr>>) = (None, None);
    let mut reminded = Instant::now();
    let mut look = true;
    loop {
        let mut events = Vec::new();
        if std::mem::take(&mut look) {
            let seen = kernel.look([&plan.line, &plan.terminals]).await?;
            take_all_groups(&ear, &plan, &ground, &seen);
            ground = seen;
            events.push(on(&ground, &plan));
        }
        let answered: OptionFuture<_> = telling.as_mut().map(|(_, answer)| answer).into();
        if events.is_empty() {
            tokio::select! {
                heard = ear.hear() => match heard {
                    Ok((Some(heard), port)) => events.extend(event(heard, port, &plan, &ground)),
                    Ok((None, _)) => {}
                    Err(error) => {
                        tracing::debug!(%error, "neighbour discovery was not heard");
                        tokio::time::sleep(AGAIN).await;
                    }
                },
                Some(passes) = answered => {
                    let told = telling.take().map(|(told, _)| told).unwrap_or_default();
                    if passes {
                        events.push(Event::Passes(told));
                    }
                }
                changed = kernel.changed() => {
                    changed?;
                    look = true;
                }
                () = sleep(if answerer.is_asking() { AGAIN } else { CALM }) => {
                    events.push(Event::Tick);
                    if reminded.elapsed() >= REMIND {
                        reminded = Instant::now();
                        next = Some(answerer.known());
                    }
                }
            }
        }
        for effect in events.into_iter().flat_map(|event| answerer.take(event, Instant::now())) {
            match effect {
                Effect::Ask(target) => ask(&mouth, &plan, &ground, target),
                Effect::Answer(target, to) => say(&mouth, &plan, &ground, target, to),
                Effect::Tell(list) => next = Some(list),
            }
        }
        if telling.is_none()
            && let Some(list) = next.take()
        {
            telling = Some((list.clone(), Box::pin(tell(list))));
        }
    }
}

/// The ports' cards take in all groups; a port that came back is another one.
fn take_all_groups(ear: &Ear, plan: &Plan, before: &Seen, now: &Seen) {
    for name in [&plan.line, &plan.terminals] {
        let Some(port) = now.ports.get(name) else { continue };
        if before.ports.get(name).map(|port| port.index) != Some(port.index)
            && let Err(error) = ear.take_all_groups(port.index)
        {
            tracing::warn!(%error, port = name, "not everything that is asked on this port is heard");
        }
    }
}

fn on(seen: &Seen, plan: &Plan) -> Event {
    let v6 = |address: IpAddr| match address {
        IpAddr::V6(address) => Some(address),
        IpAddr::V4(_) => None,
    };
    let given = seen.of(&plan.line, true).filter(|own| own.length == 64);
    let prefixes = given.filter_map(|own| v6(own.address)).map(prefix).collect();
    let own: BTreeSet<Ipv6Addr> = seen.addresses.iter().filter_map(|own| v6(own.address.address)).collect();
    Event::Ground { prefixes, own }
}

fn event(heard: Heard, port: u32, plan: &Plan, seen: &Seen) -> Option<Event> {
    let is = |name: &str| seen.ports.get(name).is_some_and(|one| one.index == port);
    match heard {
        Heard::Solicits { target, from } if is(&plan.line) => Some(Event::Asked { target, from }),
        Heard::Advertises { target } if is(&plan.terminals) => Some(Event::Answered(target)),
        // Who tests an address wants to have it; who asks for another one uses his own.
        Heard::Solicits { target, from } if is(&plan.terminals) => {
            Some(Event::Used(if from.is_unspecified() { target } else { from }))
        }
        Heard::Speaks { from } if is(&plan.terminals) => Some(Event::Used(from)),
        _ => None,
    }
}

fn ask(mouth: &Mouth, plan: &Plan, seen: &Seen, target: Ipv6Addr) {
    let Some(port) = seen.ports.get(&plan.terminals) else { return };
    let question = message::solicitation(target, port.card);
    if let Err(error) = mouth.say(&question, message::solicited(target), port.index) {
        tracing::debug!(%error, "the terminals were not asked");
    }
}

fn say(mouth: &Mouth, plan: &Plan, seen: &Seen, target: Ipv6Addr, to: Ipv6Addr) {
    let Some(port) = seen.ports.get(&plan.line) else { return };
    let asked = !to.is_unspecified();
    let answer = message::advertisement(target, port.card, asked);
    if let Err(error) = mouth.say(&answer, if asked { to } else { EVERYBODY }, port.index) {
        tracing::debug!(%error, "the line was not answered");
    }
}
