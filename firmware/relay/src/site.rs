//! What the relay takes from the site file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::kind::Kind;
use model::site::Place;
use model::{Opening, Site};

use crate::share::any::AnyTerminal;
use crate::share::local::LocalTerminal;
use crate::share::remote::RemoteTerminal;

/// The port of SMB over TCP.
const SMB: u16 = 445;

/// One terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminalConfig {
    /// Its name in the site file.
    pub name: String,
    /// Below which folder of every consumer's share the folders of its requests lie; none: at the root.
    pub requests_below: Option<String>,
}

/// One consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerConfig {
    /// Its name in the site file.
    pub name: String,
    /// The share the box exports to it; none: its folders are elsewhere, and a lane carries to and from them.
    pub share: Option<String>,
    /// The folders of answers it wants a copy of; none: every one.
    pub takes: Vec<String>,
}

impl ConsumerConfig {
    /// Whether it wants a copy of what arrives in this folder.
    pub fn takes(&self, folder: &str) -> bool {
        self.takes.is_empty() || self.takes.iter().any(|wanted| wanted.eq_ignore_ascii_case(folder))
    }
}

/// Who holds the history's store open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryBy {
    /// The relay's own process.
    Itself,
    /// A program that is started for each question, with these arguments and the relay's own folder behind them; it
    /// calls [`crate::answer_about_history`].
    Program(PathBuf, Vec<String>),
}

/// What the relay needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The state folder; see `docs` for what lies in it.
    pub state: PathBuf,
    /// The table of kinds.
    pub kinds: Arc<[Kind]>,
    /// The days a time to live counts.
    pub opening: Opening,
    /// Whether answers are looked into and counted by what they say.
    pub count_outcomes: bool,
    /// Who holds the history's store open.
    pub history: HistoryBy,
    /// The terminals.
    pub terminals: Vec<TerminalConfig>,
    /// The consumers.
    pub consumers: Vec<ConsumerConfig>,
}

impl Config {
    /// The part of a site that concerns the relay, and its ends: the terminals', then those of the consumers whose
    /// folders are not on the box's own share.
    pub fn from_site(site: &Site, state: &Path) -> (Self, Vec<AnyTerminal>) {
        let terminal = |terminal: &model::site::Terminal| TerminalConfig {
            name: terminal.name.clone(),
            requests_below: terminal.requests_below.clone(),
        };
        let consumer = |consumer: &model::site::Consumer| ConsumerConfig {
            name: consumer.name.clone(),
            share: match &consumer.folders {
                Place::Own { share } => Some(share.clone()),
                Place::Remote { .. } | Place::Local { .. } => None,
            },
            takes: consumer.takes.clone(),
        };
        let places = site.terminals.iter().map(|terminal| &terminal.folders);
        let places = places.chain(site.consumers.iter().map(|consumer| &consumer.folders));
        let ends = places.filter_map(|place| end(place, state)).fold(Vec::new(), counted_together);
        let config = Self {
            state: state.to_owned(),
            kinds: site.kinds.clone().into(),
            opening: site.opening.clone(),
            count_outcomes: site.count_outcomes,
            history: HistoryBy::Itself,
            terminals: site.terminals.iter().map(terminal).collect(),
            consumers: site.consumers.iter().map(consumer).collect(),
        };
        (config, ends)
    }
}

fn end(place: &Place, state: &Path) -> Option<AnyTerminal> {
    match place {
        Place::Own { .. } => None,
        Place::Remote { address, share, login } => {
            let secret = state.join("secrets").join(login);
            Some(AnyTerminal::Remote(RemoteTerminal::new((*address, SMB).into(), share.clone(), secret)))
        }
        Place::Local { path } => Some(AnyTerminal::Local(LocalTerminal { root: path.clone() })),
    }
}

/// Takes an end in. Where several have the same account, their logins count together.
fn counted_together(mut ends: Vec<AnyTerminal>, end: AnyTerminal) -> Vec<AnyTerminal> {
    let end = match end {
        AnyTerminal::Remote(remote) => {
            let others = ends.iter().filter_map(|other| match other {
                AnyTerminal::Remote(other) => Some(other),
                AnyTerminal::Local(_) => None,
            });
            AnyTerminal::Remote(others.fold(remote, RemoteTerminal::beside))
        }
        local @ AnyTerminal::Local(_) => local,
    };
    ends.push(end);
    ends
}
