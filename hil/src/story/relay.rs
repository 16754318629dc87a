//! The relay in the image, beyond the walk: killed at work, decided about, and searched for what it leaves behind.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use clinic::check::{Outcome, Wrong, must};
use clinic::faux::forms::Form;
use model::boot::Situation;
use model::parcel::Held;

use super::{For, Story};
use crate::board::Board;
use crate::receipt::{some_moment, while_files_move};
use crate::stage::{BOOT, Stage, same};

const KILLS: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(60);
/// Where a PC leaves what nobody looks at.
const FILL: &str = "/var/lib/sekisho/share/OQS/returned/fill";
/// A request for which there is no room.
const TOO_MUCH: &str = "OQSsiquc01req_999.xml";
/// Stands in a request's bytes, and nowhere else in the world.
const CANARY: &str = "KANARIYA-8c1f27";

/// The stories.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "a_relayd_that_is_killed_while_files_move_loses_doubles_and_tears_nothing",
            "What a crash costs is seconds, and never a request.",
            &[
                "a box in service, and a receipt computer that sends without pause",
                "kill -9 relayd at a random moment while files move, ten times",
                "let the last files arrive",
                "every request whose writing was confirmed is answered; the terminal has seen none twice, none torn",
            ],
            kills,
        )
        .only(For::Development),
        Story::new(
            "what_a_person_decides_stands_in_a_record_that_outlives_a_power_cut",
            "Who asks years later what became of a file must get an answer that nobody has changed.",
            &[
                "a file of an unknown kind is held",
                "sekisho relay discard, with a reason: it is gone",
                "pull the plug, and switch on",
                "it is still gone, and sekisho audit verify finds the same record whole",
            ],
            decided,
        )
        .only(For::Development),
        Story::new(
            "a_pc_that_fills_the_share_stops_itself_and_nobody_else",
            "A backup program that takes the share for a disk must not close the box.",
            &[
                "fill the partition as smbd does, which writes as the relay's user",
                "the share takes no more; a face result still arrives",
                "pull the plug, and switch on: the box is in service",
            ],
            filled,
        )
        .only(For::Development),
        Story::new(
            "nothing_of_a_request_is_left_in_the_box_once_its_answer_is_collected",
            "A box that is stolen or sent in for repair must not tell of a patient.",
            &[
                "a request with a mark in its bytes goes, and its answer is collected",
                "look for the mark and for the name in every file that outlives a power cut, and in the journal",
            ],
            traceless,
        )
        .only(For::Development),
    ]
}

fn kills(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let confirmed = while_files_move(stage, 1, kill)?;
    stage.figure("requests confirmed over ten kills of relayd", confirmed.to_string());
    Ok(())
}

fn kill(stage: &mut Stage, news: &Receiver<()>) -> Outcome {
    for _ in 0..KILLS {
        some_moment(news)?;
        stage.must("systemctl kill --signal=KILL sekisho-relayd.service")?;
    }
    Ok(())
}

fn held(stage: &Stage) -> Result<Vec<Held>, Wrong> {
    let relay = stage.lab.snapshot()?.relay.ok_or_else(|| Wrong::new("nothing is known of the relay"))?;
    Ok(relay.part.held)
}

fn decided(stage: &mut Stage) -> Outcome {
    stage.service()?;
    stage.lab.put("req/XYZsiquc01req_8.xml", &Form::Xml.request("8", 0))?;
    let first = || Ok(held(stage)?.first().map(|held| held.parcel.number));
    let number = stage.lab.until("a file of an unknown kind is held", PATIENCE, first)?;
    stage.must(&format!("sekisho relay discard {number} --reason 'sent by mistake'"))?;
    let none = |stage: &Stage| Ok(held(stage)?.is_empty().then_some(()));
    stage.lab.until("nothing is held any more", PATIENCE, || none(stage))?;
    stage.must("sekisho audit verify")?;
    let record = stage.must("sekisho audit export")?;
    must(record.contains("sent by mistake"), || format!("the record does not tell why: {record}"))?;
    stage.place.with(Board::cut)?;
    stage.lab.leave_share();
    stage.situation(Situation::Site, BOOT)?;
    stage.clean(BOOT)?;
    none(stage)?.ok_or_else(|| Wrong::new("it is held again"))?;
    stage.must("sekisho audit verify")?;
    same("the record after the cut", &stage.must("sekisho audit export")?, &record)
}

fn filled(stage: &mut Stage) -> Outcome {
    stage.service()?;
    // Over SMB it would take minutes.
    stage.must(&format!(
        "setpriv --reuid=relayd --regid=relayd --clear-groups sh -c 'n=0; \
         while fallocate -l 16M {FILL}-$n || fallocate -l 4K {FILL}-$n; do n=$((n + 1)); done' 2>/dev/null; sync"
    ))?;
    let outcome = filled_up(stage);
    stage.must(&format!("rm -f {FILL}-* /var/lib/sekisho/share/OQS/req/{TOO_MUCH}; sync"))?;
    outcome
}

fn filled_up(stage: &mut Stage) -> Outcome {
    let taken = stage.lab.put(&format!("req/{TOO_MUCH}"), &Form::Xml.request("9", 100_000));
    must(taken.is_err(), || "the full share takes a file".into())?;
    stage.lab.oqs("push-face=1")?;
    let into = stage.lab.scratch().join("full");
    std::fs::create_dir_all(&into)?;
    stage.lab.session()?.collect_count("face", &into, 1, PATIENCE, |_| true)?;
    stage.place.with(Board::cut)?;
    stage.lab.leave_share();
    stage.situation(Situation::Site, BOOT)?;
    stage.clean(BOOT).map(drop)
}

fn traceless(stage: &mut Stage) -> Outcome {
    stage.service()?;
    stage.lab.oqs("answer=echo")?;
    let name = stage.lab.fresh("OQSsiquc01", "xml");
    let bytes = format!("<XmlMsg>{CANARY}</XmlMsg>");
    stage.lab.exchange(&name, bytes.as_bytes())?;
    stage.lab.empties_on_box("res")?;
    let stem = name.trim_end_matches(".xml");
    let stem = stem.rsplit_once("req").map_or(stem, |(_, number)| number);
    // The journal keeps this very order too, so the words must not stand in it as they are looked for.
    for word in [CANARY, stem] {
        let (first, rest) = word.split_at(1);
        let order = format!(
            "w='{first}''{rest}'; grep -rlsa -- \"$w\" /var; journalctl -qa -o export | grep -ac -- \"$w\""
        );
        same(
            &format!("where {word} is found"),
            &stage.inside(&order)?.text.trim().to_owned(),
            &"0".to_owned(),
        )?;
    }
    Ok(())
}
