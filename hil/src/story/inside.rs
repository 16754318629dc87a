//! What can only be seen from inside: units, mounts, sandboxes, memory, listening sockets. Asked by the bench's own unit,
//! which a release image does not let in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use clinic::check::{Outcome, Wrong, must};
use model::boot::Situation;

use super::{For, Story};
use crate::stage::{BOOT, Stage, With};

/// The roles that parse what strangers send, and the one that does not; the most that `systemd-analyze security` may
/// say of each.
const SCORES: [(&str, f64); 4] = [("webd", 2.0), ("relayd", 2.0), ("reachd", 2.0), ("netd", 3.0)];
/// All our daemons together, MiB.
const PSS: f64 = 24.0;
/// The boot with our roles, as a multiple of the boot without.
const RATIO: f64 = 1.3;
/// What is left out for the boot without our roles.
const OURS: [&str; 6] = ["netd", "reachd", "relayd", "webd", "boardd", "console"];

/// The stories.
pub fn stories() -> Vec<Story> {
    vec![
        Story::new(
            "no_unit_has_failed_and_the_system_is_running",
            "A unit that failed quietly at boot is a box that works by luck.",
            &["a box in service", "ask systemd what failed"],
            units,
        )
        .only(For::Development)
        .smoke(),
        Story::new(
            "each_role_has_a_sandbox_that_scores_well",
            "Whoever breaks into a role must find nothing there.",
            &["a box in service", "systemd-analyze security of each role"],
            scores,
        )
        .only(For::Development)
        .smoke(),
        Story::new(
            "no_role_that_reads_what_strangers_send_holds_a_capability",
            "A mistake in a parser must not become a right over the box.",
            &["a box in service", "read the capabilities of every process of relayd, webd and reachd"],
            powerless,
        )
        .only(For::Development)
        .smoke(),
        Story::new(
            "the_root_is_verified_and_nothing_but_the_data_is_writable",
            "What a thief or a virus writes must be gone, or in the encrypted partition.",
            &["a box in service", "read its mounts"],
            mounts,
        )
        .only(For::Development),
        Story::new(
            "our_daemons_are_small_and_the_memorys_largest_parts_are_known",
            "The box has to live in the memory of a small router for years.",
            &[
                "a box in service, at rest",
                "add the shares of memory up (PSS)",
                "name the three largest parts",
            ],
            memory,
        )
        .only(For::Development),
    ]
}

/// What changes boards again and again: played last.
pub fn timed_stories() -> Vec<Story> {
    vec![
        Story::new(
            "the_box_is_up_hardly_later_than_the_same_image_without_our_roles",
            "A reception that waits for the box after a power cut waits for us.",
            &[
                "the same disk twice: with our roles, and with them left out by a credential",
                "from power to the page with a proved ruleset; from power to the end of the boot",
                "the ratio of the two is at most 1.3",
            ],
            boot_time,
        )
        .only(For::Development),
    ]
}

fn units(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let state = stage.inside("systemctl is-system-running --wait")?.text;
    // A unit that is started again and again never fails for good.
    let order = "systemctl list-units --state=failed,auto-restart --no-legend --plain --no-pager";
    let failed = stage.must(order)?;
    must(failed.trim().is_empty(), || format!("failed: {}", failed.trim()))?;
    let order = "for u in $(systemctl list-units 'sekisho-*.service' --no-legend --plain --no-pager | \
                 while read -r u _; do echo $u; done); do \
                 n=$(systemctl show -P NRestarts $u); [ \"$n\" = 0 ] || echo \"$u $n times\"; done";
    let again = stage.must(order)?;
    must(again.trim().is_empty(), || format!("started again: {}", again.trim()))?;
    must(state.trim() == "running", || format!("the system is {}", state.trim()))
}

fn scores(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let mut said = Vec::new();
    let mut high = Vec::new();
    for (role, most) in SCORES {
        let text =
            stage.must(&format!("systemd-analyze security --no-pager sekisho-{role}.service | tail -1"))?;
        let words = text.split_once("service: ").map_or("", |(_, rest)| rest);
        let score: f64 = words
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| Wrong(format!("systemd-analyze says of {role}: {}", text.trim())))?;
        said.push(format!("{role} {score}"));
        if score > most {
            high.push(format!("{role} has {score}, at most {most}"));
        }
    }
    stage.figure("systemd-analyze security", said.join(", "));
    must(high.is_empty(), || high.join("; "))
}

