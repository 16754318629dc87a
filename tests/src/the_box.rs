//! The box: what it would have under systemd. Samba from the configuration that sekisho writes, and sekisho.

use std::path::{Path, PathBuf};

use crate::daemon::{Daemon, Ready, Starting};
use model::Timestamp;
use model::opening::clinic_time;

use crate::error::{Error, at, doing, other};
use crate::fault::Dates;
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::{Layout, Line, Uplink};
use crate::line::{cloud, gateway};
use crate::plan::{Host, Place, TheBox};
use crate::process::Process;
use crate::samba::{self, Login};
use crate::tools::in_a_host;
use crate::{networkd, roles};

/// The name of its smbd among the daemons.
pub const SMBD: &str = "box-smbd";
/// The terminals' resolver.
pub const RESOLVER: &str = "box-unbound";
/// The clinic's.
pub const CLINIC_RESOLVER: &str = "box-unbound-clinic";
/// The box's clock, and the terminals' time.
pub const TIME: &str = "box-chronyd";
/// What has radvd advertise to the terminals.
pub const ADVERTISES: &str = "box-radvd";
/// The daemon with all roles in it.
pub const SEKISHO: &str = "sekisho";

/// Its site file.
pub fn site(place: &Place) -> PathBuf {
    place.at("site.toml")
}

/// What it keeps over a restart.
pub fn state(place: &Place) -> PathBuf {
    place.at("state")
}

/// Its roles' sockets.
pub fn socket(place: &Place) -> PathBuf {
    place.at("socket")
}

/// Where `sekisho generate` writes Samba's part.
pub fn generated(place: &Place) -> PathBuf {
    place.run(Host::Box).join("samba")
}

/// Starts Samba and sekisho on the box, and waits for both.
pub fn start(ground: &Ground, sekisho: &Path) -> Result<Daemons, Error> {
    let (site, state) = (text(&site(&ground.place)), text(&state(&ground.place)));
    let (to, sockets) = (text(&ground.place.run(Host::Box)), text(&socket(&ground.place)));
    let program = text(sekisho);
    let mut generate = vec![
        program.as_str(),
        "generate",
        "--site",
        &site,
        "--state",
        &state,
        "--to",
        &to,
        "--socket",
        &sockets,
    ];
    if ground.layout.line == Line::Ipsec || ground.layout.has_cloud() {
        // The lab's kernel has no ESP.
        generate.push("--userspace-ipsec");
    }
    if ground.the_box == TheBox::Split {
        generate.extend(["--owner", roles::RELAYD]);
        roles::prepare(ground, sekisho)?;
    }
    ground.door(Host::Box).run(&generate, "")?;
    let client = networkd::start(ground)?;
    let charon = gateway::of_the_box(ground)?;
    let config = text(&generated(&ground.place).join("smb.conf"));
    for (nth, file) in (0..).zip(password_files(&ground.place)?) {
        let login = Login::read(&file)?;
        samba::account(ground, Host::Box, &login.user, nth)?;
        samba::set_password(ground, Host::Box, &config, &login)?;
    }
    let smbd = samba::start(ground, Host::Box, SMBD, &config)?;
    let others = [
        resolver(ground, RESOLVER, "unbound-terminals.conf")?,
        resolver(ground, CLINIC_RESOLVER, "unbound-clinic.conf")?,
        time(ground)?,
    ];
    let mut daemons = sekisho_itself(ground, sekisho, None)?;
    if ground.layout.line != Line::Ipsec {
        daemons.insert(ADVERTISES.into(), advertise(ground)?);
    }
    daemons.extend(client);
    daemons.extend(charon);
    daemons.insert(SMBD.into(), smbd.wait()?);
    for (name, starting) in others.into_iter().flatten() {
        daemons.insert(name.into(), starting.wait()?);
    }
    Ok(daemons)
}

/// A resolver, from the configuration that sekisho wrote; a stand-in for sekisho writes none, and not every site has two.
fn resolver(
    ground: &Ground,
    name: &'static str,
    config: &str,
) -> Result<Option<(&'static str, Starting)>, Error> {
    let config = ground.place.run(Host::Box).join(config);
    if !config.exists() {
        return Ok(None);
    }
    let program = in_a_host(&ground.tools.unbound);
    let list = args(["-d", "-p", "-c", &text(&config)]);
    let daemon = Daemon { name, program, args: list, ready: Ready::Notified, environment: Vec::new() };
    Ok(Some((name, daemon.start(&ground.place, ground.door(Host::Box))?)))
}

