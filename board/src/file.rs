//! Board files: what a machine calls itself, its ports, its console. Data, checked by the same walker as the site
//! file: every mistake is said at once.

use model::boot::Setup;
use model::site::SiteError;
use model::site::prefix::Prefix;
use model::site::spec::{Key, Shape};
use model::site::walk::{self, Errors, Node, refuse_twins};

/// A port, as the case shows it and as the bus finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The name it gets; site files use it.
    pub name: String,
    /// What is printed at it.
    pub label: String,
    /// The PCI address of its device, like `0000:00:10.0`.
    pub pci: String,
}

/// A board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Its name.
    pub name: String,
    /// What the machine says of its maker.
    pub vendor: String,
    /// What the machine says of itself.
    pub product: String,
    /// The serial console's device, without `/dev/`.
    pub console: String,
    /// What the watchdog's driver calls itself; the first one there if absent.
    pub watchdog: Option<String>,
    /// Its ports.
    pub ports: Vec<Port>,
    /// The port's name and the box's address on it before there is a site.
    setup: (String, Prefix),
}

/// What a machine says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Its maker (`sys_vendor`).
    pub vendor: String,
    /// Its model (`product_name`).
    pub product: String,
}

/// Which board a machine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'b> {
    /// This one.
    One(&'b Board),
    /// None that is known.
    None,
    /// More than one file says so; the names.
    Several(Vec<String>),
}

/// The board files in this binary: name and text.
pub const SHIPPED: &[(&str, &str)] = &[("virtual.toml", include_str!("../boards/virtual.toml"))];

const MATCH: &[Key] = &[
    Key::required("vendor", Shape::Text, "what the machine says of its maker (SMBIOS type 1)"),
    Key::required("product", Shape::Text, "what the machine says of itself"),
];

const PORT: &[Key] = &[
    Key::required("name", Shape::Port, "the interface's name in site files"),
    Key::required("label", Shape::Text, "what is printed at it"),
    Key::required("path", Shape::Text, "its device as udev's ID_PATH says it, like pci-0000:00:10.0"),
];

const SETUP: &[Key] = &[
    Key::required("port", Shape::Port, "the port where the box is found before it has a site file"),
    Key::required("address", Shape::Ipv4Prefix, "the box's address on it"),
];

/// The keys of a board file.
pub const SPEC: &[Key] = &[
    Key::required("version", Shape::Integer { min: 1, max: 1 }, "format of this file"),
    Key::required("name", Shape::Text, "the board's name"),
    Key::required("console", Shape::Port, "the serial console's device, without /dev/"),
    Key::optional("watchdog", Shape::Text, "what the watchdog's driver calls itself"),
    Key::required("match", Shape::Table(MATCH), "how the board is recognised"),
    Key::required("port", Shape::Tables(PORT), "the ports"),
    Key::required("setup", Shape::Table(SETUP), "where the box is found before it has a site file"),
];

impl Board {
    /// Parses a board file. `file` is the name that errors carry.
    ///
    /// # Errors
    /// Every mistake in it, with its place; a syntax error is alone.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<SiteError>> {
        let mut errors = Errors::new(file, text);
        let board = walk::document(text, SPEC, &mut errors).and_then(|root| {
            check(&root, &mut errors);
            read(&root)
        });
        match board {
            Some(board) if errors.is_empty() => Ok(board),
            _ => Err(errors.into_list()),
        }
    }

    /// Where the box is found before there is a site.
    pub fn setup(&self) -> Setup {
        let (port, address) = self.setup.clone();
        let label = self.ports.iter().find(|one| one.name == port).map(|one| one.label.clone());
        Setup { label: label.unwrap_or_else(|| port.clone()), port, address }
    }
}

/// Every board of this binary.
///
/// # Errors
/// The mistakes of all of them; a test sees to it that there are none.
pub fn shipped() -> Result<Vec<Board>, Vec<SiteError>> {
    let (boards, mistakes): (Vec<_>, Vec<_>) =
        SHIPPED.iter().map(|(file, text)| Board::parse(file, text)).partition(Result::is_ok);
    let mistakes: Vec<SiteError> = mistakes.into_iter().filter_map(Result::err).flatten().collect();
    if mistakes.is_empty() { Ok(boards.into_iter().flatten().collect()) } else { Err(mistakes) }
}

/// The board a machine is. What it says is compared whole, but for blanks around it.
pub fn find<'b>(boards: &'b [Board], machine: &Machine) -> Found<'b> {
    let same =
        |board: &&Board| board.vendor == machine.vendor.trim() && board.product == machine.product.trim();
    let matching: Vec<&Board> = boards.iter().filter(same).collect();
    match matching.as_slice() {
        [board] => Found::One(board),
        [] => Found::None,
        several => Found::Several(several.iter().map(|board| board.name.clone()).collect()),
    }
}

