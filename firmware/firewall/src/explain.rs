//! What a ruleset does with one packet. Written apart from the prover and sharing nothing with it but the
//! packet: it walks the JSON rule by rule with plain values, so that each can be held against the other, and
//! both against the kernel.

mod fields;
mod seen;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};

use self::seen::element_has;
use crate::nft::TABLE;
use crate::packet::{Packet, Path, State};

/// What became of the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether every base chain on its way let it pass.
    pub accepted: bool,
    /// The comment of the rule that ended it, else `policy of CHAIN`; the last one that decided if accepted.
    pub by: String,
    /// The rule that ended it; none if a policy did.
    pub rule: Option<Value>,
    /// The chains it went through, in order.
    pub way: Vec<Hop>,
}

/// A chain on a packet's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its name.
    pub chain: String,
    /// The comment of the rule that led there; none for a base chain.
    pub by: Option<String>,
}

/// So many objects and elements are looked at for one packet: thousands of times what a ruleset of ours takes, and still
/// no more than about a second.
const LOOKS: usize = 10_000_000;

/// Walks the packet through a listed ruleset, or through the commands of a document. Limits count as not reached.
///
/// # Errors
/// What on its way is not understood, or that the way does not end.
pub fn explain(document: &Value, packet: &Packet) -> Result<Decision, String> {
    let objects = objects(document)?;
    at_the_ports(&objects, packet)?;
    let hooks: &[&str] = match packet.path {
        Path::Input => &["prerouting", "input"],
        Path::Forward => &["prerouting", "forward", "postrouting"],
        Path::Output => &["output", "postrouting"],
    };
    let looks = Cell::new(LOOKS);
    let mut last = Decision { accepted: true, by: "no base chain".into(), rule: None, way: Vec::new() };
    for hook in hooks {
        let mut bases: Vec<&Value> = of(&objects, "chain").filter(|chain| chain["hook"] == *hook).collect();
        bases.sort_by_key(|chain| chain["prio"].as_i64());
        for base in bases {
            if !sees(&base["family"], packet) || sleeps(&objects, base) {
                continue;
            }
            let way = RefCell::new(last.way.clone());
            let walk = Walk { objects: &objects, packet, base, way, looks: &looks };
            if base["type"] == "nat" {
                if let Some(refused) = walk.translate()? {
                    return Ok(refused);
                }
                continue;
            }
            last = walk.decide()?;
            if !last.accepted {
                return Ok(last);
            }
        }
    }
    Ok(last)
}

/// Objects by kind. Commands are taken in their order: what is flushed or deleted is not there any more.
fn objects(document: &Value) -> Result<Vec<(&str, &Value)>, String> {
    let mut objects: Vec<(&str, &Value)> = Vec::new();
    for item in document["nftables"].as_array().map_or(&[][..], Vec::as_slice) {
        let is = |verb: &str| item.get(verb).is_some();
        if item["flush"].get("ruleset").is_some_and(Value::is_null) {
            objects.clear();
        } else if let Some(gone) = item["delete"].get("table") {
            let name = |kind| if kind == "table" { "name" } else { "table" };
            objects
                .retain(|(kind, body)| body["family"] != gone["family"] || body[name(*kind)] != gone["name"]);
        } else if ["flush", "delete", "destroy", "insert", "replace"].into_iter().any(is) {
            return Err(format!("the command {item}"));
        } else {
            let inner = item.get("add").or_else(|| item.get("create")).unwrap_or(item);
            objects.extend(inner.as_object().into_iter().flatten().map(|(kind, body)| (kind.as_str(), body)));
        }
    }
    Ok(objects)
}

/// What stands where the packet's frame comes in or leaves is not walked: only a chain that does nothing is known.
fn at_the_ports(objects: &[(&str, &Value)], packet: &Packet) -> Result<(), String> {
    for chain in of(objects, "chain") {
        let port = match chain["hook"].as_str() {
            Some("ingress") => &packet.from_port,
            Some("egress") => &packet.to_port,
            _ => continue,
        };
        let is_here = |name: &Value| name == port || name.as_str().is_some_and(|name| name.ends_with('*'));
        let is_here = match &chain["dev"] {
            Value::Array(list) => list.iter().any(is_here),
            Value::Null => true,
            one => is_here(one),
        };
        let acts = chain["policy"] == "drop" || rules(objects, chain, &chain["name"]).next().is_some();
        if is_here && !port.is_empty() && acts && !sleeps(objects, chain) {
            return Err(format!("the chain {} at {} of {port}", chain["name"], chain["hook"]));
        }
    }
    Ok(())
}

