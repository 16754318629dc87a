//! The style sheet's colours, checked: text keeps a contrast of 4.5 in both themes (WCAG 2.2, 1.4.3).

use std::collections::BTreeMap;

const SHEET: &str = include_str!("../assets/style.css");

/// The variables of the n-th `:root` block: 0 light, 1 dark.
fn theme(n: usize) -> BTreeMap<&'static str, f64> {
    let block = SHEET.split(":root {").nth(n + 1).unwrap().split('}').next().unwrap();
    let lines = block.lines().filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"));
    lines.map(|(name, hex)| (name, luminance(hex.trim_end_matches(';')))).collect()
}

fn luminance(hex: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126f64.mul_add(channel(0), 0.7152f64.mul_add(channel(2), 0.0722 * channel(4)))
}

#[test]
fn every_text_colour_is_readable_in_light_and_dark() {
    for colours in [theme(0), theme(1)] {
        let check = |text: &str, ground: &str| {
            let (a, b) = (colours[text], colours[ground]);
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
        };
        for ground in ["paper", "ground"] {
            ["ink", "quiet", "mark"].into_iter().for_each(|text| check(text, ground));
        }
        for state in ["normal", "attention", "fault", "open", "maintenance"] {
            check(state, "paper");
            check("on-state", state);
        }
        for state in ["normal", "attention", "fault", "open"] {
            let soft = format!("{state}-soft");
            [state, "ink", "quiet"].into_iter().for_each(|text| check(text, &soft));
        }
    }
}

#[test]
fn the_sheet_loads_nothing_and_moves_nothing() {
    for forbidden in ["url(", "@import", "@font-face", "animation"] {
        assert!(!SHEET.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn the_script_stays_small_and_plain() {
    let script = include_str!("../assets/enhance.js");
    assert!(script.lines().count() <= 100);
    for forbidden in ["eval", "innerHTML", "document.write", "import ", "??=", "||="] {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
}
