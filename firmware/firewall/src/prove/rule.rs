//! A rule's expressions as steps on cubes.

use std::rc::Rc;

use serde_json::Value;

use super::cube::{Conditions, Doubt, Field};
use super::matching::{self, Alternatives, Left};
use super::ports::Ports;
use super::ruleset::{Content, Ruleset};
use super::span::Span;
use super::tree::Tree;
use super::writing;

/// Where a rule leads.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub(super) holds: Tree,
    pub(super) asks: Vec<Field>,
    pub(super) negated: bool,
    /// Set if the content changes by itself: who is in it may be out tomorrow, and the other way round.
    pub(super) changing: Option<Doubt>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Test(Test),
    /// Without these the rest of the rule does not happen.
    Require(Conditions),
    /// Where these do not hold it is not known whether the rest of the rule happens.
    Unless(Conditions, Rc<str>),
    /// A limit: a packet passes it or not, and either does happen.
    Either,
    /// Not understood, but only asks: passes or not, and which is not known.
    Opaque(Rc<str>),
    Lookup {
        requires: Conditions,
        asks: Vec<Field>,
        leads: Vec<(Tree, Verdict)>,
    },
    Verdict(Verdict),
    /// A refusal's log, under this prefix.
    Log(Rc<str>),
    /// Writes into the packet, and in doubt if it is not known what.
    Write(Vec<(Field, Span)>, Option<Rc<str>>),
    /// No connection tracking for it.
    Untrack,
    /// Another destination for the flows of these families; nothing else is translated then.
    Translate {
        families: Span,
        written: Vec<(Field, Span)>,
        doubt: Option<Rc<str>>,
    },
    /// Another source: who it came from does not change by that, only what later chains see.
    Hide(Span),
    /// Leaves by these ports at once, past every rule.
    Move(Span),
    /// As [`Self::Move`], and goes on as well.
    Copy(Span),
}

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Its id: the comment up to a colon.
    pub(super) id: Option<Rc<str>>,
    /// How it is called where it refuses.
    pub(super) name: Rc<str>,
    pub(super) steps: Vec<Step>,
}

impl Rule {
    /// Whether nothing but a log follows from it.
    pub(super) fn only_logs(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Log(_)) || !step.acts())
    }
}

impl Step {
    /// Whether anything follows from it.
    const fn acts(&self) -> bool {
        !matches!(self, Self::Test(_) | Self::Require(_) | Self::Unless(..) | Self::Either | Self::Opaque(_))
    }

