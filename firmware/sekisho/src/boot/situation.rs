//! In which situation the box is, and why: a pure function of what the steps before found.

use std::collections::BTreeSet;

use board::file::{Board, Found, find};
use model::Notice;
use model::boot::{Setup, Situation};

use super::data::Data;
use super::machine::Hardware;

/// What is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installed {
    /// Nothing, ever.
    Nothing,
    /// A site file that is right; the ports it names.
    Right(Vec<String>),
    /// A site file that is not understood; every mistake.
    Wrong(Vec<String>),
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The situation.
    pub situation: Situation,
    /// The reasons, the foremost first.
    pub notices: Vec<Notice>,
    /// Where the setup page is, if the board is known and the port there.
    pub setup: Option<Setup>,
    /// The board's name.
    pub board: String,
}

/// Decides. Whatever is not as it should be closes the box; each reason is told.
pub fn decide(boards: &[Board], hardware: &Hardware, data: &Data, installed: &Installed) -> Decision {
    let (board, unknown) = match find(boards, &hardware.machine) {
        Found::One(board) => (Some(board), None),
        Found::None => (None, Some(Notice::NoBoard { machine: called(hardware) })),
        Found::Several(boards) => (None, Some(Notice::SeveralBoards { boards })),
    };
    let missing = board.map_or_else(Vec::new, |board| missing(board, hardware, installed));
    let ports = (!missing.is_empty()).then(|| Notice::PortsMissing { ports: missing.clone() });
    let wrong = match installed {
        Installed::Wrong(mistakes) => Some(Notice::SiteUnreadable { mistakes: mistakes.clone() }),
        _ => None,
    };
    let notices: Vec<Notice> = [unknown, data.notice(), wrong, ports].into_iter().flatten().collect();
    let situation = match installed {
        _ if !notices.is_empty() => Situation::Closed,
        Installed::Right(_) => Situation::Site,
        _ => Situation::Carton,
    };
    let setup = board.map(Board::setup).filter(|setup| !missing.contains(&setup.port));
    Decision {
        situation,
        notices,
        setup: setup.filter(|_| situation != Situation::Site),
        board: board.map(|board| board.name.clone()).unwrap_or_default(),
    }
}

/// Ports the site file or the board asks for, and the machine does not have.
fn missing(board: &Board, hardware: &Hardware, installed: &Installed) -> Vec<String> {
    let there = |name: &str| {
        let port = board.ports.iter().find(|port| port.name == name);
        port.is_some_and(|port| hardware.devices.contains(&port.pci))
    };
    let named = match installed {
        Installed::Right(ports) => ports.clone(),
        _ => vec![board.setup().port],
    };
    let named: BTreeSet<String> = named.into_iter().filter(|name| !there(name)).collect();
    named.into_iter().collect()
}

fn called(hardware: &Hardware) -> String {
    format!("{:?} {:?}", hardware.machine.vendor, hardware.machine.product)
}

#[cfg(test)]
mod tests {
    use board::file::{Machine, shipped};

    use super::*;

    fn hardware() -> Hardware {
        let devices = ["0000:00:10.0", "0000:00:11.0", "0000:00:12.0"].map(str::to_owned);
        Hardware {
            machine: Machine { vendor: "Sekisho".into(), product: "virtual-board".into() },
            serial: "S1".into(),
            devices: devices.into_iter().collect(),
        }
    }

    fn right() -> Installed {
        Installed::Right(["wan0", "term0", "lan0"].map(str::to_owned).to_vec())
    }

    fn keys(decision: &Decision) -> Vec<&'static str> {
        decision.notices.iter().map(Notice::key).collect()
    }

    fn decided(hardware: &Hardware, data: &Data, installed: &Installed) -> Decision {
        decide(&shipped().unwrap(), hardware, data, installed)
    }

    #[test]
    fn a_right_site_file_on_good_data_is_in_service_and_has_no_setup_page() {
        let decision = decided(&hardware(), &Data::Good, &right());
        assert_eq!(decision.situation, Situation::Site);
        assert!(decision.notices.is_empty() && decision.setup.is_none());
        assert_eq!(decision.board, "virtual");
    }

    #[test]
    fn fresh_data_without_a_site_file_is_the_carton() {
        let decision = decided(&hardware(), &Data::Good, &Installed::Nothing);
        assert_eq!(decision.situation, Situation::Carton);
        assert_eq!(decision.setup.unwrap().port, "lan0");
    }

    #[test]
    fn whatever_is_wrong_closes_the_box_and_is_told_at_the_setup_page() {
        let wrong = Installed::Wrong(vec!["site.toml:1: …".into()]);
        let damaged = Data::Damaged { reason: "…".into() };
        for (data, installed, key) in [
            (damaged.clone(), Installed::Nothing, "data-damaged"),
            (Data::Full, Installed::Nothing, "data-full"),
            (Data::Newer { format: 2 }, Installed::Nothing, "data-newer"),
            (Data::Good, wrong, "site-unreadable"),
            (damaged, right(), "data-damaged"),
        ] {
            let decision = decided(&hardware(), &data, &installed);
            assert_eq!(decision.situation, Situation::Closed);
            assert_eq!(keys(&decision), [key]);
            assert!(decision.setup.is_some());
        }
    }

    #[test]
    fn a_missing_port_is_named_and_closes_the_box() {
        let mut lacking = hardware();
        lacking.devices.remove("0000:00:11.0");
        let decision = decided(&lacking, &Data::Good, &right());
        assert_eq!(decision.notices, [Notice::PortsMissing { ports: vec!["term0".into()] }]);
        assert!(decision.setup.is_some(), "the setup port itself is there");
        // Without a site file only the setup port is asked for.
        assert_eq!(decided(&lacking, &Data::Good, &Installed::Nothing).situation, Situation::Carton);
        lacking.devices.clear();
        let decision = decided(&lacking, &Data::Good, &Installed::Nothing);
        assert_eq!((decision.situation, decision.setup), (Situation::Closed, None));
    }

    #[test]
    fn a_port_of_the_site_file_that_the_board_never_had_is_missing_too() {
        let installed = Installed::Right(vec!["wan9".into()]);
        let decision = decided(&hardware(), &Data::Good, &installed);
        assert_eq!(decision.notices, [Notice::PortsMissing { ports: vec!["wan9".into()] }]);
    }

    #[test]
    fn an_unknown_machine_and_an_ambiguous_one_come_up_closed_without_any_port() {
        let mut unknown = hardware();
        unknown.machine.product = "toaster".into();
        let decision = decided(&unknown, &Data::Good, &right());
        assert_eq!((keys(&decision), decision.setup), (vec!["no-board"], None));
        let mut twins = shipped().unwrap();
        twins.push(twins[0].clone());
        let decision = decide(&twins, &hardware(), &Data::Good, &right());
        assert_eq!((keys(&decision), decision.setup), (vec!["several-boards"], None));
        assert_eq!(decision.situation, Situation::Closed);
    }

    #[test]
    fn several_reasons_are_all_told() {
        let mut lacking = hardware();
        lacking.devices.clear();
        let wrong = Installed::Wrong(vec!["…".into()]);
        let decision = decided(&lacking, &Data::Full, &wrong);
        assert_eq!(keys(&decision), ["data-full", "site-unreadable", "ports-missing"]);
    }
}
