//! The flushes the promises need. Each can be left out by name, in a program built with the feature `sabotage` only.

use super::place::Terminal;

/// A flush left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// Its name in `SEKISHO_SABOTAGE`, or their names.
    pub name: &'static str,
    /// What then is not durable.
    pub what: &'static str,
    /// What makes the relay die in the load that shows it; none: it is killed at each step in turn. Whoever is killed
    /// from outside ends its flush first, so it dies by itself right before one.
    pub dies: Option<&'static str>,
    /// How the terminal stands to the box in the load that shows it.
    pub terminal: Terminal,
}

/// The listed flushes. Others are not seen by a cut on one journalling file system, where a flush of anything commits
/// what was done in all folders, and so are not in the list. After a restart the log's own flushes stand in for that of
/// what was decided before; the model in `request/tests.rs` of `relay` is for it. And what was shown and not
/// flushed lies in `arriving` again, recorded, and is shown again.
pub const DEFECTS: [Defect; 8] = [
    defect("flush-decide", "the move of a request into attempted", None),
    defect("flush-copy", "the bytes and names of copies in arriving", None),
    defect("flush-record", "the record of a seen answer", None),
    defect("flush-replace", "the key of the hashes and the reserved numbers", None),
    defect("keep-removals", "what the clinic removes from its folders", None),
    defect("flush-log-open", "what a killed run had recorded", Some("die-before=flush-record:1")),
    Defect {
        terminal: Terminal::Near,
        ..defect("flush-publish", "the publication on an end that is a folder of this machine", None)
    },
    Defect {
        terminal: Terminal::Near,
        ..defect(
            "flush-staged",
            "what a killed run had published on such an end",
            Some("die-at=publishing:1"),
        )
    },
];

const fn defect(name: &'static str, what: &'static str, dies: Option<&'static str>) -> Defect {
    Defect { name, what, dies, terminal: Terminal::Far }
}
