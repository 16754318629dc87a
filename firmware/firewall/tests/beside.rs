//! What moves packets beside nft, made in a network namespace of its own and named by the room: with it there nothing is
//! proved, and when it has gone everything is again.
//! Needs root, nftables and iproute2; the namespaces end with the threads that made them.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod alone;
mod site;

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use firewall::Command;
use model::part::{FirewallPart, Promise, Proof, RulesetState};
use netlink_packet_route::link::{LinkAttribute, LinkMessage, LinkXdp};
use tokio::sync::{mpsc, oneshot, watch};

use alone::{alone, run_line};

/// Ports that nobody planned, and a room that has proved what the kernel holds; then `make`, and `unmake`.
fn named(words: &str, make: impl AsyncFnOnce() + Send, unmake: impl FnOnce() + Send) {
    alone(|| {
        run_line("ip link add dev left type veth peer name right");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (part, mut seen) = watch::channel(FirewallPart::dropping(None));
            let (commands, mut waiting) = mpsc::channel(1);
            let site = site::sample();
            let case = async {
                seen.wait_for(|part| part.state == RulesetState::Proved).await.unwrap();
                make().await;
                let found = prove(&commands).await;
                let named = |promise: &Promise| {
                    matches!(&promise.proof, Proof::Unproved { reason } if reason.contains(words))
                };
                assert!(found.len() == 12 && found.iter().all(named), "{words}: {found:?}");
                unmake();
                prove(&commands).await;
                let found = prove(&commands).await;
                assert!(found.iter().all(|promise| promise.proof == Proof::Proved), "{words}: {found:?}");
            };
            tokio::select! {
                outcome = firewall::run(&site, part, &mut waiting) => panic!("the room ended: {outcome:?}"),
                () = case => {}
            }
        });
    });
}

async fn prove(commands: &mpsc::Sender<Command>) -> Vec<Promise> {
    let (reply, answer) = oneshot::channel();
    commands.send(Command::ProveLive { reply }).await.unwrap();
    answer.await.unwrap()
}

/// Made by commands, and gone by one.
fn named_by_commands(words: &str, make: &[&str], unmake: &str) {
    named(words, async || make.iter().for_each(|line| run_line(line)), || run_line(unmake));
}

#[test]
fn a_filter_that_leads_frames_to_another_port() {
    named_by_commands(
        "the queueing discipline clsact at the port left (tc)",
        &[
            "tc qdisc add dev left clsact",
            "tc filter add dev left ingress protocol all u32 match u32 0 0 action mirred egress redirect dev right",
        ],
        "tc qdisc del dev left clsact",
    );
}

#[test]
fn a_discipline_of_classes() {
    named_by_commands(
        "the queueing discipline htb at the port left (tc)",
        &["tc qdisc add dev left root handle 1: htb"],
        "tc qdisc del dev left root",
    );
}

#[test]
fn a_filter_of_a_queue() {
    named_by_commands(
        "a filter of the queue at the port left (tc)",
        &[
            "tc qdisc add dev left root handle 1: htb",
            "tc filter add dev left parent 1: protocol all u32 match u32 0 0 action mirred egress redirect dev right",
        ],
        "tc qdisc del dev left root",
    );
}

#[test]
fn a_port_of_a_bridge() {
    named_by_commands(
        "the port left in the device br0",
        &["ip link add dev br0 type bridge", "ip link set dev left master br0"],
        "ip link set dev left nomaster",
    );
}

#[test]
fn a_device_on_a_port_s_wire() {
    named_by_commands(
        "the device mac0 on another port's wire (macvlan)",
        &["ip link add link left dev mac0 type macvlan mode bridge"],
        "ip link del dev mac0",
    );
}

#[test]
fn a_routing_rule() {
    named_by_commands(
        "the routing rule 100, which asks table 77 (IPv4)",
        &["ip rule add from 198.51.100.0/24 lookup 77 priority 100"],
        "ip rule del priority 100",
    );
    named_by_commands(
        "the routing rule 100, which asks table 77 (IPv6)",
        &["ip -6 rule add from 2001:db8::/32 lookup 77 priority 100"],
        "ip -6 rule del priority 100",
    );
}

