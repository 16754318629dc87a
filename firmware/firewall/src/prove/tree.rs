//! Alternatives as a decision tree, so that cubes are cut by ten thousand destinations in one walk down and not in ten
//! thousand steps. It asks one field after the other; alternatives that cannot be told apart by it share a branch.

use std::collections::{BTreeMap, BTreeSet};

use super::cube::{Conditions, Cube, Field};
use super::span::{Span, first_reaching};

/// Fields with few values first: what differs in its address only then shares every branch above.
const ORDER: [Field; 15] = [
    Field::Family,
    Field::Protocol,
    Field::Readable,
    Field::State,
    Field::From,
    Field::To,
    Field::Mark,
    Field::Mac,
    Field::IcmpType,
    Field::IcmpCode,
    Field::HopLimit,
    Field::SourceService,
    Field::DestinationService,
    Field::Source,
    Field::Destination,
];

/// The packets for which one of some alternatives holds.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    In,
    Out,
    Ask(Ask),
}

/// One field, and where each of its values leads.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    field: Field,
    /// Disjoint, in rising order, each with the place of its branch.
    ranges: Vec<(u128, u128)>,
    leads: Vec<usize>,
    branches: Vec<(Span, Tree)>,
    /// Values no alternative has.
    elsewhere: Span,
}

impl Tree {
    pub(super) fn of(alternatives: &[Conditions]) -> Self {
        let all: Vec<usize> = (0..alternatives.len()).collect();
        grow(alternatives, &all, &ORDER)
    }

    /// Cuts the cube into those in it and the others, all disjoint.
    pub(super) fn cut(&self, cube: Cube, inside: &mut Vec<Cube>, outside: &mut Vec<Cube>) {
        match self {
            Self::In => inside.push(cube),
            Self::Out => outside.push(cube),
            Self::Ask(ask) => {
                for place in ask.met(cube.span(ask.field)) {
                    let (span, tree) = &ask.branches[place];
                    if let Some(part) = cube.with(ask.field, span) {
                        tree.cut(part, inside, outside);
                    }
                }
                outside.extend(cube.with(ask.field, &ask.elsewhere));
            }
        }
    }

    /// As [`Self::cut`], of many.
    pub(super) fn cut_all(&self, cubes: Vec<Cube>) -> (Vec<Cube>, Vec<Cube>) {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        cubes.into_iter().for_each(|cube| self.cut(cube, &mut inside, &mut outside));
        (inside, outside)
    }
}

impl Ask {
    /// The branches these values may take.
    fn met(&self, values: &Span) -> Vec<usize> {
        let mut met = BTreeSet::new();
        let mut place = 0;
        for (first, last) in values.ranges() {
            place += first_reaching(&self.ranges[place..], *first);
            let meeting = self.ranges[place..].iter().take_while(|range| range.0 <= *last).count();
            met.extend(&self.leads[place..place + meeting]);
            if met.len() == self.branches.len() {
                break;
            }
        }
        met.into_iter().collect()
    }
}

/// What one alternative asks of a field; `None` if nothing.
fn asked(conditions: &Conditions, field: Field) -> Option<Span> {
    let mut spans = conditions.iter().filter(|(own, _)| *own == field).map(|(_, span)| span);
    let first = spans.next()?.clone();
    Some(spans.fold(first, |all, span| all.and(span)))
}

/// The tree of the alternatives that are still possible, by the fields that are left.
fn grow(alternatives: &[Conditions], live: &[usize], order: &[Field]) -> Tree {
    let left = |place: &usize| alternatives[*place].iter().any(|(field, _)| order.contains(field));
    if live.is_empty() {
        return Tree::Out;
    }
    if !live.iter().all(left) {
        return Tree::In;
    }
    let Some((field, order)) = order.split_first() else { return Tree::In };
    let spans: Vec<Option<Span>> = live.iter().map(|place| asked(&alternatives[*place], *field)).collect();
    if spans.iter().all(Option::is_none) {
        return grow(alternatives, live, order);
    }
    let mut groups: BTreeMap<Vec<usize>, Vec<(u128, u128)>> = BTreeMap::new();
    for (range, here) in sweep(live, &spans) {
        groups.entry(here).or_default().push(range);
    }
    let grown =
        groups.into_iter().map(|(here, ranges)| (Span::of_ranges(ranges), grow(alternatives, &here, order)));
    ask(*field, grown.collect())
}

