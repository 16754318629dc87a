//! One target of all, by the name in `SEKISHO_FUZZ`; the rest is libFuzzer's. `list` as the name prints the names.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

type Read = fn(&[u8]);

const ROOMS: [(&str, &[(&str, Read)]); 7] = [
    ("firewall", firewall::fuzz::TARGETS),
    ("journal", journal::fuzz::TARGETS),
    ("model", model::fuzz::TARGETS),
    ("reach", reach::fuzz::TARGETS),
    ("relay", relay::fuzz::TARGETS),
    ("segment", segment::fuzz::TARGETS),
    ("tunnel", tunnel::fuzz::TARGETS),
];

fn targets() -> impl Iterator<Item = (String, Read)> {
    ROOMS
        .iter()
        .flat_map(|(room, targets)| targets.iter().map(move |(name, read)| (format!("{room}/{name}"), *read)))
}

static CHOSEN: LazyLock<Read> = LazyLock::new(|| {
    let wanted = std::env::var("SEKISHO_FUZZ").unwrap_or_default();
    if wanted == "list" {
        targets().for_each(|(name, _)| println!("{name}"));
        std::process::exit(0);
    }
    let chosen = targets().find(|(name, _)| *name == wanted);
    let Some((_, read)) = chosen else {
        eprintln!("there is no target {wanted:?}");
        std::process::exit(2);
    };
    read
});

fuzz_target!(init: { LazyLock::force(&CHOSEN); }, |bytes: &[u8]| (*CHOSEN)(bytes));
