//! What stands around the box, as far as faults can change it.

use std::collections::BTreeMap;

use super::Fault;
use super::rules::{Rules, Table};
use crate::plan::Host;

/// The certificate the centre shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// Its own.
    #[default]
    Own,
    /// Its own of long ago: the dates have passed.
    Expired,
    /// One for another name.
    OtherName,
    /// One of another authority.
    OtherIssuer,
}

/// What of the terminal's shared folder is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Folder {
    /// All of it.
    #[default]
    There,
    /// Nothing.
    Gone,
    /// The folder for requests is missing.
    WithoutRequests,
}

/// The disk the terminal's share lies on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disk {
    /// With room, and writable.
    #[default]
    Well,
    /// Mounted read-only.
    ReadOnly,
    /// Closed to the share's account.
    NoRight,
    /// Full.
    Full,
}

/// How the link application's double works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oqs {
    /// It does not run: requests stay where they are.
    pub stopped: bool,
    /// It takes requests and gives nothing.
    pub mute: bool,
    /// What its answers are.
    pub answer: &'static str,
    /// The terminal asks a resolver that is neither the box nor the closed network's.
    pub asks_elsewhere: bool,
    /// It calls the centre all the time.
    pub calls: bool,
}

impl Default for Oqs {
    fn default() -> Self {
        Self { stopped: false, mute: false, answer: "xml", asks_elsewhere: false, calls: false }
    }
}

/// What the line's resolvers know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// Their own area's.
    #[default]
    Own,
    /// The other area's distribution host, and not this one's.
    OtherArea,
    /// The same, and not the centre.
    OtherAreaOnly,
    /// Everything but the centre.
    NoCentre,
    /// Every name, at an address outside the closed network.
    Stranger,
}

/// What stands on the line's segment beside its router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// Nothing.
    #[default]
    Nothing,
    /// A router that advertises itself.
    Router,
    /// One that advertises itself as the better one.
    Thief,
    /// A host with the box's own address.
    Twin,
}

/// What stands in the site file of dates and hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// The last day of the terminal's certificate, in so many days.
    pub certificate: Option<i64>,
    /// The centre has announced a maintenance for now.
    pub maintenance: bool,
    /// It is the hour at which terminals restart.
    pub quiet: bool,
}

/// How the centre is to be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Centre {
    /// The certificate it shows.
    pub shows: Certificate,
    /// How it refuses a caller without a certificate; its own default if absent.
    pub refusal: Option<&'static str>,
}

/// How the gateway of the IPsec provider is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gateway {
    /// As it should be.
    #[default]
    Well,
    /// It started anew and knows no tunnel any more.
    Anew,
    /// It does not run.
    Stopped,
    /// It takes other transforms than the box offers.
    OtherProposal,
    /// It has another key than the box.
    OtherSecret,
}

/// How the receipt computer's cloud is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cloud {
    /// The gateway of its tunnel.
    pub gateway: Gateway,
    /// What its service shows.
    pub shows: Certificate,
    /// The box has a certificate for its tunnel there, and it has expired.
    pub own_expired: bool,
}

/// How the internet line beside the line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Internet {
    /// As it should be.
    #[default]
    Well,
    /// Its cable is out at the provider's end.
    Unplugged,
    /// Nobody there lends addresses, and what was lent is gone: the provider's end was switched off and on.
    Unlent,
    /// Its gateway answers, and nobody behind it.
    Dead,
}

/// Whether somebody in the clinic has consented to a maintainer, and by which way his gateway is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Maintained {
    /// Nobody has, and the site file knows no maintainer.
    #[default]
    No,
    /// By the line.
    ByLine,
    /// By the internet line.
    ByInternet,
}

