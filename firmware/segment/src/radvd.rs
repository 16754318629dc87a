//! radvd's configuration for the terminals' port. Pure.

use std::fmt::Write as _;

use crate::state::{Kind, LIFETIMES_S, Plan, Wanted};

/// The `radvd.conf` of what the segment must have. Names and time are the box's over IPv4, so no resolver is told.
///
/// With a shared prefix the terminals are not told that it is on their link: they would look for their neighbours of the line
/// there (RFC 4861 section 6.3.4), and nobody would answer.
pub fn config(plan: &Plan, wanted: &Wanted) -> String {
    let mut text = format!(
        "# Written by sekisho whenever the line changes. Changes here are lost.\ninterface {} {{\n{HEAD}",
        plan.terminals
    );
    // Without a prefix the box is no way out (RFC 7084, L-14).
    let lifetime = if wanted.told.is_empty() { 0 } else { ROUTER_S };
    let _ = writeln!(text, "  AdvDefaultLifetime {lifetime};");
    let on_link = if plan.kind == Kind::Shared { "off" } else { "on" };
    let told = wanted.told.iter().map(|prefix| (prefix, LIFETIMES_S));
    let left = wanted.left.iter().map(|prefix| (prefix, [0, 0]));
    for (prefix, [preferred, valid]) in told.chain(left) {
        let _ = writeln!(
            text,
            "  prefix {prefix} {{\n    AdvOnLink {on_link};\n    AdvAutonomous on;\n    AdvPreferredLifetime {preferred};\n    \
             AdvValidLifetime {valid};\n  }};"
        );
    }
    text.push_str("};\n");
    text
}

/// How long the terminals take the box for their way out without hearing from it again, seconds.
const ROUTER_S: u32 = 1_800;

const HEAD: &str = "\
  AdvSendAdvert on;
  IgnoreIfMissing on;
  MinRtrAdvInterval 30;
  MaxRtrAdvInterval 90;
  AdvManagedFlag off;
  AdvOtherConfigFlag off;
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_told_with_no_lifetime_and_a_shared_prefix_is_not_on_the_link() {
        let plan = Plan { kind: Kind::Shared, line: "wan0".into(), terminals: "term0".into() };
        let wanted = Wanted {
            told: vec!["2001:db8:0:2::/64".parse().unwrap()],
            left: vec!["2001:db8:0:1::/64".parse().unwrap()],
            ..Wanted::default()
        };
        let text = config(&plan, &wanted);
        assert!(
            text.contains("interface term0 {") && !text.contains("wan0"),
            "never toward the line: {text}"
        );
        assert!(text.contains("AdvDefaultLifetime 1800;"), "{text}");
        let (told, left) = text.split_once("prefix 2001:db8:0:1::/64").unwrap();
        assert!(told.contains("AdvOnLink off;") && told.contains("AdvPreferredLifetime 2700;"), "{text}");
        assert!(left.contains("AdvPreferredLifetime 0;") && left.contains("AdvValidLifetime 0;"), "{text}");
        assert!(config(&plan, &Wanted::default()).contains("AdvDefaultLifetime 0;"));
    }
}
