//! The flushes the promises need. Each can be left out by name, in a program built with the feature `sabotage` only.

use super::forgetful::{Odd, Way};
use super::place::Terminal;

/// A flush left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// Its name in `SEKISHO_SABOTAGE`.
    pub name: &'static str,
    /// What then is not durable.
    pub what: &'static str,
    /// Where it shows.
    pub on: On,
}

/// Where a defect shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// On ext4, in a machine whose writes are recorded.
    Ext4(Recorded),
    /// On a disk that forgets all it may: on a real one another flush stands in.
    Forgetful(Way),
}

/// A load of the recorded machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What makes the relay die in it; none: it is killed at each step in turn. Whoever is killed from outside ends its
    /// flush first, so it dies by itself right before one.
    pub dies: Option<&'static str>,
    /// How the terminal stands to the box.
    pub terminal: Terminal,
}

const FAR: On = On::Ext4(Recorded { dies: None, terminal: Terminal::Far });

/// Nothing but requests and answers, until somebody outside has seen something.
const PLAIN: Way = Way { odd: Odd::Nothing, dies: &[], ends: None, fresh: false, near: false };
const NEAR: Way = Way { near: true, ..PLAIN };

/// Every flush of the relay and its journal, but one: that of another machine's share is in `tests/smbd.rs` of `relay`.
pub const DEFECTS: [Defect; 23] = [
    // Its own folders and files.
    on_ext4("flush-record", "the record of a seen answer", FAR),
    on_ext4(
        "flush-log-open",
        "what a killed run had recorded",
        On::Ext4(Recorded { dies: Some("die-before=flush-record:1"), terminal: Terminal::Far }),
    ),
    forgotten("flush-log-name", "the name of a log's new segment", PLAIN),
    on_ext4("flush-replace", "the bytes of the key of the hashes and of the reserved numbers", FAR),
    forgotten("flush-replace-name", "the names of the same", Way { fresh: true, ..PLAIN }),
    forgotten("flush-folder", "the name of a folder of the relay's own", Way { fresh: true, ..PLAIN }),
    forgotten("flush-folder-made", "the name of a folder made again", Way { odd: Odd::Removed, ..PLAIN }),
    forgotten(
        "flush-folder-found",
        "the names of folders that a killed run made",
        // The first life makes the terminal's folder in `attempted` and does not live to flush its name; the second finds it, makes
        // the one that is beside it, and does not live to flush that: its flush would stand in.
        Way {
            dies: &["die-before=flush-folder-made:8", "die-before=flush-folder-made:3"],
            ends: Some("die-at=decided:1"),
            fresh: true,
            ..PLAIN
        },
    ),
    // A request's road.
    on_ext4("flush-decide", "the move of a request into attempted", FAR),
    forgotten(
        "flush-doubt",
        "the move that a killed run made, before a doubt is ended by it",
        Way { dies: &["die-before=flush-decide:1"], ..PLAIN },
    ),
    forgotten(
        "flush-noted",
        "what was noted, before the terminal is known as another one",
        Way { odd: Odd::Replaced, dies: &["die-at=decided:1"], ..PLAIN },
    ),
    forgotten("flush-publish", "the publication on an end that is a folder of this machine", NEAR),
    forgotten(
        "flush-staged",
        "what a killed run had published on such an end",
        Way { dies: &["die-at=publishing:1"], ends: Some("die-before=flush-copy:2"), ..NEAR },
    ),
    // An answer's.
    forgotten(
        "flush-copy",
        "the bytes of copies in arriving",
        Way { ends: Some("die-before=flush-show:1"), ..PLAIN },
    ),
    forgotten(
        "flush-copy-name",
        "the names of copies in arriving",
        Way { ends: Some("die-before=flush-show:1"), ..PLAIN },
    ),
    forgotten("flush-show", "what was shown", PLAIN),
    forgotten(
        "flush-found",
        "what a killed run had shown",
        Way { dies: &["die-before=flush-show:1"], ..PLAIN },
    ),
    on_ext4("keep-removals", "what the clinic removes from its folders", FAR),
    // What persons decide.
    forgotten(
        "flush-hold",
        "that a file was taken in hand",
        Way { odd: Odd::Returned, ends: Some("die-before=flush-return:1"), ..PLAIN },
    ),
    forgotten("flush-return", "the bytes of a file that was given back", Way { odd: Odd::Returned, ..PLAIN }),
    forgotten("flush-return-name", "that a file was given back", Way { odd: Odd::Returned, ..PLAIN }),
    forgotten("flush-discard", "that a file was discarded", Way { odd: Odd::Discarded, ..PLAIN }),
    forgotten(
        "flush-settle",
        "what a killed run did for a person, before it is recorded",
        Way { odd: Odd::Returned, dies: &["die-before=flush-return-name:1"], ..PLAIN },
    ),
];

/// Every way of the disk that forgets: the sound relay is right on all of them.
pub fn ways() -> Vec<Way> {
    let mut ways = vec![PLAIN, Way { ends: Some("die-before=flush-show:*"), ..PLAIN }];
    for defect in DEFECTS {
        if let On::Forgetful(way) = defect.on
            && !ways.contains(&way)
        {
            ways.push(way);
        }
    }
    ways
}

const fn on_ext4(name: &'static str, what: &'static str, on: On) -> Defect {
    Defect { name, what, on }
}

const fn forgotten(name: &'static str, what: &'static str, way: Way) -> Defect {
    Defect { name, what, on: On::Forgetful(way) }
}

#[cfg(test)]
mod tests;
