//! Reads nft JSON object by object, in the form of `nft -j list ruleset` and in the form of commands. Whatever
//! is not known here is noted by name, and nothing is then called proved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::run::MOST_UNKNOWN;

/// Where a base chain stands.
#[derive(Clone, Debug)]
pub(super) struct Base {
    pub(super) kind: String,
    pub(super) hook: String,
    pub(super) priority: i64,
    pub(super) drops: bool,
    /// The ports of a hook that belongs to ports; older versions of nft do not list them.
    pub(super) ports: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    pub(super) base: Option<Base>,
    pub(super) rules: Vec<Value>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// A dormant table keeps its rules and filters nothing.
    pub(super) dormant: bool,
    pub(super) chains: BTreeMap<String, Chain>,
    /// Sets and maps by name, as read.
    pub(super) sets: BTreeMap<String, Value>,
    /// Those that rules put elements into. nft 1.0.6 does not list that a set is meant for it.
    filled: BTreeSet<String>,
}

/// What a set holds.
pub(super) struct Content {
    pub(super) elements: Vec<Value>,
    /// Whether it holds that and nothing else until somebody changes the ruleset: not if packets, time or rates decide.
    pub(super) fixed: bool,
}

/// Tables by family and name.
#[derive(Clone, Debug, Default)]
pub(super) struct Ruleset {
    pub(super) tables: BTreeMap<(String, String), Table>,
    /// What is not understood.
    pub(super) unknown: Vec<String>,
}

/// What an object is about, and the object.
type Named<'v> = (&'v str, &'v Value);

fn only(value: &Value) -> Option<Named<'_>> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.iter().next().map(|(key, body)| (key.as_str(), body))
}

