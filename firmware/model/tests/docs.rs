//! Documents that are made from the model are the committed ones. To write them anew:
//! `SEKISHO_WRITE_DOCS=1 cargo test -p model --test docs`.

use std::fmt::Write as _;
use std::path::Path;

use model::fault::Words;
use model::site::spec::{self, Key, Shape};
use model::{FaultCode, Party, Usability, profile, site};

fn committed(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("SEKISHO_WRITE_DOCS").is_some() {
        std::fs::write(&path, made).expect("docs/ can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, made, "docs/{name} is not what the model says");
}

/// What most owners' words are.
fn usual(code: FaultCode) -> Words {
    let all = Party::ALL.map(|owner| code.words(owner, Usability::Unknown));
    all.into_iter()
        .max_by_key(|one| all.iter().filter(|other| *other == one).count())
        .expect("invariant: there are parties")
}

#[test]
fn the_fault_catalogue_is_the_table() {
    let mut made = String::from(
        "# The faults\n\nMade from the tables in `firmware/model/src/fault`; do not edit. \
         Whom to call comes from the site file, who has to act from the verdict. Where a fault may be given to several, \
         what is said otherwise to one of them stands below with the name.\n",
    );
    for code in FaultCode::ALL {
        let usual = usual(code);
        let kind = if code.is_alarm() { "" } else { " (recorded only)" };
        let _ = writeln!(made, "\n## {} {} / {}{kind}\n", code.key(), usual.title.ja, usual.title.en);
        for text in [usual.happened, usual.meaning, usual.next] {
            let _ = writeln!(made, "- {}\n  {}", text.ja, text.en);
        }
        for owner in Party::ALL {
            let words = code.words(owner, Usability::Unknown);
            let other = [(words.happened, usual.happened), (words.next, usual.next)];
            for (text, _) in other.into_iter().filter(|(text, usual)| text != usual) {
                let name = owner.name();
                let _ = writeln!(made, "- {} / {}: {}\n  {}", name.ja, name.en, text.ja, text.en);
            }
        }
    }
    committed("faults.md", &made);
}

#[test]
fn the_schemas_are_the_specs() {
    for (name, schema) in [
        ("site.schema.json", site::schema()),
        ("profile.schema.json", spec::schema("Sekisho profile, version 1", profile::SPEC)),
    ] {
        committed(name, &format!("{}\n", serde_json::to_string_pretty(&schema).unwrap()));
    }
}

#[test]
fn the_site_file_s_keys_are_the_spec() {
    let mut made = String::from(
        "# The site file and the profile\n\nMade from `firmware/model`; do not edit. One TOML file describes a \
         clinic; `sekisho site check FILE` says every mistake in it with its line. Keys marked with * must be \
         there. No secret is ever in it: `secret:NAME` names a file of the box's state, `secrets/NAME`, with two \
         lines, user and password.\n",
    );
    for (title, keys) in [("Site file", site::SPEC), ("Profile", profile::SPEC)] {
        let _ = writeln!(made, "\n## {title}\n\n| key | value | what for |\n|---|---|---|");
        rows(&mut made, "", keys);
    }
    committed("site-file.md", &made);
}

fn rows(made: &mut String, path: &str, keys: &[Key]) {
    for key in keys {
        let star = if key.required { "*" } else { "" };
        let name = format!("{path}{}", key.name);
        let _ = writeln!(made, "| `{name}`{star} | {} | {} |", value(key.shape), key.doc);
        match key.shape {
            Shape::Table(inner) => rows(made, &format!("{name}."), inner),
            Shape::Tables(inner) => rows(made, &format!("{name}[]."), inner),
            _ => {}
        }
    }
}

fn value(shape: Shape) -> String {
    spec::allowed(shape).replace('|', "\\|")
}