/// The box's clock and the terminals' time, likewise. It finds the time server's name by the box's own resolv.conf.
fn time(ground: &Ground) -> Result<Option<(&'static str, Starting)>, Error> {
    let run = ground.place.run(Host::Box);
    let config = run.join("chrony.conf");
    if !config.exists() {
        return Ok(None);
    }
    let names = text(&run.join("resolv.conf"));
    ground.door(Host::Box).run(&["mount", "--bind", &names, "/etc/resolv.conf"], "")?;
    let program = in_a_host(&ground.tools.chronyd);
    // -x: it never touches the host's clock. -d: it stays the process that was started.
    let list = args(["-x", "-d", "-u", "root", "-f", &text(&config)]);
    let daemon = Daemon { name: TIME, program, args: list, ready: Ready::AtOnce, environment: Vec::new() };
    Ok(Some((TIME, daemon.start(&ground.place, ground.door(Host::Box))?)))
}

/// The advertisements to the terminals, as soon as `netd` has written what to say.
fn advertise(ground: &Ground) -> Result<Process, Error> {
    let config = socket(&ground.place).join("netd/radvd.conf");
    let daemon = Daemon {
        name: ADVERTISES,
        program: std::env::current_exe().map_err(doing("find this program"))?,
        args: args(["advertise", &text(&in_a_host(&ground.tools.radvd)), &text(&config)]),
        ready: Ready::Said,
        environment: Vec::new(),
    };
    daemon.start(&ground.place, ground.door(Host::Box))?.wait()
}

/// Starts sekisho, or what runs one role of it, and waits until it serves. What its environment asks for (a log level)
/// is what ours does.
pub fn sekisho_itself(ground: &Ground, sekisho: &Path, role: Option<&str>) -> Result<Daemons, Error> {
    match (ground.the_box, role) {
        (TheBox::Split, None) => roles::start(ground, &roles::ROLES.each_ref()),
        (TheBox::Split, Some(role)) => roles::start(ground, &[roles::role(role)?]),
        _ => Ok(Daemons::from([(SEKISHO.into(), daemon(ground, sekisho)?.wait()?)])),
    }
}

/// The name among the daemons of what runs this role, or of everything that runs any.
pub fn runs(the_box: TheBox, role: Option<&str>) -> Result<Vec<&'static str>, Error> {
    let named = role.map(roles::role).transpose()?;
    Ok(match (the_box, named) {
        (TheBox::Split, Some(role)) => vec![role.name],
        (TheBox::Split, None) => roles::ROLES.each_ref().map(|role| role.name).to_vec(),
        _ => vec![SEKISHO],
    })
}

fn daemon(ground: &Ground, sekisho: &Path) -> Result<Starting, Error> {
    let [site, state, socket] = [site, state, socket].map(|part| text(&part(&ground.place)));
    let daemon = Daemon {
        name: SEKISHO,
        program: sekisho.to_owned(),
        args: args(["daemon", "--site", &site, "--state", &state, "--socket", &socket]),
        ready: Ready::Said,
        environment: ground.environment()?,
    };
    daemon.start(&ground.place, ground.door(Host::Box))
}

/// The files with the accounts of the box's share: `smb.users` has a line `USER:FILE` for each.
pub fn password_files(place: &Place) -> Result<Vec<PathBuf>, Error> {
    let list = generated(place).join("smb.users");
    let text = std::fs::read_to_string(&list).map_err(at(&list))?;
    Ok(text.lines().filter_map(|line| Some(PathBuf::from(line.split_once(':')?.1))).collect())
}

/// The line's table by IPsec.
const IPSEC: &str = "kind = \"ipsec\"\n\n[line.ipsec]\nprovider = \"./provider.toml\"\n";

/// What an internet line adds: the clinic leaves by it, the box lends its computers addresses and asks names for them, and lends
/// the terminal its own.
const INTERNET_WAY: &str = "dhcp = true\ndns = true\n\n[clinic.internet]\n\n[internet]\nkind = \"dhcp\"\n\
     resolvers = [\"203.0.113.161\"]\n\n[terminals]\ndhcp = true\n";
/// The card of the terminal that is lent its address.
const INTERNET_CARD: &str = "name = \"t1\"\nmac = \"00:00:5e:00:53:09\"\n";
/// Its port.
const INTERNET_PORT: &str = "[[port]]\nname = \"isp0\"\nzone = \"isp\"\n\n[[port]]\n";

/// The profile for a line: inside a tunnel there is IPv4 only.
pub fn profile_text(layout: Layout) -> String {
    const PLAIN: &str = include_str!("../lab/profile.toml");
    if layout.line != Line::Ipsec {
        return PLAIN.to_owned();
    }
    let [one, two] = layout.resolver_addresses();
    let expected = format!("resolvers-ipv4 = [{one:?}, {two:?}]\nexpected = [\"203.0.113.0/25\", ");
    PLAIN.replace("expected = [", &expected).replace("2001:db8:0:cc::/64", "203.0.113.0/26")
}

/// A form by which the box proves itself: its file, what stands in it, and the name of the secret.
#[derive(Clone, Copy, Debug)]
pub struct Proof {
    form: &'static str,
    text: &'static str,
    secret: &'static str,
}

