//! Every generated file word by word, and the real programs' own opinion of them where they are installed.

use std::process::Command;

use model::Profile;
use model::site::uplink::{Ipsec, Line, Outer, Session};

use super::*;

fn site() -> Site {
    site_of(include_str!("../../../model/tests/data/site.toml"))
}

fn site_of(text: &str) -> Site {
    let profile = include_str!("../../../model/tests/data/profile.toml");
    Site::parse("site.toml", text, Profile::parse("profile.toml", profile)).unwrap()
}

/// With an internet line, printers, and addresses and names for everybody.
fn with_everything() -> Site {
    const MORE: &str = "dhcp = true\ndns = true\n\n[clinic.internet]\n\n[internet]\nkind = \"dhcp\"\n\
         resolvers = [\"203.0.113.130\"]\n\n[printers]\naddress = \"10.2.0.1/24\"\n\n[terminals]\ndhcp = true\n";
    const PORTS: &str = "[[port]]\nname = \"isp0\"\nzone = \"isp\"\n\n[[port]]\nname = \"print0\"\nzone = \"printer\"\n\n\
         [[printer]]\nname = \"p1\"\naddress = \"10.2.0.9\"\ntcp = [9100]\n\n[[port]]\n";
    const CARD: &str = "name = \"t1\"\nmac = \"00:00:5e:00:53:09\"\n";
    let text = include_str!("../../../model/tests/data/site.toml");
    let text = text.replace("[terminals]\n", MORE).replacen("[[port]]\n", PORTS, 1);
    site_of(&text.replace("name = \"t1\"\n", CARD))
}

/// A clinic whose way to everything but the cloud is another router.
fn with_the_cloud_alone() -> Site {
    const MORE: &str = "dhcp = true\n\n[clinic.cloud]\ngateways = [\"203.0.113.200\"]\n\
         networks = [\"10.20.0.0/16\", \"10.30.0.0/17\", \"10.40.1.2/32\"]\n[[clinic.cloud.endpoint]]\naddress = \"10.20.0.10\"\n\
         port = 443\n\n[internet]\nkind = \"dhcp\"\nresolvers = [\"203.0.113.130\"]\n\n[terminals]\n";
    let text = include_str!("../../../model/tests/data/site.toml").replace("[terminals]\n", MORE);
    site_of(&text.replacen("[[port]]\n", "[[port]]\nname = \"isp0\"\nzone = \"isp\"\n\n[[port]]\n", 1))
}

/// Each network by as many octets as it takes (RFC 3442), and the box; nothing where it is the way to everything.
#[test]
fn computers_are_told_of_the_clouds_networks_alone_where_another_router_has_their_internet() {
    let site = with_the_cloud_alone();
    let own = match site.clinic.address {
        std::net::IpAddr::V4(own) => own.octets(),
        std::net::IpAddr::V6(_) => unreachable!("the clinic's network is IPv4"),
    };
    let wanted = [&[16, 10, 20][..], &own, &[17, 10, 30, 0], &own, &[32, 10, 40, 1, 2], &own].concat();
    assert_eq!(network::ways_to_the_cloud(&site), Some(wanted));
    assert_eq!(network::ways_to_the_cloud(&Site { clinic_internet: true, ..site }), None);
    assert_eq!(network::ways_to_the_cloud(&with_everything()), None);
}

/// A line by IPsec whose port has its address so.
fn by_ipsec(outer: Outer) -> Site {
    let gateways = vec!["203.0.113.190".parse().unwrap()];
    Site { line: Line::Ipsec(Ipsec { provider: None, outer, gateways, routed: false }), ..site() }
}

/// A line by PPPoE.
fn by_pppoe() -> Site {
    let service = Some("a \"service\"".to_owned());
    Site { line: Line::Pppoe(Session { login: "line".into(), service, mtu: 1454 }), ..site() }
}

fn all(to: &Path) -> Vec<Generated> {
    all_of(&site(), to)
}