/// The rules of a chain of the table that `beside` stands in.
fn rules<'o>(
    objects: &'o [(&str, &'o Value)],
    beside: &'o Value,
    chain: &'o Value,
) -> impl Iterator<Item = &'o Value> {
    of(objects, "rule").filter(move |rule| {
        rule["family"] == beside["family"] && rule["table"] == beside["table"] && rule["chain"] == *chain
    })
}

fn of<'o>(objects: &'o [(&str, &'o Value)], kind: &'static str) -> impl Iterator<Item = &'o Value> {
    objects.iter().filter(move |(name, _)| *name == kind).map(|(_, body)| *body)
}

fn sees(family: &Value, packet: &Packet) -> bool {
    match family.as_str() {
        Some("ip") => packet.source.is_ipv4(),
        Some("ip6") => packet.source.is_ipv6(),
        Some("inet") => true,
        _ => false,
    }
}

/// Whether the chain's table is dormant: there, and filtering nothing.
fn sleeps(objects: &[(&str, &Value)], base: &Value) -> bool {
    let own = |table: &&Value| table["family"] == base["family"] && table["name"] == base["table"];
    of(objects, "table").filter(own).any(|table| table["flags"].to_string().contains("dormant"))
}

/// How a chain was left.
enum End<'w> {
    Accept(&'w Value),
    Drop(&'w Value),
    Fell,
}

fn comment(rule: &Value) -> String {
    rule["comment"].as_str().unwrap_or("a rule without a comment").to_owned()
}

struct Walk<'w> {
    objects: &'w [(&'w str, &'w Value)],
    packet: &'w Packet,
    base: &'w Value,
    way: RefCell<Vec<Hop>>,
    /// How many more objects and elements are looked at.
    looks: &'w Cell<usize>,
}

impl<'w> Walk<'w> {
    fn decide(self) -> Result<Decision, String> {
        let name = self.base["name"].as_str().unwrap_or_default();
        let (accepted, rule) = match self.chain(name, None, 0)? {
            End::Accept(rule) => (true, Some(rule)),
            End::Drop(rule) => (false, Some(rule)),
            End::Fell => (self.base["policy"] != "drop", None),
        };
        let by = rule.map_or_else(|| format!("policy of {name}"), comment);
        Ok(Decision { accepted, by, rule: rule.cloned(), way: self.way.into_inner() })
    }

    /// What a chain that translates does: it refuses the packet or leaves it as it is. It sees the first packet of a flow;
    /// what was done then is done to every other, so of those it is known only if the chain does nothing but ours.
    fn translate(self) -> Result<Option<Decision>, String> {
        match self.packet.state {
            State::New => self.decide().map(|decision| (!decision.accepted).then_some(decision)),
            State::Invalid | State::Untracked => Ok(None),
            State::Established | State::Related => {
                let leaves = |step: &Value| {
                    step.get("match").is_some()
                        || step.get("counter").is_some()
                        || step.get("masquerade").is_some() && self.is_ours()
                };
                let steps =
                    |rule: &Value| rule["expr"].as_array().is_some_and(|steps| steps.iter().all(leaves));
                let name = &self.base["name"];
                let known = rules(self.objects, self.base, name).all(steps);
                known.then_some(None).ok_or_else(|| format!("the chain {name}, which translates"))
            }
        }
    }

    fn is_ours(&self) -> bool {
        self.base["family"] == TABLE.0 && self.base["table"] == TABLE.1
    }

    /// Counts what is looked at.
    fn look(&self, at: usize) -> Result<(), String> {
        let left = self.looks.get().checked_sub(at).ok_or("a way this long")?;
        self.looks.set(left);
        Ok(())
    }

