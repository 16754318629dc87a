//! Templates over view models. What they are given is escaped by its type; nothing here formats HTML itself.

use askama::Template;

use crate::page;
use crate::room::Room;
use crate::state::State;
use crate::view::{Line, Maintenance, Overview, Passing, Relay, Rules, Setup, Told, Would};
use crate::words;

/// The whole page.
#[derive(Template)]
#[template(path = "page.html")]
pub struct Whole<'a> {
    /// What it shows.
    pub view: &'a Overview,
    /// Which view it is.
    pub room: Room,
    /// The views to choose from; none if there is no choice.
    pub rooms: &'static [Room],
    /// How long a client may hear nothing before it says so, seconds.
    pub patience_s: u64,
}

/// The fragment that is replaced when something changes.
#[derive(Template)]
#[template(path = "overview.html")]
pub struct Fragment<'a> {
    /// What it shows.
    pub view: &'a Overview,
}

/// The whole page of the line's view.
#[derive(Template)]
#[template(path = "line-page.html")]
pub struct WholeLine<'a> {
    /// What it shows.
    pub view: &'a Line,
    /// Which view it is.
    pub room: Room,
    /// The views to choose from; none if there is no choice.
    pub rooms: &'static [Room],
    /// How long a client may hear nothing before it says so, seconds.
    pub patience_s: u64,
}

/// Its fragment that is replaced when something changes.
#[derive(Template)]
#[template(path = "line.html")]
pub struct LineFragment<'a> {
    /// What it shows.
    pub view: &'a Line,
}

/// The whole page of the relay's view.
#[derive(Template)]
#[template(path = "relay-page.html")]
pub struct WholeRelay<'a> {
    /// What it shows.
    pub view: &'a Relay,
    /// Which view it is.
    pub room: Room,
    /// The views to choose from; none if there is no choice.
    pub rooms: &'static [Room],
    /// How long a client may hear nothing before it says so, seconds.
    pub patience_s: u64,
}

/// Its fragment that is replaced when something changes.
#[derive(Template)]
#[template(path = "relay.html")]
pub struct RelayFragment<'a> {
    /// What it shows.
    pub view: &'a Relay,
}

/// The whole page of the firewall's view.
#[derive(Template)]
#[template(path = "rules-page.html")]
pub struct WholeRules<'a> {
    /// What it shows.
    pub view: &'a Rules,
    /// The form and its answer, which stay when the rest is replaced.
    pub would: &'a Would,
    /// Which view it is.
    pub room: Room,
    /// The views to choose from; none if there is no choice.
    pub rooms: &'static [Room],
    /// How long a client may hear nothing before it says so, seconds.
    pub patience_s: u64,
}

/// Its fragment that is replaced when something changes.
#[derive(Template)]
#[template(path = "rules.html")]
pub struct RulesFragment<'a> {
    /// What it shows.
    pub view: &'a Rules,
}

/// The whole page of the maintenance view.
#[derive(Template)]
#[template(path = "maintenance-page.html")]
pub struct WholeMaintenance<'a> {
    /// What it shows.
    pub view: &'a Maintenance,
    /// Which view it is.
    pub room: Room,
    /// The views to choose from; none if there is no choice.
    pub rooms: &'static [Room],
    /// How long a client may hear nothing before it says so, seconds.
    pub patience_s: u64,
}

/// Its fragment that is replaced when something changes.
#[derive(Template)]
#[template(path = "maintenance.html")]
pub struct MaintenanceFragment<'a> {
    /// What it shows.
    pub view: &'a Maintenance,
}

/// The whole setup page.
#[derive(Template)]
#[template(path = "setup-page.html")]
pub struct WholeSetup<'a> {
    /// What it shows.
    pub view: &'a Setup,
    /// Which view it is.
    pub room: Room,
    /// The views to choose from; none if there is no choice.
    pub rooms: &'static [Room],
    /// How long a client may hear nothing before it says so, seconds.
    pub patience_s: u64,
}

/// Its fragment that is replaced when something changes.
#[derive(Template)]
#[template(path = "setup.html")]
pub struct SetupFragment<'a> {
    /// What it shows.
    pub view: &'a Setup,
}

/// The icon of a state: its shape.
#[derive(Template)]
#[template(path = "icon.svg")]
pub struct Icon {
    /// The state.
    pub state: State,
}
