//! What the service manager hears (sd_notify(3)): that we serve, and that every room of ours is still alive. A room
//! that hangs has no pulse; then nothing is said any more, and the manager starts us anew. Without a manager nobody
//! listens, and nothing is said.

use std::time::Instant;

use sd_notify::NotifyState;

use crate::socket::part::Pulse;

/// Says that everything this process runs serves.
pub fn ready() {
    say(NotifyState::Ready);
}

/// Gives a sign of life, three times within the time the manager waits for one, while every pulse is felt. Never ends.
pub async fn live(pulses: Vec<Pulse>) {
    let Some(patience) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut ticks = tokio::time::interval(patience / 3);
    loop {
        ticks.tick().await;
        if pulses.iter().all(|pulse| pulse.is_felt(Instant::now())) {
            say(NotifyState::Watchdog);
        } else {
            tracing::error!("a room of this process hangs: no sign of life for the watchdog");
        }
    }
}

fn say(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "failed to speak to the service manager");
    }
}
