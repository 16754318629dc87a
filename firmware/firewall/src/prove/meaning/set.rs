//! Sets of packets as lists of cubes: one set without another, and fewer, larger cubes for the same set.

use std::collections::HashMap;

use super::super::cube::{Conditions, Cube, Field};
use super::super::span::Span;
use crate::packet::Path;

/// Every field, in the order in which a set is cut: what a person asks for first stays whole longest.
pub(super) const FIELDS: [Field; 15] = [
    Field::Family,
    Field::From,
    Field::To,
    Field::State,
    Field::Protocol,
    Field::Readable,
    Field::IcmpType,
    Field::DestinationService,
    Field::HopLimit,
    Field::IcmpCode,
    Field::SourceService,
    Field::Mark,
    Field::Mac,
    Field::Destination,
    Field::Source,
];

/// The packets of `cubes` that are in none of `others`. Of disjoint cubes the result is disjoint.
pub(super) fn minus(cubes: Vec<Cube>, others: &[Cube]) -> Vec<Cube> {
    others.iter().fold(cubes, |left, other| left.into_iter().flat_map(|cube| without(cube, other)).collect())
}

fn without(cube: Cube, other: &Cube) -> Vec<Cube> {
    if FIELDS.iter().any(|field| cube.span(*field).and(other.span(*field)).is_empty()) {
        return vec![cube];
    }
    let conditions: Conditions = FIELDS.map(|field| (field, other.span(field).clone())).into();
    let mut rest = Vec::new();
    let _both = cube.split(&conditions, &mut rest);
    rest
}

/// The same packets, each in one cube only.
pub(super) fn disjoint(cubes: Vec<Cube>) -> Vec<Cube> {
    cubes.into_iter().fold(Vec::new(), |mut seen, cube| {
        let new = minus(vec![cube], &seen);
        seen.extend(new);
        seen
    })
}

/// The same packets in fewer cubes: those that differ in one field only become one, until there are none.
pub(super) fn merged(mut cubes: Vec<Cube>) -> Vec<Cube> {
    loop {
        let before = cubes.len();
        for field in FIELDS.into_iter().rev().filter(|field| *field != Field::Family) {
            cubes = along(cubes, field);
        }
        if cubes.len() == before {
            return cubes;
        }
    }
}

fn along(cubes: Vec<Cube>, field: Field) -> Vec<Cube> {
    let mut places: HashMap<Vec<Span>, usize> = HashMap::new();
    let mut groups: Vec<(Cube, Vec<Span>)> = Vec::new();
    for cube in cubes {
        let others = FIELDS.iter().filter(|one| **one != field).map(|one| cube.span(*one).clone()).collect();
        let place = *places.entry(others).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, spans)) => spans.push(cube.span(field).clone()),
            None => groups.push((cube.clone(), vec![cube.span(field).clone()])),
        }
    }
    groups.into_iter().map(|(cube, spans)| widened(cube, field, spans)).collect()
}

/// The cube with one field made wider. There is no cube but inside its family's.
fn widened(cube: Cube, field: Field, spans: Vec<Span>) -> Cube {
    if spans.len() == 1 {
        return cube;
    }
    let wide = Span::any_of(spans);
    rebuilt(&cube, |one| if one == field { wide.clone() } else { cube.span(one).clone() }).unwrap_or(cube)
}

/// A cube of the same family with these fields; none if one of them would be empty.
fn rebuilt(cube: &Cube, span: impl Fn(Field) -> Span) -> Option<Cube> {
    let conditions: Conditions = FIELDS.map(|field| (field, span(field))).into();
    let version = if cube.span(Field::Family).has(4) { 4 } else { 6 };
    let rebuilt = Cube::family(version).with_all(&conditions)?;
    Some(cube.doubt.iter().fold(rebuilt, |rebuilt, doubt| rebuilt.in_doubt(doubt)))
}

/// The packets as they arrived: before a rule wrote into them, and before a router took its hop.
pub(super) fn arrived(path: Path, cube: &Cube) -> Option<Cube> {
    let raised = |span: &Span| {
        Span::any_of(span.ranges().iter().map(|(first, last)| Span::range(first + 1, last + 1)))
    };
    rebuilt(cube, |field| match cube.before(field) {
        Some(before) => before.clone(),
        None if field == Field::HopLimit && path == Path::Forward => raised(cube.span(field)),
        None => cube.span(field).clone(),
    })
}