fn text(body: &Value, key: &str) -> String {
    body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Ruleset {
    /// Reads a document. Commands are taken to meet an empty kernel: what else it holds is seen when it is read.
    pub(super) fn read(document: &Value) -> Self {
        let mut ruleset = Self::default();
        match document.get("nftables").and_then(Value::as_array) {
            Some(items) => items.iter().for_each(|item| ruleset.item(item)),
            None => ruleset.unknown.push("a document without a list called nftables".into()),
        }
        ruleset
    }

    fn item(&mut self, item: &Value) {
        let done = only(item).and_then(|(verb, body)| match verb {
            "metainfo" => Some(()),
            "beside" => {
                self.unknown.push(format!("beside nft there is {}", body.as_str()?));
                Some(())
            }
            "add" | "create" => self.add(only(body)?, true),
            "insert" => self.insert(only(body)?),
            "delete" => self.delete(only(body)?),
            "flush" => only(body)
                .filter(|(what, all)| *what == "ruleset" && all.is_null())
                .map(|_| self.tables.clear()),
            _ => self.add((verb, body), false),
        });
        if done.is_none() && self.unknown.len() < MOST_UNKNOWN {
            let shown: String = item.to_string().chars().take(120).collect();
            self.unknown.push(shown);
        }
    }

    fn table(&mut self, body: &Value, name: &str) -> Option<&mut Table> {
        self.tables.get_mut(&(text(body, "family"), text(body, name)))
    }

    fn add(&mut self, (what, body): Named<'_>, command: bool) -> Option<()> {
        match what {
            "table" => self.add_table(body, command),
            "chain" => self.add_chain(body),
            "set" | "map" => {
                let name = text(body, "name");
                self.table(body, "table")?.sets.insert(name, body.clone());
                Some(())
            }
            "element" => self.add_elements(body),
            "rule" => {
                let placed =
                    command && ["handle", "index", "position"].iter().any(|key| body.get(key).is_some());
                let chain = self.chain_of(body).filter(|_| !placed)?;
                chain.rules.push(body.clone());
                self.note_filled(body)
            }
            // Named objects that do nothing by themselves; a rule that uses one says so itself.
            "counter" | "quota" | "limit" | "ct timeout" | "ct helper" | "ct expectation" | "synproxy"
            | "secmark" | "flowtable" => Some(()),
            _ => None,
        }
    }

    fn add_table(&mut self, body: &Value, command: bool) -> Option<()> {
        known_keys(body, &["family", "name", "handle", "comment", "flags"])?;
        let flags = words(body.get("flags"))?;
        let dormant = flags.iter().any(|flag| flag == "dormant");
        let key = (text(body, "family"), text(body, "name"));
        self.tables.entry(key).or_default().dormant = dormant && !command;
        // nft 1.0.6 reads past the flag in a command, and where a table has one it lists a word that means nothing.
        let plain = flags.iter().all(|flag| ["dormant", "owner", "persist"].contains(&flag.as_str()));
        (plain && !(command && dormant)).then_some(())
    }

    fn add_chain(&mut self, body: &Value) -> Option<()> {
        let keys = ["family", "table", "name", "handle", "comment", "type", "hook", "prio", "policy", "dev"];
        known_keys(body, &keys)?;
        let base = match body.get("hook") {
            Some(hook) => Some(Base {
                kind: text(body, "type"),
                hook: hook.as_str()?.to_owned(),
                priority: body.get("prio")?.as_i64()?,
                drops: match body.get("policy").map(Value::as_str) {
                    Some(Some("drop")) => true,
                    None | Some(Some("accept")) => false,
                    Some(_) => return None,
                },
                ports: body
                    .get("dev")
                    .map(|dev| words(Some(dev)))
                    .map_or(Some(None), |words| words.map(Some))?,
            }),
            None => None,
        };
        let name = text(body, "name");
        let chain = self.table(body, "table")?.chains.entry(name).or_default();
        chain.base = base.or_else(|| chain.base.take());
        Some(())
    }

    fn add_elements(&mut self, body: &Value) -> Option<()> {
        let set = self.table(body, "table")?.sets.get_mut(&text(body, "name"))?;
        let more = body.get("elem")?.as_array()?.clone();
        let elements = set.as_object_mut()?.entry("elem").or_insert_with(|| Value::Array(Vec::new()));
        elements.as_array_mut()?.extend(more);
        Some(())
    }

    fn chain_of(&mut self, body: &Value) -> Option<&mut Chain> {
        let keys = ["family", "table", "chain", "handle", "index", "position", "comment", "expr"];
        known_keys(body, &keys)?;
        body.get("expr")?.as_array()?;
        self.table(body, "table")?.chains.get_mut(&text(body, "chain"))
    }

    fn insert(&mut self, (what, body): Named<'_>) -> Option<()> {
        let placed = ["handle", "index", "position"].iter().any(|key| body.get(key).is_some());
        if what != "rule" || placed {
            return None;
        }
        self.chain_of(body)?.rules.insert(0, body.clone());
        self.note_filled(body)
    }

    /// Remembers which sets a rule puts elements into.
    fn note_filled(&mut self, rule: &Value) -> Option<()> {
        let table = self.table(rule, "table")?;
        for statement in rule.get("expr")?.as_array()? {
            let (what, body) = only(statement).filter(|(what, _)| ["set", "map"].contains(what)).unzip();
            let name = what.zip(body).and_then(|(what, body): (&str, &Value)| body.get(what)?.as_str());
            table.filled.extend(name.map(|name| name.trim_start_matches('@').to_owned()));
        }
        Some(())
    }

    fn delete(&mut self, (what, body): Named<'_>) -> Option<()> {
        let key = (text(body, "family"), text(body, "name"));
        (what == "table").then(|| self.tables.remove(&key)).flatten().map(drop)
    }

    /// What a set or map holds.
    pub(super) fn content(&self, table: &(String, String), name: &str) -> Result<Content, String> {
        let own = self.tables.get(table);
        let set = own.and_then(|table| table.sets.get(name));
        let set = set.ok_or_else(|| format!("the set {name}, which is not there"))?;
        let flags = words(set.get("flags")).filter(|_| known_keys(set, SET_KEYS).is_some());
        let flags =
            flags.ok_or_else(|| format!("the set {name}, which has more to it than is known here"))?;
        let elements = match set.get("elem") {
            None => Vec::new(),
            Some(Value::Array(elements)) => elements.clone(),
            Some(one) => vec![one.clone()],
        };
        let fixed = flags.iter().all(|flag| ["interval", "constant"].contains(&flag.as_str()))
            && ["timeout", "stmt"].iter().all(|key| set.get(key).is_none())
            && elements.iter().all(is_plain)
            && own.is_some_and(|table| !table.filled.contains(name));
        Ok(Content { elements, fixed })
    }
}

const SET_KEYS: &[&str] = &[
    "family",
    "table",
    "name",
    "handle",
    "comment",
    "type",
    "map",
    "flags",
    "elem",
    "policy",
    "size",
    "auto-merge",
    "timeout",
    "gc-interval",
    "stmt",
];

/// Whether an element is there without conditions: a rate or a time of its own may take it away.
fn is_plain(element: &Value) -> bool {
    let element = element.as_array().and_then(|pair| pair.first()).unwrap_or(element);
    element.get("elem").is_none_or(|elem| known_keys(elem, &["val", "comment", "counter"]).is_some())
}

fn known_keys(body: &Value, known: &[&str]) -> Option<()> {
    body.as_object()?.keys().all(|key| known.contains(&key.as_str())).then_some(())
}

/// A list of words, which nft also writes as one word.
fn words(value: Option<&Value>) -> Option<Vec<String>> {
    match value {
        None => Some(Vec::new()),
        Some(Value::String(word)) => Some(vec![word.clone()]),
        Some(Value::Array(list)) => list.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}