fn powerless(stage: &mut Stage) -> Outcome {
    stage.service()?;
    for role in ["relayd", "webd", "reachd"] {
        let order = format!(
            "for p in $(cat /sys/fs/cgroup/system.slice/sekisho-{role}.service/cgroup.procs); do \
             grep -E '^(Uid|Cap)' /proc/$p/status | tr '\\t' ' '; done"
        );
        let text = stage.must(&order)?;
        let lines: Vec<&str> = text.lines().collect();
        must(lines.len() >= 6, || format!("of {role} there is only {lines:?}"))?;
        let rights = lines.iter().filter(|line| line.starts_with("Cap"));
        let some: Vec<&&str> = rights.filter(|line| !line.ends_with(": 0000000000000000")).collect();
        must(some.is_empty(), || format!("{role} holds {some:?}"))?;
        let root = lines.iter().any(|line| line.starts_with("Uid: 0 "));
        must(!root, || format!("{role} runs as root"))?;
    }
    Ok(())
}

fn mounts(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let text = stage.must("cat /proc/1/mounts")?;
    // The kernel's own file systems and those in memory hold nothing over a power cut.
    let passing: BTreeSet<&str> = [
        "proc",
        "sysfs",
        "devtmpfs",
        "tmpfs",
        "devpts",
        "cgroup2",
        "securityfs",
        "pstore",
        "bpf",
        "efivarfs",
        "debugfs",
        "tracefs",
        "configfs",
        "fusectl",
        "mqueue",
        "hugetlbfs",
        "ramfs",
        "autofs",
        "binfmt_misc",
    ]
    .into();
    let mut lasting = BTreeMap::new();
    for line in text.lines() {
        let [device, place, kind, options] = line.split(' ').take(4).collect::<Vec<_>>()[..] else {
            continue;
        };
        if !passing.contains(kind) {
            let writable = options.split(',').any(|option| option == "rw");
            lasting.insert(place.to_owned(), (device.to_owned(), kind.to_owned(), writable));
        }
    }
    let root = lasting.remove("/");
    must(
        root.as_ref().is_some_and(|(device, kind, writable)| {
            device == "/dev/mapper/root" && kind == "erofs" && !writable
        }),
        || format!("the root is {root:?}"),
    )?;
    let data = lasting.remove("/var");
    must(
        data.as_ref().is_some_and(|(device, kind, _)| device.starts_with("/dev/mapper/") && kind == "ext4"),
        || format!("/var is {data:?}"),
    )?;
    // The boot loader's partition, where a boot is blessed; an automount may have it or not.
    lasting.remove("/efi");
    let more: Vec<&String> =
        lasting.iter().filter(|(_, (.., writable))| *writable).map(|(place, _)| place).collect();
    must(more.is_empty(), || format!("also writable: {more:?}"))
}

/// A process: its program, what it was called with, and its share of memory, KiB.
struct Process {
    program: String,
    words: String,
    pss: u64,
}

/// Every process, by what the kernel says of it; no tool is needed but the shell's own and grep.
const PROCESSES: &str = "for p in /proc/[0-9]*; do e=$(readlink $p/exe) || continue; \
    m=$(grep ^Pss: $p/smaps_rollup) || continue; echo \"$e|$(tr '\\0' ' ' <$p/cmdline)|$m\"; done";

fn processes(stage: &Stage) -> Result<Vec<Process>, Wrong> {
    let text = stage.must(PROCESSES)?;
    let process = |line: &str| {
        let mut fields = line.split('|');
        let (program, words) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let pss = fields.next()?.split_whitespace().nth(1)?.parse().ok()?;
        Some(Process { program, words, pss })
    };
    Ok(text.lines().filter_map(process).collect())
}

