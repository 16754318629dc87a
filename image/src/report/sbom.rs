//! The bill of materials, CycloneDX 1.5.

use serde_json::{Value, json};

use super::Parts;
use super::crates::Crate;
use super::debian::{Package, licence_names};
use crate::archive::SUITE;
use crate::digest;
use crate::step::seal::uuid;

/// The document. Two builds of the same parts give the same one.
pub fn text(parts: &Parts, version: &str, epoch: u64) -> String {
    let mut components: Vec<Value> = parts.packages.iter().map(package).collect();
    components.extend(parts.crates.iter().map(one_crate));
    components.push(json!({
        "type": "library", "name": "rust-std", "version": parts.compiler,
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
    }));
    let seed = digest::text(&serde_json::to_string(&components).unwrap_or_default());
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": format!("urn:uuid:{}", uuid(&seed)),
        "version": 1,
        "metadata": {
            "timestamp": timestamp(epoch),
            "component": { "type": "firmware", "name": "sekisho", "version": version },
        },
        "components": components,
    });
    format!("{document:#}\n")
}

fn package(package: &Package) -> Value {
    let text =
        package.copyright.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let licences: Vec<Value> =
        licence_names(&text).into_iter().map(|name| json!({ "license": { "name": name } })).collect();
    let (name, version, arch) = (&package.name, &package.version, &package.architecture);
    let mut component = json!({
        "type": "application", "name": name, "version": version,
        "purl": format!("pkg:deb/debian/{name}@{}?arch={arch}&distro={SUITE}", escaped(version)),
        "properties": [
            { "name": "debian:source", "value": package.source.0 },
            { "name": "debian:source-version", "value": package.source.1 },
        ],
    });
    if !licences.is_empty() {
        component["licenses"] = Value::Array(licences);
    }
    component
}

fn one_crate(one: &Crate) -> Value {
    let mut component = json!({
        "type": "library", "name": one.name, "version": one.version,
        "licenses": [{ "expression": one.licence.replace('/', " OR ") }],
    });
    if let Some(sum) = &one.checksum {
        component["purl"] = json!(format!("pkg:cargo/{}@{}", one.name, escaped(&one.version)));
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    component
}

/// As a package URL wants it.
fn escaped(version: &str) -> String {
    version.replace('+', "%2B").replace(':', "%3A").replace('~', "%7E")
}

/// Seconds since 1970 as the document wants them.
fn timestamp(epoch: u64) -> String {
    let (days, second) = (epoch / 86_400, epoch % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// Days since 1970 as a date (the rule of 400 years, counted from a first of March).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (year + era * 400 + u64::from(month <= 2), month, of_year - (153 * march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_have_their_dates() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_780_000_000), "2026-05-28T20:26:40Z");
    }

    #[test]
    fn the_document_names_package_and_crate_by_their_urls() {
        let parts = Parts {
            packages: vec![Package {
                name: "bash".into(),
                version: "5.2+1".into(),
                architecture: "amd64".into(),
                source: ("bash".into(), "5.2".into()),
                built_using: Vec::new(),
                copyright: None,
            }],
            crates: vec![Crate {
                name: "a".into(),
                version: "1.0.0".into(),
                licence: "MIT/Apache-2.0".into(),
                checksum: Some("12ab".into()),
                folder: "/x".into(),
            }],
            compiler: "rustc 1".into(),
        };
        let said: Value = serde_json::from_str(&text(&parts, "1.2", 0)).unwrap();
        assert_eq!(said["components"][0]["purl"], "pkg:deb/debian/bash@5.2%2B1?arch=amd64&distro=trixie");
        assert_eq!(said["components"][1]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(said["components"][2]["name"], "rust-std");
        assert_eq!(text(&parts, "1.2", 0), text(&parts, "1.2", 0));
    }
}
