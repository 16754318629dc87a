//! A set of numbers as ranges: what one field of a packet may be.

/// Disjoint ranges in rising order, both ends included, none touching the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
        let mut ranges: Vec<(u128, u128)> = spans.into_iter().flat_map(|span| span.0).collect();
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

    pub(super) fn and(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                both.push((first, last));
            }
            if a.1 < b.1 {
                left.next()
            } else {
                right.next()
            };
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

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, value: u128) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&value))
    }

    pub(super) fn lowest(&self) -> Option<u128> {
        self.0.first().map(|(first, _)| *first)
    }

    /// The ranges, in rising order.
    pub(super) fn ranges(&self) -> &[(u128, u128)] {
        &self.0
    }

    /// The ranges, for `<` and `>`.
    pub(super) fn bounds(&self) -> Option<(u128, u128)> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }
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
