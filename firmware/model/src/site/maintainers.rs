//! Who may be let in for remote maintenance, each by a name and a certificate of his own, and what a consent may be at
//! the most.

use jiff::Timestamp;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

use super::spec::{Key, Shape};
use super::uplink::Maintainer;
use super::walk::{Errors, Node, refuse_twins};
use crate::decision::Reason;
use crate::opening::clinic_time;

/// Minutes of a consent where the site file says nothing, and the most it may say.
const MINUTES: u16 = 60;
const SHORTEST: u16 = 5;
const LONGEST: u16 = 480;

/// Claims are sent from the 5th to the 10th of a month.
const CLAIM_DAYS: [u8; 6] = [5, 6, 7, 8, 9, 10];

const PERSON: &[Key] = &[
    Key::required("name", Shape::Port, "a maintainer's own name here; nobody shares one"),
    Key::required(
        "certificate",
        Shape::Pem,
        "the certificate that this maintainer's side shows, as PEM text",
    ),
];

const BUTTON: &[Key] = &[
    Key::required("maintainer", Shape::Port, "who is let in by it"),
    Key::required("reason", Shape::Text, "what for"),
    Key::optional("minutes", MINUTES_SHAPE, "for how long; minutes-at-most if absent"),
];

const MINUTES_SHAPE: Shape = Shape::Integer { min: SHORTEST as i64, max: LONGEST as i64 };

/// What `[maintainer]` has beside its addresses.
pub(super) const KEYS: [Key; 4] = [
    Key::optional("minutes-at-most", MINUTES_SHAPE, "how long a consent may last, 60 if absent"),
    Key::optional(
        "claim-days",
        Shape::Integers { min: 1, max: 31 },
        "the days of a month on which claims are sent: a consent is asked for twice then; 5 to 10 if absent",
    ),
    Key::optional(
        "button",
        Shape::Table(BUTTON),
        "what three seconds on the front button consent to; nothing if absent",
    ),
    Key::optional(
        "person",
        Shape::Tables(PERSON),
        "who may be let in, each with a certificate of his own; nobody if absent",
    ),
];

/// A maintainer who may be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// His name here.
    pub name: String,
    /// What his side shows.
    pub certificate: Certificate,
}

/// A certificate of the site file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// As it stands in the file.
    pub pem: String,
    /// Its bytes.
    pub der: Vec<u8>,
    /// From when it is good.
    pub from: Timestamp,
    /// Until when it is good.
    pub until: Timestamp,
}

impl Certificate {
    /// Reads the one certificate of a PEM text.
    ///
    /// # Errors
    /// What it is instead, in words.
    pub fn parse(pem: &str) -> Result<Self, &'static str> {
        let mut blocks = Pem::iter_from_buffer(pem.as_bytes());
        let block = blocks.next().and_then(Result::ok).ok_or("this is no PEM text")?;
        if blocks.next().is_some() {
            return Err("this is more than one certificate");
        }
        if block.label != "CERTIFICATE" {
            return Err("this is no certificate");
        }
        let read: X509Certificate<'_> = block.parse_x509().map_err(|_| "this certificate cannot be read")?;
        let at = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
        let validity = read.validity();
        let (from, until) = at(validity.not_before)
            .zip(at(validity.not_after))
            .ok_or("this certificate's dates cannot be read")?;
        Ok(Self { pem: pem.to_owned(), der: block.contents.clone(), from, until })
    }

    /// Whether it is good at a time.
    pub fn is_good(&self, now: Timestamp) -> bool {
        (self.from..=self.until).contains(&now)
    }
}

/// What three seconds on the front button consent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// Who is let in.
    pub maintainer: String,
    /// What for.
    pub reason: Reason,
    /// For how many minutes.
    pub minutes: u16,
}

/// What the clinic may consent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Who may be let in.
    pub people: Vec<Person>,
    /// For how many minutes at the most.
    pub minutes_at_most: u16,
    /// The days of a month on which claims are sent.
    pub claim_days: Vec<u8>,
    /// What the front button means.
    pub button: Option<Button>,
}

impl Terms {
    /// The maintainer of this name.
    pub fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.name == name)
    }

    /// Whether claims are sent on this day of the clinic's.
    pub fn is_claim_day(&self, now: Timestamp) -> bool {
        let day = now.to_zoned(clinic_time()).date().day();
        self.claim_days.iter().any(|claims| i8::try_from(*claims) == Ok(day))
    }

    pub(super) fn read(node: &Node) -> Self {
        let minutes = minutes(node, "minutes-at-most").unwrap_or(MINUTES);
        let days = node.integers("claim-days").into_iter().filter_map(|day| u8::try_from(day).ok());
        let claim_days = if node.has("claim-days") { days.collect() } else { CLAIM_DAYS.to_vec() };
        Self {
            people: node.tables("person").iter().filter_map(|node| person(node)).collect(),
            minutes_at_most: minutes,
            claim_days,
            button: node.table("button").and_then(|node| button(node, minutes)),
        }
    }
}

fn minutes(node: &Node, key: &str) -> Option<u16> {
    node.integer(key).and_then(|minutes| u16::try_from(minutes).ok())
}

fn person(node: &Node) -> Option<Person> {
    let certificate = Certificate::parse(&node.text("certificate")?).ok()?;
    Some(Person { name: node.text("name")?, certificate })
}

fn button(node: &Node, most: u16) -> Option<Button> {
    let reason = Reason::new(&node.text("reason")?).ok()?;
    Some(Button {
        maintainer: node.text("maintainer")?,
        reason,
        minutes: minutes(node, "minutes").unwrap_or(most),
    })
}

/// Says what cannot be let in so.
pub(super) fn check(root: &Node, errors: &mut Errors<'_>) {
    let Some(node) = root.table("maintainer") else { return };
    let people = node.tables("person");
    refuse_twins(&people, "name", errors);
    certificates(&people, errors);
    let Some(button) = node.table("button") else { return };
    let names: Vec<String> = people.iter().filter_map(|person| person.text("name")).collect();
    if let Some(name) = button.text("maintainer").filter(|name| !names.contains(name)) {
        let message = format!("no maintainer is called {name:?}");
        errors.add(button, "maintainer", message, Some(names.join(", ")));
    }
    if let Some(Err(why)) = button.text("reason").map(|words| Reason::new(&words)) {
        errors.add(button, "reason", why.to_string(), None);
    }
    let most = minutes(node, "minutes-at-most").unwrap_or(MINUTES);
    if minutes(button, "minutes").is_some_and(|wanted| wanted > most) {
        let message = "this is longer than a consent may last here".to_owned();
        errors.add(button, "minutes", message, Some(format!("at most {most}")));
    }
}

/// Each maintainer has one of his own: whoever shares one cannot be told apart afterwards.
fn certificates(people: &[&Node], errors: &mut Errors<'_>) {
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for node in people {
        match node.text("certificate").map(|text| Certificate::parse(&text)) {
            Some(Ok(certificate)) if seen.contains(&certificate.der) => {
                let message = "this certificate is another maintainer's: nobody shares one".to_owned();
                errors.add(node, "certificate", message, Some("a certificate of his own".into()));
            }
            Some(Ok(certificate)) => seen.push(certificate.der),
            Some(Err(why)) => {
                errors.add(node, "certificate", why.into(), Some("one certificate as PEM text".into()));
            }
            None => {}
        }
    }
}

impl Maintainer {
    /// The maintainer of this name.
    pub fn person(&self, name: &str) -> Option<&Person> {
        self.terms.person(name)
    }
}