fn all_of(site: &Site, to: &Path) -> Vec<Generated> {
    let sockets = Path::new("/run/sekisho");
    let places =
        Places { to, state: Path::new("/var/lib/sekisho"), sockets, owner: "relayd", tunnels: [None, None] };
    let system = Accounts { passwd: "root:x:0:0:root:/root:/bin/bash\n", group: "root:x:0:" };
    daemons(site, &places, &system)
}

fn together(list: &[Generated]) -> String {
    list.iter().map(|one| format!("=== {}\n{}", one.name, one.text)).collect()
}

#[test]
fn the_daemons_of_a_site() {
    // Samba's configuration is the relay's golden.
    let mut list = all(Path::new("/run/sekisho"));
    list.retain(|one| one.name != "samba/smb.conf");
    insta::assert_snapshot!("daemons", together(&list));
}

#[test]
fn the_clinics_resolver_asks_the_internets_and_the_terminals_the_lines() {
    let places = all_of(&with_everything(), Path::new("/run/sekisho"));
    let text = |name: &str| places.iter().find(|one| one.name == name).unwrap().text.clone();
    let (terminals, clinic) = (text("unbound-terminals.conf"), text("unbound-clinic.conf"));
    assert!(clinic.contains("interface: 198.51.100.1\n") && clinic.contains("forward-addr: 203.0.113.130\n"));
    assert!(clinic.contains("access-control: 198.51.100.0/24 allow"), "{clinic}");
    assert!(!clinic.contains("forward-addr: 2001:db8") && !terminals.contains("203.0.113.130"));
    assert!(!all(Path::new("/run/sekisho")).iter().any(|one| one.name == "unbound-clinic.conf"));
}

#[test]
fn the_ports_of_a_board_and_of_each_situation() {
    let boards = board::file::shipped().unwrap();
    let first = &boards[0];
    let carton = network::setup(&first.setup(), true);
    let closed = network::setup(&first.setup(), false);
    let parts = [
        ("board", together(&network::board(first))),
        ("site", together(&network::site(&site()))),
        ("site, a line that delegates", together(&network::site(&Site { line: Line::Pd, ..site() }))),
        ("site, a line by IPsec behind a home gateway", together(&network::site(&by_ipsec(Outer::Dhcp)))),
        ("site, a line by PPPoE", together(&network::site(&by_pppoe()))),
        ("site, with all services", together(&network::site(&with_everything()))),
        ("site, the cloud's clinic", together(&network::site(&with_the_cloud_alone()))),
        ("site with a tunnel, beside its ports", together(&network::ways(&by_pppoe()))),
        ("carton", together(&[carton])),
        ("closed", together(&[closed])),
    ];
    assert!(network::ways(&site()).is_empty(), "no other site hands IPv4 on");
    let text: String = parts.iter().map(|(name, text)| format!("##### {name}\n{text}\n")).collect();
    insta::assert_snapshot!("network", text);
}

/// Runs a program of `scripts/packages/run.list` on a generated file.
fn ask(program: &str, args: &[&str]) {
    let said = Command::new(program).args(args).output();
    let said = said.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(said.status.success(), "{program}: {said:?}");
}

#[test]
fn the_real_programs_take_what_is_written_for_them() {
    let folder = tempfile::tempdir().unwrap();
    for one in all_of(&with_everything(), folder.path()) {
        crate::files::replace(&folder.path().join(&one.name), &one.text, 0o644).unwrap();
    }
    for own in ["private", "lock", "state", "cache", "ncalrpc"] {
        std::fs::create_dir_all(folder.path().join("samba").join(own)).unwrap();
    }
    let at = |name: &str| folder.path().join(name).display().to_string();
    for resolver in ["unbound-terminals.conf", "unbound-clinic.conf"] {
        ask("/usr/sbin/unbound-checkconf", &[&at(resolver)]);
    }
    ask("/usr/bin/testparm", &["--suppress-prompt", &at("samba/smb.conf")]);
    // Unpacked, not installed: it would push out the host's own time service.
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let unpacked = target.join("lab-tools/usr/sbin/chronyd").display().to_string();
    let installed = "/usr/sbin/chronyd";
    let chronyd = if Path::new(installed).exists() { installed } else { &unpacked };
    ask(chronyd, &["-p", "-f", &at("chrony.conf")]);
}