/// The ranges between which nothing changes, each with the alternatives that hold there, if any does.
fn sweep(live: &[usize], spans: &[Option<Span>]) -> Vec<((u128, u128), Vec<usize>)> {
    let mut events: BTreeMap<u128, (Vec<usize>, Vec<usize>)> = BTreeMap::from([(0, Default::default())]);
    let mut here = BTreeSet::new();
    for (place, span) in live.iter().zip(spans) {
        let Some(span) = span else {
            here.insert(*place);
            continue;
        };
        for (first, last) in span.ranges() {
            events.entry(*first).or_default().0.push(*place);
            if let Some(behind) = last.checked_add(1) {
                events.entry(behind).or_default().1.push(*place);
            }
        }
    }
    let ends: Vec<u128> = events.keys().skip(1).map(|next| next - 1).chain([u128::MAX]).collect();
    let mut ranges = Vec::new();
    for ((first, (begin, end)), last) in events.into_iter().zip(ends) {
        for place in &end {
            here.remove(place);
        }
        here.extend(begin);
        if !here.is_empty() {
            ranges.push(((first, last), here.iter().copied().collect()));
        }
    }
    ranges
}

/// One question; branches on which everything is in become one.
fn ask(field: Field, grown: Vec<(Span, Tree)>) -> Tree {
    let (full, mut branches): (Vec<_>, Vec<_>) =
        grown.into_iter().partition(|(_, tree)| matches!(tree, Tree::In));
    if !full.is_empty() {
        branches.push((Span::any_of(full.into_iter().map(|(span, _)| span)), Tree::In));
    }
    let mut led: Vec<((u128, u128), usize)> = Vec::new();
    for (place, (span, _)) in branches.iter().enumerate() {
        led.extend(span.ranges().iter().map(|range| (*range, place)));
    }
    led.sort_unstable();
    let elsewhere = Span::any_of(branches.iter().map(|(span, _)| span.clone())).not();
    let (ranges, leads) = led.into_iter().unzip();
    Tree::Ask(Ask { field, ranges, leads, branches, elsewhere })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alternatives() -> impl Strategy<Value = Vec<Conditions>> {
        let fields =
            prop::sample::select(vec![Field::Protocol, Field::DestinationService, Field::Destination]);
        let condition = (fields, 0_u8..12, 0_u8..5, 0_u8..12).prop_map(|(field, from, more, other)| {
            (field, Span::any_of([Span::range(from, from + more), Span::one(other)]))
        });
        prop::collection::vec(prop::collection::vec(condition, 0..4), 0..6)
    }

    fn packet(values: [u8; 3]) -> Cube {
        let [protocol, service, destination] = values.map(Span::one);
        Cube::family(6)
            .with_all(&[
                (Field::Protocol, protocol),
                (Field::DestinationService, service),
                (Field::Destination, destination),
            ])
            .unwrap()
    }

    /// As many destinations, each with a port of its own, make as many pieces and not their square.
    #[test]
    fn pieces_grow_with_the_alternatives_and_no_faster() {
        let pieces = |count: u16| {
            let one = |place: u16| {
                vec![
                    (Field::DestinationService, Span::one(place)),
                    (Field::Destination, Span::one(u32::from(place) * 7)),
                ]
            };
            let tree = Tree::of(&(0..count).map(one).collect::<Vec<_>>());
            let (inside, outside) = tree.cut_all(vec![Cube::family(6)]);
            let again = tree.cut_all(inside.clone());
            assert!(again.1.is_empty() && again.0.len() == inside.len());
            (inside.len(), outside.len())
        };
        assert_eq!(pieces(1000), (1000, 1001));
        assert_eq!(pieces(4000), (4000, 4001));
    }

    proptest! {
        #[test]
        fn a_tree_cuts_as_its_alternatives_one_by_one_do(
            list in alternatives(),
            values in prop::array::uniform3(0_u8..18),
        ) {
            let single = packet(values);
            let holds = |conditions: &Conditions| single.with_all(conditions).is_some();
            let tree = Tree::of(&list);
            let (inside, outside) = tree.cut_all(vec![single.clone()]);
            prop_assert_eq!(inside.len(), usize::from(list.iter().any(holds)));
            prop_assert_eq!(inside.len() + outside.len(), 1);
            // Of everything: each packet lies in exactly one piece, on its side.
            let (inside, outside) = tree.cut_all(vec![Cube::family(6)]);
            let meeting = |cubes: &[Cube]| {
                let fields = [Field::Protocol, Field::DestinationService, Field::Destination];
                let meets = |cube: &&Cube| fields.iter().all(|field| !cube.span(*field).and(single.span(*field)).is_empty());
                cubes.iter().filter(meets).count()
            };
            prop_assert_eq!(meeting(&inside), usize::from(list.iter().any(holds)));
            prop_assert_eq!(meeting(&inside) + meeting(&outside), 1);
        }
    }
}
