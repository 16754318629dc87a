//! The keys a file may have, as data: the walker checks by it, the JSON Schema and the docs are made from it.

use serde_json::{Map, Value, json};

/// What a key's value must be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Any text that is not empty.
    Text,
    /// A list of texts.
    Texts,
    /// A text, or a list of texts.
    SomeTexts,
    /// One of the words.
    OneOf(&'static [&'static str]),
    /// A list of some of the words.
    Words(&'static [&'static str]),
    /// Yes or no.
    Boolean,
    /// A day, like 2026-12-29.
    Date,
    /// A list of days, like 2026-12-29.
    Dates,
    /// A day and a time, like 2026-12-29T22:00.
    Moment,
    /// A list of hours of the day, like 03:00-04:30.
    Hours,
    /// A whole number in a range, both ends included.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A list of whole numbers in a range.
    Integers {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A DNS name.
    Name,
    /// A Linux interface name.
    Port,
    /// An account made for us, never one of the system's own.
    Account,
    /// An IPv4 address.
    Ipv4,
    /// A list of IPv4 addresses.
    Ipv4s,
    /// A list of addresses of either family.
    Addresses,
    /// A card's address.
    Mac,
    /// `*.NAME`: every name below it.
    Suffix,
    /// Exactly so many IPv6 addresses.
    Ipv6s {
        /// How many.
        count: usize,
    },
    /// A prefix of either family.
    Prefix,
    /// An IPv4 interface address with its prefix length.
    Ipv4Prefix,
    /// A list of prefixes.
    Prefixes,
    /// `\\HOST\SHARE`, with an IPv4 host.
    Unc,
    /// What a file's name begins with.
    Beginning,
    /// A list of extensions of files.
    Extensions,
    /// The name of one folder in a share.
    Folder,
    /// The name of a share of the box.
    Share,
    /// A folder of this machine, by its whole path.
    Path,
    /// A certificate as PEM text, of several lines.
    Pem,
    /// `secret:NAME`: a secret by reference; the secret itself is made or put on the box.
    Secret,
    /// A table with these keys.
    Table(&'static [Key]),
    /// A list of tables with these keys.
    Tables(&'static [Key]),
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Whether a file without it is refused.
    pub required: bool,
    /// What its value must be.
    pub shape: Shape,
    /// What it is for, one line.
    pub doc: &'static str,
}

impl Key {
    /// A key that must be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, required: true, shape, doc }
    }

    /// A key that may be left out.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, required: false, shape, doc }
    }
}

/// What is allowed, in words: in errors and in the docs.
pub fn allowed(shape: Shape) -> String {
    match shape {
        Shape::OneOf(words) => words.join(", "),
        Shape::Words(words) => format!("a list of some of {}", words.join(", ")),
        Shape::Boolean => "true or false".into(),
        Shape::Date => "a day like \"2026-12-29\"".into(),
        Shape::Moment => "a day and a time like \"2026-12-29T22:00\"".into(),
        Shape::Hours => "a list of hours like \"03:00-04:30\"".into(),
        Shape::Dates => "a list of days like \"2026-12-29\"".into(),
        Shape::SomeTexts => "a text or a list of texts".into(),
        Shape::Beginning => "letters, digits, '_', '-' and '?'".into(),
        Shape::Extensions => "a list of extensions of at most 8 letters or digits, without a dot".into(),
        Shape::Folder => {
            "a folder's name of at most 16 letters, digits, '-' or '_'; not returned or sekisho-staging"
                .into()
        }
        Shape::Share => {
            "a share's name of at most 15 letters, digits, '-' or '_'; not global, homes, printers, IPC"
                .into()
        }
        Shape::Path => "a whole path like /srv/receipt, without .. in it".into(),
        Shape::Integer { min, max } => format!("a whole number from {min} to {max}"),
        Shape::Integers { min, max } => format!("a list of whole numbers from {min} to {max}"),
        Shape::Text => "a text that is not empty".into(),
        Shape::Texts => "a list of texts".into(),
        Shape::Name => "a DNS name".into(),
        Shape::Port => "an interface name of at most 15 letters, digits, '-', '_' or '.'".into(),
        Shape::Account => {
            "a small letter, then at most 19 small letters, digits or '-'; no account of the system".into()
        }
        Shape::Ipv4 => "an IPv4 address".into(),
        Shape::Ipv4s => "a list of IPv4 addresses".into(),
        Shape::Addresses => "a list of addresses".into(),
        Shape::Mac => "a card's address like 00:00:5e:00:53:01".into(),
        Shape::Suffix => "*.NAME with a DNS name".into(),
        Shape::Ipv6s { count } => format!("a list of {count} IPv6 addresses"),
        Shape::Prefix => "a prefix like 2001:db8::/64".into(),
        Shape::Ipv4Prefix => "an IPv4 address with its length, like 192.0.2.1/24".into(),
        Shape::Prefixes => "a list of prefixes like 2001:db8::/64".into(),
        Shape::Unc => r"\\ADDRESS\SHARE with an IPv4 address".into(),
        Shape::Pem => "a PEM text of at most 8192 characters".into(),
        Shape::Secret => {
            "secret:NAME with lower-case letters, digits and '-', not the box's own secret:share-…".into()
        }
        Shape::Table(_) => "a table".into(),
        Shape::Tables(_) => "a list of tables".into(),
    }
}