impl Proof {
    /// To the provider of a line by IPsec.
    pub const OF_THE_LINE: Self =
        Self { form: "provider.toml", text: include_str!("../lab/provider.toml"), secret: "line" };
    /// To the cloud.
    pub const OF_THE_CLOUD: Self =
        Self { form: "cloud.toml", text: include_str!("../lab/cloud.toml"), secret: "cloud" };
}

/// Has the box prove itself by a certificate that has expired, or by its key again.
pub fn prove_by(
    ground: &Ground,
    Proof { form, text, secret: key }: Proof,
    expired: bool,
) -> Result<(), Error> {
    let secrets = ground.place.at("state/secrets");
    let (profile, secret) = (ground.place.at(form), secrets.join(format!("{key}-expired")));
    let mut text = text.to_owned();
    if expired {
        text = text.replace("\"psk\"", "\"certificate\"\nauthorities = \"ca.pem\"");
        text = text.replace(&format!("secret:{key}"), &format!("secret:{key}-expired"));
        std::fs::write(&secret, expired_identity()?).map_err(at(&secret))?;
        let owner = secrets.join(key).metadata().map_err(at(&secret))?;
        let owner = std::os::unix::fs::MetadataExt::uid(&owner);
        std::os::unix::fs::chown(&secret, Some(owner), None).map_err(at(&secret))?;
    }
    std::fs::write(&profile, text).map_err(at(&profile))
}

/// A key and a certificate of long ago.
fn expired_identity() -> Result<String, Error> {
    let failed = || other("make a certificate");
    let mut params =
        rcgen::CertificateParams::new(vec!["clinic-1.provider.test".to_owned()]).map_err(failed())?;
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let key = rcgen::KeyPair::generate().map_err(failed())?;
    let certificate = params.self_signed(&key).map_err(failed())?;
    Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
}

/// The site file for a line, with what these dates and hours add to it.
pub fn site_text(layout: Layout, dates: Dates) -> String {
    const PLAIN: &str = include_str!("../lab/site.toml");
    let kind = format!("[line]\nkind = {:?}\n", layout.line.word());
    let mut text = PLAIN.replace("[line]\nkind = \"ra\"\n", &kind);
    if layout.line == Line::Ipsec {
        let outer = if layout.is_lent() { "dhcp" } else { "ra" };
        let table = format!("{IPSEC}outer = {outer:?}\ngateways = [{:?}]\n", layout.gateway());
        text = text.replace("kind = \"ipsec\"\n", &table);
    }
    if layout.has_internet() {
        text = text.replace("[terminals]\n", INTERNET_WAY).replacen("[[port]]\n", INTERNET_PORT, 1);
        text = text.replace("name = \"t1\"\n", INTERNET_CARD);
    }
    if layout.uplink == Uplink::Cloud {
        text = text.replace("[clinic.internet]\n\n", "");
    }
    if layout.has_cloud() {
        text += &cloud::table();
    }
    if let Some(days) = dates.certificate {
        text = text.replace("2099-12-31", &day(days).to_string());
    }
    let hour = |at: i64| later(at * 3600).strftime("%H:%M").to_string();
    let moment = |at: i64| later(at * 3600).strftime("%Y-%m-%dT%H:%M").to_string();
    if dates.quiet {
        let hours = format!("[terminals]\nquiet = [\"{}-{}\"]\n", hour(-1), hour(2));
        text = text.replace("[terminals]\n", &hours);
    }
    if dates.maintenance {
        text += &format!("\n[[maintenance]]\nfrom = \"{}\"\nuntil = \"{}\"\n", moment(-1), moment(2));
    }
    text
}

/// The clinic's day in so many days.
pub fn day(days: i64) -> model::Date {
    later(days * 86_400).date()
}

/// The clinic's time in so many seconds.
fn later(seconds: i64) -> jiff::Zoned {
    let at = Timestamp::from_second(Timestamp::now().as_second() + seconds);
    at.expect("invariant: a few days from now are a date").to_zoned(clinic_time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_date_stands_in_a_site_file_that_is_right() {
        let profile = model::Profile::parse("profile.toml", include_str!("../lab/profile.toml"));
        let read = |dates| {
            model::Site::parse("site.toml", &site_text(Layout::default(), dates), profile.clone()).unwrap()
        };
        let plain = read(Dates::default());
        let all = read(Dates { certificate: Some(5), maintenance: true, quiet: true });
        let now = Timestamp::now();
        assert!(!plain.calendar.is_quiet(now) && !plain.calendar.is_maintenance(now));
        assert!(all.calendar.is_quiet(now) && all.calendar.is_maintenance(now));
        assert!(all.terminals[0].certificate_until < plain.terminals[0].certificate_until);
    }
}
