//! A line by IPsec on a board: the kernel's own ESP on an XFRM interface, which the lab's kernel does not have. What leaves is
//! heard at the internet provider, which carries every packet of the line.

use std::time::{Duration, Instant};

use clinic::check::lines::ipsec::{Ear, comes, goes, reaches, say};
use clinic::check::{Outcome, Wrong, must};
use clinic::{Layout, Line, Wiring};

use super::{For, Story};
use crate::stage::{BOOT, Scene, Stage, same};

/// How long what is gone may take to be noticed, and to be back.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a connection that is refused is tried.
const REFUSED: Duration = Duration::from_millis(300);

/// The stories; the board is put into a clinic with such a line, which takes four minutes.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "a_line_by_ipsec_carries_the_terminal_by_the_kernels_esp",
            "A clinic with the connection type IPsec+IKE has nothing but this way to the centre.",
            &[
                "a clinic whose line is the internet, and a provider's gateway on it (strongSwan)",
                "a box in service there: all is well",
                "listen at the internet provider",
                "the terminal reaches a listed port of the centre, and no other",
                "nothing was heard but IKE and ESP with the gateway",
            ],
            carries,
        ),
        Story::new(
            "a_gateway_that_restarts_is_called_again_and_nothing_leaves_in_the_clear",
            "Providers restart their gateways at night; in the morning the reception must not notice.",
            &[
                "a box in service on a line by IPsec; listen at the internet provider",
                "the gateway is killed, while the terminal goes on sending",
                "the terminal reaches nothing; the gateway starts again, without any memory",
                "the terminal reaches the centre, by itself",
                "nothing was heard but IKE and ESP with the gateway",
            ],
            restarts,
        ),
        Story::new(
            "a_charon_that_dies_in_the_box_comes_back_with_its_tunnel",
            "A crash of the IKE daemon must cost seconds, and nothing may leave beside the tunnel meanwhile.",
            &[
                "a box in service on a line by IPsec; listen at the internet provider",
                "kill -9 of its charon, while the terminal goes on sending",
                "the terminal reaches the centre again",
                "nothing was heard but IKE and ESP with the gateway",
                "the same for netd: the tunnel stands all the time",
            ],
            dies,
        )
        .only(For::Development),
        Story::new(
            "the_tunnel_is_an_xfrm_interface_and_its_charon_holds_one_capability",
            "Who encrypts must be the kernel, and who parses a stranger's bytes must hold no more than that needs.",
            &[
                "a box in service on a line by IPsec",
                "ipsec0 is of the kind xfrm, and the kernel holds states of its number",
                "charon runs as netd and holds CAP_NET_ADMIN only; systemd-analyze security says at most 2.5",
                "nothing of it listens on TCP, nor on 500 and 4500 of UDP",
            ],
            inside,
        )
        .only(For::Development),
    ]
}

/// A box in service on such a line is on the bench.
fn service(stage: &mut Stage) -> Outcome {
    let scene = Scene { layout: Layout::of(Line::Ipsec, Wiring::New)?, more: String::new(), contract: None };
    let came = stage.service_in(&scene);
    came.map_err(|wrong| stage.with_logs(&wrong, &["sekisho-charon", "sekisho-netd"]))
}

/// What was heard was sealed, and something was.
fn sealed(ear: &Ear) -> Outcome {
    let heard = ear.heard()?;
    must(heard.sealed > 0, || "nothing at all was heard of the tunnel".into())?;
    must(heard.clear.is_empty(), || format!("in the clear: {:?}", heard.clear))
}

fn carries(stage: &mut Stage) -> Outcome {
    let begun = Instant::now();
    service(stage)?;
    stage.figure("from the carton into service by IPsec, s", seconds(begun));
    let ear = Ear::at(&stage.lab, "isp")?;
    say(&stage.lab)?;
    reaches(&mut stage.lab)?;
    say(&stage.lab)?;
    sealed(&ear)
}

/// The terminal goes on sending until its connections fail.
fn fails(stage: &Stage) -> Outcome {
    stage.lab.until("the terminal reaches nothing", PATIENCE, || {
        say(&stage.lab)?;
        Ok((!goes(&stage.lab, REFUSED)?).then_some(()))
    })
}

