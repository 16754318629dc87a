//! The keys of a provider's profile. What only the contract sheet can say is optional here, so that a shipped profile
//! can stand empty; [`super::check`] says what is missing of it, in one sentence.

use model::site::spec::{Key, Shape};

const OWN: &[Key] =
    &[Key::optional("id", Shape::Text, "the box's IKE identity, as the contract sheet has it")];

const PEER: &[Key] = &[Key::optional("id", Shape::Text, "the gateway's IKE identity")];

const AUTHENTICATION: &[Key] = &[
    Key::optional("method", Shape::OneOf(&["psk", "certificate"]), "how both sides prove who they are"),
    Key::optional(
        "secret",
        Shape::Secret,
        "psk: the shared key; certificate: the box's key and certificate, PEM; by reference",
    ),
    Key::optional(
        "authorities",
        Shape::Text,
        "certificate: PEM file beside the profile with the authorities of the gateway's certificate",
    ),
];

const INSIDE: &[Key] = &[
    Key::optional("networks", Shape::Prefixes, "what lies behind the tunnel (the peer's traffic selectors)"),
    Key::optional(
        "mode-config",
        Shape::Boolean,
        "the gateway gives the inner address; true if absent (RFC 7296 section 3.15)",
    ),
    Key::optional("address", Shape::Ipv4, "without mode-config and not routed: the box's inner address"),
];

const DPD: &[Key] = &[
    Key::optional(
        "delay-s",
        Shape::Integer { min: 2, max: 300 },
        "asked after so many seconds of silence, 10 if absent",
    ),
    Key::optional(
        "patience-s",
        Shape::Integer { min: 4, max: 120 },
        "dead after so many seconds without an answer, 8 if absent",
    ),
];

const REKEY: &[Key] = &[
    Key::optional(
        "ike-s",
        Shape::Integer { min: 20, max: 172_800 },
        "new keys for IKE after so many seconds, 14400 if absent",
    ),
    Key::optional(
        "esp-s",
        Shape::Integer { min: 10, max: 86_400 },
        "new keys for the traffic after so many seconds, 3600 if absent",
    ),
    Key::optional(
        "reauthenticate-s",
        Shape::Integer { min: 20, max: 172_800 },
        "both sides prove themselves anew after so many seconds; never if absent",
    ),
];

const LEGACY: &[Key] = &[
    Key::required("approved-by", Shape::Text, "who answers for it"),
    Key::required("why", Shape::Text, "why the provider can do no better"),
];

/// The keys of a provider's profile.
pub const SPEC: &[Key] = &[
    Key::required("version", Shape::Integer { min: 1, max: 1 }, "format of this file"),
    Key::required("name", Shape::Text, "the provider's or service's name"),
    Key::optional("ike", Shape::Integer { min: 1, max: 2 }, "version of IKE, 2 if absent"),
    Key::optional("aggressive", Shape::Boolean, "IKEv1 in aggressive mode; needs legacy"),
    Key::optional("ike-proposals", Shape::Texts, "transforms of IKE, like \"aes256-sha256-modp2048\""),
    Key::optional("esp-proposals", Shape::Texts, "transforms of the traffic, like \"aes256gcm16-ecp256\""),
    Key::required("own", Shape::Table(OWN), "this box"),
    Key::required("peer", Shape::Table(PEER), "the provider's gateway"),
    Key::required("authentication", Shape::Table(AUTHENTICATION), "how both prove who they are"),
    Key::required("inside", Shape::Table(INSIDE), "what the tunnel carries"),
    Key::optional("dpd", Shape::Table(DPD), "dead peer detection (RFC 3706)"),
    Key::optional("rekey", Shape::Table(REKEY), "how long keys live"),
    Key::optional("mobike", Shape::Boolean, "IKEv2: addresses may change (RFC 4555); true if absent"),
    Key::optional("fragmentation", Shape::Boolean, "IKE in fragments (RFC 7383); true if absent"),
    Key::optional(
        "legacy",
        Shape::Table(LEGACY),
        "3DES, MD5, SHA-1 signatures, groups below 14 or aggressive mode are borne",
    ),
];
