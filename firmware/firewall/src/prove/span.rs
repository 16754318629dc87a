//! A set of numbers as ranges: what one field of a packet may be.

/// Disjoint ranges in rising order, both ends included, none touching the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span(Vec<(u128, u128)>);

impl Span {
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn all() -> Self {
        Self(vec![(0, u128::MAX)])
    }

    pub(super) fn one(value: impl Into<u128>) -> Self {
        let value = value.into();
        Self(vec![(value, value)])
    }

    /// Empty if the ends are the wrong way round.
    pub(super) fn range(first: impl Into<u128>, last: impl Into<u128>) -> Self {
        let (first, last) = (first.into(), last.into());
        if first > last { Self::none() } else { Self(vec![(first, last)]) }
    }

    pub(super) fn any_of(spans: impl IntoIterator<Item = Self>) -> Self {
        Self::of_ranges(spans.into_iter().flat_map(|span| span.0).collect())
    }

    /// Ranges in any order, which may overlap.
    pub(super) fn of_ranges(mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    /// What is in both. A few ranges find their place among many without a walk past all of them.
    pub(super) fn and(&self, other: &Self) -> Self {
        let (few, many) =
            if self.0.len() <= other.0.len() { (&self.0, &other.0) } else { (&other.0, &self.0) };
        let mut both = Vec::with_capacity(few.len());
        let mut place = 0;
        for (first, last) in few {
            place += first_reaching(&many[place..], *first);
            let meeting = many[place..].iter().take_while(|range| range.0 <= *last);
            both.extend(meeting.map(|range| (range.0.max(*first), range.1.min(*last))));
        }
        Self(both)
    }

    pub(super) fn not(&self) -> Self {
        let mut gaps = Vec::new();
        let mut next = Some(0);
        for (first, last) in &self.0 {
            match next {
                Some(from) if from < *first => gaps.push((from, first - 1)),
                _ => {}
            }
            next = last.checked_add(1);
        }
        gaps.extend(next.map(|from| (from, u128::MAX)));
        Self(gaps)
    }

    /// Each number less one; what was none is gone.
    pub(super) fn lowered(&self) -> Self {
        let above = self.0.iter().filter(|(_, last)| *last > 0);
        Self(above.map(|(first, last)| (first.saturating_sub(1), last - 1)).collect())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, value: u128) -> bool {
        self.0.get(first_reaching(&self.0, value)).is_some_and(|range| range.0 <= value)
    }

    pub(super) fn lowest(&self) -> Option<u128> {
        self.0.first().map(|(first, _)| *first)
    }

    /// The ranges, in rising order.
    pub(super) fn ranges(&self) -> &[(u128, u128)] {
        &self.0
    }

    /// The least and the greatest number.
    pub(super) fn bounds(&self) -> Option<(u128, u128)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }
}

/// The place of the first range that ends at this number or behind it: near the front it is found at once.
pub(super) fn first_reaching(ranges: &[(u128, u128)], value: u128) -> usize {
    let near = ranges.iter().take(4).position(|range| range.1 >= value);
    near.unwrap_or_else(|| ranges.partition_point(|range| range.1 < value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span() -> impl Strategy<Value = Span> {
        let small = proptest::collection::vec((0_u8..20, 0_u8..6), 0..5);
        (small, any::<bool>()).prop_map(|(list, flip)| {
            let span = Span::any_of(list.into_iter().map(|(from, more)| Span::range(from, from + more)));
            if flip { span.not() } else { span }
        })
    }

    proptest! {
        #[test]
        fn sets_of_numbers_obey_set_algebra(a in span(), b in span()) {
            let either = Span::any_of([a.clone(), b.clone()]);
            for value in (0..32).chain([u128::MAX]) {
                prop_assert_eq!(a.not().has(value), !a.has(value));
                prop_assert_eq!(a.and(&b).has(value), a.has(value) && b.has(value));
                prop_assert_eq!(either.has(value), a.has(value) || b.has(value));
            }
            prop_assert_eq!(a.not().not(), a);
        }
    }
}
