//! From a terminal through the box to the line: the whole ruleset beside an empty one that accepts, in turns.

use std::io::{Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use serde_json::{Value, json};

use super::super::super::Wrong;
use super::super::{Times, verdict};
use super::paper;
use super::room::Room;

const TURNS: usize = 40;
/// One turn of iperf3, seconds.
const SECONDS: &str = "1";
/// One byte there and back, so often a turn.
const ROUNDS: usize = 1000;
/// Of the throughput without rules, at least.
const THROUGHPUT: f64 = 0.95;
/// Of the latency without rules, at most.
const LATENCY: f64 = 1.1;

/// Inside a destination of the lab's profile, and its ports.
const FAR: &str = "2001:db8:0:cc::7";
const TERMINAL: &str = "2001:db8:0:1::2";
const THROUGH: &str = "443";
const PING: u16 = 8080;

/// The box and its two neighbours.
struct Road {
    terminal: Room,
    the_box: Room,
    far: Room,
}

impl Road {
    fn lay() -> Result<Self, Wrong> {
        let far = Room::with(&format!(
            "ip link set lo up; iperf3 -s -p {THROUGH} >/dev/null & until ss -Hltn | grep -q :{THROUGH}; do :; done
             echo ready; read -r _"
        ))?;
        let road = Self { terminal: Room::empty()?, the_box: Room::empty()?, far };
        road.the_box.wire("term0", &road.terminal, "eth0")?;
        road.the_box.wire("wan0", &road.far, "eth0")?;
        road.the_box.run(
            "sysctl -qw net.ipv6.conf.all.forwarding=1
             ip -6 addr add 2001:db8:0:1::1/64 dev term0 nodad
             ip -6 addr add 2001:db8:0:cc::1/64 dev wan0 nodad",
        )?;
        road.terminal.run(&format!(
            "ip -6 addr add {TERMINAL}/64 dev eth0 nodad
             ip -6 route add default via 2001:db8:0:1::1"
        ))?;
        road.far.run(&format!(
            "ip -6 addr add {FAR}/64 dev eth0 nodad
             ip -6 route add default via 2001:db8:0:cc::1"
        ))?;
        Ok(road)
    }

    fn load(&self, document: &Value) -> Result<(), Wrong> {
        self.the_box.feed(&["nft", "-j", "-f", "-"], &document.to_string()).map(drop)
    }

    /// What iperf3 says of one turn: bits a second, and the mean of its round trips, ms: it asks for one an interval.
    fn iperf3(&self) -> Result<[f64; 2], Wrong> {
        let said = self
            .terminal
            .feed(&["iperf3", "-J", "-i", "0.1", "-c", FAR, "-p", THROUGH, "-t", SECONDS], "")?;
        let said: Value = serde_json::from_str(&said).map_err(|error| Wrong(error.to_string()))?;
        let figure = |place: &str| {
            let figure = said["end"].pointer(place).and_then(Value::as_f64);
            figure.ok_or_else(|| Wrong(format!("iperf3 gave no figure: {}", said["error"])))
        };
        Ok([figure("/sum_received/bits_per_second")?, figure("/streams/0/sender/mean_rtt")? / 1000.0])
    }

    /// One byte there and back, many times on one connection.
    fn latency(&self, times: &mut Times) -> Result<(), Wrong> {
        let enter = self.terminal.door()?;
        let asked = std::thread::spawn(move || -> Result<Times, Wrong> {
            enter()?;
            let mut stream = TcpStream::connect((FAR, PING))?;
            stream.set_nodelay(true)?;
            let (mut times, mut byte) = (Times::default(), [0_u8]);
            for _ in 0..ROUNDS {
                let begun = Instant::now();
                stream.write_all(&byte)?;
                stream.read_exact(&mut byte)?;
                times.add(begun.elapsed());
            }
            Ok(times)
        });
        let asked = asked.join().map_err(|_| Wrong::new("a client panicked"))??;
        times.join(asked);
        Ok(())
    }

    /// Answers every byte with itself.
    fn echo(&self) -> Result<(), Wrong> {
        let enter = self.far.door()?;
        let (up, is_up) = std::sync::mpsc::channel();
        std::thread::spawn(move || -> Result<(), Wrong> {
            enter()?;
            let listener = TcpListener::bind((FAR, PING))?;
            let _ = up.send(());
            for stream in listener.incoming() {
                let mut stream = stream?;
                stream.set_nodelay(true)?;
                let mut byte = [0_u8];
                while stream.read_exact(&mut byte).is_ok() {
                    stream.write_all(&byte)?;
                }
            }
            Ok(())
        });
        is_up.recv().map_err(|_| Wrong::new("nothing answers beyond the box"))
    }
}

/// The site's ruleset, in which the terminal has its address on the line.
fn whole() -> Result<Value, Wrong> {
    let mut document = firewall::compile_json(&paper::site()?);
    let element = json!({"add": {"element": {
        "family": "inet", "table": "sekisho", "name": "terminal_addresses6", "elem": [TERMINAL]
    }}});
    let list = document["nftables"].as_array_mut().ok_or_else(|| Wrong::new("no ruleset was compiled"))?;
    list.push(element);
    Ok(document)
}

fn empty() -> Value {
    let chain = json!({"family": "inet", "table": "sekisho", "name": "forward", "type": "filter", "hook": "forward",
        "prio": 0, "policy": "accept"});
    let table = json!({"family": "inet", "name": "sekisho"});
    json!({"nftables": [{"add": {"table": table}}, {"delete": {"table": table}}, {"add": {"table": table}},
        {"add": {"chain": chain}}]})
}

pub(super) fn measure(out: &mut dyn Write) -> Result<bool, Wrong> {
    let road = Road::lay()?;
    road.echo()?;
    let rulesets = [whole()?, empty()];
    let (mut figures, mut alone) = ([const { Vec::new() }; 2], [Times::default(), Times::default()]);
    for turn in 0..2 * TURNS {
        // Neither is always the first of a pair.
        let which = (turn + turn / 2) % 2;
        road.load(&rulesets[which])?;
        figures[which].push(road.iperf3()?);
        road.latency(&mut alone[which])?;
    }
    // Of turns that follow each other: the machine is another one after half a minute.
    let [through, slower] = [0, 1].map(|nth| {
        middle(figures[0].iter().zip(&figures[1]).map(|(ours, bare)| ours[nth] / bare[nth]).collect())
    });
    let [ours, bare] =
        figures.map(|turns| [0, 1].map(|nth| middle(turns.iter().map(|turn| turn[nth]).collect())));
    let kept = through >= THROUGHPUT && slower <= LATENCY;
    writeln!(
        out,
        "terminal -> line, iperf3: {:.2} and {:.2} Gbit/s without rules: {through:.3} of it (at least {THROUGHPUT}); mean round \
         trip {:.3} and {:.3} ms: {slower:.3} times (at most {LATENCY}): {}",
        ours[0] / 1e9,
        bare[0] / 1e9,
        ours[1],
        bare[1],
        verdict(kept)
    )?;
    let [ours, bare] = alone.map(|times| times.median());
    writeln!(
        out,
        "one byte there and back and nothing else on the wire, no limit: {ours:.4} and {bare:.4} ms: {:.3} times",
        ours / bare
    )?;
    Ok(kept)
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
