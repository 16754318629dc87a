//! The plug is pulled while files are on their way, again and again. Whoever sent them counts.

use std::sync::mpsc::Receiver;

use clinic::check::Outcome;
use model::boot::Situation;

use super::{For, Story};
use crate::board::Board;
use crate::receipt::{some_moment, while_files_move};
use crate::stage::{BOOT, Stage};

const CUTS: u32 = 10;

/// The stories.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "ten_power_cuts_while_files_move_lose_double_and_tear_nothing",
            "A request that is lost is a patient who waits; one that comes twice is billed twice.",
            &[
                "a box in service, and a receipt computer that sends without pause",
                "pull the plug at a random moment while files move, ten times",
                "let the last files arrive",
                "every request whose writing was confirmed is answered; the terminal has seen none twice, none torn",
            ],
            cuts,
        )
        .only(For::Development),
    ]
}

fn cuts(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let confirmed = while_files_move(stage, 0, pull)?;
    stage.figure("requests confirmed over ten power cuts", confirmed.to_string());
    Ok(())
}

/// Pulls the plug at some moment while files move, ten times.
fn pull(stage: &mut Stage, news: &Receiver<()>) -> Outcome {
    for _ in 0..CUTS {
        some_moment(news)?;
        stage.place.with(Board::cut)?;
        stage.lab.leave_share();
        stage.situation(Situation::Site, BOOT)?;
    }
    Ok(())
}
