//! The keys of a site file, each with the form of its value.

use super::spec::{Key, Shape};
use crate::{calendar, kind, opening};

const LINE: &[Key] = &[Key::required("kind", Shape::OneOf(&["ra"]), "how the line hands out addresses")];

const ZONE: &[Key] = &[Key::required("address", Shape::Ipv4Prefix, "the box's own address in this zone")];

const TERMINALS: &[Key] = &[
    Key::required("address", Shape::Ipv4Prefix, "the box's own address in this zone"),
    Key::optional(
        "quiet",
        Shape::Hours,
        "hours of the clinic's day in which terminals restart by themselves: ten minutes away are no fault then",
    ),
];

const PORT: &[Key] = &[
    Key::required("name", Shape::Port, "the interface"),
    Key::required("zone", Shape::OneOf(&["wan", "terminal", "clinic"]), "the zone it belongs to"),
];

const TERMINAL: &[Key] = &[
    Key::required("name", Shape::Port, "the terminal's name here"),
    Key::required("address", Shape::Ipv4, "its IPv4 address"),
    Key::optional("share", Shape::Unc, "the shared folder with req, res and face; with login"),
    Key::optional("login", Shape::Secret, "user and password of the share, by reference"),
    Key::optional("path", Shape::Path, "instead of share and login: that folder, if it lies on this machine"),
    Key::optional(
        "requests-below",
        Shape::Folder,
        "folder of the clinic's share its request folders lie in; at the root if absent",
    ),
    Key::optional(
        "certificate-until",
        Shape::Date,
        "the last day of its client certificate, as its papers say; it is reminded of",
    ),
];

const CONSUMER: &[Key] = &[
    Key::required("name", Shape::Account, "who takes the answers; also its account on the box's share"),
    Key::optional("share", Shape::Share, "its share on the box, OQS if absent; each consumer has its own"),
    Key::optional("remote", Shape::Unc, "instead: a shared folder of its own machine; with login"),
    Key::optional("login", Shape::Secret, "user and password of the remote share, by reference"),
    Key::optional("path", Shape::Path, "instead: a folder of this machine"),
    Key::optional("takes", Shape::Texts, "the folders of answers it wants a copy of, all if absent"),
    Key::optional(
        "address",
        Shape::Ipv4,
        "its machine's IPv4 address, fixed; then it is seen whether that is on; remote's if absent",
    ),
];

const PARTIES: &[&str] =
    &["clinic", "box", "line", "isp", "ipsec-provider", "centre", "terminal", "receipt-computer"];

const CONTACT: &[Key] = &[
    Key::required("party", Shape::OneOf(PARTIES), "for whose faults"),
    Key::required("name", Shape::Text, "who answers the telephone"),
    Key::required("phone", Shape::Text, "the number"),
];

const PAGE: &[Key] = &[
    Key::optional("http", Shape::Integer { min: 1, max: 65535 }, "port for reception, 80 if absent"),
    Key::optional("https", Shape::Integer { min: 1, max: 65535 }, "port of the HTTPS page, 443 if absent"),
];

const RELAY: &[Key] = &[
    Key::optional(
        "count-outcomes",
        Shape::Boolean,
        "look into answers and count how many are errors, false if absent; nothing of them is kept",
    ),
    Key::optional(
        "smb-2-1",
        Shape::Text,
        "why the box's share lets in machines that know SMB 2.1 only, which does not encrypt; SMB 3 only if absent",
    ),
];

/// The keys of a site file.
pub const SPEC: &[Key] = &[
    Key::required("version", Shape::Integer { min: 1, max: 1 }, "format of this file"),
    Key::required("profile", Shape::Text, "a shipped profile, or a file beside this one that ends in .toml"),
    Key::required("line", Shape::Table(LINE), "the qualification line"),
    Key::required("clinic", Shape::Table(ZONE), "the clinic's zone"),
    Key::required("terminals", Shape::Table(TERMINALS), "the terminals' zone"),
    Key::required("port", Shape::Tables(PORT), "the box's ports"),
    Key::required("terminal", Shape::Tables(TERMINAL), "the qualification terminals"),
    Key::required("consumer", Shape::Tables(CONSUMER), "who takes the answers"),
    Key::optional("kind", Shape::Tables(kind::SITE_SPEC), "changes to the profile's table of kinds"),
    Key::optional("relay", Shape::Table(RELAY), "how files are carried"),
    Key::optional("opening", Shape::Table(opening::SPEC), "the days a time to live counts"),
    Key::optional("maintenance", Shape::Tables(calendar::MAINTENANCE), "maintenance the centre announced"),
    Key::optional("contact", Shape::Tables(CONTACT), "whom to call"),
    Key::optional("page", Shape::Table(PAGE), "where the page listens"),
];
