//! A box out of its carton: what it says, what it lets in, and how it gets its settings.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use clinic::check::network::presented;
use clinic::check::{Outcome, Wrong, must};
use model::Notice;
use model::boot::Situation;
use model::notice::Stick;

use super::Story;
use crate::machine::{BOX, ask_setup, fingerprint};
use crate::stage::{Stage, same};
use crate::stick;
use crate::wire::{Ear, offer, text};
use clinic::check::scan::scan;

/// How long the box may take to say what it thinks of a stick.
const STICK: Duration = Duration::from_secs(90);

/// The stories.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "a_new_box_comes_up_in_the_carton_and_says_where_it_is",
            "An installer has nothing but the box, a cable and what its console or label says.",
            &[
                "listen on the line's and the terminal's wire",
                "power on, with a disk as it leaves the factory",
                "wait for the setup page over HTTPS at the setup port's address",
                "nothing was said on the other wires",
                "the console names that address and the fingerprint of the page's certificate",
            ],
            unpacked,
        )
        .smoke(),
        Story::new(
            "in_the_carton_only_the_setup_port_speaks",
            "A box without settings must be nobody's way into anything.",
            &[
                "scan from the clinic: the setup page and nothing else",
                "scan from the line and the terminal: silence",
                "ask for an address by DHCP on each wire: only the setup port offers one",
            ],
            only_setup,
        )
        .smoke(),
        Story::new(
            "a_stick_with_ten_site_files_is_refused_in_words",
            "The box does not choose which clinic it is in.",
            &["put in a stick with ten site files", "the page says so, and nothing is taken"],
            ten,
        ),
        Story::new(
            "a_stick_with_a_bad_site_file_is_refused_with_its_mistakes",
            "The installer must learn what to correct, without a laptop on the console.",
            &["put in a stick whose site file names an unknown line", "the page says which key"],
            bad,
        ),
        Story::new(
            "a_site_file_on_a_stick_brings_the_box_into_service",
            "It is the only way in, and it must need no computer at the box.",
            &[
                "put in a stick with site file, profile, authority and login",
                "the box takes it, starts again and serves the clinic",
                "its status is a clean clinic's",
            ],
            adopted,
        )
        .smoke(),
    ]
}

fn unpacked(stage: &mut Stage) -> Outcome {
    let ears = [Ear::on(stage.lab.clinic(), "ngn")?, Ear::on(stage.lab.clinic(), "terminal")?];
    let begun = Instant::now();
    stage.carton()?;
    stage.figure("first boot into carton, s", format!("{:.1}", begun.elapsed().as_secs_f64()));
    for ear in &ears {
        let own = ear.heard().into_iter().find(|frame| frame.from.starts_with(&[0x52, 0x54, 0, 0x5e, 0]));
        must(own.is_none(), || format!("the box said {}", own.as_ref().map(text).unwrap_or_default()))?;
    }
    let shown = presented(stage.lab.clinic(), "clinic", SocketAddr::from((BOX, 443)))?;
    let page = shown.first().ok_or_else(|| Wrong::new("the page shows no certificate"))?;
    let known = fingerprint(page);
    stage.place.with(|board| {
        let since = board.since();
        board.console().wait(since, &format!("https://{BOX}/"), STICK)?;
        board.console().wait(since, &known, STICK).map(drop)
    })
}

fn only_setup(stage: &mut Stage) -> Outcome {
    stage.carton()?;
    let ports: Vec<u16> = (1..=1024).chain([3128, 5355, 8080, 8443]).collect();
    let clinic = stage.lab.clinic();
    let seen = scan(clinic, "clinic", SocketAddr::from((BOX, 0)), &ports)?;
    same("what is open for the clinic", &seen.open, &[443].into())?;
    same("what refuses the clinic", &seen.refused, &[].into())?;
    for (from, to) in [("terminal", "192.0.2.1"), ("terminal", "198.51.100.1"), ("ngn", "198.51.100.1")] {
        let to: IpAddr = to.parse().map_err(|_| Wrong::new("no address"))?;
        let seen = scan(clinic, from, SocketAddr::new(to, 0), &[22, 53, 80, 443, 445])?;
        same(&format!("what {to} has for {from}"), &(seen.open, seen.refused), &Default::default())?;
    }
    let patience = Duration::from_secs(20);
    let offered = offer(clinic, "clinic", "e0", patience)?;
    must(offered.is_some(), || "no address is offered on the setup port".into())?;
    let elsewhere = offer(clinic, "terminal", "e0", Duration::from_secs(5))?;
    must(elsewhere.is_none(), || format!("{elsewhere:?} is offered to the terminal"))
}

fn ten(stage: &mut Stage) -> Outcome {
    stage.carton()?;
    let mut files = stick::of(stage.lab.clinic(), "")?;
    let site = files.first().map(|(_, bytes)| bytes.clone()).unwrap_or_default();
    files.extend((2..=10).map(|number| (format!("sekisho/site-{number}.toml"), site.clone())));
    refused(stage, &files, |why| matches!(why, Stick::SeveralSiteFiles { count: 10 }))
}

fn bad(stage: &mut Stage) -> Outcome {
    stage.carton()?;
    let mut files = stick::of(stage.lab.clinic(), "")?;
    for (path, bytes) in &mut files {
        if path.ends_with("site.toml") {
            *bytes =
                String::from_utf8_lossy(bytes).replace("kind = \"ra\"", "kind = \"pigeon\"").into_bytes();
        }
    }
    refused(stage, &files, |why| match why {
        Stick::BadSiteFile { mistakes } => mistakes.iter().any(|mistake| mistake.contains("line.kind")),
        _ => false,
    })
}

fn refused(stage: &mut Stage, files: &[(String, Vec<u8>)], is: impl Fn(&Stick) -> bool) -> Outcome {
    let told = |notice: &Notice| matches!(notice, Notice::StickRefused { why } if is(why));
    let snapshot = stage.with_stick(files, |stage| {
        stage.until("the stick is refused", STICK, |snapshot| {
            snapshot.boot.as_ref().is_some_and(|boot| boot.notices.iter().any(told))
        })
    })?;
    let boot = snapshot.boot.ok_or_else(|| Wrong::new("the page does not say how the box came up"))?;
    same("the situation", &boot.situation, &Situation::Carton)?;
    let page = ask_setup(stage.lab.clinic())?;
    must(page.status == 200, || format!("the setup page answers {}", page.status))
}

fn adopted(stage: &mut Stage) -> Outcome {
    stage.carton()?;
    let begun = Instant::now();
    stage.adopt()?;
    stage.figure("from stick to service, s", format!("{:.1}", begun.elapsed().as_secs_f64()));
    stage.clean(STICK).map(drop)
}
