//! A data partition that cannot be used, a site file that is not understood, a port that is missing: the box comes up
//! closed and says why.

use clinic::check::{Outcome, Wrong, must};
use model::Notice;
use model::boot::Situation;
use model::scene::{Blink, Lamp};

use super::{For, Story};
use crate::bench::Zone;
use crate::image::Disk;
use crate::stage::{BOOT, INSIDE, Stage, With};

/// How much of the data partition is spoilt: both copies of its header.
const HEADERS: u64 = 4 * 1024 * 1024;

/// The stories.
pub fn stories() -> Vec<Story> {
    const WHY: &str = "A box that cannot rely on what it keeps must say so, and do nothing else.";
    vec![
        Story::new(
            "a_damaged_data_partition_closes_the_box_and_is_named",
            WHY,
            &["a box in service, its data partition's head overwritten", "power on", "page, console and lamps say it"],
            |stage| {
                let disk = stage.serviced()?;
                let part = stage.image.part("data-new")?.clone();
                disk.damage(&stage.tools, &part, 0, HEADERS.min(part.size))?;
                closed(stage, &disk, With::default(), "data-damaged")
            },
        ),
        Story::new(
            "a_full_data_partition_closes_the_box_and_is_named",
            WHY,
            &["a box in service, filled to the last block", "power off and on", "page, console and lamps say it"],
            |stage| {
                // Until nothing fits any more; what fails at the end is the point.
                let fill = "n=0; while fallocate -l 16M /var/lib/fill-$n || fallocate -l 64K /var/lib/fill-$n; \
                            do n=$((n + 1)); done 2>/dev/null; sync; df -k /var";
                changed(stage, fill, "data-full")
            },
        )
        .only(For::Development),
        Story::new(
            "a_data_partition_of_a_newer_firmware_closes_the_box_and_is_named",
            "After a step back to an older version nothing of the newer one's may be misread.",
            &["a box in service, its data's format raised", "power off and on", "page, console and lamps say it"],
            |stage| changed(stage, "echo 2 >/var/lib/sekisho/format; sync", "data-newer"),
        )
        .only(For::Development),
        Story::new(
            "a_site_file_that_is_not_understood_any_more_closes_the_box_and_is_named",
            "An upgrade that reads the site file differently must not guess.",
            &["a box in service, an unknown key in its site file", "power off and on", "page and console name the mistake"],
            |stage| {
                changed(stage, "echo '[surprise]' >>/var/lib/sekisho/site/site.toml; sync", "site-unreadable")
            },
        )
        .only(For::Development),
        Story::new(
            "a_port_that_is_missing_closes_the_box_and_is_named",
            "A card that died must not turn the cables around.",
            &["a box in service", "power on without the terminal's port", "page and console name the port"],
            |stage| {
                let disk = stage.serviced()?;
                let with = With { without: Some(Zone::Terminal), ..With::default() };
                closed(stage, &disk, with, "ports-missing")
            },
        ),
    ]
}

/// Does something inside a box in service, and starts it again.
fn changed(stage: &mut Stage, order: &str, notice: &str) -> Outcome {
    let disk = stage.serviced()?;
    stage.switch_on(&disk, With::default())?;
    stage.situation(Situation::Site, BOOT)?;
    stage.must(order)?;
    stage.place.with(crate::board::Board::cut)?;
    is_closed(stage, notice)
}

fn closed(stage: &mut Stage, disk: &Disk, with: With, notice: &str) -> Outcome {
    stage.switch_on(disk, with)?;
    is_closed(stage, notice)
}

fn is_closed(stage: &Stage, notice: &str) -> Outcome {
    let snapshot = stage.situation(Situation::Closed, BOOT)?;
    let boot = snapshot.boot.ok_or_else(|| Wrong::new("the page does not say how the box came up"))?;
    let found = boot.notices.iter().find(|found| found.key() == notice);
    let found = found.ok_or_else(|| Wrong(format!("the page says {:?}", boot.notices)))?;
    on_the_console(stage, found)?;
    let lamps = stage.until("the lamps say it", INSIDE, |snapshot| snapshot.board.is_some())?.board;
    let blink = lamps.and_then(|board| board.part.scene.light(Lamp::Alarm).map(|light| light.blink));
    must(blink.is_some_and(|blink| blink != Blink::Off), || format!("the alarm lamp is {blink:?}"))
}

fn on_the_console(stage: &Stage, notice: &Notice) -> Outcome {
    let words = notice.words();
    stage.place.with(|board| {
        let since = board.since();
        board
            .console()
            .wait_for(since, notice.key(), INSIDE, |line| {
                line.contains(words.happened.en) || line.contains(words.happened.ja)
            })
            .map(drop)
    })
}
