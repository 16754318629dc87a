//! Which language a visitor gets: what the address asks for, else what the browser prefers, else Japanese.

use model::Language;

/// Chooses; `asked` is the address's `lang`, `preferred` the Accept-Language header (RFC 9110 section 12.5.4).
pub fn choose(asked: Option<&str>, preferred: Option<&str>) -> Language {
    asked.and_then(from_tag).or_else(|| preferred.and_then(best)).unwrap_or_default()
}

fn from_tag(tag: &str) -> Option<Language> {
    let primary = tag.split('-').next().unwrap_or_default();
    match primary.to_ascii_lowercase().as_str() {
        "ja" => Some(Language::Ja),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// The known language of the highest weight; among equals the first.
fn best(header: &str) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    for range in header.split(',').take(32) {
        let mut pieces = range.trim().split(';');
        let Some(language) = pieces.next().and_then(from_tag) else { continue };
        let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if weight > best.map_or(0.0, |(weight, _)| weight) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_beats_the_browser_and_japanese_is_the_default() {
        for (asked, preferred, expected) in [
            (None, None, Language::Ja),
            (Some("en"), Some("ja"), Language::En),
            (Some("ja"), Some("en"), Language::Ja),
            (Some("fr"), Some("en-GB,en;q=0.9"), Language::En),
            (None, Some("fr, en;q=0.5, ja;q=0.8"), Language::Ja),
            (None, Some("en;q=0"), Language::Ja),
            (None, Some("de-DE,*;q=0.1"), Language::Ja),
            (None, Some(";;q=,=,ja-JP;q=nan,,"), Language::Ja),
            (None, Some("EN-us"), Language::En),
        ] {
            assert_eq!(choose(asked, preferred), expected, "{asked:?} {preferred:?}");
        }
    }
}