#[test]
fn settings_that_let_pass_what_is_else_impossible() {
    for (setting, words) in [
        ("ipv4/conf/left/route_localnet", "route_localnet (ipv4) at the port left"),
        ("ipv4/conf/all/accept_local", "accept_local (ipv4) at the port"),
        ("ipv4/conf/right/proxy_arp", "proxy_arp (ipv4) at the port right"),
        ("ipv6/conf/left/accept_source_route", "accept_source_route (ipv6) at the port left"),
    ] {
        let set = |value: &str| fs::write(format!("/proc/sys/net/{setting}"), value).unwrap();
        named(words, async || set("1"), || set("0"));
    }
    // Of this one the kernel asks for both, and has the port's own on from the start.
    let set = |value: &str| fs::write("/proc/sys/net/ipv4/conf/all/accept_source_route", value).unwrap();
    named("accept_source_route (ipv4) at the port", async || set("1"), || set("0"));
}

/// IPT_SO_GET_INFO of linux/netfilter_ipv4/ip_tables.h; asking for a table makes it.
#[test]
fn a_table_of_an_older_tool() {
    let words = "the table filter of iptables";
    alone(|| {
        if fs::metadata("/proc/thread-self/net/ip_tables_names").is_err() {
            return;
        }
        ask_for_the_table();
        let names = fs::read_to_string("/proc/thread-self/net/ip_tables_names").unwrap();
        assert!(names.contains("filter"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (part, mut seen) = watch::channel(FirewallPart::dropping(None));
        let (_commands, mut waiting) = mpsc::channel(1);
        let site = site::sample();
        let outcome = runtime.block_on(async {
            tokio::select! {
                outcome = firewall::run(&site, part, &mut waiting) => outcome,
                _ = seen.wait_for(|part| part.state == RulesetState::Proved) => Ok(()),
            }
        });
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    });
}

#[expect(unsafe_code, reason = "nix has no wrapper for a socket option of netfilter")]
fn ask_for_the_table() {
    let mut asked = [0_u8; 84];
    asked[..6].copy_from_slice(b"filter");
    let mut length: libc::socklen_t = 84;
    // SAFETY: the buffer is as long as the length says, and outlives the call.
    let outcome = unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::IPPROTO_RAW);
        let socket = OwnedFd::from_raw_fd(socket);
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_IP, 64, asked.as_mut_ptr().cast(), &raw mut length)
    };
    assert_eq!(outcome, 0, "{}", io::Error::last_os_error());
}

#[test]
fn a_program_at_a_port() {
    named(
        "a program at the port left (XDP)",
        async || attach(Some(&passing())).await,
        || run_line("ip link set dev left xdpgeneric off"),
    );
}

async fn attach(program: Option<&OwnedFd>) {
    let (connection, handle, _) = rtnetlink::new_connection().unwrap();
    let reader = tokio::spawn(connection);
    let mut message = LinkMessage::default();
    message.header.index = nix::net::if_::if_nametoindex("left").unwrap();
    // XDP_FLAGS_SKB_MODE.
    let xdp = vec![LinkXdp::Fd(program.map_or(-1, |program| program.as_raw_fd())), LinkXdp::Flags(2)];
    message.attributes.push(LinkAttribute::Xdp(xdp));
    handle.link().set(message).execute().await.unwrap();
    reader.abort();
}

/// A program that lets everything pass: `r0 = XDP_PASS; exit`.
#[expect(unsafe_code, reason = "nix has no wrapper for bpf(2)")]
fn passing() -> OwnedFd {
    let instructions: [u64; 2] = [0x0000_0002_0000_00b7, 0x0000_0000_0000_0095];
    let licence = c"GPL";
    // union bpf_attr of BPF_PROG_LOAD: type (BPF_PROG_TYPE_XDP), count, instructions, licence.
    let mut attributes = [0_u64; 8];
    attributes[0] = 6 | 2 << 32;
    attributes[1] = instructions.as_ptr() as u64;
    attributes[2] = licence.as_ptr() as u64;
    // SAFETY: every pointer in the attributes outlives the call, and its length is said.
    let program = unsafe { libc::syscall(libc::SYS_bpf, 5, attributes.as_ptr(), size_of_val(&attributes)) };
    let program = i32::try_from(program).unwrap();
    assert!(program >= 0, "{}", io::Error::last_os_error());
    // SAFETY: the kernel has just given this descriptor to us alone.
    unsafe { OwnedFd::from_raw_fd(program) }
}
