//! Whether a value has the shape that its key asks for.

use std::net::IpAddr;

use toml::de::DeArray;

use super::prefix::Prefix;
use super::spec::Shape;
use super::walk::Checked;
use crate::calendar;

pub(super) fn list(items: &DeArray<'_>, shape: Shape) -> Option<Checked> {
    let texts = || items.iter().map(|item| item.get_ref().as_str()).collect::<Option<Vec<&str>>>();
    match shape {
        Shape::Texts => {
            let texts = texts()?;
            let full = !texts.is_empty() && texts.iter().all(|text| plain(text));
            full.then(|| Checked::Texts(texts.into_iter().map(str::to_owned).collect()))
        }
        Shape::Extensions => {
            let texts = texts()?;
            let right = !texts.is_empty() && texts.iter().all(|text| is_extension(text));
            right.then(|| Checked::Texts(texts.iter().map(|text| text.to_ascii_lowercase()).collect()))
        }
        Shape::Words(words) => {
            let texts = texts()?;
            let known = texts.iter().all(|text| words.contains(text));
            known.then(|| Checked::Texts(texts.into_iter().map(str::to_owned).collect()))
        }
        Shape::Hours => {
            let texts = texts()?;
            let right = texts.iter().all(|text| calendar::hours(text).is_some());
            right.then(|| Checked::Texts(texts.into_iter().map(str::to_owned).collect()))
        }
        Shape::Dates => {
            let texts = texts()?;
            let dates = texts.iter().all(|text| text.parse::<jiff::civil::Date>().is_ok());
            dates.then(|| Checked::Texts(texts.into_iter().map(str::to_owned).collect()))
        }
        Shape::Integers { min, max } => {
            let numbers: Option<Vec<i64>> = items
                .iter()
                .map(|item| {
                    let number = item.get_ref().as_integer()?;
                    i64::from_str_radix(number.as_str(), number.radix()).ok()
                })
                .collect();
            numbers.filter(|list| list.iter().all(|n| (min..=max).contains(n))).map(Checked::Integers)
        }
        Shape::Ipv6s { count } => {
            let list: Option<Vec<IpAddr>> = texts()?.into_iter().map(|text| text.parse().ok()).collect();
            list.filter(|list| list.len() == count && list.iter().all(IpAddr::is_ipv6))
                .map(Checked::Addresses)
        }
        Shape::Ipv4s | Shape::Addresses => {
            let list: Option<Vec<IpAddr>> = texts()?.into_iter().map(|text| text.parse().ok()).collect();
            let fits = |address: &IpAddr| matches!(shape, Shape::Addresses) || address.is_ipv4();
            list.filter(|list| !list.is_empty() && list.iter().all(fits)).map(Checked::Addresses)
        }
        Shape::Prefixes => {
            let list: Option<Vec<Prefix>> = texts()?.into_iter().map(|text| text.parse().ok()).collect();
            list.filter(|list| !list.is_empty()).map(Checked::Prefixes)
        }
        _ => None,
    }
}

pub(super) fn integer(number: i64, shape: Shape) -> Option<Checked> {
    match shape {
        Shape::Integer { min, max } if (min..=max).contains(&number) => Some(Checked::Integer(number)),
        _ => None,
    }
}

pub(super) fn text(text: &str, shape: Shape) -> Option<Checked> {
    let fits = match shape {
        Shape::Text => plain(text),
        Shape::OneOf(words) => words.contains(&text),
        Shape::Name => is_name(text),
        Shape::Suffix => text.strip_prefix("*.").is_some_and(is_name),
        Shape::Mac => text.parse::<super::Mac>().is_ok(),
        Shape::Port => is_port(text),
        Shape::Account => is_account(text),
        Shape::Unc => is_unc(text),
        Shape::Beginning => is_beginning(text),
        Shape::Folder => is_folder(text),
        Shape::Share => is_share(text),
        Shape::Path => is_path(text),
        Shape::Date => text.parse::<jiff::civil::Date>().is_ok(),
        Shape::Moment => calendar::moment(text).is_some(),
        Shape::Pem => is_pem(text),
        Shape::SomeTexts => return plain(text).then(|| Checked::Texts(vec![text.to_owned()])),
        Shape::Secret => text.strip_prefix("secret:").is_some_and(is_secret),
        Shape::Ipv4 => {
            let address: IpAddr = text.parse().ok()?;
            return address.is_ipv4().then(|| Checked::Addresses(vec![address]));
        }
        Shape::Prefix => return Some(Checked::Prefixes(vec![text.parse().ok()?])),
        Shape::Ipv4Prefix => {
            let prefix: Prefix = text.parse().ok()?;
            return prefix.address.is_ipv4().then(|| Checked::Prefixes(vec![prefix]));
        }
        _ => false,
    };
    fits.then(|| Checked::Text(text.to_owned()))
}

/// Not empty, and nothing a terminal or a log would act on.
fn plain(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 200 && !text.chars().any(char::is_control)
}

/// Lines of printable ASCII; whether it is what it says is looked at with the others.
fn is_pem(text: &str) -> bool {
    !text.trim().is_empty()
        && text.len() <= 8192
        && text.bytes().all(|b| matches!(b, b'\n' | b'\r' | b' '..=b'~'))
}

/// RFC 1123 section 2.1 host name, RFC 1035 lengths.
fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_port(text: &str) -> bool {
    (1..=15).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text != "lo"
}

/// Debian's own accounts that a careless name would meet; the box has few others.
const SYSTEM: [&str; 12] =
    ["root", "nobody", "daemon", "bin", "sys", "sync", "games", "man", "mail", "news", "backup", "www-data"];

fn is_account(text: &str) -> bool {
    (1..=20).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && !SYSTEM.contains(&text)
}

fn is_secret(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && !text.starts_with("share-")
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_unc(text: &str) -> bool {
    let Some((host, share)) = text.strip_prefix(r"\\").and_then(|rest| rest.split_once('\\')) else {
        return false;
    };
    host.parse::<std::net::Ipv4Addr>().is_ok()
        && (1..=80).contains(&share.len())
        && !share.chars().any(|c| c.is_control() || r#"\/:*?"<>|"#.contains(c))
}

/// The folders of a share that are ours: what a person returned, and where a terminal's requests are staged.
const OURS: [&str; 2] = ["returned", "sekisho-staging"];

/// A name both ends and our own entries' names can carry.
fn is_folder(text: &str) -> bool {
    let reserved = OURS.iter().any(|name| text.eq_ignore_ascii_case(name)) || is_device(text);
    (1..=16).contains(&text.len())
        && !reserved
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

fn is_beginning(text: &str) -> bool {
    (1..=60).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-?".contains(&b))
}

fn is_extension(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Devices of DOS are no files, whatever folder they stand in.
fn is_device(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let numbered = |device: &str| {
        text.strip_prefix(device).is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&text.as_str()) || numbered("COM") || numbered("LPT")
}

fn is_share(text: &str) -> bool {
    (1..=15).contains(&text.len())
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        && !["global", "homes", "printers", "ipc"].iter().any(|own| text.eq_ignore_ascii_case(own))
}

fn is_path(text: &str) -> bool {
    text.len() <= 200
        && text
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(|part| !part.is_empty() && part != "." && part != ".."))
        && !text.chars().any(char::is_control)
}
