//! The folders of the kinds, each with what waits and what is held of it and since when.

use std::ops::AddAssign;

use model::parcel::{Direction, ParcelView};
use model::part::RelayPart;
use model::{Language, Site, Timestamp};

use super::Seen;
use crate::state::State;
use crate::{jst, words};

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its name below the share's root; none for what belongs to no kind of the table.
    pub name: Option<String>,
    /// Which way its files go.
    pub way: &'static str,
    /// What waits of it.
    pub waiting: Lying,
    /// What is held of it.
    pub held: Lying,
}

/// What lies somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lying {
    /// How many, in words.
    pub count: String,
    /// Since when the oldest of it does; none if nothing does.
    pub oldest: Option<String>,
}

/// A count with its oldest.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: usize,
    since: Option<Timestamp>,
}

impl AddAssign<&ParcelView> for Sum {
    fn add_assign(&mut self, parcel: &ParcelView) {
        self.count += 1;
        self.since = Some(self.since.map_or(parcel.since, |since| since.min(parcel.since)));
    }
}

/// Every folder of the site in the order of its table, and one row for what belongs to none if there is such.
pub(super) fn folders(seen: &Seen<'_>, site: &Site) -> Vec<Folder> {
    let Some(relay) = seen.relay.fresh() else { return Vec::new() };
    let places = places(site);
    let mut sums = vec![(Sum::default(), Sum::default()); places.len() + 1];
    let index = |parcel: &ParcelView| place_of(site, &places, &parcel.kind).unwrap_or(places.len());
    for one in &relay.waiting {
        sums[index(&one.parcel)].0 += &one.parcel;
    }
    for one in &relay.held {
        sums[index(&one.parcel)].1 += &one.parcel;
    }
    let names = places.iter().map(|place| Some(*place)).chain([None]);
    let rows =
        names.zip(sums).filter(|(name, (waiting, held))| name.is_some() || waiting.count + held.count > 0);
    rows.map(|(name, (waiting, held))| row(seen, relay, name, waiting, held)).collect()
}

/// A folder and its direction: two kinds that share both share a row.
type Place<'a> = (Direction, &'a str);

fn places(site: &Site) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    for kind in &site.kinds {
        let place = (kind.direction, kind.folder.as_str());
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

fn place_of(site: &Site, places: &[Place<'_>], kind: &str) -> Option<usize> {
    let kind = site.kinds.iter().find(|known| known.key == kind)?;
    places.iter().position(|place| *place == (kind.direction, kind.folder.as_str()))
}

fn row(seen: &Seen<'_>, relay: &RelayPart, place: Option<Place<'_>>, waiting: Sum, held: Sum) -> Folder {
    let way = match place {
        Some((Direction::Request, _)) => seen.say(words::TO_TERMINAL),
        Some((Direction::Answer, _)) => seen.say(words::TO_CLINIC),
        None => "",
    };
    Folder {
        name: place.map(|(_, folder)| folder.to_owned()),
        way,
        waiting: lying(seen, waiting, relay.waiting.len(), relay.waiting_count),
        held: lying(seen, held, relay.held.len(), relay.held_count),
    }
}

/// Where the relay names not all it counts, a folder has at least so many, and of one without any nothing is known.
fn lying(seen: &Seen<'_>, sum: Sum, listed: usize, counted: u64) -> Lying {
    let count = match (counted > listed as u64, seen.language) {
        (false, _) => sum.count.to_string(),
        (true, _) if sum.count == 0 => seen.say(State::Unknown.word()).to_owned(),
        (true, Language::Ja) => format!("{}以上", sum.count),
        (true, Language::En) => format!("{} or more", sum.count),
    };
    Lying { count, oldest: sum.since.map(|since| jst::age(since, seen.now, seen.language)) }
}
