//! What reads bytes that others choose, by name, for a fuzzer (`scripts/fuzz`) and for the property below: whatever comes is
//! read to an end, without a panic.

use std::sync::LazyLock;

use model::{Profile, Site};
use serde_json::Value;

use crate::flows::Opening;
use crate::netlink::messages;
use crate::{Intent, drops, log, prove};

/// Reads, and says nothing.
pub type Read = fn(&[u8]);

/// Names, and what reads.
pub const TARGETS: &[(&str, Read)] =
    &[("netlink", netlink), ("refused-packet", refused), ("flow", flow), ("ruleset", ruleset)];

fn netlink(bytes: &[u8]) {
    for message in messages(bytes) {
        let _ = message.attributes().count();
    }
}

fn refused(bytes: &[u8]) {
    let _ = log::seen(bytes).map(|packet| packet.to_string());
}

fn flow(bytes: &[u8]) {
    let _ = Opening::read(bytes);
}

/// The promises of the tests' site.
static INTENT: LazyLock<Option<Intent>> = LazyLock::new(|| {
    let profile = Profile::parse("profile.toml", include_str!("../tests/data/profile.toml"));
    let site = Site::parse("site.toml", include_str!("../tests/data/site.toml"), profile);
    site.ok().map(|site| Intent::from_site(&site))
});

/// What somebody else may have put into the kernel: as nft lists it, proved.
fn ruleset(bytes: &[u8]) {
    if let (Ok(document), Some(intent)) = (serde_json::from_slice::<Value>(bytes), INTENT.as_ref()) {
        let _ = prove(&document, intent);
        let _ = drops::lines(&document);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_comes_is_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            super::TARGETS.iter().for_each(|(_, read)| read(&bytes));
        }
    }
}
