//! Which folders belong together: what each lane empties, and where it puts what it found. Made once, of the
//! site's terminals, consumers and kinds.

use model::parcel::Direction;

use crate::clinic::{RETURNED, SeatFolders};
use crate::lane::inbox::Inlet;
use crate::lane::table::Outlet;
use crate::name::Table;
use crate::share::Wanted;
use crate::site::{Config, TerminalConfig};

/// Which way the kinds travel on a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// What goes to the end.
    pub out: Direction,
    /// What comes from it.
    pub into: Direction,
}

/// One lane: everything between the box and one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the end is called: a terminal by its name, a consumer with an `@` before it.
    pub name: String,
    /// Whether it is a terminal, whose share is evidence for the verdict.
    pub is_terminal: bool,
    /// Which way.
    pub way: Way,
    /// What is emptied on the box.
    pub outlets: Vec<Outlet>,
    /// What is emptied on the end.
    pub inlets: Vec<Inlet>,
    /// What the end must have.
    pub wanted: Wanted,
}

/// The folders of one consumer on the box.
pub fn folders_of_seat(config: &Config, table: &Table, seat: usize) -> SeatFolders {
    let requests = config.terminals.iter().flat_map(|terminal| requests(table, terminal));
    SeatFolders {
        emptied: requests.map(|(path, _)| path).collect(),
        shown: [RETURNED.to_owned()].into_iter().chain(answers(config, table, seat)).collect(),
    }
}

/// Every lane: the terminals', then those of the consumers whose folders are elsewhere.
pub fn lanes(config: &Config, table: &Table) -> Vec<Plan> {
    let terminals = config.terminals.iter().map(|terminal| of_terminal(config, table, terminal));
    let elsewhere = config.consumers.iter().enumerate().filter(|(_, consumer)| consumer.share.is_none());
    terminals.chain(elsewhere.map(|(seat, _)| of_consumer(config, table, seat))).collect()
}

/// The lane of an end that is not in the site file any more, by what our own folders call it: nothing is emptied.
pub fn stray(name: String) -> Plan {
    let (out, into) = if name.starts_with('@') {
        (Direction::Answer, Direction::Request)
    } else {
        (Direction::Request, Direction::Answer)
    };
    let (outlets, inlets, wanted) = (Vec::new(), Vec::new(), Wanted::default());
    Plan { name, is_terminal: false, way: Way { out, into }, outlets, inlets, wanted }
}

fn of_terminal(config: &Config, table: &Table, terminal: &TerminalConfig) -> Plan {
    let seats = 0..config.consumers.len();
    let outlet = |seat| {
        let make = move |(path, folder): (String, String)| Outlet { seat, path, end: folder.clone(), folder };
        requests(table, terminal).map(make)
    };
    let inlet = |(folder, _): (String, bool)| {
        let wants = |seat: &usize| config.consumers[*seat].takes(&folder);
        let targets = seats.clone().filter(wants).map(|seat| (seat, folder.clone())).collect::<Vec<_>>();
        (!targets.is_empty()).then(|| Inlet { end: folder.clone(), folder: folder.clone(), targets })
    };
    let inlets: Vec<Inlet> = table.folders(Direction::Answer).into_iter().filter_map(inlet).collect();
    let both = [table.folders(Direction::Request), table.folders(Direction::Answer)].concat();
    Plan {
        name: terminal.name.clone(),
        is_terminal: true,
        way: Way { out: Direction::Request, into: Direction::Answer },
        outlets: seats.clone().flat_map(outlet).collect(),
        wanted: Wanted { folders: both, watched: ends(&inlets), make: false },
        inlets,
    }
}

