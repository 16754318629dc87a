//! The schema of a provider's profile is the committed one. To write it anew: `SEKISHO_WRITE_DOCS=1 cargo test -p tunnel`.

use std::path::Path;

use model::site::spec;
use tunnel::provider;

#[test]
fn the_schema_is_the_spec() {
    let schema = spec::schema("Sekisho IPsec provider, version 1", provider::SPEC);
    let made = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/provider.schema.json");
    if std::env::var_os("SEKISHO_WRITE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap_or_default(),
        made,
        "docs/provider.schema.json is another"
    );
}