    /// The chains it may lead to.
    pub(super) fn targets(&self) -> Vec<&str> {
        let verdicts: Vec<&Verdict> = match self {
            Self::Verdict(verdict) => vec![verdict],
            Self::Lookup { leads, .. } => leads.iter().map(|(_, verdict)| verdict).collect(),
            _ => Vec::new(),
        };
        verdicts
            .iter()
            .filter_map(|verdict| match verdict {
                Verdict::Jump(target) | Verdict::Goto(target) => Some(target.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Whether chains at the same place may not change places with this one.
    pub(super) const fn changes_packets(&self) -> bool {
        matches!(
            self,
            Self::Write(..)
                | Self::Untrack
                | Self::Translate { .. }
                | Self::Hide(_)
                | Self::Move(_)
                | Self::Copy(_)
        )
    }
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
    /// The rule, if it does anything.
    pub(super) fn rule(&mut self, rule: &Value, chain: &str, place: usize) -> Option<Rule> {
        let statements = rule.get("expr").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let steps: Vec<Step> = statements.iter().flat_map(|statement| self.statement(statement)).collect();
        let comment = rule.get("comment").and_then(Value::as_str);
        let id = comment.and_then(|comment| comment.split_once(": ")).map(|(id, _)| Rc::from(id));
        let name = comment.map_or_else(|| format!("rule {} of {chain}", place + 1).into(), Rc::from);
        steps.iter().any(Step::acts).then_some(Rule { id, name, steps })
    }

    fn statement(&mut self, statement: &Value) -> Vec<Step> {
        let named = statement.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        let Some((name, body)) = named else { return vec![self.anything(statement)] };
        match name.as_str() {
            "counter" | "last" | "ct timeout" => Self::unless_plain(body, name),
            "log" => writing::logged(body).into_iter().collect(),
            "limit" | "quota" | "ct count" => vec![Step::Either],
            // A set that is full takes no more, and then the rule ends.
            "set" | "map" => self.kept(body.get("elem")),
            "meter" => self.kept(body.get("key")),
            "match" => vec![self.test(body).unwrap_or_else(|reason| Step::Opaque(reason.into()))],
            "vmap" => vec![self.lookup(body).unwrap_or_else(|reason| {
                self.unknown.push(reason.clone());
                Step::Opaque(reason.into())
            })],
            "reject" => writing::rejected(body),
            _ => match verdict(statement) {
                Some(verdict) => vec![Step::Verdict(verdict)],
                None => writing::statement(name, body, self.table, self.ports)
                    .unwrap_or_else(|| vec![self.anything(statement)]),
            },
        }
    }

    /// A set that packets fill: the packet must have what is kept of it.
    fn kept(&self, key: Option<&Value>) -> Vec<Step> {
        let key = key.map(|key| key.get("elem").and_then(|elem| elem.get("val")).unwrap_or(key));
        let requires = key.and_then(|key| matching::left(key).ok()).map(|left| left.requires);
        requires.into_iter().map(Step::Require).chain([Step::Either]).collect()
    }

    /// Nothing follows, but a value that is looked up may not be there, and then the rule ends.
    fn unless_plain(body: &Value, name: &str) -> Vec<Step> {
        let plain = writing::is_plain(body);
        (!plain).then(|| Step::Opaque(format!("the {name} {body}").into())).into_iter().collect()
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
        // Counted or drawn by lot: of packets of every kind some pass and some do not.
        if left.get("numgen").is_some() {
            return Ok(Step::Either);
        }
        let left = matching::left(left)?;
        let op = op.and_then(Value::as_str).unwrap_or("in");
        let (alternatives, changing) = match op {
            "==" | "in" | "!=" => self.right(&left, op, right)?,
            _ => (matching::ordered(&left, op, right, self.ports)?, None),
        };
        let holds = Tree::of(&alternatives);
        let asks = left.asks();
        let other =
            matching::carried_by_the_other(&left, &alternatives).filter(|_| ["==", "in"].contains(&op));
        let Left { requires, twins, .. } = left;
        let twins = twins.or(other);
        Ok(Step::Test(Test { requires, twins, holds, asks, negated: op == "!=", changing }))
    }

    fn right(
        &mut self,
        left: &Left,
        op: &str,
        right: &Value,
    ) -> Result<(Alternatives, Option<Doubt>), String> {
        let fixed = |elements| Content { elements, fixed: true };
        let content = match right {
            Value::String(name) if name.starts_with('@') => self.ruleset.content(self.table, &name[1..])?,
            Value::Array(list) if op == "in" => fixed(list.clone()),
            Value::Object(map) if map.contains_key("set") => fixed(anonymous(right)?),
            one => fixed(vec![one.clone()]),
        };
        let tuple = |element| matching::tuple(left, element, self.ports);
        let tuples: Result<Alternatives, String> = content.elements.iter().map(tuple).collect();
        let changing =
            || Doubt::Changing(format!("the set {right}, whose content may change by itself").into());
        Ok((tuples?, (!content.fixed).then(changing)))
    }

    fn lookup(&mut self, body: &Value) -> Result<Step, String> {
        let left = matching::left(body.get("key").unwrap_or(&Value::Null))?;
        if left.twins.is_some() {
            return Err(format!("a verdict map by {body}"));
        }
        let elements = match body.get("data") {
            Some(Value::String(name)) if name.starts_with('@') => {
                let content = self.ruleset.content(self.table, &name[1..])?;
                content
                    .fixed
                    .then_some(content.elements)
                    .ok_or_else(|| format!("the map {name}, whose content may change by itself"))?
            }
            Some(data) => anonymous(data)?,
            None => return Err("a verdict map without data".into()),
        };
        // No key is there twice, so their order is no matter.
        let mut leads: Vec<(Alternatives, Verdict)> = Vec::new();
        for element in &elements {
            let Some([key, value]) = element.as_array().map(Vec::as_slice) else {
                return Err(format!("the map's element {element}"));
            };
            let verdict = verdict(value).ok_or_else(|| format!("the verdict {value}"))?;
            let key = matching::tuple(&left, key, self.ports)?;
            match leads.iter_mut().find(|(_, known)| *known == verdict) {
                Some((keys, _)) => keys.push(key),
                None => leads.push((vec![key], verdict)),
            }
        }
        let leads = leads.into_iter().map(|(keys, verdict)| (Tree::of(&keys), verdict)).collect();
        Ok(Step::Lookup { asks: left.asks(), requires: left.requires, leads })
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