/// Made-up words: no real contract's stand in a golden file.
#[test]
fn the_files_of_a_session() {
    let login = crate::secret::Login { user: "made-up@example".into(), password: "made \\ \"up\"".into() };
    let (to, state) = (Path::new("/run/sekisho"), Path::new("/var/lib/sekisho"));
    let places = Places { to, state, sockets: to, owner: "relayd", tunnels: [None, None] };
    insta::assert_snapshot!("pppoe", together(&pppoe::session(&by_pppoe(), &login, &places)));
    assert_eq!(pppoe::session(&site(), &login, &places), [], "no other line has one");
}

/// Nobody but root reads them, and where the secret is missing the box says that of itself.
#[test]
fn a_session_is_written_for_its_owner_only_and_without_its_secret_not_at_all() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (to, state, sockets) = ("to", "state", "sockets");
    let [to, state, sockets] = [to, state, sockets].map(|name| folder.path().join(name));
    let places = Places { to: &to, state: &state, sockets: &sockets, owner: "", tunnels: [None, None] };
    crate::verb::generate::session(&by_pppoe(), &places).unwrap();
    let said = reach::session::read(&sockets.join(reach::session::SAID)).unwrap();
    assert_eq!(said.ended, reach::session::Ended::NoLogin);
    assert!(!to.join(pppoe::FOLDER).exists(), "nothing is there that pppd could begin with");
    crate::files::replace(&state.join("secrets/line"), "made-up@example\nmade-up\n", 0o600).unwrap();
    crate::verb::generate::session(&by_pppoe(), &places).unwrap();
    assert!(
        reach::session::read(&sockets.join(reach::session::SAID)).is_none(),
        "it is not missing any more"
    );
    let mark = || std::fs::read_to_string(sockets.join(reach::session::MARK)).unwrap();
    let plan = || reach::Plan::from_site(&by_pppoe(), None).told_in(&sockets).contract;
    let (first, contract) = (mark(), plan());
    crate::verb::generate::session(&by_pppoe(), &places).unwrap();
    assert_eq!((mark(), plan()), (first, contract.clone()), "the same login");
    crate::files::replace(&state.join("secrets/line"), "made-up@example\nmade-upper\n", 0o600).unwrap();
    crate::verb::generate::session(&by_pppoe(), &places).unwrap();
    assert_ne!(plan(), contract, "another login has a past of its own");
    assert!(!plan().contains("made-up"));
    for name in ["options", "peers/line", "pap-secrets", "chap-secrets"] {
        let mode = std::fs::metadata(to.join(pppoe::FOLDER).join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// relayd may not make them itself: the exported folder is root's.
#[test]
fn every_folder_of_every_share_is_made_for_the_relay() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let profile = include_str!("../../../model/tests/data/profile.toml");
    let text = include_str!("../../../model/tests/data/site.toml")
        .replace("login = \"secret:t1\"", "login = \"secret:t1\"\nrequests-below = \"below\"")
        .replace("name = \"receipt\"", "name = \"receipt\"\nshare = \"KARTE\"");
    let site = Site::parse("site.toml", &text, Profile::parse("profile.toml", profile)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (to, state) = (folder.path().join("to"), folder.path().join("state"));
    // Only root may give a folder away.
    let root = nix::unistd::geteuid().is_root();
    let places = Places {
        to: &to,
        state: &state,
        sockets: &to,
        owner: if root { "nobody" } else { "" },
        tunnels: [None, None],
    };
    crate::verb::generate::daemons(&site, &places).unwrap();
    crate::verb::generate::daemons(&site, &places).unwrap();
    let about = |name: &str| std::fs::metadata(state.join("share/KARTE").join(name)).unwrap();
    for name in ["below/req", "res", "face", "returned"] {
        assert_eq!(about(name).permissions().mode() & 0o777, 0o770, "{name}");
        assert_eq!(about(name).uid() == about("").uid(), !root, "{name}");
    }
    assert_eq!(about("below").uid(), about("").uid());
}