fn restarts(stage: &mut Stage) -> Outcome {
    service(stage)?;
    let ear = Ear::at(&stage.lab, "isp")?;
    comes(&stage.lab)?;
    stage.lab.fault("IKE-03", true)?;
    let away = fails(stage).and_then(|()| {
        stage.lab.until("the box says so", PATIENCE, || {
            say(&stage.lab)?;
            let verdict = stage.lab.snapshot()?.line.map(|line| line.part.verdict);
            let fault = verdict.and_then(|verdict| verdict.foremost);
            Ok(fault.is_some_and(|fault| fault.code.key() == "IKE-03").then_some(()))
        })
    });
    stage.lab.fault("IKE-03", false)?;
    let back = Instant::now();
    away?;
    comes(&stage.lab)?;
    stage.figure("from the gateway's start until the terminal's connection, s", seconds(back));
    say(&stage.lab)?;
    sealed(&ear)?;
    stage.clean(BOOT).map(drop)
}

/// Which process charon is.
const WHICH: &str = "systemctl show -P MainPID sekisho-charon.service";

fn dies(stage: &mut Stage) -> Outcome {
    service(stage)?;
    let ear = Ear::at(&stage.lab, "isp")?;
    comes(&stage.lab)?;
    let first = stage.must(WHICH)?;
    stage.must("systemctl kill --signal=KILL --kill-whom=main sekisho-charon.service")?;
    let killed = Instant::now();
    stage.lab.until("another charon runs", PATIENCE, || {
        say(&stage.lab)?;
        let now = stage.must(WHICH)?;
        Ok((now.trim() != "0" && now != first).then_some(()))
    })?;
    comes(&stage.lab)?;
    stage.figure("from kill -9 of charon until the terminal's connection, s", seconds(killed));
    say(&stage.lab)?;
    let second = stage.must(WHICH)?;
    stage.must("systemctl kill --signal=KILL --kill-whom=main sekisho-netd.service")?;
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        say(&stage.lab)?;
        must(goes(&stage.lab, Duration::from_secs(3))?, || "the tunnel went with netd".into())?;
    }
    same("the charon's process", &stage.must(WHICH)?, &second)?;
    sealed(&ear)?;
    stage.clean(BOOT).map(drop)
}

fn seconds(since: Instant) -> String {
    format!("{:.1}", since.elapsed().as_secs_f64())
}

/// The most that `systemd-analyze security` may say of charon.
const SCORE: f64 = 2.5;

fn inside(stage: &mut Stage) -> Outcome {
    service(stage)?;
    let link = stage.must("ip -d link show dev ipsec0")?;
    must(link.contains("xfrm if_id 0x1"), || format!("ipsec0 is {link}"))?;
    let states = stage.must("ip xfrm state")?;
    must(states.contains("if_id 0x1"), || format!("the kernel holds {states}"))?;
    let order = "for p in $(cat /sys/fs/cgroup/system.slice/sekisho-charon.service/cgroup.procs); do \
                 grep -E '^(Uid|Cap)' /proc/$p/status | tr '\\t' ' '; done";
    let held = stage.must(order)?;
    let own = held.lines().filter(|line| line.starts_with("Uid: 971 ")).count();
    must(own > 0 && held.lines().filter(|line| line.starts_with("Uid")).count() == own, || held.clone())?;
    let more = held.lines().filter(|line| line.starts_with("Cap") && !is_at_most_net_admin(line));
    let more: Vec<&str> = more.collect();
    must(more.is_empty(), || format!("charon holds {more:?}"))?;
    let said = stage.must("systemd-analyze security --no-pager sekisho-charon.service | tail -1")?;
    let words = said.split_once("service: ").and_then(|(_, rest)| rest.split_whitespace().next());
    let score: f64 = words.and_then(|word| word.parse().ok()).ok_or_else(|| Wrong(said.clone()))?;
    stage.figure("systemd-analyze security of charon", score.to_string());
    must(score <= SCORE, || format!("charon has {score}, at most {SCORE}"))?;
    let open = stage.must("ss --no-header --listening --numeric --tcp --udp --processes")?;
    let doors = open.lines().filter(|line| line.contains("charon"));
    let known = |line: &&str| line.starts_with("tcp") || line.contains(":500 ") || line.contains(":4500 ");
    let bad: Vec<&str> = doors.filter(known).collect();
    must(bad.is_empty(), || format!("listening: {bad:?}"))
}

/// A line of `/proc/PID/status`: no capability, or that one (bit 12).
fn is_at_most_net_admin(line: &str) -> bool {
    let set = line.rsplit(' ').next().and_then(|word| u64::from_str_radix(word, 16).ok());
    set.is_some_and(|set| set & !(1 << 12) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_admin_is_the_one_capability() {
        assert!(is_at_most_net_admin("CapEff: 0000000000001000"));
        assert!(is_at_most_net_admin("CapInh: 0000000000000000"));
        assert!(!is_at_most_net_admin("CapEff: 0000000000003000"));
        assert!(!is_at_most_net_admin("CapEff: no number"));
    }
}