    fn here(&self, body: &Value) -> bool {
        body["family"] == self.base["family"] && body["table"] == self.base["table"]
    }

    fn chain(&self, name: &str, from: Option<&Value>, depth: usize) -> Result<End<'w>, String> {
        if depth > 16 {
            return Err("jumps too deep".into());
        }
        self.look(self.objects.len())?;
        self.way.borrow_mut().push(Hop { chain: name.to_owned(), by: from.map(comment) });
        let rules = of(self.objects, "rule").filter(|rule| self.here(rule) && rule["chain"] == name);
        for rule in rules {
            let Some(verdict) = self.rule(rule)? else { continue };
            let target = |body: &Value| body["target"].as_str().unwrap_or_default().to_owned();
            let (word, body) = verdict.as_object().and_then(|map| map.iter().next()).ok_or("a verdict")?;
            match word.as_str() {
                "accept" => return Ok(End::Accept(rule)),
                "drop" | "reject" => return Ok(End::Drop(rule)),
                "return" => return Ok(End::Fell),
                "continue" => {}
                "jump" => match self.chain(&target(body), Some(rule), depth + 1)? {
                    End::Fell => {}
                    end => return Ok(end),
                },
                "goto" => return self.chain(&target(body), Some(rule), depth + 1),
                other => return Err(format!("the verdict {other}")),
            }
        }
        Ok(End::Fell)
    }

    /// The verdict the rule has for the packet, if it comes to one.
    fn rule(&self, rule: &Value) -> Result<Option<Value>, String> {
        for statement in rule["expr"].as_array().map_or(&[][..], Vec::as_slice) {
            let (word, body) =
                statement.as_object().and_then(|map| map.iter().next()).ok_or("a statement")?;
            match word.as_str() {
                "counter" | "log" | "limit" => {}
                // Ours is the last word of its chain, and no rule behind it looks at the packet again.
                "masquerade" if self.is_ours() => return Ok(Some(json!({"accept": null}))),
                "mangle" if segments(body) => {}
                // A limit of flows, as others, counts as not reached: then such a step leads no further.
                "set" if body["stmt"][0].get("ct count").is_some() => return Ok(None),
                "match" if self.fits(body)? => {}
                "match" => return Ok(None),
                "vmap" => return self.looked_up(body),
                "accept" | "drop" | "reject" | "return" | "continue" | "jump" | "goto" => {
                    return Ok(Some(statement.clone()));
                }
                other => return Err(format!("the statement {other}")),
            }
        }
        Ok(None)
    }

    fn looked_up(&self, body: &Value) -> Result<Option<Value>, String> {
        let Some(seen) = self.read(&body["key"])? else { return Ok(None) };
        for pair in self.content(&body["data"])? {
            if element_has(&pair[0], &seen)? {
                return Ok(Some(pair[1].clone()));
            }
        }
        Ok(None)
    }

    fn fits(&self, body: &Value) -> Result<bool, String> {
        let Some(seen) = self.read(&body["left"])? else { return Ok(false) };
        let mut found = false;
        for element in self.content(&body["right"])? {
            found |= element_has(&element, &seen)?;
        }
        match body["op"].as_str() {
            Some("==" | "in") | None => Ok(found),
            Some("!=") => Ok(!found),
            Some(other) => Err(format!("the operator {other}")),
        }
    }

    /// The elements a right side stands for.
    fn content(&self, right: &Value) -> Result<Vec<Value>, String> {
        if let Some(name) = right.as_str().and_then(|text| text.strip_prefix('@')) {
            let named = |kind| of(self.objects, kind).find(|set| self.here(set) && set["name"] == name);
            let set = named("set").or_else(|| named("map")).ok_or_else(|| format!("the set {name}"))?;
            let elements = set["elem"].as_array().map_or(&[][..], Vec::as_slice);
            self.look(elements.len())?;
            return Ok(elements.to_vec());
        }
        Ok(match right.get("set").unwrap_or(right) {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        })
    }
}

/// The one change of a packet that no rule here looks at: the longest segment its sender is ready for.
fn segments(body: &Value) -> bool {
    body["key"]["tcp option"]["name"] == "maxseg" && body["key"]["tcp option"]["field"] == "size"
}
