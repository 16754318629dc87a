//! Walks a parsed file by its spec and collects every error with its line. What comes out holds only values
//! that passed; a reader asks for them by key and finds nothing where an error was already said.

use std::net::IpAddr;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SiteError;
use super::prefix::Prefix;
use super::spec::{Key, Shape, allowed};
use super::value;

/// More mistakes than these are not collected: a file comes from a stick, and each costs a count of the lines before it.
const MOST: usize = 100;

/// Collects errors and knows the lines.
#[derive(Debug)]
pub struct Errors<'t> {
    file: &'t str,
    text: &'t str,
    list: Vec<SiteError>,
    /// There were more.
    more: bool,
}

impl<'t> Errors<'t> {
    /// No errors yet in this file.
    pub const fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, list: Vec::new(), more: false }
    }

    /// Whether the file is without an error so far.
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Every error, by line; at the end, whether there were more.
    pub fn into_list(mut self) -> Vec<SiteError> {
        self.list.sort_by_key(|error| error.line);
        if self.more {
            let line = self.list.last().map_or(1, |error| error.line);
            let message = format!("there are more than {MOST} mistakes; the others are not listed");
            let file = self.file.to_owned();
            self.list.push(SiteError { file, line, path: String::new(), message, allowed: None });
        }
        self.list
    }

    /// Says an error at a key of a table (at the table itself if the key is not there).
    pub fn add(&mut self, node: &Node, key: &str, message: String, allowed: Option<String>) {
        let span = node.entry(key).map_or(&node.span, |entry| &entry.span);
        self.at(span.start, join(&node.path, key), message, allowed);
    }

    fn at(&mut self, offset: usize, path: String, message: String, allowed: Option<String>) {
        if self.list.len() == MOST {
            self.more = true;
            return;
        }
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        self.list.push(SiteError { file: self.file.to_owned(), line, path, message, allowed });
    }
}

/// A value that fits its shape.
#[derive(Clone, Debug)]
pub(super) enum Checked {
    Text(String),
    Texts(Vec<String>),
    Boolean(bool),
    Integer(i64),
    Integers(Vec<i64>),
    Addresses(Vec<IpAddr>),
    Prefixes(Vec<Prefix>),
    Table(Node),
    Tables(Vec<Node>),
}

#[derive(Clone, Debug)]
struct Entry {
    name: &'static str,
    span: Range<usize>,
    value: Checked,
}

/// A table whose values passed their checks.
#[derive(Clone, Debug)]
pub struct Node {
    path: String,
    span: Range<usize>,
    entries: Vec<Entry>,
    /// Keys whose values were refused.
    refused: Vec<&'static str>,
}

impl Node {
    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == key)
    }

    /// Whether a list of tables was given and has none.
    pub fn entry_is_empty(&self, key: &str) -> bool {
        matches!(self.value(key), Some(Checked::Tables(nodes)) if nodes.is_empty())
    }

    fn value(&self, key: &str) -> Option<&Checked> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The text under a key.
    pub fn text(&self, key: &str) -> Option<String> {
        match self.value(key)? {
            Checked::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The texts under a key; none if absent.
    pub fn texts(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            Some(Checked::Texts(texts)) => texts.clone(),
            _ => Vec::new(),
        }
    }

    /// The yes or no under a key.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Checked::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether a value under this key passed.
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Whether this key stands in the file, with a right value or a wrong one.
    pub fn was_given(&self, key: &str) -> bool {
        self.has(key) || self.refused.contains(&key)
    }

    /// The number under a key.
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.value(key)? {
            Checked::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The numbers under a key; none if absent.
    pub fn integers(&self, key: &str) -> Vec<i64> {
        match self.value(key) {
            Some(Checked::Integers(numbers)) => numbers.clone(),
            _ => Vec::new(),
        }
    }

    /// The addresses under a key; none if absent.
    pub fn addresses(&self, key: &str) -> Vec<IpAddr> {
        match self.value(key) {
            Some(Checked::Addresses(addresses)) => addresses.clone(),
            _ => Vec::new(),
        }
    }

    /// The prefix under a key.
    pub fn prefix(&self, key: &str) -> Option<Prefix> {
        self.prefixes(key).first().copied()
    }

    /// The prefixes under a key; none if absent.
    pub fn prefixes(&self, key: &str) -> Vec<Prefix> {
        match self.value(key) {
            Some(Checked::Prefixes(prefixes)) => prefixes.clone(),
            _ => Vec::new(),
        }
    }

    /// The table under a key.
    pub fn table(&self, key: &str) -> Option<&Self> {
        match self.value(key)? {
            Checked::Table(node) => Some(node),
            _ => None,
        }
    }

    /// The tables under a key; none if absent.
    pub fn tables(&self, key: &str) -> Vec<&Self> {
        match self.value(key) {
            Some(Checked::Tables(nodes)) => nodes.iter().collect(),
            _ => Vec::new(),
        }
    }
}

/// Parses a text and checks it by a spec. `None` after a syntax error, which is then the only one.
pub fn document(text: &str, spec: &'static [Key], errors: &mut Errors<'_>) -> Option<Node> {
    match DeTable::parse(text) {
        Ok(root) => Some(table(root.get_ref(), 0..0, String::new(), spec, errors)),
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            errors.at(offset, String::new(), error.message().to_owned(), None);
            None
        }
    }
}

