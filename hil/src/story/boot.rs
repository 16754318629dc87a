//! What the board refuses to run, and what it runs instead.

use std::time::{Duration, Instant};

use clinic::check::{Outcome, Wrong, must};
use model::boot::Situation;

use super::{For, Story};
use crate::machine::ask;
use crate::stage::{FIRST_BOOT, Stage, With};

/// Three tries of one slot, each with a panic's pause, and the boot of the other.
const TAKES_OVER: Duration = Duration::from_secs(900);
/// From power to the firmware's last word.
const FIRMWARE: Duration = Duration::from_secs(120);
/// How much of a root is spoilt: its head, which every boot reads.
const SPOILT: u64 = 64 * 1024;

/// The stories.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "a_spoilt_root_does_not_run_and_the_other_slot_takes_over",
            "What was changed on the disk, by a thief or by its age, must not run; the clinic must.",
            &[
                "a disk as it leaves the factory, the root of slot A spoilt",
                "power on: the kernel stops at the first spoilt block, until slot A has no tries left",
                "slot B comes up in the carton",
            ],
            other_slot,
        ),
        Story::new(
            "with_both_roots_spoilt_nothing_runs",
            "Refusing is the last thing a box can do right.",
            &[
                "the roots of both slots spoilt",
                "power on",
                "both slots are tried, neither comes up, no page answers",
            ],
            neither_slot,
        ),
        Story::new(
            "an_unsigned_image_does_not_boot",
            "Who holds the box in his hands must not be able to run his own.",
            &[
                "put unsigned UKIs in the place of the signed ones",
                "power on",
                "the firmware refuses; no kernel starts",
            ],
            unsigned,
        ),
        Story::new(
            "a_box_with_a_tpm_opens_its_data_by_it",
            "The key of the data partition is sealed to the TPM where there is one.",
            &["power on with a TPM", "the data partition has a TPM's token", "power on again: it opens"],
            with_tpm,
        )
        .only(For::Development),
        Story::new(
            "a_release_lets_nobody_look_inside",
            "What a firmware can hand to an image, a thief can.",
            &["offer the bench's own unit as a credential", "the box comes up, and the unit does not"],
            closed,
        )
        .only(For::Release)
        .smoke(),
    ]
}

fn spoil(stage: &mut Stage, labels: &[&str]) -> Result<(), Wrong> {
    let disk = stage.factory()?;
    for label in labels {
        let part = stage.image.part(label)?.clone();
        disk.damage(&stage.tools, &part, 0, SPOILT)?;
    }
    stage.switch_on(&disk, With::default())
}

/// What the kernel says when it is told which root to run.
fn is_slot(slot: &str) -> impl Fn(&str) -> bool {
    let root = format!("by-partlabel/root-{slot} ");
    move |line: &str| line.contains("ommand line: ") && line.contains(&root)
}

fn other_slot(stage: &mut Stage) -> Outcome {
    let begun = Instant::now();
    spoil(stage, &["root-a"])?;
    let seen = stage.situation(Situation::Carton, TAKES_OVER);
    stage.place.with(|board| {
        let lines = board.console().since(0);
        let tried = lines.iter().filter(|line| is_slot("a")(&line.text)).count();
        let panics = lines.iter().filter(|line| line.text.contains("Kernel panic")).count();
        let other = lines.iter().any(|line| is_slot("b")(&line.text));
        must(tried >= 1 && panics >= 1 && other, || {
            format!("slot A was tried {tried} times with {panics} panics, slot B started: {other}")
        })
    })?;
    seen?;
    stage.figure(
        "from a spoilt slot A to slot B in the carton, s",
        format!("{:.0}", begun.elapsed().as_secs_f64()),
    );
    Ok(())
}

fn neither_slot(stage: &mut Stage) -> Outcome {
    spoil(stage, &["root-a", "root-b"])?;
    stage.place.with(|board| {
        let console = board.console();
        console.wait_for(0, "the kernel of slot B", TAKES_OVER, is_slot("b"))?;
        let mark = console.mark();
        console.wait(mark, "Kernel panic", FIRST_BOOT).map(drop)
    })?;
    let page = ask(stage.lab.clinic());
    must(page.is_err(), || "the page answers".into())
}

fn unsigned(stage: &mut Stage) -> Outcome {
    let disk = stage.factory()?;
    let esp = stage.image.part("esp")?.clone();
    let tools = stage.tools.clone();
    for slot in ["a", "b"] {
        let from = stage.image.unsigned.join(format!("{slot}.unsigned.efi"));
        let copied = std::fs::copy(&from, tools.work.join(format!("unsigned-{slot}.efi")));
        copied.map_err(|error| Wrong(format!("failed to copy {}: {error}", from.display())))?;
    }
    disk.change(&tools, &esp, |esp| {
        tools.run_here(&["mdel", "-i", esp, "::/EFI/Linux/*"])?;
        let from = |slot: &str| format!("{}/unsigned-{slot}.efi", crate::tools::WORK);
        let to = "::/EFI/Linux/";
        tools.run_here(&["mcopy", "-i", esp, &from("a"), &from("b"), to]).map(drop)
    })?;
    stage.switch_on(&disk, With::default())?;
    stage.place.with(|board| {
        let console = board.console();
        console.wait_for(0, "the firmware's refusal", FIRMWARE, |line| {
            let line = line.to_ascii_lowercase();
            line.contains("access denied") || line.contains("security violation")
        })?;
        let ran = console.said(0, |line| line.contains("Linux version") || line.contains("Run /init"));
        must(!ran, || "a kernel started".into())
    })?;
    let page = ask(stage.lab.clinic());
    must(page.is_err(), || "the page answers".into())
}

fn with_tpm(stage: &mut Stage) -> Outcome {
    let disk = stage.factory()?;
    stage.switch_on(&disk, With { tpm: true, ..With::default() })?;
    stage.situation(Situation::Carton, FIRST_BOOT)?;
    let order = "for d in /dev/vda?*; do cryptsetup isLuks $d && cryptsetup luksDump $d; done; true";
    let token = stage.must(order)?;
    must(token.contains("systemd-tpm2"), || "the data partition has no TPM's token".into())?;
    stage.place.with(crate::board::Board::cut)?;
    stage.situation(Situation::Carton, FIRST_BOOT).map(drop)
}

fn closed(stage: &mut Stage) -> Outcome {
    stage.carton()?;
    let offered = stage.place.with(|board| Ok(board.has_inside()))?;
    must(!offered, || "this run may look inside a release".into())?;
    let disk = stage.factory()?;
    stage.switch_on(&disk, With { offer: true, ..With::default() })?;
    stage.situation(Situation::Carton, FIRST_BOOT)?;
    let answered = stage.place.with(|board| board.inside(Duration::from_secs(10)).map(drop));
    must(answered.is_err(), || "the bench's unit runs in a release".into())
}
