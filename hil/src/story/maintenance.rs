//! Remote maintenance on a board, judged from the maintainer's side: his gateway and his packets are outside.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use clinic::Layout;
use clinic::check::afar::{Afar, CLOSED, MANAGEMENT, identity, site_table};
use clinic::check::{Outcome, Wrong, must};
use model::maintenance::{End, MaintenancePart, Tunnel};

use super::{For, Story};
use crate::NAME;
use crate::stage::{BOOT, Scene, Stage, same};

/// How long the tunnel may take, under emulation.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is promised.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long one connection is tried.
const TRY: Duration = Duration::from_millis(400);
const PIN: &str = "385017";

/// The stories; the board is put into a clinic whose site file has a maintainer.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "a_maintainer_reaches_nothing_before_the_management_page_during_and_nothing_after_a_consent",
            "Whoever maintains from afar is let in by the clinic only, and shut out by it at once.",
            &[
                "a box in service whose site file has a maintainer; his gateway answers",
                "he hears nothing of any address of the box, and inside there is no interface, rule, route or process",
                "consent by the verb, with the PIN: he reaches the management page",
                "he reaches no other port of the box, and no host of the clinic",
                "close: within a second he reaches nothing, and nothing of it is left inside",
                "consent again, and kill -9 of netd: he reaches nothing, and nothing of it is left inside",
                "the record says how both ended",
            ],
            consent,
        )
        .only(For::Development),
    ]
}

fn consent(stage: &mut Stage) -> Outcome {
    let sato = identity("sato.maintainer.test", 86_400)?;
    stage.service_in(&Scene {
        layout: Layout::default(),
        more: site_table(&sato.0, &CLOSED),
        contract: None,
    })?;
    let own = stage.must("sekisho maintenance certificate")?;
    stage.must(&format!("echo {PIN} | sekisho maintenance pin"))?;
    let mut afar = Afar::beside(NAME, &CLOSED)?;
    afar.serve(&sato, &own)?;
    let outside = on_the_line(stage)?;
    must(!outside.is_empty(), || "the line knows no address of the box".into())?;
    for address in &outside {
        same(&format!("what is heard of {address}"), &afar.hears_of(*address)?, &Vec::new())?;
    }
    is_closed(stage, &afar, "before any consent", AT_ONCE)?;

    let asked = Instant::now();
    open(stage, &afar)?;
    let took = format!("{:.1}", asked.elapsed().as_secs_f64());
    stage.figure("from consent until the maintainer's first connection, s", took);
    let others = ["10.99.0.1:80", "10.99.0.1:445", "198.51.100.1:443", "192.0.2.2:445", "198.51.100.10:445"];
    for address in others {
        must(!afar.reaches(address, TRY)?, || format!("the maintainer reaches {address}"))?;
    }
    for address in &outside {
        same(&format!("what is heard of {address}"), &afar.hears_of(*address)?, &Vec::new())?;
    }
    stage.must("sekisho maintenance close")?;
    is_closed(stage, &afar, "closed by the verb", AT_ONCE)?;
    same(
        "its end",
        &told(stage)?.sessions.first().and_then(|one| Some(one.ended.as_ref()?.why)),
        &Some(End::Closed),
    )?;

    open(stage, &afar)?;
    stage.must("systemctl kill --signal=KILL --kill-whom=main sekisho-netd.service")?;
    is_silent(&afar, "kill -9 of netd", AT_ONCE)?;
    stage.clean(BOOT)?;
    is_closed(stage, &afar, "after kill -9 and a start", AT_ONCE)?;
    same(
        "its end",
        &told(stage)?.sessions.first().and_then(|one| Some(one.ended.as_ref()?.why)),
        &Some(End::Crash),
    )?;
    stage.must("sekisho audit verify").map(drop)
}

/// Consents, and waits until the maintainer is in.
fn open(stage: &Stage, afar: &Afar) -> Outcome {
    stage.must(&format!("echo {PIN} | sekisho maintenance open --maintainer sato --reason update"))?;
    let end = Instant::now() + PATIENCE;
    while !afar.reaches(MANAGEMENT, TRY)? {
        if Instant::now() > end {
            let charon = "journalctl -b --no-pager -u 'sekisho-maintenance@*' | tail -40";
            let said = stage.inside(charon)?.text;
            let gateway = std::fs::read_to_string(afar.log()).unwrap_or_default();
            return Err(Wrong(format!("the tunnel does not come: {said}\n{gateway}")));
        }
    }
    // It looks twice a second.
    stage.lab.until("the box says that the tunnel stands", AT_ONCE, || {
        let open = told(stage)?.open;
        Ok(open.is_some_and(|open| open.tunnel == Tunnel::Up).then_some(()))
    })
}

fn told(stage: &Stage) -> Result<MaintenancePart, Wrong> {
    let text = stage.must("sekisho maintenance list --json")?;
    serde_json::from_str(&text).map_err(|error| Wrong(format!("{error} in {text}")))
}

/// Nothing comes back from the management address after so long.
fn is_silent(afar: &Afar, when: &str, patience: Duration) -> Outcome {
    let end = Instant::now() + patience;
    while afar.reaches(MANAGEMENT, TRY)? {
        must(Instant::now() < end, || format!("{when}: the maintainer reaches {MANAGEMENT}"))?;
    }
    let management: IpAddr = MANAGEMENT
        .rsplit_once(':')
        .and_then(|(host, _)| host.parse().ok())
        .ok_or_else(|| Wrong::new("no address"))?;
    same(&format!("{when}: what is heard of it"), &afar.hears_of(management)?, &Vec::new())
}

/// Nor has the box anything of it inside: interface, route, rule or process.
fn is_closed(stage: &Stage, afar: &Afar, when: &str, patience: Duration) -> Outcome {
    is_silent(afar, when, patience)?;
    let order = "(ip -o link; ip -4 route show table all; nft list ruleset; ip xfrm state; ip xfrm policy) | \
                 grep -E 'maint|10[.]99[.]0[.]|if_id 0x3'; pgrep -x charon";
    let left = stage.inside(order)?.text;
    must(left.trim().is_empty(), || format!("{when}, inside: {left}"))
}

/// The box's addresses as the line's router knows them.
fn on_the_line(stage: &Stage) -> Result<Vec<IpAddr>, Wrong> {
    let known = stage.lab.exec("ngn", &["ip", "-6", "neighbour", "show", "dev", "w0"])?;
    let own = known.lines().filter(|line| line.contains("52:54:00:5e:00:"));
    let all = own.filter_map(|line| line.split_whitespace().next()?.parse().ok());
    // From elsewhere a link's own address cannot be asked.
    Ok(all.filter(|address: &IpAddr| !address.to_string().starts_with("fe80")).collect())
}
