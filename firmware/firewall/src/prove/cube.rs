//! A cube: the packets whose every field lies in a set of its own. Rules cut cubes into cubes.

use std::rc::Rc;

use super::span::Span;

/// What rules look at; one dimension each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Field {
    /// Port in, as numbered by [`super::ports::Ports`].
    From,
    /// Port out.
    To,
    /// 4 or 6.
    Family,
    /// IPv4 addresses are numbers up to 2^32 - 1, and [`Field::Family`] tells them apart.
    Source,
    Destination,
    Protocol,
    /// 1 if the transport header is there to be read.
    Readable,
    SourceService,
    DestinationService,
    IcmpType,
    IcmpCode,
    HopLimit,
    /// Place in [`crate::packet::State::ALL`].
    State,
}

const FIELDS: usize = 13;

/// Conditions that hold together.
pub(super) type Conditions = Vec<(Field, Span)>;

/// Never empty.
#[derive(Clone, Debug)]
pub(super) struct Cube {
    fields: [Rc<Span>; FIELDS],
    /// The first thing on its way that is not understood: these packets may or may not come here.
    pub(super) doubt: Option<Rc<str>>,
}

impl Cube {
    /// Every packet of a family.
    pub(super) fn family(version: u8) -> Self {
        let all = Rc::new(Span::all());
        let cube = Self { fields: std::array::from_fn(|_| Rc::clone(&all)), doubt: None };
        let address = if version == 4 { Span::range(0_u8, u32::MAX) } else { Span::all() };
        let byte = Span::range(0_u8, u8::MAX);
        let service = Span::range(0_u8, u16::MAX);
        cube.put(Field::Family, Span::one(version))
            .put(Field::Source, address.clone())
            .put(Field::Destination, address)
            .put(Field::Protocol, byte.clone())
            .put(Field::Readable, Span::range(0_u8, 1_u8))
            .put(Field::SourceService, service.clone())
            .put(Field::DestinationService, service)
            .put(Field::IcmpType, byte.clone())
            .put(Field::IcmpCode, byte.clone())
            .put(Field::HopLimit, byte)
            .put(Field::State, Span::range(0_u8, 4_u8))
    }

    fn put(mut self, field: Field, span: Span) -> Self {
        self.fields[field as usize] = Rc::new(span);
        self
    }

    pub(super) fn span(&self, field: Field) -> &Span {
        &self.fields[field as usize]
    }

    /// Those whose field lies in the span.
    pub(super) fn with(&self, field: Field, span: &Span) -> Option<Self> {
        let both = self.span(field).and(span);
        (!both.is_empty()).then(|| self.clone().put(field, both))
    }

    /// Those for which every condition holds.
    pub(super) fn with_all(&self, conditions: &[(Field, Span)]) -> Option<Self> {
        conditions.iter().try_fold(self.clone(), |cube, (field, span)| cube.with(*field, span))
    }

    /// Those in both; in doubt if either is.
    pub(super) fn meet(&self, other: &Self, fields: &[(Field, Field)]) -> Option<Self> {
        let mut met = self.clone();
        for (mine, theirs) in fields {
            met = met.with(*mine, other.span(*theirs))?;
        }
        met.doubt = met.doubt.or_else(|| other.doubt.clone());
        Some(met)
    }

    /// Those for which the conditions hold, and, as disjoint cubes, those for which they do not.
    pub(super) fn split(self, conditions: &[(Field, Span)], rest: &mut Vec<Self>) -> Option<Self> {
        let mut inside = self;
        for (field, span) in conditions {
            rest.extend(inside.with(*field, &span.not()));
            inside = inside.with(*field, span)?;
        }
        Some(inside)
    }

    /// Cuts cubes by alternatives: those in one of them, and the others.
    pub(super) fn cut(cubes: Vec<Self>, alternatives: &[Conditions]) -> (Vec<Self>, Vec<Self>) {
        let (mut inside, mut outside) = (Vec::new(), cubes);
        for conditions in alternatives {
            let mut rest = Vec::new();
            for cube in outside {
                inside.extend(cube.split(conditions, &mut rest));
            }
            outside = rest;
        }
        (inside, outside)
    }

    /// The same packets, but whether they come here is not known.
    pub(super) fn doubted(mut self, reason: &Rc<str>) -> Self {
        self.doubt.get_or_insert_with(|| Rc::clone(reason));
        self
    }
}