/// The JSON Schema (draft 2020-12) of a file with these keys.
pub fn schema(title: &str, keys: &[Key]) -> Value {
    let mut schema = object(keys);
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!(title));
    Value::Object(schema)
}

fn object(keys: &[Key]) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in keys {
        let mut value = shape(key.shape);
        value.insert("description".into(), json!(key.doc));
        properties.insert(key.name.into(), Value::Object(value));
    }
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut object = Map::new();
    object.insert("type".into(), json!("object"));
    object.insert("properties".into(), Value::Object(properties));
    object.insert("required".into(), json!(required));
    object.insert("additionalProperties".into(), json!(false));
    object
}

fn shape(shape: Shape) -> Map<String, Value> {
    let value = match shape {
        Shape::Text => json!({"type": "string", "minLength": 1}),
        Shape::Texts => json!({"type": "array", "items": {"type": "string", "minLength": 1}}),
        Shape::SomeTexts => json!({"anyOf": [{"type": "string", "minLength": 1},
            {"type": "array", "items": {"type": "string", "minLength": 1}}]}),
        Shape::OneOf(words) => json!({"enum": words}),
        Shape::Words(words) => json!({"type": "array", "items": {"enum": words}}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Date => json!({"type": "string", "format": "date"}),
        Shape::Moment => json!({"type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$"}),
        Shape::Hours => json!({"type": "array",
            "items": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$"}}),
        Shape::Dates => json!({"type": "array", "items": {"type": "string", "format": "date"}}),
        Shape::Beginning => json!({"type": "string", "pattern": "^[A-Za-z0-9_?-]{1,60}$"}),
        Shape::Extensions => json!({"type": "array", "minItems": 1,
            "items": {"type": "string", "pattern": "^[A-Za-z0-9]{1,8}$"}}),
        Shape::Folder => json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,16}$"}),
        Shape::Share => json!({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,14}$"}),
        Shape::Path => json!({"type": "string", "pattern": "^/"}),
        Shape::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Integers { min, max } => {
            json!({"type": "array", "items": {"type": "integer", "minimum": min, "maximum": max}})
        }
        Shape::Name => json!({"type": "string", "format": "hostname"}),
        Shape::Port => json!({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$"}),
        Shape::Account => json!({"type": "string", "pattern": "^[a-z][a-z0-9-]{0,19}$"}),
        Shape::Ipv4 => json!({"type": "string", "format": "ipv4"}),
        Shape::Ipv4s => {
            json!({"type": "array", "minItems": 1, "items": {"type": "string", "format": "ipv4"}})
        }
        Shape::Addresses => json!({"type": "array", "minItems": 1,
            "items": {"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]}}),
        Shape::Mac => json!({"type": "string", "pattern": "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$"}),
        Shape::Suffix => json!({"type": "string", "pattern": r"^\*\.[A-Za-z0-9.-]+$"}),
        Shape::Ipv6s { count } => json!({"type": "array", "minItems": count, "maxItems": count,
            "items": {"type": "string", "format": "ipv6"}}),
        Shape::Prefix | Shape::Ipv4Prefix => {
            json!({"type": "string", "pattern": "^[0-9A-Fa-f:.]+/[0-9]{1,3}$"})
        }
        Shape::Prefixes => json!({"type": "array",
            "items": {"type": "string", "pattern": "^[0-9A-Fa-f:.]+/[0-9]{1,3}$"}}),
        Shape::Unc => json!({"type": "string", "pattern": r"^\\\\[0-9.]+\\[^\\/:*?<>|]+$"}),
        Shape::Pem => json!({"type": "string", "minLength": 1, "maxLength": 8192}),
        Shape::Secret => json!({"type": "string", "pattern": "^secret:[a-z0-9-]{1,40}$"}),
        Shape::Table(keys) => return object(keys),
        Shape::Tables(keys) => json!({"type": "array", "items": object(keys)}),
    };
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