/// Refuses two tables of one list with the same text under `key`, without regard to case.
pub fn refuse_twins(nodes: &[&Node], key: &str, errors: &mut Errors<'_>) {
    let mut seen: Vec<String> = Vec::new();
    for node in nodes {
        let Some(text) = node.text(key) else { continue };
        let folded = text.to_lowercase();
        if seen.contains(&folded) {
            errors.add(node, key, format!("{text:?} is used twice"), None);
        }
        seen.push(folded);
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn table(
    table: &DeTable<'_>,
    span: Range<usize>,
    path: String,
    spec: &'static [Key],
    errors: &mut Errors<'_>,
) -> Node {
    for (key, _) in table {
        if !spec.iter().any(|known| known.name == key.get_ref().as_ref()) {
            let names: Vec<&str> = spec.iter().map(|known| known.name).collect();
            let message = "this key is not known".to_owned();
            errors.at(key.span().start, join(&path, key.get_ref()), message, Some(names.join(", ")));
        }
    }
    let (mut entries, mut refused) = (Vec::new(), Vec::new());
    for key in spec {
        let path = join(&path, key.name);
        match table.get(key.name) {
            Some(value) => match check(value, &path, key.shape, errors) {
                Some(checked) => {
                    entries.push(Entry { name: key.name, span: value.span(), value: checked });
                }
                None => refused.push(key.name),
            },
            None if key.required => {
                errors.at(
                    span.start,
                    path,
                    format!("this key is missing ({})", key.doc),
                    Some(allowed(key.shape)),
                );
            }
            None => {}
        }
    }
    Node { path, span, entries, refused }
}

fn check(value: &Spanned<DeValue<'_>>, path: &str, shape: Shape, errors: &mut Errors<'_>) -> Option<Checked> {
    let span = value.span();
    let checked = match (shape, value.get_ref()) {
        (Shape::Table(keys), DeValue::Table(inner)) => {
            return Some(Checked::Table(table(inner, span, path.to_owned(), keys, errors)));
        }
        (Shape::Tables(keys), DeValue::Array(items)) => return tables(items, path, keys, errors),
        (Shape::Boolean, DeValue::Boolean(value)) => Some(Checked::Boolean(*value)),
        (Shape::SomeTexts, DeValue::Array(items)) => value::list(items, Shape::Texts),
        (_, DeValue::Array(items)) => value::list(items, shape),
        (_, DeValue::String(text)) => value::text(text, shape),
        (_, DeValue::Integer(number)) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .and_then(|number| value::integer(number, shape)),
        _ => None,
    };
    if checked.is_none() {
        // What stands where a secret's name belongs may be the secret itself.
        let shown = if matches!(shape, Shape::Secret) { "this value".into() } else { show(value.get_ref()) };
        errors.at(span.start, path.to_owned(), format!("{shown} is not allowed here"), Some(allowed(shape)));
    }
    checked
}

fn tables(
    items: &toml::de::DeArray<'_>,
    path: &str,
    keys: &'static [Key],
    errors: &mut Errors<'_>,
) -> Option<Checked> {
    let mut nodes = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}[{}]", index + 1);
        if let DeValue::Table(inner) = item.get_ref() {
            nodes.push(table(inner, item.span(), path, keys, errors));
        } else {
            errors.at(item.span().start, path, "this is not a table".into(), None);
        }
    }
    Some(Checked::Tables(nodes))
}

/// A short form of a wrong value; control characters are escaped, long ones cut.
fn show(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => {
            let short: String = text.chars().take(40).collect();
            format!("{short:?}")
        }
        DeValue::Integer(number) => number.as_str().chars().take(40).collect(),
        DeValue::Float(number) => number.as_str().chars().take(40).collect(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(_) => "this list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}
