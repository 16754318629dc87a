//! Logs: ERROR the box cannot do its job; WARN somebody may have to act today; INFO the day's story; DEBUG for
//! developers. Other crates stay at WARN whatever is asked, and there is no bridge from `log`: the SMB client's
//! crates print file names, which carry patients' numbers.

use tracing_subscriber::EnvFilter;

/// Our own crates: only these may be made more talkative.
const OURS: [&str; 8] = ["sekisho", "model", "journal", "reach", "firewall", "relay", "board", "web_ui"];

/// Starts logging to standard error; `SEKISHO_LOG` (error, warn, info, debug, trace) is the level of our crates.
pub fn start() {
    let level = std::env::var("SEKISHO_LOG").ok().filter(|level| is_level(level));
    let level = level.as_deref().unwrap_or("info");
    let directives: Vec<String> = OURS.iter().map(|target| format!("{target}={level}")).collect();
    let filter = EnvFilter::new(format!("warn,{}", directives.join(",")));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .try_init();
}

fn is_level(level: &str) -> bool {
    ["error", "warn", "info", "debug", "trace"].contains(&level)
}