/// What stands around the box, as far as faults can change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// The line's cable is in.
    pub line_plugged: bool,
    /// The router advertises itself.
    pub router: bool,
    /// The terminal's cable is in.
    pub terminal_plugged: bool,
    /// The terminal shares its folders.
    pub share: bool,
    /// The terminal's password is another than the box knows.
    pub password_changed: bool,
    /// What the terminal's shared folder lacks.
    pub folder: Folder,
    /// The disk it lies on.
    pub disk: Disk,
    /// How the link application works.
    pub oqs: Oqs,
    /// The receipt computer's cable is in.
    pub clinic_plugged: bool,
    /// Another host of the clinic has the box's address.
    pub twin_in_clinic: bool,
    /// The terminal has a second port, on the clinic's network.
    pub terminal_in_clinic: bool,
    /// The box's two near ports hang on one hub.
    pub joined: bool,
    /// What the resolvers know.
    pub names: Names,
    /// The line's prefix is another than before.
    pub renumbered: bool,
    /// The line is of the other kind: it delegates no more, or it delegates and advertises no prefix.
    pub other_kind: bool,
    /// Nobody hands a prefix on.
    pub undelegated: bool,
    /// What stands on the line's segment beside its router.
    pub home: Home,
    /// Only packets up to 1280 bytes pass the line.
    pub narrow: bool,
    /// How the line's wire behaves: arguments of `wire`. None: it is a cable.
    pub wire: Option<&'static [&'static str]>,
    /// The line's cable goes out and in, again and again.
    pub flapping: bool,
    /// The box's clock, as faketime(1) reads it.
    pub clock: Option<&'static str>,
    /// Dates and hours in the site file.
    pub dates: Dates,
    /// The disk under the box's state has no room.
    pub own_disk_full: bool,
    /// What the box's sensors say, by the path below `/sys`; its own if nothing.
    pub sensors: &'static [(&'static str, &'static str)],
    /// The box's memory of the line was damaged while it was off.
    pub memory_damaged: bool,
    /// The certificate of the box's page ends in five days.
    pub own_certificate_ends: bool,
    /// A newer version ran on the box before.
    pub fell_back: bool,
    /// A file of a kind nobody knows lies on the terminal.
    pub stranger: bool,
    /// Somebody added a rule to the box's ruleset.
    pub tampered: bool,
    /// A role of the box that dies as soon as it is ready.
    pub crashing: Option<&'static str>,
    /// How the centre runs.
    pub centre: Centre,
    /// How the gateway of the IPsec provider is.
    pub gateway: Gateway,
    /// The box has a certificate for its tunnel, and it has expired.
    pub tunnel_certificate_expired: bool,
    /// How the internet line is.
    pub internet: Internet,
    /// How the cloud is.
    pub cloud: Cloud,
    /// Whether somebody has consented to a maintainer.
    pub maintained: Maintained,
    /// The tables that stand, by name.
    pub tables: BTreeMap<&'static str, Table>,
}

impl World {
    /// The world with these faults on; with none it is a clean clinic.
    pub fn with<'a>(faults: impl IntoIterator<Item = &'a Fault>) -> Self {
        let mut world = Self {
            line_plugged: true,
            router: true,
            terminal_plugged: true,
            share: true,
            password_changed: false,
            folder: Folder::default(),
            disk: Disk::default(),
            oqs: Oqs::default(),
            clinic_plugged: true,
            twin_in_clinic: false,
            terminal_in_clinic: false,
            joined: false,
            names: Names::default(),
            renumbered: false,
            other_kind: false,
            undelegated: false,
            home: Home::default(),
            narrow: false,
            wire: None,
            flapping: false,
            clock: None,
            dates: Dates::default(),
            own_disk_full: false,
            sensors: &[],
            memory_damaged: false,
            own_certificate_ends: false,
            fell_back: false,
            stranger: false,
            tampered: false,
            crashing: None,
            centre: Centre::default(),
            gateway: Gateway::default(),
            tunnel_certificate_expired: false,
            internet: Internet::default(),
            cloud: Cloud::default(),
            maintained: Maintained::default(),
            tables: BTreeMap::new(),
        };
        faults.into_iter().for_each(|fault| (fault.makes)(&mut world));
        world
    }

    /// Whether the box hears the router.
    pub fn router_is_heard(&self) -> bool {
        self.line_plugged && self.router && !self.tables.contains_key("WAN_02")
    }

    /// Whether the line gives a prefix in the way it always did.
    pub fn gives_as_ever(&self) -> bool {
        !self.other_kind && !self.undelegated
    }

    pub(super) fn drop(&mut self, host: Host, name: &'static str, rules: Rules) {
        self.tables.insert(name, Table { host, name, rules });
    }
}
