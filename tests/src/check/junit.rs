//! JUnit's XML, as far as its readers agree on it.

use std::path::Path;

use super::{Row, Wrong};

/// Writes the rows of one verification.
///
/// # Errors
/// The file or its folder cannot be written.
pub fn write(path: &Path, suite: &str, rows: &[Row]) -> Result<(), Wrong> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(std::fs::write(path, text(suite, rows))?)
}

fn text(suite: &str, rows: &[Row]) -> String {
    let failures = rows.iter().filter(|row| row.wrong.is_some()).count();
    let seconds: f64 = rows.iter().map(|row| row.took.as_secs_f64()).sum();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" time=\"{seconds:.3}\">\n",
        escaped(suite),
        rows.len(),
    );
    for row in rows {
        let (name, seconds) = (escaped(&row.name), row.took.as_secs_f64());
        text +=
            &format!("  <testcase classname=\"{}\" name=\"{name}\" time=\"{seconds:.3}\"", escaped(suite));
        text += ">\n";
        if let Some(wrong) = &row.wrong {
            text += &format!("    <failure message=\"{}\"/>\n", escaped(wrong));
        }
        text += &format!("    <system-out>{}</system-out>\n  </testcase>\n", escaped(&row.made));
    }
    text + "</testsuite>\n"
}

/// XML has no place for most control characters, not even escaped (XML 1.0, 2.2).
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            letter if letter.is_control() => safe.push('?'),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wrong_case_is_a_failure_with_its_sentence_escaped() {
        let row = |name: &str, wrong: Option<&str>| Row {
            name: name.into(),
            made: "x".into(),
            wrong: wrong.map(str::to_owned),
            took: Duration::from_millis(1500),
        };
        let text = text("walk", &[row("good", None), row("bad", Some("<a> & \"b\"\u{7}"))]);
        assert!(text.contains("tests=\"2\" failures=\"1\" time=\"3.000\""), "{text}");
        let good =
            "<testcase classname=\"walk\" name=\"good\" time=\"1.500\">\n    <system-out>x</system-out>";
        assert!(text.contains(good), "{text}");
        assert!(text.contains("<failure message=\"&lt;a&gt; &amp; &quot;b&quot;?\"/>"), "{text}");
    }
}
