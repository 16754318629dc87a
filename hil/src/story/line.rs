//! The terminal's way to the line, on a board: the lab's own cases, as far as they are told from outside.

use clinic::Layout;
use clinic::check::lines;

use super::Story;

/// The stories; they take a minute, and every change is tried with them.
pub fn stories() -> Vec<Story> {
    lines::from_outside(Layout::default()).into_iter().map(story).collect()
}

fn story(case: clinic::check::Case) -> Story {
    let play = case.play;
    Story::new(
        case.name,
        "The terminal's own programs use the line: the image must hand its prefix on, and nothing beside what is listed.",
        &["a box in service", "the line's case, judged from outside"],
        move |stage| {
            stage.service()?;
            play(&mut stage.lab)
        },
    )
    .smoke()
}
