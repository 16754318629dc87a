//! The table of kinds: what a parcel may be, told by its folder and name. It is data of the profile; a site may
//! change any value of a kind, put a kind off or on, and add kinds of its own.

use crate::parcel::Direction;
use crate::site::spec::{Key, Shape};
use crate::site::walk::{self, Errors, Node};

/// One kind a parcel may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its key: in logs, on the page, in the journal.
    pub key: String,
    /// Which way it travels.
    pub direction: Direction,
    /// The folder it lies in, below the share's root, on both sides.
    pub folder: String,
    /// What the name begins with, compared without case, as Windows does; `?` is any one letter or digit.
    pub prefix: String,
    /// Its extensions, without a dot, lower case.
    pub extensions: Vec<String>,
    /// The largest file of this kind, bytes.
    pub max_bytes: u64,
    /// How long a request may wait before it is held instead of sent, and an answer before a person has to say what
    /// becomes of it; seconds of open days.
    pub time_to_live_s: u64,
    /// How many are carried in a minute at most; without a limit if absent.
    pub per_minute: Option<u32>,
    /// For a request: the keys of the kinds that answer it.
    pub answered_by: Vec<String>,
    /// How long a request that was taken may be without its answer before that is somebody's fault, seconds: kinds that
    /// are worked off in bulk take hours.
    pub answered_within_s: u64,
    /// Whether a terminal without its folder is nevertheless well.
    pub folder_may_lack: bool,
    /// Whether it is carried at all.
    pub enabled: bool,
}

/// Largest a kind may be given: 200 MB, the largest file the field is known to pass.
const LARGEST: i64 = 200 * 1024 * 1024;
/// Longest time to live: a quarter of a year, for what is sent once a month.
const LONGEST_S: i64 = 92 * 86400;

const DIRECTION: Shape = Shape::OneOf(&["request", "answer"]);
const BYTES: Shape = Shape::Integer { min: 1, max: LARGEST };
const SECONDS: Shape = Shape::Integer { min: 1, max: LONGEST_S };
const RATE: Shape = Shape::Integer { min: 1, max: 1_000_000 };

const KEY_DOC: &str = "name of the kind, for people and logs";
const DIRECTION_DOC: &str = "request: clinic to terminal; answer: back";
const FOLDER_DOC: &str = "folder below the share's root, on both sides";
const PREFIX_DOC: &str =
    "what the file's name begins with, without regard to case; ? is any one letter or digit";
const EXTENSIONS_DOC: &str = "extensions without a dot";
const BYTES_DOC: &str = "largest file, bytes";
const SECONDS_DOC: &str =
    "a request is held instead of sent after, an answer that nobody collects is told; seconds of open days";
const RATE_DOC: &str = "how many are carried in a minute, without a limit if absent";
/// What somebody at the counter waits for.
const ANSWERED_WITHIN_S: u64 = 60;
const WITHIN_DOC: &str =
    "how long a request may be without its answer before that is a fault, seconds, 60 if absent";
const ANSWER_DOC: &str = "keys of the kinds that answer this request";
const LACK_DOC: &str = "a terminal without this folder is nevertheless well, false if absent";
const ENABLED_DOC: &str = "whether it is carried, true if absent";

/// The keys of a kind in a profile.
pub(crate) const SPEC: &[Key] = &[
    Key::required("key", Shape::Text, KEY_DOC),
    Key::required("direction", DIRECTION, DIRECTION_DOC),
    Key::required("folder", Shape::Folder, FOLDER_DOC),
    Key::required("prefix", Shape::Beginning, PREFIX_DOC),
    Key::required("extensions", Shape::Extensions, EXTENSIONS_DOC),
    Key::required("max-bytes", BYTES, BYTES_DOC),
    Key::required("time-to-live-s", SECONDS, SECONDS_DOC),
    Key::optional("per-minute", RATE, RATE_DOC),
    Key::optional("answered-by", Shape::SomeTexts, ANSWER_DOC),
    Key::optional("answered-within-s", SECONDS, WITHIN_DOC),
    Key::optional("folder-may-lack", Shape::Boolean, LACK_DOC),
    Key::optional("enabled", Shape::Boolean, ENABLED_DOC),
];

