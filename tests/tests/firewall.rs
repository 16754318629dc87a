//! Needs root.
#[test]
fn tried() { clinic::check::firewall::tried().unwrap(); }