fn read(root: &Node) -> Option<Board> {
    let (matching, setup) = (root.table("match")?, root.table("setup")?);
    Some(Board {
        name: root.text("name")?,
        vendor: matching.text("vendor")?,
        product: matching.text("product")?,
        console: root.text("console")?,
        watchdog: root.text("watchdog"),
        ports: root.tables("port").iter().filter_map(|node| port(node)).collect(),
        setup: (setup.text("port")?, setup.prefix("address")?),
    })
}

fn port(node: &Node) -> Option<Port> {
    Some(Port { name: node.text("name")?, label: node.text("label")?, pci: pci(&node.text("path")?)? })
}

/// `pci-0000:00:10.0` without its first word; domain, bus, device, function in their exact digits.
fn pci(path: &str) -> Option<String> {
    let address = path.strip_prefix("pci-")?;
    let pieces: Vec<&str> = address.split([':', '.']).collect();
    let hex = |piece: &&str| piece.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
    let shaped = lengths == [4, 2, 2, 1] && address.matches(':').count() == 2;
    (shaped && pieces.iter().all(hex)).then(|| address.to_owned())
}

fn check(root: &Node, errors: &mut Errors<'_>) {
    let ports = root.tables("port");
    for key in ["name", "label", "path"] {
        refuse_twins(&ports, key, errors);
    }
    for node in &ports {
        let Some(path) = node.text("path") else { continue };
        if pci(&path).is_none() {
            let allowed = Some("a PCI device like pci-0000:00:10.0".to_owned());
            errors.add(node, "path", format!("{path:?} is not allowed here"), allowed);
        }
    }
    let Some(setup) = root.table("setup") else { return };
    let names: Vec<String> = ports.iter().filter_map(|node| node.text("name")).collect();
    if setup.text("port").is_some_and(|port| !names.contains(&port)) {
        errors.add(setup, "port", "the board has no such port".into(), Some(names.join(", ")));
    }
    if let Some(prefix) = setup.prefix("address")
        && let std::net::IpAddr::V4(address) = prefix.address
        && (prefix.length > 29 || !prefix.is_machine(address))
    {
        let allowed = Some("like 192.0.2.1/24, with room for others".to_owned());
        errors.add(setup, "address", format!("{prefix} has no room for the box and others"), allowed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(vendor: &str, product: &str) -> Machine {
        Machine { vendor: vendor.into(), product: product.into() }
    }

    #[test]
    fn every_shipped_board_is_right_and_matches_itself_alone() {
        let boards = shipped().unwrap();
        for board in &boards {
            assert_eq!(find(&boards, &machine(&board.vendor, &board.product)), Found::One(board));
        }
    }

    #[test]
    fn a_machine_is_one_board_or_none_or_too_many() {
        let boards = shipped().unwrap();
        assert_eq!(find(&boards, &machine("Nobody", "virtual-board")), Found::None);
        assert_eq!(find(&boards, &Machine::default()), Found::None);
        assert!(matches!(find(&boards, &machine("Sekisho ", "virtual-board\n")), Found::One(_)));
        let mut twins = boards.clone();
        twins.push(Board { name: "twin".into(), ..boards[0].clone() });
        let both = vec!["virtual".to_owned(), "twin".to_owned()];
        assert_eq!(find(&twins, &machine("Sekisho", "virtual-board")), Found::Several(both));
    }

    #[test]
    fn the_setup_port_carries_its_label() {
        let setup = shipped().unwrap()[0].setup();
        assert_eq!((setup.port.as_str(), setup.label.as_str()), ("lan0", "SETUP"));
    }

    #[test]
    fn every_mistake_of_a_board_file_is_said_with_its_line() {
        let text = r#"version = 1
name = "wrong"
colour = "red"
console = "ttyS0"
[match]
vendor = "Sekisho"
[[port]]
name = "wan0"
label = "WAN"
path = "usb-1"
[[port]]
name = "wan0"
label = "LAN"
path = "pci-0000:00:10.0"
[setup]
port = "lan0"
address = "192.0.2.0/31"
"#;
        let said = Board::parse("wrong.toml", text).unwrap_err();
        let lines: Vec<(usize, &str)> = said.iter().map(|one| (one.line, one.path.as_str())).collect();
        let wanted = [
            (3, "colour"),
            (5, "match.product"),
            (10, "port[1].path"),
            (12, "port[2].name"),
            (16, "setup.port"),
            (17, "setup.address"),
        ];
        assert_eq!(lines, wanted, "{said:#?}");
    }

    #[test]
    fn a_syntax_error_is_alone() {
        assert_eq!(Board::parse("wrong.toml", "name = ").unwrap_err().len(), 1);
    }
}