/// The keys of a kind in a site file: what is said there wins over the profile.
pub(crate) const SITE_SPEC: &[Key] = &[
    Key::required("key", Shape::Text, "a kind of the profile, which is changed, or a new one"),
    Key::optional("direction", DIRECTION, DIRECTION_DOC),
    Key::optional("folder", Shape::Folder, FOLDER_DOC),
    Key::optional("prefix", Shape::Beginning, PREFIX_DOC),
    Key::optional("extensions", Shape::Extensions, EXTENSIONS_DOC),
    Key::optional("max-bytes", BYTES, BYTES_DOC),
    Key::optional("time-to-live-s", SECONDS, SECONDS_DOC),
    Key::optional("per-minute", RATE, RATE_DOC),
    Key::optional("answered-by", Shape::SomeTexts, ANSWER_DOC),
    Key::optional("answered-within-s", SECONDS, WITHIN_DOC),
    Key::optional("folder-may-lack", Shape::Boolean, LACK_DOC),
    Key::optional("enabled", Shape::Boolean, ENABLED_DOC),
];

/// Reads a profile's table. What is wrong in it is among the errors.
pub(crate) fn read(root: &Node, errors: &mut Errors<'_>) -> Vec<Kind> {
    let nodes = root.tables("kind");
    walk::refuse_twins(&nodes, "key", errors);
    let rows: Vec<Row<'_>> = nodes.iter().filter_map(|node| row(node, None)).collect();
    check(&rows, errors);
    rows.into_iter().map(|row| row.kind).collect()
}

/// The table of a site: the profile's, with what the site file says of it. Only kinds that are on.
pub(crate) fn of_site(profile: &[Kind], root: &Node, errors: &mut Errors<'_>) -> Vec<Kind> {
    let nodes = root.tables("kind");
    walk::refuse_twins(&nodes, "key", errors);
    let said = |kind: &Kind| nodes.iter().copied().find(|node| node.text("key").as_ref() == Some(&kind.key));
    let mut rows: Vec<Row<'_>> = Vec::new();
    for kind in profile {
        match said(kind) {
            Some(node) => rows.extend(row(node, Some(kind))),
            None => rows.push(Row { kind: kind.clone(), node: None }),
        }
    }
    for node in nodes.iter().copied() {
        let Some(key) = node.text("key") else { continue };
        if profile.iter().any(|kind| kind.key == key) {
            continue;
        }
        for wanted in SPEC.iter().filter(|wanted| wanted.required && !node.was_given(wanted.name)) {
            let message = format!("the profile has no kind {key:?}, so this key is needed ({})", wanted.doc);
            errors.add(node, wanted.name, message, None);
        }
        rows.extend(row(node, None));
    }
    check(&rows, errors);
    rows.into_iter().map(|row| row.kind).filter(|kind| kind.enabled).collect()
}

/// A kind and where it was said; none if only in the profile, whose own check has passed.
struct Row<'n> {
    kind: Kind,
    node: Option<&'n Node>,
}

fn row<'n>(node: &'n Node, base: Option<&Kind>) -> Option<Row<'n>> {
    let direction = match node.text("direction").as_deref() {
        Some("request") => Some(Direction::Request),
        Some(_) => Some(Direction::Answer),
        None => None,
    };
    let listed = |key: &str, base: Option<&Vec<String>>| {
        if node.has(key) { Some(node.texts(key)) } else { base.cloned() }
    };
    let number = |key: &str| node.integer(key).and_then(|number| u64::try_from(number).ok());
    let rate = node.integer("per-minute").and_then(|number| u32::try_from(number).ok());
    let kind = Kind {
        key: node.text("key")?,
        direction: direction.or(base.map(|base| base.direction))?,
        folder: node.text("folder").or_else(|| base.map(|base| base.folder.clone()))?,
        prefix: node.text("prefix").or_else(|| base.map(|base| base.prefix.clone()))?,
        extensions: listed("extensions", base.map(|base| &base.extensions))?,
        max_bytes: number("max-bytes").or(base.map(|base| base.max_bytes))?,
        time_to_live_s: number("time-to-live-s").or(base.map(|base| base.time_to_live_s))?,
        per_minute: rate.or(base.and_then(|base| base.per_minute)),
        answered_by: listed("answered-by", base.map(|base| &base.answered_by)).unwrap_or_default(),
        answered_within_s: number("answered-within-s")
            .or(base.map(|base| base.answered_within_s))
            .unwrap_or(ANSWERED_WITHIN_S),
        folder_may_lack: node
            .boolean("folder-may-lack")
            .unwrap_or(base.is_some_and(|base| base.folder_may_lack)),
        enabled: node.boolean("enabled").unwrap_or(base.is_none_or(|base| base.enabled)),
    };
    Some(Row { kind, node: Some(node) })
}

