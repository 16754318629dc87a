//! A cube: the packets whose every field lies in a set of its own. Rules cut cubes into cubes.

use std::fmt;
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
    /// 1 if the transport header is there to be read, 0 if nothing of it is. See [`Cube::ragged`].
    Readable,
    SourceService,
    DestinationService,
    IcmpType,
    IcmpCode,
    HopLimit,
    /// Place in [`crate::packet::State::ALL`].
    State,
    /// The packet's mark, which only the box itself gives.
    Mark,
    /// The sender's link address.
    Mac,
}

const FIELDS: usize = 15;

/// In the place of a protocol: none was found behind the headers.
pub(super) const NO_PROTOCOL: u128 = 256;
/// In the place of a link address: the port has none.
pub(super) const NO_MAC: u128 = 1 << 48;

/// Conditions that hold together.
pub(super) type Conditions = Vec<(Field, Span)>;

/// Why it is not known whether packets come here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Something is not understood.
    Unknown(Rc<str>),
    /// A set has other content at other times: now they do, now they do not.
    Changing(Rc<str>),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unknown(reason) | Self::Changing(reason)) = self;
        f.write_str(reason)
    }
}

/// Never empty.
#[derive(Clone, Debug)]
pub(super) struct Cube {
    fields: [Rc<Span>; FIELDS],
    /// The first thing on its way that is not understood, or else that changes: these packets may or may not come here.
    pub(super) doubt: Option<Doubt>,
    /// What was in a field before a rule wrote into it.
    was: Vec<(Field, Rc<Span>)>,
    /// Translated at this hook, so that no other rule of it translates again.
    pub(super) bound: bool,
    /// Leaves with another source than it came with.
    pub(super) hidden: bool,
    /// Led to another port past routing and tracking, so that it may have any address.
    pub(super) moved: bool,
    /// The prefixes it was logged under.
    pub(super) logged: Vec<Rc<str>>,
}

impl Cube {
    /// Every packet of a family.
    pub(super) fn family(version: u8) -> Self {
        let all = Rc::new(Span::all());
        let fields = std::array::from_fn(|_| Rc::clone(&all));
        let cube = Self {
            fields,
            doubt: None,
            was: Vec::new(),
            bound: false,
            hidden: false,
            moved: false,
            logged: Vec::new(),
        };
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
            .put(Field::Mark, Span::range(0_u8, u32::MAX))
            .put(Field::Mac, Span::range(0_u8, (1_u64 << 48) - 1))
    }

    /// And those that lack what others of their kind have: a header cut short (2: both ports are there and the rest is
    /// not, 3: type and code or the first port, 4: the type), no transport at all behind the headers of IPv6, no sender's
    /// link address.
    pub(super) fn ragged(self) -> Self {
        let protocols = if self.span(Field::Family).has(6) { NO_PROTOCOL } else { u128::from(u8::MAX) };
        self.put(Field::Readable, Span::range(0_u8, 4_u8))
            .put(Field::Protocol, Span::range(0_u8, protocols))
            .put(Field::Mac, Span::range(0_u8, NO_MAC))
    }

    fn put(mut self, field: Field, span: Span) -> Self {
        self.fields[field as usize] = Rc::new(span);
        self
    }

    pub(super) fn span(&self, field: Field) -> &Span {
        &self.fields[field as usize]
    }

    /// What the field held when the packet came, if a rule has written into it since.
    pub(super) fn before(&self, field: Field) -> Option<&Span> {
        self.was.iter().find(|(own, _)| *own == field).map(|(_, span)| &**span)
    }

    /// Whether a rule has written an end of the packet.
    pub(super) fn is_written(&self) -> bool {
        use Field::{Destination, DestinationService, Source, SourceService};
        let ends = [Source, Destination, SourceService, DestinationService];
        self.was.iter().any(|(field, _)| ends.contains(field))
    }

    /// The same packets after a rule has written into the field; what it held is remembered.
    pub(super) fn written(mut self, field: Field, span: &Span) -> Self {
        if self.before(field).is_none() {
            self.was.push((field, Rc::clone(&self.fields[field as usize])));
        }
        self.put(field, span.clone())
    }

    /// Those that live on after a router has taken its one hop.
    pub(super) fn a_hop_on(self) -> Option<Self> {
        let left = self.span(Field::HopLimit).and(&Span::range(2_u8, u8::MAX)).lowered();
        (!left.is_empty()).then(|| self.put(Field::HopLimit, left))
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
        Some(other.doubt.iter().fold(met, |met, doubt| met.in_doubt(doubt)))
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

    /// The same packets, but whether they come here is not known.
    pub(super) fn doubted(self, reason: &Rc<str>) -> Self {
        self.in_doubt(&Doubt::Unknown(Rc::clone(reason)))
    }

    /// As [`Self::doubted`], for this reason. What is not understood counts more than what changes.
    pub(super) fn in_doubt(mut self, doubt: &Doubt) -> Self {
        if !matches!((&self.doubt, doubt), (Some(Doubt::Unknown(_)), _) | (Some(_), Doubt::Changing(_))) {
            self.doubt = Some(doubt.clone());
        }
        self
    }
}
