//! The way an image gets onto a disk.

use std::process::{Command, Stdio};

use clinic::check::{Outcome, Wrong};
use model::boot::Situation;

use super::Story;
use crate::stage::{FIRST_BOOT, Stage, With};

/// The stories.
pub fn stories() -> Vec<Story> {
    vec![Story::new(
        "what_scripts_flash_has_written_boots",
        "The installer's way from a download to a box must end in the same disk that was tested.",
        &[
            "an empty disk, as large as the bench's",
            "scripts/flash writes the compressed image to it, and reads it back",
            "a board with that disk comes up in the carton",
        ],
        flashed,
    )]
}

fn flashed(stage: &mut Stage) -> Outcome {
    let disk = stage.tools.work.join("flashed.img");
    std::fs::File::create(&disk)?.set_len(u64::from(stage.bench.board.disk_mib) << 20)?;
    let mut flash = Command::new("scripts/flash");
    flash.arg(&stage.image.packed).arg(&disk).arg("--yes").arg("--key").arg(&stage.image.key);
    let said = flash.stdin(Stdio::null()).output()?;
    if !said.status.success() {
        let text = String::from_utf8_lossy(&said.stderr);
        return Err(Wrong(format!("scripts/flash: {}", text.trim().lines().last().unwrap_or("no word"))));
    }
    let disk = stage.over(&disk)?;
    stage.switch_on(&disk, With::default())?;
    stage.situation(Situation::Carton, FIRST_BOOT).map(drop)
}