/// What one key alone cannot tell.
fn check(rows: &[Row<'_>], errors: &mut Errors<'_>) {
    for (at, row) in rows.iter().enumerate() {
        // What only the profile said is held against what the site said, from the site's side.
        let Some(node) = row.node else { continue };
        check_answers(row, node, rows, errors);
        check_off(row, node, rows, errors);
        check_folder(row, node, rows, errors);
        let before = rows.iter().enumerate().filter(|(other, row)| *other < at || row.node.is_none());
        let twin = before.map(|(_, row)| row).find(|other| is_twin(&row.kind, &other.kind));
        if let Some(twin) = twin.filter(|twin| twin.kind.key != row.kind.key) {
            let message = format!("the same names are of kind {:?} already", twin.kind.key);
            errors.add(node, "prefix", message, None);
        }
    }
}

fn check_answers(row: &Row<'_>, node: &Node, rows: &[Row<'_>], errors: &mut Errors<'_>) {
    if !row.kind.enabled {
        return;
    }
    let answer = |row: &&Row<'_>| row.kind.direction == Direction::Answer;
    if !row.kind.answered_by.is_empty() && row.kind.direction == Direction::Answer {
        errors.add(node, "answered-by", "an answer is not answered".into(), None);
        return;
    }
    for key in &row.kind.answered_by {
        let named = rows.iter().filter(answer).find(|row| row.kind.key == *key);
        match named {
            Some(named) if named.kind.enabled => {}
            Some(_) => errors.add(node, "answered-by", format!("the kind {key:?} is off"), None),
            None => {
                let keys: Vec<&str> = rows.iter().filter(answer).map(|row| row.kind.key.as_str()).collect();
                let allowed = Some(keys.join(", "));
                errors.add(node, "answered-by", format!("no answer kind is called {key:?}"), allowed);
            }
        }
    }
}

/// What answers a request that is carried is carried too. A request the same file speaks of says so itself.
fn check_off(row: &Row<'_>, node: &Node, rows: &[Row<'_>], errors: &mut Errors<'_>) {
    let asks = |other: &&Row<'_>| {
        other.node.is_none() && other.kind.enabled && other.kind.answered_by.contains(&row.kind.key)
    };
    if let Some(request) = rows.iter().find(asks).filter(|_| !row.kind.enabled) {
        errors.add(node, "enabled", format!("it answers {:?}, which is on", request.kind.key), None);
    }
}

/// A folder has one direction and one spelling: what we put into it we would otherwise take out again.
fn check_folder(row: &Row<'_>, node: &Node, rows: &[Row<'_>], errors: &mut Errors<'_>) {
    let own = &row.kind;
    for other in rows.iter().map(|row| &row.kind) {
        if !other.folder.eq_ignore_ascii_case(&own.folder) {
            continue;
        }
        if other.direction != own.direction {
            let message =
                format!("{:?} is a folder of {:?}, which goes the other way", own.folder, other.key);
            return errors.add(node, "folder", message, None);
        }
        if other.folder != own.folder {
            let message = format!("{:?} is written {:?} for {:?}", own.folder, other.folder, other.key);
            return errors.add(node, "folder", message, None);
        }
    }
}

fn is_twin(one: &Kind, other: &Kind) -> bool {
    let shared = one.extensions.iter().any(|extension| other.extensions.contains(extension));
    let here = one.direction == other.direction && one.folder.eq_ignore_ascii_case(&other.folder);
    here && shared && one.prefix.eq_ignore_ascii_case(&other.prefix)
}

#[cfg(test)]
mod tests;