fn memory(stage: &mut Stage) -> Outcome {
    stage.service()?;
    let all = processes(stage)?;
    let mut parts: BTreeMap<String, u64> = BTreeMap::new();
    let mut ours = Vec::new();
    for process in &all {
        let name = process.program.rsplit('/').next().unwrap_or_default();
        let part = match name {
            "sekisho" => "our daemons",
            "smbd" | "samba-dcerpcd" => "Samba",
            name if name.starts_with("systemd") => "systemd",
            name => name,
        };
        *parts.entry(part.to_owned()).or_default() += process.pss;
        if part == "our daemons" {
            let words: Vec<&str> = process.words.split_whitespace().collect();
            let role = words.iter().skip_while(|word| **word != "--role").nth(1).or_else(|| words.get(1));
            ours.push(format!("{} {:.1}", role.unwrap_or(&"?"), mib(process.pss)));
        }
    }
    let meminfo = stage.must("cat /proc/meminfo")?;
    let of = |key: &str| -> u64 {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    for (part, size) in [
        ("the kernel's slabs", of("SUnreclaim")),
        ("files in memory (tmpfs)", of("Shmem")),
        ("page tables and stacks", of("PageTables") + of("KernelStack") + of("Percpu")),
    ] {
        parts.insert(part.into(), size);
    }
    let used = of("MemTotal") - of("MemAvailable");
    let mut parts: Vec<(String, u64)> = parts.into_iter().collect();
    parts.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let largest: Vec<String> =
        parts.iter().take(3).map(|(part, size)| format!("{part} {:.1} MiB", mib(*size))).collect();
    stage.figure(
        "memory in use at rest",
        format!("{:.0} MiB of {:.0}; largest: {}", mib(used), mib(of("MemTotal")), largest.join(", ")),
    );
    let sum: u64 =
        all.iter().filter(|process| process.program.ends_with("/sekisho")).map(|process| process.pss).sum();
    stage.figure("our daemons (PSS)", format!("{:.1} MiB: {}", mib(sum), ours.join(", ")));
    must(!ours.is_empty() && mib(sum) <= PSS, || {
        format!("our daemons have {:.1} MiB, at most {PSS}", mib(sum))
    })
}

#[expect(clippy::cast_precision_loss, reason = "a few gigabytes at most")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

fn boot_time(stage: &mut Stage) -> Outcome {
    let mut shortest = [f64::INFINITY; 2];
    // In turn, so that a busy minute of this machine does not hit one of them alone.
    for _ in 0..2 {
        for (with, shortest) in [true, false].into_iter().zip(&mut shortest) {
            let disk = stage.serviced()?;
            let begun = Instant::now();
            stage.switch_on(&disk, if with { timed() } else { without_roles() })?;
            if with {
                stage.situation(Situation::Site, BOOT)?;
            } else {
                stage.place.with(|board| board.said_up(BOOT))?;
            }
            *shortest = shortest.min(begun.elapsed().as_secs_f64());
        }
    }
    let [with, without] = shortest;
    stage.figure("boot to page and proof, s", format!("{with:.1}"));
    stage.figure("boot of the image without our roles, s", format!("{without:.1}"));
    stage.figure("boot time ratio", format!("{:.2}", with / without));
    must(with / without <= RATIO, || {
        format!("{with:.1} s with our roles and {without:.1} s without: {:.2} times", with / without)
    })
}

/// Says on the results line that the boot has ended.
fn timed() -> With {
    let unit = "[Unit]\nDefaultDependencies=no\nAfter=multi-user.target\n[Service]\nType=oneshot\n\
                ExecStart=/bin/sh -c 'echo @@up >/dev/ttyS1'\n";
    let wants = "[Unit]\nWants=hil-up.service\n";
    let credentials = vec![
        ("systemd.extra-unit.hil-up.service".into(), unit.into()),
        ("systemd.unit-dropin.multi-user.target~hil-up".into(), wants.into()),
    ];
    With { credentials, ..With::default() }
}

/// The same, with a unit that does nothing in the place of each of ours.
fn without_roles() -> With {
    let mut with = timed();
    let nothing = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n";
    let left_out =
        OURS.map(|role| (format!("systemd.extra-unit.sekisho-{role}.service"), nothing.to_owned()));
    with.credentials.extend(left_out);
    with
}
