//! A line that delegates a prefix, on a board: systemd-networkd of the image asks for it, radvd hands a part of it on.

use clinic::check::lines::{from_outside, is_renumbered};
use clinic::check::{Outcome, Wrong};
use clinic::{Layout, Line, Wiring};

use super::Story;
use crate::stage::{BOOT, Scene, Stage};

/// The stories; the board is put into a clinic with such a line.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "a_line_that_delegates_comes_up_and_the_terminal_uses_it",
            "With ひかり電話 the line gives a /56 by DHCPv6 and nothing by advertisement: without asking there is no address.",
            &[
                "a clinic whose line delegates, and a box in service there: all is well",
                "the terminal has an address of the delegation, and reaches a listed port and no other",
                "names and what the line may open, as on every line",
            ],
            comes_up,
        ),
        Story::new(
            "a_line_that_delegates_another_prefix_is_followed",
            "A renumbering at night must not leave a terminal with an address that nobody routes.",
            &[
                "a box in service on a line that delegates",
                "the line hands on from another pool",
                "the terminal has an address of the new prefix and no good one of the old, and reaches the centre",
                "the same back",
            ],
            follows,
        ),
    ]
}

fn scene() -> Result<Scene, Wrong> {
    Ok(Scene { layout: Layout::of(Line::Pd, Wiring::New)?, more: String::new(), contract: None })
}

fn comes_up(stage: &mut Stage) -> Outcome {
    let scene = scene()?;
    stage.service_in(&scene)?;
    from_outside(scene.layout).into_iter().try_for_each(|case| {
        (case.play)(&mut stage.lab).map_err(|wrong| Wrong(format!("{}: {wrong}", case.name)))
    })
}

fn follows(stage: &mut Stage) -> Outcome {
    let scene = scene()?;
    stage.service_in(&scene)?;
    for on in [true, false] {
        stage.lab.fault("WAN-05", on)?;
        is_renumbered(&mut stage.lab, scene.layout, on)?;
    }
    stage.clean(BOOT).map(drop)
}
