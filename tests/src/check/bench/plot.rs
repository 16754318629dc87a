//! The delays as a picture: for each contender how many of its files had arrived after how long.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::super::Wrong;
use super::Line;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 470.0;
/// Room for the words on the left, on the right, above and below.
const MARGIN: (f64, f64, f64, f64) = (60.0, 20.0, 40.0, 120.0);
/// From a tenth of a millisecond to ten seconds.
const DECADES: (i32, i32) = (-1, 4);
const COLOURS: [&str; 6] = ["#b02318", "#d98a1e", "#2b6cb0", "#2f855a", "#6b46c1", "#4a5568"];

/// Draws the lines into `artifacts/bench-relay.svg`.
///
/// # Errors
/// It cannot be written.
pub fn keep(lines: &[Line]) -> Result<PathBuf, Wrong> {
    let place = PathBuf::from("artifacts/bench-relay.svg");
    fs::create_dir_all("artifacts")?;
    fs::write(&place, draw(lines))?;
    Ok(place)
}

fn draw(lines: &[Line]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{}\" y=\"22\" font-size=\"15\">From close to final name: part of the files that had arrived</text>\n",
        MARGIN.0
    );
    grid(&mut svg);
    for (at, line) in lines.iter().enumerate() {
        curve(&mut svg, line, COLOURS[at % COLOURS.len()]);
        legend(&mut svg, at, &line.what, COLOURS[at % COLOURS.len()]);
    }
    svg + "</svg>\n"
}

fn x(ms: f64) -> f64 {
    let (from, to) = (f64::from(DECADES.0), f64::from(DECADES.1));
    let at = (ms.max(0.001).log10().clamp(from, to) - from) / (to - from);
    MARGIN.0 + at * (WIDTH - MARGIN.0 - MARGIN.1)
}

fn y(part: f64) -> f64 {
    HEIGHT - MARGIN.3 - part * (HEIGHT - MARGIN.2 - MARGIN.3)
}

fn grid(svg: &mut String) {
    for decade in DECADES.0..=DECADES.1 {
        let (at, ms) = (x(10_f64.powi(decade)), 10_f64.powi(decade));
        let label = if ms < 1000.0 { format!("{ms} ms") } else { format!("{} s", ms / 1000.0) };
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} {:.1}V{:.1}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            y(0.0),
            y(1.0),
            y(0.0) + 20.0
        );
    }
    for (part, label) in [(0.0, "0 %"), (0.5, "50 %"), (0.99, "99 %")] {
        let _ = writeln!(
            svg,
            "<path d=\"M{:.1} {at:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            MARGIN.0,
            WIDTH - MARGIN.1,
            MARGIN.0 - 6.0,
            y(part) + 4.0,
            at = y(part)
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "some hundreds of files")]
fn curve(svg: &mut String, line: &Line, colour: &str) {
    let sorted = line.times.sorted();
    let mut path = String::new();
    for (at, ms) in sorted.iter().enumerate() {
        let (before, after) = (at as f64 / sorted.len() as f64, (at + 1) as f64 / sorted.len() as f64);
        let start = if at == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{start}{:.1} {:.1}L{:.1} {:.1}", x(*ms), y(before), x(*ms), y(after));
    }
    let _ = writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
}

fn legend(svg: &mut String, at: usize, what: &str, colour: &str) {
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let (column, row) = ((at % 2) as f64, (at / 2) as f64);
    let (left, top) = (MARGIN.0 + column * (WIDTH - MARGIN.0) / 2.0, HEIGHT - MARGIN.3 + 52.0 + 22.0 * row);
    let _ = writeln!(
        svg,
        "<path d=\"M{left} {:.1}h22\" stroke=\"{colour}\" stroke-width=\"3\"/><text x=\"{}\" y=\"{top:.1}\">{what}</text>",
        top - 4.0,
        left + 30.0
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Times;
    use super::*;

    #[test]
    fn what_is_faster_stands_further_left_and_all_have_arrived_at_the_top() {
        let line = |ms: u64| {
            let mut times = Times::default();
            times.add(Duration::from_millis(ms));
            Line::new(format!("{ms}"), times)
        };
        let svg = draw(&[line(1), line(1000)]);
        assert_eq!(svg.matches("stroke-width=\"2\"").count(), 2);
        assert!(x(1.0) < x(1000.0) && y(1.0) < y(0.0));
        assert!(svg.contains(&format!("M{:.1} {:.1}L{:.1} {:.1}", x(1.0), y(0.0), x(1.0), y(1.0))));
    }
}
