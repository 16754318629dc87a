//! Which lines of a ruleset can decide about packets between two ports. Only ports are known of such a packet, so every
//! other condition may hold or not; a line behind one that nothing passes is left out.

use model::policy::{Does, Line};
use serde_json::Value;

use crate::answer;
use crate::packet::Path;

/// Ports by which a packet comes and goes; empty for the box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'w> {
    pub(crate) path: Path,
    pub(crate) from: &'w str,
    pub(crate) to: &'w str,
}

/// The lines in the order a packet meets them, each once. What logs only is no line of its own.
pub(crate) fn between(document: &Value, way: Way<'_>) -> Vec<Line> {
    let objects = document["nftables"].as_array().map_or(&[][..], Vec::as_slice);
    let objects: Vec<&Value> = objects.iter().map(|item| item.get("add").unwrap_or(item)).collect();
    let hooks: &[&str] = match way.path {
        Path::Input => &["prerouting", "input"],
        Path::Forward => &["prerouting", "forward", "postrouting"],
        Path::Output => &["output", "postrouting"],
    };
    let mut walk = Walk { objects: &objects, way, lines: Vec::new() };
    for hook in hooks {
        let bases = objects.iter().map(|object| &object["chain"]);
        for base in bases.filter(|chain| chain["hook"] == *hook && chain["type"] == "filter") {
            walk.chain(base, base["name"].as_str().unwrap_or_default(), 0);
        }
    }
    walk.lines
}

struct Walk<'w> {
    objects: &'w [&'w Value],
    way: Way<'w>,
    lines: Vec<Line>,
}

/// Whether a packet of these ports meets a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meets {
    Always,
    Never,
    Perhaps,
}

impl Walk<'_> {
    /// Goes through a chain; says whether a packet may come out at its end.
    fn chain(&mut self, place: &Value, name: &str, depth: usize) -> bool {
        if depth > 16 {
            return true;
        }
        let own = |rule: &&Value| {
            rule["chain"] == name && rule["table"] == place["table"] && rule["family"] == place["family"]
        };
        let rules: Vec<&Value> = self.objects.iter().map(|object| &object["rule"]).filter(own).collect();
        rules.into_iter().all(|rule| self.rule(place, rule, depth))
    }

    /// Notes the rule if a packet can meet it; says whether one may go on behind it.
    fn rule(&mut self, place: &Value, rule: &Value, depth: usize) -> bool {
        let mut sure = true;
        for statement in rule["expr"].as_array().map_or(&[][..], Vec::as_slice) {
            let Some((word, body)) = statement.as_object().and_then(|map| map.iter().next()) else {
                return true;
            };
            match word.as_str() {
                "counter" | "log" => {}
                "match" => match self.meets(place, body) {
                    Meets::Never => return true,
                    Meets::Perhaps => sure = false,
                    Meets::Always => {}
                },
                "vmap" => return self.looked_up(place, rule, body, depth),
                "accept" => {
                    self.note(rule, Does::Passes);
                    return !sure;
                }
                "drop" | "reject" => {
                    self.note(rule, Does::Refuses);
                    return !sure;
                }
                "jump" | "goto" => {
                    self.note(rule, Does::Leads);
                    let left = self.chain(place, body["target"].as_str().unwrap_or_default(), depth + 1);
                    return left || !sure;
                }
                "return" => return true,
                _ => sure = false,
            }
        }
        true
    }

    fn note(&mut self, rule: &Value, does: Does) {
        let Some(comment) = rule["comment"].as_str() else { return };
        let line = answer::line(comment, does);
        // What led to nothing but its own refusal said the same: the refusal is the line.
        self.lines.pop_if(|last| last.does == Does::Leads && last.says == line.says && does == Does::Refuses);
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    /// A map by ports leads exactly one way; one by anything else may lead every way.
    fn looked_up(&mut self, place: &Value, rule: &Value, body: &Value, depth: usize) -> bool {
        let key = self.ports_of(&body["key"]);
        let elements = self.content(place, &body["data"]);
        let mut verdicts: Vec<&Value> = Vec::new();
        for element in &elements {
            let fits = key.as_ref().is_none_or(|key| *key == words(&element[0]));
            verdicts.extend(fits.then(|| &element[1]));
        }
        let does = |word: &str| if word == "accept" { Does::Passes } else { Does::Refuses };
        let mut goes_on = key.is_none() || verdicts.is_empty();
        for verdict in verdicts {
            let Some((word, body)) = verdict.as_object().and_then(|map| map.iter().next()) else { continue };
            match word.as_str() {
                "jump" | "goto" => {
                    self.note(rule, Does::Leads);
                    goes_on |= self.chain(place, body["target"].as_str().unwrap_or_default(), depth + 1);
                }
                word => self.note(rule, does(word)),
            }
        }
        goes_on
    }

    fn meets(&self, place: &Value, body: &Value) -> Meets {
        let Some(key) = self.ports_of(&body["left"]) else { return Meets::Perhaps };
        let found = self.content(place, &body["right"]).iter().any(|element| words(element) == key);
        if found == (body["op"] != "!=") { Meets::Always } else { Meets::Never }
    }

    /// What an expression reads, if it reads ports only.
    fn ports_of(&self, left: &Value) -> Option<Vec<String>> {
        let parts = left["concat"].as_array().map_or_else(|| vec![left], |parts| parts.iter().collect());
        let port = |part: &Value| match part["meta"]["key"].as_str()? {
            "iifname" | "iif" => Some(self.way.from.to_owned()),
            "oifname" | "oif" => Some(self.way.to.to_owned()),
            _ => None,
        };
        parts.into_iter().map(port).collect()
    }

    fn content(&self, place: &Value, right: &Value) -> Vec<Value> {
        let list = |value: &Value| value.as_array().cloned();
        if let Some(name) = right.as_str().and_then(|text| text.strip_prefix('@')) {
            let own = |set: &&Value| set["name"] == name && set["table"] == place["table"];
            let named = |kind: &str| self.objects.iter().map(|object| &object[kind]).find(own);
            let set = named("set").or_else(|| named("map"));
            return set.and_then(|set| list(&set["elem"])).unwrap_or_default();
        }
        list(&right["set"]).or_else(|| list(right)).unwrap_or_else(|| vec![right.clone()])
    }
}

fn words(element: &Value) -> Vec<String> {
    let element = element["elem"].get("val").unwrap_or(element);
    let parts = element["concat"].as_array().map_or_else(|| vec![element], |parts| parts.iter().collect());
    parts.into_iter().map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect()
}