fn of_consumer(config: &Config, table: &Table, seat: usize) -> Plan {
    let outlet = |folder: String| Outlet { seat, path: folder.clone(), end: folder.clone(), folder };
    let outlets: Vec<Outlet> = answers(config, table, seat).map(outlet).collect();
    let inlet =
        |(path, folder): (String, String)| Inlet { end: path.clone(), folder, targets: vec![(seat, path)] };
    let inlets: Vec<Inlet> =
        config.terminals.iter().flat_map(|terminal| requests(table, terminal)).map(inlet).collect();
    let folders = outlets.iter().map(|outlet| &outlet.end).chain(inlets.iter().map(|inlet| &inlet.end));
    let folders = folders.map(|folder| (folder.clone(), false)).collect();
    Plan {
        name: format!("@{}", config.consumers[seat].name),
        is_terminal: false,
        way: Way { out: Direction::Answer, into: Direction::Request },
        wanted: Wanted { folders, watched: ends(&inlets), make: true },
        outlets,
        inlets,
    }
}

fn ends(inlets: &[Inlet]) -> Vec<String> {
    inlets.iter().map(|inlet| inlet.end.clone()).collect()
}

/// The folders of a terminal's requests on every consumer's share, and what the table of kinds calls them.
fn requests(table: &Table, terminal: &TerminalConfig) -> impl Iterator<Item = (String, String)> {
    let below = terminal.requests_below.as_ref().map_or_else(String::new, |below| format!("{below}/"));
    let folders = table.folders(Direction::Request).into_iter();
    folders.map(move |(folder, _)| (format!("{below}{folder}"), folder))
}

fn answers(config: &Config, table: &Table, seat: usize) -> impl Iterator<Item = String> {
    let consumer = config.consumers.get(seat).cloned();
    let folders = table.folders(Direction::Answer).into_iter().map(|(folder, _)| folder);
    folders.filter(move |folder| consumer.as_ref().is_some_and(|consumer| consumer.takes(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{consumer, kinds, terminal};

    fn config() -> Config {
        Config {
            state: "/state".into(),
            kinds: kinds().into(),
            opening: model::Opening::default(),
            count_outcomes: false,
            history: crate::HistoryBy::Itself,
            terminals: vec![terminal("t1", None), terminal("t2", Some("second"))],
            consumers: vec![
                consumer("receipt", Some("OQS"), &[]),
                consumer("karte", Some("KARTE"), &["face"]),
                consumer("far", None, &["res"]),
            ],
        }
    }

    #[test]
    fn a_request_folder_has_its_terminal_and_an_answer_goes_to_everybody_who_wants_it() {
        let (config, table) = (config(), Table::new(&kinds()));
        let plans = lanes(&config, &table);
        let names: Vec<&str> = plans.iter().map(|plan| plan.name.as_str()).collect();
        assert_eq!(names, ["t1", "t2", "@far"]);
        let outlets = |plan: &Plan| {
            plan.outlets
                .iter()
                .map(|one| format!("{}:{}>{}", one.seat, one.path, one.end))
                .collect::<Vec<_>>()
        };
        assert_eq!(outlets(&plans[0]), ["0:req>req", "1:req>req", "2:req>req"]);
        assert_eq!(outlets(&plans[1]), ["0:second/req>req", "1:second/req>req", "2:second/req>req"]);
        assert_eq!(outlets(&plans[2]), ["2:res>res"]);
        let inlets = |plan: &Plan| {
            plan.inlets.iter().map(|one| format!("{}>{:?}", one.end, one.targets)).collect::<Vec<_>>()
        };
        assert_eq!(
            inlets(&plans[1]),
            [r#"res>[(0, "res"), (2, "res")]"#, r#"face>[(0, "face"), (1, "face")]"#]
        );
        assert_eq!(inlets(&plans[2]), [r#"req>[(2, "req")]"#, r#"second/req>[(2, "second/req")]"#]);
        let folders = folders_of_seat(&config, &table, 1);
        assert_eq!(folders.emptied, ["req", "second/req"]);
        assert_eq!(folders.shown, ["returned", "face"]);
    }
}
