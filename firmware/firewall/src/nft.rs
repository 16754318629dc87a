//! The forms of nft's JSON (libnftables-json(5)) that we write, and no others. They are the forms in which nft
//! lists a ruleset back, so that what the kernel holds can be compared with what was planned, word by word.
//! Names and addresses only ever become JSON strings: no text of a site file can become nft syntax.

mod json;
mod refusal;

use model::site::prefix::Prefix;
use serde_json::{Value, json};

use self::json::{placed, single};

/// The family and the name of our table.
pub const TABLE: (&str, &str) = ("inet", "sekisho");

/// The table of what passes through unseen, in a site that asks for it.
pub const BRIDGE: (&str, &str) = ("bridge", "sekisho");

/// What drops everything when our table cannot be replaced, since somebody else has taken its name for himself: a table
/// of this name belongs to us alone, and goes when ours is loaded.
pub const CLOSED: [(&str, &str); 2] = [("inet", "sekisho_closed"), ("bridge", "sekisho_closed")];

/// Every table that is ours, whether it is there or not.
pub const OURS: [(&str, &str); 4] = [TABLE, BRIDGE, CLOSED[0], CLOSED[1]];

/// The NFLOG group drops are logged to.
pub const LOG_GROUP: u16 = 5;

/// How many refusals of one line are logged a second.
pub const LOGGED: u16 = 5;

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The port a packet came in by.
    In,
    /// The port it leaves by.
    Out,
    /// Both.
    Way,
    /// The family.
    Family,
    /// IPv4 source.
    Source4,
    /// IPv4 destination.
    Destination4,
    /// IPv6 source.
    Source6,
    /// IPv6 destination.
    Destination6,
    /// IPv6 hop limit.
    HopLimit,
    /// ICMP type.
    IcmpType,
    /// ICMPv6 type.
    Icmp6Type,
    /// TCP destination port.
    TcpTo,
    /// UDP source port.
    UdpFrom,
    /// UDP destination port.
    UdpTo,
    /// IPv4 destination, protocol and port.
    Service4,
    /// IPv6 destination, protocol and port.
    Service6,
    /// Protocol and port.
    Service,
    /// The transport protocol.
    Protocol,
    /// The card a frame came from.
    Card,
    /// What a frame carries.
    EtherType,
    /// The connection's state.
    State,
}

/// What it is compared with, and what a set holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operand {
    /// A named set of ours.
    Set(&'static str),
    /// One of nft's words.
    Word(&'static str),
    /// Any of these words, of a key that is a mask: nft asks that without a set.
    Words(&'static [&'static str]),
    /// An interface.
    Port(String),
    /// A number.
    Number(u16),
    /// A prefix; one of full length is written as its address.
    Prefix(Prefix),
    /// A tuple.
    Tuple(Vec<Operand>),
    /// A card's address.
    Card(String),
    /// Any of these.
    AnyOf(Vec<Operand>),
    /// For so many seconds.
    Timed(Box<Operand>, u32),
}

/// Where a rule leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Lets the packet pass this hook.
    Accept,
    /// Goes on in another chain of ours and comes back.
    Jump(&'static str),
}

/// One step of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Goes on if it is so.
    Is(Key, Operand),
    /// Goes on if it is not so.
    IsNot(Key, Operand),
    /// Looks the verdict up in a named map.
    Lookup(Key, &'static str),
    /// Goes on at most so often a second, with a burst of twice that.
    Limit(u16),
    /// Goes on only if this sender has more open flows than so many; the set remembers them.
    Over(Key, &'static str, u32),
    /// Goes on if the packet opens a TCP connection, or answers that.
    Syn,
    /// No segment is to be longer than the way carries (RFC 879).
    Clamp,
    /// Gives the packet the address of the port it leaves by.
    Masquerade,
    /// Counts.
    Count,
    /// Decides.
    Verdict(Verdict),
    /// Logs under the rule's id, no more often than [`LOGGED`]; counts, and drops. The last step of its rule.
    Refuse,
}

/// One rule. Its comment is its id and the policy line it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Unique in the table.
    pub id: String,
    /// The policy line, with the promise's number.
    pub says: &'static str,
    /// Its steps.
    pub steps: Vec<Statement>,
}

/// Where a base chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// nft's type.
    pub kind: &'static str,
    /// nft's hook.
    pub name: &'static str,
    /// Its priority there.
    pub priority: i32,
    /// Whether what no rule decides is dropped.
    pub drops: bool,
}

impl Hook {
    /// Decides: what no rule lets pass is dropped.
    pub const fn filter(name: &'static str) -> Self {
        Self { kind: "filter", name, priority: 0, drops: true }
    }

    /// Translates, behind every decision (NF_IP_PRI_NAT_SRC).
    pub const fn translate() -> Self {
        Self { kind: "nat", name: "postrouting", priority: 100, drops: false }
    }
}

/// A chain; a base chain has a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: &'static str,
    /// The hook it stands at.
    pub hook: Option<Hook>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// What kind of elements a set may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Single values.
    Values,
    /// Prefixes too.
    Prefixes,
    /// Values that go away at their time.
    Timed,
    /// Senders, as packets bring them; at most so many.
    Senders(u32),
}

/// A named set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: &'static str,
    /// nft's types of its elements.
    pub types: &'static [&'static str],
    /// What kind of elements it may have.
    pub holds: Holds,
    /// What it holds, none overlapping another.
    pub elements: Vec<Operand>,
}

/// A named verdict map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Its name.
    pub name: &'static str,
    /// nft's types of its keys.
    pub types: &'static [&'static str],
    /// Keys and verdicts.
    pub elements: Vec<(Operand, Verdict)>,
}

/// One table as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Table<'t> {
    /// Family and name.
    pub place: (&'static str, &'static str),
    /// Its named sets.
    pub sets: &'t [Set],
    /// Its verdict maps.
    pub maps: &'t [Map],
    /// Its chains.
    pub chains: &'t [Chain],
}

/// The commands that put these tables in the place of all that is ours, in one transaction: `add` makes sure that there
/// is one to `delete`, other people's tables are left alone, and an error anywhere changes nothing.
pub fn replacement(tables: &[Table<'_>]) -> Value {
    replaced(&OURS, tables)
}

/// The same, and only what is named is taken away.
pub fn replaced(gone: &[(&str, &str)], tables: &[Table<'_>]) -> Value {
    let gone = gone
        .iter()
        .flat_map(|place| ["add", "delete"].map(|verb| single(verb, placed(*place, "table", json!({})))));
    single("nftables", gone.chain(tables.iter().flat_map(Table::commands)).collect())
}

impl Table<'_> {
    fn commands(&self) -> Vec<Value> {
        let add = |kind: &str, body: Value| single("add", placed(self.place, kind, body));
        let mut commands = vec![add("table", json!({}))];
        commands.extend(self.sets.iter().map(|set| add("set", set.json())));
        let (chains, rules): (Vec<_>, Vec<_>) = self.chains.iter().map(refusal::written).unzip();
        commands.extend(chains.concat().into_iter().map(|chain| add("chain", chain)));
        commands.extend(self.maps.iter().map(|map| add("map", map.json())));
        commands.extend(rules.concat().into_iter().map(|rule| add("rule", rule)));
        commands
    }
}

/// `add` or `delete` of elements of one of our sets; nothing if there are none.
pub fn elements(verb: &str, set: &str, elements: &[Operand]) -> Option<Value> {
    let list: Vec<Value> = elements.iter().map(Operand::json).collect();
    let body = placed(TABLE, "element", json!({"name": set, "elem": list}));
    (!list.is_empty()).then(|| single(verb, body))
}
