//! A rule's expressions as steps on cubes.

use std::rc::Rc;

use serde_json::Value;

use super::cube::Conditions;
use super::matching::{self, Alternatives};
use super::ports::Ports;
use super::ruleset::Ruleset;

/// Where a rule leads.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Accept,
    Drop,
    Return,
    Continue,
    Jump(String),
    Goto(String),
}

/// A comparison: `requires` is what the packet must be for the field to exist at all (RFC 791 packets have no
/// hop limit of IPv6), so it holds for `!=` too.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) requires: Conditions,
    /// Packets that may match too, see [`matching::Left`].
    pub(super) twins: Option<Conditions>,
    pub(super) alternatives: Alternatives,
    pub(super) negated: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Test(Test),
    /// A limit: a packet passes it or not, and either does happen.
    Either,
    /// Not understood, but only asks: passes or not, and which is not known.
    Opaque(Rc<str>),
    Lookup {
        requires: Conditions,
        entries: Vec<(Alternatives, Verdict)>,
    },
    Verdict(Verdict),
}

/// Reads the rules of one table.
pub(super) struct Reader<'r> {
    pub(super) ruleset: &'r Ruleset,
    pub(super) table: &'r (String, String),
    pub(super) ports: &'r mut Ports,
    /// Statements that may do anything.
    pub(super) unknown: &'r mut Vec<String>,
}

impl Reader<'_> {
    pub(super) fn rule(&mut self, rule: &Value) -> Vec<Step> {
        let steps = rule.get("expr").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        steps.iter().filter_map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &Value) -> Option<Step> {
        let named = statement.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        let Some((name, body)) = named else { return Some(self.anything(statement)) };
        match name.as_str() {
            "counter" | "log" | "last" => None,
            "limit" => Some(Step::Either),
            "quota" | "ct count" => Some(Step::Opaque(format!("{name} in a rule").into())),
            "match" => Some(self.test(body).unwrap_or_else(|reason| Step::Opaque(reason.into()))),
            "vmap" => Some(self.lookup(body).unwrap_or_else(|reason| {
                self.unknown.push(reason.clone());
                Step::Opaque(reason.into())
            })),
            "reject" => Some(Step::Verdict(Verdict::Drop)),
            _ => Some(verdict(statement).map_or_else(|| self.anything(statement), Step::Verdict)),
        }
    }

    fn anything(&mut self, statement: &Value) -> Step {
        let shown: String = statement.to_string().chars().take(120).collect();
        let reason = format!("the statement {shown}");
        self.unknown.push(reason.clone());
        Step::Opaque(reason.into())
    }

    fn test(&mut self, body: &Value) -> Result<Step, String> {
        let (op, left, right) = (body.get("op"), body.get("left"), body.get("right"));
        let plain = body.as_object().is_some_and(|map| map.len() == 2 + usize::from(op.is_some()));
        let (Some(left), Some(right), true) = (left, right, plain) else {
            return Err(format!("the match {body}"));
        };
        let left = matching::left(left)?;
        let op = op.and_then(Value::as_str).unwrap_or("in");
        let alternatives = match op {
            "==" | "in" | "!=" => self.right(&left, op, right)?,
            _ => matching::ordered(&left, op, right, self.ports)?,
        };
        Ok(Step::Test(Test { requires: left.requires, twins: left.twins, alternatives, negated: op == "!=" }))
    }

    fn right(&mut self, left: &matching::Left, op: &str, right: &Value) -> Result<Alternatives, String> {
        let elements = match right {
            Value::String(name) if name.starts_with('@') => self.ruleset.elements(self.table, &name[1..])?,
            Value::Array(list) if op == "in" => list.clone(),
            Value::Object(map) if map.contains_key("set") => anonymous(right)?,
            one => vec![one.clone()],
        };
        let tuples: Result<Alternatives, String> =
            elements.iter().map(|element| matching::tuple(left, element, self.ports)).collect();
        Ok(matching::merged(tuples?))
    }

    fn lookup(&mut self, body: &Value) -> Result<Step, String> {
        let left = matching::left(body.get("key").unwrap_or(&Value::Null))?;
        if left.twins.is_some() {
            return Err(format!("a verdict map by {body}"));
        }
        let elements = match body.get("data") {
            Some(Value::String(name)) if name.starts_with('@') => {
                self.ruleset.elements(self.table, &name[1..])?
            }
            Some(data) => anonymous(data)?,
            None => return Err("a verdict map without data".into()),
        };
        let mut entries = Vec::new();
        for element in &elements {
            let Some([key, value]) = element.as_array().map(Vec::as_slice) else {
                return Err(format!("the map's element {element}"));
            };
            let verdict = verdict(value).ok_or_else(|| format!("the verdict {value}"))?;
            entries.push((vec![matching::tuple(&left, key, self.ports)?], verdict));
        }
        Ok(Step::Lookup { requires: left.requires, entries })
    }
}

fn anonymous(value: &Value) -> Result<Vec<Value>, String> {
    match value.get("set") {
        Some(Value::Array(list)) => Ok(list.clone()),
        Some(one) => Ok(vec![one.clone()]),
        None => Err(format!("the set {value}")),
    }
}

fn verdict(value: &Value) -> Option<Verdict> {
    let (name, body) = value.as_object().filter(|map| map.len() == 1)?.iter().next()?;
    let target = || body.get("target").and_then(Value::as_str).map(str::to_owned);
    match name.as_str() {
        "accept" => Some(Verdict::Accept),
        "drop" => Some(Verdict::Drop),
        "return" => Some(Verdict::Return),
        "continue" => Some(Verdict::Continue),
        "jump" => target().map(Verdict::Jump),
        "goto" => target().map(Verdict::Goto),
        _ => None,
    }
}
